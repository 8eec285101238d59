#include "http/response.h"

#include <stdio.h>

const char *
response_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		/* RFC 9110 15 */
		{ 200, "OK" },
		{ 201, "Created" },
		{ 204, "No Content" },
		{ 206, "Partial Content" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 411, "Length Required" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" },
		{ 417, "Expectation Failed" },
		{ 421, "Misdirected Request" },
		{ 422, "Unprocessable Content" },
		{ 428, "Precondition Required" },	    /* RFC 6585 3 */
		{ 429, "Too Many Requests" },		    /* RFC 6585 4 */
		{ 431, "Request Header Fields Too Large" }, /* RFC 6585 5 */
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
		if (reasons[i].status == status)
			return reasons[i].reason;
	}
	return "Unknown";
}

/* By hand: strftime() would write the names in the language of the locale. */
void
response_format_date(time_t date, char text[static RESPONSE_DATE_BYTES])
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm tm;

	*text = '\0';
	if (date != 0 && gmtime_r(&date, &tm) != NULL)
		(void)snprintf(text, RESPONSE_DATE_BYTES,
		    "%s, %02d %s %d %02d:%02d:%02d GMT", days[tm.tm_wday],
		    tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
		    tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* One line of the head, or nothing where there is no value. */
static int
put_field(struct buf *buf, const char *name, const char *value)
{
	if (value == NULL || *value == '\0')
		return 0;
	return buf_printf(buf, "%s: %s\r\n", name, value);
}

static int
put_fields(struct buf *buf, const struct response *response)
{
	char date[RESPONSE_DATE_BYTES], modified[RESPONSE_DATE_BYTES];
	const struct {
		const char *name, *value;
	} fields[] = {
		{ "Date", date },
		{ "Content-Type", response->content_type },
		{ "Content-Encoding", response->content_encoding },
		{ "Content-Range", response->content_range },
		{ "Accept-Ranges", response->accept_ranges ? "bytes" : NULL },
		{ "ETag", response->etag },
		{ "Last-Modified", modified },
		{ "Allow", response->allow },
	};

	response_format_date(response->date, date);
	response_format_date(response->last_modified, modified);
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (put_field(buf, fields[i].name, fields[i].value) != 0)
			return -1;
	return 0;
}

int
response_write_head(const struct response *response, struct buf *buf)
{
	size_t before = buf->len;

	if (buf_printf(buf, "HTTP/1.1 %d %s\r\n", response->status,
		response_reason(response->status)) == 0 &&
	    put_fields(buf, response) == 0 &&
	    (response->fields == NULL ||
		buf_append_text(buf, response->fields) == 0) &&
	    buf_printf(buf, "Content-Length: %llu\r\nConnection: %s\r\n\r\n",
		(unsigned long long)response->content_length,
		response->keep_alive ? "keep-alive" : "close") == 0)
		return 0;
	/* A buffer that is full keeps no half of a head. */
	if (buf->len > before) {
		buf->len = before;
		buf->data[before] = '\0';
	}
	return -1;
}
