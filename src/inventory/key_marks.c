#include "inventory/key_marks.h"
#include "inventory/sqlite.h"

#include <stdlib.h>

#include "base/mem.h"

/* ids are 64 bits without a sign; SQLite's integers have one, and the cast
 * back gives the same bits. */
static const char schema[] =
    "CREATE TABLE key_mark ("
    " mac INTEGER NOT NULL,"
    " id INTEGER NOT NULL,"
    " delivered_at INTEGER NOT NULL," /* seconds since 1970, UTC; 0: never */
    " seen_at INTEGER NOT NULL,"
    " PRIMARY KEY (mac, id)"
    ") STRICT, WITHOUT ROWID";

static const char *const migrations[] = { schema };

static const struct sqlite_kind kind = {
	.name = "record of keys",
	.update = "the next start of the server",
	.application_id = 0x5350524b, /* "SPRK" */
	.synchronous = "FULL",
	.migrations = migrations,
	.migration_count = 1,
};

/*
 * What is newest is what was put last, whatever the clock says meanwhile: one
 * that was set back must not have the newest marks trimmed.
 */
#define LAST \
	"(SELECT coalesce(max(max(delivered_at, seen_at)), 0) FROM key_mark" \
	" WHERE mac = ?1)"
static const char put_sql[] =
    "INSERT INTO key_mark VALUES (?1, ?2,"
    " CASE ?3 WHEN 0 THEN 0 ELSE max(?3, " LAST " + 1) END,"
    " CASE ?4 WHEN 0 THEN 0 ELSE max(?4, " LAST " + 1) END)"
    " ON CONFLICT DO UPDATE SET"
    " delivered_at = max(delivered_at, excluded.delivered_at),"
    " seen_at = max(seen_at, excluded.seen_at)";
static const char trim_sql[] =
    "DELETE FROM key_mark WHERE mac = ?1 AND id NOT IN"
    " (SELECT id FROM key_mark WHERE mac = ?1"
    " ORDER BY max(delivered_at, seen_at) DESC LIMIT ?2)";
static const char get_sql[] =
    "SELECT mac, id, delivered_at, seen_at FROM key_mark"
    " WHERE mac = ?1 AND id = ?2";
static const char each_sql[] =
    "SELECT mac, id, delivered_at, seen_at FROM key_mark";

struct key_marks {
	struct sqlite_file file;
	sqlite3_stmt *put, *trim, *get, *each; /* prepared when first used */
};

struct key_marks *
key_marks_open(const char *path, bool read_only, struct error *err)
{
	struct key_marks *marks = xcalloc(1, sizeof(*marks));

	if (sqlite_file_open(&marks->file, &kind, path, read_only, err) == 0)
		return marks;
	free(marks);
	return NULL;
}

void
key_marks_close(struct key_marks *marks)
{
	if (marks == NULL)
		return;
	(void)sqlite3_finalize(marks->put);
	(void)sqlite3_finalize(marks->trim);
	(void)sqlite3_finalize(marks->get);
	(void)sqlite3_finalize(marks->each);
	sqlite_file_close(&marks->file);
	free(marks);
}

static int
prepare(struct key_marks *marks, sqlite3_stmt **stmt, const char *sql,
    struct error *err)
{
	if (*stmt != NULL ||
	    sqlite3_prepare_v3(marks->file.db, sql, -1,
		SQLITE_PREPARE_PERSISTENT, stmt, NULL) == SQLITE_OK)
		return 0;
	return sqlite_file_error(&marks->file, "cannot read it", err);
}

static sqlite3_int64
mac_number(const struct mac *mac)
{
	sqlite3_int64 number = 0;

	for (size_t i = 0; i < MAC_OCTETS; i++)
		number = number << 8 | mac->octet[i];
	return number;
}

static int
run(struct key_marks *marks, sqlite3_stmt *stmt, struct error *err)
{
	int rc = 0;

	if (sqlite3_step(stmt) != SQLITE_DONE)
		rc = sqlite_file_error(&marks->file, "cannot write it", err);
	(void)sqlite3_reset(stmt);
	return rc;
}

static int
put_one(struct key_marks *marks, const struct key_mark *mark, struct error *err)
{
	(void)sqlite3_bind_int64(marks->put, 1, mac_number(&mark->mac));
	(void)sqlite3_bind_int64(marks->put, 2, (sqlite3_int64)mark->id);
	(void)sqlite3_bind_int64(marks->put, 3, mark->delivered_at);
	(void)sqlite3_bind_int64(marks->put, 4, mark->seen_at);
	if (run(marks, marks->put, err) != 0)
		return -1;
	(void)sqlite3_bind_int64(marks->trim, 1, mac_number(&mark->mac));
	(void)sqlite3_bind_int(marks->trim, 2, KEY_MARKS_KEEP);
	return run(marks, marks->trim, err);
}

int
key_marks_put(struct key_marks *marks, const struct key_mark *list,
    size_t count, struct error *err)
{
	int rc = 0;

	if (prepare(marks, &marks->put, put_sql, err) != 0 ||
	    prepare(marks, &marks->trim, trim_sql, err) != 0 ||
	    sqlite_file_exec(&marks->file, "BEGIN IMMEDIATE", err) != 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = put_one(marks, &list[i], err);
	if (rc == 0)
		rc = sqlite_file_exec(&marks->file, "COMMIT", err);
	if (rc != 0)
		(void)sqlite3_exec(marks->file.db, "ROLLBACK", NULL, NULL,
		    NULL);
	return rc;
}

static struct key_mark
read_row(sqlite3_stmt *stmt)
{
	sqlite3_int64 mac = sqlite3_column_int64(stmt, 0);
	struct key_mark mark = {
		.id = (uint64_t)sqlite3_column_int64(stmt, 1),
		.delivered_at = sqlite3_column_int64(stmt, 2),
		.seen_at = sqlite3_column_int64(stmt, 3),
	};

	for (size_t i = MAC_OCTETS; i > 0; i--) {
		mark.mac.octet[i - 1] = (uint8_t)mac;
		mac >>= 8;
	}
	return mark;
}

int
key_marks_get(struct key_marks *marks, const struct mac *mac, uint64_t id,
    struct key_mark *mark, struct error *err)
{
	int row, rc = 0;

	if (prepare(marks, &marks->get, get_sql, err) != 0)
		return -1;
	(void)sqlite3_bind_int64(marks->get, 1, mac_number(mac));
	(void)sqlite3_bind_int64(marks->get, 2, (sqlite3_int64)id);
	row = sqlite3_step(marks->get);
	if (row == SQLITE_ROW)
		*mark = read_row(marks->get);
	else if (row == SQLITE_DONE)
		*mark = (struct key_mark) { .mac = *mac, .id = id };
	else
		rc = sqlite_file_error(&marks->file, "cannot read it", err);
	(void)sqlite3_reset(marks->get);
	return rc;
}

int
key_marks_each(struct key_marks *marks, key_marks_visit *visit, void *arg,
    struct error *err)
{
	int row = SQLITE_DONE, rc = 0;

	if (prepare(marks, &marks->each, each_sql, err) != 0)
		return -1;
	while (rc == 0 && (row = sqlite3_step(marks->each)) == SQLITE_ROW) {
		struct key_mark mark = read_row(marks->each);

		rc = visit(&mark, arg);
	}
	if (rc == 0 && row != SQLITE_DONE)
		rc = sqlite_file_error(&marks->file, "cannot read it", err);
	(void)sqlite3_reset(marks->each);
	return rc;
}
