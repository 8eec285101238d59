#include "http/target.h"
#include "base/text.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* RFC 3986 2.3 */
static bool
is_unreserved(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || (c != '\0' && strchr("-._~", c) != NULL);
}

/* The byte of the two hex digits after a '%'; -1 when they are none. */
static int
escaped_byte(const char *digits)
{
	char pair[3] = { digits[0], digits[0] == '\0' ? '\0' : digits[1] };
	unsigned char byte;

	return text_unhex(pair, &byte, 1) ? byte : -1;
}

/* Copy the path without its query, escapes of unreserved bytes decoded. */
static int
decode_path(char *path, const char *text, struct error *err)
{
	for (; *text != '\0' && *text != '?'; text++) {
		int c = (unsigned char)*text;

		if (c < 0x21 || c > 0x7e || c == '\\')
			return error_set(err, ERROR_INPUT,
			    "byte 0x%02x in the path: expected printable "
			    "ASCII without blank and backslash",
			    (unsigned)c);
		if (c == '%') {
			c = escaped_byte(text + 1);
			if (!is_unreserved(c))
				return error_set(err, ERROR_INPUT,
				    "escape in the path: only those of "
				    "unreserved characters (RFC 3986 2.3) "
				    "are taken");
			text += 2;
		}
		*path++ = (char)c;
	}
	*path = '\0';
	return 0;
}

/* Every segment but the last one is a name; the last one may be empty. */
static int
check_segments(const char *path, struct error *err)
{
	const char *p = path;

	while (*p != '\0') {
		size_t len = strcspn(++p, "/");

		if (len == 0 && *p == '/')
			return error_set(err, ERROR_INPUT,
			    "empty segment (\"//\") in the path");
		if ((len == 1 && p[0] == '.') ||
		    (len == 2 && p[0] == '.' && p[1] == '.'))
			return error_set(err, ERROR_INPUT,
			    "dot segment in the path");
		p += len;
	}
	return 0;
}

/* Printable, and each '%' begins an escape (RFC 3986 2.1); of what, is up to
 * those who read it. */
static int
check_query(const struct target *target, struct error *err)
{
	const char *p = target->query, *end = p + target->query_len;

	for (; p < end; p++) {
		int c = (unsigned char)*p;

		if (c < 0x21 || c > 0x7e)
			return error_set(err, ERROR_INPUT,
			    "byte 0x%02x in the query: expected printable "
			    "ASCII without blank",
			    (unsigned)c);
		if (c == '%' && escaped_byte(p + 1) < 0)
			return error_set(err, ERROR_INPUT,
			    "'%%' in the query without two hex digits "
			    "(RFC 3986 2.1)");
	}
	return 0;
}

/* The length of "http://" or "https://" in any case, or 0. */
static size_t
scheme_length(const char *text)
{
	static const char *const prefixes[] = { "http://", "https://" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		if (strncasecmp(text, prefixes[i], strlen(prefixes[i])) == 0)
			return strlen(prefixes[i]);
	}
	return 0;
}

int
target_parse(struct target *target, char *path, const char *text,
    struct error *err)
{
	struct target parsed = { .authority = NULL };
	size_t scheme = scheme_length(text);
	char *end = path;
	const char *query;

	if (strchr(text, '#') != NULL)
		return error_set(err, ERROR_INPUT,
		    "fragment ('#') in the target");
	if (scheme > 0) {
		parsed.authority = text + scheme;
		parsed.authority_len = strcspn(parsed.authority, "/?");
		text = parsed.authority + parsed.authority_len;
		/* RFC 9110 4.2.3: an empty path is "/" */
		if (*text != '/')
			*end++ = '/';
	} else if (*text != '/') {
		return error_set(err, ERROR_INPUT,
		    "target is neither a path "
		    "nor an http or https URL (RFC 9112 3.2)");
	}
	query = strchr(text, '?');
	parsed.query = query != NULL ? query + 1 : "";
	parsed.query_len = strlen(parsed.query);
	if (decode_path(end, text, err) != 0 ||
	    check_segments(path, err) != 0 || check_query(&parsed, err) != 0)
		return -1;
	*target = parsed;
	return 0;
}
