#include "inventory/inventory.h"
#include "inventory/changes.h"
#include "inventory/internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "pki/seal.h"

#define ESCAPED_BYTES 96 /* of what a message quotes */

struct inventory *
inventory_open(const char *uri, bool read_only, struct error *err)
{
	static const char sqlite[] = "sqlite:";
	const struct inventory_store *store = &inventory_memory;
	struct inventory *inventory;
	const char *path = NULL;
	void *state;

	if (text_starts(uri, sqlite))
		path = uri + strlen(sqlite);
	if (strcmp(uri, "memory:") == 0) {
		state = inventory_memory_open();
	} else if (path != NULL && *path != '\0' && *path != ':') {
		store = &inventory_sqlite;
		state = inventory_sqlite_open(path, read_only, err);
	} else {
		(void)error_set(err, ERROR_INPUT,
		    "\"%.200s\" is not an inventory: expected sqlite:PATH or "
		    "memory:",
		    uri);
		return NULL;
	}
	if (state == NULL)
		return NULL;
	inventory = xcalloc(1, sizeof(*inventory));
	inventory->store = store;
	inventory->state = state;
	inventory->read_only = read_only;
	if (store->get_key_id(state, inventory->key_id, err) == 0)
		return inventory;
	inventory_close(inventory);
	return NULL;
}

const struct inventory_store *
inventory_behind(const struct inventory *inventory, void **state, bool *writing)
{
	*state = inventory->state;
	*writing = inventory->writing;
	return inventory->store;
}

void
inventory_close(struct inventory *inventory)
{
	if (inventory == NULL)
		return;
	inventory_rollback(inventory);
	inventory->store->close(inventory->state);
	types_clear(&inventory->types);
	seal_key_release(inventory->key);
	changes_free(inventory->changes);
	free(inventory);
}

void
inventory_use_audit(struct inventory *inventory, const char *audit_path,
    const struct audit_act *act, time_t at)
{
	changes_free(inventory->changes);
	inventory->changes = changes_new(audit_path, act, at);
}

int
inventory_change_number(struct inventory *inventory, uint64_t *number,
    struct error *err)
{
	return inventory->store->change_number(inventory->state, number, err);
}

int
inventory_begin(struct inventory *inventory, struct error *err)
{
	assert(!inventory->writing && !inventory->reading);
	if (inventory->read_only)
		return error_set(err, ERROR_DENIED,
		    "the inventory is open for reading only");
	if (inventory->store->begin(inventory->state, true, err) != 0)
		return -1;
	inventory->writing = true;
	inventory->types_known = false;
	inventory->changed = false;
	inventory->broken = false;
	if (inventory->changes != NULL)
		changes_begin(inventory->changes);
	return 0;
}

int
inventory_commit(struct inventory *inventory, struct error *err)
{
	assert(inventory->writing && inventory->visits == 0);
	if (inventory->broken) {
		inventory_rollback(inventory);
		return error_set(err, ERROR_SYSTEM,
		    "a change failed half-way: nothing was changed");
	}
	/* First the entry: should we end in between, it says too much rather
	 * than too little. */
	if (changes_write(inventory->changes, inventory->changed, err) != 0) {
		inventory_rollback(inventory);
		return -1;
	}
	inventory->writing = false;
	if (inventory->store->commit(inventory->state, inventory->changed,
		err) == 0)
		return 0;
	changes_undo(inventory->changes);
	return -1;
}

void
inventory_rollback(struct inventory *inventory)
{
	struct error ignored;

	if (!inventory->writing)
		return;
	inventory->writing = false;
	inventory->types_known = false;
	inventory->store->rollback(inventory->state);
	(void)inventory->store->get_key_id(inventory->state, inventory->key_id,
	    &ignored);
}

int
inventory_begin_read(struct inventory *inventory, struct error *err)
{
	assert(!inventory->reading);
	/* A transaction that writes sees one moment anyway. */
	if (inventory->writing)
		return 0;
	if (inventory->store->begin(inventory->state, false, err) != 0)
		return -1;
	inventory->reading = true;
	inventory->types_known = false;
	return 0;
}

void
inventory_end_read(struct inventory *inventory)
{
	if (!inventory->reading)
		return;
	inventory->reading = false;
	inventory->store->rollback(inventory->state);
}

int
inventory_write_begin(struct inventory *inventory, bool *own, struct error *err)
{
	assert(inventory->visits == 0);
	*own = !inventory->writing;
	return *own ? inventory_begin(inventory, err) : 0;
}

int
inventory_write_end(struct inventory *inventory, bool own, int rc,
    struct error *err)
{
	if (rc == 0)
		inventory->changed = true;
	else if (err->kind == ERROR_SYSTEM)
		inventory->broken = true;
	if (!own)
		return rc;
	if (rc == 0)
		return inventory_commit(inventory, err);
	inventory_rollback(inventory);
	return -1;
}

/* size is that of the field: a text without NUL in it is our own bug. */
static int
check_field(const char *what, const char *text, size_t size, bool required,
    struct error *err)
{
	size_t len = strnlen(text, size);
	const char *fault;
	char shown[ESCAPED_BYTES];

	assert(len < size);
	if (len == 0 && required)
		return error_set(err, ERROR_INPUT, "the %s is empty", what);
	fault = inventory_text_fault(text, len);
	if (fault == NULL && (strpbrk(text, "\t\n") != NULL))
		fault = "a control character";
	if (fault == NULL && len > 0 &&
	    (text[0] == ' ' || text[len - 1] == ' '))
		fault = "a blank at its start or end";
	if (fault == NULL)
		return 0;
	text_escape(text, len, shown, sizeof(shown));
	return error_set(err, ERROR_INPUT, "the %s \"%s\" holds %s", what,
	    shown, fault);
}

static int
check_device(const struct device *device, struct error *err)
{
	if (check_field("model", device->model, sizeof(device->model), true,
		err) != 0 ||
	    check_field("firmware", device->firmware, sizeof(device->firmware),
		false, err) != 0 ||
	    check_field("serial number", device->serial, sizeof(device->serial),
		false, err) != 0 ||
	    check_field("group", device->group, sizeof(device->group), false,
		err) != 0)
		return -1;
	return 0;
}

int
inventory_check_device(struct inventory *inventory, const struct device *device,
    struct error *err)
{
	char owner[OWNER_TEXT_BYTES];
	struct variables copy = { 0 };
	const struct variables *kept;
	int rc;

	if (check_device(device, err) != 0 ||
	    inventory_check_types(inventory, &device->variables, err) != 0)
		return -1;
	inventory_device_owner(&device->mac, owner);
	rc = inventory_protect(inventory, owner, &device->variables, &copy,
	    &kept, err);
	variables_clear(&copy);
	return rc;
}

typedef int
store_device(void *state, const struct device *device, struct error *err);

/* What is there before a change, if that is to be shown; else all zeros. */
static bool
get_before(struct inventory *inventory, const struct mac *mac,
    struct device *before)
{
	struct error ignored;

	*before = (struct device) { .state = DEVICE_ACTIVE };
	return changes_is_shown(inventory->changes) &&
	    inventory_get_device(inventory, mac, before, &ignored) == 0;
}

/* Check, seal and hand a device to the store. */
static int
put_device(struct inventory *inventory, store_device *put,
    const struct device *device, struct error *err)
{
	bool added = put == inventory->store->add_device, known;
	struct device before;
	struct device view = *device; /* with other variables, not cleared */
	struct variables copy = { 0 };
	const struct variables *kept;
	char owner[OWNER_TEXT_BYTES];
	bool own;
	int rc;

	if (check_device(device, err) != 0 ||
	    inventory_write_begin(inventory, &own, err) != 0)
		return -1;
	inventory_device_owner(&device->mac, owner);
	known = !added && get_before(inventory, &device->mac, &before);
	rc = inventory_check_types(inventory, &device->variables, err);
	if (rc == 0)
		rc = inventory_protect(inventory, owner, &device->variables,
		    &copy, &kept, err);
	if (rc == 0) {
		view.variables = *kept;
		rc = put(inventory->state, &view, err);
	}
	if (rc == 0)
		changes_device(inventory->changes, known ? &before : NULL,
		    device, added);
	if (known)
		device_clear(&before);
	variables_clear(&copy);
	return inventory_write_end(inventory, own, rc, err);
}

int
inventory_add_device(struct inventory *inventory, const struct device *device,
    struct error *err)
{
	return put_device(inventory, inventory->store->add_device, device, err);
}

int
inventory_update_device(struct inventory *inventory,
    const struct device *device, struct error *err)
{
	return put_device(inventory, inventory->store->update_device, device,
	    err);
}

int
inventory_remove_device(struct inventory *inventory, const struct mac *mac,
    struct error *err)
{
	bool own;
	int rc;

	if (inventory_write_begin(inventory, &own, err) != 0)
		return -1;
	rc = inventory->store->remove_device(inventory->state, mac, err);
	if (rc == 0)
		changes_removed(inventory->changes, mac);
	return inventory_write_end(inventory, own, rc, err);
}

int
inventory_get_device(struct inventory *inventory, const struct mac *mac,
    struct device *device, struct error *err)
{
	struct device found;
	char owner[OWNER_TEXT_BYTES];

	if (inventory->store->get_device(inventory->state, mac, &found, err) !=
	    0)
		return -1;
	inventory_device_owner(mac, owner);
	if (inventory_reveal(inventory, owner, &found.variables, err) != 0) {
		device_clear(&found);
		return -1;
	}
	*device = found;
	return 0;
}

static int
check_scope(const struct scope *scope, struct error *err)
{
	static const char *const what[] = { "name of the defaults", "model",
		"group", "tag" };

	if (scope->kind == SCOPE_DEFAULT && scope->name[0] != '\0')
		return error_set(err, ERROR_INPUT,
		    "the defaults have no name, \"%s\" was given", scope->name);
	if (scope->kind != SCOPE_GROUP && scope->parent[0] != '\0')
		return error_set(err, ERROR_INPUT,
		    "only groups have parents, \"%s\" was given",
		    scope->parent);
	if (scope->kind != SCOPE_GROUP && scope->group_kind != GROUP_PLAIN)
		return error_set(err, ERROR_INPUT,
		    "only groups can be a %s, \"%s\" is none",
		    group_kind_name(scope->group_kind), scope->name);
	if (scope->kind == SCOPE_TAG && tags_check_name(scope->name, err) != 0)
		return -1;
	if (check_field(what[scope->kind], scope->name, sizeof(scope->name),
		scope->kind != SCOPE_DEFAULT, err) != 0)
		return -1;
	return check_field("parent", scope->parent, sizeof(scope->parent),
	    false, err);
}

int
inventory_put_scope(struct inventory *inventory, const struct scope *scope,
    struct error *err)
{
	struct scope view = *scope; /* with other variables, not cleared */
	struct variables copy = { 0 };
	const struct variables *kept;
	char owner[OWNER_TEXT_BYTES];
	struct scope before;
	struct error ignored;
	bool own, known;
	int rc = 0;

	if (check_scope(scope, err) != 0 ||
	    inventory_write_begin(inventory, &own, err) != 0)
		return -1;
	inventory_scope_owner(scope->kind, scope->name, owner);
	known = inventory->changes != NULL &&
	    inventory_get_scope(inventory, scope->kind, scope->name, &before,
		&ignored) == 0;
	if (scope->kind == SCOPE_GROUP)
		rc = inventory_check_parent(inventory, scope, err);
	if (rc == 0)
		rc = inventory_check_types(inventory, &scope->variables, err);
	if (rc == 0)
		rc = inventory_protect(inventory, owner, &scope->variables,
		    &copy, &kept, err);
	if (rc == 0) {
		view.variables = *kept;
		rc = inventory->store->put_scope(inventory->state, &view, err);
	}
	if (rc == 0)
		changes_scope(inventory->changes, known ? &before : NULL,
		    scope);
	if (known)
		scope_clear(&before);
	variables_clear(&copy);
	return inventory_write_end(inventory, own, rc, err);
}

int
inventory_get_scope(struct inventory *inventory, enum scope_kind kind,
    const char *name, struct scope *scope, struct error *err)
{
	struct scope found;
	char owner[OWNER_TEXT_BYTES];

	if (inventory->store->get_scope(inventory->state, kind, name, &found,
		err) != 0)
		return -1;
	inventory_scope_owner(kind, name, owner);
	if (inventory_reveal(inventory, owner, &found.variables, err) != 0) {
		scope_clear(&found);
		return -1;
	}
	*scope = found;
	return 0;
}
