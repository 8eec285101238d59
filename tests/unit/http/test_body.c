#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/body.h"
#include "http/request.h"

#define MAX 64

static const struct request chunked = { .framing = REQUEST_CHUNKED };

/* Feed the text in pieces of step bytes: what body_feed() said at last. */
static int
feed(const struct request *request, const char *text, size_t len, size_t step,
    char out[MAX + 1], size_t *used, int *status)
{
	struct body *body = body_new(request, MAX);
	struct error err = { 0 };
	size_t at = 0, taken, out_len;
	const char *bytes;
	int rc = 0;

	*status = 0;
	do {
		size_t piece = len - at < step ? len - at : step;

		taken = 0;
		rc = body_feed(body, text + at, piece, &taken, status, &err);
		if (rc == 0)
			assert_int_equal(taken, piece);
		at += taken;
	} while (rc == 0 && at < len);
	bytes = body_bytes(body, &out_len);
	assert_true(out_len <= MAX);
	memcpy(out, bytes, out_len);
	out[out_len] = '\0';
	if (rc < 0) {
		assert_int_equal(err.kind, ERROR_INPUT);
		assert_true(err.text[0] != '\0');
	}
	*used = at;
	body_free(body);
	return rc;
}

static const struct {
	const char *given;
	const char *body; /* NULL: refused */
	size_t left;	  /* bytes after it */
	int status;
} cases[] = {
	{ "0\r\n\r\n", "", 0, 0 },
	{ "5\r\nhello\r\n0\r\n\r\n", "hello", 0, 0 },
	{ "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\nGET /", "hello!", 5, 0 },
	{ "00005\r\nhello\r\n000\r\n\r\n", "hello", 0, 0 },
	{ "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
	    "01234567890123456789", 0, 0 },
	{ "2;x=y;z=\"q\"\r\n\r\n\r\n0;last\r\n\r\n", "\r\n", 0, 0 },
	{ "1 ; x\r\na\r\n0\r\n\r\n", "a", 0, 0 },
	{ "1\r\na\r\n0\r\nX: y\r\nZ:\r\n\r\n", "a", 0, 0 },
	{ "40\r\n0123456789012345678901234567890123456789012345678901234567890"
	  "123\r\n0\r\n\r\n",
	    "0123456789012345678901234567890123456789012345678901234567890"
	    "123",
	    0, 0 },
	/* Past the limit: known from the size alone */
	{ "41\r\n", NULL, 0, 413 },
	{ "3f\r\n012345678901234567890123456789012345678901234567890123456789"
	  "012\r\n2\r\n",
	    NULL, 0, 413 },
	{ "fffffffffffffff\r\n", NULL, 0, 413 },
	{ "ffffffffffffffff\r\n", NULL, 0, 400 },
	{ "00000000000000000000005\r\n", NULL, 0, 400 },
	/* Malformed */
	{ "\r\n", NULL, 0, 400 },
	{ ";x\r\n", NULL, 0, 400 },
	{ " 5\r\nhello\r\n0\r\n\r\n", NULL, 0, 400 },
	{ "g\r\n", NULL, 0, 400 },
	{ "0x5\r\nhello\r\n", NULL, 0, 400 },
	{ "-5\r\n", NULL, 0, 400 },
	{ "5\nhello\r\n0\r\n\r\n", NULL, 0, 400 },
	{ "5;x\nhello\r\n0\r\n\r\n", NULL, 0, 400 },
	{ "5\rhello", NULL, 0, 400 },
	{ "5\r\nhello0\r\n\r\n", NULL, 0, 400 },
	{ "5\r\nhello!\r\n", NULL, 0, 400 },
	{ "5\r\nhello\n0\r\n\r\n", NULL, 0, 400 },
	{ "5\r\nhello\r0\r\n\r\n", NULL, 0, 400 },
	{ "5\r\nhell\r\n0\r\n\r\n", NULL, 0, 400 },
	{ "0\r\n\n", NULL, 0, 400 },
	{ "0\r\nX: y\n\r\n", NULL, 0, 400 },
	{ "0\r\nX: y\rz", NULL, 0, 400 },
};

static void
test_chunked(void **state)
{
	char out[MAX + 1];
	size_t used;
	int status;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t len = strlen(cases[i].given);

		for (size_t step = 1; step <= len; step++) {
			int rc = feed(&chunked, cases[i].given, len, step, out,
			    &used, &status);

			if (rc != (cases[i].body != NULL ? 1 : -1) ||
			    status != cases[i].status)
				fail_msg("case %zu by %zu: %d, status %d", i,
				    step, rc, status);
			if (rc < 0)
				continue;
			assert_string_equal(out, cases[i].body);
			assert_int_equal(len - used, cases[i].left);
		}
	}
}

static void
test_cut(void **state)
{
	static const char whole[] = "5;x\r\nhello\r\n0\r\nX: y\r\n\r\n";
	char out[MAX + 1];
	size_t used;
	int status;

	(void)state;
	for (size_t len = 1; len < sizeof(whole) - 1; len++)
		assert_int_equal(feed(&chunked, whole, len, len, out, &used,
				     &status),
		    0);
}

/* What costs no memory is bounded as well. */
static void
test_overhead(void **state)
{
	char line[BODY_TRAILER_MAX + 16];
	char out[MAX + 1];
	size_t used;
	int status;

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "1;", 2);
	assert_int_equal(feed(&chunked, line, BODY_CHUNK_LINE_MAX, 7, out,
			     &used, &status),
	    0);
	assert_int_equal(feed(&chunked, line, BODY_CHUNK_LINE_MAX + 1, 7, out,
			     &used, &status),
	    -1);
	memcpy(line, "0\r\n", 3);
	assert_int_equal(feed(&chunked, line, 3 + BODY_TRAILER_MAX, 100, out,
			     &used, &status),
	    0);
	assert_int_equal(feed(&chunked, line, 4 + BODY_TRAILER_MAX, 100, out,
			     &used, &status),
	    -1);
	assert_int_equal(status, 400);
}

static void
test_length(void **state)
{
	struct request request = { .framing = REQUEST_LENGTH,
		.body_length = 5 };
	char out[MAX + 1];
	size_t used;
	int status;

	(void)state;
	for (size_t step = 1; step < 8; step++) {
		assert_int_equal(feed(&request, "helloGET", 8, step, out, &used,
				     &status),
		    1);
		assert_string_equal(out, "hello");
		assert_int_equal(used, 5);
	}
	assert_int_equal(feed(&request, "hell", 4, 4, out, &used, &status), 0);
	request.body_length = 0;
	assert_int_equal(feed(&request, "GET", 3, 3, out, &used, &status), 1);
	assert_int_equal(used, 0);
	request.body_length = MAX + 1;
	assert_int_equal(feed(&request, "x", 1, 1, out, &used, &status), -1);
	assert_int_equal(status, 413);
	request.body_length = UINT64_MAX;
	assert_int_equal(feed(&request, "x", 1, 1, out, &used, &status), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chunked),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_overhead),
		cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
