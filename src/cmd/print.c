#include "cmd/print.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define WIDTH 80

void
cmd_date(time_t when, char text[static CMD_DATE_BYTES])
{
	char full[CLOCK_TEXT_BYTES];

	clock_format(when, full);
	(void)snprintf(text, CMD_DATE_BYTES, "%.10s", when == 0 ? "?" : full);
}

json_t *
cmd_json_time(time_t when)
{
	char text[CLOCK_TEXT_BYTES];

	if (when == 0)
		return json_null();
	clock_format(when, text);
	return json_string(text);
}

size_t
cmd_wrap(size_t column, size_t indent, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		if (column > indent && column + 1 + len > WIDTH) {
			(void)printf("\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			(void)putchar(' ');
			column++;
		} else {
			(void)printf("%*s", (int)(indent - column), "");
			column = indent;
		}
		(void)printf("%.*s", (int)len, text);
		column += len;
		text += len;
		text += strspn(text, " ");
	}
	return column;
}

size_t
cmd_wrapf(size_t column, size_t indent, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0)
		return column;
	column = cmd_wrap(column, indent, text);
	free(text);
	return column;
}
