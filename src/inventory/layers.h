/*
 * layers.h -- what variables can be inherited from, in a snapshot: groups with
 * their parents, tags, models, the defaults; and the types of variables.
 *
 * Immutable once loaded, counted by references, shared by snapshots.
 */
#ifndef INVENTORY_LAYERS_H
#define INVENTORY_LAYERS_H

#include "inventory/inventory.h"

struct layers;
void layers_release(struct layers *layers); /* NULL is fine */
struct layers *
layers_load(struct inventory *inventory, struct error *err) MUST_CHECK;
struct layers *layers_retain(struct layers *layers);

/* What a scope itself sets; NULL when nothing. */
const char *layers_value(const struct layers *layers, enum scope_kind kind,
    const char *scope, const char *name);
/* The same of a group and its parents, nearest first. */
const char *layers_group_value(const struct layers *layers, const char *group,
    const char *name);

/* Is a group the other one, or below it? */
bool layers_group_is_below(const struct layers *layers, const char *group,
    const char *other);

/* All of them, by kind and name; ends with what a visitor returns but 0. */
int layers_each(const struct layers *layers,
    int (*visit)(const struct scope *scope, void *arg), void *arg);

bool layers_is_secret(const struct layers *layers, const char *name);

#endif
