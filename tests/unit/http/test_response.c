#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/response.h"

static void
test_heads(void **state)
{
	static const struct {
		struct response response;
		const char *head;
	} cases[] = {
		{ { .status = 200,
		      .content_type = "text/xml",
		      .content_length = 1234,
		      .keep_alive = true },
		    "HTTP/1.1 200 OK\r\n"
		    "Content-Type: text/xml\r\n"
		    "Content-Length: 1234\r\n"
		    "Connection: keep-alive\r\n"
		    "\r\n" },
		{ { .status = 404 },
		    "HTTP/1.1 404 Not Found\r\n"
		    "Content-Length: 0\r\n"
		    "Connection: close\r\n"
		    "\r\n" },
		{ { .status = 405, .allow = "GET, HEAD" },
		    "HTTP/1.1 405 Method Not Allowed\r\n"
		    "Allow: GET, HEAD\r\n"
		    "Content-Length: 0\r\n"
		    "Connection: close\r\n"
		    "\r\n" },
		/* The example of RFC 9110 5.6.7. */
		{ { .status = 403, .date = 784111777 },
		    "HTTP/1.1 403 Forbidden\r\n"
		    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		    "Content-Length: 0\r\n"
		    "Connection: close\r\n"
		    "\r\n" },
		{ { .status = 206,
		      .content_type = "application/octet-stream",
		      .content_length = 100,
		      .content_encoding = "aes128gcm",
		      .content_range = "bytes 0-99/200",
		      .accept_ranges = true,
		      .etag = "\"a1\"",
		      .last_modified = 784111777 },
		    "HTTP/1.1 206 Partial Content\r\n"
		    "Content-Type: application/octet-stream\r\n"
		    "Content-Encoding: aes128gcm\r\n"
		    "Content-Range: bytes 0-99/200\r\n"
		    "Accept-Ranges: bytes\r\n"
		    "ETag: \"a1\"\r\n"
		    "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		    "Content-Length: 100\r\n"
		    "Connection: close\r\n"
		    "\r\n" },
		{ { .status = 299 },
		    "HTTP/1.1 299 Unknown\r\n"
		    "Content-Length: 0\r\n"
		    "Connection: close\r\n"
		    "\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t len = strlen(cases[i].head);
		struct buf buf;

		buf_init(&buf, len + 2);
		assert_int_equal(buf_append_text(&buf, "x\n"), 0);
		assert_int_equal(response_write_head(&cases[i].response, &buf),
		    0);
		assert_string_equal(buf_text(&buf) + 2, cases[i].head);
		buf_clear(&buf);

		/* One byte too few: nothing is written. */
		buf_init(&buf, len + 1);
		assert_int_equal(buf_append_text(&buf, "x\n"), 0);
		assert_int_equal(response_write_head(&cases[i].response, &buf),
		    -1);
		assert_string_equal(buf_text(&buf), "x\n");
		buf_clear(&buf);
	}
}

/* Every status that request.h announces has a reason of its own. */
static void
test_reasons(void **state)
{
	static const int statuses[] = { 200, 206, 301, 302, 400, 403, 404, 405,
		408, 413, 414, 416, 429, 431, 500, 503, 505 };

	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
		assert_string_not_equal(response_reason(statuses[i]),
		    "Unknown");
	assert_string_equal(response_reason(431),
	    "Request Header Fields Too Large");
	assert_string_equal(response_reason(0), "Unknown");
	assert_string_equal(response_reason(999), "Unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heads),
		cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
