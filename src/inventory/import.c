#include "inventory/import.h"
#include "inventory/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <csv.h>

#include "base/mem.h"
#include "base/text.h"

#define uthash_malloc(size) xmalloc(size)
#include <uthash.h>

#define ESCAPED_BYTES 72 /* of what a message quotes */

enum column_kind {
	COLUMN_MAC,
	COLUMN_MODEL,
	COLUMN_FIRMWARE,
	COLUMN_SERIAL,
	COLUMN_GROUP,
	COLUMN_STATE,
	COLUMN_VARIABLE,
};

static const char *const column_names[] = {
	[COLUMN_MAC] = "mac",
	[COLUMN_MODEL] = "model",
	[COLUMN_FIRMWARE] = "firmware",
	[COLUMN_SERIAL] = "serial",
	[COLUMN_GROUP] = "group",
	[COLUMN_STATE] = "state",
};

struct column {
	enum column_kind kind;
	char variable[INVENTORY_NAME_MAX + 1]; /* COLUMN_VARIABLE's name */
};

/* A MAC that the file named already. */
struct seen {
	struct mac mac;
	size_t line;
	UT_hash_handle hh;
};

struct import {
	struct inventory *inventory;
	const struct import_options *options;
	struct errors *errors;
	struct import_counts counts;
	struct seen *seen;
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
	errors_add(import->errors, "%s:%zu: %s", import->options->name, line,
	    text);
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

static int
read_column(struct column *column, const char *name, struct error *err)
{
	*column = (struct column) { .kind = COLUMN_MAC };
	/* Spreadsheets like to begin words with a capital. */
	for (; column->kind < COLUMN_VARIABLE; column->kind++)
		if (strcasecmp(name, column_names[column->kind]) == 0)
			return 0;
	if (strcasecmp(name, "parent") == 0)
		return error_set(err, ERROR_INPUT,
		    "\"parent\" is a field of groups, and no variable may have "
		    "its name");
	if (variables_check_name(name, err) != 0)
		return -1;
	memcpy(column->variable, name, strlen(name) + 1);
	return 0;
}

static int
check_header(const struct import *import, struct error *err)
{
	const struct column *columns = import->columns;
	bool has[COLUMN_VARIABLE + 1] = { false };

	for (size_t i = 0; i < import->cell_count; i++) {
		for (size_t j = 0; j < i; j++)
			if (columns[i].kind == columns[j].kind &&
			    strcmp(columns[i].variable, columns[j].variable) ==
				0)
				return error_set(err, ERROR_INPUT,
				    "columns %zu and %zu have the same name, "
				    "\"%s\"",
				    j + 1, i + 1, import->cells[i]);
		has[columns[i].kind] = true;
	}
	for (int kind = COLUMN_MAC; kind <= COLUMN_MODEL; kind++)
		if (!has[kind])
			return error_set(err, ERROR_INPUT,
			    "there is no column \"%s\": the first row has to "
			    "name the columns, \"mac\" and \"model\" among "
			    "them, with commas between",
			    column_names[kind]);
	return 0;
}

static int
read_header(struct import *import, struct error *err)
{
	if (import->cell_count > IMPORT_COLUMNS_MAX)
		return error_set(err, ERROR_INPUT,
		    "%zu columns, at most %d are allowed", import->cell_count,
		    IMPORT_COLUMNS_MAX);
	if (import->cell_count == 1 && strpbrk(import->cells[0], ";\t") != NULL)
		return error_set(err, ERROR_INPUT,
		    "the columns have semicolons or tabs between them, "
		    "expected commas");
	for (size_t i = 0; i < import->cell_count; i++)
		if (read_column(&import->columns[i], import->cells[i], err) !=
		    0)
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

static int
set_model(const struct import *import, struct device *device, const char *cell,
    struct error *err)
{
	if (*cell == '\0' && device->model[0] != '\0')
		return 0;
	if (*cell == '\0')
		return error_set(err, ERROR_INPUT, "the model is missing");
	return import->options->check_model(cell, device->model, err);
}

static int
set_firmware(const struct import *import, struct device *device,
    const char *cell, struct error *err)
{
	if (*cell != '\0' && import->options->check_firmware(cell, err) != 0)
		return -1;
	return set_field(device->firmware, "firmware", cell, err);
}

static int
set_cell(const struct import *import, const struct column *column,
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
	struct seen *seen = NULL;
	char text[MAC_TEXT_BYTES];

	HASH_FIND(hh, import->seen, mac, sizeof(*mac), seen);
	if (seen != NULL) {
		mac_format(mac, text);
		return error_set(err, ERROR_INPUT,
		    "the device %s is in line %zu already", text, seen->line);
	}
	seen = xcalloc(1, sizeof(*seen));
	seen->mac = *mac;
	seen->line = import->row_line;
	HASH_ADD(hh, import->seen, mac, sizeof(*mac), seen);
	return 0;
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

/* The device as it is now; *known says whether it is there at all. */
static int
find_device(struct import *import, struct device *device, bool *known,
    struct error *err)
{
	struct mac mac = device->mac;

	*known = inventory_get_device(import->inventory, &mac, device, err) ==
	    0;
	if (!*known)
		return err->kind == ERROR_NOT_FOUND ? 0 : -1;
	if (import->options->update)
		return 0;
	(void)inventory_device_exists(&mac, err);
	return -1;
}

static int
put_device(struct import *import, struct device *device, struct error *err)
{
	bool known = false;

	if (find_device(import, device, &known, err) != 0)
		return -1;
	for (size_t i = 0; i < import->column_count; i++)
		if (set_cell(import, &import->columns[i], device,
			import->cells[i], err) != 0)
			return -1;
	if (need_group(import, device->group, err) != 0 ||
	    (known ? inventory_update_device(import->inventory, device, err) :
		     inventory_add_device(import->inventory, device, err)) != 0)
		return -1;
	if (known)
		import->counts.updated++;
	else
		import->counts.added++;
	return 0;
}

static int
read_row(struct import *import, struct error *err)
{
	struct device device = { .state = DEVICE_ACTIVE };
	int rc;

	if (import->cell_count != import->column_count)
		return error_set(err, ERROR_INPUT,
		    "%zu cells, expected %zu as in the first row",
		    import->cell_count, import->column_count);
	if (read_mac(import, &device.mac, err) != 0 ||
	    note_mac(import, &device.mac, err) != 0)
		return -1;
	rc = put_device(import, &device, err);
	device_clear(&device);
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

/* Begin anew after a row that cannot be read; the header must be readable. */
static void
give_up_row(struct import *import, size_t line, const char *text)
{
	report(import, line, text);
	if (import->column_count == 0)
		import->stop = true;
	csv_free(&import->parser);
	(void)csv_init(&import->parser, CSV_STRICT | CSV_STRICT_FINI);
	forget_row(import);
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
line_fault(const char *line, size_t len)
{
	if (len > 0 && line[len - 1] == '\n')
		len--;
	if (len > 0 && line[len - 1] == '\r')
		len--;
	return inventory_text_fault(line, len);
}

/* One line with its newline, if it has one. */
static void
take_line(struct import *import, const char *line, size_t len)
{
	const char *fault = line_fault(line, len);
	char text[160];

	if (import->row_bytes == 0) {
		if (is_blank(line, len))
			return;
		import->row_line = import->line;
	}
	if (fault != NULL) {
		(void)snprintf(text, sizeof(text),
		    "the line holds %s: expected text in UTF-8", fault);
		give_up_row(import, import->line, text);
		return;
	}
	import->row_bytes += len;
	if (import->row_bytes > IMPORT_ROW_MAX) {
		(void)snprintf(text, sizeof(text),
		    "the row is longer than %d bytes: is a quote missing?",
		    IMPORT_ROW_MAX);
		give_up_row(import, import->row_line, text);
		return;
	}
	if (csv_parse(&import->parser, line, len, take_cell, take_row,
		import) != len)
		give_up_row(import, import->row_line,
		    "a quote stands where none can be: a cell with quotes in "
		    "it is put in quotes, and those in it are doubled");
}

static void
take_text(struct import *import, const char *text, size_t len)
{
	while (len > 0 && !import->stop) {
		const char *newline = memchr(text, '\n', len);
		size_t n = newline != NULL ? (size_t)(newline - text) + 1 : len;

		import->line++;
		take_line(import, text, n);
		text += n;
		len -= n;
	}
	if (import->stop)
		return;
	if (csv_fini(&import->parser, take_cell, take_row, import) != 0)
		give_up_row(import, import->row_line,
		    "a quoted cell does not end");
	else if (import->column_count == 0 && !import->stop)
		report(import, import->line > 0 ? import->line : 1,
		    "the file is empty: the first row has to name the "
		    "columns, \"mac\" and \"model\" among them");
}

/* What says that the bytes are UTF-8, or that they are not. */
static int
skip_mark(struct import *import, const char **text, size_t *len)
{
	if (*len >= 2 &&
	    (memcmp(*text, "\xff\xfe", 2) == 0 ||
		memcmp(*text, "\xfe\xff", 2) == 0)) {
		report(import, 1,
		    "the file is in UTF-16: save it as \"CSV "
		    "UTF-8\"");
		return -1;
	}
	if (*len >= 3 && memcmp(*text, "\xef\xbb\xbf", 3) == 0) {
		*text += 3;
		*len -= 3;
	}
	return 0;
}

static void
import_free(struct import *import)
{
	struct seen *seen, *next;

	HASH_ITER (hh, import->seen, seen, next) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): of uthash */
		HASH_DELETE(hh, import->seen, seen);
		free(seen);
	}
	csv_free(&import->parser);
	free(import);
}

int
import_csv(struct inventory *inventory, const char *text, size_t len,
    const struct import_options *options, struct import_counts *counts,
    struct errors *errors)
{
	struct import *import;
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
	(void)csv_init(&import->parser, CSV_STRICT | CSV_STRICT_FINI);
	if (skip_mark(import, &text, &len) == 0)
		take_text(import, text, len);
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
