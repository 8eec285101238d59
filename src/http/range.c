#include "http/range.h"
#include "http/response.h"

#include <string.h>
#include <strings.h>

#define STRONG_AFTER_S 60 /* RFC 9110 8.8.2.2 */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *
skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

/* Digits at *p become a number, which stops at its largest value: a range that
 * ends past the file is one that ends with it.  False: no digit. */
static bool
take_number(const char **p, uint64_t *number)
{
	uint64_t value = 0;

	if (!is_digit(**p))
		return false;
	for (; is_digit(**p); (*p)++) {
		uint64_t digit = (uint64_t)(**p - '0');

		value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX :
							    value * 10 + digit;
	}
	*number = value;
	return true;
}

/* "-500": the last 500 bytes. */
static enum range_kind
read_suffix(uint64_t count, uint64_t size, struct range *range)
{
	if (count == 0 || size == 0)
		return RANGE_UNSATISFIABLE;
	range->first = count < size ? size - count : 0;
	range->last = size - 1;
	return RANGE_PART;
}

/* "500-" and "500-999". */
static enum range_kind
read_span(uint64_t first, uint64_t last, uint64_t size, struct range *range)
{
	if (last < first)
		return RANGE_WHOLE; /* RFC 9110 14.1.1: invalid */
	if (first >= size)
		return RANGE_UNSATISFIABLE;
	range->first = first;
	range->last = last < size ? last : size - 1;
	return RANGE_PART;
}

enum range_kind
range_read(const char *field, uint64_t size, struct range *range)
{
	const char *p = field;
	uint64_t first = 0, last = UINT64_MAX;
	bool has_first, has_last;

	/* RFC 9110 14.1: the unit's case does not matter. */
	if (strncasecmp(p, "bytes=", strlen("bytes=")) != 0)
		return RANGE_WHOLE;
	p = skip_blanks(p + strlen("bytes="));
	has_first = take_number(&p, &first);
	if (*p++ != '-')
		return RANGE_WHOLE;
	has_last = take_number(&p, &last);
	/* What follows is another range, or nothing we know. */
	if (*skip_blanks(p) != '\0' || (!has_first && !has_last))
		return RANGE_WHOLE;
	return has_first ? read_span(first, last, size, range) :
			   read_suffix(last, size, range);
}

bool
range_if_holds(const char *field, const char *etag, time_t last_modified,
    time_t now)
{
	char date[RESPONSE_DATE_BYTES];

	if (*field == '\0')
		return true;
	/* A weak one ("W/...") never equals a strong one: RFC 9110 8.8.3.2. */
	if (*field == '"')
		return etag != NULL && strcmp(field, etag) == 0;
	response_format_date(last_modified, date);
	return *date != '\0' && strcmp(field, date) == 0 &&
	    now - last_modified >= STRONG_AFTER_S;
}
