#include "inventory/events.h"
#include "inventory/events_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* How many events are put between two looks at what is to be forgotten. */
#define FORGET_EVERY 4096
#define DAY 86400

/* Times are seconds since 1970, UTC.  A class is a number of 64 bits, kept as
 * SQLite's signed one. */
static const char events_schema[] =
    "CREATE TABLE event ("
    " id INTEGER PRIMARY KEY,"
    " at INTEGER NOT NULL,"
    " us INTEGER NOT NULL,"
    " kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 4),"
    " listener TEXT NOT NULL,"
    " ca TEXT NOT NULL,"
    " source TEXT NOT NULL,"
    " class INTEGER NOT NULL,"
    " sslv2 INTEGER NOT NULL,"
    " offered_min INTEGER NOT NULL,"
    " offered_max INTEGER NOT NULL,"
    " cipher_count INTEGER NOT NULL,"
    " ciphers BLOB," /* two bytes each, big-endian */
    " sni TEXT NOT NULL,"
    " tls_version INTEGER NOT NULL,"
    " tls_cipher TEXT NOT NULL,"
    " alert_sent INTEGER NOT NULL,"
    " alert_received INTEGER NOT NULL,"
    " certificate BLOB," /* SHA-256; NULL: none was shown */
    " mac TEXT CHECK (mac IS NULL OR length(mac) = 12),"
    " form TEXT NOT NULL,"
    " product TEXT NOT NULL,"
    " serial TEXT NOT NULL,"
    " firmware TEXT NOT NULL,"
    " issuer TEXT NOT NULL,"
    " anchor TEXT NOT NULL,"
    " verify TEXT NOT NULL,"
    " not_before INTEGER NOT NULL,"
    " not_after INTEGER NOT NULL,"
    " method TEXT NOT NULL,"
    " path TEXT NOT NULL,"
    " agent TEXT NOT NULL,"
    " status INTEGER NOT NULL,"
    " reason TEXT NOT NULL,"
    " bytes INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX event_mac ON event (mac) WHERE mac IS NOT NULL;"
    "CREATE INDEX event_source ON event (source);";

static const char learned_schema[] =
    /* Certificates that were shown. */
    "CREATE TABLE certificate ("
    " sha256 BLOB NOT NULL PRIMARY KEY CHECK (length(sha256) = 32),"
    " mac TEXT CHECK (mac IS NULL OR length(mac) = 12),"
    " product TEXT NOT NULL,"
    " serial TEXT NOT NULL,"
    " issuer TEXT NOT NULL,"
    " anchor TEXT NOT NULL,"
    " verify TEXT NOT NULL,"
    " not_before INTEGER NOT NULL,"
    " not_after INTEGER NOT NULL,"
    " first_at INTEGER NOT NULL,"
    " last_at INTEGER NOT NULL,"
    " source TEXT NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX certificate_not_after ON certificate (not_after);"
    /* Which products speak with which ClientHello, and which device came from
     * which address: only of proven identities. */
    "CREATE TABLE class ("
    " class INTEGER NOT NULL,"
    " product TEXT NOT NULL,"
    " firmware TEXT NOT NULL,"
    " count INTEGER NOT NULL,"
    " last_at INTEGER NOT NULL,"
    " PRIMARY KEY (class, product, firmware)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE source ("
    " source TEXT NOT NULL,"
    " mac TEXT NOT NULL CHECK (length(mac) = 12),"
    " class INTEGER NOT NULL,"
    " product TEXT NOT NULL,"
    " last_at INTEGER NOT NULL,"
    " PRIMARY KEY (source, mac)"
    ") STRICT, WITHOUT ROWID;";

static const char choice_schema[] =
    "ALTER TABLE event ADD COLUMN choice TEXT NOT NULL DEFAULT ''";

static const char sent_schema[] = "ALTER TABLE event ADD COLUMN sent BLOB";

static const char *const migrations[] = { events_schema, learned_schema,
	choice_schema, sent_schema };

static const struct sqlite_kind kind = {
	.name = "record of events",
	.update = "the next start of the server",
	.application_id = 0x53505245, /* "SPRE" */
	.synchronous = "NORMAL",
	.migrations = migrations,
	.migration_count = sizeof(migrations) / sizeof(*migrations),
};

static const char put_sql[] =
    "INSERT INTO event VALUES (NULL, "
    "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
    "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/* The oldest go first: either they are past their time, or there are newer
 * ones than may be kept. */
static const char forget_sql[] =
    "DELETE FROM event WHERE id <= ("
    " SELECT max(coalesce((SELECT max(id) FROM event) - ?1, 0),"
    "  coalesce((SELECT max(id) FROM event WHERE at < ?2"
    "   AND id <= (SELECT min(id) FROM event) + ?3), 0)))"
    " AND id <= (SELECT min(id) FROM event) + ?3";

const char *
event_kind_name(enum event_kind event_kind)
{
	static const char *const names[EVENT_KINDS] = {
		[EVENT_SERVED] = "served",
		[EVENT_REFUSED] = "refused",
		[EVENT_INVALID] = "invalid",
		[EVENT_NO_REQUEST] = "no-request",
		[EVENT_HANDSHAKE] = "handshake",
	};

	return names[event_kind];
}

struct events *
events_open(const char *path, bool read_only, struct error *err)
{
	struct events *events = xcalloc(1, sizeof(*events));

	if (sqlite_file_open(&events->file, &kind, path, read_only, err) != 0) {
		free(events);
		return NULL;
	}
	if (!read_only)
		events->lately = xcalloc(EVENTS_LATELY,
		    sizeof(*events->lately));
	return events;
}

void
events_close(struct events *events)
{
	if (events == NULL)
		return;
	for (size_t i = 0; i < EVENTS_STATEMENTS; i++)
		(void)sqlite3_finalize(events->statement[i]);
	sqlite_file_close(&events->file);
	free(events->lately);
	free(events);
}

/* -------------------------------------------------------------- statements */

sqlite3_stmt *
events_statement(struct events *events, enum events_statement which,
    const char *sql, struct error *err)
{
	sqlite3_stmt **stmt = &events->statement[which];

	if (*stmt == NULL &&
	    sqlite3_prepare_v3(events->file.db, sql, -1,
		SQLITE_PREPARE_PERSISTENT, stmt, NULL) != SQLITE_OK) {
		(void)sqlite_file_error(&events->file, "cannot use it", err);
		return NULL;
	}
	return *stmt;
}

int
events_run(struct events *events, sqlite3_stmt *stmt, struct error *err)
{
	int rc = 0;

	if (sqlite3_step(stmt) != SQLITE_DONE)
		rc = sqlite_file_error(&events->file, "cannot write it", err);
	(void)sqlite3_reset(stmt);
	(void)sqlite3_clear_bindings(stmt);
	return rc;
}

void
events_bind_text(sqlite3_stmt *stmt, int index, const char *text)
{
	(void)sqlite3_bind_text(stmt, index, text, -1, SQLITE_TRANSIENT);
}

void
events_bind_mac(sqlite3_stmt *stmt, int index, bool has, const struct mac *mac)
{
	char text[MAC_TEXT_BYTES];

	if (!has)
		return; /* NULL */
	mac_format(mac, text);
	events_bind_text(stmt, index, text);
}

/* ----------------------------------------------------------------- writing */

static void
bind_hello(sqlite3_stmt *stmt, int index, const struct event *event)
{
	uint8_t packed[2 * EVENT_CIPHERS_MAX];
	size_t kept = event->cipher_count < EVENT_CIPHERS_MAX ?
	    event->cipher_count :
	    EVENT_CIPHERS_MAX;

	for (size_t i = 0; i < kept; i++) {
		packed[2 * i] = (uint8_t)(event->cipher[i] >> 8);
		packed[2 * i + 1] = (uint8_t)event->cipher[i];
	}
	(void)sqlite3_bind_int64(stmt, index, (int64_t)event->class);
	(void)sqlite3_bind_int(stmt, index + 1, event->sslv2);
	(void)sqlite3_bind_int(stmt, index + 2, event->offered_min);
	(void)sqlite3_bind_int(stmt, index + 3, event->offered_max);
	(void)sqlite3_bind_int(stmt, index + 4, event->cipher_count);
	if (kept > 0)
		(void)sqlite3_bind_blob(stmt, index + 5, packed,
		    (int)(2 * kept), SQLITE_TRANSIENT);
	events_bind_text(stmt, index + 6, event->sni);
}

static void
bind_peer(sqlite3_stmt *stmt, int index, const struct event *event)
{
	if (event->has_certificate)
		(void)sqlite3_bind_blob(stmt, index, event->certificate,
		    sizeof(event->certificate), SQLITE_TRANSIENT);
	events_bind_mac(stmt, index + 1, event->has_mac, &event->mac);
	events_bind_text(stmt, index + 2, event->form);
	events_bind_text(stmt, index + 3, event->product);
	events_bind_text(stmt, index + 4, event->serial);
	events_bind_text(stmt, index + 5, event->firmware);
	events_bind_text(stmt, index + 6, event->issuer);
	events_bind_text(stmt, index + 7, event->anchor);
	events_bind_text(stmt, index + 8, event->verify);
	(void)sqlite3_bind_int64(stmt, index + 9, event->not_before);
	(void)sqlite3_bind_int64(stmt, index + 10, event->not_after);
}

static int
put_one(struct events *events, const struct event *event, struct error *err)
{
	sqlite3_stmt *stmt = events_statement(events, EVENTS_PUT, put_sql, err);

	if (stmt == NULL)
		return -1;
	(void)sqlite3_bind_int64(stmt, 1, event->at);
	(void)sqlite3_bind_int64(stmt, 2, event->us);
	(void)sqlite3_bind_int(stmt, 3, (int)event->kind);
	events_bind_text(stmt, 4, event->listener);
	events_bind_text(stmt, 5, event->ca);
	events_bind_text(stmt, 6, event->source);
	bind_hello(stmt, 7, event);
	(void)sqlite3_bind_int(stmt, 14, event->tls_version);
	events_bind_text(stmt, 15, event->tls_cipher);
	(void)sqlite3_bind_int(stmt, 16, event->alert_sent);
	(void)sqlite3_bind_int(stmt, 17, event->alert_received);
	bind_peer(stmt, 18, event);
	events_bind_text(stmt, 29, event->method);
	events_bind_text(stmt, 30, event->path);
	events_bind_text(stmt, 31, event->agent);
	(void)sqlite3_bind_int(stmt, 32, event->status);
	events_bind_text(stmt, 33, event->reason);
	(void)sqlite3_bind_int64(stmt, 34, (int64_t)event->bytes);
	events_bind_text(stmt, 35, event->choice);
	if (event->has_sent)
		(void)sqlite3_bind_blob(stmt, 36, event->sent,
		    sizeof(event->sent), SQLITE_TRANSIENT);
	return events_run(events, stmt, err);
}

/* No more at a time than were put since: a transaction stays short. */
static int
forget(struct events *events, const struct events_limits *limits, time_t now,
    struct error *err)
{
	sqlite3_stmt *stmt;

	if (events->puts < FORGET_EVERY)
		return 0;
	stmt = events_statement(events, EVENTS_FORGET, forget_sql, err);
	if (stmt == NULL)
		return -1;
	(void)sqlite3_bind_int64(stmt, 1, (int64_t)limits->count);
	(void)sqlite3_bind_int64(stmt, 2, now - (time_t)limits->days * DAY);
	(void)sqlite3_bind_int64(stmt, 3, 2 * FORGET_EVERY);
	events->puts = 0;
	return events_run(events, stmt, err);
}

int
events_put(struct events *events, const struct event *list, size_t count,
    const struct events_limits *limits, struct error *err)
{
	int rc;

	if (count == 0)
		return 0;
	rc = sqlite_file_exec(&events->file, "BEGIN IMMEDIATE", err);
	if (rc != 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = put_one(events, &list[i], err);
		if (rc == 0)
			rc = events_learn(events, &list[i], err);
	}
	events->puts += count;
	if (rc == 0)
		rc = forget(events, limits, list[count - 1].at, err);
	if (rc == 0)
		rc = sqlite_file_exec(&events->file, "COMMIT", err);
	if (rc != 0) {
		(void)sqlite3_exec(events->file.db, "ROLLBACK", NULL, NULL,
		    NULL);
		/* What was learned is not written after all. */
		memset(events->lately, 0,
		    EVENTS_LATELY * sizeof(*events->lately));
	}
	return rc;
}
