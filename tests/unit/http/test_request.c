#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/request.h"

#define H "Host: example.net\r\n"

/* What request_parse said, in one value that can be compared. */
struct verdict {
	enum request_status result;
	struct request request;
	size_t used;
	int status;
	struct error err;
};

static struct verdict
parse(const char *data, size_t len)
{
	struct verdict verdict = { .used = SIZE_MAX, .status = -1 };
	/* Exactly len bytes, so that reading past them is seen. */
	char *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	memcpy(copy, data, len);
	verdict.request.method_name[0] = '#';
	verdict.result = request_parse(&verdict.request, copy, len,
	    &verdict.used, &verdict.status, &verdict.err);
	free(copy);
	return verdict;
}

/*
 * Feed the bytes one by one, as a slow client would: the first verdict other
 * than "more" must be the one that all bytes at once get.
 */
static struct verdict
parse_both_ways(const char *data, size_t len)
{
	struct verdict whole = parse(data, len);

	for (size_t n = 0; n <= len; n++) {
		struct verdict part = parse(data, n);

		if (part.result == REQUEST_MORE) {
			assert_true(n < len || whole.result == REQUEST_MORE);
			continue;
		}
		assert_int_equal(part.result, whole.result);
		assert_int_equal(part.used, whole.used);
		assert_int_equal(part.request.framing, whole.request.framing);
		assert_int_equal(part.status, whole.status);
		assert_string_equal(part.err.text, whole.err.text);
		assert_string_equal(part.request.path, whole.request.path);
		if (part.result == REQUEST_COMPLETE)
			assert_int_equal(part.used, n);
		break;
	}
	return whole;
}

static const struct {
	const char *given;
	const char *path;
	const char *host;
	const char *user_agent;
	enum request_method method;
	bool http_1_0, keep_alive, has_body;
} good[] = {
	{ "GET / HTTP/1.1\r\n" H "\r\n", "/", "example.net", "", REQUEST_GET,
	    false, true, false },
	{ "HEAD /a HTTP/1.1\r\n" H "\r\n", "/a", "example.net", "",
	    REQUEST_HEAD, false, true, false },
	{ "GET /spa504G.cfg HTTP/1.0\r\n\r\n", "/spa504G.cfg", "", "",
	    REQUEST_GET, true, false, false },
	{ "GET /a?b=c%00 HTTP/1.1\r\n" H
	  "user-agent:Cisco/SPA504G-7.4.9c (000E08AABBCC)(CCQ00000000)  \r\n"
	  "\r\n",
	    "/a", "example.net",
	    "Cisco/SPA504G-7.4.9c (000E08AABBCC)(CCQ00000000)", REQUEST_GET,
	    false, true, false },
	{ "GET /a HTTP/1.1\r\nHOST:\t[2001:db8::1]:443 \t\r\n\r\n", "/a",
	    "[2001:db8::1]:443", "", REQUEST_GET, false, true, false },
	/* Field order, empty values, bytes past ASCII, two User-Agents */
	{ "GET /a HTTP/1.1\r\nAccept:\r\nX-Y: \xe4\tz\r\nUser-Agent: a\r\n"
	  "User-Agent: b\r\n" H "\r\n",
	    "/a", "example.net", "a", REQUEST_GET, false, true, false },
	/* RFC 9112 9.3 */
	{ "GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n", "/",
	    "example.net", "", REQUEST_GET, false, false, false },
	{ "GET / HTTP/1.1\r\n" H "Connection: keep-alive\r\n\r\n", "/",
	    "example.net", "", REQUEST_GET, false, true, false },
	{ "GET / HTTP/1.1\r\n" H "Connection: TE, Close\r\n\r\n", "/",
	    "example.net", "", REQUEST_GET, false, false, false },
	{ "GET / HTTP/1.1\r\n" H "Connection: close-not\r\n\r\n", "/",
	    "example.net", "", REQUEST_GET, false, true, false },
	{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "/", "", "",
	    REQUEST_GET, true, true, false },
	{ "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", "/", "",
	    "", REQUEST_GET, true, false, false },
	{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n"
	  "\r\n",
	    "/", "", "", REQUEST_GET, true, false, false },
	{ "GET / HTTP/1.0\r\nConnection: close\r\n\r\n", "/", "", "",
	    REQUEST_GET, true, false, false },
	/* An upgrade that nobody answers */
	{ "GET / HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
	    "/", "example.net", "", REQUEST_GET, false, true, false },
	/* RFC 9112 2.2: one empty line before the request line */
	{ "\r\nGET / HTTP/1.1\r\n" H "\r\n", "/", "example.net", "",
	    REQUEST_GET, false, true, false },
	/* RFC 9112 3.2.2: absolute form; its host counts */
	{ "GET https://192.0.2.1:8443/x?y HTTP/1.1\r\n" H "\r\n", "/x",
	    "192.0.2.1:8443", "", REQUEST_GET, false, true, false },
	{ "GET HTTP://example.org HTTP/1.0\r\n\r\n", "/", "example.org", "",
	    REQUEST_GET, true, false, false },
	{ "GET /%61%2D HTTP/1.1\r\n" H "\r\n", "/a-", "example.net", "",
	    REQUEST_GET, false, true, false },
	/* Bodies */
	{ "GET / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", "/",
	    "example.net", "", REQUEST_GET, false, true, false },
	{ "POST /r HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\n", "/r",
	    "example.net", "", REQUEST_POST, false, true, true },
	{ "PUT /r HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n", "/r",
	    "example.net", "", REQUEST_PUT, false, true, true },
	{ "POST /r HTTP/1.1\r\n" H "\r\n", "/r", "example.net", "",
	    REQUEST_POST, false, true, false },
	{ "POST /r HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", "/r",
	    "example.net", "", REQUEST_POST, false, true, false },
	{ "PATCH /r HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\n", "/r",
	    "example.net", "", REQUEST_OTHER, false, true, true },
	{ "UNSUBSCRIBE /r HTTP/1.1\r\n" H "\r\n", "/r", "example.net", "",
	    REQUEST_OTHER, false, true, false },
};

static void
test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		size_t len = strlen(good[i].given);
		struct verdict v = parse_both_ways(good[i].given, len);
		const char *method = good[i].given +
		    (good[i].given[0] == '\r' ? 2 : 0);

		if (v.result != REQUEST_COMPLETE)
			fail_msg("\"%s\": %d %s", good[i].given, v.status,
			    v.err.text);
		assert_int_equal(v.used, len);
		assert_string_equal(v.request.path, good[i].path);
		assert_string_equal(v.request.host, good[i].host);
		assert_string_equal(v.request.user_agent, good[i].user_agent);
		assert_int_equal(v.request.method, good[i].method);
		assert_int_equal(v.request.http_1_0, good[i].http_1_0);
		if (v.request.keep_alive != good[i].keep_alive)
			fail_msg("keep-alive: \"%s\"", good[i].given);
		assert_int_equal(request_has_body(&v.request),
		    good[i].has_body);
		assert_memory_equal(v.request.method_name, method,
		    strlen(v.request.method_name));
		assert_int_equal(method[strlen(v.request.method_name)], ' ');
	}
}

#define BAD(text, status) \
	{ \
		text, sizeof(text) - 1, status \
	}
static const struct {
	const char *given;
	size_t len;
	int status;
} bad[] = {
	/* Lines */
	BAD("GET / HTTP/1.1\n" H "\r\n", 400),
	BAD("GET / HTTP/1.1\r\nHost: example.net\n\r\n", 400),
	BAD("GET / HTTP/1.1\r\n" H "\n", 400),
	BAD("\nGET / HTTP/1.1\r\n" H "\r\n", 400),
	BAD("GET / HTTP/1.1\r" H "\r\n", 400),
	BAD("GET / HTTP/1.1\r\nX: a\rb\r\n" H "\r\n", 400),
	BAD("GET / HTTP/1.1\r\r\n" H "\r\n", 400),
	BAD("GET / HTTP/1.1\r\n" H "\r\r\n", 400),
	BAD("\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", 400),
	BAD("\rGET / HTTP/1.1\r\n" H "\r\n", 400),
	/* Request line */
	BAD("GET /x\r\n", 400),
	BAD("GET\r\n", 400),
	BAD(" GET / HTTP/1.1\r\n", 400),
	BAD("GET  / HTTP/1.1\r\n", 400),
	BAD("GET /  HTTP/1.1\r\n", 400),
	BAD("GET / HTTP/1.1 \r\n", 400),
	BAD("GET /a b HTTP/1.1\r\n", 400),
	BAD("GET\t/ HTTP/1.1\r\n", 400),
	BAD("GET / \r\n", 400),
	BAD("GET / HTTP/0.9\r\n", 505),
	BAD("GET / HTTP/1.2\r\n", 505),
	BAD("GET / HTTP/2.0\r\n", 505),
	BAD("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
	BAD("GET / HTTP/1\r\n", 400),
	BAD("GET / HTTP/11.1\r\n", 400),
	BAD("GET / HTTP/1.10\r\n", 400),
	BAD("GET / HTTP/1.x\r\n", 400),
	BAD("GET / http/1.1\r\n", 400),
	BAD("GET / RTSP/1.0\r\n", 400),
	BAD("SOURCE / ICE/1.0\r\n", 400),
	BAD("DESCRIBE / HTTP/1.1\r\n" H "\r\n", 400),
	BAD("get / HTTP/1.1\r\n" H "\r\n", 400),
	BAD("FETCH / HTTP/1.1\r\n" H "\r\n", 400),
	BAD("G/T / HTTP/1.1\r\n" H "\r\n", 400),
	BAD("\x16\x03\x01\x02\x00\x01", 400), /* a TLS ClientHello */
	/* Targets */
	BAD("GET * HTTP/1.1\r\n" H "\r\n", 400),
	BAD("OPTIONS * HTTP/1.1\r\n" H "\r\n", 400),
	BAD("CONNECT example.net:443 HTTP/1.1\r\n" H "\r\n", 400),
	BAD("GET example.net:443 HTTP/1.1\r\n" H "\r\n", 400),
	BAD("GET ftp://example.net/ HTTP/1.1\r\n" H "\r\n", 400),
	BAD("GET http:///x HTTP/1.1\r\n" H "\r\n", 400),
	BAD("GET http://u@example.net/x HTTP/1.1\r\n" H "\r\n", 400),
	BAD("GET http://example.net:99999/ HTTP/1.1\r\n" H "\r\n", 400),
	BAD("GET https://example.net/x HTTP/1.1\r\n\r\n", 400), /* no Host */
	BAD("GET /a#b HTTP/1.1\r\n" H "\r\n", 400),
	BAD("GET /../a HTTP/1.1\r\n" H "\r\n", 400),
	BAD("GET /a/./b HTTP/1.1\r\n" H "\r\n", 400),
	BAD("GET /%2e%2e/a HTTP/1.1\r\n" H "\r\n", 400),
	BAD("GET //a HTTP/1.1\r\n" H "\r\n", 400),
	BAD("GET /a%2fb HTTP/1.1\r\n" H "\r\n", 400),
	BAD("GET /a%00 HTTP/1.1\r\n" H "\r\n", 400),
	BAD("GET /a\\b HTTP/1.1\r\n" H "\r\n", 400),
	BAD("GET /\xc3\xa4 HTTP/1.1\r\n", 400),
	BAD("GET /\0 HTTP/1.1\r\n", 400),
	BAD("GET /\x7f HTTP/1.1\r\n", 400),
	BAD("GET /a?b% HTTP/1.1\r\n" H "\r\n", 400),
	BAD("GET /a?b%4 HTTP/1.1\r\n" H "\r\n", 400),
	BAD("GET /a?b%4gc HTTP/1.1\r\n" H "\r\n", 400),
	BAD("GET /a?b#c HTTP/1.1\r\n" H "\r\n", 400),
	BAD("GET /a?b\xc3\xa4 HTTP/1.1\r\n", 400),
	/* Header lines */
	BAD("GET / HTTP/1.1\r\nX: a\r\n b\r\n", 400),
	BAD("GET / HTTP/1.1\r\nX: a\r\n\tb\r\n", 400),
	BAD("GET / HTTP/1.1\r\n X: a\r\n", 400),
	BAD("GET / HTTP/1.1\r\nHost : example.net\r\n", 400),
	BAD("GET / HTTP/1.1\r\nHo st: example.net\r\n", 400),
	BAD("GET / HTTP/1.1\r\nHost\t: example.net\r\n", 400),
	BAD("GET / HTTP/1.1\r\nHost\r\n", 400),
	BAD("GET / HTTP/1.1\r\n: x\r\n", 400),
	BAD("GET / HTTP/1.1\r\nH\xc3\xb6st: x\r\n", 400),
	BAD("GET / HTTP/1.1\r\nX(y): x\r\n", 400),
	BAD("GET / HTTP/1.1\r\nX: a\0b\r\n", 400),
	BAD("GET / HTTP/1.1\r\nX: a\x1b[2J\r\n", 400),
	BAD("GET / HTTP/1.1\r\nX: a\x7f\r\n", 400),
	BAD("GET / HTTP/1.1\r\nX: a\x0b\r\n", 400),
	/* Host */
	BAD("GET / HTTP/1.1\r\n\r\n", 400),
	BAD("GET / HTTP/1.1\r\n" H H "\r\n", 400),
	BAD("GET / HTTP/1.0\r\n" H H "\r\n", 400),
	BAD("GET / HTTP/1.1\r\n" H "hOST: a\r\n\r\n", 400),
	BAD("GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
	BAD("GET / HTTP/1.1\r\nHost:  \r\n\r\n", 400),
	BAD("GET / HTTP/1.0\r\nHost:\r\n\r\n", 400),
	BAD("GET / HTTP/1.1\r\nX: example.net\r\nHost:\r\n\r\n", 400),
	BAD("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
	BAD("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
	BAD("GET / HTTP/1.1\r\nHost: u@example.net\r\n\r\n", 400),
	BAD("GET / HTTP/1.1\r\nHost: example.net/x\r\n\r\n", 400),
	BAD("GET / HTTP/1.1\r\nHost: example.net:x\r\n\r\n", 400),
	BAD("GET / HTTP/1.1\r\nHost: 2001:db8::1\r\n\r\n", 400),
	/* Fields that must not mean two things */
	BAD("GET / HTTP/1.1\r\n" H "Range: bytes=0-1\r\nrange: bytes=2-3\r\n"
	    "\r\n",
	    400),
	BAD("GET / HTTP/1.1\r\n" H "If-Range: \"a\"\r\nIf-Range: \"b\"\r\n"
	    "\r\n",
	    400),
	BAD("PUT / HTTP/1.1\r\n" H "Content-Encoding: gzip\r\n"
	    "Content-Encoding: gzip\r\n\r\n",
	    400),
	BAD("PUT / HTTP/1.1\r\n" H "Content-Type: a/b\r\n"
	    "Content-Type: a/b\r\n\r\n",
	    400),
	BAD("PUT / HTTP/1.1\r\n" H "Expect: 100-continue\r\n"
	    "Expect: 100-continue\r\n\r\n",
	    400),
	/* Bodies */
	BAD("GET / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx", 413),
	BAD("HEAD / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\n", 413),
	BAD("GET / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n", 413),
	BAD("POST / HTTP/1.1\r\n" H "Content-Length: 1\r\n"
	    "Content-Length: 1\r\n\r\n",
	    400),
	BAD("POST / HTTP/1.1\r\n" H "Content-Length: 1\r\n"
	    "Content-Length: 2\r\n\r\n",
	    400),
	BAD("GET / HTTP/1.1\r\n" H "Content-Length: 0\r\n"
	    "Content-Length: 0\r\n\r\n",
	    400),
	BAD("POST / HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\n", 400),
	BAD("POST / HTTP/1.1\r\n" H "Content-Length: 1 1\r\n\r\n", 400),
	BAD("POST / HTTP/1.1\r\n" H "Content-Length: x\r\n\r\n", 400),
	BAD("POST / HTTP/1.1\r\n" H "Content-Length: 0x1\r\n\r\n", 400),
	BAD("POST / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\n", 400),
	BAD("POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n", 400),
	BAD("POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", 400),
	BAD("POST / HTTP/1.1\r\n" H
	    "Content-Length: 18446744073709551616\r\n\r\n",
	    400),
	BAD("POST / HTTP/1.1\r\n" H "Content-Length: 1\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n",
	    400),
	BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
	    "Content-Length: 1\r\n\r\n",
	    400),
	BAD("GET / HTTP/1.1\r\n" H "Content-Length: 0\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n",
	    400),
	BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\n", 400),
	BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, gzip\r\n\r\n",
	    400),
	BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n", 400),
	BAD("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
};

static void
test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct verdict v = parse_both_ways(bad[i].given, bad[i].len);

		if (v.result != REQUEST_INVALID || v.status != bad[i].status)
			fail_msg("\"%s\": result %d, status %d, %s",
			    bad[i].given, (int)v.result, v.status, v.err.text);
		assert_int_equal(v.err.kind, ERROR_INPUT);
		assert_true(v.err.text[0] != '\0');
		/* Outputs of a request are as they were. */
		assert_int_equal(v.used, SIZE_MAX);
		assert_string_equal(v.request.method_name, "#");
	}
}

/* What a request has besides path, host and agent. */
static void
test_fields(void **state)
{
	static const char put[] =
	    "PUT /report?a=%2F&b?c HTTP/1.1\r\n" H
	    "RANGE: bytes=0-99 \r\nif-range:\t\"x\"\r\n"
	    "Content-Encoding: gzip\r\nContent-Type: text/xml\r\n"
	    "Expect: 100-Continue\r\nContent-Length: 12\r\n\r\n";
	struct verdict v;

	(void)state;
	v = parse_both_ways(put, strlen(put));
	assert_int_equal(v.result, REQUEST_COMPLETE);
	assert_int_equal(v.request.method, REQUEST_PUT);
	assert_string_equal(v.request.path, "/report");
	assert_string_equal(v.request.query, "a=%2F&b?c");
	assert_string_equal(v.request.range, "bytes=0-99");
	assert_string_equal(v.request.if_range, "\"x\"");
	assert_string_equal(v.request.content_encoding, "gzip");
	assert_string_equal(v.request.content_type, "text/xml");
	assert_int_equal(v.request.expect, REQUEST_EXPECT_CONTINUE);
	assert_int_equal(v.request.framing, REQUEST_LENGTH);
	assert_int_equal(v.request.body_length, 12);
}

static void
test_query(void **state)
{
	static const struct {
		const char *target, *path, *query;
	} cases[] = {
		{ "/a", "/a", "" },
		{ "/a?", "/a", "" },
		{ "/a?key=7", "/a", "key=7" },
		{ "/a?b?c", "/a", "b?c" },
		{ "/a?../b//c", "/a", "../b//c" },
		{ "/a?%00%41", "/a", "%00%41" },
		{ "https://example.net?x", "/", "x" },
		{ "https://example.net/y?x", "/y", "x" },
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct verdict v;
		int len = snprintf(text, sizeof(text),
		    "GET %s HTTP/1.1\r\n" H "\r\n", cases[i].target);

		v = parse(text, (size_t)len);
		assert_int_equal(v.result, REQUEST_COMPLETE);
		assert_string_equal(v.request.path, cases[i].path);
		assert_string_equal(v.request.query, cases[i].query);
	}
}

/* A value of len bytes in that field of a GET. */
static struct verdict
parse_long(const char *start, size_t len)
{
	char text[4096];
	struct verdict v;
	int n = snprintf(text, sizeof(text), "%s%0*d", start, (int)len, 0);

	n += snprintf(text + n, sizeof(text) - (size_t)n, "%s\r\n\r\n",
	    strstr(start, "HTTP/") == NULL ? " HTTP/1.1\r\n" H : "");
	v = parse(text, (size_t)n);
	return v;
}

static void
test_long_fields(void **state)
{
	static const struct {
		const char *start;
		size_t max;
		int status;
	} cases[] = {
		{ "GET / HTTP/1.1\r\n" H "Range: ", 127, 431 },
		{ "GET / HTTP/1.1\r\n" H "If-Range: ", 127, 431 },
		{ "GET / HTTP/1.1\r\n" H "Content-Encoding: ", 63, 431 },
		{ "GET / HTTP/1.1\r\n" H "Content-Type: ", 127, 431 },
		{ "GET / HTTP/1.1\r\n" H "Expect: ", 63, 431 },
		{ "GET /?", REQUEST_QUERY_MAX, 414 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct verdict v = parse_long(cases[i].start, cases[i].max);

		assert_int_equal(v.result, REQUEST_COMPLETE);
		v = parse_long(cases[i].start, cases[i].max + 1);
		assert_int_equal(v.result, REQUEST_INVALID);
		assert_int_equal(v.status, cases[i].status);
	}
}

static void
test_expect(void **state)
{
	static const struct {
		const char *fields;
		enum request_expect expect;
	} cases[] = {
		{ "PUT / HTTP/1.1\r\n" H, REQUEST_EXPECT_NOTHING },
		{ "PUT / HTTP/1.1\r\n" H "Expect:\r\n",
		    REQUEST_EXPECT_NOTHING },
		{ "PUT / HTTP/1.1\r\n" H "Expect: 100-continue\r\n",
		    REQUEST_EXPECT_CONTINUE },
		{ "PUT / HTTP/1.1\r\n" H "Expect: 200-ok\r\n",
		    REQUEST_EXPECT_UNKNOWN },
		/* RFC 9110 10.1.1 */
		{ "PUT / HTTP/1.0\r\nExpect: 100-continue\r\n",
		    REQUEST_EXPECT_NOTHING },
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct verdict v;
		int len = snprintf(text, sizeof(text), "%s\r\n",
		    cases[i].fields);

		v = parse(text, (size_t)len);
		assert_int_equal(v.result, REQUEST_COMPLETE);
		assert_int_equal(v.request.expect, cases[i].expect);
	}
}

static void
test_messages(void **state)
{
	static const struct {
		const char *given;
		const char *text;
	} messages[] = {
		{ "GET / HTTP/1.1\n",
		    "bare LF at offset 14 of the head "
		    "(RFC 9112 2.2)" },
		{ "GET / HTTP/1.1\rx",
		    "bare CR at offset 14 of the head "
		    "(RFC 9112 2.2)" },
		{ "GET /\x01", "byte 0x01 at offset 5 of the head" },
		{ "GET / HTTP/3.0\r\n",
		    "version HTTP/3.0: expected HTTP/1.0 "
		    "or HTTP/1.1" },
		{ "GET / HTTP/1.1\r\nA: b\r\nC\r\n",
		    "header line 2 is not a "
		    "token followed by ':' (RFC 9112 5)" },
		{ "GET /a/../b HTTP/1.1\r\n" H "\r\n",
		    "dot segment in the path" },
		{ "HEAD / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\n",
		    "HEAD with a body" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
		struct verdict v = parse(messages[i].given,
		    strlen(messages[i].given));

		assert_int_equal(v.result, REQUEST_INVALID);
		assert_string_equal(v.err.text, messages[i].text);
	}
}

static void
test_pipelined(void **state)
{
	static const char first[] = "GET /1 HTTP/1.1\r\n" H "\r\n";
	static const char both[] = "GET /1 HTTP/1.1\r\n" H "\r\n"
				   "GET /2 HTTP/1.1\r\n" H "\r\n\0 rubbish";
	struct verdict v;

	(void)state;
	v = parse_both_ways(both, sizeof(both) - 1);
	assert_int_equal(v.result, REQUEST_COMPLETE);
	assert_int_equal(v.used, sizeof(first) - 1);
	assert_string_equal(v.request.path, "/1");
	v = parse(both + v.used, sizeof(both) - 1 - v.used);
	assert_int_equal(v.result, REQUEST_COMPLETE);
	assert_string_equal(v.request.path, "/2");
}

/* A request line, then fields until the head has len bytes. */
static char *
head_of(size_t len)
{
	static const char start[] = "GET / HTTP/1.1\r\n" H "X: ";
	char *head = malloc(len + 1);

	assert_non_null(head);
	memset(head, 'x', len);
	memcpy(head, start, sizeof(start) - 1);
	memcpy(head + len - 4, "\r\n\r\n", 5);
	return head;
}

static void
test_head_limit(void **state)
{
	char *head = head_of(REQUEST_HEAD_MAX);
	struct verdict v = parse(head, REQUEST_HEAD_MAX);

	(void)state;
	assert_int_equal(v.result, REQUEST_COMPLETE);
	assert_int_equal(v.used, REQUEST_HEAD_MAX);
	assert_int_equal(parse(head, REQUEST_HEAD_MAX - 1).result,
	    REQUEST_MORE);
	free(head);

	head = head_of(REQUEST_HEAD_MAX + 1);
	v = parse(head, REQUEST_HEAD_MAX + 1);
	assert_int_equal(v.result, REQUEST_INVALID);
	assert_int_equal(v.status, 431);
	/* No byte more is waited for than could be used. */
	v = parse(head, REQUEST_HEAD_MAX);
	assert_int_equal(v.result, REQUEST_INVALID);
	assert_int_equal(v.status, 431);
	free(head);
}

static void
test_target_limit(void **state)
{
	static const char end[] = " HTTP/1.1\r\n" H "\r\n";
	char text[REQUEST_TARGET_MAX + 64];
	struct verdict v;
	size_t len;

	(void)state;
	len = (size_t)snprintf(text, sizeof(text), "GET /%0*d%s",
	    REQUEST_TARGET_MAX - 1, 0, end);
	v = parse(text, len);
	assert_int_equal(v.result, REQUEST_COMPLETE);
	assert_int_equal(strlen(v.request.path), REQUEST_TARGET_MAX);
	assert_string_equal(v.request.path, v.request.target);

	len = (size_t)snprintf(text, sizeof(text), "GET /%0*d%s",
	    REQUEST_TARGET_MAX, 0, end);
	assert_int_equal(parse(text, len).status, 414);
	/* Refused as soon as it is known. */
	v = parse(text, sizeof("GET ") - 1 + REQUEST_TARGET_MAX + 1);
	assert_int_equal(v.result, REQUEST_INVALID);
	assert_int_equal(v.status, 414);
	v = parse(text, sizeof("GET ") - 1 + REQUEST_TARGET_MAX);
	assert_int_equal(v.result, REQUEST_MORE);
}

static void
test_field_limit(void **state)
{
	char text[REQUEST_HEAD_MAX] = "GET / HTTP/1.1\r\n" H;
	size_t len = strlen(text);
	struct verdict v;

	(void)state;
	for (size_t i = 1; i < REQUEST_HEADERS_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "X-%zu: y\r\n", i);
	memcpy(text + len, "\r\n", 3);
	v = parse(text, len + 2);
	assert_int_equal(v.result, REQUEST_COMPLETE);
	memcpy(text + len, "Y: z\r\n\r\n", 9);
	v = parse(text, len + 8);
	assert_int_equal(v.result, REQUEST_INVALID);
	assert_int_equal(v.status, 431);
}

/* What is only shown is cut; what decides is refused when it does not fit. */
static void
test_long_values(void **state)
{
	char text[2048], host[300];
	struct verdict v;
	size_t len;

	(void)state;
	len = (size_t)snprintf(text, sizeof(text),
	    "GET / HTTP/1.1\r\n" H "User-Agent: %0*d\r\n\r\n", 1000, 0);
	v = parse(text, len);
	assert_int_equal(v.result, REQUEST_COMPLETE);
	assert_int_equal(strlen(v.request.user_agent),
	    sizeof(v.request.user_agent) - 1);

	memset(host, 'a', sizeof(host));
	for (size_t i = 49; i < sizeof(host); i += 50)
		host[i] = '.';
	len = (size_t)snprintf(text, sizeof(text),
	    "GET / HTTP/1.1\r\nHost: %.253s\r\n\r\n", host);
	v = parse(text, len);
	assert_int_equal(v.result, REQUEST_COMPLETE);
	assert_int_equal(strlen(v.request.host), 253);
	len = (size_t)snprintf(text, sizeof(text),
	    "GET / HTTP/1.1\r\nHost: %.253s:443\r\n\r\n", host);
	assert_int_equal(parse(text, len).status, 400);
	len = (size_t)snprintf(text, sizeof(text),
	    "GET / HTTP/1.1\r\nHost: %.254s\r\n\r\n", host);
	assert_int_equal(parse(text, len).status, 400);
}

/*
 * Change, drop or double single bytes of good requests: whatever comes out,
 * it is the same in one piece and byte by byte, and its path is plain.
 */
static void
test_mutations(void **state)
{
	static const char bytes[] = "\r\n \t\0:/.%\\;#?aA1\x7f\xff";
	uint32_t random = 1;

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		char text[512];
		size_t which, len, at;
		struct verdict v;

		random = random * 1664525 + 1013904223;
		which = (random >> 16) % (sizeof(good) / sizeof(*good));
		len = strlen(good[which].given);
		memcpy(text, good[which].given, len);
		random = random * 1664525 + 1013904223;
		at = (random >> 16) % len;
		random = random * 1664525 + 1013904223;
		if ((random >> 20) % 4 == 0) {
			memmove(text + at, text + at + 1, len-- - at - 1);
		} else if ((random >> 20) % 4 == 1) {
			memmove(text + at + 1, text + at, len++ - at);
		} else {
			text[at] = bytes[(random >> 8) % (sizeof(bytes) - 1)];
		}
		v = parse_both_ways(text, len);
		if (v.result != REQUEST_COMPLETE)
			continue;
		assert_int_equal(v.request.path[0], '/');
		assert_null(strstr(v.request.path, "//"));
		assert_null(strstr(v.request.path, "/../"));
		assert_null(strpbrk(v.request.path, "%\\?#"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_long_fields),
		cmocka_unit_test(test_expect),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_head_limit),
		cmocka_unit_test(test_target_limit),
		cmocka_unit_test(test_field_limit),
		cmocka_unit_test(test_long_values),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
