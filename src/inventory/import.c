#include "inventory/import.h"
#include "inventory/lines.h"
#include "inventory/seen.h"
#include "inventory/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <csv.h>

#include "base/mem.h"
#include "base/text.h"

#define ESCAPED_BYTES 72 /* of what a message quotes */

enum column_kind {
	COLUMN_MAC,
	COLUMN_MODEL,
	COLUMN_FIRMWARE,
	COLUMN_SERIAL,
	COLUMN_GROUP,
	COLUMN_STATE,
	COLUMN_TAGS,
	COLUMN_VARIABLE,
	COLUMN_IGNORED,
};

static const char *const column_names[] = {
	[COLUMN_MAC] = "mac",
	[COLUMN_MODEL] = "model",
	[COLUMN_FIRMWARE] = "firmware",
	[COLUMN_SERIAL] = "serial",
	[COLUMN_GROUP] = "group",
	[COLUMN_STATE] = "state",
	[COLUMN_TAGS] = "tags",
};

struct column {
	enum column_kind kind;
	char variable[INVENTORY_NAME_MAX + 1]; /* COLUMN_VARIABLE's name */
};

/* Texts that were found to be models: a fleet has few, a check is slow. */
#define MODELS_KNOWN 64
struct known_model {
	char text[INVENTORY_NAME_MAX + 1];
	char name[INVENTORY_NAME_MAX + 1];
};

struct import {
	struct inventory *inventory;
	const struct import_options *options;
	struct errors *errors;
	struct import_counts counts;
	struct seen *seen;
	struct known_model models[MODELS_KNOWN];
	char firmware[INVENTORY_NAME_MAX + 1]; /* the last good one */
	char delimiter;
	size_t byte;	/* of the line, at fault, from 1; 0: none */
	size_t column;	/* of the cell at fault, from 1; 0: none */
	struct mac mac; /* of the row */
	char group[INVENTORY_NAME_MAX + 1]; /* the last one known to exist */

	struct column columns[IMPORT_COLUMNS_MAX];
	size_t column_count; /* 0: the header is still to come */

	struct csv_parser parser;
	size_t line;	  /* being read, from 1 */
	size_t row_line;  /* where the row began */
	size_t row_bytes; /* of the row so far */
	bool stop;	  /* reading on makes no sense */

	/* The cells of the row, one after the other, each with a NUL. */
	char text[IMPORT_ROW_MAX + IMPORT_COLUMNS_MAX + 1];
	size_t text_len;
	const char *cells[IMPORT_COLUMNS_MAX];
	size_t cell_count; /* also of those that found no room */
};

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

/* What a map makes of a column's name. */
static const char *
mapped_name(const struct import *import, const char *name)
{
	const struct import_options *options = import->options;

	for (size_t i = 0; i < options->map_count; i++)
		if (strcmp(options->maps[i].column, name) == 0)
			return options->maps[i].field;
	return name;
}

static int
read_column(struct column *column, const char *name, struct error *err)
{
	*column = (struct column) { .kind = COLUMN_MAC };
	if (strcmp(name, "-") == 0) {
		column->kind = COLUMN_IGNORED;
		return 0;
	}
	/* Spreadsheets like to begin words with a capital. */
	for (; column->kind < COLUMN_VARIABLE; column->kind++)
		if (strcasecmp(name, column_names[column->kind]) == 0)
			return 0;
	if (strcasecmp(name, "parent") == 0 || strcasecmp(name, "kind") == 0)
		return error_set(err, ERROR_INPUT,
		    "\"%s\" is a field of groups, and no variable may have its "
		    "name",
		    strcasecmp(name, "kind") == 0 ? "kind" : "parent");
	if (variables_check_name(name, err) != 0)
		return -1;
	memcpy(column->variable, name, strlen(name) + 1);
	return 0;
}

static int
check_maps(const struct import *import, struct error *err)
{
	const struct import_options *options = import->options;

	for (size_t i = 0; i < options->map_count; i++) {
		size_t j = 0;

		while (j < import->cell_count &&
		    strcmp(import->cells[j], options->maps[i].column) != 0)
			j++;
		if (j == import->cell_count)
			return error_set(err, ERROR_INPUT,
			    "there is no column \"%.60s\" to map",
			    options->maps[i].column);
	}
	return 0;
}

static int
check_header(const struct import *import, struct error *err)
{
	const struct column *columns = import->columns;
	bool has[COLUMN_IGNORED + 1] = { false };

	for (size_t i = 0; i < import->cell_count; i++) {
		for (size_t j = 0; j < i; j++)
			if (columns[i].kind != COLUMN_IGNORED &&
			    columns[i].kind == columns[j].kind &&
			    strcmp(columns[i].variable, columns[j].variable) ==
				0)
				return error_set(err, ERROR_INPUT,
				    "columns %zu and %zu have the same name, "
				    "\"%s\"",
				    j + 1, i + 1,
				    mapped_name(import, import->cells[i]));
		has[columns[i].kind] = true;
	}
	if (import->options->model != NULL)
		has[COLUMN_MODEL] = true;
	for (int kind = COLUMN_MAC; kind <= COLUMN_MODEL; kind++)
		if (!has[kind])
			return error_set(err, ERROR_INPUT,
			    "there is no column \"%s\": the first row has to "
			    "name the columns, \"mac\" and \"model\" among "
			    "them, with commas between",
			    column_names[kind]);
	return check_maps(import, err);
}

static int
read_header(struct import *import, struct error *err)
{
	if (import->cell_count > IMPORT_COLUMNS_MAX)
		return error_set(err, ERROR_INPUT,
		    "%zu columns, at most %d are allowed", import->cell_count,
		    IMPORT_COLUMNS_MAX);
	for (size_t i = 0; i < import->cell_count; i++)
		if (read_column(&import->columns[i],
			mapped_name(import, import->cells[i]), err) != 0)
			return error_prefix(err, "column %zu: ", i + 1);
	return check_header(import, err);
}

/* A short field of the device; kept as it is when the cell is empty. */
static int
set_field(char field[static INVENTORY_NAME_MAX + 1], const char *what,
    const char *cell, struct error *err)
{
	size_t len = strlen(cell);
	char shown[ESCAPED_BYTES];

	if (len == 0)
		return 0;
	if (len > INVENTORY_NAME_MAX) {
		text_escape(cell, len, shown, sizeof(shown));
		return error_set(err, ERROR_INPUT,
		    "the %s \"%s\" is %zu bytes long, at most %d are allowed",
		    what, shown, len, INVENTORY_NAME_MAX);
	}
	memcpy(field, cell, len + 1);
	return 0;
}

/* FNV-1a; only to find a place. */
static struct known_model *
model_place(struct import *import, const char *text)
{
	uint32_t hash = 2166136261;

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619;
	return &import->models[hash % MODELS_KNOWN];
}

static int
set_model(struct import *import, struct device *device, const char *cell,
    struct error *err)
{
	struct known_model *known = model_place(import, cell);

	if (*cell == '\0' && device->model[0] != '\0')
		return 0;
	if (*cell == '\0')
		return error_set(err, ERROR_INPUT, "the model is missing");
	if (strcmp(known->text, cell) != 0) {
		if (import->options->check_model(cell, device->model, err) != 0)
			return -1;
		if (strlen(cell) <= INVENTORY_NAME_MAX) {
			memcpy(known->text, cell, strlen(cell) + 1);
			memcpy(known->name, device->model, sizeof(known->name));
		}
		return 0;
	}
	memcpy(device->model, known->name, sizeof(known->name));
	return 0;
}

static int
set_firmware(struct import *import, struct device *device, const char *cell,
    struct error *err)
{
	if (*cell != '\0' && strcmp(cell, import->firmware) != 0) {
		if (import->options->check_firmware(cell, err) != 0)
			return -1;
		if (strlen(cell) <= INVENTORY_NAME_MAX)
			memcpy(import->firmware, cell, strlen(cell) + 1);
	}
	return set_field(device->firmware, "firmware", cell, err);
}

static int
set_cell(struct import *import, const struct column *column,
    struct device *device, const char *cell, struct error *err)
{
	switch (column->kind) {
	case COLUMN_MAC:
		return 0; /* read before all others */
	case COLUMN_MODEL:
		return set_model(import, device, cell, err);
	case COLUMN_FIRMWARE:
		return set_firmware(import, device, cell, err);
	case COLUMN_SERIAL:
		return set_field(device->serial, "serial number", cell, err);
	case COLUMN_GROUP:
		return set_field(device->group, "group", cell, err);
	case COLUMN_STATE:
		if (*cell == '\0')
			return 0;
		return device_state_parse(cell, &device->state, err);
	case COLUMN_TAGS:
		return *cell != '\0' ? tags_parse(&device->tags, cell, err) : 0;
	case COLUMN_IGNORED:
		return 0;
	case COLUMN_VARIABLE:
		break;
	}
	if (*cell == '\0')
		return 0;
	return variables_set(&device->variables, column->variable, cell, err);
}

static int
read_mac(const struct import *import, struct mac *mac, struct error *err)
{
	size_t i = 0;
	const char *cell;
	char shown[ESCAPED_BYTES];

	while (import->columns[i].kind != COLUMN_MAC)
		i++;
	cell = import->cells[i];
	if (*cell == '\0')
		return error_set(err, ERROR_INPUT, "the MAC is missing");
	if (mac_read(mac, cell, strlen(cell)))
		return 0;
	text_escape(cell, strlen(cell), shown, sizeof(shown));
	return error_set(err, ERROR_INPUT,
	    "\"%s\" is not a MAC address: expected 12 hex digits, bare or in "
	    "pairs split by ':' or '-'",
	    shown);
}

static int
note_mac(struct import *import, const struct mac *mac, struct error *err)
{
	size_t before = seen_note(import->seen, mac, import->row_line);
	char text[MAC_TEXT_BYTES];

	if (before == 0)
		return 0;
	mac_format(mac, text);
	return error_set(err, ERROR_INPUT,
	    "the device %s is in line %zu already", text, before);
}

/* Make the group when it is missing. */
static int
need_group(struct import *import, const char *name, struct error *err)
{
	struct scope scope = { .kind = SCOPE_GROUP };

	if (*name == '\0' || strcmp(name, import->group) == 0)
		return 0;
	if (inventory_get_scope(import->inventory, SCOPE_GROUP, name, &scope,
		err) != 0) {
		if (err->kind != ERROR_NOT_FOUND)
			return -1;
		memcpy(scope.name, name, strlen(name) + 1);
		if (inventory_put_scope(import->inventory, &scope, err) != 0)
			return -1;
	}
	scope_clear(&scope);
	memcpy(import->group, name, strlen(name) + 1);
	return 0;
}

/* The device as it is now; *known says whether it is there at all.  When none
 * may be, the store finds out when it is added. */
static int
find_device(struct import *import, struct device *device, bool *known,
    struct error *err)
{
	struct mac mac = device->mac;

	*known = false;
	if (!import->options->update)
		return 0;
	if (inventory_get_device(import->inventory, &mac, device, err) == 0) {
		*known = true;
		return 0;
	}
	return err->kind == ERROR_NOT_FOUND ? 0 : -1;
}

/* What all rows have that say nothing of it. */
static int
set_defaults(struct import *import, struct device *device, struct error *err)
{
	const struct import_options *options = import->options;

	if (options->model != NULL &&
	    set_model(import, device, options->model, err) != 0)
		return -1;
	if (options->group != NULL &&
	    set_field(device->group, "group", options->group, err) != 0)
		return -1;
	return options->tags != NULL ?
	    tags_parse(&device->tags, options->tags, err) :
	    0;
}

static bool
is_same(const struct device *a, const struct device *b)
{
	if (strcmp(a->model, b->model) != 0 ||
	    strcmp(a->firmware, b->firmware) != 0 ||
	    strcmp(a->serial, b->serial) != 0 ||
	    strcmp(a->group, b->group) != 0 || a->state != b->state ||
	    a->tags.count != b->tags.count ||
	    a->variables.count != b->variables.count)
		return false;
	for (size_t i = 0; i < a->tags.count; i++)
		if (strcmp(a->tags.list[i], b->tags.list[i]) != 0)
			return false;
	for (size_t i = 0; i < a->variables.count; i++)
		if (strcmp(a->variables.list[i].name,
			b->variables.list[i].name) != 0 ||
		    strcmp(a->variables.list[i].value,
			b->variables.list[i].value) != 0)
			return false;
	return true;
}

static int
set_cells(struct import *import, struct device *device, struct error *err)
{
	for (size_t i = 0; i < import->column_count; i++)
		if (set_cell(import, &import->columns[i], device,
			import->cells[i], err) != 0) {
			import->column = i + 1;
			return -1;
		}
	return 0;
}

/* Add it, or update what is there when that is another. */
static int
write_device(struct import *import, struct device *device,
    const struct device *before, enum import_result *result, struct error *err)
{
	if (before == NULL) {
		import->counts.added++;
		*result = IMPORT_ADDED;
		return inventory_add_device(import->inventory, device, err);
	}
	if (is_same(before, device)) {
		import->counts.unchanged++;
		*result = IMPORT_UNCHANGED;
		return 0;
	}
	import->counts.updated++;
	*result = IMPORT_UPDATED;
	return inventory_update_device(import->inventory, device, err);
}

static int
put_device(struct import *import, struct device *device,
    enum import_result *result, struct error *err)
{
	struct device before = { 0 };
	bool known = false;
	int rc = -1;

	if (find_device(import, device, &known, err) != 0)
		return -1;
	if (known)
		device_copy(&before, device);
	if ((known || set_defaults(import, device, err) == 0) &&
	    set_cells(import, device, err) == 0 &&
	    need_group(import, device->group, err) == 0)
		rc = write_device(import, device, known ? &before : NULL,
		    result, err);
	device_clear(&before);
	return rc;
}

static int
read_row(struct import *import, struct error *err)
{
	struct device device = { .state = DEVICE_ACTIVE };
	enum import_result result = IMPORT_ADDED;
	int rc;

	if (import->cell_count != import->column_count)
		return error_set(err, ERROR_INPUT,
		    "%zu cells, expected %zu as in the first row",
		    import->cell_count, import->column_count);
	if (read_mac(import, &device.mac, err) != 0)
		return -1;
	import->mac = device.mac;
	if (note_mac(import, &device.mac, err) != 0)
		return -1;
	rc = put_device(import, &device, &result, err);
	device_clear(&device);
	if (rc == 0 && import->options->row != NULL)
		import->options->row(import->options->arg, result,
		    import->row_line, 0, &import->mac, NULL);
	return rc;
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
		if (read_header(import, &err) == 0) {
			import->column_count = import->cell_count;
		} else {
			report(import, import->row_line, err.text);
			import->stop = true;
		}
	} else {
		import->counts.rows++;
		if (read_row(import, &err) != 0) {
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
