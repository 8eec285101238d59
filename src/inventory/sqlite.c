/*
 * The store in a SQLite file.  schema/ says what is in it, sqlite_open.c how
 * it is opened.
 */
#include "inventory/sqlite.h"
#include "inventory/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum statement {
	CHANGE_NUMBER,
	CHANGE_MOVE,
	DEVICE_ADD,
	DEVICE_UPDATE,
	DEVICE_REMOVE,
	DEVICE_GET,
	DEVICE_EACH,
	DEVICE_CLEAR_VARIABLES,
	DEVICE_ADD_VARIABLE,
	GROUP_ID,
	SCOPE_PUT,
	SCOPE_GET,
	SCOPE_EACH,
	SCOPE_CLEAR_VARIABLES,
	SCOPE_ADD_VARIABLE,
	STATEMENTS,
};

#define SELECT_DEVICE \
	"SELECT d.mac, d.model, d.firmware, d.serial, ifnull(g.name, '')," \
	" d.state, v.name, v.value FROM device AS d" \
	" LEFT JOIN scope AS g ON g.id = d.group_id" \
	" LEFT JOIN device_variable AS v ON v.mac = d.mac "
#define SELECT_SCOPE \
	"SELECT s.kind, s.name, ifnull(p.name, ''), v.name, v.value" \
	" FROM scope AS s LEFT JOIN scope AS p ON p.id = s.parent_id" \
	" LEFT JOIN scope_variable AS v ON v.scope_id = s.id "

static const char *const statement_sql[STATEMENTS] = {
	[CHANGE_NUMBER] = "SELECT number FROM change",
	[CHANGE_MOVE] = "UPDATE change SET number = number + 1",
	[DEVICE_ADD] = "INSERT INTO device"
		       " (mac, model, firmware, serial, group_id, state)"
		       " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[DEVICE_UPDATE] =
	    "UPDATE device SET model = ?2, firmware = ?3,"
	    " serial = ?4, group_id = ?5, state = ?6 WHERE mac = ?1",
	[DEVICE_REMOVE] = "DELETE FROM device WHERE mac = ?1",
	[DEVICE_GET] = SELECT_DEVICE "WHERE d.mac = ?1 ORDER BY v.name",
	[DEVICE_EACH] = SELECT_DEVICE "ORDER BY d.mac, v.name",
	[DEVICE_CLEAR_VARIABLES] = "DELETE FROM device_variable WHERE mac = ?1",
	[DEVICE_ADD_VARIABLE] = "INSERT INTO device_variable"
				" (mac, name, value) VALUES (?1, ?2, ?3)",
	[GROUP_ID] = "SELECT id FROM scope WHERE kind = 2 AND name = ?1",
	[SCOPE_PUT] =
	    "INSERT INTO scope (kind, name, parent_id)"
	    " VALUES (?1, ?2, ?3) ON CONFLICT (kind, name)"
	    " DO UPDATE SET parent_id = excluded.parent_id RETURNING id",
	[SCOPE_GET] = SELECT_SCOPE
	"WHERE s.kind = ?1 AND s.name = ?2 ORDER BY v.name",
	[SCOPE_EACH] = SELECT_SCOPE "ORDER BY s.kind, s.name, v.name",
	[SCOPE_CLEAR_VARIABLES] =
	    "DELETE FROM scope_variable WHERE scope_id = ?1",
	[SCOPE_ADD_VARIABLE] = "INSERT INTO scope_variable"
			       " (scope_id, name, value) VALUES (?1, ?2, ?3)",
};

struct sqlite {
	struct sqlite_kind kind;
	struct sqlite_file file;
	sqlite3_stmt *statements[STATEMENTS]; /* prepared when first used */
};

static sqlite3_stmt *
get_statement(struct sqlite *sqlite, enum statement which, struct error *err)
{
	sqlite3_stmt **stmt = &sqlite->statements[which];

	if (*stmt == NULL &&
	    sqlite3_prepare_v3(sqlite->file.db, statement_sql[which], -1,
		SQLITE_PREPARE_PERSISTENT, stmt, NULL) != SQLITE_OK)
		(void)sqlite_file_error(&sqlite->file,
		    "cannot read the database", err);
	return *stmt;
}

/* After a statement was stepped through or given up. */
static void
reset(sqlite3_stmt *stmt)
{
	(void)sqlite3_reset(stmt);
	(void)sqlite3_clear_bindings(stmt);
}

/* Texts are bound as they are: they outlive the step that follows.  Binding
 * fails only for an index that is not in the statement. */
static void
bind_text(sqlite3_stmt *stmt, int index, const char *text)
{
	(void)sqlite3_bind_text(stmt, index, text, -1, SQLITE_STATIC);
}

/* A row id; 0 stands for none. */
static void
bind_id(sqlite3_stmt *stmt, int index, sqlite3_int64 id)
{
	if (id != 0)
		(void)sqlite3_bind_int64(stmt, index, id);
	else
		(void)sqlite3_bind_null(stmt, index);
}

/* Run a statement that yields no row, and reset it. */
static int
run(struct sqlite *sqlite, sqlite3_stmt *stmt, struct error *err)
{
	int rc = 0;

	if (sqlite3_step(stmt) != SQLITE_DONE)
		rc = sqlite_file_error(&sqlite->file,
		    "cannot change the inventory", err);
	reset(stmt);
	return rc;
}

static int
read_failed(const struct sqlite *sqlite, struct error *err)
{
	return sqlite_file_error(&sqlite->file, "cannot read the inventory",
	    err);
}

/* Only a program other than ours can have written what is wrong here. */
static int
bad_row(const struct sqlite *sqlite, const char *what, struct error *err)
{
	return error_set(err, ERROR_SYSTEM,
	    "%s: the inventory is damaged: a %s is out of range; restore it "
	    "from a backup",
	    sqlite->file.path, what);
}

static const char *
column_text(sqlite3_stmt *stmt, int column)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);

	return text != NULL ? (const char *)text : "";
}

static int
column_name(sqlite3_stmt *stmt, int column,
    char name[static INVENTORY_NAME_MAX + 1])
{
	const char *text = column_text(stmt, column);
	size_t len = strlen(text);

	if (len > INVENTORY_NAME_MAX)
		return -1;
	memcpy(name, text, len + 1);
	return 0;
}

static int
sqlite_change_number(void *state, uint64_t *number, struct error *err)
{
	struct sqlite *sqlite = state;
	sqlite3_stmt *stmt = get_statement(sqlite, CHANGE_NUMBER, err);
	int rc = 0;

	if (stmt == NULL)
		return -1;
	if (sqlite3_step(stmt) == SQLITE_ROW)
		*number = (uint64_t)sqlite3_column_int64(stmt, 0);
	else
		rc = read_failed(sqlite, err);
	reset(stmt);
	return rc;
}

static int
sqlite_begin(void *state, bool writing, struct error *err)
{
	struct sqlite *sqlite = state;

	return sqlite_file_exec(&sqlite->file,
	    writing ? "BEGIN IMMEDIATE" : "BEGIN", err);
}

static void
sqlite_rollback(void *state)
{
	struct sqlite *sqlite = state;

	/* After some failures SQLite has rolled back by itself already. */
	(void)sqlite3_exec(sqlite->file.db, "ROLLBACK", NULL, NULL, NULL);
}

static int
sqlite_commit(void *state, bool changed, struct error *err)
{
	struct sqlite *sqlite = state;
	sqlite3_stmt *stmt = NULL;

	if (changed && (stmt = get_statement(sqlite, CHANGE_MOVE, err)) == NULL)
		goto fail;
	if (changed && run(sqlite, stmt, err) != 0)
		goto fail;
	if (sqlite_file_exec(&sqlite->file, "COMMIT", err) == 0)
		return 0;
fail:
	sqlite_rollback(state);
	return -1;
}

/* The row id of a group; 0 for "". */
static int
find_group_id(struct sqlite *sqlite, const char *name, sqlite3_int64 *id,
    struct error *err)
{
	sqlite3_stmt *stmt;
	int rc = 0;

	*id = 0;
	if (*name == '\0')
		return 0;
	if ((stmt = get_statement(sqlite, GROUP_ID, err)) == NULL)
		return -1;
	bind_text(stmt, 1, name);
	switch (sqlite3_step(stmt)) {
	case SQLITE_ROW:
		*id = sqlite3_column_int64(stmt, 0);
		break;
	case SQLITE_DONE:
		rc = inventory_group_missing(name, err);
		break;
	default:
		rc = read_failed(sqlite, err);
	}
	reset(stmt);
	return rc;
}

static int
add_device_variables(struct sqlite *sqlite, const char *mac,
    const struct variables *variables, struct error *err)
{
	sqlite3_stmt *stmt = get_statement(sqlite, DEVICE_ADD_VARIABLE, err);

	if (stmt == NULL)
		return -1;
	for (size_t i = 0; i < variables->count; i++) {
		bind_text(stmt, 1, mac);
		bind_text(stmt, 2, variables->list[i].name);
		bind_text(stmt, 3, variables->list[i].value);
		if (run(sqlite, stmt, err) != 0)
			return -1;
	}
	return 0;
}

static void
bind_device(sqlite3_stmt *stmt, const char *mac, const struct device *device,
    sqlite3_int64 group_id)
{
	bind_text(stmt, 1, mac);
	bind_text(stmt, 2, device->model);
	bind_text(stmt, 3, device->firmware);
	bind_text(stmt, 4, device->serial);
	bind_id(stmt, 5, group_id);
	bind_text(stmt, 6, device_state_name(device->state));
}

static int
sqlite_add_device(void *state, const struct device *device, struct error *err)
{
	struct sqlite *sqlite = state;
	sqlite3_stmt *stmt = get_statement(sqlite, DEVICE_ADD, err);
	sqlite3_int64 group_id;
	char mac[MAC_TEXT_BYTES];
	int rc;

	if (stmt == NULL ||
	    find_group_id(sqlite, device->group, &group_id, err) != 0)
		return -1;
	mac_format(&device->mac, mac);
	bind_device(stmt, mac, device, group_id);
	rc = run(sqlite, stmt, err);
	if (rc != 0 &&
	    sqlite3_extended_errcode(sqlite->file.db) ==
		SQLITE_CONSTRAINT_PRIMARYKEY)
		return inventory_device_exists(&device->mac, err);
	if (rc != 0)
		return -1;
	return add_device_variables(sqlite, mac, &device->variables, err);
}

static int
clear_device_variables(struct sqlite *sqlite, const char *mac,
    struct error *err)
{
	sqlite3_stmt *stmt = get_statement(sqlite, DEVICE_CLEAR_VARIABLES, err);

	if (stmt == NULL)
		return -1;
	bind_text(stmt, 1, mac);
	return run(sqlite, stmt, err);
}

static int
sqlite_update_device(void *state, const struct device *device,
    struct error *err)
{
	struct sqlite *sqlite = state;
	sqlite3_stmt *stmt = get_statement(sqlite, DEVICE_UPDATE, err);
	sqlite3_int64 group_id;
	char mac[MAC_TEXT_BYTES];

	if (stmt == NULL ||
	    find_group_id(sqlite, device->group, &group_id, err) != 0)
		return -1;
	mac_format(&device->mac, mac);
	bind_device(stmt, mac, device, group_id);
	if (run(sqlite, stmt, err) != 0)
		return -1;
	if (sqlite3_changes(sqlite->file.db) == 0)
		return inventory_no_device(&device->mac, err);
	if (clear_device_variables(sqlite, mac, err) != 0)
		return -1;
	return add_device_variables(sqlite, mac, &device->variables, err);
}

static int
sqlite_remove_device(void *state, const struct mac *mac, struct error *err)
{
	struct sqlite *sqlite = state;
	sqlite3_stmt *stmt = get_statement(sqlite, DEVICE_REMOVE, err);
	char text[MAC_TEXT_BYTES];

	if (stmt == NULL)
		return -1;
	mac_format(mac, text);
	bind_text(stmt, 1, text);
	if (run(sqlite, stmt, err) != 0)
		return -1;
	if (sqlite3_changes(sqlite->file.db) == 0)
		return inventory_no_device(mac, err);
	return 0;
}

/* The variable in two columns of the row, if there is one. */
static int
read_variable(const struct sqlite *sqlite, sqlite3_stmt *stmt, int column,
    struct variables *variables, struct error *err)
{
	if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
		return 0;
	if (variables_set(variables, column_text(stmt, column),
		column_text(stmt, column + 1), err) != 0)
		return bad_row(sqlite, "variable", err);
	return 0;
}

/* All of a row of SELECT_DEVICE but the variable. */
static int
read_device(const struct sqlite *sqlite, sqlite3_stmt *stmt,
    struct device *device, struct error *err)
{
	*device = (struct device) { 0 };
	if (mac_parse(&device->mac, column_text(stmt, 0), err) != 0)
		return bad_row(sqlite, "MAC address", err);
	if (column_name(stmt, 1, device->model) != 0 ||
	    column_name(stmt, 2, device->firmware) != 0 ||
	    column_name(stmt, 3, device->serial) != 0 ||
	    column_name(stmt, 4, device->group) != 0)
		return bad_row(sqlite, "device's field", err);
	if (device_state_parse(column_text(stmt, 5), &device->state, err) != 0)
		return bad_row(sqlite, "state", err);
	return 0;
}

/*
 * Step to the next device: its first row is current already when *row is
 * SQLITE_ROW.  Returns 1 with device filled, 0 at the end, -1 on failure.
 */
static int
next_device(const struct sqlite *sqlite, sqlite3_stmt *stmt, int *row,
    struct device *device, struct error *err)
{
	char mac[MAC_TEXT_BYTES];

	if (*row == SQLITE_DONE)
		return 0;
	if (*row != SQLITE_ROW)
		return read_failed(sqlite, err);
	if (read_device(sqlite, stmt, device, err) != 0)
		return -1;
	mac_format(&device->mac, mac);
	do {
		if (read_variable(sqlite, stmt, 6, &device->variables, err) !=
		    0) {
			device_clear(device);
			return -1;
		}
		*row = sqlite3_step(stmt);
	} while (*row == SQLITE_ROW && strcmp(column_text(stmt, 0), mac) == 0);
	if (*row == SQLITE_ROW || *row == SQLITE_DONE)
		return 1;
	device_clear(device);
	return read_failed(sqlite, err);
}

static int
sqlite_get_device(void *state, const struct mac *mac, struct device *device,
    struct error *err)
{
	struct sqlite *sqlite = state;
	sqlite3_stmt *stmt = get_statement(sqlite, DEVICE_GET, err);
	struct device found;
	char text[MAC_TEXT_BYTES];
	int row, rc;

	if (stmt == NULL)
		return -1;
	mac_format(mac, text);
	bind_text(stmt, 1, text);
	row = sqlite3_step(stmt);
	rc = next_device(sqlite, stmt, &row, &found, err);
	reset(stmt);
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
	sqlite3_stmt *stmt = get_statement(sqlite, DEVICE_EACH, err);
	struct device device;
	int row, rc, visited = 0;

	if (stmt == NULL)
		return -1;
	row = sqlite3_step(stmt);
	while ((rc = next_device(sqlite, stmt, &row, &device, err)) > 0) {
		visited = visit(&device, arg);
		device_clear(&device);
		if (visited != 0)
			break;
	}
	reset(stmt);
	return rc < 0 ? -1 : visited;
}

static int
add_scope_variables(struct sqlite *sqlite, sqlite3_int64 id,
    const struct variables *variables, struct error *err)
{
	sqlite3_stmt *stmt;

	if ((stmt = get_statement(sqlite, SCOPE_CLEAR_VARIABLES, err)) == NULL)
		return -1;
	bind_id(stmt, 1, id);
	if (run(sqlite, stmt, err) != 0 ||
	    (stmt = get_statement(sqlite, SCOPE_ADD_VARIABLE, err)) == NULL)
		return -1;
	for (size_t i = 0; i < variables->count; i++) {
		bind_id(stmt, 1, id);
		bind_text(stmt, 2, variables->list[i].name);
		bind_text(stmt, 3, variables->list[i].value);
		if (run(sqlite, stmt, err) != 0)
			return -1;
	}
	return 0;
}

static int
sqlite_put_scope(void *state, const struct scope *scope, struct error *err)
{
	struct sqlite *sqlite = state;
	sqlite3_stmt *stmt = get_statement(sqlite, SCOPE_PUT, err);
	sqlite3_int64 parent_id, id = 0;
	int rc = 0;

	if (stmt == NULL ||
	    find_group_id(sqlite, scope->parent, &parent_id, err) != 0)
		return -1;
	(void)sqlite3_bind_int(stmt, 1, (int)scope->kind);
	bind_text(stmt, 2, scope->name);
	bind_id(stmt, 3, parent_id);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		id = sqlite3_column_int64(stmt, 0);
	else
		rc = sqlite_file_error(&sqlite->file,
		    "cannot change the inventory", err);
	reset(stmt);
	if (rc != 0)
		return -1;
	return add_scope_variables(sqlite, id, &scope->variables, err);
}

/* As next_device, with rows of SELECT_SCOPE. */
static int
next_scope(const struct sqlite *sqlite, sqlite3_stmt *stmt, int *row,
    struct scope *scope, struct error *err)
{
	int kind;

	if (*row == SQLITE_DONE)
		return 0;
	if (*row != SQLITE_ROW)
		return read_failed(sqlite, err);
	*scope = (struct scope) { 0 };
	kind = sqlite3_column_int(stmt, 0);
	if (kind < SCOPE_DEFAULT || kind > SCOPE_GROUP ||
	    column_name(stmt, 1, scope->name) != 0 ||
	    column_name(stmt, 2, scope->parent) != 0)
		return bad_row(sqlite, "group's or model's name", err);
	scope->kind = (enum scope_kind)kind;
	do {
		if (read_variable(sqlite, stmt, 3, &scope->variables, err) !=
		    0) {
			scope_clear(scope);
			return -1;
		}
		*row = sqlite3_step(stmt);
	} while (*row == SQLITE_ROW && sqlite3_column_int(stmt, 0) == kind &&
	    strcmp(column_text(stmt, 1), scope->name) == 0);
	if (*row == SQLITE_ROW || *row == SQLITE_DONE)
		return 1;
	scope_clear(scope);
	return read_failed(sqlite, err);
}

static int
sqlite_get_scope(void *state, enum scope_kind kind, const char *name,
    struct scope *scope, struct error *err)
{
	struct sqlite *sqlite = state;
	sqlite3_stmt *stmt = get_statement(sqlite, SCOPE_GET, err);
	struct scope found;
	int row, rc;

	if (stmt == NULL)
		return -1;
	(void)sqlite3_bind_int(stmt, 1, (int)kind);
	bind_text(stmt, 2, name);
	row = sqlite3_step(stmt);
	rc = next_scope(sqlite, stmt, &row, &found, err);
	reset(stmt);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return inventory_no_scope(kind, name, err);
	*scope = found;
	return 0;
}

static int
sqlite_each_scope(void *state, inventory_visit_scope *visit, void *arg,
    struct error *err)
{
	struct sqlite *sqlite = state;
	sqlite3_stmt *stmt = get_statement(sqlite, SCOPE_EACH, err);
	struct scope scope;
	int row, rc, visited = 0;

	if (stmt == NULL)
		return -1;
	row = sqlite3_step(stmt);
	while ((rc = next_scope(sqlite, stmt, &row, &scope, err)) > 0) {
		visited = visit(&scope, arg);
		scope_clear(&scope);
		if (visited != 0)
			break;
	}
	reset(stmt);
	return rc < 0 ? -1 : visited;
}

static void
sqlite_close(void *state)
{
	struct sqlite *sqlite = state;

	for (size_t i = 0; i < STATEMENTS; i++)
		(void)sqlite3_finalize(sqlite->statements[i]);
	sqlite_file_close(&sqlite->file);
	free(sqlite);
}

void *
inventory_sqlite_open(const char *path, bool read_only, struct error *err)
{
	struct sqlite *sqlite = xcalloc(1, sizeof(*sqlite));

	sqlite->kind = (struct sqlite_kind) {
		.name = "inventory",
		.update = "the next change of a device",
		.application_id = 0x53505256, /* "SPRV" */
		.synchronous = "FULL",
		.migrations = inventory_migrations,
		.migration_count = inventory_migration_count,
	};
	if (sqlite_file_open(&sqlite->file, &sqlite->kind, path, read_only,
		err) == 0)
		return sqlite;
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
	.each_device = sqlite_each_device,
	.each_scope = sqlite_each_scope,
	.migration = &inventory_sqlite_migrations,
};
