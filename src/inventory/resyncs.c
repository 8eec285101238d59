#include "inventory/resyncs.h"
#include "inventory/sqlite.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define STATUS_OK 200

static const char schema[] =
    "CREATE TABLE resync ("
    " mac TEXT NOT NULL CHECK (length(mac) = 12),"
    " listener TEXT NOT NULL,"
    " ca TEXT NOT NULL,"
    " status INTEGER NOT NULL,"	  /* of the last answer */
    " first_at INTEGER NOT NULL," /* seconds since 1970, UTC */
    " last_at INTEGER NOT NULL,"
    " profile_at INTEGER NOT NULL," /* 0: never */
    " answers INTEGER NOT NULL,"
    " profiles INTEGER NOT NULL,"
    " PRIMARY KEY (mac, listener)"
    ") STRICT, WITHOUT ROWID";

static const char *const migrations[] = { schema };

static const struct sqlite_kind kind = {
	.name = "record of resyncs",
	.update = "the next start of the server",
	.application_id = 0x53505252, /* "SPRR" */
	.synchronous = "NORMAL",
	.migrations = migrations,
	.migration_count = 1,
};

static const char put_sql[] =
    "INSERT INTO resync VALUES"
    " (?1, ?2, ?3, ?4, ?5, ?5, iif(?6, ?5, 0), 1, ?6)"
    " ON CONFLICT DO UPDATE SET ca = excluded.ca, status = excluded.status,"
    " last_at = excluded.last_at,"
    " profile_at = iif(?6, excluded.last_at, profile_at),"
    " answers = answers + 1, profiles = profiles + ?6";
static const char each_sql[] =
    "SELECT listener, ca, status, first_at,"
    " last_at, profile_at, answers, profiles FROM resync WHERE mac = ?1"
    " ORDER BY listener";
static const char all_sql[] =
    "SELECT listener, ca, status, first_at,"
    " last_at, profile_at, answers, profiles, mac FROM resync"
    " WHERE last_at >= ?1 ORDER BY mac, listener";
static const char count_sql[] =
    "SELECT count(*) FROM resync"
    " WHERE listener = ?1 AND profile_at >= max(?2, 1)";

struct resyncs {
	struct sqlite_file file;
	sqlite3_stmt *put, *each, *all, *count; /* prepared when first used */
};

struct resyncs *
resyncs_open(const char *path, bool read_only, struct error *err)
{
	struct resyncs *resyncs = xcalloc(1, sizeof(*resyncs));

	if (sqlite_file_open(&resyncs->file, &kind, path, read_only, err) == 0)
		return resyncs;
	free(resyncs);
	return NULL;
}

void
resyncs_close(struct resyncs *resyncs)
{
	if (resyncs == NULL)
		return;
	(void)sqlite3_finalize(resyncs->put);
	(void)sqlite3_finalize(resyncs->each);
	(void)sqlite3_finalize(resyncs->all);
	(void)sqlite3_finalize(resyncs->count);
	sqlite_file_close(&resyncs->file);
	free(resyncs);
}

static int
prepare(struct resyncs *resyncs, sqlite3_stmt **stmt, const char *sql,
    struct error *err)
{
	if (*stmt != NULL ||
	    sqlite3_prepare_v3(resyncs->file.db, sql, -1,
		SQLITE_PREPARE_PERSISTENT, stmt, NULL) == SQLITE_OK)
		return 0;
	return sqlite_file_error(&resyncs->file, "cannot read it", err);
}

static void
bind_text(sqlite3_stmt *stmt, int index, const char *text)
{
	(void)sqlite3_bind_text(stmt, index, text, -1, SQLITE_STATIC);
}

static void
reset(sqlite3_stmt *stmt)
{
	(void)sqlite3_reset(stmt);
	(void)sqlite3_clear_bindings(stmt);
}

static int
put_one(struct resyncs *resyncs, const struct resync *resync, struct error *err)
{
	char mac[MAC_TEXT_BYTES];
	int rc = 0;

	mac_format(&resync->mac, mac);
	bind_text(resyncs->put, 1, mac);
	bind_text(resyncs->put, 2, resync->listener);
	bind_text(resyncs->put, 3, resync->ca);
	(void)sqlite3_bind_int(resyncs->put, 4, resync->status);
	(void)sqlite3_bind_int64(resyncs->put, 5, resync->at);
	(void)sqlite3_bind_int(resyncs->put, 6, resync->status == STATUS_OK);
	if (sqlite3_step(resyncs->put) != SQLITE_DONE)
		rc = sqlite_file_error(&resyncs->file, "cannot write it", err);
	reset(resyncs->put);
	return rc;
}

int
resyncs_put(struct resyncs *resyncs, const struct resync *list, size_t count,
    struct error *err)
{
	int rc;

	if (prepare(resyncs, &resyncs->put, put_sql, err) != 0 ||
	    sqlite_file_exec(&resyncs->file, "BEGIN IMMEDIATE", err) != 0)
		return -1;
	rc = 0;
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = put_one(resyncs, &list[i], err);
	if (rc == 0)
		rc = sqlite_file_exec(&resyncs->file, "COMMIT", err);
	if (rc != 0)
		(void)sqlite3_exec(resyncs->file.db, "ROLLBACK", NULL, NULL,
		    NULL);
	return rc;
}

static int
copy_name(sqlite3_stmt *stmt, int column, char name[static RESYNC_NAME_MAX + 1])
{
	const unsigned char *text = sqlite3_column_text(stmt, column);
	size_t len = text != NULL ? strlen((const char *)text) : 0;

	if (len > RESYNC_NAME_MAX)
		return -1;
	memcpy(name, text != NULL ? (const char *)text : "", len + 1);
	return 0;
}

static int
read_summary(const struct resyncs *resyncs, sqlite3_stmt *stmt,
    struct resync_summary *summary, struct error *err)
{

	if (copy_name(stmt, 0, summary->last.listener) != 0 ||
	    copy_name(stmt, 1, summary->last.ca) != 0)
		return error_set(err, ERROR_SYSTEM,
		    "%s: it is damaged: a name is too long; stop the server "
		    "and remove it",
		    resyncs->file.path);
	summary->last.status = sqlite3_column_int(stmt, 2);
	summary->first_at = sqlite3_column_int64(stmt, 3);
	summary->last.at = sqlite3_column_int64(stmt, 4);
	summary->profile_at = sqlite3_column_int64(stmt, 5);
	summary->answers = (uint64_t)sqlite3_column_int64(stmt, 6);
	summary->profiles = (uint64_t)sqlite3_column_int64(stmt, 7);
	return 0;
}

int
resyncs_each(struct resyncs *resyncs, const struct mac *mac,
    resyncs_visit *visit, void *arg, struct error *err)
{
	struct resync_summary summary = { .last.mac = *mac };
	char text[MAC_TEXT_BYTES];
	int row = SQLITE_DONE, rc;

	if (prepare(resyncs, &resyncs->each, each_sql, err) != 0)
		return -1;
	mac_format(mac, text);
	bind_text(resyncs->each, 1, text);
	rc = 0;
	while (rc == 0 && (row = sqlite3_step(resyncs->each)) == SQLITE_ROW) {
		rc = read_summary(resyncs, resyncs->each, &summary, err);
		if (rc == 0)
			rc = visit(&summary, arg);
	}
	if (rc == 0 && row != SQLITE_DONE)
		rc = sqlite_file_error(&resyncs->file, "cannot read it", err);
	reset(resyncs->each);
	return rc;
}

static int
read_mac(const struct resyncs *resyncs, struct mac *mac, struct error *err)
{
	const unsigned char *text = sqlite3_column_text(resyncs->all, 8);

	if (text != NULL &&
	    mac_read(mac, (const char *)text, strlen((const char *)text)))
		return 0;
	return error_set(err, ERROR_SYSTEM,
	    "%s: it is damaged: an address is none; stop the server and remove "
	    "it",
	    resyncs->file.path);
}

int
resyncs_each_since(struct resyncs *resyncs, time_t since, resyncs_visit *visit,
    void *arg, struct error *err)
{
	struct resync_summary summary = { 0 };
	int row = SQLITE_DONE, rc;

	if (prepare(resyncs, &resyncs->all, all_sql, err) != 0)
		return -1;
	(void)sqlite3_bind_int64(resyncs->all, 1, since);
	rc = 0;
	while (rc == 0 && (row = sqlite3_step(resyncs->all)) == SQLITE_ROW) {
		rc = read_mac(resyncs, &summary.last.mac, err);
		if (rc == 0)
			rc = read_summary(resyncs, resyncs->all, &summary, err);
		if (rc == 0)
			rc = visit(&summary, arg);
	}
	if (rc == 0 && row != SQLITE_DONE)
		rc = sqlite_file_error(&resyncs->file, "cannot read it", err);
	reset(resyncs->all);
	return rc;
}

int
resyncs_count(struct resyncs *resyncs, const char *listener, time_t since,
    size_t *count, struct error *err)
{
	int rc = 0;

	if (prepare(resyncs, &resyncs->count, count_sql, err) != 0)
		return -1;
	bind_text(resyncs->count, 1, listener);
	(void)sqlite3_bind_int64(resyncs->count, 2, since);
	if (sqlite3_step(resyncs->count) == SQLITE_ROW)
		*count = (size_t)sqlite3_column_int64(resyncs->count, 0);
	else
		rc = sqlite_file_error(&resyncs->file, "cannot read it", err);
	reset(resyncs->count);
	return rc;
}
