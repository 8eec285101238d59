#include "server/record.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "inventory/resyncs.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How long the first entry of a batch waits for others. */
#define BATCH_MS 300
/* After a failure: how long the file is left alone, and the log. */
#define RETRY_MS 5000
#define COMPLAIN_MS 60000

struct record {
	pthread_t thread;
	pthread_mutex_t mutex; /* of what follows ... */
	pthread_cond_t wake;
	struct resync *queue;
	size_t count;
	uint64_t dropped, dropped_logged, written;
	char *path;
	bool moved, stopping;
	/* ... up to here; these are the thread's own. */
	struct resyncs *resyncs;
	uint64_t retry_ms, complain_ms; /* not before; 0: at once */
};

/* Lost entries are named too: an operator then knows why a device that was
 * provisioned is not in the file. */
static void
complain(struct record *record, const char *text)
{
	uint64_t now_ms = clock_monotonic_ms(), lost;
	struct log_line line;

	if (now_ms < record->complain_ms)
		return;
	record->complain_ms = now_ms + COMPLAIN_MS;
	(void)pthread_mutex_lock(&record->mutex);
	lost = record->dropped - record->dropped_logged;
	record->dropped_logged = record->dropped;
	(void)pthread_mutex_unlock(&record->mutex);
	log_begin(&line, LOG_LEVEL_WARN, "resyncs-not-recorded");
	log_number(&line, "lost", (long long)lost);
	log_text(&line, "message", text);
	log_end(&line);
}

static int
put_batch(struct record *record, const char *path, const struct resync *batch,
    size_t count, struct error *err)
{
	if (record->resyncs == NULL)
		record->resyncs = resyncs_open(path, false, err);
	if (record->resyncs != NULL &&
	    resyncs_put(record->resyncs, batch, count, err) == 0)
		return 0;
	/* Open it anew next time: it may have been removed or moved. */
	resyncs_close(record->resyncs);
	record->resyncs = NULL;
	return -1;
}

/* Entries that the file does not take are lost: to keep them would only move
 * the problem into memory. */
static void
write_batch(struct record *record, const char *path, const struct resync *batch,
    size_t count)
{
	struct error err = { .kind = ERROR_NONE };
	bool tried = clock_monotonic_ms() >= record->retry_ms;
	bool good = tried && put_batch(record, path, batch, count, &err) == 0;
	bool lost;

	(void)pthread_mutex_lock(&record->mutex);
	if (good)
		record->written += count;
	else
		record->dropped += count;
	lost = record->dropped > record->dropped_logged;
	(void)pthread_mutex_unlock(&record->mutex);
	if (good && lost)
		complain(record, "more answers than could be written");
	if (good || !tried)
		return;
	record->retry_ms = clock_monotonic_ms() + RETRY_MS;
	complain(record, err.text);
}

static void
wait_for_batch(struct record *record)
{
	struct timespec until;

	while (record->count == 0 && !record->stopping)
		(void)pthread_cond_wait(&record->wake, &record->mutex);
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += BATCH_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	while (record->count < RECORD_QUEUE_MAX / 2 && !record->stopping)
		if (pthread_cond_timedwait(&record->wake, &record->mutex,
			&until) == ETIMEDOUT)
			return;
}

static void *
record_main(void *arg)
{
	struct record *record = arg;
	struct resync *batch = xcalloc(RECORD_QUEUE_MAX, sizeof(*batch));
	struct resync *filled;
	bool stopping = false, moved;
	char *path;
	size_t count;

	while (!stopping) {
		(void)pthread_mutex_lock(&record->mutex);
		wait_for_batch(record);
		filled = record->queue;
		count = record->count;
		record->queue = batch;
		record->count = 0;
		stopping = record->stopping;
		path = xstrdup(record->path);
		moved = record->moved;
		record->moved = false;
		(void)pthread_mutex_unlock(&record->mutex);
		batch = filled;
		if (moved) {
			resyncs_close(record->resyncs);
			record->resyncs = NULL;
			record->retry_ms = 0;
		}
		if (count > 0)
			write_batch(record, path, batch, count);
		free(path);
	}
	free(batch);
	resyncs_close(record->resyncs);
	return NULL;
}

static void
record_free(struct record *record)
{
	(void)pthread_cond_destroy(&record->wake);
	(void)pthread_mutex_destroy(&record->mutex);
	free(record->queue);
	free(record->path);
	free(record);
}

struct record *
record_start(const char *state_directory, struct error *err)
{
	struct record *record = xcalloc(1, sizeof(*record));
	pthread_condattr_t attributes;
	sigset_t all, old;
	int rc;

	record->path = file_join(state_directory, RESYNCS_FILE);
	record->queue = xcalloc(RECORD_QUEUE_MAX, sizeof(*record->queue));
	(void)pthread_mutex_init(&record->mutex, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&record->wake, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	/* Signals are the main thread's. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&record->thread, NULL, record_main, record);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc == 0)
		return record;
	(void)error_set(err, ERROR_SYSTEM,
	    "cannot start the thread that records resyncs: %s", strerror(rc));
	record_free(record);
	return NULL;
}

void
record_stop(struct record *record)
{
	struct record_counts counts;

	if (record == NULL)
		return;
	(void)pthread_mutex_lock(&record->mutex);
	record->stopping = true;
	(void)pthread_cond_signal(&record->wake);
	(void)pthread_mutex_unlock(&record->mutex);
	(void)pthread_join(record->thread, NULL);
	counts = record_counts(record);
	if (counts.dropped > record->dropped_logged)
		log_message(LOG_LEVEL_WARN, "resyncs-not-recorded",
		    "%llu more answers are missing in %s",
		    (unsigned long long)(counts.dropped -
			record->dropped_logged),
		    record->path);
	record_free(record);
}

void
record_move(struct record *record, const char *state_directory)
{
	char *path = file_join(state_directory, RESYNCS_FILE);

	(void)pthread_mutex_lock(&record->mutex);
	if (strcmp(path, record->path) != 0) {
		char *old = record->path;

		record->path = path;
		record->moved = true;
		path = old;
	}
	(void)pthread_mutex_unlock(&record->mutex);
	free(path);
}

void
record_add(struct record *record, const struct resync *resync)
{
	bool wake;

	if (record == NULL)
		return;
	(void)pthread_mutex_lock(&record->mutex);
	if (record->count < RECORD_QUEUE_MAX)
		record->queue[record->count++] = *resync;
	else
		record->dropped++;
	/* A signal costs a system call: only when the thread waits for it. */
	wake = record->count == 1 || record->count == RECORD_QUEUE_MAX / 2;
	(void)pthread_mutex_unlock(&record->mutex);
	if (wake)
		(void)pthread_cond_signal(&record->wake);
}

struct record_counts
record_counts(struct record *record)
{
	struct record_counts counts;

	(void)pthread_mutex_lock(&record->mutex);
	counts.written = record->written;
	counts.dropped = record->dropped;
	(void)pthread_mutex_unlock(&record->mutex);
	return counts;
}
