#include "inventory/import_parts.h"
#include "inventory/store.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

static const char *const column_names[] = {
	[COLUMN_MAC] = "mac",
	[COLUMN_MODEL] = "model",
	[COLUMN_FIRMWARE] = "firmware",
	[COLUMN_SERIAL] = "serial",
	[COLUMN_GROUP] = "group",
	[COLUMN_STATE] = "state",
	[COLUMN_TAGS] = "tags",
};

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

/* Spreadsheets have columns of all names; err says what is wrong with this. */
static int
suggest_map(const char *column, struct error *err)
{
	struct error why = *err;
	struct mac mac;

	if (mac_read(&mac, column, strlen(column)))
		return error_set(err, ERROR_INPUT,
		    "\"%.60s\" is a device: the first row has to name the "
		    "columns, \"mac\" and \"model\" among them",
		    column);
	return error_set(err, why.kind,
	    "%.300s; --map \"%.60s=NAME\" takes it under another name, =- not "
	    "at all",
	    why.text, column);
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
		return suggest_map(name, err);
	memcpy(column->variable, name, strlen(name) + 1);
	return 0;
}

static int
check_maps(const struct import *import, struct error *err)
{
	const struct import_options *options = import->options;

	for (size_t i = 0; i < options->map_count; i++) {
		const char *column = options->maps[i].column, *near;
		size_t j = 0;

		while (j < import->cell_count &&
		    strcmp(import->cells[j], column) != 0)
			j++;
		if (j < import->cell_count)
			continue;
		near = text_nearest(column, import->cells, import->cell_count);
		return error_set(err, ERROR_INPUT,
		    "there is no column \"%.60s\" to map%s%.60s%s", column,
		    near != NULL ? "; did you mean \"" : "",
		    near != NULL ? near : "", near != NULL ? "\"?" : "");
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
			    "them, with commas between; --map \"COLUMN=%s\" "
			    "takes another one as it",
			    column_names[kind], column_names[kind]);
	return 0;
}

int
import_read_header(struct import *import, struct error *err)
{
	if (import->cell_count > IMPORT_COLUMNS_MAX)
		return error_set(err, ERROR_INPUT,
		    "%zu columns, at most %d are allowed", import->cell_count,
		    IMPORT_COLUMNS_MAX);
	if (check_maps(import, err) != 0)
		return -1;
	for (size_t i = 0; i < import->cell_count; i++)
		if (read_column(&import->columns[i],
			mapped_name(import, import->cells[i]), err) != 0)
			return error_prefix(err, "column %zu: ", i + 1);
	return check_header(import, err);
}
