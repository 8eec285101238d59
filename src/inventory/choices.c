#include "inventory/choices.h"
#include "inventory/sqlite.h"

#include <stdlib.h>

#include "base/mem.h"

/* Keys are numbers of 64 bits, kept as SQLite's signed ones. */
static const char schema[] = "CREATE TABLE choice ("
			     " source INTEGER NOT NULL,"
			     " class INTEGER NOT NULL,"
			     " ca INTEGER NOT NULL,"
			     " accepted INTEGER NOT NULL,"
			     " refused INTEGER NOT NULL,"
			     " at INTEGER NOT NULL,"
			     " PRIMARY KEY (source, class, ca)"
			     ") STRICT, WITHOUT ROWID;"
			     "CREATE INDEX choice_at ON choice (at);";

static const char *const migrations[] = { schema };

static const struct sqlite_kind kind = {
	.name = "record of choices",
	.update = "the next start of the server",
	.application_id = 0x53505243, /* "SPRC" */
	.synchronous = "NORMAL",
	.migrations = migrations,
	.migration_count = 1,
};

static const char put_sql[] =
    "INSERT OR REPLACE INTO choice VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
static const char forget_sql[] =
    "DELETE FROM choice WHERE at < (SELECT at FROM choice ORDER BY at DESC"
    " LIMIT 1 OFFSET ?1)";

struct choices {
	struct sqlite_file file;
	sqlite3_stmt *put; /* prepared when first used */
	size_t puts;	   /* since the last forgetting */
};

struct choices *
choices_open(const char *path, bool read_only, struct error *err)
{
	struct choices *choices = xcalloc(1, sizeof(*choices));

	if (sqlite_file_open(&choices->file, &kind, path, read_only, err) == 0)
		return choices;
	free(choices);
	return NULL;
}

void
choices_close(struct choices *choices)
{
	if (choices == NULL)
		return;
	(void)sqlite3_finalize(choices->put);
	sqlite_file_close(&choices->file);
	free(choices);
}

static int
put_one(struct choices *choices, const struct choice_row *row,
    struct error *err)
{
	sqlite3_stmt *stmt = choices->put;
	int rc = 0;

	(void)sqlite3_bind_int64(stmt, 1, (int64_t)row->source);
	(void)sqlite3_bind_int64(stmt, 2, (int64_t)row->class);
	(void)sqlite3_bind_int64(stmt, 3, (int64_t)row->ca);
	(void)sqlite3_bind_int64(stmt, 4, row->accepted);
	(void)sqlite3_bind_int64(stmt, 5, row->refused);
	(void)sqlite3_bind_int64(stmt, 6, row->at);
	if (sqlite3_step(stmt) != SQLITE_DONE)
		rc = sqlite_file_error(&choices->file, "cannot write it", err);
	(void)sqlite3_reset(stmt);
	return rc;
}

static int
forget(struct choices *choices, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = 0;

	choices->puts = 0;
	if (sqlite3_prepare_v2(choices->file.db, forget_sql, -1, &stmt, NULL) !=
		SQLITE_OK ||
	    sqlite3_bind_int64(stmt, 1, CHOICES_MAX) != SQLITE_OK ||
	    sqlite3_step(stmt) != SQLITE_DONE)
		rc = sqlite_file_error(&choices->file, "cannot write it", err);
	(void)sqlite3_finalize(stmt);
	return rc;
}

int
choices_put(struct choices *choices, const struct choice_row *list,
    size_t count, struct error *err)
{
	int rc;

	if (choices->put == NULL &&
	    sqlite3_prepare_v3(choices->file.db, put_sql, -1,
		SQLITE_PREPARE_PERSISTENT, &choices->put, NULL) != SQLITE_OK)
		return sqlite_file_error(&choices->file, "cannot use it", err);
	rc = sqlite_file_exec(&choices->file, "BEGIN IMMEDIATE", err);
	if (rc != 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = put_one(choices, &list[i], err);
	choices->puts += count;
	if (rc == 0 && choices->puts > CHOICES_MAX / 8)
		rc = forget(choices, err);
	if (rc == 0)
		rc = sqlite_file_exec(&choices->file, "COMMIT", err);
	if (rc != 0)
		(void)sqlite3_exec(choices->file.db, "ROLLBACK", NULL, NULL,
		    NULL);
	return rc;
}

int
choices_each(struct choices *choices, choices_visit *visit, void *arg,
    struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int row = SQLITE_DONE, rc = 0;

	if (sqlite3_prepare_v2(choices->file.db,
		"SELECT * FROM choice ORDER BY at, source, class, ca", -1,
		&stmt, NULL) != SQLITE_OK)
		return sqlite_file_error(&choices->file, "cannot read it", err);
	while (rc == 0 && (row = sqlite3_step(stmt)) == SQLITE_ROW) {
		const struct choice_row one = {
			.source = (uint64_t)sqlite3_column_int64(stmt, 0),
			.class = (uint64_t)sqlite3_column_int64(stmt, 1),
			.ca = (uint64_t)sqlite3_column_int64(stmt, 2),
			.accepted = (uint32_t)sqlite3_column_int64(stmt, 3),
			.refused = (uint32_t)sqlite3_column_int64(stmt, 4),
			.at = sqlite3_column_int64(stmt, 5),
		};

		rc = visit(&one, arg);
	}
	if (rc == 0 && row != SQLITE_DONE)
		rc = sqlite_file_error(&choices->file, "cannot read it", err);
	(void)sqlite3_finalize(stmt);
	return rc;
}
