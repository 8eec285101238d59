#include "http/request.h"
#include "http/authority.h"
#include "http/target.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <llhttp.h>

/*
 * Two passes.  The first one (scan_...) goes through the raw bytes and finds
 * the end of the head; it refuses at the first byte that cannot be right, so
 * that the verdict does not depend on how the bytes arrived.  Only a complete
 * head goes to the second one, llhttp, with what depends on header fields.
 */
struct reader {
	struct request request; /* being filled */
	int *status;
	struct error *err;
	bool refused; /* status and err say why */

	/* First pass. */
	bool empty_line; /* seen the one before the request line */
	bool has_request_line;
	unsigned blanks;   /* in the request line, so far */
	size_t target_len; /* same */
	unsigned lines;	   /* header lines so far */

	/* Second pass: the field at hand, within the data. */
	const char *name, *value;
	size_t name_len, value_len;
	bool has_host, has_user_agent;
	unsigned fields_seen; /* bits: of the table in take_field() */
};

static int refuse(struct reader *reader, int status, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

static int
refuse(struct reader *reader, int status, const char *fmt, ...)
{
	char text[sizeof(reader->err->text)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	*reader->status = status;
	reader->refused = true;
	return error_set(reader->err, ERROR_INPUT, "%s", text);
}

static void
copy_cut(char *to, size_t size, const char *text, size_t len)
{
	if (len > size - 1)
		len = size - 1;
	memcpy(to, text, len);
	to[len] = '\0';
}

/* RFC 9110 5.6.2 */
static bool
is_token_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* RFC 9112 2.3; the minor versions that do not exist are not guessed at. */
static int
scan_version(struct reader *reader, const char *text, size_t len)
{
	if (len != strlen("HTTP/1.1") || memcmp(text, "HTTP/", 5) != 0 ||
	    text[5] < '0' || text[5] > '9' || text[6] != '.' || text[7] < '0' ||
	    text[7] > '9')
		return refuse(reader, 400,
		    "request line does not end in a "
		    "version: expected HTTP/1.0 or HTTP/1.1");
	if (text[5] != '1' || text[7] > '1')
		return refuse(reader, 505,
		    "version HTTP/%c.%c: expected "
		    "HTTP/1.0 or HTTP/1.1",
		    text[5], text[7]);
	reader->request.http_1_0 = text[7] == '0';
	return 0;
}

/* RFC 9112 3: method SP target SP version, one blank each. */
static int
scan_request_line(struct reader *reader, const char *line, size_t len)
{
	const char *end = line + len;
	const char *blank = memchr(line, ' ', len);
	const char *target = blank != NULL ? blank + 1 : end;
	const char *target_end = memchr(target, ' ', (size_t)(end - target));

	if (blank == NULL || target_end == NULL)
		return refuse(reader, 400,
		    "request line has fewer than three "
		    "words (RFC 9112 3; HTTP/0.9 is not served)");
	if (blank == line || target_end == target)
		return refuse(reader, 400,
		    "request line has an empty word "
		    "(RFC 9112 3)");
	copy_cut(reader->request.method_name,
	    sizeof(reader->request.method_name), line, (size_t)(blank - line));
	memcpy(reader->request.target, target, (size_t)(target_end - target));
	reader->has_request_line = true;
	return scan_version(reader, target_end + 1,
	    (size_t)(end - target_end) - 1);
}

static int
scan_header_line(struct reader *reader, const char *line, size_t len)
{
	size_t name = 0;

	if (++reader->lines > REQUEST_HEADERS_MAX)
		return refuse(reader, 431, "more than %d header fields",
		    REQUEST_HEADERS_MAX);
	while (name < len && is_token_byte(line[name]))
		name++;
	if (name == 0 && (line[0] == ' ' || line[0] == '\t'))
		return refuse(reader, 400,
		    "folded header line (RFC 9112 5.2 "
		    "forbids it)");
	if (name == 0 || name == len || line[name] != ':')
		return refuse(reader, 400,
		    "header line %u is not a token "
		    "followed by ':' (RFC 9112 5)",
		    reader->lines);
	return 0;
}

/*
 * Control bytes are refused everywhere; tabs and bytes past ASCII only in the
 * request line.  A target past its limit is known before its line is complete.
 */
static int
scan_byte(struct reader *reader, unsigned char c, size_t offset)
{
	bool is_field_byte = c == '\t' || c >= 0x80;

	if ((c < 0x20 || c > 0x7e) &&
	    !(is_field_byte && reader->has_request_line))
		return refuse(reader, 400,
		    "byte 0x%02x at offset %zu of the "
		    "head",
		    (unsigned)c, offset);
	if (reader->has_request_line)
		return 0;
	if (c == ' ')
		reader->blanks++;
	else if (reader->blanks == 1 &&
	    ++reader->target_len > REQUEST_TARGET_MAX)
		return refuse(reader, 414, "target has more than %d bytes",
		    REQUEST_TARGET_MAX);
	return 0;
}

/* A line without its CRLF: 1 when it ends the head, 0, or -1. */
static int
scan_line(struct reader *reader, const char *line, size_t len)
{
	if (reader->has_request_line)
		return len == 0 ? 1 : scan_header_line(reader, line, len);
	if (len > 0)
		return scan_request_line(reader, line, len);
	/* RFC 9112 2.2: one is to be ignored, left over by old clients. */
	if (reader->empty_line)
		return refuse(reader, 400,
		    "more than one empty line before the request line");
	reader->empty_line = true;
	return 0;
}

/* 1 and *used when the head is complete, 0 when it is not, or -1. */
static int
scan_head(struct reader *reader, const char *data, size_t len, size_t *used)
{
	size_t line = 0;

	for (size_t i = 0; i < len; i++) {
		bool after_cr = i > line && data[i - 1] == '\r';
		int rc = 0;

		if ((data[i] == '\n') != after_cr)
			return refuse(reader, 400,
			    "bare %s at offset %zu of "
			    "the head (RFC 9112 2.2)",
			    after_cr ? "CR" : "LF", after_cr ? i - 1 : i);
		if (data[i] == '\n') {
			rc = scan_line(reader, data + line, i - 1 - line);
			line = i + 1;
		} else if (data[i] != '\r') {
			rc = scan_byte(reader, (unsigned char)data[i], i);
		}
		if (rc != 0) {
			*used = i + 1;
			return rc;
		}
		if (i + 1 == REQUEST_HEAD_MAX)
			return refuse(reader, 431,
			    "head has more than %d bytes", REQUEST_HEAD_MAX);
	}
	return 0;
}

static int
on_name(llhttp_t *parser, const char *at, size_t len)
{
	struct reader *reader = parser->data;

	reader->name = at;
	reader->name_len = len;
	reader->value_len = 0;
	return 0;
}

/* The head is in one piece, and so is each of its values. */
static int
on_value(llhttp_t *parser, const char *at, size_t len)
{
	struct reader *reader = parser->data;

	while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t'))
		len--;
	reader->value = at;
	reader->value_len = len;
	return 0;
}

static bool
name_is(const struct reader *reader, const char *name)
{
	return reader->name_len == strlen(name) &&
	    strncasecmp(reader->name, name, reader->name_len) == 0;
}

static int
take_host(struct reader *reader, const char *text, size_t len)
{
	struct authority ignored;

	if (!authority_read(&ignored, text, len) ||
	    len >= sizeof(reader->request.host))
		return refuse(reader, 400,
		    "host is not a name or address "
		    "with an optional port");
	copy_cut(reader->request.host, sizeof(reader->request.host), text, len);
	return 0;
}

/* RFC 9110 10.1.1: from HTTP/1.0 it does not count. */
static void
take_expect(struct request *request, const char *value)
{
	if (request->http_1_0 || *value == '\0')
		return;
	request->expect = strcasecmp(value, "100-continue") == 0 ?
	    REQUEST_EXPECT_CONTINUE :
	    REQUEST_EXPECT_UNKNOWN;
}

/* Fields of which two would mean two things, kept as they were sent. */
static int
take_field(struct reader *reader)
{
	struct request *request = &reader->request;
	char expect[64] = "";
	const struct {
		const char *name;
		char *to;
		size_t size;
	} fields[] = {
		{ "Range", request->range, sizeof(request->range) },
		{ "If-Range", request->if_range, sizeof(request->if_range) },
		{ "Content-Encoding", request->content_encoding,
		    sizeof(request->content_encoding) },
		{ "Content-Type", request->content_type,
		    sizeof(request->content_type) },
		{ "Expect", expect, sizeof(expect) },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		if (!name_is(reader, fields[i].name))
			continue;
		if ((reader->fields_seen & (1U << i)) != 0)
			return refuse(reader, 400, "more than one %s field",
			    fields[i].name);
		reader->fields_seen |= 1U << i;
		if (reader->value_len >= fields[i].size)
			return refuse(reader, 431, "%s has more than %zu bytes",
			    fields[i].name, fields[i].size - 1);
		copy_cut(fields[i].to, fields[i].size, reader->value,
		    reader->value_len);
	}
	take_expect(request, expect);
	return 0;
}

static int
on_value_complete(llhttp_t *parser)
{
	struct reader *reader = parser->data;

	if (name_is(reader, "Host")) {
		if (reader->has_host)
			return refuse(reader, 400,
			    "more than one Host field "
			    "(RFC 9112 3.2)");
		reader->has_host = true;
		return take_host(reader, reader->value, reader->value_len);
	}
	if (name_is(reader, "User-Agent") && !reader->has_user_agent) {
		reader->has_user_agent = true;
		copy_cut(reader->request.user_agent,
		    sizeof(reader->request.user_agent), reader->value,
		    reader->value_len);
	}
	return take_field(reader);
}

/* Whatever follows the head is none of llhttp's business. */
static int
on_head_complete(llhttp_t *parser)
{
	(void)parser;
	return HPE_PAUSED;
}

static int
read_target(struct reader *reader)
{
	struct request *request = &reader->request;
	struct target target;
	struct error reason;

	if (target_parse(&target, request->path, request->target, &reason) != 0)
		return refuse(reader, 400, "%s", reason.text);
	if (target.query_len > REQUEST_QUERY_MAX)
		return refuse(reader, 414, "query has more than %d bytes",
		    REQUEST_QUERY_MAX);
	copy_cut(request->query, sizeof(request->query), target.query,
	    target.query_len);
	if (!request->http_1_0 && !reader->has_host)
		return refuse(reader, 400,
		    "no Host field in HTTP/1.1 (RFC 9112 3.2)");
	/* RFC 9112 3.2.2: the target's host counts, not that of the field. */
	if (target.authority != NULL)
		return take_host(reader, target.authority,
		    target.authority_len);
	return 0;
}

static int
read_body_length(struct reader *reader, const llhttp_t *parser)
{
	struct request *request = &reader->request;
	bool transfer = (parser->flags & F_TRANSFER_ENCODING) != 0;
	bool length = (parser->flags & F_CONTENT_LENGTH) != 0;

	if (transfer &&
	    (length || request->http_1_0 || (parser->flags & F_CHUNKED) == 0))
		return refuse(reader, 400,
		    "Transfer-Encoding in HTTP/1.0, "
		    "with Content-Length or not chunked (RFC 9112 6)");
	if (transfer)
		request->framing = REQUEST_CHUNKED;
	else if (length)
		request->framing = REQUEST_LENGTH;
	if (length)
		request->body_length = parser->content_length;
	if (request_has_body(request) &&
	    (request->method == REQUEST_GET || request->method == REQUEST_HEAD))
		return refuse(reader, 413, "%s with a body",
		    request->method_name);
	return 0;
}

static enum request_method
method_of(const llhttp_t *parser)
{
	switch (parser->method) {
	case HTTP_GET:
		return REQUEST_GET;
	case HTTP_HEAD:
		return REQUEST_HEAD;
	case HTTP_POST:
		return REQUEST_POST;
	case HTTP_PUT:
		return REQUEST_PUT;
	default:
		return REQUEST_OTHER;
	}
}

/* RFC 9112 9.3 */
static bool
wants_keep_alive(const struct reader *reader, const llhttp_t *parser)
{
	if ((parser->flags & F_CONNECTION_CLOSE) != 0)
		return false;
	return !reader->request.http_1_0 ||
	    (parser->flags & F_CONNECTION_KEEP_ALIVE) != 0;
}

/* The second pass, over a complete head. */
static int
read_head(struct reader *reader, const char *data, size_t len)
{
	static const llhttp_settings_t settings = {
		.on_header_field = on_name,
		.on_header_value = on_value,
		.on_header_value_complete = on_value_complete,
		.on_headers_complete = on_head_complete,
	};
	struct request *request = &reader->request;
	llhttp_t parser;

	llhttp_init(&parser, HTTP_REQUEST, &settings);
	parser.data = reader;
	if (llhttp_execute(&parser, data, len) != HPE_PAUSED) {
		if (reader->refused)
			return -1;
		return refuse(reader, 400, "%s",
		    llhttp_get_error_reason(&parser));
	}
	request->method = method_of(&parser);
	request->keep_alive = wants_keep_alive(reader, &parser);
	if (read_target(reader) != 0)
		return -1;
	return read_body_length(reader, &parser);
}

enum request_status
request_parse(struct request *request, const char *data, size_t len,
    size_t *used, int *status, struct error *err)
{
	struct reader reader = { .status = status, .err = err };
	size_t head_len = 0;
	int rc = scan_head(&reader, data, len, &head_len);

	if (rc == 0)
		return REQUEST_MORE;
	if (rc < 0 || read_head(&reader, data, head_len) != 0)
		return REQUEST_INVALID;
	*request = reader.request;
	*used = head_len;
	return REQUEST_COMPLETE;
}

bool
request_has_body(const struct request *request)
{
	return request->framing == REQUEST_CHUNKED ||
	    (request->framing == REQUEST_LENGTH && request->body_length > 0);
}
