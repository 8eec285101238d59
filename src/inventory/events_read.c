/*
 * Looking events up, and what was learned from them.
 */
#include "inventory/events_parts.h"

#include <stdio.h>
#include <string.h>

/* A text column into an array; what is longer is cut. */
static void
copy_text(sqlite3_stmt *stmt, int column, char *text, size_t size)
{
	const char *from = (const char *)sqlite3_column_text(stmt, column);
	size_t len = from != NULL ? strnlen(from, size - 1) : 0;

	if (len > 0)
		memcpy(text, from, len);
	text[len] = '\0';
}

#define MAC_COLUMN 19
#define COPY_TEXT(stmt, column, array) \
	copy_text(stmt, column, array, sizeof(array))

static bool
copy_mac(sqlite3_stmt *stmt, int column, struct mac *mac)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);
	struct error ignored;

	return text != NULL &&
	    mac_parse(mac, (const char *)text, &ignored) == 0;
}

static bool
copy_hash(sqlite3_stmt *stmt, int column, uint8_t hash[static 32])
{
	const void *blob = sqlite3_column_blob(stmt, column);

	if (blob == NULL || sqlite3_column_bytes(stmt, column) != 32)
		return false;
	memcpy(hash, blob, 32);
	return true;
}

static void
read_ciphers(sqlite3_stmt *stmt, int column, struct event *event)
{
	const uint8_t *packed = sqlite3_column_blob(stmt, column);
	size_t len = packed != NULL ?
	    (size_t)sqlite3_column_bytes(stmt, column) :
	    0;

	for (size_t i = 0; i < EVENT_CIPHERS_MAX && 2 * i + 1 < len; i++)
		event->cipher[i] = (uint16_t)(packed[2 * i] << 8 |
		    packed[2 * i + 1]);
}

static void
read_event(sqlite3_stmt *stmt, struct event *event)
{
	*event = (struct event) { .id = sqlite3_column_int64(stmt, 0) };
	event->at = sqlite3_column_int64(stmt, 1);
	event->us = (uint32_t)sqlite3_column_int64(stmt, 2);
	event->kind = (enum event_kind)sqlite3_column_int(stmt, 3);
	COPY_TEXT(stmt, 4, event->listener);
	COPY_TEXT(stmt, 5, event->ca);
	COPY_TEXT(stmt, 6, event->source);
	event->class = (uint64_t)sqlite3_column_int64(stmt, 7);
	event->sslv2 = sqlite3_column_int(stmt, 8) != 0;
	event->offered_min = (uint16_t)sqlite3_column_int(stmt, 9);
	event->offered_max = (uint16_t)sqlite3_column_int(stmt, 10);
	event->cipher_count = (uint16_t)sqlite3_column_int(stmt, 11);
	read_ciphers(stmt, 12, event);
	COPY_TEXT(stmt, 13, event->sni);
	event->tls_version = (uint16_t)sqlite3_column_int(stmt, 14);
	COPY_TEXT(stmt, 15, event->tls_cipher);
	event->alert_sent = sqlite3_column_int(stmt, 16);
	event->alert_received = sqlite3_column_int(stmt, 17);
	event->has_certificate = copy_hash(stmt, 18, event->certificate);
	event->has_mac = copy_mac(stmt, MAC_COLUMN, &event->mac);
	COPY_TEXT(stmt, 20, event->form);
	COPY_TEXT(stmt, 21, event->product);
	COPY_TEXT(stmt, 22, event->serial);
	COPY_TEXT(stmt, 23, event->firmware);
	COPY_TEXT(stmt, 24, event->issuer);
	COPY_TEXT(stmt, 25, event->anchor);
	COPY_TEXT(stmt, 26, event->verify);
	event->not_before = sqlite3_column_int64(stmt, 27);
	event->not_after = sqlite3_column_int64(stmt, 28);
	COPY_TEXT(stmt, 29, event->method);
	COPY_TEXT(stmt, 30, event->path);
	COPY_TEXT(stmt, 31, event->agent);
	event->status = sqlite3_column_int(stmt, 32);
	COPY_TEXT(stmt, 33, event->reason);
	event->bytes = (uint64_t)sqlite3_column_int64(stmt, 34);
	COPY_TEXT(stmt, 35, event->choice);
	event->has_sent = copy_hash(stmt, 36, event->sent);
}

static int
is_wanted(sqlite3_stmt *stmt, const struct events_query *query, void *arg)
{
	struct mac mac;

	if (query->filter == NULL)
		return 1;
	return query->filter(sqlite3_column_int64(stmt, 0),
	    copy_mac(stmt, MAC_COLUMN, &mac) ? &mac : NULL, arg);
}

/* Prepare a statement for one use. */
static sqlite3_stmt *
prepare(struct events *events, const char *sql, struct error *err)
{
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(events->file.db, sql, -1, &stmt, NULL) ==
	    SQLITE_OK)
		return stmt;
	(void)sqlite_file_error(&events->file, "cannot read it", err);
	return NULL;
}

/* What is said after the last row. */
static int
finish(struct events *events, sqlite3_stmt *stmt, int row, int rc,
    struct error *err)
{
	if (rc == 0 && row != SQLITE_DONE)
		rc = sqlite_file_error(&events->file, "cannot read it", err);
	(void)sqlite3_finalize(stmt);
	return rc;
}

static sqlite3_stmt *
prepare_query(struct events *events, const struct events_query *query,
    struct error *err)
{
	char sql[512];
	sqlite3_stmt *stmt;

	/* Only what is asked for, so that the right index is chosen. */
	(void)snprintf(sql, sizeof(sql),
	    "SELECT * FROM event WHERE id > ?1 AND at >= ?2%s%s%s%s%s%s%s"
	    " ORDER BY id%s LIMIT ?8",
	    query->until != 0 ? " AND at <= ?3" : "",
	    query->mac != NULL ? " AND mac = ?4" : "",
	    query->source != NULL ? " AND source = ?5" : "",
	    query->listener != NULL ? " AND listener = ?6" : "",
	    query->kind >= 0 ? " AND kind = ?7" : "",
	    query->failures ? " AND kind <> 0" : "", /* EVENT_SERVED */
	    query->before != 0 ? " AND id < ?9" : "",
	    query->newest_first ? " DESC" : "");
	stmt = prepare(events, sql, err);
	if (stmt == NULL)
		return NULL;
	(void)sqlite3_bind_int64(stmt, 1, query->after);
	(void)sqlite3_bind_int64(stmt, 2, query->since);
	(void)sqlite3_bind_int64(stmt, 3, query->until);
	if (query->mac != NULL)
		events_bind_mac(stmt, 4, true, query->mac);
	events_bind_text(stmt, 5, query->source != NULL ? query->source : "");
	events_bind_text(stmt, 6,
	    query->listener != NULL ? query->listener : "");
	(void)sqlite3_bind_int(stmt, 7, query->kind);
	(void)sqlite3_bind_int64(stmt, 8,
	    query->limit != 0 ? (int64_t)query->limit : -1);
	if (query->before != 0)
		(void)sqlite3_bind_int64(stmt, 9, query->before);
	return stmt;
}

int
events_each(struct events *events, const struct events_query *query,
    events_visit *visit, void *arg, struct error *err)
{
	sqlite3_stmt *stmt = prepare_query(events, query, err);
	struct event event;
	int row = SQLITE_DONE, rc = 0;

	if (stmt == NULL)
		return -1;
	while (rc == 0 && (row = sqlite3_step(stmt)) == SQLITE_ROW) {
		int wanted = is_wanted(stmt, query, arg);

		if (wanted > 0) {
			read_event(stmt, &event);
			rc = visit(&event, arg);
		} else if (wanted < 0) {
			rc = 1;
		}
	}
	return finish(events, stmt, row, rc, err);
}

int
events_each_certificate(struct events *events, events_visit_certificate *visit,
    void *arg, struct error *err)
{
	sqlite3_stmt *stmt = prepare(events,
	    "SELECT * FROM certificate ORDER BY not_after, sha256", err);
	struct event_certificate one;
	int row = SQLITE_DONE, rc = 0;

	if (stmt == NULL)
		return -1;
	while (rc == 0 && (row = sqlite3_step(stmt)) == SQLITE_ROW) {
		one = (struct event_certificate) { 0 };
		(void)copy_hash(stmt, 0, one.sha256);
		one.has_mac = copy_mac(stmt, 1, &one.mac);
		COPY_TEXT(stmt, 2, one.product);
		COPY_TEXT(stmt, 3, one.serial);
		COPY_TEXT(stmt, 4, one.issuer);
		COPY_TEXT(stmt, 5, one.anchor);
		COPY_TEXT(stmt, 6, one.verify);
		one.not_before = sqlite3_column_int64(stmt, 7);
		one.not_after = sqlite3_column_int64(stmt, 8);
		one.first_at = sqlite3_column_int64(stmt, 9);
		one.last_at = sqlite3_column_int64(stmt, 10);
		COPY_TEXT(stmt, 11, one.source);
		rc = visit(&one, arg);
	}
	return finish(events, stmt, row, rc, err);
}

int
events_each_class(struct events *events, uint64_t class,
    events_visit_class *visit, void *arg, struct error *err)
{
	sqlite3_stmt *stmt = prepare(events,
	    class != 0 ?
		"SELECT * FROM class WHERE class = ?1 ORDER BY count DESC" :
		"SELECT * FROM class ORDER BY class, count DESC",
	    err);
	struct event_class one;
	int row = SQLITE_DONE, rc = 0;

	if (stmt == NULL)
		return -1;
	if (class != 0)
		(void)sqlite3_bind_int64(stmt, 1, (int64_t) class);
	while (rc == 0 && (row = sqlite3_step(stmt)) == SQLITE_ROW) {
		one = (struct event_class) {
			.class = (uint64_t)sqlite3_column_int64(stmt, 0)
		};
		COPY_TEXT(stmt, 1, one.product);
		COPY_TEXT(stmt, 2, one.firmware);
		one.count = (uint64_t)sqlite3_column_int64(stmt, 3);
		one.last_at = sqlite3_column_int64(stmt, 4);
		rc = visit(&one, arg);
	}
	return finish(events, stmt, row, rc, err);
}

int
events_at_source(struct events *events, const char *source,
    struct event_source *list, size_t max, struct error *err)
{
	sqlite3_stmt *stmt = prepare(events,
	    "SELECT mac, class, product, last_at FROM source WHERE source = ?1"
	    " ORDER BY last_at DESC, mac LIMIT ?2",
	    err);
	int row = SQLITE_DONE, count = 0, rc;

	if (stmt == NULL)
		return -1;
	events_bind_text(stmt, 1, source);
	(void)sqlite3_bind_int64(stmt, 2, (int64_t)max);
	while ((row = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct event_source *one = &list[count++];

		*one = (struct event_source) {
			.class = (uint64_t)sqlite3_column_int64(stmt, 1)
		};
		(void)copy_mac(stmt, 0, &one->mac);
		COPY_TEXT(stmt, 2, one->product);
		one->last_at = sqlite3_column_int64(stmt, 3);
	}
	rc = finish(events, stmt, row, 0, err);
	return rc == 0 ? count : -1;
}
