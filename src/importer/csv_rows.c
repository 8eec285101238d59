#include "importer/csv_rows.h"

#include <stdlib.h>
#include <string.h>

#include <csv.h>
#include <openssl/crypto.h>

#include "base/mem.h"

struct rows {
	struct fleet *fleet;
	const char *file;
	csv_visit_row *visit;
	void *arg;

	struct csv_parser parser;
	size_t line, row_line, row_bytes;
	bool stop;

	/* The cells of the row, one after the other, each with a NUL. */
	char text[CSV_ROW_MAX + CSV_COLUMNS_MAX + 1];
	size_t text_len;
	const char *cells[CSV_COLUMNS_MAX];
	size_t count; /* also of those that found no room */
};

static void
give_up(struct rows *rows, const char *why)
{
	fleet_say(rows->fleet, FLEET_ERROR, "%s:%zu: %s", rows->file,
	    rows->row_line, why);
	rows->stop = true;
}

static void
take_cell(void *data, size_t len, void *arg)
{
	struct rows *rows = arg;
	char *cell = rows->text + rows->text_len;

	if (rows->count++ >= CSV_COLUMNS_MAX ||
	    len >= sizeof(rows->text) - rows->text_len)
		return;
	if (len > 0)
		memcpy(cell, data, len);
	cell[len] = '\0';
	rows->text_len += len + 1;
	rows->cells[rows->count - 1] = cell;
	if (memchr(cell, '\0', len) != NULL)
		give_up(rows, "a cell holds a NUL byte: is it a CSV file?");
}

static void
take_row(int end, void *arg)
{
	struct rows *rows = arg;

	(void)end;
	if (!rows->stop && rows->count > CSV_COLUMNS_MAX)
		give_up(rows, "more than 512 columns");
	if (!rows->stop && rows->count > 0 &&
	    (rows->count > 1 || rows->cells[0][0] != '\0') &&
	    rows->visit(rows->cells, rows->count, rows->row_line, rows->arg) !=
		0)
		rows->stop = true;
	rows->text_len = rows->count = rows->row_bytes = 0;
	rows->row_line = rows->line + 1;
}

static void
take_line(struct rows *rows, const char *line, size_t len)
{
	if (rows->row_bytes == 0)
		rows->row_line = rows->line;
	if (len > CSV_ROW_MAX - rows->row_bytes) {
		give_up(rows,
		    "the row is longer than 65536 bytes: is a quote missing?");
		return;
	}
	rows->row_bytes += len;
	if (csv_parse(&rows->parser, line, len, take_cell, take_row, rows) !=
	    len)
		give_up(rows,
		    "a quote stands where none can be: a cell with quotes in "
		    "it is put in quotes, and those in it are doubled");
}

/* What stands between cells, by the first line. */
static unsigned char
find_separator(const char *text, size_t len)
{
	static const char separators[] = ",;|\t";
	const char *newline = memchr(text, '\n', len);
	size_t n = newline != NULL ? (size_t)(newline - text) : len;
	size_t counts[sizeof(separators)] = { 0 };
	size_t best = 0;

	for (size_t i = 0; i < n && i < CSV_ROW_MAX; i++) {
		const char *found = strchr(separators, text[i]);

		if (found != NULL && *found != '\0')
			counts[found - separators]++;
	}
	for (size_t i = 1; i < sizeof(separators) - 1; i++)
		if (counts[i] > counts[best])
			best = i;
	return (unsigned char)separators[best];
}

static void
take_text(struct rows *rows, const char *text, size_t len)
{
	while (len > 0 && !rows->stop) {
		const char *newline = memchr(text, '\n', len);
		size_t n = newline != NULL ? (size_t)(newline - text) + 1 : len;

		rows->line++;
		take_line(rows, text, n);
		text += n;
		len -= n;
	}
	if (!rows->stop &&
	    csv_fini(&rows->parser, take_cell, take_row, rows) != 0)
		give_up(rows, "a quoted cell does not end");
}

void
csv_rows(struct fleet *fleet, const char *file, const char *text, size_t len,
    csv_visit_row *visit, void *arg)
{
	struct rows *rows;

	if (len >= 2 &&
	    (memcmp(text, "\xff\xfe", 2) == 0 ||
		memcmp(text, "\xfe\xff", 2) == 0)) {
		fleet_say(fleet, FLEET_ERROR,
		    "%s:1: the file is in UTF-16: save it as \"CSV UTF-8\"",
		    file);
		return;
	}
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	rows = xcalloc(1, sizeof(*rows));
	rows->fleet = fleet;
	rows->file = file;
	rows->visit = visit;
	rows->arg = arg;
	(void)csv_init(&rows->parser, CSV_STRICT | CSV_STRICT_FINI);
	csv_set_delim(&rows->parser, find_separator(text, len));
	take_text(rows, text, len);
	csv_free(&rows->parser);
	OPENSSL_cleanse(rows->text, sizeof(rows->text));
	free(rows);
}
