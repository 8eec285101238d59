/*
 * The store in a SQLite file: its devices.  schema/ says what is in the file,
 * sqlite_open.c how it is opened, sqlite_scope.c has groups and types,
 * sqlite_change.c what changed, sqlite_kinds.c counts.
 */
#include "inventory/sqlite_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "inventory/kinds.h"

/* A device's variables as text: names, values (sealed ones are longer) and two
 * marks each. */
#define VARIABLES_TEXT_MAX \
	(INVENTORY_VARIABLES_MAX * \
	    (size_t)(INVENTORY_NAME_MAX + 2 * INVENTORY_VALUE_MAX + 2))

#define SELECT_DEVICE \
	"SELECT d.mac, d.model, d.firmware, d.serial, ifnull(g.name, '')," \
	" d.state, d.tags, d.variables FROM device AS d" \
	" LEFT JOIN scope AS g ON g.id = d.group_id "
#define SELECT_SCOPE \
	"SELECT s.kind, s.name, s.group_kind, ifnull(p.name, '')," \
	" s.variables FROM scope AS s LEFT JOIN scope AS p" \
	" ON p.id = s.parent_id "

static const char *const statement_sql[SQLITE_STATEMENTS] = {
	[CHANGE_GET] =
	    "SELECT number, log_floor, scope_number, key_id FROM change",
	[CHANGE_MOVE] = "UPDATE change SET number = number + 1",
	[CHANGE_SCOPES] = "UPDATE change SET scope_number = number",
	[CHANGE_KEY] = "UPDATE change SET key_id = ?1",
	[LOG_ADD] = "INSERT INTO device_log (number, mac) VALUES (?1, ?2)",
	[LOG_EACH] = "SELECT DISTINCT mac FROM device_log WHERE number > ?1"
		     " ORDER BY mac",
	/* The two constants are SQLITE_LOG_MAX. */
	[LOG_RAISE_FLOOR] =
	    "UPDATE change SET log_floor = max(log_floor, ifnull((SELECT number"
	    " FROM device_log WHERE id <= (SELECT max(id) FROM device_log)"
	    " - 65536 ORDER BY id DESC LIMIT 1), 0))",
	[LOG_TRIM] = "DELETE FROM device_log"
		     " WHERE id <= (SELECT max(id) FROM device_log) - 65536",
	[LOG_CLEAR] = "DELETE FROM device_log",
	[LOG_CLEAR_FLOOR] = "UPDATE change SET log_floor = number",
	[DEVICE_ADD] = "INSERT INTO device (mac, model, firmware, serial,"
		       " group_id, state, tags, variables)"
		       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[DEVICE_UPDATE] =
	    "UPDATE device SET model = ?2, firmware = ?3, serial = ?4,"
	    " group_id = ?5, state = ?6, tags = ?7, variables = ?8"
	    " WHERE mac = ?1",
	[DEVICE_REMOVE] = "DELETE FROM device WHERE mac = ?1",
	[DEVICE_GET] = SELECT_DEVICE "WHERE d.mac = ?1",
	[DEVICE_EACH] = SELECT_DEVICE "ORDER BY d.mac",
	[KIND_OF] = "SELECT model, firmware, state FROM device WHERE mac = ?1",
	[KIND_ADD] = "INSERT INTO device_kind (model, firmware, state, count)"
		     " VALUES (?1, ?2, ?3, ?4)"
		     " ON CONFLICT (model, firmware, state)"
		     " DO UPDATE SET count = count + excluded.count",
	[KIND_TRIM] = "DELETE FROM device_kind WHERE count = 0",
	[KIND_EACH] = "SELECT model, firmware, state, count FROM device_kind"
		      " ORDER BY model, firmware, state",
	[GROUP_ID] = "SELECT id FROM scope WHERE kind = 2 AND name = ?1",
	[SCOPE_PUT] =
	    "INSERT INTO scope (kind, name, group_kind, parent_id, variables)"
	    " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (kind, name)"
	    " DO UPDATE SET group_kind = excluded.group_kind,"
	    " parent_id = excluded.parent_id, variables = excluded.variables",
	[SCOPE_REMOVE] = "DELETE FROM scope WHERE kind = ?1 AND name = ?2",
	[SCOPE_GET] = SELECT_SCOPE "WHERE s.kind = ?1 AND s.name = ?2",
	[SCOPE_EACH] = SELECT_SCOPE "ORDER BY s.kind, s.name",
	[TYPE_PUT] = "INSERT OR REPLACE INTO variable_type (name, type)"
		     " VALUES (?1, ?2)",
	[TYPE_REMOVE] = "DELETE FROM variable_type WHERE name = ?1",
	[TYPE_EACH] = "SELECT name, type FROM variable_type ORDER BY name",
};

sqlite3_stmt *
sqlite_get_statement(struct sqlite *sqlite, enum sqlite_statement which,
    struct error *err)
{
	sqlite3_stmt **stmt = &sqlite->statements[which];

	if (*stmt == NULL &&
	    sqlite3_prepare_v3(sqlite->file.db, statement_sql[which], -1,
		SQLITE_PREPARE_PERSISTENT, stmt, NULL) != SQLITE_OK)
		(void)sqlite_file_error(&sqlite->file,
		    "cannot read the database", err);
	return *stmt;
}

void
sqlite_reset(sqlite3_stmt *stmt)
{
	(void)sqlite3_reset(stmt);
	(void)sqlite3_clear_bindings(stmt);
}

/* Binding fails only for an index that is not in the statement. */
void
sqlite_bind_text(sqlite3_stmt *stmt, int index, const char *text)
{
	(void)sqlite3_bind_text(stmt, index, text, -1, SQLITE_STATIC);
}

void
sqlite_bind_id(sqlite3_stmt *stmt, int index, sqlite3_int64 id)
{
	if (id != 0)
		(void)sqlite3_bind_int64(stmt, index, id);
	else
		(void)sqlite3_bind_null(stmt, index);
}

void
sqlite_bind_variables(struct sqlite *sqlite, sqlite3_stmt *stmt, int index,
    const struct variables *variables)
{
	buf_consume(&sqlite->variables, sqlite->variables.len);
	variables_encode(variables, &sqlite->variables);
	(void)sqlite3_bind_text(stmt, index, buf_text(&sqlite->variables),
	    (int)sqlite->variables.len, SQLITE_STATIC);
}

int
sqlite_run(struct sqlite *sqlite, sqlite3_stmt *stmt, struct error *err)
{
	int rc = 0;

	if (sqlite3_step(stmt) != SQLITE_DONE)
		rc = sqlite_file_error(&sqlite->file,
		    "cannot change the inventory", err);
	sqlite_reset(stmt);
	return rc;
}

int
sqlite_run_plain(struct sqlite *sqlite, enum sqlite_statement which,
    struct error *err)
{
	sqlite3_stmt *stmt = sqlite_get_statement(sqlite, which, err);

	return stmt != NULL ? sqlite_run(sqlite, stmt, err) : -1;
}

int
sqlite_read_failed(const struct sqlite *sqlite, struct error *err)
{
	return sqlite_file_error(&sqlite->file, "cannot read the inventory",
	    err);
}

int
sqlite_bad_row(const struct sqlite *sqlite, const char *what, struct error *err)
{
	return error_set(err, ERROR_SYSTEM,
	    "%s: the inventory is damaged: a %s is out of range; restore it "
	    "from a backup",
	    sqlite->file.path, what);
}

const char *
sqlite_column_text(sqlite3_stmt *stmt, int column)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);

	return text != NULL ? (const char *)text : "";
}

int
sqlite_column_name(sqlite3_stmt *stmt, int column,
    char name[static INVENTORY_NAME_MAX + 1])
{
	const char *text = sqlite_column_text(stmt, column);
	size_t len = strlen(text);

	if (len > INVENTORY_NAME_MAX)
		return -1;
	memcpy(name, text, len + 1);
	return 0;
}

int
sqlite_column_variables(sqlite3_stmt *stmt, int column,
    struct variables *variables)
{
	const char *text = sqlite_column_text(stmt, column);

	return variables_decode(variables, text,
	    (size_t)sqlite3_column_bytes(stmt, column));
}

static int
sqlite_begin(void *state, bool writing, struct error *err)
{
	struct sqlite *sqlite = state;

	sqlite->group[0] = '\0';
	if (!writing)
		return sqlite_file_exec(&sqlite->file, "BEGIN", err);
	if (sqlite_file_exec(&sqlite->file, "BEGIN IMMEDIATE", err) != 0)
		return -1;
	if (sqlite_log_begin(sqlite, err) == 0)
		return 0;
	(void)sqlite3_exec(sqlite->file.db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

static void
sqlite_rollback(void *state)
{
	struct sqlite *sqlite = state;

	/* After some failures SQLite has rolled back by itself already. */
	(void)sqlite3_exec(sqlite->file.db, "ROLLBACK", NULL, NULL, NULL);
	kinds_clear(sqlite->kinds);
	sqlite->group[0] = '\0';
}

static int
sqlite_commit(void *state, bool changed, struct error *err)
{
	struct sqlite *sqlite = state;

	if ((!changed || sqlite_log_commit(sqlite, err) == 0) &&
	    sqlite_kinds_flush(sqlite, err) == 0 &&
	    sqlite_file_exec(&sqlite->file, "COMMIT", err) == 0)
		return 0;
	sqlite_rollback(state);
	return -1;
}

/* What put_device binds: a device's MAC and tags as text. */
static int
put_device(struct sqlite *sqlite, enum sqlite_statement which,
    const struct device *device, const char *mac, struct error *err)
{
	sqlite3_stmt *stmt = sqlite_get_statement(sqlite, which, err);
	sqlite3_int64 group_id;
	char *tags;
	int rc;

	if (stmt == NULL ||
	    sqlite_find_group(sqlite, device->group, &group_id, err) != 0)
		return -1;
	tags = tags_format(&device->tags);
	sqlite_bind_text(stmt, 1, mac);
	sqlite_bind_text(stmt, 2, device->model);
	sqlite_bind_text(stmt, 3, device->firmware);
	sqlite_bind_text(stmt, 4, device->serial);
	sqlite_bind_id(stmt, 5, group_id);
	sqlite_bind_text(stmt, 6, device_state_name(device->state));
	sqlite_bind_text(stmt, 7, tags);
	sqlite_bind_variables(sqlite, stmt, 8, &device->variables);
	rc = sqlite_run(sqlite, stmt, err);
	free(tags);
	return rc;
}

static int
sqlite_add_device(void *state, const struct device *device, struct error *err)
{
	struct sqlite *sqlite = state;
	char mac[MAC_TEXT_BYTES];

	mac_format(&device->mac, mac);
	if (put_device(sqlite, DEVICE_ADD, device, mac, err) == 0)
		return sqlite_kinds_change(sqlite, NULL, device, err) == 0 ?
		    sqlite_log_device(sqlite, mac, err) :
		    -1;
	if (err->kind == ERROR_SYSTEM &&
	    sqlite3_extended_errcode(sqlite->file.db) ==
		SQLITE_CONSTRAINT_PRIMARYKEY)
		return inventory_device_exists(&device->mac, err);
	return -1;
}

static int
sqlite_update_device(void *state, const struct device *device,
    struct error *err)
{
	struct sqlite *sqlite = state;
	struct device_kind before;
	char mac[MAC_TEXT_BYTES];

	mac_format(&device->mac, mac);
	if (sqlite_kinds_find(sqlite, mac, &before, err) != 0 ||
	    put_device(sqlite, DEVICE_UPDATE, device, mac, err) != 0)
		return -1;
	if (before.count == 0)
		return inventory_no_device(&device->mac, err);
	return sqlite_kinds_change(sqlite, &before, device, err) == 0 ?
	    sqlite_log_device(sqlite, mac, err) :
	    -1;
}

static int
sqlite_remove_device(void *state, const struct mac *mac, struct error *err)
{
	struct sqlite *sqlite = state;
	sqlite3_stmt *stmt = sqlite_get_statement(sqlite, DEVICE_REMOVE, err);
	struct device_kind before;
	char text[MAC_TEXT_BYTES];

	if (stmt == NULL)
		return -1;
	mac_format(mac, text);
	if (sqlite_kinds_find(sqlite, text, &before, err) != 0)
		return -1;
	if (before.count == 0)
		return inventory_no_device(mac, err);
	sqlite_bind_text(stmt, 1, text);
	if (sqlite_run(sqlite, stmt, err) != 0 ||
	    sqlite_kinds_change(sqlite, &before, NULL, err) != 0)
		return -1;
	return sqlite_log_device(sqlite, text, err);
}

/* The row of SELECT_DEVICE. */
static int
read_device(const struct sqlite *sqlite, sqlite3_stmt *stmt,
    struct device *device, struct error *err)
{
	*device = (struct device) { 0 };
	if (mac_parse(&device->mac, sqlite_column_text(stmt, 0), err) != 0)
		return sqlite_bad_row(sqlite, "MAC address", err);
	if (sqlite_column_name(stmt, 1, device->model) != 0 ||
	    sqlite_column_name(stmt, 2, device->firmware) != 0 ||
	    sqlite_column_name(stmt, 3, device->serial) != 0 ||
	    sqlite_column_name(stmt, 4, device->group) != 0)
		return sqlite_bad_row(sqlite, "device's field", err);
	if (device_state_parse(sqlite_column_text(stmt, 5), &device->state,
		err) != 0)
		return sqlite_bad_row(sqlite, "state", err);
	if (tags_parse(&device->tags, sqlite_column_text(stmt, 6), err) != 0)
		return sqlite_bad_row(sqlite, "tag", err);
	if (sqlite_column_variables(stmt, 7, &device->variables) != 0) {
		tags_clear(&device->tags);
		return sqlite_bad_row(sqlite, "variable", err);
	}
	return 0;
}

/* Step to the next device: 1 with it, 0 at the end, -1 on failure. */
static int
next_device(const struct sqlite *sqlite, sqlite3_stmt *stmt,
    struct device *device, struct error *err)
{
	switch (sqlite3_step(stmt)) {
	case SQLITE_ROW:
		return read_device(sqlite, stmt, device, err) == 0 ? 1 : -1;
	case SQLITE_DONE:
		return 0;
	default:
		return sqlite_read_failed(sqlite, err);
	}
}

static int
sqlite_get_device(void *state, const struct mac *mac, struct device *device,
    struct error *err)
{
	struct sqlite *sqlite = state;
	sqlite3_stmt *stmt = sqlite_get_statement(sqlite, DEVICE_GET, err);
	struct device found;
	char text[MAC_TEXT_BYTES];
	int rc;

	if (stmt == NULL)
		return -1;
	mac_format(mac, text);
	sqlite_bind_text(stmt, 1, text);
	rc = next_device(sqlite, stmt, &found, err);
	sqlite_reset(stmt);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return inventory_no_device(mac, err);
	*device = found;
	return 0;
}

static int
sqlite_each_device(void *state, inventory_visit_device *visit, void *arg,
    struct error *err)
{
	struct sqlite *sqlite = state;
	sqlite3_stmt *stmt = sqlite_get_statement(sqlite, DEVICE_EACH, err);
	struct device device;
	int rc, visited = 0;

	if (stmt == NULL)
		return -1;
	while (visited == 0 &&
	    (rc = next_device(sqlite, stmt, &device, err)) != 0) {
		if (rc < 0) {
			visited = -1;
			break;
		}
		visited = visit(&device, arg);
		device_clear(&device);
	}
	sqlite_reset(stmt);
	return visited;
}

/* VACUUM writes every page anew, without the ones that are free; the second
 * brings that into the file and empties the log. */
static int
sqlite_scrub(void *state, struct error *err)
{
	struct sqlite *sqlite = state;
	int remaining = 0, done = 0;

	if (sqlite_file_exec(&sqlite->file, "VACUUM", err) != 0)
		return -1;
	if (sqlite3_wal_checkpoint_v2(sqlite->file.db, NULL,
		SQLITE_CHECKPOINT_TRUNCATE, &remaining, &done) == SQLITE_OK)
		return 0;
	return error_set(err, ERROR_SYSTEM,
	    "%s-wal still holds what was overwritten, because another program "
	    "reads it; try again",
	    sqlite->file.path);
}

static void
sqlite_close(void *state)
{
	struct sqlite *sqlite = state;

	for (size_t i = 0; i < SQLITE_STATEMENTS; i++)
		(void)sqlite3_finalize(sqlite->statements[i]);
	buf_clear(&sqlite->variables);
	kinds_free(sqlite->kinds);
	sqlite_file_close(&sqlite->file);
	free(sqlite);
}

void *
inventory_sqlite_open(const char *path, bool read_only, struct error *err)
{
	struct sqlite *sqlite = xcalloc(1, sizeof(*sqlite));

	buf_init(&sqlite->variables, VARIABLES_TEXT_MAX);
	sqlite->kinds = kinds_new();
	sqlite->kind = (struct sqlite_kind) {
		.name = "inventory",
		.update = "the next change of a device",
		.application_id = 0x53505256, /* "SPRV" */
		.synchronous = "FULL",
		/* An import of a large fleet in any order shall find its
		 * pages. */
		.cache_kib = 65536,
		.migrations = inventory_migrations,
		.migration_count = inventory_migration_count,
	};
	if (sqlite_file_open(&sqlite->file, &sqlite->kind, path, read_only,
		err) == 0)
		return sqlite;
	kinds_free(sqlite->kinds);
	free(sqlite);
	return NULL;
}

struct sqlite_file *
inventory_sqlite_file(void *state)
{
	return &((struct sqlite *)state)->file;
}

const struct inventory_store inventory_sqlite = {
	.close = sqlite_close,
	.change_number = sqlite_change_number,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.add_device = sqlite_add_device,
	.update_device = sqlite_update_device,
	.remove_device = sqlite_remove_device,
	.get_device = sqlite_get_device,
	.put_scope = sqlite_put_scope,
	.get_scope = sqlite_get_scope,
	.remove_scope = sqlite_remove_scope,
	.put_type = sqlite_put_type,
	.each_type = sqlite_each_type,
	.get_key_id = sqlite_get_key_id,
	.set_key_id = sqlite_set_key_id,
	.scrub = sqlite_scrub,
	.each_changed = sqlite_each_changed,
	.each_device = sqlite_each_device,
	.each_kind = sqlite_each_kind,
	.each_scope = sqlite_each_scope,
	.migration = &inventory_sqlite_migrations,
};
