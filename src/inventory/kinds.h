/*
 * kinds.h -- devices counted by kind: model, firmware and state.
 *
 * A fleet of a million has some hundred kinds.  A sum of changes is one, too:
 * its counts may be negative.  One thread's; only for the files of this folder.
 */
#ifndef INVENTORY_KINDS_H
#define INVENTORY_KINDS_H

#include <stddef.h>
#include <stdint.h>

#include "inventory/inventory.h"

struct kinds;
void kinds_free(struct kinds *kinds); /* NULL is fine */
struct kinds *kinds_new(void) MUST_CHECK FREED_BY(kinds_free);

/* by: how many came (or, negative, went). */
void kinds_add(struct kinds *kinds, const char *model, const char *firmware,
    enum device_state state, int64_t by);
size_t kinds_count(const struct kinds *kinds);
void kinds_clear(struct kinds *kinds);

/* Visit those that are not 0, by model, firmware and state.  A visitor that
 * returns non-zero ends the visit, and that value is returned. */
int kinds_each(struct kinds *kinds, inventory_visit_kind *visit, void *arg);

#endif
