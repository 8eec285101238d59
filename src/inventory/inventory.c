#include "inventory/inventory.h"
#include "inventory/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define ESCAPED_BYTES 96 /* of what a message quotes */

struct inventory {
	const struct inventory_store *store;
	void *state;
	bool read_only;
	bool writing;	 /* between begin and commit */
	bool reading;	 /* between begin_read and end_read */
	bool changed;	 /* something, since begin */
	bool broken;	 /* a write failed half-way: commit must not happen */
	unsigned visits; /* going on */
};

static const char *const state_names[] = {
	[DEVICE_ACTIVE] = "active",
	[DEVICE_RETIRED] = "retired",
};

const char *
device_state_name(enum device_state state)
{
	return state_names[state];
}

int
device_state_parse(const char *text, enum device_state *state,
    struct error *err)
{
	char shown[ESCAPED_BYTES];

	if (strcmp(text, state_names[DEVICE_ACTIVE]) == 0) {
		*state = DEVICE_ACTIVE;
		return 0;
	}
	if (strcmp(text, state_names[DEVICE_RETIRED]) == 0) {
		*state = DEVICE_RETIRED;
		return 0;
	}
	text_escape(text, strlen(text), shown, sizeof(shown));
	return error_set(err, ERROR_INPUT,
	    "\"%s\" is not a state: expected active or retired", shown);
}

void
device_clear(struct device *device)
{
	variables_clear(&device->variables);
	*device = (struct device) { 0 };
}

void
device_copy(struct device *to, const struct device *from)
{
	*to = *from;
	(void)variables_copy(&to->variables, &from->variables);
}

void
scope_clear(struct scope *scope)
{
	variables_clear(&scope->variables);
	*scope = (struct scope) { 0 };
}

void
scope_copy(struct scope *to, const struct scope *from)
{
	*to = *from;
	(void)variables_copy(&to->variables, &from->variables);
}

int
inventory_no_device(const struct mac *mac, struct error *err)
{
	char text[MAC_TEXT_BYTES];

	mac_format(mac, text);
	return error_set(err, ERROR_NOT_FOUND,
	    "there is no device %s in the inventory", text);
}

int
inventory_device_exists(const struct mac *mac, struct error *err)
{
	char text[MAC_TEXT_BYTES];

	mac_format(mac, text);
	return error_set(err, ERROR_INPUT,
	    "the device %s is in the inventory already", text);
}

int
inventory_no_scope(enum scope_kind kind, const char *name, struct error *err)
{
	char shown[ESCAPED_BYTES];

	text_escape(name, strlen(name), shown, sizeof(shown));
	switch (kind) {
	case SCOPE_DEFAULT:
		return error_set(err, ERROR_NOT_FOUND,
		    "there are no default variables in the inventory");
	case SCOPE_MODEL:
		return error_set(err, ERROR_NOT_FOUND,
		    "the model \"%s\" has no variables in the inventory",
		    shown);
	case SCOPE_GROUP:
		break;
	}
	return error_set(err, ERROR_NOT_FOUND,
	    "there is no group \"%s\" in the inventory", shown);
}

int
inventory_group_missing(const char *name, struct error *err)
{
	(void)inventory_no_scope(SCOPE_GROUP, name, err);
	err->kind = ERROR_INPUT;
	return -1;
}

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
	return inventory;
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
	free(inventory);
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
	inventory->changed = false;
	inventory->broken = false;
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
	inventory->writing = false;
	return inventory->store->commit(inventory->state, inventory->changed,
	    err);
}

void
inventory_rollback(struct inventory *inventory)
{
	if (!inventory->writing)
		return;
	inventory->writing = false;
	inventory->store->rollback(inventory->state);
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

/* Every write runs between these two; *own says whether the transaction is
 * only for it. */
static int
write_begin(struct inventory *inventory, bool *own, struct error *err)
{
	assert(inventory->visits == 0);
	*own = !inventory->writing;
	return *own ? inventory_begin(inventory, err) : 0;
}

static int
write_end(struct inventory *inventory, bool own, int rc, struct error *err)
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
inventory_add_device(struct inventory *inventory, const struct device *device,
    struct error *err)
{
	bool own;
	int rc;

	if (check_device(device, err) != 0 ||
	    write_begin(inventory, &own, err) != 0)
		return -1;
	rc = inventory->store->add_device(inventory->state, device, err);
	return write_end(inventory, own, rc, err);
}

int
inventory_update_device(struct inventory *inventory,
    const struct device *device, struct error *err)
{
	bool own;
	int rc;

	if (check_device(device, err) != 0 ||
	    write_begin(inventory, &own, err) != 0)
		return -1;
	rc = inventory->store->update_device(inventory->state, device, err);
	return write_end(inventory, own, rc, err);
}

int
inventory_remove_device(struct inventory *inventory, const struct mac *mac,
    struct error *err)
{
	bool own;
	int rc;

	if (write_begin(inventory, &own, err) != 0)
		return -1;
	rc = inventory->store->remove_device(inventory->state, mac, err);
	return write_end(inventory, own, rc, err);
}

int
inventory_get_device(struct inventory *inventory, const struct mac *mac,
    struct device *device, struct error *err)
{
	return inventory->store->get_device(inventory->state, mac, device, err);
}

/* All groups with their parents, by name, to look at their shape. */
struct group {
	char name[INVENTORY_NAME_MAX + 1];
	char parent[INVENTORY_NAME_MAX + 1];
};

struct groups {
	struct group *list;
	size_t count;
};

static int
compare_group(const void *name, const void *group)
{
	return strcmp(name, ((const struct group *)group)->name);
}

static const struct group *
find_group(const struct groups *groups, const char *name)
{
	if (groups->count == 0)
		return NULL;
	return bsearch(name, groups->list, groups->count, sizeof(*groups->list),
	    compare_group);
}

static int
collect_group(const struct scope *scope, void *arg)
{
	struct groups *groups = arg;
	struct group *group;

	if (scope->kind != SCOPE_GROUP)
		return 0;
	groups->list = xrealloc(groups->list,
	    (groups->count + 1) * sizeof(*groups->list));
	group = &groups->list[groups->count++];
	memcpy(group->name, scope->name, sizeof(group->name));
	memcpy(group->parent, scope->parent, sizeof(group->parent));
	return 0;
}

/* Would the groups still be trees of a bounded depth with this scope? */
static int
check_chains(const struct groups *groups, const struct scope *scope,
    struct error *err)
{
	const struct group *group = find_group(groups, scope->parent);
	size_t above = 0; /* groups over scope */

	for (; group != NULL; group = find_group(groups, group->parent)) {
		if (strcmp(group->name, scope->name) == 0)
			return error_set(err, ERROR_INPUT,
			    "the group \"%s\" cannot have the parent \"%s\": "
			    "that one is below it",
			    scope->name, scope->parent);
		if (++above >= INVENTORY_GROUP_DEPTH_MAX)
			break;
	}
	for (size_t i = 0; i < groups->count; i++) {
		size_t below = 0; /* groups from scope down to this one */

		group = &groups->list[i];
		while (group != NULL && strcmp(group->name, scope->name) != 0 &&
		    below <= INVENTORY_GROUP_DEPTH_MAX) {
			below++;
			group = find_group(groups, group->parent);
		}
		if (group == NULL)
			below = 0; /* it is elsewhere */
		if (above + 1 + below > INVENTORY_GROUP_DEPTH_MAX)
			return error_set(err, ERROR_INPUT,
			    "the group \"%s\" cannot have the parent \"%s\": "
			    "more than %d groups would be below each other",
			    scope->name, scope->parent,
			    INVENTORY_GROUP_DEPTH_MAX);
	}
	return 0;
}

static int
check_parent(struct inventory *inventory, const struct scope *scope,
    struct error *err)
{
	struct groups groups = { 0 };
	int rc = -1;

	if (strcmp(scope->name, scope->parent) == 0)
		return error_set(err, ERROR_INPUT,
		    "the group \"%s\" cannot be its own parent", scope->name);
	if (inventory_each_scope(inventory, collect_group, &groups, err) != 0)
		goto out;
	if (find_group(&groups, scope->parent) == NULL) {
		(void)inventory_group_missing(scope->parent, err);
		goto out;
	}
	rc = check_chains(&groups, scope, err);
out:
	free(groups.list);
	return rc;
}

static int
check_scope(const struct scope *scope, struct error *err)
{
	static const char *const what[] = { "name of the defaults", "model",
		"group" };

	if (scope->kind == SCOPE_DEFAULT && scope->name[0] != '\0')
		return error_set(err, ERROR_INPUT,
		    "the defaults have no name, \"%s\" was given", scope->name);
	if (scope->kind != SCOPE_GROUP && scope->parent[0] != '\0')
		return error_set(err, ERROR_INPUT,
		    "only groups have parents, \"%s\" was given",
		    scope->parent);
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
	bool own;
	int rc = 0;

	if (check_scope(scope, err) != 0 ||
	    write_begin(inventory, &own, err) != 0)
		return -1;
	if (scope->parent[0] != '\0')
		rc = check_parent(inventory, scope, err);
	if (rc == 0)
		rc = inventory->store->put_scope(inventory->state, scope, err);
	return write_end(inventory, own, rc, err);
}

int
inventory_get_scope(struct inventory *inventory, enum scope_kind kind,
    const char *name, struct scope *scope, struct error *err)
{
	return inventory->store->get_scope(inventory->state, kind, name, scope,
	    err);
}

int
inventory_each_device(struct inventory *inventory,
    inventory_visit_device *visit, void *arg, struct error *err)
{
	int rc;

	inventory->visits++;
	rc = inventory->store->each_device(inventory->state, visit, arg, err);
	inventory->visits--;
	return rc;
}

int
inventory_each_scope(struct inventory *inventory, inventory_visit_scope *visit,
    void *arg, struct error *err)
{
	int rc;

	inventory->visits++;
	rc = inventory->store->each_scope(inventory->state, visit, arg, err);
	inventory->visits--;
	return rc;
}
