#include "inventory/exception_uses.h"
#include "inventory/sqlite.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

static const char schema[] =
    "CREATE TABLE exception_use ("
    " exception TEXT NOT NULL,"
    " mac TEXT NOT NULL,"
    " first_at INTEGER NOT NULL," /* seconds since 1970, UTC */
    " last_at INTEGER NOT NULL,"
    " count INTEGER NOT NULL,"
    " PRIMARY KEY (exception, mac)"
    ") STRICT, WITHOUT ROWID";

static const char *const migrations[] = { schema };

static const struct sqlite_kind kind = {
	.name = "record of exceptions",
	.update = "the next start of the server",
	.application_id = 0x53505258, /* "SPRX" */
	.synchronous = "FULL",
	.migrations = migrations,
	.migration_count = 1,
};

static const char put_sql[] =
    "INSERT INTO exception_use VALUES (?1, ?2, ?3, ?4, ?5)"
    " ON CONFLICT DO UPDATE SET"
    " first_at = min(first_at, excluded.first_at),"
    " last_at = max(last_at, excluded.last_at),"
    " count = count + excluded.count";
static const char each_sql[] =
    "SELECT exception, mac, first_at, last_at, count FROM exception_use"
    " ORDER BY exception, mac";

struct exception_uses {
	struct sqlite_file file;
	sqlite3_stmt *put; /* prepared when first used */
};

struct exception_uses *
exception_uses_open(const char *path, bool read_only, struct error *err)
{
	struct exception_uses *uses = xcalloc(1, sizeof(*uses));

	if (sqlite_file_open(&uses->file, &kind, path, read_only, err) == 0)
		return uses;
	free(uses);
	return NULL;
}

void
exception_uses_close(struct exception_uses *uses)
{
	if (uses == NULL)
		return;
	(void)sqlite3_finalize(uses->put);
	sqlite_file_close(&uses->file);
	free(uses);
}

static int
prepare(struct exception_uses *uses, sqlite3_stmt **stmt, const char *sql,
    struct error *err)
{
	if (sqlite3_prepare_v3(uses->file.db, sql, -1,
		SQLITE_PREPARE_PERSISTENT, stmt, NULL) == SQLITE_OK)
		return 0;
	return sqlite_file_error(&uses->file, "cannot read it", err);
}

static int
put_one(struct exception_uses *uses, const struct exception_use *use,
    struct error *err)
{
	char mac[MAC_TEXT_BYTES];
	int rc = 0;

	mac_format(&use->mac, mac);
	(void)sqlite3_bind_text(uses->put, 1, use->exception, -1,
	    SQLITE_TRANSIENT);
	(void)sqlite3_bind_text(uses->put, 2, mac, -1, SQLITE_TRANSIENT);
	(void)sqlite3_bind_int64(uses->put, 3, use->first_at);
	(void)sqlite3_bind_int64(uses->put, 4, use->last_at);
	(void)sqlite3_bind_int64(uses->put, 5, (sqlite3_int64)use->count);
	if (sqlite3_step(uses->put) != SQLITE_DONE)
		rc = sqlite_file_error(&uses->file, "cannot write it", err);
	(void)sqlite3_reset(uses->put);
	return rc;
}

int
exception_uses_put(struct exception_uses *uses,
    const struct exception_use *list, size_t count, struct error *err)
{
	int rc = 0;

	if ((uses->put == NULL &&
		prepare(uses, &uses->put, put_sql, err) != 0) ||
	    sqlite_file_exec(&uses->file, "BEGIN IMMEDIATE", err) != 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = put_one(uses, &list[i], err);
	if (rc == 0)
		rc = sqlite_file_exec(&uses->file, "COMMIT", err);
	if (rc != 0)
		(void)sqlite3_exec(uses->file.db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

static int
read_row(sqlite3_stmt *stmt, struct exception_use *use, struct error *err)
{
	*use = (struct exception_use) {
		.first_at = sqlite3_column_int64(stmt, 2),
		.last_at = sqlite3_column_int64(stmt, 3),
		.count = (uint64_t)sqlite3_column_int64(stmt, 4),
	};
	(void)snprintf(use->exception, sizeof(use->exception), "%s",
	    (const char *)sqlite3_column_text(stmt, 0));
	return mac_parse(&use->mac, (const char *)sqlite3_column_text(stmt, 1),
	    err);
}

int
exception_uses_each(struct exception_uses *uses, exception_uses_visit *visit,
    void *arg, struct error *err)
{
	struct exception_use use;
	sqlite3_stmt *stmt;
	int row = SQLITE_DONE, rc = 0;

	if (prepare(uses, &stmt, each_sql, err) != 0)
		return -1;
	while (rc == 0 && (row = sqlite3_step(stmt)) == SQLITE_ROW) {
		rc = read_row(stmt, &use, err);
		if (rc == 0)
			rc = visit(&use, arg);
	}
	if (rc == 0 && row != SQLITE_DONE)
		rc = sqlite_file_error(&uses->file, "cannot read it", err);
	(void)sqlite3_finalize(stmt);
	return rc;
}
