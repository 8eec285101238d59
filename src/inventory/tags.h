/*
 * tags.h -- the tags of a device, in order: the first is nearest to it.
 */
#ifndef INVENTORY_TAGS_H
#define INVENTORY_TAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "inventory/names.h"

#define INVENTORY_TAGS_MAX 16 /* per device */
#define TAGS_TEXT_MAX (INVENTORY_TAGS_MAX * (INVENTORY_NAME_MAX + 1))

struct tags {
	char **list;
	size_t count;
};

/* Is it the name of a tag: letters, digits, '_', '-', '.', at most
 * INVENTORY_NAME_MAX?  ERROR_INPUT when it is not. */
int tags_check_name(const char *name, struct error *err) MUST_CHECK;

/* Append; one that is there already stays where it is. */
int tags_add(struct tags *tags, const char *name, struct error *err) MUST_CHECK;
bool tags_remove(struct tags *tags, const char *name);
bool tags_have(const struct tags *tags, const char *name);

/* Replace all by those of "a,b"; "" is none.  Blanks beside commas are fine. */
int
tags_parse(struct tags *tags, const char *text, struct error *err) MUST_CHECK;
/* The form that tags_parse reads; the caller's to free(). */
char *tags_format(const struct tags *tags);

/* Overwrites *to without clearing it. */
void tags_copy(struct tags *to, const struct tags *from);
void tags_clear(struct tags *tags);

#endif
