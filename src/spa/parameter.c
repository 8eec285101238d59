#include "spa/parameter.h"
#include "base/mem.h"
#include "base/text.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
/* More than a path and a name may have together never matches a row. */
#define NAME_BYTES 256

static const struct {
	const char *family; /* of models.tsv */
	enum parameter_family is;
} families_of_models[] = {
	{ "PAP2", PARAMETER_ADAPTER },
	{ "PAP2T", PARAMETER_ADAPTER },
	{ "SPA1xxx", PARAMETER_ADAPTER },
	{ "SPA2xxx", PARAMETER_ADAPTER },
	{ "SPA3xxx", PARAMETER_ADAPTER },
	{ "SPA8xxx", PARAMETER_ADAPTER },
	/* ASSUMED: as the classic adapters; no list of theirs was found. */
	{ "SPA9000", PARAMETER_ADAPTER },
	{ "SPA4xx", PARAMETER_ADAPTER },
	{ "WRP", PARAMETER_ADAPTER },
	{ "SRP5xx", PARAMETER_ADAPTER },
	{ "SPA9xx", PARAMETER_PHONE },
	{ "SPA3xx", PARAMETER_PHONE },
	{ "SPA5xx", PARAMETER_PHONE },
	{ "WIP", PARAMETER_PHONE },
	{ "SPA1xx", PARAMETER_SPA1XX },
	{ "SPA2xxD", PARAMETER_SPA1XX },
	{ "ATA19x", PARAMETER_ATA19X },
};

static const struct {
	const char *name;
	unsigned lines;
} kinds[] = {
	/* ASSUMED: 8 lines and 4 trunks of the SPA8000. */
	{ "classic adapters", 12 },
	{ "SPA phones", 12 }, /* [FUSIONPBX] spa504g: Extension_1_ .. 12 */
	{ "SPA525G", 5 },     /* [FUSIONPBX] spa525g2 */
	{ "SPA1xx", 2 },      /* [FUSIONPBX] spa122 */
	{ "ATA19x", 2 },      /* [ATA19X-PROV] 0101 */
	{ "MPP", 16 },	      /* [MPP-XML] ACD_Status_n_ */
};

enum parameter_family
parameter_family(const struct model *model)
{
	if (text_starts(model->name, "SPA525"))
		return PARAMETER_SPA525;
	for (size_t i = 0; i < LENGTH(families_of_models); i++)
		if (strcmp(model->family, families_of_models[i].family) == 0)
			return families_of_models[i].is;
	return PARAMETER_MPP; /* CP-*, DP-*, DBS */
}

const char *
parameter_family_name(unsigned families)
{
	for (size_t i = 0; i < LENGTH(kinds); i++)
		if ((families & (1U << i)) != 0)
			return kinds[i].name;
	return "";
}

unsigned
parameter_lines(unsigned families)
{
	unsigned most = 0;

	for (size_t i = 0; i < LENGTH(kinds); i++)
		if ((families & (1U << i)) != 0 && kinds[i].lines > most)
			most = kinds[i].lines;
	return most;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Read what stands in the brackets that pattern begins with; the rest. */
static const char *
read_bracket(const char *pattern, unsigned lines, unsigned long *low,
    unsigned long *high)
{
	char *end;

	*low = 1;
	*high = lines;
	if (pattern[1] != 'l') {
		*low = strtoul(pattern + 1, &end, 10);
		*high = strtoul(end + 1, NULL, 10);
	}
	return strchr(pattern, ']') + 1;
}

/* Does the text begin with a number of low..high?  Its length, or 0. */
static size_t
match_number(const char *text, unsigned long low, unsigned long high)
{
	size_t len = strspn(text, "0123456789");
	unsigned long number;

	if (len == 0 || len > 4 || (len > 1 && *text == '0'))
		return 0;
	number = strtoul(text, NULL, 10);
	return number >= low && number <= high ? len : 0;
}

struct comparison {
	unsigned lines; /* the highest number that "[line]" stands for */
	bool fold;	/* case does not matter */
	bool any;	/* nor do numbers */
};

static bool
matches(const struct comparison *how, const char *pattern, const char *text)
{
	while (*pattern != '\0') {
		unsigned long low, high;
		size_t len;

		if (*pattern == '[') {
			pattern = read_bracket(pattern, how->lines, &low,
			    &high);
			len = how->any ? strspn(text, "0123456789") :
					 match_number(text, low, high);
			if (len == 0)
				return false;
			text += len;
			continue;
		}
		if (*pattern != *text &&
		    (!how->fold ||
			tolower((unsigned char)*pattern) !=
			    tolower((unsigned char)*text)))
			return false;
		pattern++;
		text++;
	}
	return *text == '\0';
}

static const struct parameter *
find(const struct comparison *how, unsigned families, const char *text)
{
	for (size_t i = 0; i < parameter_count; i++)
		if ((parameters[i].families & families) != 0 &&
		    (how->fold || *parameters[i].name == *text) &&
		    matches(how, parameters[i].name, text))
			return &parameters[i];
	return NULL;
}

/* Each family has as many lines as it has. */
static unsigned
find_families(const char *text)
{
	unsigned found = 0;

	for (size_t i = 0; i < LENGTH(kinds); i++) {
		const struct comparison exactly = { .lines = kinds[i].lines };

		if (find(&exactly, 1U << i, text) != NULL)
			found |= 1U << i;
	}
	return found;
}

/* The pattern as a name, with the numbers that text has, in their order. */
static void
fill_in(const char *pattern, const char *text, char *name, size_t size)
{
	size_t len = 0;

	while (*pattern != '\0' && len + 1 < size) {
		if (*pattern != '[') {
			name[len++] = *pattern++;
			continue;
		}
		pattern = strchr(pattern, ']') + 1;
		text += strcspn(text, "0123456789");
		if (*text == '\0')
			name[len++] = 'n';
		while (is_digit(*text) && len + 1 < size)
			name[len++] = *text++;
	}
	name[len] = '\0';
}

/* Numbers compare as one sign each: Proxi_12_ is as near to Proxy_[line]_ as
 * Proxi_1_ is. */
static char *
without_numbers(const char *text)
{
	char *plain = xstrdup(text);
	size_t len = 0;

	while (*text != '\0') {
		if (*text == '[')
			text = strchr(text, ']') + 1;
		else if (is_digit(*text))
			text += strspn(text, "0123456789");
		else {
			plain[len++] = *text++;
			continue;
		}
		plain[len++] = '#';
	}
	plain[len] = '\0';
	return plain;
}

static void
suggest_nearest(struct parameter_match *match, unsigned families,
    const char *text)
{
	char **plain = xcalloc(parameter_count, sizeof(*plain));
	size_t *rows = xcalloc(parameter_count, sizeof(*rows));
	char *wanted = without_numbers(text);
	size_t count = 0;
	const char *nearest;

	for (size_t i = 0; i < parameter_count; i++)
		if ((parameters[i].families & families) != 0 &&
		    parameters[i].type != PARAMETER_TYPE_INFO) {
			rows[count] = i;
			plain[count++] = without_numbers(parameters[i].name);
		}
	nearest = text_nearest(wanted, (const char *const *)plain, count);
	for (size_t i = 0; i < count; i++) {
		if (plain[i] == nearest)
			fill_in(parameters[rows[i]].name, text,
			    match->suggestion, sizeof(match->suggestion));
		free(plain[i]);
	}
	free(plain);
	free(rows);
	free(wanted);
}

static void
suggest(struct parameter_match *match, unsigned families, const char *text)
{
	const struct comparison by_case = { parameter_lines(families),
		.fold = true };
	const struct comparison by_line = { .any = true };
	const struct parameter *near;

	if ((near = find(&by_case, families, text)) != NULL)
		match->is_case = true;
	else if ((near = find(&by_line, families, text)) != NULL)
		match->is_line = true;
	if (near != NULL)
		fill_in(near->name, text, match->suggestion,
		    sizeof(match->suggestion));
	else
		suggest_nearest(match, families, text);
}

/* snprintf would be half of what a look at a value costs. */
static bool
join(const char *path, const char *name, char text[static NAME_BYTES])
{
	size_t len = strlen(path), more = strlen(name);

	if (len + 1 + more >= NAME_BYTES)
		return false;
	memcpy(text, path, len);
	if (len > 0)
		text[len++] = '/';
	memcpy(text + len, name, more + 1);
	return *text != '\0' && strchr(text, '[') == NULL;
}

void
parameter_find(struct parameter_match *match, unsigned families,
    const char *path, const char *name)
{
	const struct comparison exactly = {
		.lines = parameter_lines(families)
	};
	char text[NAME_BYTES];

	*match = (struct parameter_match) { .parameter = NULL };
	if (!join(path, name, text))
		return;
	match->parameter = find(&exactly, families, text);
	if (match->parameter != NULL)
		return;
	match->elsewhere = find_families(text) & ~families;
	suggest(match, families, text);
}

/* The few rows that are passwords: every value that is kept or shown is looked
 * up among them.  Made once, never freed. */
static struct {
	pthread_once_t once;
	const char **names;
	size_t count;
} secrets = { .once = PTHREAD_ONCE_INIT };

static void
list_secrets(void)
{
	secrets.names = xcalloc(parameter_count, sizeof(*secrets.names));
	for (size_t i = 0; i < parameter_count; i++)
		if (parameters[i].type == PARAMETER_TYPE_PASSWORD)
			secrets.names[secrets.count++] = parameters[i].name;
}

bool
parameter_is_secret(const char *path, const char *name)
{
	const struct comparison exactly = {
		.lines = parameter_lines(PARAMETER_ALL)
	};
	char text[NAME_BYTES];

	if (!join(path, name, text))
		return false;
	(void)pthread_once(&secrets.once, list_secrets);
	for (size_t i = 0; i < secrets.count; i++)
		if (*secrets.names[i] == *text &&
		    matches(&exactly, secrets.names[i], text))
			return true;
	return false;
}
