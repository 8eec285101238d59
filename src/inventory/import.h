/*
 * import.h -- devices from a CSV file.
 *
 * The first row names the columns: mac and model are required; firmware,
 * serial, group and state are known; any other column is a variable of that
 * name (an empty cell sets nothing).  RFC 4180; a UTF-8 byte order mark is
 * skipped; CRLF or LF.
 */
#ifndef INVENTORY_IMPORT_H
#define INVENTORY_IMPORT_H

#include <stddef.h>

#include "inventory/inventory.h"

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

struct import_options {
	const char *name; /* of the file, for messages */
	import_model_check *check_model;
	import_firmware_check *check_firmware;
	bool
	    update; /* devices that are there already are updated, not refused */
};

struct import_counts {
	size_t rows, added, updated;
};

/*
 * Import text in one transaction: either every row goes in, or none does and
 * errors holds one "name:line: ..." per bad row.  Groups that rows name are
 * created when missing.  Returns 0 or -1.
 */
int import_csv(struct inventory *inventory, const char *text, size_t len,
    const struct import_options *options, struct import_counts *counts,
    struct errors *errors) MUST_CHECK;

#endif
