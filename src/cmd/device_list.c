#include "cmd/device_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <libsmartcols/libsmartcols.h>

#include "base/mem.h"
#include "base/text.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

struct list {
	const char *group; /* NULL: all */
	const char *model; /* the registry's spelling; NULL: all */
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
	json_t *object = json_pack("{ss ss ss? ss? ss? ss}", "mac", mac,
	    "model", device->model, "firmware",
	    device->firmware[0] ? device->firmware : NULL, "serial",
	    device->serial[0] ? device->serial : NULL, "group",
	    device->group[0] ? device->group : NULL, "state",
	    device_state_name(device->state));

	list->failed = object == NULL;
	if (list->failed)
		return 1;
	(void)fputs(list->count > 0 ? ",\n" : "\n", stdout);
	list->failed = json_dumpf(object, stdout, 0) != 0;
	json_decref(object);
	return list->failed;
}

static int
visit(const struct device *device, void *arg)
{
	struct list *list = arg;
	char mac[MAC_TEXT_BYTES];
	int rc;

	if ((list->group != NULL && strcmp(list->group, device->group) != 0) ||
	    (list->model != NULL && strcmp(list->model, device->model) != 0))
		return 0;
	mac_format(&device->mac, mac);
	rc = list->json ? write_json(list, device, mac) :
			  add_line(list, device, mac);
	list->count++;
	return rc;
}

/* All groups' names, to find the one that was meant. */
struct names {
	char **list;
	size_t count;
};

static int
collect_name(const struct scope *scope, void *arg)
{
	struct names *names = arg;

	if (scope->kind != SCOPE_GROUP)
		return 0;
	names->list = xrealloc(names->list,
	    (names->count + 1) * sizeof(*names->list));
	names->list[names->count++] = xstrdup(scope->name);
	return 0;
}

static int
check_group(struct inventory *inventory, const char *group, struct error *err)
{
	struct names names = { 0 };
	struct error ignored = { 0 };
	struct scope scope;
	const char *nearest = NULL;

	if (inventory_get_scope(inventory, SCOPE_GROUP, group, &scope, err) ==
	    0) {
		scope_clear(&scope);
		return 0;
	}
	if (err->kind == ERROR_NOT_FOUND &&
	    inventory_each_scope(inventory, collect_name, &names, &ignored) ==
		0 &&
	    names.count > 0)
		nearest = text_nearest(group, (const char *const *)names.list,
		    names.count);
	if (nearest != NULL)
		(void)error_set(err, ERROR_NOT_FOUND,
		    "there is no group \"%.63s\"; did you mean \"%s\"?", group,
		    nearest);
	for (size_t i = 0; i < names.count; i++)
		free(names.list[i]);
	free(names.list);
	return -1;
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
		    list->group != NULL || list->model != NULL ?
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
	const char *uri = NULL, *model = NULL;
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
	if (model != NULL && device_check_model(model, name, &err) != 0) {
		cmd_error("%s", err.text);
		return CMD_FAILED;
	}
	list.model = model != NULL ? name : NULL;
	if ((inventory = device_open(uri, true)) == NULL)
		return CMD_FAILED;
	status = CMD_DONE;
	if ((list.group != NULL &&
		check_group(inventory, list.group, &err) != 0) ||
	    (list.json ? list_json(inventory, &list, &err) :
			 list_table(inventory, &list, &err)) != 0) {
		cmd_error("%s", err.text);
		status = CMD_FAILED;
	}
	inventory_close(inventory);
	return status;
}
