/*
 * The shape of groups: trees of a bounded depth, and which kind may be below
 * which.
 */
#include "inventory/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static const char *const kind_names[] = {
	[GROUP_PLAIN] = "group",
	[GROUP_SITE] = "site",
	[GROUP_TENANT] = "tenant",
};

const char *
group_kind_name(enum group_kind kind)
{
	return kind_names[kind];
}

int
group_kind_parse(const char *text, enum group_kind *kind, struct error *err)
{
	char shown[80];

	for (size_t i = 0; i < LENGTH(kind_names); i++)
		if (strcmp(text, kind_names[i]) == 0) {
			*kind = (enum group_kind)i;
			return 0;
		}
	text_escape(text, strlen(text), shown, sizeof(shown));
	return error_set(err, ERROR_INPUT,
	    "\"%s\" is not a kind of group: expected tenant, site or group",
	    shown);
}

/* All groups with their parents, by name, to look at their shape. */
struct group {
	char name[INVENTORY_NAME_MAX + 1];
	char parent[INVENTORY_NAME_MAX + 1];
	enum group_kind kind;
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
	group->kind = scope->group_kind;
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

/* May a group of this kind be right below one of that kind? */
static bool
may_be_below(enum group_kind kind, enum group_kind parent)
{
	switch (kind) {
	case GROUP_TENANT:
		return false;
	case GROUP_SITE:
		return parent != GROUP_PLAIN;
	case GROUP_PLAIN:
		break;
	}
	return true;
}

static int
kinds_clash(const char *name, enum group_kind kind, const char *parent,
    enum group_kind parent_kind, struct error *err)
{
	if (kind == GROUP_TENANT)
		return error_set(err, ERROR_INPUT,
		    "\"%s\" is a tenant and cannot have a parent, \"%s\" was "
		    "given",
		    name, parent);
	return error_set(err, ERROR_INPUT,
	    "\"%s\" is a site and \"%s\" a %s: the parent of a site is a "
	    "tenant or a site",
	    name, parent, group_kind_name(parent_kind));
}

/* Do the kinds fit, above it and right below it? */
static int
check_kinds(const struct groups *groups, const struct scope *scope,
    struct error *err)
{
	const struct group *parent = find_group(groups, scope->parent);

	if (parent != NULL && !may_be_below(scope->group_kind, parent->kind))
		return kinds_clash(scope->name, scope->group_kind,
		    scope->parent, parent->kind, err);
	for (size_t i = 0; i < groups->count; i++) {
		const struct group *group = &groups->list[i];

		if (strcmp(group->parent, scope->name) == 0 &&
		    !may_be_below(group->kind, scope->group_kind))
			return kinds_clash(group->name, group->kind,
			    scope->name, scope->group_kind, err);
	}
	return 0;
}

int
inventory_check_parent(struct inventory *inventory, const struct scope *scope,
    struct error *err)
{
	struct groups groups = { 0 };
	int rc = -1;

	if (strcmp(scope->name, scope->parent) == 0)
		return error_set(err, ERROR_INPUT,
		    "the group \"%s\" cannot be its own parent", scope->name);
	if (inventory_each_scope(inventory, collect_group, &groups, err) != 0)
		goto out;
	if (scope->parent[0] != '\0' &&
	    find_group(&groups, scope->parent) == NULL) {
		(void)inventory_group_missing(scope->parent, err);
		goto out;
	}
	if (check_kinds(&groups, scope, err) == 0)
		rc = check_chains(&groups, scope, err);
out:
	free(groups.list);
	return rc;
}
