/*
 * changes.h -- what a transaction on the inventory changes, for the audit log;
 * only for the files of this folder.
 *
 * All is counted; of the first CHANGES_SHOWN it is kept what is different: of
 * fields the old and the new value, of variables only the names, because what
 * is in them may be secret in ways that nobody declared.
 */
#ifndef INVENTORY_CHANGES_H
#define INVENTORY_CHANGES_H

#include <stdbool.h>
#include <stddef.h>

#include "inventory/inventory.h"

#define CHANGES_SHOWN 20

struct audit_act;
struct migration;

struct changes;
void changes_free(struct changes *changes); /* NULL is fine */
struct changes *changes_new(const char *audit_path, const struct audit_act *act,
    time_t at) MUST_CHECK FREED_BY(changes_free);

/* Nothing has changed yet. */
void changes_begin(struct changes *changes);

/* Will the next one be shown?  Then what was there before is wanted. */
bool changes_is_shown(const struct changes *changes);

/* Of these NULL as changes: nothing happens.  before NULL: it was added, or that
 * is not known. */
void changes_device(struct changes *changes, const struct device *before,
    const struct device *after, bool added);
void changes_removed(struct changes *changes, const struct mac *mac);
void changes_scope(struct changes *changes, const struct scope *before,
    const struct scope *after);
void changes_scope_removed(struct changes *changes, enum scope_kind kind,
    const char *name);
/* type NULL: it is declared no more. */
void changes_type(struct changes *changes, const char *name, const char *type);
void
changes_migration(struct changes *changes, const struct migration *migration);

/* Write the entry, unless nothing has changed; changed: something has, whether
 * it was counted or not. */
int changes_write(struct changes *changes, bool changed,
    struct error *err) MUST_CHECK;
/* It was written, and did not come true. */
void changes_undo(struct changes *changes);

#endif
