#include "server/writer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* How long the first entry of a batch waits for others. */
#define BATCH_MS 300
/* After a failure: how long the file is left alone, and the log. */
#define RETRY_MS 5000
#define COMPLAIN_MS 60000
/* Of one that yields: a tenth of a processor that is wanted by all. */
#define NICE 10

struct writer {
	const struct writer_kind *kind;
	void *arg;
	pthread_t thread;
	pthread_mutex_t mutex; /* of what follows ... */
	pthread_cond_t wake;
	char *queue; /* kind->queue_max entries */
	size_t count;
	uint64_t dropped, dropped_logged, written;
	char *path;
	bool moved, stopping, failing;
	/* ... up to here; these are the thread's own. */
	void *store;
	uint64_t retry_ms, complain_ms; /* not before; 0: at once */
};

/* Lost entries are named too: an operator then knows why something that
 * happened is not in the file. */
static void
complain(struct writer *writer, const char *text)
{
	uint64_t now_ms = clock_monotonic_ms(), lost;
	struct log_line line;

	if (now_ms < writer->complain_ms)
		return;
	writer->complain_ms = now_ms + COMPLAIN_MS;
	(void)pthread_mutex_lock(&writer->mutex);
	lost = writer->dropped - writer->dropped_logged;
	writer->dropped_logged = writer->dropped;
	(void)pthread_mutex_unlock(&writer->mutex);
	log_begin(&line, LOG_LEVEL_WARN, writer->kind->lost);
	log_number(&line, "lost", (long long)lost);
	log_text(&line, "message", text);
	log_end(&line);
}

static int
put_batch(struct writer *writer, const char *path, const char *batch,
    size_t count, struct error *err)
{
	const struct writer_kind *kind = writer->kind;

	if (writer->store == NULL)
		writer->store = kind->open(path, err);
	if (writer->store != NULL &&
	    kind->put(writer->store, batch, count, writer->arg, err) == 0)
		return 0;
	/* Open it anew next time: it may have been removed or moved. */
	kind->close(writer->store);
	writer->store = NULL;
	return -1;
}

/* Entries that the file does not take are lost: to keep them would only move
 * the problem into memory. */
static void
write_batch(struct writer *writer, const char *path, const char *batch,
    size_t count)
{
	struct error err = { .kind = ERROR_NONE };
	bool tried = clock_monotonic_ms() >= writer->retry_ms;
	bool good = tried && put_batch(writer, path, batch, count, &err) == 0;
	bool lost;

	(void)pthread_mutex_lock(&writer->mutex);
	if (good)
		writer->written += count;
	else
		writer->dropped += count;
	writer->failing = !good;
	lost = writer->dropped > writer->dropped_logged;
	(void)pthread_mutex_unlock(&writer->mutex);
	if (good && lost)
		complain(writer, "more than could be written");
	if (good || !tried)
		return;
	writer->retry_ms = clock_monotonic_ms() + RETRY_MS;
	complain(writer, err.text);
}

static void
wait_for_batch(struct writer *writer)
{
	const long batch_ms = writer->kind->batch_ms != 0 ?
	    (long)writer->kind->batch_ms :
	    BATCH_MS;
	struct timespec until;

	while (writer->count == 0 && !writer->stopping)
		(void)pthread_cond_wait(&writer->wake, &writer->mutex);
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += batch_ms * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	while (writer->count < writer->kind->queue_max / 2 && !writer->stopping)
		if (pthread_cond_timedwait(&writer->wake, &writer->mutex,
			&until) == ETIMEDOUT)
			return;
}

static void *
writer_main(void *arg)
{
	struct writer *writer = arg;
	const struct writer_kind *kind = writer->kind;
	char *batch = xcalloc(kind->queue_max, kind->entry_bytes), *filled;
	bool stopping = false, moved;
	struct error ignored;
	char *path;
	size_t count;

	/* Of this thread only, as Linux has it. */
	if (kind->yields)
		(void)setpriority(PRIO_PROCESS, 0, NICE);
	/* It is there before anybody looks for it; why it is not is said when
	 * there is something to write. */
	(void)pthread_mutex_lock(&writer->mutex);
	path = xstrdup(writer->path);
	(void)pthread_mutex_unlock(&writer->mutex);
	writer->store = kind->open(path, &ignored);
	free(path);
	while (!stopping) {
		(void)pthread_mutex_lock(&writer->mutex);
		wait_for_batch(writer);
		filled = writer->queue;
		count = writer->count;
		writer->queue = batch;
		writer->count = 0;
		stopping = writer->stopping;
		path = xstrdup(writer->path);
		moved = writer->moved;
		writer->moved = false;
		(void)pthread_mutex_unlock(&writer->mutex);
		batch = filled;
		if (moved) {
			kind->close(writer->store);
			writer->store = NULL;
			writer->retry_ms = 0;
		}
		if (count > 0)
			write_batch(writer, path, batch, count);
		for (size_t i = 0; kind->clear != NULL && i < count; i++)
			kind->clear(batch + i * kind->entry_bytes);
		free(path);
	}
	free(batch);
	kind->close(writer->store);
	return NULL;
}

static void
writer_free(struct writer *writer)
{
	(void)pthread_cond_destroy(&writer->wake);
	(void)pthread_mutex_destroy(&writer->mutex);
	free(writer->queue);
	free(writer->path);
	free(writer);
}

struct writer *
writer_start(const struct writer_kind *kind, const char *state_directory,
    void *arg, struct error *err)
{
	struct writer *writer = xcalloc(1, sizeof(*writer));
	pthread_condattr_t attributes;
	sigset_t all, old;
	int rc;

	writer->kind = kind;
	writer->arg = arg;
	writer->path = file_join(state_directory, kind->file);
	writer->queue = xcalloc(kind->queue_max, kind->entry_bytes);
	(void)pthread_mutex_init(&writer->mutex, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&writer->wake, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	/* Signals are the main thread's. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&writer->thread, NULL, writer_main, writer);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc == 0)
		return writer;
	(void)error_set(err, ERROR_SYSTEM,
	    "cannot start the thread that records %s: %s", kind->what,
	    strerror(rc));
	writer_free(writer);
	return NULL;
}

void
writer_stop(struct writer *writer)
{
	struct writer_counts counts;

	if (writer == NULL)
		return;
	(void)pthread_mutex_lock(&writer->mutex);
	writer->stopping = true;
	(void)pthread_cond_signal(&writer->wake);
	(void)pthread_mutex_unlock(&writer->mutex);
	(void)pthread_join(writer->thread, NULL);
	counts = writer_counts(writer);
	if (counts.dropped > writer->dropped_logged)
		log_message(LOG_LEVEL_WARN, writer->kind->lost,
		    "%llu more %s are missing in %s",
		    (unsigned long long)(counts.dropped -
			writer->dropped_logged),
		    writer->kind->what, writer->path);
	writer_free(writer);
}

void
writer_move(struct writer *writer, const char *state_directory)
{
	char *path = file_join(state_directory, writer->kind->file);

	(void)pthread_mutex_lock(&writer->mutex);
	if (strcmp(path, writer->path) != 0) {
		char *old = writer->path;

		writer->path = path;
		writer->moved = true;
		path = old;
	}
	(void)pthread_mutex_unlock(&writer->mutex);
	free(path);
}

/* What cannot be queued. */
static void
clear_copy(const struct writer_kind *kind, const void *entry)
{
	void *copy;

	if (kind->clear == NULL)
		return;
	copy = xmalloc(kind->entry_bytes);
	memcpy(copy, entry, kind->entry_bytes);
	kind->clear(copy);
	free(copy);
}

bool
writer_add(struct writer *writer, const void *entry)
{
	const struct writer_kind *kind = writer->kind;
	bool wake, full;

	(void)pthread_mutex_lock(&writer->mutex);
	full = writer->count == kind->queue_max;
	if (full)
		writer->dropped++;
	else
		memcpy(writer->queue + writer->count++ * kind->entry_bytes,
		    entry, kind->entry_bytes);
	/* A signal costs a system call: only when the thread waits for it. */
	wake = writer->count == 1 || writer->count == kind->queue_max / 2;
	(void)pthread_mutex_unlock(&writer->mutex);
	if (wake)
		(void)pthread_cond_signal(&writer->wake);
	if (full)
		clear_copy(kind, entry);
	return !full;
}

struct writer_counts
writer_counts(struct writer *writer)
{
	struct writer_counts counts;

	(void)pthread_mutex_lock(&writer->mutex);
	counts.written = writer->written;
	counts.dropped = writer->dropped;
	counts.waiting = writer->count;
	counts.waiting_max = writer->kind->queue_max;
	counts.failing = writer->failing;
	(void)pthread_mutex_unlock(&writer->mutex);
	return counts;
}
