/*
 * plan_csv.h -- a fleet from a spreadsheet, without an inventory.
 *
 * The first row names the columns: model, and any of firmware, count, mac and
 * state; all others are passed over, so what "sprov device import" reads is
 * read here, too.  A row without count is one device; a MAC may stand in one
 * row only; a row whose state is "retired" does not count.  The text comes in
 * pieces of any size, so that a large file is never held in memory.
 */
#ifndef PROVISION_PLAN_CSV_H
#define PROVISION_PLAN_CSV_H

#include <stddef.h>

#include "base/error.h"

struct plan_fleet;

#define PLAN_CSV_ROW_MAX 65536 /* bytes */
#define PLAN_CSV_COLUMNS_MAX 256

struct plan_csv;

/*
 * Devices go to fleet.  Mistakes go to errors as "name:line:column: ...", line
 * and column (in bytes) from 1; fleet, name and errors are borrowed.
 */
void plan_csv_free(struct plan_csv *csv);
struct plan_csv *plan_csv_new(struct plan_fleet *fleet, const char *name,
    struct errors *errors) MUST_CHECK FREED_BY(plan_csv_free);

/* The next bytes of the text; -1 when reading on makes no sense. */
int
plan_csv_read(struct plan_csv *csv, const char *text, size_t len) MUST_CHECK;

/* The text is over; -1 when there was any mistake. */
int plan_csv_end(struct plan_csv *csv) MUST_CHECK;

#endif
