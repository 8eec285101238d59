#include "inventory/import_parts.h"
#include "inventory/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <csv.h>

#include "base/mem.h"

static void
report(struct import *import, size_t line, const char *text)
{
	if (import->options->row != NULL)
		import->options->row(import->options->arg, IMPORT_REFUSED, line,
		    import->column, &import->mac, text);
	if (import->byte != 0)
		errors_add(import->errors, "%s:%zu:%zu: %s",
		    import->options->name, line, import->byte, text);
	else
		errors_add(import->errors, "%s:%zu: %s", import->options->name,
		    line, text);
}

static void
take_cell(void *data, size_t len, void *arg)
{
	struct import *import = arg;
	char *cell = import->text + import->text_len;

	/* The bound on a row's bytes, checked before, makes the text fit. */
	if (import->cell_count++ >= IMPORT_COLUMNS_MAX ||
	    len >= sizeof(import->text) - import->text_len)
		return;
	if (len > 0)
		memcpy(cell, data, len);
	cell[len] = '\0';
	import->text_len += len + 1;
	import->cells[import->cell_count - 1] = cell;
}

static void
forget_row(struct import *import)
{
	import->text_len = 0;
	import->cell_count = 0;
	import->row_bytes = 0;
}

/* Spreadsheets write rows of nothing but commas after the last one. */
static bool
row_is_empty(const struct import *import)
{
	if (import->cell_count > IMPORT_COLUMNS_MAX)
		return false;
	for (size_t i = 0; i < import->cell_count; i++)
		if (import->cells[i][0] != '\0')
			return false;
	return true;
}

static void
take_row(int terminator, void *arg)
{
	struct import *import = arg;
	struct error err = { 0 };

	(void)terminator;
	import->column = 0;
	import->mac = (struct mac) { { 0 } };
	if (import->stop || row_is_empty(import)) {
		/* nothing to do */
	} else if (import->column_count == 0) {
		if (import_read_header(import, &err) == 0) {
			import->column_count = import->cell_count;
		} else {
			report(import, import->row_line, err.text);
			import->stop = true;
		}
	} else {
		import->counts.rows++;
		if (import_read_row(import, &err) != 0) {
			report(import, import->row_line, err.text);
			import->stop = err.kind == ERROR_SYSTEM ||
			    err.kind == ERROR_DENIED;
		}
	}
	forget_row(import);
}

static void
begin_parser(struct import *import)
{
	(void)csv_init(&import->parser, CSV_STRICT | CSV_STRICT_FINI);
	if (import->delimiter != '\0')
		csv_set_delim(&import->parser,
		    (unsigned char)import->delimiter);
}

/* Begin anew after a row that cannot be read; the header must be readable. */
static void
give_up_row(struct import *import, size_t line, const char *text)
{
	report(import, line, text);
	if (import->column_count == 0)
		import->stop = true;
	csv_free(&import->parser);
	begin_parser(import);
	forget_row(import);
}

/* Of the first row: what stands between its columns, outside of quotes. */
static char
find_delimiter(const char *line, size_t len)
{
	size_t commas = 0, semicolons = 0, tabs = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		quoted ^= line[i] == '"';
		commas += !quoted && line[i] == ',';
		semicolons += !quoted && line[i] == ';';
		tabs += !quoted && line[i] == '\t';
	}
	if (semicolons > commas && semicolons >= tabs)
		return ';';
	return tabs > commas ? '\t' : ',';
}

static bool
is_blank(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (strchr(" \t\r\n", line[i]) == NULL || line[i] == '\0')
			return false;
	return true;
}

/* What is wrong with the bytes of a line, or NULL.  A carriage return is fine
 * before the newline, where it may also be inside of a quoted cell. */
static const char *
line_fault(const char *line, size_t len, size_t *at)
{
	if (len > 0 && line[len - 1] == '\n')
		len--;
	if (len > 0 && line[len - 1] == '\r')
		len--;
	return inventory_text_fault_at(line, len, at);
}

static void
row_too_long(struct import *import)
{
	char text[96];

	(void)snprintf(text, sizeof(text),
	    "the row is longer than %d bytes: is a quote missing?",
	    IMPORT_ROW_MAX);
	give_up_row(import, import->row_line, text);
}

/* With the byte's place in its line, so that an editor finds it. */
static void
bad_bytes(struct import *import, const char *fault, size_t at, unsigned byte)
{
	char text[192];

	(void)snprintf(text, sizeof(text),
	    "the line holds %s: expected text in UTF-8%s", fault,
	    byte >= 0x80 && !import->options->latin1 ?
		"; is it Latin-1 (--encoding latin-1)?" :
		"");
	import->byte = at + 1;
	give_up_row(import, import->line, text);
	import->byte = 0;
}

/* One line with its newline, if it has one. */
static void
take_line(struct import *import, const char *line, size_t len)
{
	size_t at = 0;
	const char *fault = line_fault(line, len, &at);

	if (import->row_bytes == 0) {
		if (is_blank(line, len))
			return;
		import->row_line = import->line;
	}
	if (fault != NULL) {
		bad_bytes(import, fault, at, (unsigned char)line[at]);
		return;
	}
	if (import->delimiter == '\0') {
		import->delimiter = find_delimiter(line, len);
		csv_set_delim(&import->parser,
		    (unsigned char)import->delimiter);
	}
	import->row_bytes += len;
	if (import->row_bytes > IMPORT_ROW_MAX) {
		row_too_long(import);
		return;
	}
	if (csv_parse(&import->parser, line, len, take_cell, take_row,
		import) != len)
		give_up_row(import, import->row_line,
		    "a quote stands where none can be: a cell with quotes in "
		    "it is put in quotes, and those in it are doubled");
}

/* What says that the bytes are UTF-8, or that they are not. */
static void
skip_mark(struct import *import, const char **text, size_t *len)
{
	if (*len >= 2 &&
	    (memcmp(*text, "\xff\xfe", 2) == 0 ||
		memcmp(*text, "\xfe\xff", 2) == 0)) {
		report(import, 1,
		    "the file is in UTF-16: save it as \"CSV UTF-8\"");
		import->stop = true;
	} else if (*len >= 3 && memcmp(*text, "\xef\xbb\xbf", 3) == 0) {
		*text += 3;
		*len -= 3;
	}
}

static void
take_end(struct import *import)
{
	if (csv_fini(&import->parser, take_cell, take_row, import) != 0)
		give_up_row(import, import->row_line,
		    "a quoted cell does not end");
	else if (import->column_count == 0 && !import->stop)
		report(import, import->line > 0 ? import->line : 1,
		    "the file is empty: the first row has to name the "
		    "columns, \"mac\" and \"model\" among them");
}

static void
take_lines(struct import *import, struct lines *lines)
{
	struct error err = { 0 };
	const char *line = NULL;
	size_t len = 0;
	enum line what;

	while (!import->stop &&
	    (what = lines_next(lines, &line, &len, &err)) != LINE_END) {
		import->line = lines_number(lines);
		if (what == LINE_FAILED) {
			errors_add(import->errors, "%s: %s",
			    import->options->name, err.text);
			return;
		}
		if (import->line == 1)
			skip_mark(import, &line, &len);
		if (what == LINE_LONG) {
			if (import->row_bytes == 0)
				import->row_line = import->line;
			row_too_long(import);
		} else if (!import->stop) {
			take_line(import, line, len);
		}
	}
	if (!import->stop)
		take_end(import);
}

static void
import_free(struct import *import)
{
	seen_free(import->seen);
	csv_free(&import->parser);
	explicit_bzero(import->text, sizeof(import->text));
	free(import);
}

int
import_stream(struct inventory *inventory, lines_read *read, void *arg,
    const struct import_options *options, struct import_counts *counts,
    struct errors *errors)
{
	struct import *import;
	struct lines *lines;
	struct error err = { 0 };
	size_t errors_before = errors->count;
	int rc = -1;

	if (inventory_begin(inventory, &err) != 0) {
		errors_add(errors, "%s: %s", options->name, err.text);
		return -1;
	}
	import = xcalloc(1, sizeof(*import));
	import->inventory = inventory;
	import->options = options;
	import->errors = errors;
	import->delimiter = options->delimiter;
	import->seen = seen_new();
	begin_parser(import);
	lines = lines_new(read, arg, IMPORT_ROW_MAX + 1, options->latin1);
	take_lines(import, lines);
	lines_free(lines);
	if (errors->count > errors_before) {
		inventory_rollback(inventory);
	} else if (options->dry_run) {
		inventory_rollback(inventory);
		*counts = import->counts;
		rc = 0;
	} else if (inventory_commit(inventory, &err) != 0) {
		errors_add(errors, "%s: %s", options->name, err.text);
	} else {
		*counts = import->counts;
		rc = 0;
	}
	import_free(import);
	return rc;
}

/* For import_csv: what is left of a text. */
struct rest {
	const char *text;
	size_t len;
};

static int
read_rest(void *arg, char *data, size_t size, size_t *len, struct error *err)
{
	struct rest *rest = arg;

	(void)err;
	*len = rest->len < size ? rest->len : size;
	if (*len > 0)
		memcpy(data, rest->text, *len);
	rest->text += *len;
	rest->len -= *len;
	return 0;
}

int
import_csv(struct inventory *inventory, const char *text, size_t len,
    const struct import_options *options, struct import_counts *counts,
    struct errors *errors)
{
	struct rest rest = { text, len };

	return import_stream(inventory, read_rest, &rest, options, counts,
	    errors);
}
