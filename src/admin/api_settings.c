/*
 * What groups, tags, models and the defaults have: their variables, and of
 * groups kind and parent.  The parameter "target" names them as commands do,
 * because a group's name may hold what no path can.
 */
#include "admin/call.h"
#include "admin/handlers.h"
#include "admin/writing.h"
#include "base/text.h"
#include "provision/device_target.h"
#include "provision/fields.h"

#include <stdio.h>
#include <string.h>

/* False: a problem is the answer. */
static bool
read_target(struct call *call, struct device_target *target)
{
	const char *text = call_parameter(call, "target");
	struct error err;

	if (!call_no_others(call))
		return false;
	if (text == NULL)
		call_problem(call, 400,
		    "target: expected group:NAME, tag:NAME, model:MODEL or "
		    "default");
	else if (device_target_parse(target, text, &err) != 0)
		call_problem(call, 400, "target: %s", err.text);
	else if (target->is_device)
		call_problem(call, 400,
		    "target: a device is at /api/v1/devices/MAC");
	else
		return true;
	return false;
}

/* Who is limited to a group has that one and those below, and nothing of what
 * others have as well. */
static bool
may(const struct call *call, struct inventory *inventory,
    const struct device_target *target)
{
	return *call->caller.tenant == '\0' ||
	    (target->kind == SCOPE_GROUP &&
		writing_may(call, inventory, target->name));
}

static void
none(struct call *call)
{
	call_problem(call, 404, "nothing is set there");
}

static void
answer(struct call *call, int status, struct inventory *inventory,
    const struct scope *scope)
{
	char target[TARGET_TEXT_BYTES], tag[WRITING_TAG_BYTES];
	json_t *json;

	device_target_format(scope->kind, scope->name, target);
	writing_tag_scope(call, scope, tag);
	memcpy(call->version, tag, sizeof(tag));
	json = json_pack("{ss}", "target", target);
	if (scope->kind == SCOPE_GROUP) {
		(void)json_object_set_new(json, "kind",
		    json_string(group_kind_name(scope->group_kind)));
		(void)json_object_set_new(json, "parent",
		    json_string(scope->parent));
	}
	writing_show_variables(json, inventory, &scope->variables);
	call_json(call, status, json);
}

void
api_settings(struct call *call, const char *text)
{
	struct inventory *inventory;
	struct device_target target;
	struct scope scope;
	struct error err;

	(void)text;
	if (!read_target(call, &target) ||
	    (inventory = writing_read(call)) == NULL)
		return;
	/* NOLINTNEXTLINE(bugprone-branch-clone): the two have to look alike */
	if (!may(call, inventory, &target)) {
		none(call);
	} else if (inventory_get_scope(inventory, target.kind, target.name,
		       &scope, &err) == 0) {
		answer(call, 200, inventory, &scope);
		scope_clear(&scope);
	} else if (err.kind == ERROR_NOT_FOUND) {
		none(call);
	} else {
		call_error(call, &err);
	}
	inventory_close(inventory);
}

/* ------------------------------------------------------------------- change */

static int
set_field(struct scope *scope, const char *name, const json_t *value,
    struct error *err)
{
	char shown[64];

	if (strcmp(name, "variables") == 0)
		return writing_set_variables(&scope->variables, value, err);
	if (scope->kind != SCOPE_GROUP ||
	    (strcmp(name, "kind") != 0 && strcmp(name, "parent") != 0)) {
		text_escape(name, strlen(name), shown, sizeof(shown));
		return error_set(err, ERROR_INPUT, "%s: expected variables%s",
		    shown,
		    scope->kind == SCOPE_GROUP ? ", kind or parent" : "");
	}
	if (json_is_null(value) && strcmp(name, "parent") == 0) {
		*scope->parent = '\0';
		return 0;
	}
	if (!json_is_string(value))
		return error_set(err, ERROR_INPUT, "%s: expected a text", name);
	if (fields_set_scope(scope, name, json_string_value(value), err) == 0)
		return 0;
	return error_prefix(err, "%s: ", name);
}

static int
set_fields(struct scope *scope, json_t *json, struct error *err)
{
	const char *name;
	json_t *value;

	if (!json_is_object(json))
		return error_set(err, ERROR_INPUT,
		    "expected an object, such as {\"variables\": {}}");
	json_object_foreach(json, name,
	    value) if (set_field(scope, name, value, err) != 0) return -1;
	return 0;
}

/* It may neither leave what the caller is limited to, nor widen that. */
static int
check_place(const struct call *call, struct inventory *inventory,
    const struct scope *before, const struct scope *scope, struct error *err)
{
	const char *tenant = call->caller.tenant;

	if (*tenant == '\0')
		return 0;
	if (strcmp(scope->name, tenant) != 0)
		return writing_check_group(call, inventory, scope->parent, err);
	if (strcmp(scope->parent, before->parent) == 0 &&
	    scope->group_kind == before->group_kind)
		return 0;
	return error_set(err, ERROR_DENIED,
	    "kind and parent of \"%s\" are not its own to change", tenant);
}

/* "If-None-Match: *" asks for one that is not there yet. */
static bool
wants_new(const struct call *call)
{
	char field[16];

	call_field(call, "If-None-Match", field, sizeof(field));
	return strcmp(field, "*") == 0;
}

/* As it is now; a new one when that is what is asked for.  False: a problem is
 * the answer. */
static bool
find(struct call *call, struct inventory *inventory,
    const struct device_target *target, struct scope *scope, bool *made)
{
	bool new = wants_new(call);
	char tag[WRITING_TAG_BYTES];
	struct error err;

	*made = false;
	if (inventory_get_scope(inventory, target->kind, target->name, scope,
		&err) == 0) {
		writing_tag_scope(call, scope, tag);
		if (!may(call, inventory, target))
			none(call);
		else if (new)
			call_problem(call, 412, "it is there already");
		else if (writing_matches(call, tag))
			return true;
		scope_clear(scope);
		return false;
	}
	if (err.kind != ERROR_NOT_FOUND) {
		call_error(call, &err);
		return false;
	}
	if (!new ||
	    (*call->caller.tenant != '\0' && target->kind != SCOPE_GROUP)) {
		none(call);
		return false;
	}
	*scope = (struct scope) { .kind = target->kind };
	memcpy(scope->name, target->name, sizeof(scope->name));
	*made = true;
	return true;
}

static void
change(struct call *call, struct inventory *inventory,
    const struct device_target *target, json_t *json)
{
	struct scope scope, before;
	struct error err;
	bool made;

	if (!find(call, inventory, target, &scope, &made))
		return;
	scope_copy(&before, &scope);
	if (set_fields(&scope, json, &err) != 0 ||
	    check_place(call, inventory, &before, &scope, &err) != 0 ||
	    inventory_put_scope(inventory, &scope, &err) != 0)
		call_error(call, &err);
	else if (writing_commit(call, inventory))
		answer(call, made ? 201 : 200, inventory, &scope);
	scope_clear(&before);
	scope_clear(&scope);
}

void
api_settings_change(struct call *call, const char *text)
{
	struct inventory *inventory;
	struct device_target target;
	json_t *json;

	(void)text;
	if (!read_target(call, &target) ||
	    (json = call_body_json(call)) == NULL)
		return;
	inventory = writing_begin(call, "device set");
	if (inventory != NULL) {
		change(call, inventory, &target, json);
		writing_end(call, inventory);
	}
	call_wipe_json(json);
}

void
api_settings_remove(struct call *call, const char *text)
{
	struct inventory *inventory;
	struct device_target target;
	struct scope scope;
	struct error err;
	bool made;

	(void)text;
	if (!read_target(call, &target) ||
	    (inventory = writing_begin(call, "device remove")) == NULL)
		return;
	if (wants_new(call)) {
		call_problem(call, 412, "what is not there cannot be removed");
	} else if (find(call, inventory, &target, &scope, &made)) {
		if (strcmp(scope.name, call->caller.tenant) == 0 &&
		    *scope.name != '\0')
			call_problem(call, 403,
			    "the group that one is limited to is not one's "
			    "own to remove");
		else if (inventory_remove_scope(inventory, target.kind,
			     target.name, &err) != 0)
			call_error(call, &err);
		else if (writing_commit(call, inventory))
			call_done(call);
		scope_clear(&scope);
	}
	writing_end(call, inventory);
}
