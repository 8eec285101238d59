#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

/* What goes to standard error between begin() and end() is kept in a file. */
struct capture {
	FILE *file;
	int saved;
};

static void
capture_begin(struct capture *capture)
{
	capture->file = tmpfile();
	assert_non_null(capture->file);
	capture->saved = dup(STDERR_FILENO);
	assert_true(capture->saved >= 0);
	assert_true(dup2(fileno(capture->file), STDERR_FILENO) >= 0);
}

static char *
capture_end(struct capture *capture)
{
	long len;
	char *text;

	assert_true(dup2(capture->saved, STDERR_FILENO) >= 0);
	(void)close(capture->saved);
	assert_int_equal(fseek(capture->file, 0, SEEK_END), 0);
	len = ftell(capture->file);
	assert_true(len >= 0);
	rewind(capture->file);
	text = xcalloc(1, (size_t)len + 1);
	assert_int_equal(fread(text, 1, (size_t)len, capture->file), len);
	(void)fclose(capture->file);
	return text;
}

/* A line is "TIME rest\n"; the time is checked for its form only. */
static void
assert_line(const char *line, const char *rest)
{
	assert_true(strlen(line) > 20);
	for (size_t i = 0; i < 20; i++) {
		char form = "dddd-dd-ddTdd:dd:ddZ"[i];

		if (form == 'd')
			assert_true(line[i] >= '0' && line[i] <= '9');
		else
			assert_int_equal(line[i], form);
	}
	assert_string_equal(line + 20, rest);
}

static void
test_level_parse(void **state)
{
	enum log_level level = LOG_LEVEL_WARN;

	(void)state;
	assert_int_equal(log_level_parse("", &level), -1);
	assert_int_equal(log_level_parse("INFO", &level), -1);
	assert_int_equal(log_level_parse("warning", &level), -1);
	assert_int_equal(level, LOG_LEVEL_WARN);
	assert_int_equal(log_level_parse("error", &level), 0);
	assert_int_equal(level, LOG_LEVEL_ERROR);
	assert_int_equal(log_level_parse("warn", &level), 0);
	assert_int_equal(level, LOG_LEVEL_WARN);
	assert_int_equal(log_level_parse("info", &level), 0);
	assert_int_equal(level, LOG_LEVEL_INFO);
	assert_int_equal(log_level_parse("debug", &level), 0);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
}

static void
test_levels(void **state)
{
	(void)state;
	for (int set = LOG_LEVEL_ERROR; set <= LOG_LEVEL_DEBUG; set++)
		for (int at = LOG_LEVEL_ERROR; at <= LOG_LEVEL_DEBUG; at++) {
			struct capture capture;
			char *text;

			log_set_level((enum log_level)set);
			capture_begin(&capture);
			log_message((enum log_level)at, "test", "x");
			text = capture_end(&capture);
			assert_int_equal(*text != '\0', at <= set);
			free(text);
		}
	log_set_level(LOG_LEVEL_INFO);
}

static void
test_fields(void **state)
{
	struct capture capture;
	struct log_line line;
	char *text;

	(void)state;
	capture_begin(&capture);
	log_begin(&line, LOG_LEVEL_WARN, "request");
	log_text(&line, "plain", "a-b_c:/d");
	log_text(&line, "blank", "a b");
	log_text(&line, "empty", "");
	log_text(&line, "equal", "a=b");
	log_text(&line, "quote", "say \"x\"");
	log_text(&line, "backslash", "a\\b");
	log_text(&line, "newline", "a\nlevel=error");
	log_bytes(&line, "bytes", "\0\xff", 2);
	log_number(&line, "number", -5);
	log_number(&line, "zero", 0);
	log_number(&line, "least", LLONG_MIN);
	log_number(&line, "most", LLONG_MAX);
	log_format(&line, "format", "%d/%s", 3, "x");
	log_end(&line);
	text = capture_end(&capture);
	assert_line(text,
	    " level=warn event=request plain=a-b_c:/d "
	    "blank=\"a b\" empty=\"\" equal=\"a=b\" "
	    "quote=\"say \\x22x\\x22\" backslash=\"a\\x5cb\" "
	    "newline=\"a\\x0alevel=error\" bytes=\"\\x00\\xff\" number=-5 "
	    "zero=0 least=-9223372036854775808 most=9223372036854775807 "
	    "format=3/x\n");
	free(text);
}

static void
test_message(void **state)
{
	struct capture capture;
	char *text;

	(void)state;
	capture_begin(&capture);
	log_message(LOG_LEVEL_ERROR, "start", "%d %s", 2, "workers");
	text = capture_end(&capture);
	assert_line(text, " level=error event=start message=\"2 workers\"\n");
	free(text);
}

/* One line stays one line of bounded length, whatever is put into it. */
static void
test_long(void **state)
{
	char value[4 * LOG_LINE_MAX], key[600];
	struct capture capture;
	struct log_line line;
	char *text;

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	capture_begin(&capture);
	log_begin(&line, LOG_LEVEL_INFO, "long");
	log_text(&line, key, value); /* such a key is dropped */
	for (int i = 0; i < 20; i++)
		log_text(&line, "value", value);
	log_text(&line, "last", value);
	log_end(&line);
	text = capture_end(&capture);
	assert_true(strlen(text) <= LOG_LINE_MAX);
	assert_true(text_ends(text, "v...\n"));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_null(strstr(text, "kkk"));
	assert_null(strstr(text, "last="));
	free(text);
}

#define THREADS 4
#define LINES 500

static void *
log_many(void *name)
{
	for (int i = 0; i < LINES; i++) {
		struct log_line line;

		log_begin(&line, LOG_LEVEL_INFO, name);
		log_number(&line, "n", i);
		log_end(&line);
	}
	return NULL;
}

static void
test_writer(void **state)
{
	static char names[THREADS][2] = { "a", "b", "c", "d" };
	int next[THREADS] = { 0 };
	pthread_t threads[THREADS];
	struct capture capture;
	struct error err;
	char *text, *rest, *line;

	(void)state;
	log_stop(); /* not started: nothing happens */
	capture_begin(&capture);
	assert_int_equal(log_start(&err), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_many,
				     names[i]),
		    0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	log_stop();
	log_message(LOG_LEVEL_INFO, "after", "x");
	text = capture_end(&capture);

	/* All lines of a thread are there, whole and in their order. */
	rest = text;
	for (int i = 0; i < THREADS * LINES; i++) {
		char expected[64];
		const char *event;
		size_t who;

		line = strsep(&rest, "\n");
		assert_non_null(line);
		event = strstr(line, "event=");
		assert_non_null(event);
		who = (size_t)(event[6] - 'a');
		assert_true(who < THREADS);
		(void)snprintf(expected, sizeof(expected),
		    " level=info event=%c n=%d", event[6], next[who]++);
		assert_line(line, expected);
	}
	line = strsep(&rest, "\n");
	assert_line(line, " level=info event=after message=x");
	assert_string_equal(rest, "");
	free(text);
}

struct drain {
	int fd;
	size_t len;
	char *text;
};

static void *
drain_main(void *arg)
{
	struct drain *drain = arg;
	ssize_t n;

	drain->text = xmalloc(8 * 1024 * 1024);
	while ((n = read(drain->fd, drain->text + drain->len, 65536)) > 0) {
		drain->len += (size_t)n;
		assert_true(drain->len < 7 * 1024 * 1024);
	}
	drain->text[drain->len] = '\0';
	return NULL;
}

static size_t
count_text(const char *text, const char *what)
{
	size_t count = 0;

	while ((text = strstr(text, what)) != NULL) {
		count++;
		text += strlen(what);
	}
	return count;
}

/*
 * Nobody reads the pipe at first: the queue fills up, lines are dropped and
 * counted, and none of those who log is held up.  nonblocking: the writer
 * must wait for room just the same.
 */
static void
fill_queue(bool nonblocking)
{
	const size_t lines = 12000;
	struct drain drain = { 0 };
	unsigned long long dropped = 0;
	char value[201];
	pthread_t reader;
	int fds[2], saved;
	struct error err;

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	assert_int_equal(pipe(fds), 0);
	saved = dup(STDERR_FILENO);
	assert_true(dup2(fds[1], STDERR_FILENO) >= 0);
	if (nonblocking)
		assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	(void)close(fds[1]);
	assert_int_equal(log_start(&err), 0);
	for (size_t i = 0; i < lines; i++) {
		struct log_line line;

		log_begin(&line, LOG_LEVEL_INFO, "fill");
		log_text(&line, "value", value);
		log_end(&line);
	}
	drain.fd = fds[0];
	assert_int_equal(pthread_create(&reader, NULL, drain_main, &drain), 0);
	log_stop();
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)close(saved);
	assert_int_equal(pthread_join(reader, NULL), 0);
	(void)close(fds[0]);

	for (const char *p = drain.text;
	     (p = strstr(p, "event=log-dropped lines=")) != NULL; p++)
		dropped += strtoull(strrchr(strndupa(p, 40), '=') + 1, NULL,
		    10);
	assert_true(dropped > 0);
	assert_int_equal(count_text(drain.text, "event=fill") + dropped, lines);
	assert_true(text_ends(drain.text, "\n"));
	free(drain.text);
}

static void
test_full(void **state)
{
	(void)state;
	fill_queue(false);
}

static void
test_full_nonblocking(void **state)
{
	(void)state;
	fill_queue(true);
}

/* Standard error is closed: nothing to be done, and nothing breaks. */
static void
test_closed(void **state)
{
	int saved = dup(STDERR_FILENO);

	(void)state;
	(void)close(STDERR_FILENO);
	log_message(LOG_LEVEL_ERROR, "lost", "x");
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)close(saved);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_level_parse),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_writer),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_full_nonblocking),
		cmocka_unit_test(test_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
