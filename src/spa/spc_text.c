#include "spa/spc_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/mem.h"
#include "base/text.h"

#define IMPORT_WORD "import"

struct reader {
	const char *p, *end;
	size_t line;
	const char *line_start;
	bool latin1; /* the text is no UTF-8 */
	struct flat_profile *profile;
	spc_import *import;
	void *arg;
	int depth;
	int *imports; /* so far */
};

static size_t
column(const struct reader *reader, const char *at)
{
	return (size_t)(at - reader->line_start) + 1;
}

static int
expected(const struct reader *reader, const char *what, struct error *err)
{
	/* One character says where it went wrong; more might be a password. */
	char shown[8];

	if (reader->p == reader->end)
		return error_set(err, ERROR_INPUT,
		    "%zu:%zu: the text ends; expected %s", reader->line,
		    column(reader, reader->p), what);
	text_escape(reader->p, 1, shown, sizeof(shown));
	return error_set(err, ERROR_INPUT, "%zu:%zu: expected %s at \"%s\"",
	    reader->line, column(reader, reader->p), what, shown);
}

static void
advance(struct reader *reader)
{
	if (*reader->p++ == '\n') {
		reader->line++;
		reader->line_start = reader->p;
	}
}

/* Blanks and comments. */
static void
skip(struct reader *reader)
{
	while (reader->p < reader->end) {
		if (*reader->p == '#')
			while (reader->p < reader->end && *reader->p != '\n')
				reader->p++;
		else if (strchr(" \t\r\n", *reader->p) == NULL ||
		    *reader->p == '\0')
			return;
		else
			advance(reader);
	}
}

static bool
is_utf8(const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		unsigned char c = (unsigned char)text[i++];
		size_t more = c < 0x80		    ? 0 :
		    c >= 0xc2 && c < 0xe0	    ? 1 :
		    (c & 0xf0) == 0xe0		    ? 2 :
		    (c & 0xf8) == 0xf0 && c <= 0xf4 ? 3 :
						      4;

		if (more == 4 || more > len - i)
			return false;
		for (; more > 0; more--, i++)
			if ((text[i] & 0xc0) != 0x80)
				return false;
	}
	return true;
}

/* As UTF-8; free() it. */
static char *
take_text(const struct reader *reader, const char *text, size_t len)
{
	char *out = xmalloc(2 * len + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x80 || !reader->latin1) {
			out[n++] = (char)c;
		} else {
			out[n++] = (char)(0xc0 | c >> 6);
			out[n++] = (char)(0x80 | (c & 0x3f));
		}
	}
	out[n] = '\0';
	return out;
}

/* As XML spells it: "Dial_Plan[1]" is Dial_Plan_1_ [MPP-AG]. */
static int
read_name(struct reader *reader, char name[static FLAT_NAME_MAX + 1],
    struct error *err)
{
	const char *start = reader->p;
	size_t len = 0;

	for (; reader->p < reader->end; reader->p++) {
		char c = *reader->p;

		if (!isalnum((unsigned char)c) && strchr("_-.[]()/", c) == NULL)
			break;
		if (c == '\0')
			break;
		if (len == FLAT_NAME_MAX)
			return error_set(err, ERROR_INPUT,
			    "%zu:%zu: the name is longer than %d bytes",
			    reader->line, column(reader, start), FLAT_NAME_MAX);
		name[len++] = c;
		if (strchr("[]()/", c) != NULL)
			name[len - 1] = '_';
	}
	name[len] = '\0';
	return len > 0 ? 0 : expected(reader, "the name of a parameter", err);
}

/* What stands between two quotes; *value is the caller's. */
static int
read_value(struct reader *reader, char **value, struct error *err)
{
	size_t line = reader->line, at = column(reader, reader->p);
	const char *start = ++reader->p;

	while (reader->p < reader->end && *reader->p != '"' &&
	    *reader->p != '\0')
		advance(reader);
	if (reader->p == reader->end)
		return error_set(err, ERROR_INPUT,
		    "%zu:%zu: the value has no closing quote", line, at);
	if (*reader->p == '\0')
		return error_set(err, ERROR_INPUT,
		    "%zu:%zu: a NUL byte in the value: is it a compiled "
		    "profile?",
		    reader->line, column(reader, reader->p));
	*value = take_text(reader, start, (size_t)(reader->p - start));
	reader->p++;
	return 0;
}

static int
read_parameter(struct reader *reader, struct error *err)
{
	struct flat_parameter parameter = { .path = "",
		.value = "",
		.access = FLAT_ACCESS_NONE,
		.line = reader->line,
		.column = column(reader, reader->p) };
	char name[FLAT_NAME_MAX + 1];
	char *value = NULL;
	int rc = -1;

	if (read_name(reader, name, err) != 0)
		return -1;
	skip(reader);
	if (reader->p < reader->end &&
	    (*reader->p == '!' || *reader->p == '?')) {
		parameter.access = *reader->p++ == '!' ? FLAT_ACCESS_WRITE :
							 FLAT_ACCESS_READ;
		skip(reader);
	}
	if (reader->p < reader->end && *reader->p == '"') {
		if (read_value(reader, &value, err) != 0)
			return -1;
		parameter.has_value = true;
		parameter.value = value;
		skip(reader);
	}
	if (reader->p == reader->end || *reader->p != ';') {
		(void)expected(reader,
		    parameter.has_value ? "';'" : "a value in quotes, or ';'",
		    err);
		goto out;
	}
	reader->p++;
	parameter.name = name;
	rc = flat_profile_add(reader->profile, &parameter, err);
	if (rc != 0)
		(void)error_prefix(err, "%zu:%zu: ", parameter.line,
		    parameter.column);
out:
	if (value != NULL)
		OPENSSL_cleanse(value, strlen(value));
	free(value);
	return rc;
}

static int read_all(struct reader *reader, struct error *err);

static int
read_imported(const struct reader *reader, const char *name, struct error *err)
{
	struct reader inner = *reader;
	char *text = NULL;
	size_t len = 0;
	int rc = -1;

	if (reader->import == NULL)
		return error_set(err, ERROR_INPUT,
		    "it imports \"%s\", which is not here", name);
	if (reader->depth == SPC_IMPORT_DEPTH_MAX)
		return error_set(err, ERROR_INPUT,
		    "\"%s\" is imported more than %d files deep", name,
		    SPC_IMPORT_DEPTH_MAX);
	if (++*reader->imports > SPC_IMPORTS_MAX)
		return error_set(err, ERROR_INPUT,
		    "more than %d files are imported", SPC_IMPORTS_MAX);
	if (reader->import(reader->arg, name, &text, &len, err) != 0)
		return -1;
	if (len > SPC_BYTES_MAX) {
		(void)error_set(err, ERROR_INPUT, "%s: longer than %lu bytes",
		    name, SPC_BYTES_MAX);
		goto out;
	}
	inner.p = inner.line_start = text;
	inner.end = text + len;
	inner.line = 1;
	inner.latin1 = !is_utf8(text, len);
	inner.depth++;
	rc = read_all(&inner, err);
	if (rc != 0)
		(void)error_prefix(err, "%s:", name);
out:
	if (text != NULL)
		OPENSSL_cleanse(text, len);
	free(text);
	return rc;
}

/* "import", blanks, and the name of a file to the end of the line. */
static int
read_import(struct reader *reader, struct error *err)
{
	size_t line = reader->line, at = column(reader, reader->p);
	const char *start;
	size_t len;
	char *name;
	char shown[FLAT_NAME_MAX + 1];
	int rc;

	reader->p += strlen(IMPORT_WORD);
	while (reader->p < reader->end && strchr(" \t", *reader->p) != NULL)
		reader->p++;
	start = reader->p;
	while (reader->p < reader->end && *reader->p != '\n' &&
	    *reader->p != '\0')
		reader->p++;
	len = (size_t)(reader->p - start);
	while (len > 0 && strchr(" \t\r", start[len - 1]) != NULL)
		len--;
	if (len == 0 || len > FLAT_NAME_MAX)
		return error_set(err, ERROR_INPUT,
		    "%zu:%zu: import: expected the name of a file", line, at);
	name = xstrndup(start, len);
	rc = read_imported(reader, name, err);
	text_escape(name, len, shown, sizeof(shown));
	free(name);
	if (rc != 0)
		(void)error_prefix(err, "%zu:%zu: import %s: ", line, at,
		    shown);
	return rc;
}

static bool
is_import(const struct reader *reader)
{
	size_t n = strlen(IMPORT_WORD);

	return column(reader, reader->p) == 1 &&
	    (size_t)(reader->end - reader->p) > n &&
	    memcmp(reader->p, IMPORT_WORD, n) == 0 &&
	    (reader->p[n] == ' ' || reader->p[n] == '\t');
}

static int
read_all(struct reader *reader, struct error *err)
{
	for (;;) {
		int rc;

		skip(reader);
		if (reader->p == reader->end)
			return 0;
		rc = is_import(reader) ? read_import(reader, err) :
					 read_parameter(reader, err);
		if (rc != 0)
			return -1;
	}
}

struct flat_profile *
spc_text_read(const char *text, size_t len, spc_import *import, void *arg,
    struct error *err)
{
	int imports = 0;
	struct reader reader = {
		.import = import, .arg = arg, .line = 1, .imports = &imports
	};

	if (len > SPC_BYTES_MAX) {
		(void)error_set(err, ERROR_INPUT, "1:1: longer than %lu bytes",
		    SPC_BYTES_MAX);
		return NULL;
	}
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	reader.p = reader.line_start = text;
	reader.end = text + len;
	reader.latin1 = !is_utf8(text, len);
	reader.profile = flat_profile_new();
	if (read_all(&reader, err) != 0) {
		flat_profile_free(reader.profile);
		return NULL;
	}
	flat_profile_settle(reader.profile);
	return reader.profile;
}

/* Back to the index in brackets: "Dial_Plan_1_" is Dial_Plan[1]. */
static int
write_name(struct buf *out, const char *name)
{
	size_t len = strlen(name), digits = len > 0 ? len - 1 : 0;

	while (digits > 0 && isdigit((unsigned char)name[digits - 1]))
		digits--;
	if (digits < 2 || len - 1 == digits || name[len - 1] != '_' ||
	    name[digits - 1] != '_')
		return buf_append_text(out, name);
	return buf_printf(out, "%.*s[%.*s]", (int)digits - 1, name,
	    (int)(len - 1 - digits), name + digits);
}

static int
write_parameter(struct buf *out, const struct flat_parameter *parameter,
    struct error *err)
{
	const char *mark = parameter->access == FLAT_ACCESS_WRITE ? " !" :
	    parameter->access == FLAT_ACCESS_READ		  ? " ?" :
								    "";

	if (parameter->path[0] != '\0')
		return error_set(err, ERROR_INPUT,
		    "%s/%s: plain text has no router-configuration",
		    parameter->path, parameter->name);
	if (strcmp(parameter->name, IMPORT_WORD) == 0)
		return error_set(err, ERROR_INPUT,
		    "no parameter can be called \"" IMPORT_WORD "\" here");
	if (strchr(parameter->value, '"') != NULL)
		return error_set(err, ERROR_INPUT,
		    "%s: plain text cannot hold a quote in a value",
		    parameter->name);
	if (write_name(out, parameter->name) != 0 ||
	    buf_append_text(out, mark) != 0 ||
	    (parameter->has_value &&
		buf_printf(out, " \"%s\"", parameter->value) != 0) ||
	    buf_append_text(out, " ;\n") != 0)
		return error_set(err, ERROR_INPUT, "longer than %zu bytes",
		    out->limit);
	return 0;
}

int
spc_text_write(const struct flat_profile *profile, struct buf *out,
    struct error *err)
{
	size_t before = out->len;

	for (size_t i = 0; i < flat_profile_count(profile); i++) {
		const struct flat_parameter *parameter =
		    flat_profile_at(profile, i);

		if (!parameter->counts ||
		    write_parameter(out, parameter, err) == 0)
			continue;
		if (out->data != NULL)
			out->data[before] = '\0';
		out->len = before;
		return -1;
	}
	return 0;
}
