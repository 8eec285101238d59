/*
 * record.h -- what the server tells about its answers: a queue and a thread
 * that writes them to a file (inventory/resyncs.h).
 *
 * Workers only copy an answer into the queue.  It is bounded: what does not
 * fit is counted and dropped.  The thread opens the file itself, writes in
 * batches, and tries again later when it cannot; that is logged at most once a
 * minute and never holds up a worker.
 */
#ifndef SERVER_RECORD_H
#define SERVER_RECORD_H

#include <stdint.h>

#include "base/error.h"

#define RECORD_QUEUE_MAX 8192

struct record;
struct resync;

/*
 * Start the thread, for the file RESYNCS_FILE in that directory.  It writes
 * soon after the first entry of a batch, and what is left at the end.
 */
void record_stop(struct record *record); /* NULL is fine */
struct record *record_start(const char *state_directory,
    struct error *err) MUST_CHECK FREED_BY(record_stop);

/* From now on use the file in that directory. */
void record_move(struct record *record, const char *state_directory);

/* Add one answer; any thread may, record may be NULL: nothing happens then. */
void record_add(struct record *record, const struct resync *resync);

/* How many were written, and how many lost: to a full queue or to a file that
 * could not be written. */
struct record_counts {
	uint64_t written, dropped;
};
struct record_counts record_counts(struct record *record);

#endif
