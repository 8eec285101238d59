/*
 * Adding, changing and removing devices.
 */
#include "cmd/device_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "provision/fields.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

#define VALUE_HELP \
	"A value \"@FILE\" is read from FILE (\"@-\": standard input), so " \
	"that" \
	" passwords stay\nout of the list of processes; \"@@\" stands for a" \
	" plain \"@\".\n"

struct assignments {
	struct assignment *list;
	size_t count;
};

static void
assignments_clear(struct assignments *assignments)
{
	for (size_t i = 0; i < assignments->count; i++)
		assignment_clear(&assignments->list[i]);
	free(assignments->list);
}

static int
assignments_parse(struct assignments *assignments, int argc, char **argv,
    struct error *err)
{
	bool stdin_used = false;

	assignments->list = xcalloc((size_t)argc + 1,
	    sizeof(*assignments->list));
	for (; argc > 0; argc--, argv++) {
		struct assignment *next =
		    &assignments->list[assignments->count];
		const char *value = strchr(*argv, '=');

		if (value != NULL && strcmp(value, "=@-") == 0) {
			if (stdin_used)
				return error_set(err, ERROR_INPUT,
				    "only one value can come from standard "
				    "input");
			stdin_used = true;
		}
		if (assignment_parse(next, *argv, err) != 0)
			return -1;
		assignments->count++;
	}
	return 0;
}

static int
assign_device(struct device *device, const struct assignments *assignments,
    struct error *err)
{
	for (size_t i = 0; i < assignments->count; i++)
		if (fields_set_device(device, assignments->list[i].name,
			assignments->list[i].value, err) != 0)
			return -1;
	return 0;
}

/* Add or update the device, and its group when that is new. */
static int
put_device(struct inventory *inventory, const struct device *device, bool add,
    bool *group_made, struct error *err)
{
	if (device_need_group(inventory, device->group, group_made, err) != 0)
		return -1;
	return add ? inventory_add_device(inventory, device, err) :
		     inventory_update_device(inventory, device, err);
}

static int
add_to_inventory(const char *uri, const char *key, const struct device *device,
    struct error *err)
{
	struct inventory *inventory = device_open_with(uri, key, "device add");
	char mac[MAC_TEXT_BYTES];
	bool made = false;
	int rc = -1;

	if (inventory == NULL)
		return -1;
	if (inventory_begin(inventory, err) == 0 &&
	    put_device(inventory, device, true, &made, err) == 0)
		rc = inventory_commit(inventory, err);
	if (rc == 0) {
		mac_format(&device->mac, mac);
		if (made)
			(void)printf("new group %s\n", device->group);
		(void)printf("added %s %s\n", mac, device->model);
		device_note_clear(inventory);
	} else if (err->kind == ERROR_INPUT) {
		(void)error_prefix(err, "nothing was added: ");
	}
	inventory_close(inventory);
	return rc;
}

/* The device that the operands and options describe. */
static int
describe_device(struct device *device, const char *const fields[4], int argc,
    char **argv, struct error *err)
{
	static const char *const names[4] = { "firmware", "serial", "group",
		"tags" };
	struct assignments assignments = { 0 };
	int rc;

	if (mac_parse(&device->mac, argv[0], err) != 0 ||
	    fields_check_model(argv[1], device->model, err) != 0)
		return -1;
	for (size_t i = 0; i < LENGTH(names); i++) {
		if (fields[i] == NULL)
			continue;
		if (fields_set_device(device, names[i], fields[i], err) != 0)
			return -1;
	}
	rc = assignments_parse(&assignments, argc - 2, argv + 2, err);
	if (rc == 0)
		rc = assign_device(device, &assignments, err);
	assignments_clear(&assignments);
	return rc;
}

int
device_add(int argc, char **argv)
{
	const char *uri = NULL, *key = NULL;
	const char *fields[4] = { NULL, NULL, NULL, NULL };
	const struct cmd_option options[] = {
		DEVICE_INVENTORY_OPTION(&uri),
		DEVICE_KEY_OPTION(&key),
		{ .name = "firmware",
		    .letter = 'f',
		    .value = "VERSION",
		    .help = "as the device tells it",
		    .text = &fields[0] },
		{ .name = "serial",
		    .letter = 's',
		    .value = "NUMBER",
		    .help = "as on its label",
		    .text = &fields[1] },
		{ .name = "group",
		    .letter = 'g',
		    .value = "GROUP",
		    .help = "put it in this group, which is made when new",
		    .text = &fields[2] },
		{ .name = "tags",
		    .letter = 't',
		    .value = "TAG,...",
		    .help = "its tags, nearest first",
		    .text = &fields[3] },
	};
	const struct cmd_syntax syntax = { "sprov device add",
		"MAC MODEL [NAME=VALUE...]",
		"Add a device, with variables of its own.\n" VALUE_HELP,
		options, LENGTH(options), 2, -1 };
	struct device device = { .state = DEVICE_ACTIVE };
	struct error err = { 0 };
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status >= 0)
		return status;
	status = CMD_FAILED;
	if (describe_device(&device, fields, argc - first, argv + first,
		&err) == 0 &&
	    add_to_inventory(uri, key, &device, &err) == 0)
		status = CMD_DONE;
	if (status == CMD_FAILED && err.kind != ERROR_NONE)
		cmd_error("%s", err.text);
	device_clear(&device);
	return status;
}

/* What "set" was asked for. */
struct change {
	struct device_target target;
	struct assignments assignments;
	struct cmd_texts unset;
	char new_group[INVENTORY_NAME_MAX + 1]; /* made on the way */
};

static int
unset_variables(struct variables *variables, const struct cmd_texts *unset,
    struct error *err)
{
	for (size_t i = 0; i < unset->count; i++) {
		const char *name = unset->text[i];

		if (fields_have(name))
			return error_set(err, ERROR_INPUT,
			    "--unset %s: that is no variable; %s= clears it",
			    name, name);
		if (!variables_unset(variables, name))
			return error_set(err, ERROR_NOT_FOUND,
			    "--unset %s: the variable is not set there; "
			    "\"sprov device show\" says what is",
			    name);
	}
	return 0;
}

static int
change_device(struct inventory *inventory, struct change *change,
    struct error *err)
{
	struct device device;
	bool made = false;
	int rc = -1;

	if (inventory_get_device(inventory, &change->target.mac, &device,
		err) != 0)
		return -1;
	if (unset_variables(&device.variables, &change->unset, err) == 0 &&
	    assign_device(&device, &change->assignments, err) == 0)
		rc = put_device(inventory, &device, false, &made, err);
	if (rc == 0 && made)
		memcpy(change->new_group, device.group, sizeof(device.group));
	device_clear(&device);
	return rc;
}

static int
change_scope(struct inventory *inventory, struct change *change,
    struct error *err)
{
	const struct device_target *target = &change->target;
	struct scope scope;
	bool made = false;
	int rc = -1;

	if (inventory_get_scope(inventory, target->kind, target->name, &scope,
		err) != 0) {
		if (err->kind != ERROR_NOT_FOUND)
			return -1;
		*err = (struct error) { 0 };
		made = target->kind == SCOPE_GROUP;
		scope = (struct scope) { .kind = target->kind };
		memcpy(scope.name, target->name, sizeof(scope.name));
	}
	if (unset_variables(&scope.variables, &change->unset, err) != 0)
		goto out;
	for (size_t i = 0; i < change->assignments.count; i++)
		if (fields_set_scope(&scope, change->assignments.list[i].name,
			change->assignments.list[i].value, err) != 0)
			goto out;
	rc = inventory_put_scope(inventory, &scope, err);
	if (rc == 0 && made)
		memcpy(change->new_group, scope.name, sizeof(scope.name));
out:
	scope_clear(&scope);
	return rc;
}

static int
change_inventory(const char *uri, const char *key, struct change *change,
    struct error *err)
{
	struct inventory *inventory = device_open_with(uri, key, "device set");
	int rc = -1;

	if (inventory == NULL)
		return -1;
	if (inventory_begin(inventory, err) == 0 &&
	    (change->target.is_device ?
		    change_device(inventory, change, err) :
		    change_scope(inventory, change, err)) == 0)
		rc = inventory_commit(inventory, err);
	if (rc == 0)
		device_note_clear(inventory);
	inventory_close(inventory);
	if (rc == 0 && change->new_group[0] != '\0')
		(void)printf("new group %s\n", change->new_group);
	if (rc != 0 && err->kind != ERROR_SYSTEM)
		(void)error_prefix(err, "nothing was set: ");
	return rc;
}

int
device_set(int argc, char **argv)
{
	const char *uri = NULL, *key = NULL;
	struct change change = { .assignments = { 0 } };
	const struct cmd_option options[] = {
		DEVICE_INVENTORY_OPTION(&uri),
		DEVICE_KEY_OPTION(&key),
		{ .name = "unset",
		    .letter = 'u',
		    .value = "NAME",
		    .help = "unset a variable (may be given several times)",
		    .texts = &change.unset },
	};
	const struct cmd_syntax syntax = { "sprov device set",
		"TARGET [NAME=VALUE...]",
		"TARGET is a MAC address, group:NAME, tag:NAME, model:MODEL or"
		" default.\nFields of a device: model, firmware, serial, group,"
		" tags, state;\nof a group: parent, kind (tenant, site,"
		" group).\nOther names are variables.\n" VALUE_HELP,
		options, LENGTH(options), 1, -1 };
	struct error err = { 0 };
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status >= 0)
		goto out;
	if (argc - first == 1 && change.unset.count == 0) {
		cmd_error("nothing to set; see sprov device set --help");
		status = CMD_USAGE;
		goto out;
	}
	status = CMD_FAILED;
	if (device_target_parse(&change.target, argv[first], &err) == 0 &&
	    assignments_parse(&change.assignments, argc - first - 1,
		argv + first + 1, &err) == 0 &&
	    change_inventory(uri, key, &change, &err) == 0)
		status = CMD_DONE;
	if (status == CMD_FAILED && err.kind != ERROR_NONE)
		cmd_error("%s", err.text);
out:
	assignments_clear(&change.assignments);
	free(change.unset.text);
	return status;
}

static bool
is_among(const struct device_target *targets, size_t count,
    const struct device_target *target)
{
	for (size_t i = 0; i < count; i++)
		if (targets[i].is_device == target->is_device &&
		    (target->is_device ?
			    mac_equal(&targets[i].mac, &target->mac) :
			    targets[i].kind == target->kind &&
				strcmp(targets[i].name, target->name) == 0))
			return true;
	return false;
}

/* What of each kind was removed. */
struct removed {
	size_t devices, others;
};

/* All or none; each that is missing is named. */
static int
remove_all(struct inventory *inventory, const struct device_target *targets,
    size_t count, struct removed *removed, struct error *err)
{
	bool good = true;
	int rc;

	*removed = (struct removed) { 0 };
	if (inventory_begin(inventory, err) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const struct device_target *target = &targets[i];

		if (is_among(targets, i, target))
			continue; /* named twice */
		rc = target->is_device ?
		    inventory_remove_device(inventory, &target->mac, err) :
		    inventory_remove_scope(inventory, target->kind,
			target->name, err);
		if (rc == 0) {
			removed->devices += target->is_device;
			removed->others += !target->is_device;
			continue;
		}
		if (err->kind != ERROR_NOT_FOUND)
			return -1;
		cmd_error("%s", err->text);
		good = false;
	}
	if (good)
		return inventory_commit(inventory, err);
	return error_set(err, ERROR_NOT_FOUND,
	    "nothing was removed; \"sprov device list\" says what is there");
}

int
device_remove(int argc, char **argv)
{
	const char *uri = NULL, *key = NULL;
	const struct cmd_option options[] = { DEVICE_INVENTORY_OPTION(&uri),
		DEVICE_KEY_OPTION(&key) };
	const struct cmd_syntax syntax = { "sprov device remove", "TARGET...",
		"Remove devices (by MAC address), empty groups (group:NAME), "
		"tags"
		" (tag:NAME) and\nthe variables of a model (model:MODEL) or of"
		" all (default): all or none.\n",
		options, LENGTH(options), 1, -1 };
	struct inventory *inventory;
	struct error err = { 0 };
	struct device_target *targets;
	struct removed removed = { 0 };
	size_t count;
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status >= 0)
		return status;
	count = (size_t)(argc - first);
	targets = xcalloc(count, sizeof(*targets));
	status = CMD_FAILED;
	for (size_t i = 0; i < count; i++)
		if (device_target_parse(&targets[i], argv[first + (int)i],
			&err) != 0)
			goto out;
	if ((inventory = device_open_with(uri, key, "device remove")) == NULL)
		goto out;
	if (remove_all(inventory, targets, count, &removed, &err) == 0) {
		status = CMD_DONE;
		if (removed.devices > 0)
			(void)printf("removed %zu %s\n",
			    DEVICES(removed.devices));
		if (removed.others > 0)
			(void)printf("removed %zu %s\n", removed.others,
			    removed.others == 1 ? "group, tag or model" :
						  "groups, tags or models");
	}
	inventory_close(inventory);
out:
	if (status != CMD_DONE && err.kind != ERROR_NONE)
		cmd_error("%s", err.text);
	free(targets);
	return status;
}
