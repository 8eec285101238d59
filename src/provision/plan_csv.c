#include "provision/plan_csv.h"
#include "base/mac.h"
#include "base/mem.h"
#include "base/text.h"
#include "provision/plan_fleet.h"
#include "provision/plan_macs.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <csv.h>

#define SHOWN_BYTES 72

enum column {
	COLUMN_MODEL,
	COLUMN_FIRMWARE,
	COLUMN_COUNT,
	COLUMN_MAC,
	COLUMN_STATE,
	COLUMN_KINDS
};

static const char *const column_names[COLUMN_KINDS] = { "model", "firmware",
	"count", "mac", "state" };

#define NO_COLUMN SIZE_MAX

struct cell {
	size_t start, len; /* in cells */
};

struct plan_csv {
	struct plan_fleet *fleet;
	const char *name;
	struct errors *errors;
	size_t errors_before;
	struct plan_macs *macs;
	struct csv_parser parser;
	bool started, stop, has_header;
	size_t column[COLUMN_KINDS]; /* where it is, or NO_COLUMN */
	size_t column_count;
	size_t line;	 /* of what comes next, from 1 */
	size_t row_line; /* where the row began */
	/* The row as written, then its cells one after the other. */
	char row[PLAN_CSV_ROW_MAX];
	size_t row_len;
	char text[PLAN_CSV_ROW_MAX];
	size_t text_len;
	struct cell cells[PLAN_CSV_COLUMNS_MAX];
	size_t cell_count; /* also of those that found no room */
};

/* ------------------------------------------------------------- messages */

/*
 * Where the cell of that number stands in the row: libcsv does not tell, and
 * only mistakes ask.  Counts lines too, for cells with newlines in quotes.
 */
static void
locate(const struct plan_csv *csv, size_t cell, size_t *line, size_t *column)
{
	bool quoted = false;

	*line = csv->row_line;
	*column = 1;
	for (size_t i = 0; i < csv->row_len; i++) {
		char c = csv->row[i];

		if (!quoted && cell == 0 && c != ' ' && c != '\t')
			return;
		if (c == '"')
			quoted = !quoted;
		if (c == ',' && !quoted)
			cell--;
		++*column;
		if (c == '\n') {
			++*line;
			*column = 1;
		}
	}
}

static void
complain(struct plan_csv *csv, size_t cell, const char *text)
{
	size_t line, column;

	locate(csv, cell, &line, &column);
	errors_add(csv->errors, "%s:%zu:%zu: %s", csv->name, line, column,
	    text);
	/* More would not be shown. */
	if (csv->errors->count - csv->errors_before >= ERRORS_MAX)
		csv->stop = true;
}

static void
give_up(struct plan_csv *csv, size_t cell, const char *text)
{
	complain(csv, cell, text);
	csv->stop = true;
}

/* --------------------------------------------------------------- header */

static bool
is_named(const struct plan_csv *csv, size_t cell, const char *name)
{
	return csv->cells[cell].len == strlen(name) &&
	    strncasecmp(csv->text + csv->cells[cell].start, name,
		strlen(name)) == 0;
}

static void
read_header(struct plan_csv *csv)
{
	struct error err;

	for (size_t kind = 0; kind < COLUMN_KINDS; kind++) {
		csv->column[kind] = NO_COLUMN;
		for (size_t i = 0; i < csv->cell_count; i++) {
			if (!is_named(csv, i, column_names[kind]))
				continue;
			if (csv->column[kind] != NO_COLUMN) {
				(void)error_set(&err, ERROR_INPUT,
				    "there is a column \"%s\" already",
				    column_names[kind]);
				give_up(csv, i, err.text);
				return;
			}
			csv->column[kind] = i;
		}
	}
	csv->has_header = true;
	csv->column_count = csv->cell_count;
	if (csv->column[COLUMN_MODEL] != NO_COLUMN)
		return;
	if (csv->cell_count == 1 && csv->cells[0].len > 0 &&
	    (memchr(csv->text, ';', csv->text_len) != NULL ||
		memchr(csv->text, '\t', csv->text_len) != NULL))
		give_up(csv, 0,
		    "the columns have semicolons or tabs between "
		    "them, expected commas");
	else
		give_up(csv, 0,
		    "there is no column \"model\": the first row "
		    "has to name the columns: model, and any of firmware, "
		    "count, mac, state");
}

/* ----------------------------------------------------------------- rows */

/* The cell of that kind; empty when there is no such column. */
static const char *
cell_of(const struct plan_csv *csv, enum column kind, size_t *len)
{
	const struct cell *cell;

	*len = 0;
	if (csv->column[kind] == NO_COLUMN)
		return "";
	cell = &csv->cells[csv->column[kind]];
	*len = cell->len;
	return csv->text + cell->start;
}

static bool
read_count(struct plan_csv *csv, uint64_t *count)
{
	size_t len;
	const char *text = cell_of(csv, COLUMN_COUNT, &len);
	struct error err, why;
	char number[16], shown[SHOWN_BYTES];

	*count = 1;
	if (len == 0)
		return true;
	if (len < sizeof(number) && memchr(text, '\0', len) == NULL) {
		memcpy(number, text, len);
		number[len] = '\0';
		if (text_parse_number(number, 1, PLAN_COUNT_MAX, count, &why) ==
		    0)
			return true;
	}
	text_escape(text, len, shown, sizeof(shown));
	(void)error_set(&err, ERROR_INPUT,
	    "count \"%s\": expected a number from 1 to %d", shown,
	    PLAN_COUNT_MAX);
	complain(csv, csv->column[COLUMN_COUNT], err.text);
	return false;
}

static bool
read_mac(struct plan_csv *csv, uint64_t count)
{
	size_t len, line;
	const char *text = cell_of(csv, COLUMN_MAC, &len);
	char shown[SHOWN_BYTES];
	struct error err;
	struct mac mac;

	if (len == 0)
		return true;
	text_escape(text, len, shown, sizeof(shown));
	if (!mac_read(&mac, text, len))
		(void)error_set(&err, ERROR_INPUT,
		    "\"%s\" is not a MAC address: expected 12 hex digits, "
		    "bare or in pairs split by ':' or '-'",
		    shown);
	else if (count != 1)
		(void)error_set(&err, ERROR_INPUT,
		    "a row with a MAC address is one device: expected no "
		    "count, or 1");
	else if ((line = plan_macs_add(csv->macs, &mac, csv->row_line)) != 0)
		(void)error_set(&err, ERROR_INPUT,
		    "the device %s is in line %zu already", shown, line);
	else
		return true;
	complain(csv, csv->column[COLUMN_MAC], err.text);
	return false;
}

static bool
read_state(struct plan_csv *csv, bool *retired)
{
	size_t len;
	const char *text = cell_of(csv, COLUMN_STATE, &len);
	char shown[SHOWN_BYTES];
	struct error err;

	*retired = len > 0 &&
	    is_named(csv, csv->column[COLUMN_STATE], "retired");
	if (len == 0 || *retired ||
	    is_named(csv, csv->column[COLUMN_STATE], "active"))
		return true;
	text_escape(text, len, shown, sizeof(shown));
	(void)error_set(&err, ERROR_INPUT,
	    "state \"%s\": expected active or retired", shown);
	complain(csv, csv->column[COLUMN_STATE], err.text);
	return false;
}

static void
read_row(struct plan_csv *csv)
{
	size_t model_len, firmware_len;
	const char *model, *firmware;
	bool retired, bad_firmware;
	uint64_t count;
	struct error err;

	if (csv->cell_count != csv->column_count) {
		(void)error_set(&err, ERROR_INPUT,
		    "%zu cells, expected %zu as in the first row",
		    csv->cell_count, csv->column_count);
		complain(csv, 0, err.text);
		return;
	}
	if (!read_state(csv, &retired) || !read_count(csv, &count) ||
	    !read_mac(csv, count) || retired)
		return;
	model = cell_of(csv, COLUMN_MODEL, &model_len);
	firmware = cell_of(csv, COLUMN_FIRMWARE, &firmware_len);
	if (plan_fleet_add(csv->fleet, model, model_len, firmware, firmware_len,
		count, &bad_firmware, &err) != 0)
		complain(csv,
		    csv->column[bad_firmware &&
				csv->column[COLUMN_FIRMWARE] != NO_COLUMN ?
			    COLUMN_FIRMWARE :
			    COLUMN_MODEL],
		    err.text);
}

/* --------------------------------------------------------------- libcsv */

static void
take_cell(void *data, size_t len, void *arg)
{
	struct plan_csv *csv = arg;

	/* The bound on the row makes the text fit. */
	if (csv->cell_count++ >= PLAN_CSV_COLUMNS_MAX ||
	    len > sizeof(csv->text) - csv->text_len)
		return;
	if (len > 0)
		memcpy(csv->text + csv->text_len, data, len);
	csv->cells[csv->cell_count - 1] = (struct cell) { csv->text_len, len };
	csv->text_len += len;
}

static void
forget_row(struct plan_csv *csv)
{
	csv->text_len = 0;
	csv->cell_count = 0;
}

/* Spreadsheets write rows of nothing but commas after the last one. */
static bool
row_is_empty(const struct plan_csv *csv)
{
	return csv->text_len == 0 && csv->cell_count <= PLAN_CSV_COLUMNS_MAX;
}

static void
take_row(int terminator, void *arg)
{
	struct plan_csv *csv = arg;

	(void)terminator;
	if (csv->stop || row_is_empty(csv)) {
		/* nothing to do */
	} else if (csv->cell_count > PLAN_CSV_COLUMNS_MAX) {
		give_up(csv, 0, "more columns than 256");
	} else if (!csv->has_header) {
		read_header(csv);
	} else {
		read_row(csv);
	}
	forget_row(csv);
}

static void
start_parser(struct plan_csv *csv)
{
	(void)csv_init(&csv->parser, CSV_STRICT | CSV_STRICT_FINI);
	forget_row(csv);
}

/* A row that libcsv cannot read: begin anew behind it. */
static void
skip_row(struct plan_csv *csv, const char *text)
{
	if (csv->has_header)
		complain(csv, 0, text);
	else
		give_up(csv, 0, text);
	csv_free(&csv->parser);
	start_parser(csv);
}

/* ---------------------------------------------------------------- lines */

/* The row so far ends in a newline that is not in quotes. */
static bool
row_is_whole(const struct plan_csv *csv)
{
	bool quoted = false;

	if (memchr(csv->row, '"', csv->row_len) == NULL)
		return true;
	for (size_t i = 0; i < csv->row_len; i++)
		quoted ^= csv->row[i] == '"';
	return !quoted;
}

/* What says that the bytes are UTF-8, or that they are not. */
static void
skip_mark(struct plan_csv *csv)
{
	csv->started = true;
	if (csv->row_len >= 2 &&
	    (memcmp(csv->row, "\xff\xfe", 2) == 0 ||
		memcmp(csv->row, "\xfe\xff", 2) == 0)) {
		give_up(csv, 0,
		    "the file is in UTF-16: save it as \"CSV UTF-8\"");
	} else if (csv->row_len >= 3 &&
	    memcmp(csv->row, "\xef\xbb\xbf", 3) == 0) {
		csv->row_len -= 3;
		memmove(csv->row, csv->row + 3, csv->row_len);
	}
}

/* A row is in csv->row, with its newline unless it is the last. */
static void
parse_row(struct plan_csv *csv)
{
	if (!csv->started)
		skip_mark(csv);
	if (csv->stop)
		return;
	if (csv_parse(&csv->parser, csv->row, csv->row_len, take_cell, take_row,
		csv) != csv->row_len)
		skip_row(csv,
		    "a quote stands where none can be: a cell with "
		    "quotes in it is put in quotes, and those in it are "
		    "doubled");
}

static void
end_line(struct plan_csv *csv)
{
	csv->line++;
	if (!row_is_whole(csv))
		return;
	parse_row(csv);
	csv->row_len = 0;
	csv->row_line = csv->line;
}

int
plan_csv_read(struct plan_csv *csv, const char *text, size_t len)
{
	while (len > 0 && !csv->stop) {
		const char *newline = memchr(text, '\n', len);
		size_t n = newline != NULL ? (size_t)(newline - text) + 1 : len;

		if (n > sizeof(csv->row) - csv->row_len) {
			give_up(csv, 0,
			    "the row is longer than 65536 bytes: "
			    "is a quote missing?");
			break;
		}
		memcpy(csv->row + csv->row_len, text, n);
		csv->row_len += n;
		text += n;
		len -= n;
		if (newline != NULL)
			end_line(csv);
	}
	return csv->stop ? -1 : 0;
}

int
plan_csv_end(struct plan_csv *csv)
{
	if (!csv->stop && csv->row_len > 0 && row_is_whole(csv))
		parse_row(csv);
	else if (!csv->stop && csv->row_len > 0)
		give_up(csv, 0, "a quoted cell does not end");
	if (!csv->stop && csv_fini(&csv->parser, take_cell, take_row, csv) != 0)
		give_up(csv, 0, "a quoted cell does not end");
	if (!csv->stop && !csv->has_header)
		give_up(csv, 0,
		    "the file is empty: the first row has to name "
		    "the columns, \"model\" among them");
	return csv->errors->count > csv->errors_before ? -1 : 0;
}

void
plan_csv_free(struct plan_csv *csv)
{
	if (csv == NULL)
		return;
	csv_free(&csv->parser);
	plan_macs_free(csv->macs);
	free(csv);
}

struct plan_csv *
plan_csv_new(struct plan_fleet *fleet, const char *name, struct errors *errors)
{
	struct plan_csv *csv = xcalloc(1, sizeof(*csv));

	csv->fleet = fleet;
	csv->name = name;
	csv->errors = errors;
	csv->errors_before = errors->count;
	csv->macs = plan_macs_new();
	csv->line = 1;
	csv->row_line = 1;
	start_parser(csv);
	return csv;
}
