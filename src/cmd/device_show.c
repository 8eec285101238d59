/*
 * One device (or group, model, the defaults) with its variables, and where
 * each value comes from: the nearest of the layers that set it.
 */
#include "cmd/device_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <libsmartcols/libsmartcols.h>

#include "base/mem.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define HIDDEN "********"
/* device, tags, groups, model, defaults */
#define LAYERS_MAX (1 + INVENTORY_TAGS_MAX + INVENTORY_GROUP_DEPTH_MAX + 1 + 1)

struct layer {
	char from[TARGET_TEXT_BYTES];
	struct variables variables;
};

struct shown {
	const struct variable *variable;
	const struct layer *layer;
};

struct view {
	bool is_device;
	struct device device;		 /* without its variables */
	struct scope scope;		 /* the same, of any other target */
	struct layer layers[LAYERS_MAX]; /* nearest first */
	size_t layer_count;
	struct shown *shown; /* by name */
	size_t shown_count;
	bool secrets;
	struct types types;
};

/* Variables of a scope as the next layer; they are taken. */
static void
push_scope(struct view *view, struct scope *scope)
{
	struct layer *layer = &view->layers[view->layer_count++];

	device_target_format(scope->kind, scope->name, layer->from);
	layer->variables = scope->variables;
	scope->variables = (struct variables) { 0 };
}

/* A scope that was never set has no variables: that is fine. */
static int
load_scope(struct inventory *inventory, struct view *view, enum scope_kind kind,
    const char *name, struct error *err)
{
	struct scope scope;

	if (inventory_get_scope(inventory, kind, name, &scope, err) != 0) {
		if (err->kind != ERROR_NOT_FOUND)
			return -1;
		*err = (struct error) { 0 };
		return 0;
	}
	push_scope(view, &scope);
	return 0;
}

static int
load_groups(struct inventory *inventory, struct view *view, struct error *err)
{
	char name[INVENTORY_NAME_MAX + 1];

	memcpy(name, view->device.group, sizeof(name));
	for (int i = 0; i < INVENTORY_GROUP_DEPTH_MAX && *name != '\0'; i++) {
		struct scope scope;

		if (inventory_get_scope(inventory, SCOPE_GROUP, name, &scope,
			err) != 0)
			return -1;
		push_scope(view, &scope);
		memcpy(name, scope.parent, sizeof(name));
	}
	return 0;
}

static int
load_device(struct inventory *inventory, struct view *view,
    const struct mac *mac, struct error *err)
{
	struct layer *layer = &view->layers[0];

	if (inventory_get_device(inventory, mac, &view->device, err) != 0)
		return -1;
	(void)snprintf(layer->from, sizeof(layer->from), "device");
	layer->variables = view->device.variables;
	view->device.variables = (struct variables) { 0 };
	view->layer_count = 1;
	for (size_t i = 0; i < view->device.tags.count; i++)
		if (load_scope(inventory, view, SCOPE_TAG,
			view->device.tags.list[i], err) != 0)
			return -1;
	if (load_groups(inventory, view, err) != 0 ||
	    load_scope(inventory, view, SCOPE_MODEL, view->device.model, err) !=
		0)
		return -1;
	return load_scope(inventory, view, SCOPE_DEFAULT, "", err);
}

static int
load_target(struct inventory *inventory, struct view *view,
    const struct device_target *target, struct error *err)
{
	view->is_device = target->is_device;
	if (target->is_device)
		return load_device(inventory, view, &target->mac, err);
	if (inventory_get_scope(inventory, target->kind, target->name,
		&view->scope, err) != 0)
		return -1;
	push_scope(view, &view->scope);
	return 0;
}

static int
compare_shown(const void *left, const void *right)
{
	const struct shown *a = left, *b = right;
	int order = strcmp(a->variable->name, b->variable->name);

	/* Of one name, that of the nearest layer first. */
	if (order == 0)
		order = a->layer < b->layer ? -1 : a->layer > b->layer;
	return order;
}

static void
merge_layers(struct view *view)
{
	size_t total = 0, kept = 0;

	for (size_t i = 0; i < view->layer_count; i++)
		total += view->layers[i].variables.count;
	view->shown = xcalloc(total + 1, sizeof(*view->shown));
	total = 0;
	for (size_t i = 0; i < view->layer_count; i++)
		for (size_t j = 0; j < view->layers[i].variables.count; j++)
			view->shown[total++] = (struct shown) {
				&view->layers[i].variables.list[j],
				&view->layers[i]
			};
	qsort(view->shown, total, sizeof(*view->shown), compare_shown);
	for (size_t i = 0; i < total; i++)
		if (kept == 0 ||
		    strcmp(view->shown[i].variable->name,
			view->shown[kept - 1].variable->name) != 0)
			view->shown[kept++] = view->shown[i];
	view->shown_count = kept;
}

static bool
is_hidden(const struct view *view, const struct variable *variable)
{
	return variable->sealed ||
	    (!view->secrets && types_is_secret(&view->types, variable->name));
}

static void
print_field(const char *title, const char *value)
{
	(void)printf("%-9s %s\n", title, *value != '\0' ? value : "-");
}

static void
print_fields(const struct view *view)
{
	char text[TARGET_TEXT_BYTES];

	char *tags;

	if (view->is_device) {
		mac_format(&view->device.mac, text);
		print_field("mac", text);
		print_field("model", view->device.model);
		print_field("firmware", view->device.firmware);
		print_field("serial", view->device.serial);
		print_field("group", view->device.group);
		tags = tags_format(&view->device.tags);
		if (*tags != '\0')
			print_field("tags", tags);
		free(tags);
		print_field("state", device_state_name(view->device.state));
		return;
	}
	device_target_format(view->scope.kind, view->scope.name, text);
	print_field("target", text);
	if (view->scope.kind != SCOPE_GROUP)
		return;
	print_field("kind", group_kind_name(view->scope.group_kind));
	print_field("parent", view->scope.parent);
}

static int
fill_table(const struct view *view, struct libscols_table *table)
{
	if (scols_table_new_column(table, "VARIABLE", 0.1, 0) == NULL ||
	    scols_table_new_column(table, "VALUE", 0.5, SCOLS_FL_WRAP) ==
		NULL ||
	    scols_table_new_column(table, "FROM", 0.1, 0) == NULL)
		return -1;
	for (size_t i = 0; i < view->shown_count; i++) {
		const struct shown *shown = &view->shown[i];
		struct libscols_line *line = scols_table_new_line(table, NULL);

		if (line == NULL ||
		    scols_line_set_data(line, 0, shown->variable->name) != 0 ||
		    scols_line_set_data(line, 1,
			is_hidden(view, shown->variable) ?
			    HIDDEN :
			    shown->variable->value) != 0 ||
		    scols_line_set_data(line, 2, shown->layer->from) != 0)
			return -1;
	}
	return 0;
}

static int
print_view(const struct view *view, struct error *err)
{
	struct libscols_table *table;
	int rc = -1;

	print_fields(view);
	if (view->shown_count == 0)
		return 0;
	(void)fputc('\n', stdout);
	table = scols_new_table();
	if (table != NULL && fill_table(view, table) == 0)
		rc = scols_print_table(table);
	scols_unref_table(table);
	if (rc != 0)
		return error_set(err, ERROR_SYSTEM, "cannot print the table");
	return 0;
}

static json_t *
json_or_null(const char *text)
{
	return *text != '\0' ? json_string(text) : json_null();
}

static json_t *
json_tags(const struct tags *tags)
{
	json_t *array = json_array();

	for (size_t i = 0; i < tags->count; i++)
		(void)json_array_append_new(array, json_string(tags->list[i]));
	return array;
}

static json_t *
json_variables(const struct view *view)
{
	json_t *object = json_object();

	for (size_t i = 0; i < view->shown_count; i++) {
		const struct shown *shown = &view->shown[i];
		bool hidden = is_hidden(view, shown->variable);

		(void)json_object_set_new(object, shown->variable->name,
		    json_pack("{ss ss sb}", "value",
			hidden ? HIDDEN : shown->variable->value, "from",
			shown->layer->from, "hidden", (int)hidden));
	}
	return object;
}

static int
write_json(const struct view *view, struct error *err)
{
	const struct device *device = &view->device;
	char text[TARGET_TEXT_BYTES];
	json_t *object;
	int rc = -1;

	if (view->is_device) {
		mac_format(&device->mac, text);
		object = json_pack("{ss ss so so so so ss so}", "mac", text,
		    "model", device->model, "firmware",
		    json_or_null(device->firmware), "serial",
		    json_or_null(device->serial), "group",
		    json_or_null(device->group), "tags",
		    json_tags(&device->tags), "state",
		    device_state_name(device->state), "variables",
		    json_variables(view));
	} else {
		device_target_format(view->scope.kind, view->scope.name, text);
		object = json_pack("{ss ss? so so}", "target", text, "kind",
		    view->scope.kind == SCOPE_GROUP ?
			group_kind_name(view->scope.group_kind) :
			NULL,
		    "parent", json_or_null(view->scope.parent), "variables",
		    json_variables(view));
	}
	if (object != NULL)
		rc = json_dumpf(object, stdout, JSON_INDENT(2));
	json_decref(object);
	if (rc != 0)
		return error_set(err, ERROR_SYSTEM, "cannot write JSON");
	(void)fputc('\n', stdout);
	return 0;
}

static int
show_target(const char *uri, const char *key,
    const struct device_target *target, struct view *view, bool json,
    struct error *err)
{
	struct inventory *inventory = device_open_with(uri, key, NULL);
	const struct types *types;
	int rc;

	if (inventory == NULL)
		return -1;
	rc = load_target(inventory, view, target, err);
	if (rc == 0 && (types = inventory_types(inventory, err)) != NULL)
		types_copy(&view->types, types);
	inventory_close(inventory);
	if (rc == 0) {
		merge_layers(view);
		rc = json ? write_json(view, err) : print_view(view, err);
	} else if (err->kind == ERROR_NOT_FOUND && target->is_device) {
		cmd_error("%s; \"sprov device list\" says what is there",
		    err->text);
		err->kind = ERROR_NONE; /* said */
	}
	for (size_t i = 0; i < view->layer_count; i++)
		variables_clear(&view->layers[i].variables);
	tags_clear(&view->device.tags);
	types_clear(&view->types);
	free(view->shown);
	return rc;
}

int
device_show(int argc, char **argv)
{
	const char *uri = NULL, *key = NULL;
	bool json = false;
	struct view view = { 0 };
	const struct cmd_option options[] = {
		DEVICE_INVENTORY_OPTION(&uri),
		DEVICE_KEY_OPTION(&key),
		{ .name = "json",
		    .letter = 'j',
		    .help = "as JSON",
		    .flag = &json },
		{ .name = "secrets",
		    .help = "show passwords, keys and PINs too",
		    .flag = &view.secrets },
	};
	const struct cmd_syntax syntax = { "sprov device show", "TARGET",
		"Show a device with its variables, and where each comes from: "
		"the device,"
		" its\ntags, its group and that group's parents, its model, or"
		" the defaults.  TARGET is\na MAC address; group:NAME, "
		"tag:NAME,"
		" model:MODEL and default show what is set\nthere.\n",
		options, LENGTH(options), 1, 1 };
	struct device_target target;
	struct error err = { 0 };
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status >= 0)
		return status;
	if (device_target_parse(&target, argv[first], &err) == 0 &&
	    show_target(uri, key, &target, &view, json, &err) == 0)
		return CMD_DONE;
	if (err.kind != ERROR_NONE)
		cmd_error("%s", err.text);
	return CMD_FAILED;
}
