#include "base/error.h"
#include "base/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

static void error_format(struct error *err, enum error_kind kind,
    const char *fmt, va_list ap) PRINTF_LIKE(3, 0);

static void error_format(struct error *err, enum error_kind kind,
    const char *fmt, va_list ap) PRINTF_LIKE(3, 0);

static void
error_format(struct error *err, enum error_kind kind, const char *fmt,
    va_list ap)
{
	err->kind = kind;
	/* A longer text is cut: an error line has to stay one line. */
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
}

static void
error_append(struct error *err, const char *text)
{
	size_t len = strlen(err->text);

	(void)snprintf(err->text + len, sizeof(err->text) - len, ": %s", text);
}

int
error_set(struct error *err, enum error_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	error_format(err, kind, fmt, ap);
	va_end(ap);
	return -1;
}

int
error_errno(struct error *err, const char *fmt, ...)
{
	int saved = errno;
	char reason[128];
	va_list ap;

	va_start(ap, fmt);
	error_format(err, ERROR_SYSTEM, fmt, ap);
	va_end(ap);
	error_append(err, strerror_r(saved, reason, sizeof(reason)));
	return -1;
}

int
error_openssl(struct error *err, const char *fmt, ...)
{
	const char *reason;
	char words[128];
	unsigned long code;
	va_list ap;

	va_start(ap, fmt);
	error_format(err, ERROR_SYSTEM, fmt, ap);
	va_end(ap);
	/* The last entry is the outermost one; the first names the cause. */
	code = ERR_peek_error();
	/* What the kernel said to OpenSSL, it does not put into words. */
	reason = ERR_SYSTEM_ERROR(code) ?
	    strerror_r(ERR_GET_REASON(code), words, sizeof(words)) :
	    ERR_reason_error_string(code);
	if (code != 0)
		error_append(err, reason != NULL ? reason : "OpenSSL error");
	ERR_clear_error();
	return -1;
}

int
error_prefix(struct error *err, const char *fmt, ...)
{
	char whole[sizeof(err->text)];
	size_t len;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(whole, sizeof(whole), fmt, ap);
	va_end(ap);
	len = strlen(whole);
	(void)snprintf(whole + len, sizeof(whole) - len, "%s", err->text);
	memcpy(err->text, whole, sizeof(whole));
	return -1;
}

void
errors_add(struct errors *errors, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	if (errors->count++ >= ERRORS_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	errors->text = xrealloc(errors->text,
	    (errors->kept + 1) * sizeof(*errors->text));
	errors->text[errors->kept++] = xstrdup(line);
}

void
errors_clear(struct errors *errors)
{
	for (size_t i = 0; i < errors->kept; i++)
		free(errors->text[i]);
	free(errors->text);
	*errors = (struct errors) { 0 };
}
