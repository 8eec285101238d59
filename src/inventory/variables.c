#include "inventory/inventory.h"
#include "inventory/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#define ESCAPED_BYTES 80 /* of what a message quotes */

/* In the text of a store; see schema/0003.sql. */
#define MARK_CLEAR '\x1f'
#define MARK_SEALED '\x1d'
#define MARK_END '\x1e'

/* The code point at text and its length; 0 bytes when it is no UTF-8.
 * RFC 3629 section 4: no surrogates, no over-long forms, up to U+10FFFF. */
static size_t
utf8_read(const unsigned char *text, size_t len, uint32_t *point)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} forms[] = {
		{ 0x80, 0x00, 0 },
		{ 0xe0, 0xc0, 0x80 },
		{ 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 },
	};

	for (size_t n = 0; n < sizeof(forms) / sizeof(*forms); n++) {
		uint32_t value = text[0] & (unsigned char)~forms[n].mask;

		if ((text[0] & forms[n].mask) != forms[n].lead)
			continue;
		if (n >= len)
			return 0;
		for (size_t i = 1; i <= n; i++) {
			if ((text[i] & 0xc0) != 0x80)
				return 0;
			value = value << 6 | (text[i] & 0x3f);
		}
		if (value < forms[n].least || value > 0x10ffff ||
		    (value >= 0xd800 && value <= 0xdfff))
			return 0;
		*point = value;
		return n + 1;
	}
	return 0;
}

const char *
inventory_text_fault(const char *text, size_t len)
{
	size_t at;

	return inventory_text_fault_at(text, len, &at);
}

const char *
inventory_text_fault_at(const char *text, size_t len, size_t *at)
{
	const unsigned char *bytes = (const unsigned char *)text;

	while (len > 0) {
		uint32_t point = 0;
		size_t n;

		/* Nearly all of it, and there may be a million of them. */
		if (*bytes >= 0x20 && *bytes < 0x7f) {
			bytes++;
			len--;
			continue;
		}
		*at = (size_t)((const char *)bytes - text);
		n = utf8_read(bytes, len, &point);
		if (n == 0)
			return "bytes that are not UTF-8";
		if (point == 0)
			return "a NUL byte";
		if ((point < 0x20 && point != '\t' && point != '\n') ||
		    (point >= 0x7f && point <= 0x9f))
			return "a control character";
		if (point == 0xfffe || point == 0xffff)
			return "a character that XML does not know";
		bytes += n;
		len -= n;
	}
	return NULL;
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
is_name_part(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

int
variables_check_name(const char *name, struct error *err)
{
	size_t len = strlen(name);
	bool good = len > 0 && is_letter(name[0]);
	char shown[ESCAPED_BYTES];

	for (size_t i = 1; good && i < len; i++)
		good = is_name_part(name[i]);
	if (good && len <= INVENTORY_NAME_MAX)
		return 0;
	text_escape(name, len, shown, sizeof(shown));
	return error_set(err, ERROR_INPUT,
	    "\"%s\" is not the name of a variable: expected a letter or '_', "
	    "then letters, digits, '_', '-' or '.', at most %d in all",
	    shown, INVENTORY_NAME_MAX);
}

static int
check_value(const char *name, const char *value, struct error *err)
{
	size_t len = strlen(value);
	const char *fault;

	if (len > INVENTORY_VALUE_MAX)
		return error_set(err, ERROR_INPUT,
		    "the value of %s is %zu bytes long, at most %d are "
		    "allowed",
		    name, len, INVENTORY_VALUE_MAX);
	fault = inventory_text_fault(value, len);
	if (fault != NULL)
		return error_set(err, ERROR_INPUT, "the value of %s holds %s",
		    name, fault);
	return 0;
}

/* Where name is, or where it would have to be. */
static size_t
find_place(const struct variables *variables, const char *name, bool *found)
{
	size_t low = 0, high = variables->count;

	*found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(variables->list[middle].name, name);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int
variables_set(struct variables *variables, const char *name, const char *value,
    struct error *err)
{
	struct variable *list = variables->list;
	char *copy;
	size_t place;
	bool found;

	if (variables_check_name(name, err) != 0 ||
	    check_value(name, value, err) != 0)
		return -1;
	place = find_place(variables, name, &found);
	if (found) {
		copy = xstrdup(value); /* value may be the old one itself */
		variable_replace(&list[place], copy, false);
		return 0;
	}
	if (variables->count >= INVENTORY_VARIABLES_MAX)
		return error_set(err, ERROR_INPUT,
		    "no room for the variable %s: there are %d already", name,
		    INVENTORY_VARIABLES_MAX);
	list = xrealloc(list, (variables->count + 1) * sizeof(*list));
	memmove(list + place + 1, list + place,
	    (variables->count - place) * sizeof(*list));
	list[place] = (struct variable) { xstrdup(name), xstrdup(value),
		false };
	variables->list = list;
	variables->count++;
	return 0;
}

void
variable_replace(struct variable *variable, char *value, bool sealed)
{
	/* It may be a password; the compiler must not skip this. */
	explicit_bzero(variable->value, strlen(variable->value));
	free(variable->value);
	variable->value = value;
	variable->sealed = sealed;
}

bool
variables_unset(struct variables *variables, const char *name)
{
	struct variable *list = variables->list;
	size_t place;
	bool found;

	place = find_place(variables, name, &found);
	if (!found)
		return false;
	free(list[place].name);
	free(list[place].value);
	variables->count--;
	memmove(list + place, list + place + 1,
	    (variables->count - place) * sizeof(*list));
	return true;
}

const char *
variables_get(const struct variables *variables, const char *name)
{
	size_t place;
	bool found;

	place = find_place(variables, name, &found);
	return found ? variables->list[place].value : NULL;
}

int
variables_copy(struct variables *to, const struct variables *from)
{
	struct variable *list = NULL;

	if (from->count > 0)
		list = xcalloc(from->count, sizeof(*list));
	for (size_t i = 0; i < from->count; i++)
		list[i] = (struct variable) { xstrdup(from->list[i].name),
			xstrdup(from->list[i].value), from->list[i].sealed };
	to->list = list;
	to->count = from->count;
	return 0;
}

void
variables_clear(struct variables *variables)
{
	for (size_t i = 0; i < variables->count; i++) {
		free(variables->list[i].name);
		free(variables->list[i].value);
	}
	free(variables->list);
	*variables = (struct variables) { 0 };
}

void
variables_encode(const struct variables *variables, struct buf *text)
{
	size_t size = 0;
	char *out;

	for (size_t i = 0; i < variables->count; i++)
		size += strlen(variables->list[i].name) +
		    strlen(variables->list[i].value) + 2;
	/* The limits on names, values and their number are below that of any
	 * buffer of ours. */
	if ((out = buf_reserve(text, size)) == NULL)
		abort();
	for (size_t i = 0; i < variables->count; i++) {
		const struct variable *variable = &variables->list[i];

		out = stpcpy(out, variable->name);
		*out++ = variable->sealed ? MARK_SEALED : MARK_CLEAR;
		out = stpcpy(out, variable->value);
		*out++ = MARK_END;
	}
	*out = '\0';
	text->len += size;
}

static size_t
count_marks(const char *text, size_t len)
{
	const char *end = text + len;
	size_t count = 0;

	while ((text = memchr(text, MARK_END, (size_t)(end - text))) != NULL) {
		count++;
		text++;
	}
	return count;
}

/* One variable of a store's text, which ends at its MARK_END. */
static int
decode_one(struct variable *variable, const char *text, size_t len)
{
	size_t name = 0, value;

	while (name < len && text[name] != MARK_CLEAR &&
	    text[name] != MARK_SEALED)
		name++;
	if (name == 0 || name > INVENTORY_NAME_MAX || name == len ||
	    !is_letter(text[0]))
		return -1;
	for (size_t i = 1; i < name; i++)
		if (!is_name_part(text[i]))
			return -1;
	value = len - name - 1;
	variable->sealed = text[name] == MARK_SEALED;
	if ((!variable->sealed && value > INVENTORY_VALUE_MAX) ||
	    inventory_text_fault(text + name + 1, value) != NULL)
		return -1;
	variable->name = xstrndup(text, name);
	variable->value = xstrndup(text + name + 1, value);
	return 0;
}

int
variables_decode(struct variables *variables, const char *text, size_t len)
{
	struct variables fresh = { 0 };
	size_t count = count_marks(text, len);

	*variables = fresh;
	if (count > INVENTORY_VARIABLES_MAX)
		return -1;
	if (count > 0)
		fresh.list = xcalloc(count, sizeof(*fresh.list));
	while (fresh.count < count) {
		struct variable *last = &fresh.list[fresh.count];
		const char *end = memchr(text, MARK_END, len);
		size_t n = (size_t)(end - text);

		if (decode_one(last, text, n) != 0)
			break;
		fresh.count++;
		if (fresh.count > 1 && strcmp(last[-1].name, last->name) >= 0)
			break; /* len is not 0 then */
		text += n + 1;
		len -= n + 1;
	}
	if (fresh.count == count && len == 0) {
		*variables = fresh;
		return 0;
	}
	variables_clear(&fresh);
	return -1;
}
