/*
 * print.h -- dates and paragraphs, as all subcommands print them.
 */
#ifndef CMD_PRINT_H
#define CMD_PRINT_H

#include <stddef.h>
#include <time.h>

#include <jansson.h>

#include "base/error.h"

#define CMD_DATE_BYTES sizeof("9999-12-31")
/* "2034-01-30", or "?" for 0. */
void cmd_date(time_t when, char text[static CMD_DATE_BYTES]);

/* "2034-01-30T22:34:23Z", or null for 0; the caller's. */
json_t *cmd_json_time(time_t when);

/*
 * Print words with line breaks at 80 columns; each line after the first begins
 * with indent blanks.  column is where the cursor is; where it is afterwards is
 * returned.
 */
size_t cmd_wrap(size_t column, size_t indent, const char *text);
size_t
cmd_wrapf(size_t column, size_t indent, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
