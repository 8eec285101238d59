#include "base/log.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Bytes waiting for the writer: some 4,000 ordinary lines. */
#define QUEUE_BYTES (1024 * 1024)
/* How long the writer lets lines come before it writes them. */
#define GATHER_MS 25

static const char *const level_names[] = { "error", "warn", "info", "debug" };

/*
 * The one piece of process-wide state: there is one standard error, and a
 * failure deep in a library has to be able to reach it.
 */
static struct {
	atomic_int level;
	pthread_mutex_t mutex;
	pthread_cond_t arrived;
	pthread_t writer;
	bool running;
	bool stopping;
	char *queue;
	size_t used;
	unsigned long long dropped;
} sink = {
	.level = LOG_LEVEL_INFO,
	.mutex = PTHREAD_MUTEX_INITIALIZER,
	.arrived = PTHREAD_COND_INITIALIZER,
};

static void
write_all(const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			/* Who shares our terminal may have made it so. */
			struct pollfd fd = { STDERR_FILENO, POLLOUT, 0 };

			(void)poll(&fd, 1, -1);
			continue;
		}
		if (n <= 0)
			return; /* nowhere left to report it */
		data += n;
		len -= (size_t)n;
	}
}

int
log_level_parse(const char *text, enum log_level *level)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(*level_names); i++)
		if (strcmp(text, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return 0;
		}
	return -1;
}

void
log_set_level(enum log_level level)
{
	atomic_store(&sink.level, (int)level);
}

/* A line seldom comes alone: being woken for each costs more than writing it. */
static void
gather(void)
{
	static const struct timespec nap = { 0, GATHER_MS * 1000000L };

	if (sink.stopping)
		return;
	(void)pthread_mutex_unlock(&sink.mutex);
	(void)nanosleep(&nap, NULL);
	(void)pthread_mutex_lock(&sink.mutex);
}

static void *
writer_main(void *unused)
{
	char *spare = xmalloc(QUEUE_BYTES);

	(void)unused;
	(void)pthread_mutex_lock(&sink.mutex);
	for (;;) {
		char *full = sink.queue;
		size_t used = sink.used;

		if (used == 0) {
			if (sink.stopping)
				break;
			(void)pthread_cond_wait(&sink.arrived, &sink.mutex);
			gather();
			continue;
		}
		sink.queue = spare;
		sink.used = 0;
		(void)pthread_mutex_unlock(&sink.mutex);
		write_all(full, used);
		spare = full;
		(void)pthread_mutex_lock(&sink.mutex);
	}
	(void)pthread_mutex_unlock(&sink.mutex);
	free(spare);
	return NULL;
}

int
log_start(struct error *err)
{
	sigset_t all, old;
	int rc;

	sink.queue = xmalloc(QUEUE_BYTES);
	sink.used = 0;
	sink.stopping = false;
	/* Signals belong to the main thread. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&sink.writer, NULL, writer_main, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0) {
		errno = rc;
		free(sink.queue);
		sink.queue = NULL;
		return error_errno(err, "cannot start the log writer");
	}
	sink.running = true;
	return 0;
}

static void
put(struct log_line *line, const char *text, size_t len)
{
	/* One byte stays free for the newline. */
	if (len > sizeof(line->text) - 1 - line->len)
		return;
	memcpy(line->text + line->len, text, len);
	line->len += len;
}

void
log_begin(struct log_line *line, enum log_level level, const char *event)
{
	char now[CLOCK_TEXT_BYTES];

	line->level = level;
	line->len = 0;
	clock_format(clock_wall(), now);
	put(line, now, strlen(now));
	log_text(line, "level", level_names[level]);
	log_text(line, "event", event);
}

void
log_bytes(struct log_line *line, const char *key, const void *data, size_t len)
{
	char value[512];
	char field[sizeof(value) + 64];
	const size_t key_len = strlen(key);
	size_t value_len, n = 0;
	bool quoted;

	text_escape(data, len, value, sizeof(value));
	value_len = strlen(value);
	quoted = value_len == 0 || strpbrk(value, " =\\") != NULL;
	/* Two quotes, the blank and the sign.  By hand: there are twenty in a
	 * line, and a line in each resync. */
	if (key_len + value_len + 4 > sizeof(field))
		return;
	field[n++] = ' ';
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): it goes on */
	memcpy(field + n, key, key_len);
	n += key_len;
	field[n++] = '=';
	if (quoted)
		field[n++] = '"';
	memcpy(field + n, value, value_len);
	n += value_len;
	if (quoted)
		field[n++] = '"';
	put(line, field, n);
}

void
log_text(struct log_line *line, const char *key, const char *value)
{
	log_bytes(line, key, value, strlen(value));
}

void
log_number(struct log_line *line, const char *key, long long value)
{
	char digits[24]; /* of the longest, with its sign */
	char *first = digits + sizeof(digits);
	unsigned long long rest = value < 0 ? 0 - (unsigned long long)value :
					      (unsigned long long)value;

	do {
		*--first = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (value < 0)
		*--first = '-';
	log_bytes(line, key, first, (size_t)(digits + sizeof(digits) - first));
}

void
log_format(struct log_line *line, const char *key, const char *fmt, ...)
{
	char value[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	log_text(line, key, value);
}

/* How many lines were lost, as a line of its own. */
static void
build_note(struct log_line *note)
{
	log_begin(note, LOG_LEVEL_WARN, "log-dropped");
	log_number(note, "lines", (long long)sink.dropped);
	note->text[note->len++] = '\n';
}

static void
enqueue(const struct log_line *line)
{
	struct log_line note = { .len = 0 };

	if (sink.dropped > 0)
		build_note(&note);
	if (sink.used + line->len + note.len > QUEUE_BYTES) {
		sink.dropped++;
		return;
	}
	if (note.len > 0) {
		memcpy(sink.queue + sink.used, note.text, note.len);
		sink.used += note.len;
		sink.dropped = 0;
	}
	memcpy(sink.queue + sink.used, line->text, line->len);
	sink.used += line->len;
}

void
log_end(struct log_line *line)
{
	if ((int)line->level > atomic_load(&sink.level))
		return;
	line->text[line->len++] = '\n';
	if (!sink.running) {
		write_all(line->text, line->len);
		return;
	}
	(void)pthread_mutex_lock(&sink.mutex);
	enqueue(line);
	(void)pthread_cond_signal(&sink.arrived);
	(void)pthread_mutex_unlock(&sink.mutex);
}

void
log_stop(void)
{
	struct log_line note;

	if (!sink.running)
		return;
	(void)pthread_mutex_lock(&sink.mutex);
	sink.stopping = true;
	(void)pthread_cond_signal(&sink.arrived);
	(void)pthread_mutex_unlock(&sink.mutex);
	(void)pthread_join(sink.writer, NULL);
	sink.running = false;
	free(sink.queue);
	sink.queue = NULL;
	if (sink.dropped > 0) {
		build_note(&note);
		write_all(note.text, note.len);
		sink.dropped = 0;
	}
}

void
log_message(enum log_level level, const char *event, const char *fmt, ...)
{
	struct log_line line;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_begin(&line, level, event);
	log_text(&line, "message", text);
	log_end(&line);
}
