/*
 * Types that the inventory declares, and removing what is declared or grouped.
 */
#include "inventory/changes.h"
#include "inventory/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "inventory/reserved.h"

#define NAMED_MAX 3 /* values of another type that a message names */

static int
take_type(const char *name, const char *text, void *arg)
{
	struct inventory *inventory = arg;
	struct type type;
	struct error ignored;

	/* One that a newer sprov knows constrains nothing here. */
	if (type_parse(&type, text, &ignored) == 0)
		types_append(&inventory->types, name, &type);
	return 0;
}

const struct types *
inventory_types(struct inventory *inventory, struct error *err)
{
	if (inventory->types_known)
		return &inventory->types;
	types_clear(&inventory->types);
	if (inventory->store->each_type(inventory->state, take_type, inventory,
		err) != 0)
		return NULL;
	inventory->types_known = true;
	return &inventory->types;
}

int
inventory_check_types(struct inventory *inventory,
    const struct variables *variables, struct error *err)
{
	const struct types *types = inventory_types(inventory, err);

	if (types == NULL)
		return -1;
	for (size_t i = 0; i < variables->count; i++) {
		const struct variable *variable = &variables->list[i];
		const struct type *type = types->count > 0 ?
		    types_find(types, variable->name) :
		    NULL;

		if (variable->sealed)
			continue;
		if ((type != NULL &&
			type_check(type, variable->name, variable->value,
			    err) != 0) ||
		    reserved_check(variable->name, variable->value, err) != 0)
			return -1;
	}
	return 0;
}

/* Who has a variable that is about to be declared, and whose value is of
 * another type. */
struct review {
	const char *name;
	const struct type *type; /* NULL: anything goes */
	struct mac *macs;
	size_t mac_count;
	struct scope *scopes; /* without their variables */
	size_t scope_count;
	size_t bad;
	char owners[NAMED_MAX][OWNER_TEXT_BYTES];
	struct error first;
};

static bool
review_value(struct review *review, const struct variables *variables,
    const char *owner)
{
	const char *value = variables_get(variables, review->name);
	struct error err;

	if (value == NULL)
		return false;
	if (review->type == NULL ||
	    type_check(review->type, review->name, value, &err) == 0)
		return true;
	if (review->bad == 0)
		review->first = err;
	if (review->bad < NAMED_MAX)
		memcpy(review->owners[review->bad], owner, OWNER_TEXT_BYTES);
	review->bad++;
	return true;
}

static int
review_device(const struct device *device, void *arg)
{
	struct review *review = arg;
	char owner[OWNER_TEXT_BYTES];

	inventory_device_owner(&device->mac, owner);
	if (!review_value(review, &device->variables, owner))
		return 0;
	if ((review->mac_count & (review->mac_count - 1)) == 0)
		review->macs = xrealloc(review->macs,
		    (2 * review->mac_count + 1) * sizeof(*review->macs));
	review->macs[review->mac_count++] = device->mac;
	return 0;
}

static int
review_scope(const struct scope *scope, void *arg)
{
	struct review *review = arg;
	char owner[OWNER_TEXT_BYTES];

	inventory_scope_owner(scope->kind, scope->name, owner);
	if (!review_value(review, &scope->variables, owner))
		return 0;
	review->scopes = xrealloc(review->scopes,
	    (review->scope_count + 1) * sizeof(*review->scopes));
	review->scopes[review->scope_count] = *scope;
	review->scopes[review->scope_count++].variables = (struct variables) {
		0
	};
	return 0;
}

static int
complain(const struct review *review, struct error *err)
{
	char owners[NAMED_MAX * (OWNER_TEXT_BYTES + 2)] = "";
	char *end = owners;

	for (size_t i = 0; i < review->bad && i < NAMED_MAX; i++) {
		end = stpcpy(end, i > 0 ? ", " : "");
		end = stpcpy(end, review->owners[i]);
	}
	return error_set(err, ERROR_INPUT,
	    "%zu %s of another type (%s%s): %.200s", review->bad,
	    review->bad == 1 ? "value is" : "values are", owners,
	    review->bad > NAMED_MAX ? ", ..." : "", review->first.text);
}

/* A variable that became a secret is sealed by being written again; one that
 * no longer is, comes in clear. */
static int
write_again(struct inventory *inventory, const struct review *review,
    struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < review->mac_count; i++) {
		struct device device;

		rc = inventory_get_device(inventory, &review->macs[i], &device,
		    err);
		if (rc != 0)
			break;
		rc = inventory_update_device(inventory, &device, err);
		device_clear(&device);
	}
	for (size_t i = 0; rc == 0 && i < review->scope_count; i++) {
		struct scope scope;

		rc = inventory_get_scope(inventory, review->scopes[i].kind,
		    review->scopes[i].name, &scope, err);
		if (rc != 0)
			break;
		rc = inventory_put_scope(inventory, &scope, err);
		scope_clear(&scope);
	}
	return rc;
}

static int
declare(struct inventory *inventory, const char *name, const struct type *type,
    struct review *review, struct error *err)
{
	bool secret_before;

	if (inventory_types(inventory, err) == NULL)
		return -1;
	secret_before = types_is_secret(&inventory->types, name);
	if (type != NULL && types_find(&inventory->types, name) == NULL &&
	    inventory->types.count >= TYPES_MAX)
		return error_set(err, ERROR_INPUT,
		    "no room for another type: %d are declared", TYPES_MAX);
	if (inventory_each_scope(inventory, review_scope, review, err) != 0 ||
	    inventory_each_device(inventory, review_device, review, err) != 0)
		return -1;
	if (review->bad > 0)
		return complain(review, err);
	if (inventory->store->put_type(inventory->state, name,
		type != NULL ? type->text : NULL, err) != 0)
		return -1;
	inventory->types_known = false;
	if (inventory_types(inventory, err) == NULL)
		return -1;
	if (secret_before == types_is_secret(&inventory->types, name))
		return 0;
	return write_again(inventory, review, err);
}

int
inventory_put_type(struct inventory *inventory, const char *name,
    const struct type *type, struct error *err)
{
	struct review review = { .name = name, .type = type };
	bool own;
	int rc;

	if (variables_check_name(name, err) != 0 ||
	    inventory_write_begin(inventory, &own, err) != 0)
		return -1;
	rc = declare(inventory, name, type, &review, err);
	free(review.macs);
	free(review.scopes);
	if (rc == 0)
		changes_type(inventory->changes, name,
		    type != NULL ? type->text : NULL);
	return inventory_write_end(inventory, own, rc, err);
}

/* Who is in a group, or has a tag. */
struct members {
	enum scope_kind kind;
	const char *name;
	struct mac *macs;
	size_t mac_count, group_count;
};

static int
find_member(const struct device *device, void *arg)
{
	struct members *members = arg;

	if (members->kind == SCOPE_GROUP ?
		strcmp(device->group, members->name) != 0 :
		!tags_have(&device->tags, members->name))
		return 0;
	if ((members->mac_count & (members->mac_count - 1)) == 0)
		members->macs = xrealloc(members->macs,
		    (2 * members->mac_count + 1) * sizeof(*members->macs));
	members->macs[members->mac_count++] = device->mac;
	return 0;
}

static int
find_child(const struct scope *scope, void *arg)
{
	struct members *members = arg;

	if (scope->kind == SCOPE_GROUP &&
	    strcmp(scope->parent, members->name) == 0)
		members->group_count++;
	return 0;
}

static int
untag(struct inventory *inventory, const struct members *members,
    struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < members->mac_count; i++) {
		struct device device;

		if (inventory_get_device(inventory, &members->macs[i], &device,
			err) != 0)
			return -1;
		(void)tags_remove(&device.tags, members->name);
		rc = inventory_update_device(inventory, &device, err);
		device_clear(&device);
	}
	return rc;
}

static int
detach(struct inventory *inventory, struct members *members, struct error *err)
{
	if (members->kind != SCOPE_GROUP && members->kind != SCOPE_TAG)
		return 0;
	if (inventory_each_scope(inventory, find_child, members, err) != 0 ||
	    inventory_each_device(inventory, find_member, members, err) != 0)
		return -1;
	if (members->kind == SCOPE_TAG)
		return untag(inventory, members, err);
	if (members->mac_count == 0 && members->group_count == 0)
		return 0;
	return error_set(err, ERROR_INPUT,
	    "the group \"%.63s\" is not empty: %zu devices and %zu groups are "
	    "in it; set another group or parent for them first",
	    members->name, members->mac_count, members->group_count);
}

int
inventory_remove_scope(struct inventory *inventory, enum scope_kind kind,
    const char *name, struct error *err)
{
	struct members members = { .kind = kind, .name = name };
	bool own;
	int rc;

	if (inventory_write_begin(inventory, &own, err) != 0)
		return -1;
	rc = detach(inventory, &members, err);
	if (rc == 0) {
		rc = inventory->store->remove_scope(inventory->state, kind,
		    name, err);
		/* A tag that has no variables is gone with its last device. */
		if (rc != 0 && err->kind == ERROR_NOT_FOUND &&
		    kind == SCOPE_TAG && members.mac_count > 0)
			rc = 0;
	}
	free(members.macs);
	if (rc == 0)
		changes_scope_removed(inventory->changes, kind, name);
	return inventory_write_end(inventory, own, rc, err);
}
