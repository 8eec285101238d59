/*
 * What events teach beyond themselves: certificates, classes, sources.
 */
#include "inventory/events_parts.h"

#include <string.h>

/* FNV-1a; only to find what was written lately. */
#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

static const char certificate_sql[] =
    "INSERT INTO certificate VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
    " ?10, ?11) ON CONFLICT DO UPDATE SET mac = excluded.mac,"
    " anchor = excluded.anchor, verify = excluded.verify,"
    " last_at = excluded.last_at, source = excluded.source";
static const char class_sql[] =
    "INSERT INTO class VALUES (?1, ?2, ?3, 1, ?4) ON CONFLICT DO UPDATE SET"
    " count = count + 1, last_at = excluded.last_at";
static const char source_sql[] =
    "INSERT INTO source VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET"
    " class = excluded.class, product = excluded.product,"
    " last_at = excluded.last_at";

static uint64_t
mix(uint64_t hash, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * FNV_PRIME;
	return hash;
}

static uint64_t
mix_text(uint64_t hash, const char *text)
{
	return mix(hash, text, strlen(text) + 1);
}

/* Was this written within the last hour?  From now on it was. */
static bool
is_written(struct events *events, uint64_t hash, time_t now)
{
	struct events_lately *lately =
	    &events->lately[hash & (EVENTS_LATELY - 1)];

	if (lately->hash == hash && now >= lately->at &&
	    now - lately->at < EVENTS_LATELY_S)
		return true;
	*lately = (struct events_lately) { hash, now };
	return false;
}

static int
learn_certificate(struct events *events, const struct event *event,
    struct error *err)
{
	uint64_t hash = mix(FNV_OFFSET, event->certificate,
	    sizeof(event->certificate));
	sqlite3_stmt *stmt;

	hash = mix_text(mix_text(hash, event->source), event->verify);
	if (is_written(events, hash, event->at))
		return 0;
	stmt = events_statement(events, EVENTS_CERTIFICATE, certificate_sql,
	    err);
	if (stmt == NULL)
		return -1;
	(void)sqlite3_bind_blob(stmt, 1, event->certificate,
	    sizeof(event->certificate), SQLITE_TRANSIENT);
	events_bind_mac(stmt, 2, event->has_mac, &event->mac);
	events_bind_text(stmt, 3, event->product);
	events_bind_text(stmt, 4, event->serial);
	events_bind_text(stmt, 5, event->issuer);
	events_bind_text(stmt, 6, event->anchor);
	events_bind_text(stmt, 7, event->verify);
	(void)sqlite3_bind_int64(stmt, 8, event->not_before);
	(void)sqlite3_bind_int64(stmt, 9, event->not_after);
	(void)sqlite3_bind_int64(stmt, 10, event->at);
	events_bind_text(stmt, 11, event->source);
	return events_run(events, stmt, err);
}

/* Counts are of devices and hours rather than of events. */
static int
learn_class(struct events *events, const struct event *event, struct error *err)
{
	uint64_t hash = mix(FNV_OFFSET, &event->class, sizeof(event->class));
	sqlite3_stmt *stmt;

	hash = mix(mix_text(mix_text(hash, event->product), event->firmware),
	    event->mac.octet, sizeof(event->mac.octet));
	if (is_written(events, hash, event->at))
		return 0;
	stmt = events_statement(events, EVENTS_CLASS, class_sql, err);
	if (stmt == NULL)
		return -1;
	(void)sqlite3_bind_int64(stmt, 1, (int64_t)event->class);
	events_bind_text(stmt, 2, event->product);
	events_bind_text(stmt, 3, event->firmware);
	(void)sqlite3_bind_int64(stmt, 4, event->at);
	return events_run(events, stmt, err);
}

static int
learn_source(struct events *events, const struct event *event,
    struct error *err)
{
	uint64_t hash = mix_text(FNV_OFFSET, event->source);
	sqlite3_stmt *stmt;

	hash = mix(mix(hash, event->mac.octet, sizeof(event->mac.octet)),
	    &event->class, sizeof(event->class));
	if (is_written(events, hash, event->at))
		return 0;
	stmt = events_statement(events, EVENTS_SOURCE, source_sql, err);
	if (stmt == NULL)
		return -1;
	events_bind_text(stmt, 1, event->source);
	events_bind_mac(stmt, 2, true, &event->mac);
	(void)sqlite3_bind_int64(stmt, 3, (int64_t)event->class);
	events_bind_text(stmt, 4, event->product);
	(void)sqlite3_bind_int64(stmt, 5, event->at);
	return events_run(events, stmt, err);
}

int
events_learn(struct events *events, const struct event *event,
    struct error *err)
{
	bool proven = event->has_certificate && event->has_mac &&
	    *event->verify == '\0' && event->kind != EVENT_HANDSHAKE;

	/* Without a handshake nobody has proved to own the certificate. */
	if (event->has_certificate && event->kind != EVENT_HANDSHAKE &&
	    learn_certificate(events, event, err) != 0)
		return -1;
	if (!proven)
		return 0;
	/* Without a User-Agent it is not known at which firmware. */
	if (event->class != 0 && *event->agent != '\0' &&
	    learn_class(events, event, err) != 0)
		return -1;
	return learn_source(events, event, err);
}
