/*
 * The inventory as a file: devices as CSV that "import" reads, or all of it as
 * JSON.
 *
 * A variable that some devices do not set is an empty cell there, and an empty
 * cell sets nothing; so the CSV of devices comes back as it was, unless a
 * value is set to nothing.  Secrets that are left out leave their column out:
 * an import of the file keeps what is there.
 */
#include "cmd/device_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "inventory/import.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define FIELDS 7 /* columns before those of variables */

struct export
{
	struct inventory *inventory;
	bool secrets;
	char **names; /* of the columns of variables, in order */
	size_t name_count;
	size_t count, empty;
	struct error *err;
};

static bool
is_shown(const struct export *export, const struct variable *variable)
{
	return export->secrets ||
	    (!variable->sealed &&
		!inventory_is_secret(export->inventory, variable->name));
}

/* Where a name is among those known, or would be. */
static size_t
find_name(const struct export *export, const char *name, bool *found)
{
	size_t low = 0, high = export->name_count;

	*found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(export->names[middle], name);

		*found = order == 0;
		if (*found)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int
collect_names(const struct device *device, void *arg)
{
	struct export *export = arg;

	for (size_t i = 0; i < device->variables.count; i++) {
		const struct variable *variable = &device->variables.list[i];
		bool found;
		size_t at = find_name(export, variable->name, &found);

		if (found || !is_shown(export, variable))
			continue;
		if (export->name_count >= IMPORT_COLUMNS_MAX - FIELDS)
			return error_set(export->err, ERROR_INPUT,
			    "more than %d different variables on devices: a "
			    "CSV of so many columns could not be imported; "
			    "use --format json",
			    IMPORT_COLUMNS_MAX - FIELDS);
		export->names = xrealloc(export->names,
		    (export->name_count + 1) * sizeof(*export->names));
		memmove(export->names + at + 1, export->names + at,
		    (export->name_count - at) * sizeof(*export->names));
		export->names[at] = xstrdup(variable->name);
		export->name_count++;
	}
	return 0;
}

/* RFC 4180: quoted when it has to be. */
static void
write_cell(const char *text, bool first)
{
	if (!first)
		(void)putchar(',');
	if (strpbrk(text, ",;\t\"\r\n") == NULL && text[0] != ' ' &&
	    (text[0] == '\0' || text[strlen(text) - 1] != ' ')) {
		(void)fputs(text, stdout);
		return;
	}
	(void)putchar('"');
	for (; *text != '\0'; text++) {
		if (*text == '"')
			(void)putchar('"');
		(void)putchar(*text);
	}
	(void)putchar('"');
}

static int
write_device(const struct device *device, void *arg)
{
	struct export *export = arg;
	char mac[MAC_TEXT_BYTES];
	char *tags = tags_format(&device->tags);
	const char *const cells[FIELDS] = { mac, device->model,
		device->firmware, device->serial, device->group, tags,
		device_state_name(device->state) };

	mac_format(&device->mac, mac);
	for (size_t i = 0; i < FIELDS; i++)
		write_cell(cells[i], i == 0);
	for (size_t i = 0; i < export->name_count; i++) {
		const char *value = variables_get(&device->variables,
		    export->names[i]);

		export->empty += value != NULL && *value == '\0';
		write_cell(value != NULL ? value : "", false);
	}
	(void)putchar('\n');
	free(tags);
	export->count++;
	return 0;
}

static int
write_csv(struct export *export, struct error *err)
{
	static const char *const fields[FIELDS] = { "mac", "model", "firmware",
		"serial", "group", "tags", "state" };

	if (inventory_each_device(export->inventory, collect_names, export,
		err) != 0)
		return -1;
	for (size_t i = 0; i < FIELDS; i++)
		write_cell(fields[i], i == 0);
	for (size_t i = 0; i < export->name_count; i++)
		write_cell(export->names[i], false);
	(void)putchar('\n');
	if (inventory_each_device(export->inventory, write_device, export,
		err) != 0)
		return -1;
	if (export->empty > 0)
		cmd_error("%zu %s set to nothing, which a CSV cannot say; "
			  "--format json can",
		    export->empty,
		    export->empty == 1 ? "value is" : "values are");
	return 0;
}

static json_t *
json_variables(const struct export *export, const struct variables *variables)
{
	json_t *object = json_object();

	for (size_t i = 0; i < variables->count; i++) {
		const struct variable *variable = &variables->list[i];

		if (is_shown(export, variable) && !variable->sealed)
			(void)json_object_set_new(object, variable->name,
			    json_string(variable->value));
	}
	return object;
}

/* One object per line, so that a large fleet is not held in memory. */
static int
write_object(struct export *export, json_t *object)
{
	int rc = object != NULL ? 0 : -1;

	(void)fputs(export->count++ > 0 ? ",\n" : "\n", stdout);
	if (rc == 0)
		rc = json_dumpf(object, stdout, JSON_COMPACT);
	json_decref(object);
	return rc == 0 ?
	    0 :
	    error_set(export->err, ERROR_SYSTEM, "cannot write JSON");
}

static int
json_scope(const struct scope *scope, void *arg)
{
	struct export *export = arg;
	char target[TARGET_TEXT_BYTES];
	json_t *object;

	device_target_format(scope->kind, scope->name, target);
	object = json_pack("{ss so}", "target", target, "variables",
	    json_variables(export, &scope->variables));
	if (scope->kind == SCOPE_GROUP) {
		(void)json_object_set_new(object, "kind",
		    json_string(group_kind_name(scope->group_kind)));
		(void)json_object_set_new(object, "parent",
		    json_string(scope->parent));
	}
	return write_object(export, object);
}

static int
json_device(const struct device *device, void *arg)
{
	struct export *export = arg;
	char mac[MAC_TEXT_BYTES];
	json_t *tags = json_array();

	mac_format(&device->mac, mac);
	for (size_t i = 0; i < device->tags.count; i++)
		(void)json_array_append_new(tags,
		    json_string(device->tags.list[i]));
	return write_object(export,
	    json_pack("{ss ss ss ss ss so ss so}", "mac", mac, "model",
		device->model, "firmware", device->firmware, "serial",
		device->serial, "group", device->group, "tags", tags, "state",
		device_state_name(device->state), "variables",
		json_variables(export, &device->variables)));
}

static int
write_json(struct export *export, struct error *err)
{
	const struct types *types = inventory_types(export->inventory, err);

	if (types == NULL)
		return -1;
	(void)fputs("{\"types\":{", stdout);
	for (size_t i = 0; i < types->count; i++) {
		json_t *text = json_string(types->list[i].type.text);

		(void)printf("%s\"%s\":", i > 0 ? "," : "",
		    types->list[i].name);
		(void)json_dumpf(text, stdout, JSON_ENCODE_ANY);
		json_decref(text);
	}
	(void)fputs("},\n\"scopes\":[", stdout);
	if (inventory_each_scope(export->inventory, json_scope, export, err) !=
	    0)
		return -1;
	(void)fputs("],\n\"devices\":[", stdout);
	export->count = 0;
	if (inventory_each_device(export->inventory, json_device, export,
		err) != 0)
		return -1;
	(void)fputs("]}\n", stdout);
	return 0;
}

/* Secrets that nobody can read must not be taken for values. */
static int
check_key(struct inventory *inventory, bool secrets, struct error *err)
{
	struct inventory_secrets kept;

	if (!secrets)
		return 0;
	if (inventory_count_secrets(inventory, &kept, err) != 0)
		return -1;
	if (kept.sealed == 0 || inventory_has_key(inventory))
		return 0;
	return error_set(err, ERROR_DENIED,
	    "%zu secrets are sealed with the key %s: name its file with "
	    "--secrets-key",
	    kept.sealed, kept.key_id);
}

int
device_export(int argc, char **argv)
{
	const char *uri = NULL, *key = NULL, *format = "csv";
	struct error err = { 0 };
	struct export export = { .err = &err };
	const struct cmd_option options[] = {
		DEVICE_INVENTORY_OPTION(&uri),
		DEVICE_KEY_OPTION(&key),
		{ .name = "format",
		    .value = "NAME",
		    .help = "csv (default): the devices; json: everything",
		    .text = &format },
		{ .name = "secrets",
		    .help = "passwords, keys and PINs too, in clear",
		    .flag = &export.secrets },
	};
	const struct cmd_syntax syntax = { "sprov device export", "",
		"Write the devices as CSV for \"sprov device import\", or all "
		"as JSON:\n"
		"types, groups, tags, models, defaults and devices.  Without "
		"--secrets the\n"
		"secrets are left out; an import with --update keeps those "
		"that are there.\n",
		options, LENGTH(options), 0, 0 };
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status >= 0)
		return status;
	if (strcmp(format, "csv") != 0 && strcmp(format, "json") != 0) {
		cmd_error("--format \"%.20s\": expected csv or json", format);
		return CMD_USAGE;
	}
	export.inventory = device_open_with(uri, key, NULL);
	if (export.inventory == NULL)
		return CMD_FAILED;
	status = CMD_DONE;
	if (check_key(export.inventory, export.secrets, &err) != 0 ||
	    (strcmp(format, "csv") == 0 ? write_csv(&export, &err) :
					  write_json(&export, &err)) != 0)
		status = cmd_fail(&err);
	if (fflush(stdout) != 0 && status == CMD_DONE) {
		cmd_error("cannot write the export");
		status = CMD_FAILED;
	}
	for (size_t i = 0; i < export.name_count; i++)
		free(export.names[i]);
	free(export.names);
	inventory_close(export.inventory);
	return status;
}
