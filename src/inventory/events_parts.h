/*
 * events_parts.h -- what the files of events.h know of each other.
 */
#ifndef INVENTORY_EVENTS_PARTS_H
#define INVENTORY_EVENTS_PARTS_H

#include "inventory/events.h"
#include "inventory/sqlite.h"

/* Statements, each prepared when it is first used. */
enum events_statement {
	EVENTS_PUT,
	EVENTS_FORGET,
	EVENTS_CERTIFICATE,
	EVENTS_CLASS,
	EVENTS_SOURCE,
	EVENTS_STATEMENTS,
};

/*
 * What was written lately, so that a device that comes again costs no second
 * write: a table of hashes that overwrite each other.  To forget one only
 * costs a write that was not needed.
 */
#define EVENTS_LATELY 16384 /* a power of two */
#define EVENTS_LATELY_S 3600

struct events_lately {
	uint64_t hash;
	time_t at;
};

struct events {
	struct sqlite_file file;
	sqlite3_stmt *statement[EVENTS_STATEMENTS];
	struct events_lately *lately; /* of a writer */
	uint64_t puts;		      /* since the last forgetting */
};

/* The statement, ready to be bound; NULL with err when it cannot be. */
sqlite3_stmt *events_statement(struct events *events,
    enum events_statement which, const char *sql, struct error *err);

/* Run a statement that yields no rows, and make it ready for the next. */
int events_run(struct events *events, sqlite3_stmt *stmt, struct error *err);

void events_bind_text(sqlite3_stmt *stmt, int index, const char *text);
void
events_bind_mac(sqlite3_stmt *stmt, int index, bool has, const struct mac *mac);

/* Keep what an event teaches beyond itself. */
int events_learn(struct events *events, const struct event *event,
    struct error *err) MUST_CHECK;

#endif
