#include "cmd/device_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <libsmartcols/libsmartcols.h>

#include "base/mem.h"
#include "base/text.h"
#include "provision/fields.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

struct list {
	const char *group;    /* NULL: all */
	const char *model;    /* the registry's spelling; NULL: all */
	const char *tag;      /* NULL: all */
	const char *state;    /* NULL: all */
	bool below;	      /* also those of groups below it */
	struct scope *groups; /* of the inventory, without variables */
	size_t group_count;
	bool json;
	struct libscols_table *table;
	size_t count;
	bool failed; /* no memory for a line */
};

/* A cell on a terminal may be cut; what scripts read never is. */
static const struct {
	const char *title;
	bool cut;
} columns[] = {
	{ "MAC", false },
	{ "MODEL", false },
	{ "FIRMWARE", true },
	{ "SERIAL", true },
	{ "GROUP", true },
	{ "STATE", false },
};

static struct libscols_table *
new_table(void)
{
	struct libscols_table *table = scols_new_table();

	for (size_t i = 0; table != NULL && i < LENGTH(columns); i++)
		if (scols_table_new_column(table, columns[i].title, 0.1,
			columns[i].cut ? SCOLS_FL_TRUNC : 0) == NULL) {
			scols_unref_table(table);
			table = NULL;
		}
	return table;
}

static int
add_line(struct list *list, const struct device *device, const char *mac)
{
	const char *const cells[] = { mac, device->model, device->firmware,
		device->serial, device->group,
		device_state_name(device->state) };
	struct libscols_line *line = scols_table_new_line(list->table, NULL);

	for (size_t i = 0; line != NULL && i < LENGTH(cells); i++)
		if (scols_line_set_data(line, i,
			*cells[i] != '\0' ? cells[i] : "-") != 0)
			line = NULL;
	list->failed = line == NULL;
	return list->failed;
}

/* One object per line, so that a large fleet is not held in memory. */
static int
write_json(struct list *list, const struct device *device, const char *mac)
{
	json_t *tags = json_array();
	json_t *object = json_pack("{ss ss ss? ss? ss? so ss}", "mac", mac,
	    "model", device->model, "firmware",
	    device->firmware[0] ? device->firmware : NULL, "serial",
	    device->serial[0] ? device->serial : NULL, "group",
	    device->group[0] ? device->group : NULL, "tags", tags, "state",
	    device_state_name(device->state));

	for (size_t i = 0; object != NULL && i < device->tags.count; i++)
		(void)json_array_append_new(tags,
		    json_string(device->tags.list[i]));
	list->failed = object == NULL;
	if (list->failed)
		return 1;
	(void)fputs(list->count > 0 ? ",\n" : "\n", stdout);
	list->failed = json_dumpf(object, stdout, 0) != 0;
	json_decref(object);
	return list->failed;
}

static const struct scope *
find_group(const struct list *list, const char *name)
{
	for (size_t i = 0; i < list->group_count; i++)
		if (strcmp(list->groups[i].name, name) == 0)
			return &list->groups[i];
	return NULL;
}

static bool
is_in_group(const struct list *list, const char *group)
{
	const struct scope *scope;

	for (int i = 0; i < INVENTORY_GROUP_DEPTH_MAX && *group != '\0'; i++) {
		if (strcmp(list->group, group) == 0)
			return true;
		if (!list->below || (scope = find_group(list, group)) == NULL)
			return false;
		group = scope->parent;
	}
	return false;
}

static bool
is_wanted(const struct list *list, const struct device *device)
{
	return (list->group == NULL || is_in_group(list, device->group)) &&
	    (list->model == NULL || strcmp(list->model, device->model) == 0) &&
	    (list->tag == NULL || tags_have(&device->tags, list->tag)) &&
	    (list->state == NULL ||
		strcmp(list->state, device_state_name(device->state)) == 0);
}

static int
visit(const struct device *device, void *arg)
{
	struct list *list = arg;
	char mac[MAC_TEXT_BYTES];
	int rc;

	if (!is_wanted(list, device))
		return 0;
	mac_format(&device->mac, mac);
	rc = list->json ? write_json(list, device, mac) :
			  add_line(list, device, mac);
	list->count++;
	return rc;
}

static int
collect_group(const struct scope *scope, void *arg)
{
	struct list *list = arg;

	if (scope->kind != SCOPE_GROUP)
		return 0;
	list->groups = xrealloc(list->groups,
	    (list->group_count + 1) * sizeof(*list->groups));
	list->groups[list->group_count] = *scope;
	list->groups[list->group_count++].variables = (struct variables) { 0 };
	return 0;
}

static int
no_group(const struct list *list, struct error *err)
{
	const char **names = xcalloc(list->group_count + 1, sizeof(*names));
	const char *nearest;

	for (size_t i = 0; i < list->group_count; i++)
		names[i] = list->groups[i].name;
	nearest = text_nearest(list->group, names, list->group_count);
	free(names);
	if (nearest != NULL)
		return error_set(err, ERROR_NOT_FOUND,
		    "there is no group \"%.63s\"; did you mean \"%s\"?",
		    list->group, nearest);
	return error_set(err, ERROR_NOT_FOUND,
	    "there is no group \"%.63s\" in the inventory", list->group);
}

/* Is the group there, and of that kind (NULL: any)? */
static int
check_group(struct inventory *inventory, struct list *list, const char *kind,
    struct error *err)
{
	const struct scope *group;

	if (inventory_each_scope(inventory, collect_group, list, err) != 0)
		return -1;
	if ((group = find_group(list, list->group)) == NULL)
		return no_group(list, err);
	if (kind == NULL ||
	    strcmp(kind, group_kind_name(group->group_kind)) == 0)
		return 0;
	return error_set(err, ERROR_INPUT,
	    "\"%.63s\" is a %s, no %s; \"sprov device set group:%.63s "
	    "kind=%s\" "
	    "makes it one",
	    list->group, group_kind_name(group->group_kind), kind, list->group,
	    kind);
}

static int
list_table(struct inventory *inventory, struct list *list, struct error *err)
{
	int rc;

	if ((list->table = new_table()) == NULL)
		return error_set(err, ERROR_SYSTEM, "no memory for a table");
	rc = inventory_each_device(inventory, visit, list, err);
	if (rc == 0 && list->count > 0)
		rc = scols_print_table(list->table);
	scols_unref_table(list->table);
	if (rc == 0 && list->count == 0)
		cmd_error("no device%s",
		    list->group != NULL || list->model != NULL ||
			    list->tag != NULL || list->state != NULL ?
			" of that kind" :
			" yet; \"sprov device add\" adds one");
	if (rc != 0 && err->kind == ERROR_NONE)
		return error_set(err, ERROR_SYSTEM, "cannot print the table");
	return rc;
}

static int
list_json(struct inventory *inventory, struct list *list, struct error *err)
{
	int rc;

	(void)fputc('[', stdout);
	rc = inventory_each_device(inventory, visit, list, err);
	(void)fputs(list->count > 0 ? "\n]\n" : "]\n", stdout);
	if (list->failed)
		return error_set(err, ERROR_SYSTEM, "cannot write JSON");
	return rc;
}

int
device_list(int argc, char **argv)
{
	const char *uri = NULL, *model = NULL, *tenant = NULL, *site = NULL;
	enum device_state state;
	struct list list = { 0 };
	const struct cmd_option options[] = {
		DEVICE_INVENTORY_OPTION(&uri),
		{ .name = "group",
		    .letter = 'g',
		    .value = "GROUP",
		    .help = "only those of this group",
		    .text = &list.group },
		{ .name = "model",
		    .letter = 'm',
		    .value = "MODEL",
		    .help = "only those of this model",
		    .text = &model },
		{ .name = "below",
		    .letter = 'b',
		    .help = "with --group: also those of groups below it",
		    .flag = &list.below },
		{ .name = "tenant",
		    .value = "GROUP",
		    .help = "only those of this tenant and below it",
		    .text = &tenant },
		{ .name = "site",
		    .value = "GROUP",
		    .help = "only those of this site and below it",
		    .text = &site },
		{ .name = "tag",
		    .letter = 't',
		    .value = "TAG",
		    .help = "only those with this tag",
		    .text = &list.tag },
		{ .name = "state",
		    .value = "STATE",
		    .help = "only active or only retired ones",
		    .text = &list.state },
		{ .name = "json",
		    .letter = 'j',
		    .help = "as JSON",
		    .flag = &list.json },
	};
	const struct cmd_syntax syntax = { "sprov device list", "",
		"List the devices by MAC address.\n", options, LENGTH(options),
		0, 0 };
	struct inventory *inventory;
	struct error err = { 0 };
	char name[INVENTORY_NAME_MAX + 1];
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status >= 0)
		return status;
	if ((list.group != NULL) + (tenant != NULL) + (site != NULL) > 1) {
		cmd_error("--group, --tenant and --site exclude each other");
		return CMD_USAGE;
	}
	if (tenant != NULL || site != NULL) {
		list.group = tenant != NULL ? tenant : site;
		list.below = true;
	}
	if (list.state != NULL &&
	    device_state_parse(list.state, &state, &err) != 0) {
		cmd_error("--state: %s", err.text);
		return CMD_USAGE;
	}
	if (model != NULL && fields_check_model(model, name, &err) != 0) {
		cmd_error("%s", err.text);
		return CMD_FAILED;
	}
	list.model = model != NULL ? name : NULL;
	if ((inventory = device_open(uri, NULL)) == NULL)
		return CMD_FAILED;
	status = CMD_DONE;
	if ((list.group != NULL &&
		check_group(inventory, &list,
		    tenant != NULL   ? "tenant" :
			site != NULL ? "site" :
				       NULL,
		    &err) != 0) ||
	    (list.json ? list_json(inventory, &list, &err) :
			 list_table(inventory, &list, &err)) != 0) {
		cmd_error("%s", err.text);
		status = CMD_FAILED;
	}
	inventory_close(inventory);
	free(list.groups);
	return status;
}
