#include "spa/firmware.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

/*
 * The sort key is a list of parts, compared from the left.  What separates
 * the parts ('.', '-', '_', ' ', brackets) does not count, so all spellings
 * of a version give one key.
 *
 *     7.5.2b             7 5 2 sr 2
 *     1.3.1(003_240)     1 3 1 3 240
 *     11-1-0-MSR4        11 1 0 msr 4
 *     11.3.1MPP0001-191  11 3 1 mpp 1 191
 *
 * A list that ends comes before one that goes on (7.5.2 before 7.5.2b), a
 * number before a word (build 1.4.1(002) before 1.4.1(SR1)), words as in a
 * dictionary, which puts "mpp" (a build) before "msr" and "sr".
 *
 * A letter that stands alone counts service releases: the image 7.6.2g is
 * sold as 7.6.2SR7 [RE-7.6.2SR7].  ASSUMED: so it is for every letter.
 *
 * compile.py holds the same order for the tables; tests/data/
 * firmware-order.txt is checked against both.
 */
enum part_kind { PART_NUMBER, PART_WORD };

#define PARTS_MAX \
	(sizeof((struct firmware *)0)->part / sizeof(struct firmware_part))
#define WORD_MAX (sizeof((struct firmware_part *)0)->word - 1)
#define DIGITS_MAX 9 /* fits an unsigned long of 32 bits */

struct scan {
	const char *text; /* the whole, for columns */
	const char *at;
	bool in_bracket;
	bool need_part; /* after a separator */
	const char *problem;
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char
lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool
problem(struct scan *scan, const char *text)
{
	scan->problem = text;
	return false;
}

static bool
add_part(struct firmware *firmware, struct scan *scan,
    const struct firmware_part *part)
{
	if (firmware->part_count == PARTS_MAX)
		return problem(scan, "too many parts");
	firmware->part[firmware->part_count++] = *part;
	scan->need_part = false;
	return true;
}

static bool
read_number(struct firmware *firmware, struct scan *scan)
{
	struct firmware_part part = { .kind = PART_NUMBER };
	const char *start = scan->at;

	for (; is_digit(*scan->at); scan->at++) {
		if (scan->at - start == DIGITS_MAX)
			return problem(scan, "a number of more than 9 digits");
		part.number = part.number * 10 +
		    (unsigned long)(*scan->at - '0');
	}
	return add_part(firmware, scan, &part);
}

static bool
read_word(struct firmware *firmware, struct scan *scan)
{
	struct firmware_part part = { .kind = PART_WORD };
	struct firmware_part release = { .kind = PART_NUMBER };
	size_t len = 0;

	if (firmware->part_count == 0)
		return problem(scan, "a number is wanted first");
	while (is_letter(scan->at[len])) {
		if (len == WORD_MAX)
			return problem(scan, "a word of more than 15 letters");
		part.word[len] = lower(scan->at[len]);
		len++;
	}
	if (len > 1) {
		scan->at += len;
		return add_part(firmware, scan, &part);
	}
	if (part.word[0] == 'x' && scan->need_part)
		return problem(scan,
		    "one version is wanted, not all of a line");
	release.number = 1UL + (unsigned char)(part.word[0] - 'a');
	memcpy(part.word, "sr", sizeof("sr"));
	scan->at += len;
	return add_part(firmware, scan, &part) &&
	    add_part(firmware, scan, &release);
}

static bool
read_separator(struct firmware *firmware, struct scan *scan)
{
	char c = *scan->at;

	if (firmware->part_count == 0)
		return problem(scan, "a number is wanted first");
	if (c == '(') {
		if (scan->in_bracket)
			return problem(scan, "a bracket within brackets");
		if (scan->need_part && scan->at[-1] != ' ')
			return problem(scan, "two separators");
		scan->in_bracket = true;
		scan->need_part = true;
	} else if (scan->need_part) {
		return problem(scan, "two separators");
	} else if (c == ')') {
		if (!scan->in_bracket)
			return problem(scan, "a bracket that was not opened");
		scan->in_bracket = false;
	} else if (strchr(".-_ ", c) != NULL) {
		scan->need_part = true;
	} else {
		return problem(scan, "a character that no version has");
	}
	scan->at++;
	return true;
}

/* The load names of multiplatform phones begin with "sip88xx." [MPP-PROV]. */
static const char *
skip_load_name(const char *text)
{
	const char *at = text;

	if (lower(at[0]) != 's' || lower(at[1]) != 'i' || lower(at[2]) != 'p')
		return text;
	while (is_letter(*at) || is_digit(*at))
		at++;
	return *at == '.' ? at + 1 : text;
}

static bool
read_parts(struct firmware *firmware, struct scan *scan)
{
	scan->need_part = true;
	while (*scan->at != '\0') {
		bool ok;

		if (is_digit(*scan->at))
			ok = read_number(firmware, scan);
		else if (is_letter(*scan->at))
			ok = read_word(firmware, scan);
		else
			ok = read_separator(firmware, scan);
		if (!ok)
			return false;
	}
	if (scan->in_bracket)
		return problem(scan, "a bracket that is not closed");
	if (scan->need_part)
		return problem(scan, "a part is missing");
	return true;
}

int
firmware_parse(struct firmware *firmware, const char *text, struct error *err)
{
	struct firmware read = { .part_count = 0 };
	struct scan scan = { .text = text, .at = text };
	char shown[4 * FIRMWARE_TEXT_MAX + 8];
	size_t len = strlen(text);

	text_escape(text, len, shown, sizeof(shown));
	if (len > FIRMWARE_TEXT_MAX)
		return error_set(err, ERROR_INPUT,
		    "firmware \"%s\": %zu bytes long, at most %d are wanted",
		    shown, len, FIRMWARE_TEXT_MAX);
	scan.at = skip_load_name(text);
	if (!read_parts(&read, &scan))
		return error_set(err, ERROR_INPUT,
		    "firmware \"%s\": column %zu: %s; wanted a version such "
		    "as 7.5.2b, 1.3.1(003) or 11-1-0MSR4",
		    shown, (size_t)(scan.at - scan.text) + 1, scan.problem);
	memcpy(read.text, text, len + 1);
	*firmware = read;
	return 0;
}

static int
compare_parts(const struct firmware_part *a, const struct firmware_part *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->kind == PART_WORD)
		return strcmp(a->word, b->word);
	return (a->number > b->number) - (a->number < b->number);
}

int
firmware_compare(const struct firmware *a, const struct firmware *b)
{
	for (size_t i = 0; i < a->part_count && i < b->part_count; i++) {
		int order = compare_parts(&a->part[i], &b->part[i]);

		if (order != 0)
			return order;
	}
	return (a->part_count > b->part_count) -
	    (a->part_count < b->part_count);
}
