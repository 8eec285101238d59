/*
 * response.h -- the heads of our answers, and (for the simulator) reading a
 * server's answer.
 *
 * Answers suit the oldest client: HTTP/1.1 status line, Content-Length always,
 * never chunked, Connection always stated.  Sources: RFC 9112; [ATA19X-RN] on
 * devices that fail without Content-Length or on chunked bodies.
 */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"

struct response {
	int status;
	const char *content_type; /* NULL: none is stated */
	uint64_t content_length;  /* of the body that GET gets */
	bool keep_alive;
	time_t date;	   /* UTC; 0: no Date field (RFC 9110 6.6.1) */
	const char *allow; /* for 405: value of the Allow field; else NULL */
	/* Each NULL, false or 0: the field is not sent. */
	const char *content_encoding;
	const char
	    *content_range; /* "bytes 0-99/200"; of a 416 "bytes" and "*" */
	bool accept_ranges; /* "bytes" */
	const char *etag;   /* with its quotes */
	time_t last_modified;
	const char *fields; /* others, whole lines with CRLF; NULL: none */
};

/* A date as HTTP writes it, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7);
 * "" for 0. */
#define RESPONSE_DATE_BYTES 40
void response_format_date(time_t date, char text[static RESPONSE_DATE_BYTES]);

/* The reason phrase of RFC 9110 for a status we send; "Unknown" otherwise. */
const char *response_reason(int status);

/* Append the head, empty line included; -1 when buf is full. */
int response_write_head(const struct response *response,
    struct buf *buf) MUST_CHECK;

/* What a client makes of an answer. */
#define REPLY_HEAD_MAX 16384
#define REPLY_BODY_MAX (4 * 1024 * 1024)

struct reply; /* being read */

struct reply_head {
	int status;
	char location[1024];	   /* "" when absent */
	char content_encoding[64]; /* "" when absent */
	bool has_content_length;
	bool chunked;
	bool keep_alive;
};

/*
 * Read an answer piece by piece; head is true when it answers a HEAD request,
 * which has no body.  reply_feed returns 1 when the answer is complete, 0 when
 * more is needed, -1 with err when it is malformed or past a limit.
 * reply_end tells it that the connection was closed: same returns (a body
 * without length ends so).
 */
void reply_free(struct reply *reply);
struct reply *reply_new(bool head) FREED_BY(reply_free);
/* Before the first byte: bodies may be so long, not REPLY_BODY_MAX. */
void reply_allow(struct reply *reply, size_t body_max);
int reply_feed(struct reply *reply, const char *data, size_t len,
    struct error *err) MUST_CHECK;
int reply_end(struct reply *reply, struct error *err) MUST_CHECK;

/* Borrowed until reply_free. */
const struct reply_head *reply_head(const struct reply *reply);
const char *reply_body(const struct reply *reply, size_t *len);

#endif
