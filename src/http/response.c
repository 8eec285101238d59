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
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 408, "Request Timeout" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 421, "Misdirected Request" },
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

/* "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" (RFC 9110 5.6.7), or "".  By hand:
 * strftime() would write the names in the language of the locale. */
static void
format_date(time_t date, char *text, size_t size)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm tm;

	*text = '\0';
	if (date != 0 && gmtime_r(&date, &tm) != NULL)
		(void)snprintf(text, size,
		    "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n",
		    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
		    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

int
response_write_head(const struct response *response, struct buf *buf)
{
	const char *type = response->content_type;
	const char *allow = response->allow;
	char date[64];

	format_date(response->date, date, sizeof(date));
	/* In one step: a buffer that is full keeps no half of a head. */
	return buf_printf(buf,
	    "HTTP/1.1 %d %s\r\n"
	    "%s"
	    "%s%s%s"
	    "Content-Length: %zu\r\n"
	    "%s%s%s"
	    "Connection: %s\r\n"
	    "\r\n",
	    response->status, response_reason(response->status), date,
	    type != NULL ? "Content-Type: " : "", type != NULL ? type : "",
	    type != NULL ? "\r\n" : "", response->content_length,
	    allow != NULL ? "Allow: " : "", allow != NULL ? allow : "",
	    allow != NULL ? "\r\n" : "",
	    response->keep_alive ? "keep-alive" : "close");
}
