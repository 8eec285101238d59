#include "cmd/ca_common.h"
#include "cmd/ca_fleet.h"
#include "cmd/ca_matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "cmd/device_common.h"
#include "cmd/print.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define LABEL_WIDTH 38	  /* with two columns for each of 20 CAs: 78 */
#define COUNT_WIDTH 9	  /* of devices: up to 10 millions less one */
#define LINES_PER_HEAD 40 /* the heads come again, for short terminals */

static char
mark(const struct ca_cell *cell)
{
	switch (cell->verdict) {
	case VERDICT_TRUSTED:
		return cell->sure ? 'Y' : 'y';
	case VERDICT_NOT:
		return cell->sure ? 'N' : 'n';
	case VERDICT_UNKNOWN:
		break;
	}
	return '.';
}

/* Is anything known about any CA? */
static bool
is_known(const struct ca_matrix *matrix, const struct ca_block *block)
{
	for (size_t i = 0; i < block->row_count; i++)
		for (size_t c = 0; c < matrix->ca_count; c++)
			if (block->rows[i].cells[c].verdict != VERDICT_UNKNOWN)
				return true;
	return false;
}

/* -------------------------------------------------------------- as text */

static void
print_legend(const struct ca_matrix *matrix)
{
	(void)printf("Which model trusts which CA, by firmware:\n\n");
	for (size_t c = 0; c < matrix->ca_count; c++)
		(void)printf("  %c  %-26s %s\n", (char)('a' + c),
		    matrix->cas[c]->id, matrix->cas[c]->name);
	(void)printf("\n"
		     "  Y  trusted           y  trusted, with less confidence\n"
		     "  N  not trusted       n  not trusted, with less "
		     "confidence\n"
		     "  .  nobody says       *  another claim contradicts\n");
}

static void
print_heads(const struct ca_matrix *matrix)
{
	(void)printf("\n%-*s", LABEL_WIDTH, "models and firmware");
	for (size_t c = 0; c < matrix->ca_count; c++)
		(void)printf(" %c", (char)('a' + c));
	(void)printf("\n");
}

static void
print_cells(const struct ca_matrix *matrix, const struct ca_row *row)
{
	char line[2 * 64 + 1] = "";
	size_t used = 0;

	for (size_t c = 0; c < matrix->ca_count && c < 64; c++)
		used += (size_t)snprintf(line + used, sizeof(line) - used,
		    "%c%c", mark(&row->cells[c]),
		    row->cells[c].contradicted ? '*' : ' ');
	while (used > 0 && line[used - 1] == ' ')
		line[--used] = '\0';
	(void)printf(" %s\n", line);
}

/* The range, and at the right how many devices have it, when some do. */
static void
print_label(const char *range, size_t devices)
{
	char count[24] = "";
	int width = LABEL_WIDTH - 2;

	if (devices > 0)
		width -= snprintf(count, sizeof(count), " %zu", devices);
	(void)printf("  %-*s%s", width, range, count);
}

/* Returns how many lines were printed. */
static size_t
print_block(const struct ca_matrix *matrix, const struct ca_block *block)
{
	size_t column = 0, lines = 1 + block->row_count;

	for (size_t i = 0; i < block->model_count; i++) {
		size_t len = strlen(block->models[i]->name);

		if (column > 0 && column + 1 + len > LABEL_WIDTH) {
			(void)printf("\n");
			lines++;
			column = 0;
		}
		column += (size_t)printf("%s%s", column > 0 ? " " : "",
		    block->models[i]->name);
	}
	(void)printf("\n");
	for (size_t i = 0; i < block->row_count; i++) {
		const struct ca_row *row = &block->rows[i];
		char range[KNOWLEDGE_RANGE_BYTES];

		knowledge_range_text(&row->range, range);
		if (strlen(range) + 2 + (row->devices > 0 ? COUNT_WIDTH : 0) >
		    LABEL_WIDTH) {
			(void)printf("  %s\n", range);
			*range = '\0';
			lines++;
		}
		print_label(range, row->devices);
		print_cells(matrix, row);
	}
	if (block->firmware_unknown > 0) {
		print_label("firmware not known", block->firmware_unknown);
		(void)putchar('\n');
		lines++;
	}
	return lines;
}

/* Models of which nothing is known, as a paragraph. */
static void
print_nothing_known(const struct ca_matrix *matrix)
{
	size_t column = 0;

	for (size_t b = 0; b < matrix->block_count; b++) {
		const struct ca_block *block = &matrix->blocks[b];

		if (is_known(matrix, block))
			continue;
		if (column == 0)
			(void)printf("\nNothing is known of:\n");
		for (size_t i = 0; i < block->model_count; i++)
			column = cmd_wrap(column, 2, block->models[i]->name);
	}
	if (column > 0)
		(void)printf("\n");
}

static void
print_text(const struct ca_matrix *matrix)
{
	size_t lines = LINES_PER_HEAD;

	print_legend(matrix);
	for (size_t b = 0; b < matrix->block_count; b++) {
		if (!is_known(matrix, &matrix->blocks[b]))
			continue;
		if (lines >= LINES_PER_HEAD) {
			print_heads(matrix);
			lines = 0;
		}
		lines += print_block(matrix, &matrix->blocks[b]);
	}
	print_nothing_known(matrix);
	(void)printf("\n\"sprov ca which MODEL@FIRMWARE\" says who says so.\n");
}

/* ---------------------------------------------------------- as Markdown */

/* No state as of today: the page must not change by itself. */
static void
print_markdown_legend(const struct ca_matrix *matrix)
{
	static const char *const signing[] = { "not known", "yes", "no" };

	(void)printf("| | CA | name | key | valid to | signs |\n"
		     "|---|---|---|---|---|---|\n");
	for (size_t c = 0; c < matrix->ca_count; c++) {
		const struct ca *ca = matrix->cas[c];
		char date[CMD_DATE_BYTES];

		cmd_date(ca->not_after, date);
		(void)printf("| %c | %s | %s | %s | %s | %s%s%s |\n",
		    (char)('a' + c), ca->id, ca->name,
		    *ca->key_type != '\0' ? ca->key_type : "not known",
		    ca->role == CA_SERVER_CLASS ? "-" :
			ca->not_after == 0	? "not known" :
						  date,
		    signing[ca->signing],
		    *ca->signing_until != '\0' ? ", since " : "",
		    ca->signing_until);
	}
	(void)
	    printf("\n`Y` trusted, `y` trusted with less confidence, `N` "
		   "not trusted, `n` not trusted\nwith less confidence, empty: "
		   "nobody says, `*` another claim contradicts.\n\n");
}

static void
print_markdown_block(const struct ca_matrix *matrix,
    const struct ca_block *block)
{
	for (size_t i = 0; i < block->row_count; i++) {
		char range[KNOWLEDGE_RANGE_BYTES];

		(void)printf("|");
		for (size_t m = 0; i == 0 && m < block->model_count; m++)
			(void)printf("%s %s", m > 0 ? "," : "",
			    block->models[m]->name);
		knowledge_range_text(&block->rows[i].range, range);
		(void)printf(" | %s |", range);
		for (size_t c = 0; c < matrix->ca_count; c++) {
			const struct ca_cell *cell = &block->rows[i].cells[c];

			if (cell->verdict == VERDICT_UNKNOWN)
				(void)printf(" |");
			else
				(void)printf(" %c%s |", mark(cell),
				    cell->contradicted ? "\\*" : "");
		}
		(void)printf("\n");
	}
}

/* The CAs that a row trusts and that (still) sign or not; with the end of those
 * that do not. */
static void
print_markdown_trusted(const struct ca_matrix *matrix, const struct ca_row *row,
    enum ca_signing signing)
{
	bool any = false;

	for (size_t c = 0; c < matrix->ca_count; c++) {
		const struct ca *ca = matrix->cas[c];
		char date[CMD_DATE_BYTES];

		if (row->cells[c].verdict != VERDICT_TRUSTED ||
		    ca->signing != signing ||
		    ca->role == CA_SERVER_INTERMEDIATE)
			continue;
		cmd_date(ca->not_after, date);
		(void)printf("%s%s%s", any ? ", " : " ", ca->id,
		    row->cells[c].sure ? "" : " (less sure)");
		if (signing == CA_SIGNING_NO && ca->not_after != 0)
			(void)printf(" to %s", date);
		any = true;
	}
	(void)printf(" |");
}

/* For the newest firmware: from whom a certificate can be had. */
static void
print_markdown_answers(const struct ca_matrix *matrix)
{
	(void)printf("| models | firmware | new certificates from | existing "
		     "certificates from |\n|---|---|---|---|\n");
	for (size_t b = 0; b < matrix->block_count; b++) {
		const struct ca_block *block = &matrix->blocks[b];
		const struct ca_row *row = &block->rows[block->row_count - 1];
		char range[KNOWLEDGE_RANGE_BYTES];

		if (!is_known(matrix, block))
			continue;
		(void)printf("|");
		for (size_t m = 0; m < block->model_count; m++)
			(void)printf("%s %s", m > 0 ? "," : "",
			    block->models[m]->name);
		knowledge_range_text(&row->range, range);
		(void)printf(" | %s |", range);
		print_markdown_trusted(matrix, row, CA_SIGNING_YES);
		print_markdown_trusted(matrix, row, CA_SIGNING_NO);
		(void)printf("\n");
	}
	(void)printf("\n");
}

static void
print_markdown(const struct ca_matrix *matrix)
{
	bool any = false;

	(void)printf("## With the newest firmware\n\n");
	print_markdown_answers(matrix);
	(void)printf("## The CAs\n\n");
	print_markdown_legend(matrix);
	(void)printf("## Every firmware\n\n");
	(void)printf("| models | firmware |");
	for (size_t c = 0; c < matrix->ca_count; c++)
		(void)printf(" %c |", (char)('a' + c));
	(void)printf("\n|---|---|");
	for (size_t c = 0; c < matrix->ca_count; c++)
		(void)printf("---|");
	(void)printf("\n");
	for (size_t b = 0; b < matrix->block_count; b++)
		if (is_known(matrix, &matrix->blocks[b]))
			print_markdown_block(matrix, &matrix->blocks[b]);
	for (size_t b = 0; b < matrix->block_count; b++) {
		const struct ca_block *block = &matrix->blocks[b];

		if (is_known(matrix, block))
			continue;
		for (size_t m = 0; m < block->model_count; m++) {
			(void)printf("%s%s",
			    any ? ",\n" : "\nNothing is known of these:\n",
			    block->models[m]->name);
			any = true;
		}
	}
	if (any)
		(void)printf(".\n");
}

/* -------------------------------------------------------------- as JSON */

static json_t *
row_json(const struct ca_matrix *matrix, const struct ca_row *row, bool counted)
{
	json_t *verdicts = json_object(), *json;
	char range[KNOWLEDGE_RANGE_BYTES];

	for (size_t c = 0; c < matrix->ca_count; c++)
		(void)json_object_set_new(verdicts, matrix->cas[c]->id,
		    json_pack("{ss sb sb}", "verdict",
			verdict_name(row->cells[c].verdict), "high_confidence",
			row->cells[c].sure, "contradicted",
			row->cells[c].contradicted));
	knowledge_range_text(&row->range, range);
	json = json_pack("{ss ss? sb ss? sb so}", "firmware", range, "from",
	    row->range.has_from ? row->range.from.text : NULL, "from_exclusive",
	    row->range.from_exclusive, "to",
	    row->range.has_to ? row->range.to.text : NULL, "to_exclusive",
	    row->range.to_exclusive, "cas", verdicts);
	if (counted)
		(void)json_object_set_new(json, "devices",
		    json_integer((json_int_t)row->devices));
	return json;
}

static json_t *
block_json(const struct ca_matrix *matrix, const struct ca_block *block,
    bool counted)
{
	json_t *models = json_array(), *rows = json_array(), *json;

	for (size_t i = 0; i < block->model_count; i++)
		(void)json_array_append_new(models,
		    json_string(block->models[i]->name));
	for (size_t i = 0; i < block->row_count; i++)
		(void)json_array_append_new(rows,
		    row_json(matrix, &block->rows[i], counted));
	json = json_pack("{ss so so}", "family", block->models[0]->family,
	    "models", models, "rows", rows);
	if (!counted)
		return json;
	(void)json_object_set_new(json, "devices",
	    json_integer((json_int_t)block->devices));
	(void)json_object_set_new(json, "firmware_unknown",
	    json_integer((json_int_t)block->firmware_unknown));
	return json;
}

static int
print_matrix_json(const struct ca_matrix *matrix, bool counted)
{
	json_t *array = json_array();

	for (size_t b = 0; b < matrix->block_count; b++)
		(void)json_array_append_new(array,
		    block_json(matrix, &matrix->blocks[b], counted));
	return ca_print_json(array);
}

/* -------------------------------------------------------------- command */

/* The registry's spelling of a family, or that of a model; NULL is said. */
static const char *
find_family(const char *text)
{
	const struct model *model = registry_find_model(text, NULL);
	const char **names, *nearest;
	char shown[64];

	for (size_t i = 0; i < registry_model_count; i++)
		if (strcasecmp(registry_models[i].family, text) == 0)
			return registry_models[i].family;
	if (model != NULL)
		return model->family;
	names = xcalloc(registry_model_count, sizeof(*names));
	for (size_t i = 0; i < registry_model_count; i++)
		names[i] = registry_models[i].family;
	nearest = text_nearest(text, names, registry_model_count);
	free(names);
	text_escape(text, strlen(text), shown, sizeof(shown));
	if (nearest != NULL)
		cmd_error("family \"%s\" is not known; did you mean %s?", shown,
		    nearest);
	else
		cmd_error("family \"%s\" is not known: wanted one such as "
			  "SPA5xx, or a model",
		    shown);
	return NULL;
}

static int
print_matrix(const struct ca_matrix *matrix, bool json, bool markdown,
    bool counted)
{
	if (json)
		return print_matrix_json(matrix, counted);
	if (markdown)
		print_markdown(matrix);
	else
		print_text(matrix);
	return CMD_DONE;
}

int
ca_matrix_command(int argc, char **argv)
{
	const char *claims = NULL, *wanted = NULL, *family = NULL, *uri = NULL;
	bool json = false, markdown = false, count = false;
	const struct cmd_option options[] = {
		{ .name = "family",
		    .letter = 'f',
		    .value = "FAMILY",
		    .help = "only those, such as SPA5xx",
		    .text = &wanted },
		{ .name = "devices",
		    .letter = 'd',
		    .help = "also how many devices have these versions",
		    .flag = &count },
		DEVICE_INVENTORY_OPTION(&uri),
		CA_CLAIMS_OPTION(&claims),
		CA_JSON_OPTION(&json),
		{ .name = "markdown",
		    .letter = 'm',
		    .flag = &markdown,
		    .help = "as a page's table" },
	};
	const struct cmd_syntax syntax = { "sprov ca matrix", "",
		"Every model and firmware against every CA: models with the "
		"same answers share a\nblock, with a line for each stretch of "
		"versions.\n",
		options, LENGTH(options), 0, 0 };
	struct knowledge *knowledge = NULL;
	struct ca_matrix matrix = { 0 };
	struct ca_fleet fleet = { 0 };
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status >= 0)
		return status;
	if (markdown && (json || count)) {
		cmd_error("--markdown and %s exclude each other",
		    json ? "--json" : "--devices");
		return CMD_USAGE;
	}
	status = CMD_FAILED;
	if ((wanted != NULL && (family = find_family(wanted)) == NULL) ||
	    (knowledge = ca_load_knowledge(claims, uri)) == NULL ||
	    (count && ca_fleet_load(&fleet, uri) != 0))
		goto end;
	if (count && !fleet.present) {
		cmd_error("there is no inventory to count devices in: name it "
			  "with --inventory");
		goto end;
	}
	ca_matrix_make(&matrix, knowledge, family);
	if (count)
		ca_matrix_count(&matrix, &fleet);
	status = print_matrix(&matrix, json, markdown, count);
end:
	ca_matrix_clear(&matrix);
	ca_fleet_clear(&fleet);
	knowledge_free(knowledge);
	return status;
}
