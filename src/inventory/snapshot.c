#include "inventory/snapshot.h"
#include "inventory/store.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct snapshot {
	atomic_size_t references;
	uint64_t change_number;
	struct device *devices; /* by MAC; variables are one block each */
	size_t device_count, device_room;
	struct scope *scopes; /* by kind and name */
	size_t scope_count;
};

/*
 * One block holds the list and all its strings: a fleet has many devices with
 * a few short variables each, and an allocation costs more than such a text.
 */
static struct variable *
pack_variables(const struct variables *from)
{
	size_t size = from->count * sizeof(struct variable);
	struct variable *list;
	char *text;

	if (from->count == 0)
		return NULL;
	for (size_t i = 0; i < from->count; i++)
		size += strlen(from->list[i].name) + 1 +
		    strlen(from->list[i].value) + 1;
	list = xmalloc(size);
	text = (char *)(list + from->count);
	for (size_t i = 0; i < from->count; i++) {
		list[i].name = text;
		text = stpcpy(text, from->list[i].name) + 1;
		list[i].value = text;
		text = stpcpy(text, from->list[i].value) + 1;
	}
	return list;
}

static int
add_device(const struct device *device, void *arg)
{
	struct snapshot *snapshot = arg;
	struct device *copy;

	if (snapshot->device_count == snapshot->device_room) {
		snapshot->device_room += snapshot->device_room / 2 + 64;
		snapshot->devices = xrealloc(snapshot->devices,
		    snapshot->device_room * sizeof(*snapshot->devices));
	}
	copy = &snapshot->devices[snapshot->device_count++];
	*copy = *device;
	copy->variables.list = pack_variables(&device->variables);
	return 0;
}

static int
add_scope(const struct scope *scope, void *arg)
{
	struct snapshot *snapshot = arg;
	struct scope *copy;

	snapshot->scopes = xrealloc(snapshot->scopes,
	    (snapshot->scope_count + 1) * sizeof(*snapshot->scopes));
	copy = &snapshot->scopes[snapshot->scope_count++];
	*copy = *scope;
	copy->variables.list = pack_variables(&scope->variables);
	return 0;
}

static int
load_all(struct snapshot *snapshot, struct inventory *inventory,
    struct error *err)
{
	if (inventory_change_number(inventory, &snapshot->change_number, err) !=
		0 ||
	    inventory_each_scope(inventory, add_scope, snapshot, err) != 0 ||
	    inventory_each_device(inventory, add_device, snapshot, err) != 0)
		return -1;
	if (snapshot->device_count > 0)
		snapshot->devices = xrealloc(snapshot->devices,
		    snapshot->device_count * sizeof(*snapshot->devices));
	return 0;
}

struct snapshot *
snapshot_load(struct inventory *inventory, struct error *err)
{
	struct snapshot *snapshot = xcalloc(1, sizeof(*snapshot));
	int rc;

	atomic_init(&snapshot->references, 1);
	rc = inventory_begin_read(inventory, err);
	if (rc == 0) {
		rc = load_all(snapshot, inventory, err);
		inventory_end_read(inventory);
	}
	if (rc == 0)
		return snapshot;
	snapshot_release(snapshot);
	return NULL;
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
	for (size_t i = 0; i < snapshot->device_count; i++)
		free(snapshot->devices[i].variables.list);
	for (size_t i = 0; i < snapshot->scope_count; i++)
		free(snapshot->scopes[i].variables.list);
	free(snapshot->devices);
	free(snapshot->scopes);
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

static int
compare_mac(const void *mac, const void *device)
{
	return mac_compare(mac, &((const struct device *)device)->mac);
}

const struct device *
snapshot_find(const struct snapshot *snapshot, const struct mac *mac)
{
	if (snapshot->device_count == 0)
		return NULL;
	return bsearch(mac, snapshot->devices, snapshot->device_count,
	    sizeof(*snapshot->devices), compare_mac);
}

struct scope_name {
	enum scope_kind kind;
	const char *name;
};

static int
compare_scope(const void *wanted, const void *scope)
{
	const struct scope_name *a = wanted;
	const struct scope *b = scope;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return strcmp(a->name, b->name);
}

static const struct scope *
find_scope(const struct snapshot *snapshot, enum scope_kind kind,
    const char *name)
{
	const struct scope_name wanted = { kind, name };

	if (snapshot->scope_count == 0)
		return NULL;
	return bsearch(&wanted, snapshot->scopes, snapshot->scope_count,
	    sizeof(*snapshot->scopes), compare_scope);
}

static const char *
scope_value(const struct snapshot *snapshot, enum scope_kind kind,
    const char *scope_name, const char *name)
{
	const struct scope *scope = find_scope(snapshot, kind, scope_name);

	return scope != NULL ? variables_get(&scope->variables, name) : NULL;
}

static const char *
group_value(const struct snapshot *snapshot, const char *group,
    const char *name)
{
	/* The bound is for a store that another program wrote a circle to. */
	for (int depth = 0; depth < INVENTORY_GROUP_DEPTH_MAX; depth++) {
		const struct scope *scope;
		const char *value;

		if (*group == '\0' ||
		    (scope = find_scope(snapshot, SCOPE_GROUP, group)) == NULL)
			return NULL;
		value = variables_get(&scope->variables, name);
		if (value != NULL)
			return value;
		group = scope->parent;
	}
	return NULL;
}

const char *
snapshot_variable(const struct snapshot *snapshot, const struct device *device,
    const char *model, const char *name)
{
	const char *value = NULL;

	if (device != NULL) {
		model = device->model;
		value = variables_get(&device->variables, name);
		if (value == NULL)
			value = group_value(snapshot, device->group, name);
	}
	if (value == NULL && model != NULL)
		value = scope_value(snapshot, SCOPE_MODEL, model, name);
	if (value == NULL)
		value = scope_value(snapshot, SCOPE_DEFAULT, "", name);
	return value;
}
