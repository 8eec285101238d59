#include "inventory/audit.h"
#include "inventory/sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#define LOCK_WAIT_MS 5000
#define HASH_TEXT_BYTES (2 * AUDIT_HASH_BYTES + 1)
/* One spelling for one object. */
#define CANONICAL (JSON_SORT_KEYS | JSON_COMPACT | JSON_ENSURE_ASCII)

static const char schema[] =
    "CREATE TABLE entry ("
    " id INTEGER PRIMARY KEY,"
    " text TEXT NOT NULL,"
    " hash BLOB NOT NULL CHECK (length(hash) = 32)" /* SHA-256 of text */
    ") STRICT;";

static const char *const migrations[] = { schema };

static const struct sqlite_kind kind = {
	.name = "audit log",
	.update = "the next change",
	.application_id = 0x53505255, /* "SPRU" */
	.synchronous = "FULL",
	.migrations = migrations,
	.migration_count = 1,
	.lock_wait_ms = LOCK_WAIT_MS,
};

struct audit {
	struct sqlite_file file;
};

static const char *const by_names[] = {
	[AUDIT_COMMAND] = "command",
	[AUDIT_ACCOUNT] = "account",
	[AUDIT_TOKEN] = "token",
	[AUDIT_NOBODY] = "nobody",
};

char *
audit_path(const char *inventory_uri, const char *folder)
{
	static const char sqlite[] = "sqlite:";
	char *own, *path;

	if (!text_starts(inventory_uri, sqlite))
		return folder != NULL ? file_join(folder, AUDIT_FILE) : NULL;
	own = file_directory(inventory_uri + strlen(sqlite));
	path = file_join(own, AUDIT_FILE);
	free(own);
	return path;
}

struct audit *
audit_open(const char *path, bool read_only, struct error *err)
{
	struct audit *audit = xcalloc(1, sizeof(*audit));

	if (sqlite_file_open(&audit->file, &kind, path, read_only, err) == 0)
		return audit;
	free(audit);
	return NULL;
}

void
audit_close(struct audit *audit)
{
	if (audit == NULL)
		return;
	sqlite_file_close(&audit->file);
	free(audit);
}

static sqlite3_stmt *
prepare(struct audit *audit, const char *sql, struct error *err)
{
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(audit->file.db, sql, -1, &stmt, NULL) ==
	    SQLITE_OK)
		return stmt;
	(void)sqlite_file_error(&audit->file, "cannot use it", err);
	return NULL;
}

static void
make_hash(const char *text, size_t len, uint8_t hash[AUDIT_HASH_BYTES])
{
	if (EVP_Digest(text, len, hash, NULL, EVP_sha256(), NULL) != 1)
		abort(); /* SHA-256 over memory does not fail */
}

/* -------------------------------------------------------------------- add */

/* Zeros and 0 when there is none yet. */
static int
find_last(struct audit *audit, int64_t *id, uint8_t hash[AUDIT_HASH_BYTES],
    struct error *err)
{
	sqlite3_stmt *stmt = prepare(audit,
	    "SELECT id, hash FROM entry ORDER BY id DESC LIMIT 1", err);
	int row, rc = 0;

	*id = 0;
	memset(hash, 0, AUDIT_HASH_BYTES);
	if (stmt == NULL)
		return -1;
	row = sqlite3_step(stmt);
	if (row == SQLITE_ROW) {
		*id = sqlite3_column_int64(stmt, 0);
		memcpy(hash, sqlite3_column_blob(stmt, 1), AUDIT_HASH_BYTES);
	} else if (row != SQLITE_DONE) {
		rc = sqlite_file_error(&audit->file, "cannot read it", err);
	}
	(void)sqlite3_finalize(stmt);
	return rc;
}

/* detail is taken; NULL: something is no UTF-8, or it is too long. */
static char *
make_text(const struct audit_act *act, time_t at, json_t *detail, int64_t id,
    const uint8_t previous[AUDIT_HASH_BYTES])
{
	char when[CLOCK_TEXT_BYTES], hex[HASH_TEXT_BYTES], *text = NULL;
	json_t *json;

	clock_format(at, when);
	text_hex(previous, AUDIT_HASH_BYTES, hex);
	json = json_pack("{sI ss ss ss ss ss? ss? ss ss? ss so*}", "id",
	    (json_int_t)id, "at", when, "previous", hex, "by",
	    by_names[act->by], "who", act->who, "from", act->from, "tenant",
	    act->tenant, "action", act->action, "object", act->object, "result",
	    act->refused ? "refused" : "done", "detail", detail);
	if (json != NULL)
		text = json_dumps(json, CANONICAL);
	json_decref(json);
	if (text != NULL && strlen(text) <= AUDIT_TEXT_MAX)
		return text;
	free(text);
	return NULL;
}

static int
insert(struct audit *audit, int64_t id, const char *text,
    const uint8_t hash[AUDIT_HASH_BYTES], struct error *err)
{
	sqlite3_stmt *stmt = prepare(audit,
	    "INSERT INTO entry VALUES (?1, ?2, ?3)", err);
	int rc = 0;

	if (stmt == NULL)
		return -1;
	(void)sqlite3_bind_int64(stmt, 1, id);
	(void)sqlite3_bind_text(stmt, 2, text, -1, SQLITE_STATIC);
	(void)sqlite3_bind_blob(stmt, 3, hash, AUDIT_HASH_BYTES, SQLITE_STATIC);
	if (sqlite3_step(stmt) != SQLITE_DONE)
		rc = sqlite_file_error(&audit->file, "cannot write it", err);
	(void)sqlite3_finalize(stmt);
	return rc;
}

int
audit_add(struct audit *audit, const struct audit_act *act, time_t at,
    json_t *detail, uint8_t hash[AUDIT_HASH_BYTES], struct error *err)
{
	uint8_t last[AUDIT_HASH_BYTES], own[AUDIT_HASH_BYTES];
	char *text;
	int64_t id;
	int rc;

	/* Nobody else adds meanwhile: the lock is ours. */
	if (find_last(audit, &id, last, err) != 0) {
		json_decref(detail);
		return -1;
	}
	text = make_text(act, at, detail, id + 1, last);
	if (text == NULL)
		return error_set(err, ERROR_INPUT,
		    "%s: an entry about \"%.40s\" is too long, or no UTF-8",
		    audit->file.path, act->action);
	make_hash(text, strlen(text), own);
	rc = insert(audit, id + 1, text, own, err);
	free(text);
	if (rc == 0 && hash != NULL)
		memcpy(hash, own, sizeof(own));
	return rc;
}

int
audit_add_to(const char *path, const struct audit_act *act, time_t at,
    json_t *detail, uint8_t hash[AUDIT_HASH_BYTES], struct error *err)
{
	struct audit *audit = audit_open(path, false, err);
	int rc;

	if (audit == NULL) {
		json_decref(detail);
		return -1;
	}
	rc = audit_add(audit, act, at, detail, hash, err);
	audit_close(audit);
	return rc;
}

/* ------------------------------------------------------------------- note */

struct audit_note {
	struct audit_act act;
	char *path, *who, *from, *tenant, *action, *object;
	time_t at;
};

static char *
copy(const char *text)
{
	return text != NULL ? xstrdup(text) : NULL;
}

struct audit_note *
audit_note_new(const char *path, const struct audit_act *act, time_t at)
{
	struct audit_note *note = xcalloc(1, sizeof(*note));

	*note = (struct audit_note) { .act = *act,
		.path = xstrdup(path),
		.who = xstrdup(act->who),
		.from = copy(act->from),
		.tenant = copy(act->tenant),
		.action = xstrdup(act->action),
		.object = copy(act->object),
		.at = at };
	note->act.who = note->who;
	note->act.from = note->from;
	note->act.tenant = note->tenant;
	note->act.action = note->action;
	note->act.object = note->object;
	return note;
}

void
audit_note_free(struct audit_note *note)
{
	if (note == NULL)
		return;
	free(note->path);
	free(note->who);
	free(note->from);
	free(note->tenant);
	free(note->action);
	free(note->object);
	free(note);
}

int
audit_note_add(const struct audit_note *note, const char *object, bool refused,
    json_t *detail, uint8_t hash[AUDIT_HASH_BYTES], struct error *err)
{
	struct audit_act act = note->act;

	if (act.object == NULL)
		act.object = object;
	act.refused = refused;
	return audit_add_to(note->path, &act, note->at, detail, hash, err);
}

/* ------------------------------------------------------------------- read */

/* The object of a row with its hash; NULL: it is none. */
static json_t *
read_entry(sqlite3_stmt *stmt)
{
	const char *text = (const char *)sqlite3_column_text(stmt, 1);
	const void *hash = sqlite3_column_blob(stmt, 2);
	char hex[HASH_TEXT_BYTES];
	json_t *entry;

	entry = json_loads(text != NULL ? text : "", JSON_REJECT_DUPLICATES,
	    NULL);
	if (!json_is_object(entry) ||
	    sqlite3_column_bytes(stmt, 2) != AUDIT_HASH_BYTES) {
		json_decref(entry);
		return NULL;
	}
	text_hex(hash, AUDIT_HASH_BYTES, hex);
	(void)json_object_set_new(entry, "hash", json_string(hex));
	return entry;
}

static int
visit_row(struct audit *audit, sqlite3_stmt *stmt, audit_visit *visit,
    void *arg, struct error *err)
{
	int64_t id = sqlite3_column_int64(stmt, 0);
	json_t *entry = read_entry(stmt);
	int rc;

	if (entry == NULL)
		return error_set(err, ERROR_SYSTEM,
		    "%s: entry %lld is none: see sprov audit verify",
		    audit->file.path, (long long)id);
	rc = visit(id, entry, arg);
	json_decref(entry);
	return rc;
}

int
audit_each(struct audit *audit, int64_t after, int64_t before,
    bool newest_first, audit_visit *visit, void *arg, struct error *err)
{
	sqlite3_stmt *stmt = prepare(audit,
	    newest_first ? "SELECT id, text, hash FROM entry WHERE id > ?1"
			   " AND id < ?2 ORDER BY id DESC" :
			   "SELECT id, text, hash FROM entry WHERE id > ?1"
			   " AND id < ?2 ORDER BY id",
	    err);
	int row = SQLITE_DONE, rc = 0;

	if (stmt == NULL)
		return -1;
	(void)sqlite3_bind_int64(stmt, 1, after);
	(void)sqlite3_bind_int64(stmt, 2, before != 0 ? before : INT64_MAX);
	while (rc == 0 && (row = sqlite3_step(stmt)) == SQLITE_ROW)
		rc = visit_row(audit, stmt, visit, arg, err);
	if (rc == 0 && row != SQLITE_DONE)
		rc = sqlite_file_error(&audit->file, "cannot read it", err);
	(void)sqlite3_finalize(stmt);
	return rc;
}

/* ----------------------------------------------------------------- verify */

/* Is the text what audit_add() would have written?  NULL, or what is wrong. */
static const char *
text_fault(const char *text, int64_t id,
    const uint8_t previous[AUDIT_HASH_BYTES])
{
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	char *again = json != NULL ? json_dumps(json, CANONICAL) : NULL;
	const char *before = json_string_value(json_object_get(json,
		       "previous")),
		   *fault = NULL;
	char hex[HASH_TEXT_BYTES];

	text_hex(previous, AUDIT_HASH_BYTES, hex);
	if (again == NULL || strcmp(again, text) != 0)
		fault = "its text is not what was written";
	else if (json_integer_value(json_object_get(json, "id")) != id)
		fault = "its text has another number";
	else if (before == NULL || strcmp(before, hex) != 0)
		fault = "it does not follow the one before: that was altered, "
			"or this one";
	free(again);
	json_decref(json);
	return fault;
}

static const char *
row_fault(sqlite3_stmt *stmt, struct audit_verdict *verdict)
{
	const char *text = (const char *)sqlite3_column_text(stmt, 1);
	const void *kept = sqlite3_column_blob(stmt, 2);
	int64_t id = sqlite3_column_int64(stmt, 0);
	uint8_t hash[AUDIT_HASH_BYTES];
	const char *fault;

	if (id != verdict->entries + 1)
		return "it is missing";
	if (text == NULL || kept == NULL ||
	    sqlite3_column_bytes(stmt, 2) != AUDIT_HASH_BYTES)
		return "it is empty";
	if (strlen(text) != (size_t)sqlite3_column_bytes(stmt, 1))
		return "its text holds a NUL byte";
	make_hash(text, strlen(text), hash);
	if (memcmp(hash, kept, sizeof(hash)) != 0)
		return "it was altered: its hash is another one";
	fault = text_fault(text, id, verdict->head);
	if (fault != NULL)
		return fault;
	memcpy(verdict->head, hash, sizeof(hash));
	verdict->entries = id;
	return NULL;
}

int
audit_verify(struct audit *audit, const uint8_t known[AUDIT_HASH_BYTES],
    struct audit_verdict *verdict, struct error *err)
{
	sqlite3_stmt *stmt = prepare(audit,
	    "SELECT id, text, hash FROM entry ORDER BY id", err);
	const char *fault = NULL;
	int row = SQLITE_DONE, rc = 0;

	*verdict = (struct audit_verdict) { .entries = 0 };
	if (stmt == NULL)
		return -1;
	while (fault == NULL && (row = sqlite3_step(stmt)) == SQLITE_ROW) {
		fault = row_fault(stmt, verdict);
		if (fault == NULL && known != NULL &&
		    memcmp(known, verdict->head, AUDIT_HASH_BYTES) == 0)
			verdict->known_found = true;
	}
	if (fault != NULL)
		(void)snprintf(verdict->fault, sizeof(verdict->fault), "%s",
		    fault);
	else if (row != SQLITE_DONE)
		rc = sqlite_file_error(&audit->file, "cannot read it", err);
	(void)sqlite3_finalize(stmt);
	return rc;
}
