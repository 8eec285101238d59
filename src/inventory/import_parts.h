/*
 * import_parts.h -- what the files of import.h share: import.c makes rows of
 * what is read, import_header.c finds out what the columns are, import_row.c
 * makes a device of a row.  Inside them only.
 */
#ifndef INVENTORY_IMPORT_PARTS_H
#define INVENTORY_IMPORT_PARTS_H

#include <csv.h>

#include "inventory/import.h"
#include "inventory/seen.h"

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

/* Understand the first row; and any other one: put its device. */
int import_read_header(struct import *import, struct error *err) MUST_CHECK;
int import_read_row(struct import *import, struct error *err) MUST_CHECK;

#endif
