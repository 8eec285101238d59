#include "base/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Longer words are no typing mistakes of ours; it bounds the work too. */
#define NEAREST_MAX 48

int
text_parse_number(const char *text, uint64_t min, uint64_t max,
    uint64_t *number, struct error *err)
{
	uint64_t value = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++) {
		unsigned digit = (unsigned)(*p - '0');

		if (value > (UINT64_MAX - digit) / 10)
			break;
		value = value * 10 + digit;
	}
	if (p == text || *p != '\0' || value < min || value > max)
		return error_set(err, ERROR_INPUT,
		    "\"%.32s\": expected a number from %" PRIu64 " to %" PRIu64,
		    text, min, max);
	*number = value;
	return 0;
}

static size_t
edit_distance(const char *a, const char *b)
{
	size_t row[NEAREST_MAX + 1];
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len > NEAREST_MAX || b_len > NEAREST_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t best = diagonal +
			    (tolower((unsigned char)a[i - 1]) !=
				tolower((unsigned char)b[j - 1]));

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[b_len];
}

const char *
text_nearest(const char *text, const char *const *candidates, size_t count)
{
	const char *nearest = NULL;
	size_t best = strlen(text) / 3 + 1;

	for (size_t i = 0; i < count; i++) {
		size_t distance = edit_distance(text, candidates[i]);

		if (distance < best || (distance == best && nearest == NULL)) {
			best = distance;
			nearest = candidates[i];
		}
	}
	return nearest;
}

static bool
is_plain(unsigned char c)
{
	return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\';
}

void
text_escape(const void *data, size_t len, char *out, size_t size)
{
	const unsigned char *bytes = data;
	size_t used = 0, keep = 0;

	/* Only a text that has to be cut gives up room for the dots. */
	for (size_t i = 0; i < len && used < size; i++)
		used += is_plain(bytes[i]) ? 1 : 4;
	if (used >= size)
		keep = 3;
	used = 0;
	for (size_t i = 0; i < len; i++) {
		bool plain = is_plain(bytes[i]);
		size_t need = plain ? 1 : 4;

		if (used + need + keep + 1 > size) {
			memcpy(out + used, "...", 3);
			used += 3;
			break;
		}
		if (plain)
			out[used] = (char)bytes[i];
		else
			(void)snprintf(out + used, 5, "\\x%02x", bytes[i]);
		used += need;
	}
	out[used] = '\0';
}

void
text_hex(const void *data, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}

bool
text_unhex(const char *text, void *data, size_t len)
{
	uint8_t *bytes = data;

	if (strlen(text) != 2 * len)
		return false;
	for (size_t i = 0; i < 2 * len; i++) {
		int c = tolower((unsigned char)text[i]);

		if (!isxdigit(c))
			return false;
		c = isdigit(c) ? c - '0' : c - 'a' + 10;
		bytes[i / 2] = (uint8_t)(i % 2 == 0 ? c << 4 :
						      bytes[i / 2] | c);
	}
	return true;
}

bool
text_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool
text_ends(const char *text, const char *suffix)
{
	size_t len = strlen(text), tail = strlen(suffix);

	return len >= tail && strcmp(text + len - tail, suffix) == 0;
}

int
text_parse_date(const char *text, time_t *when, struct error *err)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%d", &tm);
	int day = tm.tm_mday;
	char shown[64];
	time_t found = end != NULL && *end == '\0' && strlen(text) == 10 ?
	    timegm(&tm) :
	    -1;

	/* timegm() makes the 31st of June the 1st of July, in tm too. */
	if (found >= 0 && tm.tm_mday == day) {
		*when = found;
		return 0;
	}
	text_escape(text, strlen(text), shown, sizeof(shown));
	return error_set(err, ERROR_INPUT,
	    "\"%s\" is no date: wanted one such as 2027-01-31", shown);
}
