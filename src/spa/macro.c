#include "spa/macro.h"

#include <stdint.h>
#include <string.h>

/* More digits than any value has characters; so numbers cannot overflow. */
#define NUMBER_DIGITS_MAX 6

/* One macro as it stands in a text: how long it is, and what it asks for. */
struct reference {
	size_t len; /* from "$" to the last byte */
	const char *name;
	size_t name_len;
	size_t offset;
	size_t length; /* SIZE_MAX: to the end of the value */
};

static size_t
name_length(const char *p, const char *end)
{
	const char *start = p;

	while (p < end &&
	    ((*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') ||
		(*p >= '0' && *p <= '9')))
		p++;
	return (size_t)(p - start);
}

/* Read ":" and a number, when they are there; false when half of it is. */
static bool
read_number(const char **p, const char *end, size_t *number)
{
	const char *start = *p + 1;
	size_t value = 0;

	if (*p == end || **p != ':')
		return true;
	for (*p = start; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		if (*p - start == NUMBER_DIGITS_MAX)
			return false;
		value = value * 10 + (size_t)(**p - '0');
	}
	if (*p == start)
		return false;
	*number = value;
	return true;
}

/* Read the macro that begins with the "$" at p; false when it is none. */
static bool
read_reference(const char *p, const char *end, struct reference *ref)
{
	const char *start = p++;
	bool quoted = p < end && *p == '(';

	ref->name = quoted ? ++p : p;
	ref->name_len = name_length(p, end);
	ref->offset = 0;
	ref->length = SIZE_MAX;
	if (ref->name_len == 0)
		return false;
	p += ref->name_len;
	if (quoted) {
		if (!read_number(&p, end, &ref->offset) ||
		    !read_number(&p, end, &ref->length))
			return false;
		if (p == end || *p++ != ')')
			return false;
	}
	ref->len = (size_t)(p - start);
	return true;
}

static const struct macro *
find_macro(const struct macros *macros, const char *name, size_t len)
{
	for (size_t i = 0; i < macros->count; i++) {
		const struct macro *macro = &macros->list[i];

		if (strlen(macro->name) == len &&
		    memcmp(macro->name, name, len) == 0)
			return macro->value != NULL ? macro : NULL;
	}
	return NULL;
}

static int
append_value(const char *value, const struct reference *ref, struct buf *out)
{
	size_t len = strlen(value);

	if (ref->offset >= len)
		return 0;
	len -= ref->offset;
	if (len > ref->length)
		len = ref->length;
	return buf_append(out, value + ref->offset, len);
}

/* Append what the "$" at p stands for; *used bytes of the text are then done. */
static int
expand_one(const struct macros *macros, const char *p, const char *end,
    bool in_options, struct buf *out, size_t *used)
{
	const struct macro *macro;
	struct reference ref;

	*used = 1;
	if (end - p > 1 && p[1] == '$') {
		*used = 2;
		return buf_append(out, "$", 1);
	}
	if (!read_reference(p, end, &ref))
		return buf_append(out, "$", 1);
	*used = ref.len;
	macro = find_macro(macros, ref.name, ref.name_len);
	if (macro == NULL || (macro->secret && !in_options))
		return buf_append(out, p, ref.len);
	return append_value(macro->value, &ref, out);
}

int
macro_expand(const struct macros *macros, const char *text, size_t len,
    bool in_options, struct buf *out)
{
	const char *p = text, *end = text + len;
	size_t before = out->len;

	while (p < end) {
		const char *dollar = memchr(p, '$', (size_t)(end - p));
		size_t plain = (size_t)((dollar != NULL ? dollar : end) - p);
		size_t used = 0;

		if (buf_append(out, p, plain) == -1)
			goto full;
		p += plain;
		if (p < end &&
		    expand_one(macros, p, end, in_options, out, &used) == -1)
			goto full;
		p += used;
	}
	return 0;
full:
	out->len = before;
	if (out->data != NULL)
		out->data[before] = '\0';
	return -1;
}
