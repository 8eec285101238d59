#include "inventory/types.h"
#include "inventory/inventory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define ESCAPED_BYTES 80	/* of what a message quotes */
#define HOST_NAME_MAX_BYTES 253 /* RFC 1035 2.3.4, as text */
#define HOST_LABEL_MAX 63

static const char *const kind_names[] = {
	[TYPE_TEXT] = "text",
	[TYPE_SECRET] = "secret",
	[TYPE_INTEGER] = "integer",
	[TYPE_BOOLEAN] = "boolean",
	[TYPE_HOST] = "host",
	[TYPE_ADDRESS] = "address",
	[TYPE_CHOICE] = "choice",
};

/* A whole number in decimal; nothing else beside it. */
static bool
read_integer(const char *text, int64_t *number)
{
	const char *digits = *text == '-' ? text + 1 : text;
	long long value;

	if (*digits == '\0' || strspn(digits, "0123456789") != strlen(digits))
		return false;
	errno = 0;
	value = strtoll(text, NULL, 10);
	*number = value;
	return errno == 0;
}

static int
parse_range(struct type *type, const char *range, struct error *err)
{
	char copy[TYPE_TEXT_MAX + 1];
	char *dots;

	type->min = INT64_MIN;
	type->max = INT64_MAX;
	if (*range == '\0')
		return 0;
	(void)snprintf(copy, sizeof(copy), "%s", range);
	dots = strstr(copy, "..");
	if (dots != NULL) {
		*dots = '\0';
		if (read_integer(copy, &type->min) &&
		    read_integer(dots + 2, &type->max) &&
		    type->min <= type->max)
			return 0;
	}
	return error_set(err, ERROR_INPUT,
	    "\"%.80s\" is not a range of integers: expected one such as "
	    "\"integer 1..65535\"",
	    range);
}

static int
parse_choice(const char *words, struct error *err)
{
	size_t len = strlen(words);

	if (len > 0 && words[0] != '|' && words[len - 1] != '|' &&
	    strstr(words, "||") == NULL)
		return 0;
	return error_set(err, ERROR_INPUT,
	    "\"choice\" lacks what can be chosen: expected it as in \"choice "
	    "gzip|none\"");
}

static int
unknown_type(const char *text, struct error *err)
{
	char shown[ESCAPED_BYTES];
	const char *nearest = text_nearest(text, kind_names,
	    LENGTH(kind_names));

	text_escape(text, strlen(text), shown, sizeof(shown));
	if (nearest != NULL)
		return error_set(err, ERROR_INPUT,
		    "\"%s\" is not a type; did you mean %s?", shown, nearest);
	return error_set(err, ERROR_INPUT,
	    "\"%s\" is not a type: expected text, secret, integer, \"integer "
	    "MIN..MAX\", boolean, host, address or \"choice ONE|OTHER\"",
	    shown);
}

int
type_parse(struct type *type, const char *text, struct error *err)
{
	struct type fresh = { 0 };
	size_t len = strlen(text), word = strcspn(text, " ");
	const char *rest = text + word + strspn(text + word, " ");
	size_t kind = 0;
	int rc = 0;

	if (len > TYPE_TEXT_MAX)
		return error_set(err, ERROR_INPUT,
		    "the type is %zu bytes long, at most %d are allowed", len,
		    TYPE_TEXT_MAX);
	while (kind < LENGTH(kind_names) &&
	    (strlen(kind_names[kind]) != word ||
		strncmp(kind_names[kind], text, word) != 0))
		kind++;
	if (kind == LENGTH(kind_names))
		return unknown_type(text, err);
	fresh.kind = (enum type_kind)kind;
	if (fresh.kind == TYPE_INTEGER)
		rc = parse_range(&fresh, rest, err);
	else if (fresh.kind == TYPE_CHOICE)
		rc = parse_choice(rest, err);
	else if (*rest != '\0')
		rc = error_set(err, ERROR_INPUT,
		    "the type %s takes nothing more, found \"%.80s\"",
		    kind_names[kind], rest);
	if (rc != 0)
		return -1;
	(void)snprintf(fresh.text, sizeof(fresh.text), "%s%s%s",
	    kind_names[kind], *rest != '\0' ? " " : "", rest);
	*type = fresh;
	return 0;
}

static bool
is_boolean(const char *value)
{
	static const char *const words[] = { "yes", "no", "true", "false", "on",
		"off", "1", "0" };

	for (size_t i = 0; i < LENGTH(words); i++)
		if (strcasecmp(value, words[i]) == 0)
			return true;
	return false;
}

static bool
is_address(const char *value)
{
	struct in6_addr address;

	return inet_pton(AF_INET, value, &address) == 1 ||
	    inet_pton(AF_INET6, value, &address) == 1;
}

/* RFC 1123 2.1; '_' too, because people have such names. */
static bool
is_host_name(const char *name)
{
	size_t label = 0, len = strlen(name);

	if (len == 0 || len > HOST_NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool letter = strchr("abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
				  name[i]) != NULL;

		if (name[i] == '.') {
			if (label == 0 || name[i - 1] == '-')
				return false;
			label = 0;
			continue;
		}
		if (!letter && (name[i] != '-' || label == 0))
			return false;
		if (++label > HOST_LABEL_MAX)
			return false;
	}
	return name[len - 1] != '-';
}

static bool
is_host(const char *value)
{
	char host[HOST_NAME_MAX_BYTES + 1];
	const char *colon = strrchr(value, ':');
	int64_t port;
	size_t len;

	if (is_address(value))
		return true;
	len = colon != NULL ? (size_t)(colon - value) : strlen(value);
	if (len > HOST_NAME_MAX_BYTES ||
	    (colon != NULL &&
		(!read_integer(colon + 1, &port) || port < 1 || port > 65535)))
		return false;
	memcpy(host, value, len);
	host[len] = '\0';
	if (host[0] == '[' && len > 2 && host[len - 1] == ']') {
		host[len - 1] = '\0';
		return is_address(host + 1);
	}
	return is_host_name(host);
}

static bool
is_choice(const char *words, const char *value)
{
	size_t len = strlen(value);

	while (*words != '\0') {
		size_t n = strcspn(words, "|");

		if (n == len && strncmp(words, value, n) == 0)
			return true;
		words += n;
		words += *words == '|';
	}
	return false;
}

static bool
is_of_type(const struct type *type, const char *value)
{
	int64_t number;

	switch (type->kind) {
	case TYPE_TEXT:
	case TYPE_SECRET:
		return true;
	case TYPE_INTEGER:
		return read_integer(value, &number) && number >= type->min &&
		    number <= type->max;
	case TYPE_BOOLEAN:
		return is_boolean(value);
	case TYPE_HOST:
		return is_host(value);
	case TYPE_ADDRESS:
		return is_address(value);
	case TYPE_CHOICE:
		return is_choice(type->text + strlen("choice "), value);
	}
	return false;
}

int
type_check(const struct type *type, const char *name, const char *value,
    struct error *err)
{
	static const char *const hints[] = {
		[TYPE_TEXT] = "",
		[TYPE_SECRET] = "",
		[TYPE_INTEGER] = "",
		[TYPE_BOOLEAN] = " (yes, no, true, false, on, off, 1 or 0)",
		[TYPE_HOST] = " (a name or an address, perhaps with \":PORT\")",
		[TYPE_ADDRESS] = " (IPv4 or IPv6)",
		[TYPE_CHOICE] = "",
	};
	char shown[ESCAPED_BYTES];

	if (*value == '\0' || is_of_type(type, value))
		return 0;
	text_escape(value, strlen(value), shown, sizeof(shown));
	return error_set(err, ERROR_INPUT, "%s=\"%s\": expected %s%s", name,
	    variable_is_secret(name) ? "********" : shown, type->text,
	    hints[type->kind]);
}

static int
compare_typed(const void *name, const void *typed)
{
	return strcmp(name, ((const struct typed *)typed)->name);
}

const struct type *
types_find(const struct types *types, const char *name)
{
	const struct typed *typed;

	if (types->count == 0)
		return NULL;
	typed = bsearch(name, types->list, types->count, sizeof(*types->list),
	    compare_typed);
	return typed != NULL ? &typed->type : NULL;
}

bool
types_is_secret(const struct types *types, const char *name)
{
	const struct type *type = types_find(types, name);

	return type != NULL ? type->kind == TYPE_SECRET :
			      variable_is_secret(name);
}

void
types_append(struct types *types, const char *name, const struct type *type)
{
	struct typed *typed;

	types->list = xrealloc(types->list,
	    (types->count + 1) * sizeof(*types->list));
	typed = &types->list[types->count++];
	*typed = (struct typed) { .type = *type };
	(void)snprintf(typed->name, sizeof(typed->name), "%s", name);
}

void
types_copy(struct types *to, const struct types *from)
{
	*to = (struct types) { 0 };
	for (size_t i = 0; i < from->count; i++)
		types_append(to, from->list[i].name, &from->list[i].type);
}

void
types_clear(struct types *types)
{
	free(types->list);
	*types = (struct types) { 0 };
}
