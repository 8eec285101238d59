/*
 * log.h -- one key=value line per event, on standard error.
 *
 * A line is built on the stack of the thread that has something to say and
 * handed to one writer thread, so that a slow terminal or journal never holds
 * up a worker.  When the queue is full, lines are counted and dropped, and the
 * next line that fits (or log_stop()) says how many.
 *
 * Levels say who acts: error: an operator must; warn: should look; info: may
 * audit; debug: a developer.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>

#include "base/error.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

#define LOG_LINE_MAX 2048

/* Being built; a line that grows past LOG_LINE_MAX loses its last fields. */
struct log_line {
	enum log_level level;
	size_t len;
	char text[LOG_LINE_MAX];
};

/* "error", "warn", "info", "debug"; -1 when text is none of them. */
int log_level_parse(const char *text, enum log_level *level) MUST_CHECK;

/* Lines above this level are not written; any thread may change it. */
void log_set_level(enum log_level level);

/*
 * Start the writer thread; until then, and after log_stop(), lines are
 * written at once.  log_stop() writes what is queued.
 */
int log_start(struct error *err) MUST_CHECK;
void log_stop(void);

/* Start a line: time, level and event=NAME. */
void log_begin(struct log_line *line, enum log_level level, const char *event);

/* Add key=value; a value with blanks or quotes is quoted and escaped. */
void log_text(struct log_line *line, const char *key, const char *value);
void
log_bytes(struct log_line *line, const char *key, const void *data, size_t len);
void log_number(struct log_line *line, const char *key, long long value);
void log_format(struct log_line *line, const char *key, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Hand the line over. */
void log_end(struct log_line *line);

/* A whole line with one field "message". */
void log_message(enum log_level level, const char *event, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

#endif
