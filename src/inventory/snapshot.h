/*
 * snapshot.h -- the whole inventory in memory, as it was at one change number.
 *
 * Immutable once loaded, so any number of threads may read it.  Counted by
 * references: the last snapshot_release() frees it.  A snapshot that was
 * refreshed shares with the one before all that did not change.
 */
#ifndef INVENTORY_SNAPSHOT_H
#define INVENTORY_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "inventory/inventory.h"

struct snapshot;

/* Load all; ERROR_DENIED when secrets are sealed and the inventory was not
 * given their key.  One reference is the caller's.  Without FREED_BY: the compiler
 * would take the first release for the last one. */
void snapshot_release(struct snapshot *snapshot); /* NULL is fine */
struct snapshot *
snapshot_load(struct inventory *inventory, struct error *err) MUST_CHECK;

/*
 * The snapshot as of now, made from an earlier one by reading what changed
 * since; of the same inventory.  A store that does not tell, and a change of
 * very many devices, are read whole.  The earlier one stays as it is.
 */
struct snapshot *snapshot_refresh(struct snapshot *before,
    struct inventory *inventory, struct error *err) MUST_CHECK;
struct snapshot *snapshot_retain(struct snapshot *snapshot);

uint64_t snapshot_change_number(const struct snapshot *snapshot);
size_t snapshot_device_count(const struct snapshot *snapshot);

/* NULL when unknown; borrowed while the snapshot is held. */
const struct device *
snapshot_find(const struct snapshot *snapshot, const struct mac *mac);

/*
 * The value of a variable for a device, by inheritance (see inventory.h);
 * NULL when no scope sets it.  With device NULL: only model (may be "") and
 * the defaults are asked.
 */
const char *snapshot_variable(const struct snapshot *snapshot,
    const struct device *device, const char *model, const char *name);

/* Visit all devices, in the order of their MACs.  A visitor that returns
 * non-zero ends the visit, and that value is returned. */
typedef int snapshot_visit(const struct device *device, void *arg);
int snapshot_each(const struct snapshot *snapshot, snapshot_visit *visit,
    void *arg);

/* Visit, as snapshot_each(), those of before that after has no more.  Quick for a
 * snapshot and one that was refreshed from it. */
int snapshot_each_removed(const struct snapshot *before,
    const struct snapshot *after, snapshot_visit *visit, void *arg);

/* Is the device in that group, or in one below it? */
bool snapshot_is_below(const struct snapshot *snapshot,
    const struct device *device, const char *group);

/* The same of a group. */
bool snapshot_group_is_below(const struct snapshot *snapshot, const char *group,
    const char *other);

/* Visit groups, tags, models and the defaults, by kind and name; as
 * snapshot_each(). */
typedef int snapshot_visit_scope(const struct scope *scope, void *arg);
int snapshot_each_scope(const struct snapshot *snapshot,
    snapshot_visit_scope *visit, void *arg);

/* Is there such a group? */
bool snapshot_has_group(const struct snapshot *snapshot, const char *group);

/* Is the variable declared secret or, when it is not declared, by its name? */
bool snapshot_is_secret(const struct snapshot *snapshot, const char *name);

#endif
