/*
 * The store that lives and ends with the process: for tests, and for trying
 * changes out.  Two hash tables; a list of what was replaced undoes a
 * transaction.
 */
#include "inventory/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "inventory/kinds.h"

#define uthash_malloc(size) xmalloc(size)
#include <uthash.h>

/* The kind as a letter and the name: the key under which a scope is kept. */
struct scope_key {
	char text[1 + INVENTORY_NAME_MAX + 1];
};

struct device_entry {
	struct device device; /* keyed by its mac */
	UT_hash_handle hh;
};

struct scope_entry {
	struct scope_key key;
	struct scope scope;
	UT_hash_handle hh;
};

/* One change: what was there and what is there now; NULL when nothing. */
struct change {
	struct device_entry *old_device, *new_device;
	struct scope_entry *old_scope, *new_scope;
};

struct memory {
	struct device_entry *devices;
	struct scope_entry *scopes;
	bool devices_sorted, scopes_sorted;
	bool writing;			  /* in a transaction that may */
	struct types types, types_before; /* before: the transaction */
	char key_id[INVENTORY_KEY_ID_BYTES];
	char key_id_before[INVENTORY_KEY_ID_BYTES];
	uint64_t change_number;
	struct change *changes; /* of the transaction, in order */
	size_t change_count, change_room;
};

static struct scope_key
scope_key(enum scope_kind kind, const char *name)
{
	struct scope_key key = { { 0 } };

	key.text[0] = (char)('0' + (int)kind);
	memcpy(key.text + 1, name, strnlen(name, INVENTORY_NAME_MAX));
	return key;
}

static struct device_entry *
find_device(const struct memory *memory, const struct mac *mac)
{
	struct device_entry *entry = NULL;

	HASH_FIND(hh, memory->devices, mac, sizeof(*mac), entry);
	return entry;
}

static struct scope_entry *
find_scope(const struct memory *memory, enum scope_kind kind, const char *name)
{
	struct scope_key key = scope_key(kind, name);
	struct scope_entry *entry = NULL;

	if (strlen(name) > INVENTORY_NAME_MAX)
		return NULL; /* the key holds only the first part of it */
	HASH_FIND(hh, memory->scopes, &key, sizeof(key), entry);
	return entry;
}

static void
link_device(struct memory *memory, struct device_entry *entry)
{
	HASH_ADD(hh, memory->devices, device.mac, sizeof(struct mac), entry);
	memory->devices_sorted = false;
}

static void
link_scope(struct memory *memory, struct scope_entry *entry)
{
	HASH_ADD(hh, memory->scopes, key, sizeof(struct scope_key), entry);
	memory->scopes_sorted = false;
}

static void
unlink_device(struct memory *memory, struct device_entry *entry)
{
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): of uthash */
	HASH_DELETE(hh, memory->devices, entry);
}

static void
unlink_scope(struct memory *memory, struct scope_entry *entry)
{
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): of uthash */
	HASH_DELETE(hh, memory->scopes, entry);
}

static void
free_device(struct device_entry *entry)
{
	if (entry != NULL)
		device_clear(&entry->device);
	free(entry);
}

static void
free_scope(struct scope_entry *entry)
{
	if (entry != NULL)
		scope_clear(&entry->scope);
	free(entry);
}

static struct change *
add_change(struct memory *memory)
{
	struct change *change;

	if (memory->change_count == memory->change_room) {
		memory->change_room = memory->change_room * 2 + 16;
		memory->changes = xrealloc(memory->changes,
		    memory->change_room * sizeof(*memory->changes));
	}
	change = &memory->changes[memory->change_count++];
	*change = (struct change) { 0 };
	return change;
}

/* Either of old and device may be NULL. */
static void
change_device(struct memory *memory, struct device_entry *old,
    const struct device *device)
{
	struct change *change = add_change(memory);

	if (old != NULL)
		unlink_device(memory, old);
	change->old_device = old;
	if (device == NULL)
		return;
	change->new_device = xcalloc(1, sizeof(*change->new_device));
	device_copy(&change->new_device->device, device);
	link_device(memory, change->new_device);
}

static void
end_transaction(struct memory *memory)
{
	free(memory->changes);
	memory->changes = NULL;
	memory->change_count = memory->change_room = 0;
}

static int
memory_change_number(void *state, uint64_t *number, struct error *err)
{
	const struct memory *memory = state;

	(void)err;
	*number = memory->change_number;
	return 0;
}

static int
memory_begin(void *state, bool writing, struct error *err)
{
	struct memory *memory = state;

	(void)err;
	memory->writing = writing;
	if (writing) {
		types_clear(&memory->types_before);
		types_copy(&memory->types_before, &memory->types);
		memcpy(memory->key_id_before, memory->key_id,
		    sizeof(memory->key_id));
	}
	return 0;
}

static int
memory_commit(void *state, bool changed, struct error *err)
{
	struct memory *memory = state;

	(void)err;
	for (size_t i = 0; i < memory->change_count; i++) {
		free_device(memory->changes[i].old_device);
		free_scope(memory->changes[i].old_scope);
	}
	end_transaction(memory);
	memory->writing = false;
	if (changed)
		memory->change_number++;
	return 0;
}

static void
memory_rollback(void *state)
{
	struct memory *memory = state;

	if (!memory->writing)
		return;
	memory->writing = false;
	for (size_t i = memory->change_count; i-- > 0;) {
		struct change *change = &memory->changes[i];

		if (change->new_device != NULL)
			unlink_device(memory, change->new_device);
		free_device(change->new_device);
		if (change->old_device != NULL)
			link_device(memory, change->old_device);
		if (change->new_scope != NULL)
			unlink_scope(memory, change->new_scope);
		free_scope(change->new_scope);
		if (change->old_scope != NULL)
			link_scope(memory, change->old_scope);
	}
	end_transaction(memory);
	types_clear(&memory->types);
	types_copy(&memory->types, &memory->types_before);
	memcpy(memory->key_id, memory->key_id_before, sizeof(memory->key_id));
}

static int
check_group(const struct memory *memory, const char *name, struct error *err)
{
	if (*name == '\0' || find_scope(memory, SCOPE_GROUP, name) != NULL)
		return 0;
	return inventory_group_missing(name, err);
}

static int
memory_add_device(void *state, const struct device *device, struct error *err)
{
	struct memory *memory = state;

	if (find_device(memory, &device->mac) != NULL)
		return inventory_device_exists(&device->mac, err);
	if (check_group(memory, device->group, err) != 0)
		return -1;
	change_device(memory, NULL, device);
	return 0;
}

static int
memory_update_device(void *state, const struct device *device,
    struct error *err)
{
	struct memory *memory = state;
	struct device_entry *old = find_device(memory, &device->mac);

	if (old == NULL)
		return inventory_no_device(&device->mac, err);
	if (check_group(memory, device->group, err) != 0)
		return -1;
	change_device(memory, old, device);
	return 0;
}

static int
memory_remove_device(void *state, const struct mac *mac, struct error *err)
{
	struct memory *memory = state;
	struct device_entry *old = find_device(memory, mac);

	if (old == NULL)
		return inventory_no_device(mac, err);
	change_device(memory, old, NULL);
	return 0;
}

static int
memory_get_device(void *state, const struct mac *mac, struct device *device,
    struct error *err)
{
	const struct device_entry *entry = find_device(state, mac);

	if (entry == NULL)
		return inventory_no_device(mac, err);
	device_copy(device, &entry->device);
	return 0;
}

static int
memory_put_scope(void *state, const struct scope *scope, struct error *err)
{
	struct memory *memory = state;
	struct scope_entry *old = find_scope(memory, scope->kind, scope->name);
	struct change *change;

	if (check_group(memory, scope->parent, err) != 0)
		return -1;
	change = add_change(memory);
	if (old != NULL)
		unlink_scope(memory, old);
	change->old_scope = old;
	change->new_scope = xcalloc(1, sizeof(*change->new_scope));
	change->new_scope->key = scope_key(scope->kind, scope->name);
	scope_copy(&change->new_scope->scope, scope);
	link_scope(memory, change->new_scope);
	return 0;
}

static int
memory_get_scope(void *state, enum scope_kind kind, const char *name,
    struct scope *scope, struct error *err)
{
	const struct scope_entry *entry = find_scope(state, kind, name);

	if (entry == NULL)
		return inventory_no_scope(kind, name, err);
	scope_copy(scope, &entry->scope);
	return 0;
}

static int
memory_remove_scope(void *state, enum scope_kind kind, const char *name,
    struct error *err)
{
	struct memory *memory = state;
	struct scope_entry *old = find_scope(memory, kind, name);

	if (old == NULL)
		return inventory_no_scope(kind, name, err);
	add_change(memory)->old_scope = old;
	unlink_scope(memory, old);
	return 0;
}

static int
memory_put_type(void *state, const char *name, const char *text,
    struct error *err)
{
	struct memory *memory = state;
	struct types old = memory->types, fresh = { 0 };
	bool found = types_find(&old, name) != NULL;
	struct type type;
	size_t i = 0;

	if (text == NULL && !found)
		return inventory_no_type(name, err);
	if (text != NULL && type_parse(&type, text, err) != 0)
		return -1;
	for (; i < old.count && strcmp(old.list[i].name, name) < 0; i++)
		types_append(&fresh, old.list[i].name, &old.list[i].type);
	if (text != NULL)
		types_append(&fresh, name, &type);
	for (i += found; i < old.count; i++)
		types_append(&fresh, old.list[i].name, &old.list[i].type);
	types_clear(&memory->types);
	memory->types = fresh;
	return 0;
}

static int
memory_each_type(void *state, inventory_visit_type *visit, void *arg,
    struct error *err)
{
	const struct memory *memory = state;
	int rc = 0;

	(void)err;
	for (size_t i = 0; i < memory->types.count && rc == 0; i++)
		rc = visit(memory->types.list[i].name,
		    memory->types.list[i].type.text, arg);
	return rc;
}

static int
memory_get_key_id(void *state, char id[static INVENTORY_KEY_ID_BYTES],
    struct error *err)
{
	const struct memory *memory = state;

	(void)err;
	memcpy(id, memory->key_id, INVENTORY_KEY_ID_BYTES);
	return 0;
}

static int
memory_set_key_id(void *state, const char *id, struct error *err)
{
	struct memory *memory = state;

	(void)err;
	memcpy(memory->key_id, id, strlen(id) + 1);
	return 0;
}

/* There are no files. */
static int
memory_scrub(void *state, struct error *err)
{
	(void)state;
	(void)err;
	return 0;
}

/* No log is kept. */
static int
memory_each_changed(void *state, uint64_t since, inventory_visit_changed *visit,
    void *arg, bool *known, bool *scopes, struct error *err)
{
	const struct memory *memory = state;

	(void)visit;
	(void)arg;
	(void)err;
	*known = since == memory->change_number;
	*scopes = false;
	return 0;
}

static int
compare_devices(const struct device_entry *a, const struct device_entry *b)
{
	return mac_compare(&a->device.mac, &b->device.mac);
}

static int
compare_scopes(const struct scope_entry *a, const struct scope_entry *b)
{
	return strcmp(a->key.text, b->key.text);
}

static int
memory_each_device(void *state, inventory_visit_device *visit, void *arg,
    struct error *err)
{
	struct memory *memory = state;
	struct device_entry *entry;
	struct device device; /* the visitor may change it */
	int rc = 0;

	(void)err;
	if (!memory->devices_sorted)
		HASH_SRT(hh, memory->devices, compare_devices);
	memory->devices_sorted = true;
	for (entry = memory->devices; entry != NULL && rc == 0;
	     entry = entry->hh.next) {
		device_copy(&device, &entry->device);
		rc = visit(&device, arg);
		device_clear(&device);
	}
	return rc;
}

static int
memory_each_kind(void *state, inventory_visit_kind *visit, void *arg,
    struct error *err)
{
	const struct memory *memory = state;
	struct kinds *kinds = kinds_new();
	int rc;

	(void)err;
	for (const struct device_entry *entry = memory->devices; entry != NULL;
	     entry = entry->hh.next)
		kinds_add(kinds, entry->device.model, entry->device.firmware,
		    entry->device.state, 1);
	rc = kinds_each(kinds, visit, arg);
	kinds_free(kinds);
	return rc;
}

static int
memory_each_scope(void *state, inventory_visit_scope *visit, void *arg,
    struct error *err)
{
	struct memory *memory = state;
	struct scope_entry *entry;
	struct scope scope;
	int rc = 0;

	(void)err;
	if (!memory->scopes_sorted)
		HASH_SRT(hh, memory->scopes, compare_scopes);
	memory->scopes_sorted = true;
	for (entry = memory->scopes; entry != NULL && rc == 0;
	     entry = entry->hh.next) {
		scope_copy(&scope, &entry->scope);
		rc = visit(&scope, arg);
		scope_clear(&scope);
	}
	return rc;
}

static void
memory_close(void *state)
{
	struct memory *memory = state;
	struct device_entry *device, *next_device;
	struct scope_entry *scope, *next_scope;

	HASH_ITER (hh, memory->devices, device, next_device) {
		unlink_device(memory, device);
		free_device(device);
	}
	HASH_ITER (hh, memory->scopes, scope, next_scope) {
		unlink_scope(memory, scope);
		free_scope(scope);
	}
	types_clear(&memory->types);
	types_clear(&memory->types_before);
	free(memory);
}

void *
inventory_memory_open(void)
{
	struct memory *memory = xcalloc(1, sizeof(*memory));

	memory->change_number = 1;
	return memory;
}

const struct inventory_store inventory_memory = {
	.close = memory_close,
	.change_number = memory_change_number,
	.begin = memory_begin,
	.commit = memory_commit,
	.rollback = memory_rollback,
	.add_device = memory_add_device,
	.update_device = memory_update_device,
	.remove_device = memory_remove_device,
	.get_device = memory_get_device,
	.put_scope = memory_put_scope,
	.get_scope = memory_get_scope,
	.remove_scope = memory_remove_scope,
	.put_type = memory_put_type,
	.each_type = memory_each_type,
	.get_key_id = memory_get_key_id,
	.set_key_id = memory_set_key_id,
	.scrub = memory_scrub,
	.each_changed = memory_each_changed,
	.each_device = memory_each_device,
	.each_kind = memory_each_kind,
	.each_scope = memory_each_scope,
};
