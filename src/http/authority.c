#include "http/authority.h"
#include "base/addr.h"
#include "base/text.h"

#include <string.h>

#define LABEL_MAX 63 /* RFC 1035 2.3.4 */

static bool
is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Labels of 1..63 bytes between dots; one final dot is the DNS root. */
static bool
is_name(const char *text, size_t len)
{
	size_t label = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '.' && label > 0)
			label = 0;
		else if (!is_name_byte(text[i]) || ++label > LABEL_MAX)
			return false;
	}
	return len > 0 && text[0] != '.';
}

static bool
read_port(uint16_t *port, const char *text, size_t len)
{
	char digits[sizeof("65535")];
	struct error ignored;
	uint64_t number;

	if (len >= sizeof(digits))
		return false;
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (text_parse_number(digits, 1, UINT16_MAX, &number, &ignored) != 0)
		return false;
	*port = (uint16_t)number;
	return true;
}

static bool
is_ipv6(const char *text)
{
	struct error ignored;
	struct addr addr;

	return strchr(text, ':') != NULL &&
	    addr_parse_host(&addr, text, 0, &ignored) == 0;
}

bool
authority_read(struct authority *authority, const char *text, size_t len)
{
	struct authority parsed = { .port = 0 };
	bool bracketed = len > 0 && text[0] == '[';
	const char *host = text + bracketed;
	const char *end = text + len;
	const char *host_end = memchr(host, bracketed ? ']' : ':',
	    (size_t)(end - host));
	const char *rest;
	size_t host_len;

	/* Numbers and addresses are read as strings below. */
	if (memchr(text, '\0', len) != NULL)
		return false;
	if (host_end == NULL && bracketed)
		return false;
	if (host_end == NULL)
		host_end = end;
	rest = host_end + bracketed;
	host_len = (size_t)(host_end - host);
	if (host_len > AUTHORITY_HOST_MAX)
		return false;
	memcpy(parsed.host, host, host_len);
	if (bracketed ? !is_ipv6(parsed.host) : !is_name(host, host_len))
		return false;
	if (rest < end &&
	    (rest[0] != ':' ||
		!read_port(&parsed.port, rest + 1, (size_t)(end - rest) - 1)))
		return false;
	*authority = parsed;
	return true;
}
