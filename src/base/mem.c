#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
or_abort(void *p)
{
	if (p == NULL) {
		(void)fputs("sprov: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *
xmalloc(size_t size)
{
	return or_abort(malloc(size != 0 ? size : 1));
}

void *
xcalloc(size_t count, size_t size)
{
	return or_abort(calloc(count != 0 ? count : 1, size != 0 ? size : 1));
}

void *
xrealloc(void *old, size_t size)
{
	return or_abort(realloc(old, size != 0 ? size : 1));
}

char *
xstrdup(const char *text)
{
	return or_abort(strdup(text));
}

char *
xstrndup(const char *text, size_t len)
{
	return or_abort(strndup(text, len));
}

char *
xasprintf(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	return or_abort(len < 0 ? NULL : text);
}
