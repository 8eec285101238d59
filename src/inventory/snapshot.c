#include "inventory/snapshot.h"
#include "inventory/layers.h"
#include "inventory/leaf.h"
#include "inventory/store.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct snapshot {
	atomic_size_t references;
	uint64_t change_number;
	struct layers *layers;
	struct leaf **leaves;
	struct mac *firsts; /* the MAC of each leaf's first device */
	size_t leaf_count, leaf_room;
	size_t device_count;
};

static struct snapshot *
new_snapshot(size_t leaf_room)
{
	struct snapshot *snapshot = xcalloc(1, sizeof(*snapshot));

	atomic_init(&snapshot->references, 1);
	snapshot->leaf_room = leaf_room;
	snapshot->leaves = xcalloc(leaf_room + 1, sizeof(*snapshot->leaves));
	snapshot->firsts = xcalloc(leaf_room + 1, sizeof(*snapshot->firsts));
	return snapshot;
}

/* The leaf is taken; NULL is none. */
static void
push_leaf(struct snapshot *snapshot, struct leaf *leaf)
{
	size_t count;

	if (leaf == NULL)
		return;
	if (snapshot->leaf_count == snapshot->leaf_room) {
		snapshot->leaf_room += snapshot->leaf_room / 2 + 16;
		snapshot->leaves = xrealloc(snapshot->leaves,
		    snapshot->leaf_room * sizeof(*snapshot->leaves));
		snapshot->firsts = xrealloc(snapshot->firsts,
		    snapshot->leaf_room * sizeof(*snapshot->firsts));
	}
	snapshot->firsts[snapshot->leaf_count] =
	    leaf_devices(leaf, &count)->mac;
	snapshot->leaves[snapshot->leaf_count++] = leaf;
	snapshot->device_count += count;
}

/* A snapshot in the making. */
struct building {
	struct snapshot *snapshot;
	struct leaf_builder *builder;
	struct error *err;
};

int
inventory_is_sealed(struct error *err)
{
	return error_set(err, ERROR_DENIED,
	    "the inventory's secrets are sealed, and no key opens them: name "
	    "its file (secrets-key in sprov.conf, --secrets-key, "
	    "$SPROV_SECRETS_KEY)");
}

static int
add_device(const struct device *device, void *arg)
{
	struct building *building = arg;

	for (size_t i = 0; i < device->variables.count; i++)
		if (device->variables.list[i].sealed)
			return inventory_is_sealed(building->err);
	if (leaf_added(building->builder) == LEAF_DEVICES)
		push_leaf(building->snapshot, leaf_finish(building->builder));
	leaf_add(building->builder, device);
	return 0;
}

static int
load_devices(struct snapshot *snapshot, struct inventory *inventory,
    struct error *err)
{
	struct building building = { snapshot, leaf_builder_new(), err };
	int rc = inventory_each_device(inventory, add_device, &building, err);

	push_leaf(snapshot, leaf_finish(building.builder));
	leaf_builder_free(building.builder);
	return rc;
}

/* Within a moment of the store. */
static struct snapshot *
load_all(struct inventory *inventory, struct error *err)
{
	struct snapshot *snapshot = new_snapshot(0);

	if (inventory_change_number(inventory, &snapshot->change_number, err) ==
		0 &&
	    (snapshot->layers = layers_load(inventory, err)) != NULL &&
	    load_devices(snapshot, inventory, err) == 0)
		return snapshot;
	snapshot_release(snapshot);
	return NULL;
}

struct snapshot *
snapshot_load(struct inventory *inventory, struct error *err)
{
	struct snapshot *snapshot;

	if (inventory_begin_read(inventory, err) != 0)
		return NULL;
	snapshot = load_all(inventory, err);
	inventory_end_read(inventory);
	return snapshot;
}

struct macs {
	struct mac *list; /* in order */
	size_t count, room;
};

static int
collect_mac(const struct mac *mac, void *arg)
{
	struct macs *macs = arg;

	if (macs->count == macs->room) {
		macs->room = 2 * macs->room + 64;
		macs->list = xrealloc(macs->list,
		    macs->room * sizeof(*macs->list));
	}
	macs->list[macs->count++] = *mac;
	return 0;
}

/* A device that changed, as it is now; nothing when it was removed. */
static int
add_changed(struct building *building, struct inventory *inventory,
    const struct mac *mac, struct error *err)
{
	struct device device;
	int rc;

	if (inventory_get_device(inventory, mac, &device, err) != 0) {
		if (err->kind != ERROR_NOT_FOUND)
			return -1;
		*err = (struct error) { 0 };
		return 0;
	}
	rc = add_device(&device, building);
	device_clear(&device);
	return rc;
}

/* A leaf (NULL: none) with some changed devices in its range. */
static int
rebuild_leaf(struct building *building, const struct leaf *leaf,
    struct inventory *inventory, const struct mac *changed, size_t count,
    struct error *err)
{
	const struct device *old = NULL;
	size_t old_count = 0, i = 0, j = 0;
	int order, rc = 0;

	if (leaf != NULL)
		old = leaf_devices(leaf, &old_count);
	while (rc == 0 && (i < old_count || j < count)) {
		order = i == old_count ? 1 :
		    j == count	       ? -1 :
					 mac_compare(&old[i].mac, &changed[j]);
		if (order < 0)
			rc = add_device(&old[i], building);
		else
			rc = add_changed(building, inventory, &changed[j++],
			    err);
		i += order <= 0;
	}
	push_leaf(building->snapshot, leaf_finish(building->builder));
	return rc;
}

/* How many of the changed devices, from *first on, lie before the next leaf. */
static size_t
count_within(const struct macs *macs, size_t first, const struct mac *next)
{
	size_t count = 0;

	while (first + count < macs->count &&
	    (next == NULL || mac_compare(&macs->list[first + count], next) < 0))
		count++;
	return count;
}

static int
rebuild(struct snapshot *snapshot, const struct snapshot *before,
    struct inventory *inventory, const struct macs *macs, struct error *err)
{
	struct building building = { snapshot, leaf_builder_new(), err };
	size_t at = 0, leaves = before->leaf_count;
	int rc = 0;

	for (size_t i = 0; rc == 0 && (i < leaves || i == 0); i++) {
		const struct mac *next = i + 1 < leaves ?
		    &before->firsts[i + 1] :
		    NULL;
		size_t count = count_within(macs, at, next);
		struct leaf *leaf = leaves > 0 ? before->leaves[i] : NULL;

		if (count == 0 && leaf != NULL)
			push_leaf(snapshot, leaf_retain(leaf));
		else
			rc = rebuild_leaf(&building, leaf, inventory,
			    macs->list + at, count, err);
		at += count;
	}
	leaf_builder_free(building.builder);
	return rc;
}

/* Within a moment of the store. */
static struct snapshot *
refresh(const struct snapshot *before, struct inventory *inventory,
    struct error *err)
{
	struct snapshot *snapshot = NULL;
	struct macs macs = { 0 };
	bool known = false, scopes = true;
	uint64_t number;

	if (inventory_change_number(inventory, &number, err) != 0 ||
	    inventory_each_changed(inventory, before->change_number,
		collect_mac, &macs, &known, &scopes, err) != 0)
		goto out;
	/* Devices one by one cost more than in a row. */
	if (!known || macs.count > before->device_count / 4 + 1024) {
		snapshot = load_all(inventory, err);
		goto out;
	}
	snapshot = new_snapshot(before->leaf_count + 1);
	snapshot->change_number = number;
	snapshot->layers = scopes ? layers_load(inventory, err) :
				    layers_retain(before->layers);
	if (snapshot->layers == NULL ||
	    rebuild(snapshot, before, inventory, &macs, err) != 0) {
		snapshot_release(snapshot);
		snapshot = NULL;
	}
out:
	free(macs.list);
	return snapshot;
}

struct snapshot *
snapshot_refresh(struct snapshot *before, struct inventory *inventory,
    struct error *err)
{
	struct snapshot *snapshot;

	if (inventory_begin_read(inventory, err) != 0)
		return NULL;
	snapshot = refresh(before, inventory, err);
	inventory_end_read(inventory);
	return snapshot;
}

struct snapshot *
snapshot_retain(struct snapshot *snapshot)
{
	atomic_fetch_add(&snapshot->references, 1);
	return snapshot;
}

void
snapshot_release(struct snapshot *snapshot)
{
	if (snapshot == NULL || atomic_fetch_sub(&snapshot->references, 1) > 1)
		return;
	for (size_t i = 0; i < snapshot->leaf_count; i++)
		leaf_release(snapshot->leaves[i]);
	layers_release(snapshot->layers);
	free(snapshot->leaves);
	free(snapshot->firsts);
	free(snapshot);
}

uint64_t
snapshot_change_number(const struct snapshot *snapshot)
{
	return snapshot->change_number;
}

size_t
snapshot_device_count(const struct snapshot *snapshot)
{
	return snapshot->device_count;
}

/* The last leaf whose first device is not behind mac; leaf_count: none. */
static size_t
find_leaf(const struct snapshot *snapshot, const struct mac *mac)
{
	size_t low = 0, high = snapshot->leaf_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (mac_compare(&snapshot->firsts[middle], mac) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? low - 1 : snapshot->leaf_count;
}

static int
compare_mac(const void *mac, const void *device)
{
	return mac_compare(mac, &((const struct device *)device)->mac);
}

const struct device *
snapshot_find(const struct snapshot *snapshot, const struct mac *mac)
{
	size_t i = find_leaf(snapshot, mac), count;
	const struct device *devices;

	if (i == snapshot->leaf_count)
		return NULL;
	devices = leaf_devices(snapshot->leaves[i], &count);
	return bsearch(mac, devices, count, sizeof(*devices), compare_mac);
}

int
snapshot_each(const struct snapshot *snapshot, snapshot_visit *visit, void *arg)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < snapshot->leaf_count; i++) {
		size_t count;
		const struct device *list = leaf_devices(snapshot->leaves[i],
		    &count);

		for (size_t k = 0; rc == 0 && k < count; k++)
			rc = visit(&list[k], arg);
	}
	return rc;
}

/* The same piece of memory: nothing in it has changed. */
static bool
has_leaf(const struct snapshot *snapshot, const struct leaf *leaf)
{
	size_t count, i;

	i = find_leaf(snapshot, &leaf_devices(leaf, &count)->mac);
	return i < snapshot->leaf_count && snapshot->leaves[i] == leaf;
}

int
snapshot_each_removed(const struct snapshot *before,
    const struct snapshot *after, snapshot_visit *visit, void *arg)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < before->leaf_count; i++) {
		const struct device *list;
		size_t count;

		if (has_leaf(after, before->leaves[i]))
			continue;
		list = leaf_devices(before->leaves[i], &count);
		for (size_t k = 0; rc == 0 && k < count; k++)
			if (snapshot_find(after, &list[k].mac) == NULL)
				rc = visit(&list[k], arg);
	}
	return rc;
}

bool
snapshot_is_below(const struct snapshot *snapshot, const struct device *device,
    const char *group)
{
	return layers_group_is_below(snapshot->layers, device->group, group);
}

bool
snapshot_group_is_below(const struct snapshot *snapshot, const char *group,
    const char *other)
{
	return layers_group_is_below(snapshot->layers, group, other);
}

int
snapshot_each_scope(const struct snapshot *snapshot,
    snapshot_visit_scope *visit, void *arg)
{
	return layers_each(snapshot->layers, visit, arg);
}

bool
snapshot_has_group(const struct snapshot *snapshot, const char *group)
{
	return layers_group_is_below(snapshot->layers, group, group);
}

static const char *
tag_value(const struct layers *layers, const struct tags *tags,
    const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < tags->count && value == NULL; i++)
		value = layers_value(layers, SCOPE_TAG, tags->list[i], name);
	return value;
}

const char *
snapshot_variable(const struct snapshot *snapshot, const struct device *device,
    const char *model, const char *name)
{
	const struct layers *layers = snapshot->layers;
	const char *value = NULL;

	if (device != NULL) {
		model = device->model;
		value = variables_get(&device->variables, name);
		if (value == NULL)
			value = tag_value(layers, &device->tags, name);
		if (value == NULL)
			value = layers_group_value(layers, device->group, name);
	}
	if (value == NULL && model != NULL)
		value = layers_value(layers, SCOPE_MODEL, model, name);
	if (value == NULL)
		value = layers_value(layers, SCOPE_DEFAULT, "", name);
	return value;
}

bool
snapshot_is_secret(const struct snapshot *snapshot, const char *name)
{
	return layers_is_secret(snapshot->layers, name);
}
