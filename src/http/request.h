/*
 * request.h -- bytes from a client become one HTTP/1.x request.
 *
 * Strict on purpose: what an honest device sends is simple, and everything
 * else is refused with a status before it can mean two things.  llhttp
 * (strict) reads the grammar; the rules it leaves open (bare LF, folded
 * headers, HTTP/0.9 and 2.0, missing or double Host, sizes) are checked here.
 * Sources: RFC 9112, RFC 9110.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define REQUEST_HEAD_MAX 8192	/* request line and headers together */
#define REQUEST_TARGET_MAX 2048 /* the target within the request line */
#define REQUEST_QUERY_MAX 1024	/* the query within the target */
#define REQUEST_HEADERS_MAX 64

enum request_method {
	REQUEST_GET,
	REQUEST_HEAD,
	REQUEST_POST,
	REQUEST_PUT,
	REQUEST_OTHER
};

/* How the end of a body is known: RFC 9112 6.3. */
enum request_framing {
	REQUEST_NO_BODY, /* neither field; also Content-Length: 0 with GET */
	REQUEST_LENGTH,	 /* Content-Length, which may be 0 */
	REQUEST_CHUNKED,
};

enum request_expect {
	REQUEST_EXPECT_NOTHING,
	REQUEST_EXPECT_CONTINUE, /* 100-continue; never in HTTP/1.0 */
	REQUEST_EXPECT_UNKNOWN,	 /* something else: 417 */
};

struct request {
	enum request_method method;
	char method_name[16];		     /* as sent, cut */
	char target[REQUEST_TARGET_MAX + 1]; /* as sent */
	/*
	 * The path of the target: without query, percent-escapes of unreserved
	 * characters (RFC 3986 2.3) decoded; nothing else is changed.  Any
	 * other escape, a dot segment, an empty segment, a backslash or a byte
	 * outside 0x21..0x7e makes the request invalid (status 400): no device
	 * sends one, and each can make one path look like another.
	 */
	char path[REQUEST_TARGET_MAX + 1];
	/*
	 * What follows the first '?' of the target, as sent: bytes of
	 * 0x21..0x7e without '#', percent-escapes complete but not decoded;
	 * "" when absent.
	 */
	char query[REQUEST_QUERY_MAX + 1];
	char user_agent[256]; /* as sent, cut; "" when absent */
	/*
	 * As sent, port included; "" when absent.  Of a target in absolute
	 * form it is the host of the target: RFC 9112 3.2.2.
	 */
	char host[256];
	/* Values as sent, "" when absent; a longer one makes the request
	 * invalid (431), and so does a second one of these fields (400). */
	char range[128];
	char if_range[128];
	char content_encoding[64];
	char content_type[128];
	enum request_framing framing;
	uint64_t body_length; /* of REQUEST_LENGTH: what Content-Length says */
	enum request_expect expect;
	bool http_1_0;
	bool keep_alive; /* what the client asked for, by its version's rule */
};

enum request_status {
	REQUEST_MORE,	  /* well-formed so far, the head is not complete */
	REQUEST_COMPLETE, /* *used bytes are the request */
	REQUEST_INVALID,  /* answer *status and close; err says why */
};

/*
 * Read one request from the len bytes at data (everything received so far,
 * always from the first byte).  *used is the length of a complete head; what
 * follows it is not looked at: body.h reads that.  The verdict does not depend
 * on how the bytes arrived, and REQUEST_HEAD_MAX of them always suffice for
 * one.  Unless it is REQUEST_COMPLETE, *request and *used are as they were.  A
 * body with GET or HEAD (Content-Length above 0 or Transfer-Encoding) makes it
 * invalid with 413.
 * Status of an invalid one: 400, 413, 414 (target, query), 431 (head, field),
 * 505 (version).
 */
enum request_status request_parse(struct request *request, const char *data,
    size_t len, size_t *used, int *status, struct error *err) MUST_CHECK;

/* Does a body follow the head? */
bool request_has_body(const struct request *request);

#endif
