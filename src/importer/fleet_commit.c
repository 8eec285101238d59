#include "importer/fleet.h"

#include <stdio.h>
#include <string.h>

/* On top of what is there: a device keeps what was not found. */
static int
merge_variables(struct variables *into, const struct variables *from,
    struct error *err)
{
	for (size_t i = 0; i < from->count; i++)
		if (variables_set(into, from->list[i].name, from->list[i].value,
			err) != 0)
			return -1;
	return 0;
}

static bool
same_variables(const struct variables *a, const struct variables *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->list[i].name, b->list[i].name) != 0 ||
		    strcmp(a->list[i].value, b->list[i].value) != 0)
			return false;
	return true;
}

static bool
same_tags(const struct tags *a, const struct tags *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->list[i], b->list[i]) != 0)
			return false;
	return true;
}

static void
take_field(char field[static INVENTORY_NAME_MAX + 1],
    const char found[static INVENTORY_NAME_MAX + 1])
{
	if (*found != '\0')
		memcpy(field, found, INVENTORY_NAME_MAX + 1);
}

static int
update_device(struct inventory *inventory, const struct device *found,
    struct device *there, struct fleet_counts *counts, struct error *err)
{
	struct device before;
	int rc = -1;

	device_copy(&before, there);
	take_field(there->model, found->model);
	take_field(there->firmware, found->firmware);
	take_field(there->serial, found->serial);
	take_field(there->group, found->group);
	if (found->tags.count > 0) {
		tags_clear(&there->tags);
		tags_copy(&there->tags, &found->tags);
	}
	there->state = found->state;
	if (merge_variables(&there->variables, &found->variables, err) != 0)
		goto out;
	if (strcmp(before.model, there->model) == 0 &&
	    strcmp(before.firmware, there->firmware) == 0 &&
	    strcmp(before.serial, there->serial) == 0 &&
	    strcmp(before.group, there->group) == 0 &&
	    before.state == there->state &&
	    same_tags(&before.tags, &there->tags) &&
	    same_variables(&before.variables, &there->variables)) {
		counts->same++;
		rc = 0;
		goto out;
	}
	if (inventory_update_device(inventory, there, err) != 0)
		goto out;
	counts->updated++;
	rc = 0;
out:
	device_clear(&before);
	return rc;
}

static int
put_device(struct inventory *inventory, const struct device *found, bool update,
    struct fleet_counts *counts, struct error *err)
{
	struct device there;
	int rc;

	if (inventory_get_device(inventory, &found->mac, &there, err) == 0) {
		rc = update ?
		    update_device(inventory, found, &there, counts, err) :
		    error_set(err, ERROR_INPUT,
			"the device is in the inventory already; --update "
			"changes it");
		device_clear(&there);
		return rc;
	}
	if (err->kind != ERROR_NOT_FOUND)
		return -1;
	*err = (struct error) { 0 };
	if (inventory_add_device(inventory, found, err) != 0)
		return -1;
	counts->added++;
	return 0;
}

/* What is set on many must not change behind the back of those that have it:
 * another import may have put it there. */
static int
check_conflicts(const struct scope *there, const struct scope *found,
    struct error *err)
{
	if (there->parent[0] != '\0' && found->parent[0] != '\0' &&
	    strcmp(there->parent, found->parent) != 0)
		return error_set(err, ERROR_INPUT,
		    "it is below %s already, not below %s: --update moves it",
		    there->parent, found->parent);
	for (size_t i = 0; i < found->variables.count; i++) {
		const struct variable *own = &found->variables.list[i];
		const char *value = variables_get(&there->variables, own->name);

		if (value != NULL && strcmp(value, own->value) != 0)
			return error_set(err, ERROR_INPUT,
			    "its variable %s has another value already: "
			    "--update replaces it, for all that inherit it; "
			    "--group may keep the two apart",
			    own->name);
	}
	return 0;
}

struct putting {
	struct fleet *fleet;
	struct inventory *inventory;
	bool update;
	struct fleet_counts *counts;
};

/* Its parent has to be there before it. */
static int
put_scope(const struct putting *putting, const struct scope *found, int depth,
    struct error *err)
{
	struct scope there = { .kind = found->kind };
	int rc = -1;

	if (depth > INVENTORY_GROUP_DEPTH_MAX)
		return error_set(err, ERROR_INPUT,
		    "the group %s has more than %d groups above it, or is "
		    "above itself",
		    found->name, INVENTORY_GROUP_DEPTH_MAX);
	for (size_t i = 0;
	     found->parent[0] != '\0' && i < fleet_scope_count(putting->fleet);
	     i++) {
		const struct scope *above = fleet_scope_at(putting->fleet, i);

		if (above->kind == SCOPE_GROUP &&
		    strcmp(above->name, found->parent) == 0 &&
		    put_scope(putting, above, depth + 1, err) != 0)
			return -1;
	}
	if (inventory_get_scope(putting->inventory, found->kind, found->name,
		&there, err) != 0) {
		if (err->kind != ERROR_NOT_FOUND)
			return -1;
		*err = (struct error) { 0 };
		scope_copy(&there, found);
		if (found->kind == SCOPE_GROUP)
			putting->counts->groups++;
	} else {
		take_field(there.parent, found->parent);
		if (found->group_kind != GROUP_PLAIN)
			there.group_kind = found->group_kind;
		if ((!putting->update &&
			check_conflicts(&there, found, err) != 0) ||
		    merge_variables(&there.variables, &found->variables, err) !=
			0)
			goto out;
	}
	rc = inventory_put_scope(putting->inventory, &there, err);
out:
	scope_clear(&there);
	return rc;
}

/* What is declared otherwise already stays, or all that has it would change. */
static int
put_type(const struct putting *putting, const struct typed *found,
    struct error *err)
{
	const struct types *types = inventory_types(putting->inventory, err);
	const struct type *there = types != NULL ?
	    types_find(types, found->name) :
	    NULL;

	if (types == NULL)
		return -1;
	if (there != NULL && strcmp(there->text, found->type.text) == 0)
		return 0;
	if (there != NULL && !putting->update)
		return error_set(err, ERROR_INPUT,
		    "it is declared as \"%s\" already: --update declares it as "
		    "\"%s\"",
		    there->text, found->type.text);
	return inventory_put_type(putting->inventory, found->name, &found->type,
	    err);
}

static void
put_all(struct fleet *fleet, struct inventory *inventory, bool update,
    struct fleet_counts *counts)
{
	const struct putting putting = { fleet, inventory, update, counts };
	const struct types *types = fleet_types(fleet);

	for (size_t i = 0; i < types->count; i++) {
		struct error err = { 0 };

		if (put_type(&putting, &types->list[i], &err) != 0)
			fleet_say(fleet, FLEET_ERROR, "the variable %s: %s",
			    types->list[i].name, err.text);
	}
	for (size_t i = 0; i < fleet_scope_count(fleet); i++) {
		const struct scope *scope = fleet_scope_at(fleet, i);
		struct error err = { 0 };

		if (put_scope(&putting, scope, 0, &err) != 0)
			fleet_say(fleet, FLEET_ERROR, "%s%s: %s",
			    scope->kind == SCOPE_GROUP	   ? "group:" :
				scope->kind == SCOPE_MODEL ? "model:" :
				scope->kind == SCOPE_TAG   ? "tag:" :
							     "default",
			    scope->name, err.text);
	}
	for (size_t i = 0; i < fleet_device_count(fleet); i++) {
		const struct device *device = fleet_device(fleet, i);
		struct error err = { 0 };

		if (put_device(inventory, device, update, counts, &err) == 0)
			continue;
		fleet_say(fleet, FLEET_ERROR, "%s: %s",
		    fleet_place(fleet, &device->mac), err.text);
		if (err.kind == ERROR_SYSTEM)
			return;
	}
}

int
fleet_commit(struct fleet *fleet, struct inventory *inventory, bool update,
    bool commit, struct fleet_counts *counts)
{
	struct fleet_counts done = { 0 };
	struct error err = { 0 };

	if (inventory_begin(inventory, &err) != 0) {
		fleet_say(fleet, FLEET_ERROR, "%s", err.text);
		return -1;
	}
	put_all(fleet, inventory, update, &done);
	if (fleet_count(fleet, FLEET_ERROR) > 0) {
		inventory_rollback(inventory);
		return -1;
	}
	*counts = done;
	if (!commit) {
		inventory_rollback(inventory);
		return 0;
	}
	if (inventory_commit(inventory, &err) != 0) {
		fleet_say(fleet, FLEET_ERROR, "%s", err.text);
		return -1;
	}
	return 0;
}
