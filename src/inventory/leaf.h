/*
 * leaf.h -- some neighbouring devices in one piece of memory.
 *
 * A snapshot is a row of leaves in the order of MAC addresses.  A leaf never
 * changes; snapshots that have the same devices in it share it, counted by
 * references.  All that its devices need (variables, tags, texts) lies in the
 * same allocation, names once for all of them: a million devices are some ten
 * thousand allocations.
 */
#ifndef INVENTORY_LEAF_H
#define INVENTORY_LEAF_H

#include <stddef.h>

#include "inventory/inventory.h"

#define LEAF_DEVICES 64

struct leaf;
void leaf_release(struct leaf *leaf); /* NULL is fine; wipes the last one */
struct leaf *leaf_retain(struct leaf *leaf);

/* Its devices, by MAC; at least one. */
const struct device *leaf_devices(const struct leaf *leaf, size_t *count);

/*
 * Makes one leaf after the other.  leaf_add() copies a device, behind those
 * that it was given; at most LEAF_DEVICES are added between two
 * leaf_finish(), which returns NULL when there is none.
 */
struct leaf_builder;
void leaf_builder_free(struct leaf_builder *builder);
struct leaf_builder *leaf_builder_new(void) FREED_BY(leaf_builder_free);
void leaf_add(struct leaf_builder *builder, const struct device *device);
size_t leaf_added(const struct leaf_builder *builder);
struct leaf *leaf_finish(struct leaf_builder *builder);

#endif
