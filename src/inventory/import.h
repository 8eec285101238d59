/*
 * import.h -- devices from a CSV file.
 *
 * The first row names the columns: mac is required, and model unless there is
 * one for all; firmware, serial, group, tags and state are known; any other
 * column is a variable of that name (an empty cell sets nothing).  A map gives
 * columns other names, or leaves them out.  RFC 4180; a UTF-8 byte order mark
 * is skipped; CRLF or LF; commas, or semicolons or tabs when the first row has
 * those.  The file is read in pieces, row by row.
 */
#ifndef INVENTORY_IMPORT_H
#define INVENTORY_IMPORT_H

#include <stddef.h>

#include "inventory/inventory.h"
#include "inventory/lines.h"

#define IMPORT_ROW_MAX (64 * 1024)
#define IMPORT_COLUMNS_MAX 64

/*
 * Is it a model we know?  Writes the registry's spelling (at most
 * INVENTORY_NAME_MAX bytes and NUL), or returns -1 with err, which may name a
 * near one.  Given by the caller, because the inventory does not know models.
 */
typedef int import_model_check(const char *text,
    char name[static INVENTORY_NAME_MAX + 1], struct error *err);
/* Is it a firmware version? */
typedef int import_firmware_check(const char *text, struct error *err);

/* What became of a row. */
enum import_result {
	IMPORT_ADDED,
	IMPORT_UPDATED,
	IMPORT_UNCHANGED,
	IMPORT_REFUSED,
};

/* Told of every row in order; column is that of the cell at fault, from 1, or
 * 0; text is why it was refused.  rows: how many there were so far. */
typedef void import_row(void *arg, enum import_result result, size_t line,
    size_t column, const struct mac *mac, const char *text);

/* May a row make this of a device?  before NULL: of none.  ERROR_INPUT: no. */
typedef int import_check(void *arg, const struct device *before,
    const struct device *after, struct error *err);

/* A column and the field or variable that is in it; field "-": leave it out. */
struct import_map {
	const char *column, *field;
};

struct import_options {
	const char *name; /* of the file, for messages */
	import_model_check *check_model;
	import_firmware_check *check_firmware;
	const struct import_map *maps;
	size_t map_count;
	/* For rows that say nothing of it; NULL: none. */
	const char *model, *group, *tags;
	char delimiter;	     /* '\0': as the first row has it */
	bool latin1;	     /* ISO 8859-1 instead of UTF-8 */
	import_check *check; /* may be NULL, and so may row */
	import_row *row;
	void *arg;
	bool update;  /* devices that are there already, instead of refusing */
	bool dry_run; /* nothing is committed */
};

struct import_counts {
	size_t rows, added, updated, unchanged;
};

/*
 * Import what is read, or text, in one transaction: either every row goes in,
 * or none does and errors holds one "name:line: ..." per bad row.  Groups that rows name are
 * created when missing.  Returns 0 or -1.
 */
int import_stream(struct inventory *inventory, lines_read *read, void *arg,
    const struct import_options *options, struct import_counts *counts,
    struct errors *errors) MUST_CHECK;
int import_csv(struct inventory *inventory, const char *text, size_t len,
    const struct import_options *options, struct import_counts *counts,
    struct errors *errors) MUST_CHECK;

#endif
