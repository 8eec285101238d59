/*
 * record.h -- what the server keeps of its work: which listener answered which
 * device (inventory/resyncs.h), what happened (inventory/events.h), and what was
 * served and reported (inventory/documents.h).
 *
 * Workers only copy into bounded queues; threads write (server/writer.h).
 */
#ifndef SERVER_RECORD_H
#define SERVER_RECORD_H

#include <stdint.h>

#include "base/error.h"
#include "inventory/events.h"
#include "server/writer.h"

#define RECORD_QUEUE_MAX 8192

struct keep;
struct choice;
struct record;
struct resync;
struct seal_key;
struct visits;

/* Start the threads, for the files in that directory.  At the end what is left
 * is written. */
void record_stop(struct record *record); /* NULL is fine */
struct record *record_start(const char *state_directory,
    struct error *err) MUST_CHECK FREED_BY(record_stop);

/* From now on use the files in that directory. */
void record_move(struct record *record, const char *state_directory);

/* How many events are kept, and how long; count 0: none is written. */
void
record_limit_events(struct record *record, const struct events_limits *limits);

/* Add one answer, or what happened; any thread may, record may be NULL: nothing
 * happens then. */
void record_add(struct record *record, const struct resync *resync);
void record_event(struct record *record, const struct event *event);

/* Where documents go; NULL when record is.  keep.h says what it takes. */
struct keep *record_keep(const struct record *record);

/* Whose connections leave no trace; NULL when record is. */
struct visits *record_visits(const struct record *record);

/* Are events wanted at all?  To fill one in costs a little. */
bool record_has_events(const struct record *record);

/* What is remembered of choices between certificates, and what a handshake
 * taught; any thread may ask and tell. */
struct choice *record_choice(struct record *record);
void record_learn(struct record *record, uint64_t ca, uint64_t source,
    uint64_t class, bool accepted, time_t now);

struct record_counts {
	struct writer_counts resyncs, events, choices;
};
struct record_counts record_counts(struct record *record);

#endif
