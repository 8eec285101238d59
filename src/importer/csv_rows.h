/*
 * csv_rows.h -- rows of a CSV file that another system wrote.
 *
 * RFC 4180 with any of , ; | and tab between cells: the one that the first row
 * holds most often.  A UTF-8 byte order mark is skipped.
 */
#ifndef IMPORTER_CSV_ROWS_H
#define IMPORTER_CSV_ROWS_H

#include <stddef.h>

#include "importer/fleet.h"

#define CSV_ROW_MAX (64 * 1024)
#define CSV_COLUMNS_MAX 512

/* cells are NUL-terminated and borrowed for the call; line counts from 1.
 * Non-zero ends the reading. */
typedef int
csv_visit_row(const char *const *cells, size_t count, size_t line, void *arg);

/* Visit all rows; what is malformed is said (FLEET_ERROR) and ends it. */
void csv_rows(struct fleet *fleet, const char *file, const char *text,
    size_t len, csv_visit_row *visit, void *arg);

#endif
