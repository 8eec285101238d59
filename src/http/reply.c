#include "http/response.h"
#include "base/mem.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <llhttp.h>

#define NAME_MAX_BYTES \
	sizeof("content-encoding") /* the longest name of interest */

struct reply {
	llhttp_t parser;
	bool head_only; /* it answers a HEAD request */
	bool has_head;	/* that of the final answer, not of a 1xx one */
	bool complete;
	struct error failure; /* the first one; kind ERROR_NONE without */
	size_t head_bytes;    /* heads of 1xx answers included */
	size_t extra_bytes;   /* in trailers and chunk extensions */
	struct reply_head head;
	struct buf body;

	char name[NAME_MAX_BYTES + 1]; /* of the field at hand, cut */
	size_t name_len;
	char value[sizeof(((struct reply_head *)NULL)->location)];
	size_t value_len; /* may pass the size of value, which is then cut */
};

static int
fail(struct reply *reply, const char *what)
{
	return error_set(&reply->failure, ERROR_INPUT, "answer: %s", what);
}

/* Within the head reply_feed counts all bytes; behind it, only these grow. */
static int
count_extra(struct reply *reply, size_t len)
{
	if (!reply->has_head)
		return 0;
	reply->extra_bytes += len;
	if (reply->extra_bytes > REPLY_HEAD_MAX)
		return fail(reply, "trailers or chunk extensions too long");
	return 0;
}

static int
on_begin(llhttp_t *parser)
{
	struct reply *reply = parser->data;

	reply->head = (struct reply_head) { .status = 0 };
	return 0;
}

/* Append to a text that is cut at its size; *len goes on counting. */
static void
append_cut(char *text, size_t size, size_t *len, const char *at, size_t add)
{
	if (*len < size - 1) {
		size_t room = size - 1 - *len;
		size_t kept = add < room ? add : room;

		memcpy(text + *len, at, kept);
		text[*len + kept] = '\0';
	}
	*len += add;
}

static int
on_name(llhttp_t *parser, const char *at, size_t len)
{
	struct reply *reply = parser->data;

	append_cut(reply->name, sizeof(reply->name), &reply->name_len, at, len);
	return count_extra(reply, len);
}

static int
on_value(llhttp_t *parser, const char *at, size_t len)
{
	struct reply *reply = parser->data;

	append_cut(reply->value, sizeof(reply->value), &reply->value_len, at,
	    len);
	return count_extra(reply, len);
}

static int
on_extension(llhttp_t *parser, const char *at, size_t len)
{
	(void)at;
	return count_extra(parser->data, len);
}

static int
take_location(struct reply *reply)
{
	char *value = reply->value;
	size_t len = reply->value_len;

	if (len >= sizeof(reply->value))
		return fail(reply, "Location too long");
	while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
		value[--len] = '\0';
	if (reply->head.location[0] != '\0')
		return fail(reply, "more than one Location");
	memcpy(reply->head.location, value, len + 1);
	return 0;
}

/* Codings are compared without regard to case: RFC 9110 8.4.1. */
static int
take_coding(struct reply *reply)
{
	size_t len = reply->value_len;

	if (len >= sizeof(reply->value))
		return fail(reply, "Content-Encoding too long");
	while (len > 0 && strchr(" \t", reply->value[len - 1]) != NULL)
		reply->value[--len] = '\0';
	if (len >= sizeof(reply->head.content_encoding))
		return fail(reply, "Content-Encoding too long");
	if (reply->head.content_encoding[0] != '\0')
		return fail(reply, "more than one Content-Encoding");
	for (size_t i = 0; i <= len; i++)
		reply->head.content_encoding[i] = (char)
		    tolower((unsigned char)reply->value[i]);
	return 0;
}

static int
on_value_complete(llhttp_t *parser)
{
	struct reply *reply = parser->data;
	int rc = 0;

	/* A trailer is not a place for it: RFC 9110 6.5.1. */
	if (!reply->has_head && strcasecmp(reply->name, "location") == 0)
		rc = take_location(reply);
	if (!reply->has_head &&
	    strcasecmp(reply->name, "content-encoding") == 0)
		rc = take_coding(reply);
	reply->name[0] = reply->value[0] = '\0';
	reply->name_len = reply->value_len = 0;
	return rc;
}

static int
on_head_complete(llhttp_t *parser)
{
	struct reply *reply = parser->data;
	int status = llhttp_get_status_code(parser);

	if (llhttp_get_http_major(parser) != 1)
		return fail(reply, "version is not HTTP/1.x");
	if (status == 101)
		return fail(reply, "101 to a request that asked no upgrade");
	if (status < 100)
		return fail(reply, "status below 100");
	reply->head.status = status;
	reply->head.has_content_length = (parser->flags & F_CONTENT_LENGTH) !=
	    0;
	reply->head.chunked = (parser->flags & F_CHUNKED) != 0;
	/* RFC 9112 6.3: it ends with its head, whatever that says of a body; the
	 * final answer follows. */
	if (status < 200)
		return 1;
	reply->has_head = true;
	if (reply->head_only)
		return 1;
	if (reply->head.has_content_length &&
	    parser->content_length > reply->body.limit)
		return fail(reply, "Content-Length past the limit");
	return 0;
}

static int
on_body(llhttp_t *parser, const char *at, size_t len)
{
	struct reply *reply = parser->data;

	if (buf_append(&reply->body, at, len) != 0)
		return fail(reply, "body past the limit");
	return 0;
}

static int
on_complete(llhttp_t *parser)
{
	struct reply *reply = parser->data;

	if (!reply->has_head)
		return 0;
	/* Only now llhttp knows what HEAD means for it. */
	reply->head.keep_alive = llhttp_should_keep_alive(parser) != 0;
	reply->complete = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
	.on_message_begin = on_begin,
	.on_header_field = on_name,
	.on_header_value = on_value,
	.on_header_value_complete = on_value_complete,
	.on_chunk_extension_name = on_extension,
	.on_chunk_extension_value = on_extension,
	.on_headers_complete = on_head_complete,
	.on_body = on_body,
	.on_message_complete = on_complete,
};

void
reply_free(struct reply *reply)
{
	if (reply == NULL)
		return;
	buf_clear(&reply->body);
	free(reply);
}

struct reply *
reply_new(bool head)
{
	struct reply *reply = xcalloc(1, sizeof(*reply));

	llhttp_init(&reply->parser, HTTP_RESPONSE, &settings);
	reply->parser.data = reply;
	reply->head_only = head;
	buf_init(&reply->body, REPLY_BODY_MAX);
	return reply;
}

void
reply_allow(struct reply *reply, size_t body_max)
{
	buf_init(&reply->body, body_max);
}

/* What reply_feed and reply_end return, after llhttp returned code. */
static int
outcome(struct reply *reply, llhttp_errno_t code, struct error *err)
{
	if (reply->complete)
		return 1;
	if (code != HPE_OK && reply->failure.kind == ERROR_NONE)
		(void)fail(reply, llhttp_get_error_reason(&reply->parser));
	if (reply->failure.kind == ERROR_NONE)
		return 0;
	*err = reply->failure;
	return -1;
}

int
reply_feed(struct reply *reply, const char *data, size_t len, struct error *err)
{
	llhttp_errno_t code = HPE_OK;

	if (reply->complete || reply->failure.kind != ERROR_NONE)
		return outcome(reply, code, err);
	if (!reply->has_head) {
		size_t room = REPLY_HEAD_MAX - reply->head_bytes;
		size_t part = len < room ? len : room;

		code = llhttp_execute(&reply->parser, data, part);
		reply->head_bytes += part;
		data += part;
		len -= part;
		if (code == HPE_OK && !reply->has_head && part == room)
			(void)fail(reply, "head past the limit");
	}
	if (code == HPE_OK && reply->failure.kind == ERROR_NONE && len > 0)
		code = llhttp_execute(&reply->parser, data, len);
	return outcome(reply, code, err);
}

int
reply_end(struct reply *reply, struct error *err)
{
	llhttp_errno_t code = HPE_OK;

	if (!reply->complete && reply->failure.kind == ERROR_NONE) {
		code = llhttp_finish(&reply->parser);
		if (!reply->complete)
			(void)fail(reply,
			    reply->head_bytes == 0 ?
				"connection closed before it began" :
				"connection closed before it was complete");
	}
	return outcome(reply, code, err);
}

const struct reply_head *
reply_head(const struct reply *reply)
{
	return &reply->head;
}

const char *
reply_body(const struct reply *reply, size_t *len)
{
	*len = reply->body.len;
	return buf_text(&reply->body);
}
