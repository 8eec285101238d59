/*
 * writer.h -- a queue and a thread that writes what is in it to a file of the
 * state directory.
 *
 * Workers only copy an entry into the queue.  It is bounded: what does not fit
 * is counted and dropped.  The thread opens the file itself, writes in batches,
 * and tries again later when it cannot; that is logged at most once a minute
 * and never holds up a worker.
 */
#ifndef SERVER_WRITER_H
#define SERVER_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* What is written, and how.  All but clear are called by the thread. */
struct writer_kind {
	const char *file; /* its name in the state directory */
	const char *what; /* for messages: "resyncs" */
	const char *lost; /* event of the log: "resyncs-not-recorded" */
	size_t entry_bytes;
	size_t queue_max;  /* entries */
	unsigned batch_ms; /* how long the first waits for others; 0: 300 */
	bool yields;	   /* only what workers leave of the processor */
	void *(*open)(const char *path, struct error *err);
	/* All of them, or none; arg is writer_start()'s. */
	int (*put)(void *store, const void *entries, size_t count, void *arg,
	    struct error *err);
	void (*close)(void *store); /* NULL is fine */
	/* Free what an entry holds, written or not; NULL: nothing. */
	void (*clear)(void *entry);
};

struct writer;

/*
 * Start the thread.  It writes soon after the first entry of a batch, and what
 * is left at the end.  kind and arg are borrowed until the stop.
 */
void writer_stop(struct writer *writer); /* NULL is fine */
struct writer *
writer_start(const struct writer_kind *kind, const char *state_directory,
    void *arg, struct error *err) MUST_CHECK FREED_BY(writer_stop);

/* From now on use the file in that directory. */
void writer_move(struct writer *writer, const char *state_directory);

/* Add a copy of one entry, whose contents are taken; any thread may.  False when
 * it was lost. */
bool writer_add(struct writer *writer, const void *entry);

/* How many were written, and how many lost: to a full queue or to a file that
 * could not be written. */
struct writer_counts {
	uint64_t written, dropped;
	size_t waiting, waiting_max; /* entries in the queue */
	bool failing;		     /* the last time it could not be written */
};
struct writer_counts writer_counts(struct writer *writer);

#endif
