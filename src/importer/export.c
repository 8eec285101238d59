/*
 * What "sprov device export --format json" writes: types, groups, tags, models,
 * defaults and devices, so that an inventory comes back as it was.
 *
 *     {"types": {"vlan": "integer 1..4094"},
 *      "scopes": [{"target": "group:berlin", "kind": "site",
 *                  "parent": "acme", "variables": {"proxy": "..."}}],
 *      "devices": [{"mac": "000e08aabbcc", "model": "SPA504G",
 *                   "group": "berlin", "tags": [], "variables": {}}]}
 *
 * The members of both lists are read one by one, so that a large fleet is not
 * held as JSON, and what is said of them names their line.
 */
#include "importer/importer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/crypto.h>

#include "base/mem.h"
#include "base/text.h"
#include "spa/firmware.h"
#include "spa/registry.h"

#define BLANKS " \t\r\n"
#define SHOWN_BYTES 72
#define NAME_BYTES (INVENTORY_NAME_MAX + 1)

struct reading {
	struct fleet *fleet;
	const struct importer_options *options;
	const char *name; /* of the file */
	const char *text;
	size_t len, at;
	size_t line, counted; /* the line that begins or goes on at counted */
	char place[FLEET_PLACE_MAX];
};

typedef void take_member(struct reading *reading, const json_t *member);

/* "fleet.json:12" of what comes next. */
static const char *
place(struct reading *reading)
{
	for (; reading->counted < reading->at; reading->counted++)
		reading->line += reading->text[reading->counted] == '\n';
	(void)snprintf(reading->place, sizeof(reading->place), "%s:%zu",
	    reading->name, reading->line);
	return reading->place;
}

static void
skip_blanks(struct reading *reading)
{
	while (reading->at < reading->len &&
	    reading->text[reading->at] != '\0' &&
	    strchr(BLANKS, reading->text[reading->at]) != NULL)
		reading->at++;
}

static bool
skip(struct reading *reading, char c)
{
	skip_blanks(reading);
	if (reading->at == reading->len || reading->text[reading->at] != c)
		return false;
	reading->at++;
	return true;
}

static bool
expect(struct reading *reading, char c)
{
	if (skip(reading, c))
		return true;
	fleet_say(reading->fleet, FLEET_ERROR, "%s: expected \"%c\"%s",
	    place(reading), c,
	    reading->at == reading->len ? ", but the file ends" : "");
	return false;
}

/* One value of any kind; NULL, and said, when it is none. */
static json_t *
read_value(struct reading *reading)
{
	json_error_t error;
	json_t *json;

	skip_blanks(reading);
	json = json_loadb(reading->text + reading->at,
	    reading->len - reading->at,
	    JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY,
	    &error);
	if (json != NULL) {
		reading->at += (size_t)error.position;
		return json;
	}
	(void)place(reading);
	fleet_say(reading->fleet, FLEET_ERROR, "%s:%zu:%d: %s", reading->name,
	    reading->line + (error.line > 0 ? (size_t)error.line - 1 : 0),
	    error.column, error.text);
	return NULL;
}

/* A member that is text; "" when it is not there or null.  NULL, and said, when
 * it is anything else. */
static const char *
text_of(struct reading *reading, const json_t *json, const char *name)
{
	const json_t *value = json_object_get(json, name);

	if (value == NULL || json_is_null(value))
		return "";
	if (json_is_string(value))
		return json_string_value(value);
	fleet_say(reading->fleet, FLEET_ERROR, "%s: \"%s\": expected a text",
	    reading->place, name);
	return NULL;
}

/* The same into a field. */
static bool
take_name(struct reading *reading, const json_t *json, const char *name,
    char field[static NAME_BYTES])
{
	const char *text = text_of(reading, json, name);

	if (text == NULL)
		return false;
	if (strlen(text) > INVENTORY_NAME_MAX) {
		fleet_say(reading->fleet, FLEET_ERROR,
		    "%s: \"%s\" is longer than %d bytes", reading->place, name,
		    INVENTORY_NAME_MAX);
		return false;
	}
	memcpy(field, text, strlen(text) + 1);
	return true;
}

static void
take_variables(struct reading *reading, const json_t *json,
    struct variables *variables)
{
	json_t *list = json_object_get(json, "variables"), *value;
	const char *name;

	if (list != NULL && !json_is_object(list))
		fleet_say(reading->fleet, FLEET_ERROR,
		    "%s: \"variables\": expected an object", reading->place);
	json_object_foreach(list, name, value)
	{
		if (json_is_string(value))
			fleet_set(reading->fleet, variables, name,
			    json_string_value(value), reading->place);
		else
			fleet_say(reading->fleet, FLEET_ERROR,
			    "%s: the variable \"%.63s\": expected a text",
			    reading->place, name);
	}
}

/* What nobody here knows may be of a later version; it is not taken. */
static void
check_members(struct reading *reading, const json_t *json,
    const char *const *known, size_t count)
{
	json_t *value;
	const char *name;

	json_object_foreach((json_t *)(uintptr_t)json, name, value)
	{
		size_t i = 0;

		while (i < count && strcmp(known[i], name) != 0)
			i++;
		if (i == count)
			fleet_say(reading->fleet, FLEET_LEFT_OUT,
			    "%s: \"%.63s\" is not known here", reading->place,
			    name);
	}
}

/* "group:berlin", as export and "sprov device set" spell it. */
static struct scope *
find_scope(struct reading *reading, const char *target)
{
	static const struct {
		const char *before;
		enum scope_kind kind;
	} kinds[] = { { "model:", SCOPE_MODEL }, { "group:", SCOPE_GROUP },
		{ "tag:", SCOPE_TAG } };
	char shown[SHOWN_BYTES];

	if (strcmp(target, "default") == 0)
		return fleet_scope(reading->fleet, SCOPE_DEFAULT, "");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const char *name = target + strlen(kinds[i].before);

		if (text_starts(target, kinds[i].before) && *name != '\0' &&
		    strlen(name) <= INVENTORY_NAME_MAX)
			return fleet_scope(reading->fleet, kinds[i].kind, name);
	}
	text_escape(target, strlen(target), shown, sizeof(shown));
	fleet_say(reading->fleet, FLEET_ERROR,
	    "%s: \"target\": \"%s\": expected group:NAME, tag:NAME, model:NAME "
	    "or default",
	    reading->place, shown);
	return NULL;
}

static void
take_scope(struct reading *reading, const json_t *json)
{
	static const char *const known[] = { "target", "variables", "kind",
		"parent" };
	const char *target = text_of(reading, json, "target");
	const char *kind = text_of(reading, json, "kind");
	struct error err = { 0 };
	struct scope *scope;

	if (target == NULL || kind == NULL ||
	    (scope = find_scope(reading, target)) == NULL)
		return;
	if (*kind != '\0' &&
	    group_kind_parse(kind, &scope->group_kind, &err) != 0)
		fleet_say(reading->fleet, FLEET_ERROR, "%s: %s", reading->place,
		    err.text);
	(void)take_name(reading, json, "parent", scope->parent);
	take_variables(reading, json, &scope->variables);
	check_members(reading, json, known, sizeof(known) / sizeof(*known));
}

static void
take_tags(struct reading *reading, const json_t *json, struct tags *tags)
{
	const json_t *list = json_object_get(json, "tags");
	struct error err = { 0 };
	json_t *tag;
	size_t i;

	if (list != NULL && !json_is_array(list))
		fleet_say(reading->fleet, FLEET_ERROR,
		    "%s: \"tags\": expected a list", reading->place);
	json_array_foreach(list, i, tag)
	{
		if (!json_is_string(tag))
			(void)error_set(&err, ERROR_INPUT,
			    "\"tags\": expected texts");
		if (err.kind != ERROR_NONE ||
		    tags_add(tags, json_string_value(tag), &err) != 0) {
			fleet_say(reading->fleet, FLEET_ERROR, "%s: %s",
			    reading->place, err.text);
			return;
		}
	}
}

/* Spelled as the registry has it; the nearest one is suggested. */
static void
check_model(struct reading *reading, struct device *device)
{
	const struct model *near = NULL;
	const struct model *model = registry_find_model(device->model, &near);
	char shown[SHOWN_BYTES];

	if (model != NULL) {
		(void)snprintf(device->model, sizeof(device->model), "%s",
		    model->name);
		return;
	}
	text_escape(device->model, strlen(device->model), shown, sizeof(shown));
	fleet_say(reading->fleet, FLEET_ERROR, "%s: unknown model \"%s\"%s%s%s",
	    reading->place, shown, near != NULL ? "; did you mean " : "",
	    near != NULL ? near->name : "", near != NULL ? "?" : "");
}

static void
take_fields(struct reading *reading, const json_t *json, struct device *device)
{
	const char *state = text_of(reading, json, "state");
	struct firmware firmware;
	struct error err = { 0 };

	if (!take_name(reading, json, "model", device->model) ||
	    !take_name(reading, json, "firmware", device->firmware) ||
	    !take_name(reading, json, "serial", device->serial) ||
	    !take_name(reading, json, "group", device->group) || state == NULL)
		return;
	if ((*state != '\0' &&
		device_state_parse(state, &device->state, &err) != 0) ||
	    (*device->firmware != '\0' &&
		firmware_parse(&firmware, device->firmware, &err) != 0)) {
		fleet_say(reading->fleet, FLEET_ERROR, "%s: %s", reading->place,
		    err.text);
		return;
	}
	if (importer_finish_device(reading->fleet, device, reading->options,
		reading->place))
		check_model(reading, device);
}

static void
take_device(struct reading *reading, const json_t *json)
{
	static const char *const known[] = { "mac", "model", "firmware",
		"serial", "group", "tags", "state", "variables" };
	const char *text = text_of(reading, json, "mac");
	struct device *device;
	struct mac mac;

	if (text == NULL)
		return;
	if (!mac_read(&mac, text, strlen(text))) {
		fleet_say(reading->fleet, FLEET_ERROR,
		    "%s: \"mac\": expected 12 hex digits, bare or in pairs "
		    "split by ':' or '-'",
		    reading->place);
		return;
	}
	if (fleet_find(reading->fleet, &mac) != NULL) {
		fleet_say(reading->fleet, FLEET_ERROR,
		    "%s: the device is at %s already", reading->place,
		    fleet_place(reading->fleet, &mac));
		return;
	}
	device = fleet_add(reading->fleet, &mac, reading->place);
	if (device == NULL)
		return;
	take_fields(reading, json, device);
	take_tags(reading, json, &device->tags);
	take_variables(reading, json, &device->variables);
	check_members(reading, json, known, sizeof(known) / sizeof(*known));
}

/* false: nothing behind it can be read. */
static bool
read_list(struct reading *reading, const char *name, take_member *take)
{
	bool first = true;

	if (!expect(reading, '['))
		return false;
	for (; !skip(reading, ']'); first = false) {
		json_t *json;

		if (!first && !expect(reading, ','))
			return false;
		skip_blanks(reading);
		(void)place(reading);
		json = read_value(reading);
		if (json == NULL)
			return false;
		if (json_is_object(json))
			take(reading, json);
		else
			fleet_say(reading->fleet, FLEET_ERROR,
			    "%s: \"%s\": expected objects", reading->place,
			    name);
		json_decref(json);
	}
	return true;
}

static bool
read_types(struct reading *reading)
{
	json_t *json, *value;
	const char *name;

	skip_blanks(reading);
	(void)place(reading);
	if ((json = read_value(reading)) == NULL)
		return false;
	if (!json_is_object(json))
		fleet_say(reading->fleet, FLEET_ERROR,
		    "%s: \"types\": expected an object", reading->place);
	json_object_foreach(json, name, value) fleet_type(reading->fleet, name,
	    json_is_string(value) ? json_string_value(value) : "",
	    reading->place);
	json_decref(json);
	return true;
}

/* What stands behind a name of the outermost object. */
static bool
read_member(struct reading *reading, const char *name)
{
	json_t *json;

	if (strcmp(name, "types") == 0)
		return read_types(reading);
	if (strcmp(name, "scopes") == 0)
		return read_list(reading, name, take_scope);
	if (strcmp(name, "devices") == 0)
		return read_list(reading, name, take_device);
	fleet_say(reading->fleet, FLEET_LEFT_OUT,
	    "%s: \"%.63s\" is not known "
	    "here",
	    place(reading), name);
	json = read_value(reading);
	json_decref(json);
	return json != NULL;
}

static void
read_all(struct reading *reading)
{
	bool first = true;

	if (!expect(reading, '{'))
		return;
	for (; !skip(reading, '}'); first = false) {
		json_t *name;
		bool good;

		if ((!first && !expect(reading, ',')) ||
		    (name = read_value(reading)) == NULL)
			return;
		good = json_is_string(name);
		if (!good)
			fleet_say(reading->fleet, FLEET_ERROR,
			    "%s: expected a name in quotes", place(reading));
		good = good && expect(reading, ':') &&
		    read_member(reading, json_string_value(name));
		json_decref(name);
		if (!good)
			return;
	}
	skip_blanks(reading);
	if (reading->at < reading->len)
		fleet_say(reading->fleet, FLEET_ERROR,
		    "%s: something stands behind the last \"}\"",
		    place(reading));
	else if (first)
		fleet_say(reading->fleet, FLEET_ERROR,
		    "%s: it is empty: expected what \"sprov device export "
		    "--format json\" writes",
		    reading->name);
}

void
import_export_text(struct fleet *fleet, const char *name, mode_t mode,
    const char *text, size_t len, const struct importer_options *options)
{
	struct reading reading = { .fleet = fleet,
		.options = options,
		.name = name,
		.text = text,
		.len = len,
		.line = 1 };

	(void)mode;
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		reading.at = 3;
	read_all(&reading);
}

void
import_export(struct fleet *fleet, const char *path,
    const struct importer_options *options)
{
	char *text = NULL;
	size_t len = 0;
	mode_t mode = 0;

	if (!importer_read_file(fleet, path, IMPORTER_FILE_MAX, &text, &len,
		&mode))
		return;
	import_export_text(fleet, path, mode, text, len, options);
	OPENSSL_cleanse(text, len);
	free(text);
}
