#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/response.h"

#define OK "HTTP/1.1 200 OK\r\n"

/* Feed len bytes in pieces of step; *rc is what the last call returned. */
static struct reply *
feed(const char *data, size_t len, size_t step, bool head, bool end, int *rc,
    struct error *err)
{
	struct reply *reply = reply_new(head);

	*rc = 0;
	for (size_t at = 0; at < len && *rc == 0; at += step) {
		size_t n = len - at < step ? len - at : step;
		char *piece = malloc(n);

		assert_non_null(piece);
		memcpy(piece, data + at, n);
		*rc = reply_feed(reply, piece, n, err);
		free(piece);
	}
	if (*rc == 0 && end)
		*rc = reply_end(reply, err);
	return reply;
}

static const struct {
	const char *given;
	const char *body; /* NULL where the answer must be refused */
	const char *location;
	int status;
	bool head, end, has_content_length, chunked, keep_alive;
} cases[] = {
	{ OK "Content-Length: 3\r\n\r\nabc", "abc", "", 200, false, false, true,
	    false, true },
	{ OK "Content-Length: 0\r\n\r\n", "", "", 200, false, false, true,
	    false, true },
	{ OK "Content-Length: 3\r\nConnection: close\r\n\r\nabc", "abc", "",
	    200, false, false, true, false, false },
	/* The rest behind the answer is not ours to judge. */
	{ OK "Content-Length: 1\r\n\r\nabc", "a", "", 200, false, false, true,
	    false, true },
	{ "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", "a", "", 200, false,
	    false, true, false, false },
	{ "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"
	  "Content-Length: 1\r\n\r\na",
	    "a", "", 200, false, false, true, false, true },
	{ "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\na", "a", "", 200, false,
	    false, true, false, true },
	/* Until the connection is closed */
	{ OK "\r\nabc", "abc", "", 200, false, true, false, false, false },
	{ "HTTP/1.0 200 OK\r\n\r\n", "", "", 200, false, true, false, false,
	    false },
	/* Chunked, with extension and trailer */
	{ OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n"
	     "0\r\nLocation: /trailer\r\n\r\n",
	    "abcde", "", 200, false, false, false, true, true },
	{ OK "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", "", 200, false,
	    false, false, true, true },
	/* Without body whatever they say */
	{ OK "Content-Length: 5\r\n\r\n", "", "", 200, true, false, true, false,
	    true },
	{ OK "Content-Length: 99999999999\r\n\r\n", "", "", 200, true, false,
	    true, false, true },
	{ OK "Transfer-Encoding: chunked\r\n\r\n", "", "", 200, true, false,
	    false, true, true },
	{ OK "\r\n", "", "", 200, true, false, false, false, true },
	{ "HTTP/1.1 204 No Content\r\n\r\n", "", "", 204, false, false, false,
	    false, true },
	{ "HTTP/1.1 304 Not Modified\r\n\r\n", "", "", 304, false, false, false,
	    false, true },
	/* Redirects */
	{ "HTTP/1.1 302 Found\r\nLocation:  https://example.net/x \r\n"
	  "Content-Length: 0\r\n\r\n",
	    "", "https://example.net/x", 302, false, false, true, false, true },
	{ "HTTP/1.1 301 Moved\r\nLOCATION: /y\r\nLocationx: /z\r\n"
	  "Content-Length: 0\r\n\r\n",
	    "", "/y", 301, false, false, true, false, true },
	/* RFC 9110 15.2: a 1xx answer goes before the final one */
	{ "HTTP/1.1 100 Continue\r\nLocation: /no\r\n\r\n" OK
	  "Content-Length: 1\r\n\r\na",
	    "a", "", 200, false, false, true, false, true },
	{ "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 404 Not Found\r\n"
	  "Content-Length: 9\r\n\r\n",
	    "", "", 404, true, false, true, false, true },
	/* RFC 9112 6.3: it has no body, not even by its own word */
	{ "HTTP/1.1 100 Continue\r\nContent-Length: 8\r\n\r\n" OK
	  "Content-Length: 1\r\n\r\na",
	    "a", "", 200, false, false, true, false, true },
	{ "HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n" OK
	  "Content-Length: 1\r\n\r\na",
	    "a", "", 200, false, false, true, false, true },
	{ "HTTP/1.1 100 Continue\r\nContent-Length: 3\r\n\r\n" OK
	  "Content-Length: 5\r\n\r\n",
	    "", "", 200, true, false, true, false, true },
	{ "HTTP/1.1 100 Continue\r\nContent-Length: 3\r\n\r\nabc" OK
	  "Content-Length: 1\r\n\r\na",
	    NULL, NULL, 0, false, false, false, false, false },

	{ "", NULL, NULL, 0, false, true, false, false, false },
	{ OK, NULL, NULL, 0, false, true, false, false, false },
	{ "HTTP/1.1 100 Continue\r\n\r\n", NULL, NULL, 0, false, true, false,
	    false, false },
	{ OK "Content-Length: 3\r\n\r\nab", NULL, NULL, 0, false, true, false,
	    false, false },
	{ OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", NULL, NULL, 0,
	    false, true, false, false, false },
	{ OK "Transfer-Encoding: chunked\r\n\r\nx\r\n", NULL, NULL, 0, false,
	    false, false, false, false },
	{ OK "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", NULL, NULL, 0,
	    false, false, false, false, false },
	{ OK "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", NULL,
	    NULL, 0, false, false, false, false, false },
	{ OK "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", NULL,
	    NULL, 0, false, false, false, false, false },
	{ OK "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", NULL, NULL, 0,
	    false, false, false, false, false },
	{ OK "Content-Length: x\r\n\r\n", NULL, NULL, 0, false, false, false,
	    false, false },
	{ OK "Content-Length: 4194305\r\n\r\n", NULL, NULL, 0, false, false,
	    false, false, false },
	{ "HTTP/2.0 200 OK\r\n\r\n", NULL, NULL, 0, false, false, false, false,
	    false },
	{ "HTTP/0.9 200 OK\r\n\r\n", NULL, NULL, 0, false, false, false, false,
	    false },
	{ "HTTP/1.1 20 OK\r\n\r\n", NULL, NULL, 0, false, false, false, false,
	    false },
	{ "HTTP/1.1 099 OK\r\n\r\n", NULL, NULL, 0, false, false, false, false,
	    false },
	{ "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
	  "Upgrade: x\r\n\r\n",
	    NULL, NULL, 0, false, false, false, false, false },
	{ "RTSP/1.0 200 OK\r\n\r\n", NULL, NULL, 0, false, false, false, false,
	    false },
	{ "<html>", NULL, NULL, 0, false, false, false, false, false },
	{ "\x15\x03\x01", NULL, NULL, 0, false, false, false, false, false },
	{ OK "Loca tion: x\r\n\r\n", NULL, NULL, 0, false, false, false, false,
	    false },
	{ OK "Location: /a\r\nLocation: /b\r\n\r\n", NULL, NULL, 0, false,
	    false, false, false, false },
};

static void
check(size_t i, size_t step)
{
	struct error err = { 0 };
	const char *given = cases[i].given;
	struct reply *reply;
	size_t len;
	int rc;

	reply = feed(given, strlen(given), step, cases[i].head, cases[i].end,
	    &rc, &err);
	if (rc != (cases[i].body != NULL ? 1 : -1))
		fail_msg("\"%s\" by %zu: %d %s", given, step, rc, err.text);
	if (rc < 0) {
		assert_int_equal(err.kind, ERROR_INPUT);
		assert_memory_equal(err.text, "answer: ", 8);
		/* It stays refused, for the same reason. */
		assert_int_equal(reply_feed(reply, "x", 1, &err), -1);
		assert_int_equal(reply_end(reply, &err), -1);
	} else {
		const struct reply_head *head = reply_head(reply);

		assert_string_equal(reply_body(reply, &len), cases[i].body);
		assert_int_equal(len, strlen(cases[i].body));
		assert_int_equal(head->status, cases[i].status);
		assert_string_equal(head->location, cases[i].location);
		assert_int_equal(head->has_content_length,
		    cases[i].has_content_length);
		assert_int_equal(head->chunked, cases[i].chunked);
		if (head->keep_alive != cases[i].keep_alive)
			fail_msg("keep-alive: \"%s\"", given);
		/* It stays complete. */
		assert_int_equal(reply_feed(reply, "x", 1, &err), 1);
		assert_int_equal(reply_end(reply, &err), 1);
	}
	reply_free(reply);
}

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (size_t step = 1; step < 12; step++)
			check(i, step);
		check(i, SIZE_MAX / 2);
	}
}

static void
test_unfinished(void **state)
{
	struct error err;
	struct reply *reply;
	size_t len;
	int rc;

	(void)state;
	reply = feed(OK "Content-Length: 3\r\n\r\nab", 40, 7, false, false, &rc,
	    &err);
	assert_int_equal(rc, 0);
	assert_int_equal(reply_head(reply)->status, 200);
	assert_string_equal(reply_body(reply, &len), "ab");
	assert_int_equal(reply_end(reply, &err), -1);
	assert_string_equal(err.text,
	    "answer: connection closed before it was complete");
	reply_free(reply);
	reply = feed("", 0, 1, false, true, &rc, &err);
	assert_int_equal(rc, -1);
	assert_string_equal(err.text,
	    "answer: connection closed before it began");
	reply_free(reply);
	reply_free(NULL);
}

/* start, then fill bytes of 'x', then end; expect rc. */
static void
check_long(const char *start, size_t fill, const char *end, int expected,
    const char *text)
{
	static const size_t steps[] = { 1000, SIZE_MAX / 2 };
	size_t len = strlen(start) + fill + strlen(end);
	char *data = malloc(len + 1);

	assert_non_null(data);
	memset(data, 'x', len);
	memcpy(data, start, strlen(start));
	memcpy(data + strlen(start) + fill, end, strlen(end) + 1);
	for (size_t i = 0; i < 2; i++) {
		struct error err = { 0 };
		struct reply *reply;
		int rc;

		reply = feed(data, len, steps[i], false, false, &rc, &err);
		assert_int_equal(rc, expected);
		if (rc < 0)
			assert_string_equal(err.text, text);
		reply_free(reply);
	}
	free(data);
}

static void
test_limits(void **state)
{
	static const char head_end[] = "\r\nContent-Length: 0\r\n\r\n";
	size_t room = REPLY_HEAD_MAX - (sizeof(OK "X: ") - 1) -
	    (sizeof(head_end) - 1);

	(void)state;
	check_long(OK "X: ", room, head_end, 1, "");
	check_long(OK "X: ", room + 1, head_end, -1,
	    "answer: head past the limit");
	check_long(OK "X: ", 2 * REPLY_HEAD_MAX, head_end, -1,
	    "answer: head past the limit");
	check_long(OK "Location: ", 1023, head_end, 1, "");
	check_long(OK "Location: ", 1024, head_end, -1,
	    "answer: Location too long");
	check_long(OK "\r\n", REPLY_BODY_MAX, "", 0, "");
	check_long(OK "\r\n", REPLY_BODY_MAX + 1, "", -1,
	    "answer: body past the limit");
	check_long(OK "Transfer-Encoding: chunked\r\n\r\n400000\r\n",
	    REPLY_BODY_MAX, "\r\n0\r\n\r\n", 1, "");
	check_long(OK "Transfer-Encoding: chunked\r\n\r\n400001\r\n",
	    REPLY_BODY_MAX + 1, "\r\n0\r\n\r\n", -1,
	    "answer: body past the limit");
	check_long(OK "Transfer-Encoding: chunked\r\n\r\n0\r\nX: ",
	    REPLY_HEAD_MAX - 1, "\r\n\r\n", 1, "");
	check_long(OK "Transfer-Encoding: chunked\r\n\r\n0\r\nX: ",
	    REPLY_HEAD_MAX, "\r\n\r\n", -1,
	    "answer: trailers or chunk extensions too long");
	check_long(OK "Transfer-Encoding: chunked\r\n\r\n0;",
	    REPLY_HEAD_MAX + 1, "\r\n\r\n", -1,
	    "answer: trailers or chunk extensions too long");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_unfinished),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
