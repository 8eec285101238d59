#include "server/exceptions.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "inventory/exception_uses.h"
#include "provision/exception.h"
#include "server/writer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#define QUEUE_MAX 8192
#define DAY_S 86400

struct use_key {
	char exception[EXCEPTION_NAME_MAX + 1]; /* zeros behind it */
	struct mac mac;
};

struct use {
	struct use_key key;
	time_t first_at;
	UT_hash_handle hh;
};

struct exceptions {
	pthread_rwlock_t lock; /* of the table */
	struct use *uses;
	bool unknown; /* the file could not be read */
	struct writer *writer;
	time_t next_look; /* of the watch, which is the main thread's */
};

static struct use_key
make_key(const char *exception, const struct mac *mac)
{
	struct use_key key;

	memset(&key, 0, sizeof(key));
	(void)snprintf(key.exception, sizeof(key.exception), "%.*s",
	    EXCEPTION_NAME_MAX, exception);
	key.mac = *mac;
	return key;
}

static void
add(struct exceptions *exceptions, const struct exception_use *from)
{
	const struct use_key key = make_key(from->exception, &from->mac);
	struct use *use;

	HASH_FIND(hh, exceptions->uses, &key, sizeof(key), use);
	if (use != NULL)
		return; /* the first one counts */
	use = xcalloc(1, sizeof(*use));
	use->key = key;
	use->first_at = from->first_at;
	HASH_ADD(hh, exceptions->uses, key, sizeof(use->key), use);
}

static int
add_loaded(const struct exception_use *use, void *arg)
{
	add(arg, use);
	return 0;
}

static void *
open_uses(const char *path, struct error *err)
{
	return exception_uses_open(path, false, err);
}

/* In the writer's thread: first the disk, then the memory. */
static int
put_uses(void *store, const void *entries, size_t count, void *arg,
    struct error *err)
{
	const struct exception_use *list = entries;
	struct exceptions *exceptions = arg;

	if (exception_uses_put(store, list, count, err) != 0)
		return -1;
	(void)pthread_rwlock_wrlock(&exceptions->lock);
	for (size_t i = 0; i < count; i++)
		add(exceptions, &list[i]);
	(void)pthread_rwlock_unlock(&exceptions->lock);
	return 0;
}

static void
close_uses(void *store)
{
	exception_uses_close(store);
}

static const struct writer_kind kind = {
	.file = EXCEPTION_USES_FILE,
	.what = "exceptions",
	.lost = "exceptions-not-recorded",
	.entry_bytes = sizeof(struct exception_use),
	.queue_max = QUEUE_MAX,
	.batch_ms = 10, /* somebody may wait for it */
	.open = open_uses,
	.put = put_uses,
	.close = close_uses,
};

static void
load(struct exceptions *exceptions, const char *state_directory)
{
	char *path = file_join(state_directory, EXCEPTION_USES_FILE);
	struct error err = { 0 };
	struct exception_uses *uses = exception_uses_open(path, false, &err);

	if (uses == NULL ||
	    exception_uses_each(uses, add_loaded, exceptions, &err) != 0) {
		log_message(LOG_LEVEL_WARN, "exceptions-not-read", "%s",
		    err.text);
		exceptions->unknown = true;
	}
	exception_uses_close(uses);
	free(path);
}

struct exceptions *
exceptions_start(const char *state_directory, struct error *err)
{
	struct exceptions *exceptions = xcalloc(1, sizeof(*exceptions));

	(void)pthread_rwlock_init(&exceptions->lock, NULL);
	load(exceptions, state_directory);
	exceptions->writer = writer_start(&kind, state_directory, exceptions,
	    err);
	if (exceptions->writer != NULL)
		return exceptions;
	exceptions_stop(exceptions);
	return NULL;
}

void
exceptions_stop(struct exceptions *exceptions)
{
	struct use *use, *next;

	if (exceptions == NULL)
		return;
	writer_stop(exceptions->writer);
	HASH_ITER (hh, exceptions->uses, use, next) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): of uthash */
		HASH_DELETE(hh, exceptions->uses, use);
		free(use);
	}
	(void)pthread_rwlock_destroy(&exceptions->lock);
	free(exceptions);
}

void
exceptions_move(struct exceptions *exceptions, const char *state_directory)
{
	writer_move(exceptions->writer, state_directory);
}

time_t
exceptions_first_use(void *arg, const char *exception, const struct mac *mac)
{
	const struct use_key key = make_key(exception, mac);
	struct exceptions *exceptions = arg;
	struct use *use;
	time_t first;

	(void)pthread_rwlock_rdlock(&exceptions->lock);
	HASH_FIND(hh, exceptions->uses, &key, sizeof(key), use);
	first = use != NULL ? use->first_at : exceptions->unknown ? 1 : 0;
	(void)pthread_rwlock_unlock(&exceptions->lock);
	return first;
}

void
exceptions_count(struct exceptions *exceptions, const char *exception,
    const struct mac *mac, time_t now)
{
	struct exception_use use = {
		.mac = *mac, .first_at = now, .last_at = now, .count = 1
	};

	(void)snprintf(use.exception, sizeof(use.exception), "%s", exception);
	(void)writer_add(exceptions->writer, &use);
}

/* ------------------------------------------------------------------- alarm */

static void
warn(const struct exception *exception, time_t now)
{
	bool lapsed = now >= exception->until;
	char until[CLOCK_TEXT_BYTES];
	struct log_line line;

	clock_format(exception->until, until);
	log_begin(&line, LOG_LEVEL_WARN,
	    lapsed ? "exception-lapsed" : "exception-ends");
	log_text(&line, "exception", exception->name);
	log_text(&line, "allow", exception_kind_name(exception->kind));
	log_text(&line, "until", until);
	log_text(&line, "who", exception->who);
	log_text(&line, "why", exception->reason);
	log_end(&line);
}

void
exceptions_watch(struct exceptions *exceptions, const struct exception *list,
    size_t count, time_t now, bool afresh)
{
	if (!afresh && now < exceptions->next_look)
		return;
	exceptions->next_look = now + DAY_S;
	for (size_t i = 0; i < count; i++) {
		if (list[i].until - EXCEPTION_SOON_S <= now)
			warn(&list[i], now);
		if (list[i].until > now &&
		    list[i].until < exceptions->next_look)
			exceptions->next_look = list[i].until;
	}
}
