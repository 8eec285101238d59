/*
 * The rules are those of registry/compile.py, which checks the registry's own
 * claims: what one refuses, the other does.
 */
#include "spa/knowledge_read.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "spa/knowledge.h"

enum column {
	CA,
	MODEL,
	FIRMWARE_MIN,
	FIRMWARE_MAX,
	VERDICT,
	BASIS,
	CONFIDENCE,
	REASON,
	SOURCE,
	COLUMNS
};

static const char *const column_names[COLUMNS] = { "ca", "model",
	"firmware_min", "firmware_max", "verdict", "basis", "confidence",
	"reason", "source" };

#define SHOWN_BYTES 64

struct row {
	struct claim claim;
	bool has_min, has_max;
	struct firmware min, max;
	size_t line;
};

struct reading {
	const char *name;
	struct errors *errors;
	size_t line;
	struct row *rows;
	size_t count, size;
	char *cell[COLUMNS]; /* of the row at hand */
};

/* Report 'column "what": ...' at the row at hand. */
static void
bad_cell(const struct reading *r, enum column column, const char *why)
{
	char shown[SHOWN_BYTES];

	text_escape(r->cell[column], strlen(r->cell[column]), shown,
	    sizeof(shown));
	errors_add(r->errors, "%s:%zu: %s \"%s\": %s", r->name, r->line,
	    column_names[column], shown, why);
}

static void
bad_row(const struct reading *r, const char *why)
{
	errors_add(r->errors, "%s:%zu: %s", r->name, r->line, why);
}

/* ------------------------------------------------------------- columns */

static int
read_word(const struct reading *r, enum column column, const char *const *words,
    size_t count)
{
	char wanted[128] = "wanted one of ";

	for (size_t i = 0; i < count; i++)
		if (strcmp(r->cell[column], words[i]) == 0)
			return (int)i;
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			(void)strncat(wanted, ", ",
			    sizeof(wanted) - strlen(wanted) - 1);
		(void)strncat(wanted, words[i],
		    sizeof(wanted) - strlen(wanted) - 1);
	}
	bad_cell(r, column, wanted);
	return -1;
}

/* In the order of enum verdict, basis and confidence. */
static void
read_words(const struct reading *r, struct claim *claim)
{
	static const char *const verdicts[] = { "unknown", "not", "trusted" };
	static const char *const bases[] = { "observed", "tested", "firmware",
		"vendor", "community", "inferred", "none" };
	static const char *const confidences[] = { "high", "medium", "low",
		"none" };
	int verdict = read_word(r, VERDICT, verdicts, 3);
	int basis = read_word(r, BASIS, bases, 7);
	int confidence = read_word(r, CONFIDENCE, confidences, 4);

	if (verdict < 0 || basis < 0 || confidence < 0)
		return;
	claim->verdict = (enum verdict)verdict;
	claim->basis = (enum basis)basis;
	claim->confidence = (enum confidence)confidence;
	if (claim->basis == BASIS_NONE &&
	    (claim->verdict != VERDICT_UNKNOWN ||
		claim->confidence != CONFIDENCE_NONE))
		bad_row(r,
		    "without a basis, verdict is unknown and "
		    "confidence none");
	if (claim->basis != BASIS_NONE && claim->confidence == CONFIDENCE_NONE)
		bad_row(r, "a basis needs a confidence");
	if (strcmp(r->cell[CA], "*") == 0 && claim->verdict != VERDICT_UNKNOWN)
		bad_row(r, "ca \"*\" is for the verdict unknown");
}

static void
read_ca(const struct reading *r, struct claim *claim)
{
	const char *id = r->cell[CA], *nearest = NULL, **ids;
	const struct ca *ca = registry_find_ca(id);
	char why[96];

	claim->ca = ca != NULL ? ca->id : "*";
	if (strcmp(id, "*") == 0)
		return;
	if (ca == NULL) {
		ids = xcalloc(registry_ca_count, sizeof(*ids));
		for (size_t i = 0; i < registry_ca_count; i++)
			ids[i] = registry_cas[i].id;
		nearest = text_nearest(id, ids, registry_ca_count);
		free(ids);
		(void)snprintf(why, sizeof(why),
		    nearest == NULL ? "is unknown; see \"sprov ca list\"%s" :
				      "is unknown; did you mean %s?",
		    nearest == NULL ? "" : nearest);
		bad_cell(r, CA, why);
	} else if (!registry_is_server_ca(ca)) {
		bad_cell(r, CA, "is no server CA");
	}
}

static void
read_model(const struct reading *r, struct claim *claim)
{
	const struct model *nearest,
	    *model = registry_find_model(r->cell[MODEL], &nearest);
	char why[96];

	if (model != NULL) {
		claim->model = model->name;
		return;
	}
	(void)snprintf(why, sizeof(why),
	    nearest == NULL ? "is unknown%s" : "is unknown; did you mean %s?",
	    nearest == NULL ? "" : nearest->name);
	bad_cell(r, MODEL, why);
}

/* A bound: its text in the claim and parsed; false when there is none. */
static bool
read_bound(const struct reading *r, enum column column, const char *text,
    struct firmware *firmware)
{
	struct error err;

	if (strcmp(text, "*") == 0)
		return false;
	if (firmware_parse(firmware, text, &err) == 0)
		return true;
	bad_cell(r, column, err.text);
	return false;
}

static void
read_range(const struct reading *r, struct row *row)
{
	char *max = r->cell[FIRMWARE_MAX];
	struct claim *claim = &row->claim;
	char why[160], low[SHOWN_BYTES], high[SHOWN_BYTES];
	int order;

	claim->max_exclusive = *max == '<';
	if (claim->max_exclusive && strcmp(++max, "*") == 0)
		bad_cell(r, FIRMWARE_MAX, "\"<\" needs a version");
	row->has_min = read_bound(r, FIRMWARE_MIN, r->cell[FIRMWARE_MIN],
	    &row->min);
	row->has_max = read_bound(r, FIRMWARE_MAX, max, &row->max);
	claim->firmware_min = row->has_min ? r->cell[FIRMWARE_MIN] : NULL;
	claim->firmware_max = row->has_max ? max : NULL;
	if (!row->has_min || !row->has_max)
		return;
	order = firmware_compare(&row->min, &row->max);
	if (order < 0 || (order == 0 && !claim->max_exclusive))
		return;
	text_escape(row->min.text, strlen(row->min.text), low, sizeof(low));
	text_escape(row->max.text, strlen(row->max.text), high, sizeof(high));
	(void)snprintf(why, sizeof(why), "no firmware is in %s to %s%s", low,
	    claim->max_exclusive ? "<" : "", high);
	bad_row(r, why);
}

static void
read_texts(const struct reading *r, struct claim *claim)
{
	claim->reason = r->cell[REASON];
	claim->source = r->cell[SOURCE];
	if (strcmp(claim->reason, "-") == 0)
		bad_row(r, "reason is empty");
	if (strcmp(claim->source, "-") == 0)
		bad_row(r, "no source");
}

/* ---------------------------------------------------------------- rows */

static bool
is_printable(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)line[i];

		if (c != '\t' && (c < 0x20 || c > 0x7e))
			return false;
	}
	return true;
}

/* Cut the line into its cells; false when it is no row. */
static bool
split_row(struct reading *r, char *line, size_t len)
{
	size_t count = 1;
	char why[64], *cell = line;

	for (size_t i = 0; i < len; i++)
		count += line[i] == '\t';
	if (count != COLUMNS) {
		(void)snprintf(why, sizeof(why), "%zu columns: wanted %d",
		    count, COLUMNS);
		bad_row(r, why);
		return false;
	}
	if (!is_printable(line, len)) {
		bad_row(r, "a character outside printable ASCII");
		return false;
	}
	for (size_t i = 0; i < COLUMNS; i++) {
		size_t n = strcspn(cell, "\t");

		r->cell[i] = cell;
		if (n == 0 || cell[0] == ' ' || cell[n - 1] == ' ') {
			bad_row(r,
			    "an empty cell, or one with blanks around "
			    "it: wanted \"-\" where there is nothing");
			return false;
		}
		cell[n] = '\0';
		cell += n + 1;
	}
	return true;
}

static void
read_row(struct reading *r, char *line, size_t len)
{
	struct row *row;

	if (!split_row(r, line, len))
		return;
	if (r->count == KNOWLEDGE_OWN_MAX) {
		errors_add(r->errors, "%s:%zu: more than %d claims", r->name,
		    r->line, KNOWLEDGE_OWN_MAX);
		return;
	}
	if (r->count == r->size) {
		r->size = r->size == 0 ? 16 : 2 * r->size;
		r->rows = xrealloc(r->rows, r->size * sizeof(*r->rows));
	}
	row = &r->rows[r->count++];
	*row = (struct row) { .claim = { .ca = "*", .model = "" },
		.line = r->line };
	read_ca(r, &row->claim);
	read_model(r, &row->claim);
	read_range(r, row);
	read_words(r, &row->claim);
	read_texts(r, &row->claim);
}

/* ------------------------------------------------------------- repeats */

static int
compare_bounds(bool has_a, const struct firmware *a, bool has_b,
    const struct firmware *b)
{
	if (!has_a || !has_b)
		return (int)has_a - (int)has_b;
	return firmware_compare(a, b);
}

/* What makes two claims one: CA, model, range and basis. */
static int
compare_keys(const struct row *a, const struct row *b)
{
	int order = strcmp(a->claim.ca, b->claim.ca);

	if (order == 0)
		order = strcmp(a->claim.model, b->claim.model);
	if (order == 0)
		order = compare_bounds(a->has_min, &a->min, b->has_min,
		    &b->min);
	if (order == 0)
		order = compare_bounds(a->has_max, &a->max, b->has_max,
		    &b->max);
	if (order == 0)
		order = (int)a->claim.max_exclusive -
		    (int)b->claim.max_exclusive;
	return order != 0 ? order : (int)a->claim.basis - (int)b->claim.basis;
}

static int
compare_rows(const void *left, const void *right)
{
	const struct row *const *a = left, *const *b = right;
	int order = compare_keys(*a, *b);

	return order != 0 ? order : (*a)->line < (*b)->line ? -1 : 1;
}

static void
check_repeats(const struct reading *r)
{
	const struct row **sorted = xcalloc(r->count + 1, sizeof(*sorted));
	const struct row *first = NULL;

	for (size_t i = 0; i < r->count; i++)
		sorted[i] = &r->rows[i];
	qsort(sorted, r->count, sizeof(*sorted), compare_rows);
	for (size_t i = 0; i < r->count; i++) {
		if (first != NULL && compare_keys(first, sorted[i]) == 0)
			errors_add(r->errors,
			    "%s:%zu: this claim stands in "
			    "line %zu already",
			    r->name, sorted[i]->line, first->line);
		else
			first = sorted[i];
	}
	free(sorted);
}

static bool
check_heads(const struct reading *r, const char *line, size_t len)
{
	if (len == strlen(KNOWLEDGE_HEADS) &&
	    memcmp(line, KNOWLEDGE_HEADS, len) == 0)
		return true;
	bad_row(r,
	    "column heads: wanted ca model firmware_min firmware_max "
	    "verdict basis confidence reason source, with tabs between them");
	return false;
}

static void
read_lines(struct reading *r, char *text, size_t len)
{
	char *end = text + len;

	for (char *line = text; line < end; line += len + 1) {
		char *newline = memchr(line, '\n', (size_t)(end - line));

		len = (size_t)((newline != NULL ? newline : end) - line);
		line[len] = '\0';
		r->line++;
		if (r->line == 1 && !check_heads(r, line, len))
			return; /* it is some other file */
		if (r->line > 1 && len > 0 && *line != '#')
			read_row(r, line, len);
	}
}

int
knowledge_read(const char *name, char *text, size_t len, struct claim **claims,
    size_t *count, struct errors *errors)
{
	struct reading r = { .name = name, .errors = errors };
	size_t before = errors->count;

	read_lines(&r, text, len);
	if (errors->count == before)
		check_repeats(&r);
	if (errors->count == before) {
		*claims = xcalloc(r.count + 1, sizeof(**claims));
		for (size_t i = 0; i < r.count; i++)
			(*claims)[i] = r.rows[i].claim;
		*count = r.count;
	}
	free(r.rows);
	return errors->count == before ? 0 : -1;
}
