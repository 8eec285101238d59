/*
 * types.h -- what the values of a variable may be.
 *
 * A type is a few words: "text", "secret", "integer", "integer 1..65535",
 * "boolean", "host", "address" or "choice RED|GREEN".  A variable that is not
 * declared is text, or a secret by its name (variable_is_secret).
 */
#ifndef INVENTORY_TYPES_H
#define INVENTORY_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "inventory/names.h"

#define TYPE_TEXT_MAX 255
#define TYPES_MAX 4096 /* declared */

enum type_kind {
	TYPE_TEXT,
	TYPE_SECRET,
	TYPE_INTEGER, /* decimal, perhaps with a minus */
	TYPE_BOOLEAN, /* yes, no, true, false, on, off, 1, 0; in any case */
	TYPE_HOST,    /* a name or an address, perhaps with ":PORT" */
	TYPE_ADDRESS, /* IPv4 or IPv6 */
	TYPE_CHOICE,  /* one of several words */
};

struct type {
	enum type_kind kind;
	int64_t min, max;	      /* TYPE_INTEGER */
	char text[TYPE_TEXT_MAX + 1]; /* as written; what type_parse reads */
};

/* ERROR_INPUT says what a type looks like, or suggests one. */
int
type_parse(struct type *type, const char *text, struct error *err) MUST_CHECK;

/* Is value of that type?  ERROR_INPUT names the variable, and the value unless
 * it is secret.  An empty value is of every type. */
int type_check(const struct type *type, const char *name, const char *value,
    struct error *err) MUST_CHECK;

/* Declared ones, by name. */
struct typed {
	char name[INVENTORY_NAME_MAX + 1];
	struct type type;
};
struct types {
	struct typed *list;
	size_t count;
};

/* NULL when name is not declared. */
const struct type *types_find(const struct types *types, const char *name);
/* Is it declared secret or, when it is not declared, by its name? */
bool types_is_secret(const struct types *types, const char *name);
/* In the order of names: the last one goes behind those that are there. */
void
types_append(struct types *types, const char *name, const struct type *type);
void types_copy(struct types *to, const struct types *from);
void types_clear(struct types *types);

#endif
