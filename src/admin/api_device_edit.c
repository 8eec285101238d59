/*
 * Adding, changing and removing devices.
 */
#include "admin/call.h"
#include "admin/handlers.h"
#include "admin/writing.h"
#include "base/text.h"
#include "inventory/tags.h"
#include "provision/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------- fields */

/* A list of texts becomes the text that tags_parse() reads. */
static int
set_tags(struct tags *tags, const json_t *json, struct error *err)
{
	struct tags fresh = { 0 };
	int rc = json_is_array(json) ?
	    0 :
	    error_set(err, ERROR_INPUT, "expected a list of texts");

	for (size_t i = 0; rc == 0 && i < json_array_size(json); i++) {
		const char *name = json_string_value(json_array_get(json, i));

		rc = name != NULL ?
		    tags_add(&fresh, name, err) :
		    error_set(err, ERROR_INPUT, "expected a list of texts");
	}
	if (rc != 0) {
		tags_clear(&fresh);
		return error_prefix(err, "tags: ");
	}
	tags_clear(tags);
	*tags = fresh;
	return 0;
}

static int
unknown_field(const char *name, struct error *err)
{
	static const char *const names[] = { "model", "firmware", "serial",
		"group", "state", "tags", "variables" };
	const char *nearest = text_nearest(name, names,
	    sizeof(names) / sizeof(*names));
	char shown[64];

	text_escape(name, strlen(name), shown, sizeof(shown));
	return error_set(err, ERROR_INPUT,
	    "%s: expected model, firmware, serial, group, state, tags or "
	    "variables%s%s%s",
	    shown, nearest != NULL ? "; did you mean " : "",
	    nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
}

static int
set_field(struct device *device, const char *name, const json_t *value,
    struct error *err)
{
	static const char *const texts[] = { "model", "firmware", "serial",
		"group", "state" };

	if (strcmp(name, "tags") == 0)
		return set_tags(&device->tags, value, err);
	if (strcmp(name, "variables") == 0)
		return writing_set_variables(&device->variables, value, err);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (strcmp(name, texts[i]) != 0)
			continue;
		/* RFC 7396: null takes away what may be unknown. */
		if (!json_is_string(value) && !json_is_null(value))
			return error_set(err, ERROR_INPUT,
			    "%s: expected a text", name);
		if (fields_set_device(device, name,
			json_is_null(value) ? "" : json_string_value(value),
			err) == 0)
			return 0;
		return error_prefix(err, "%s: ", name);
	}
	return unknown_field(name, err);
}

/* As json says; with mac it says that, too. */
static int
set_fields(struct device *device, json_t *json, bool mac, struct error *err)
{
	const char *name;
	json_t *value;

	if (!json_is_object(json))
		return error_set(err, ERROR_INPUT,
		    "expected an object, such as {\"group\": \"east\"}");
	json_object_foreach(json, name, value)
	{
		if (mac && strcmp(name, "mac") == 0)
			continue;
		if (set_field(device, name, value, err) != 0)
			return -1;
	}
	return 0;
}

static json_t *
tags_json(const struct tags *tags)
{
	json_t *list = json_array();

	for (size_t i = 0; i < tags->count; i++)
		(void)json_array_append_new(list, json_string(tags->list[i]));
	return list;
}

static void
answer_device(struct call *call, int status, struct inventory *inventory,
    const struct device *device)
{
	char mac[MAC_TEXT_BYTES], tag[WRITING_TAG_BYTES];
	json_t *json;

	mac_format(&device->mac, mac);
	writing_tag_device(call, device, tag);
	memcpy(call->version, tag, sizeof(tag));
	json = json_pack("{ss ss ss ss ss ss so}", "mac", mac, "model",
	    device->model, "firmware", device->firmware, "serial",
	    device->serial, "group", device->group, "state",
	    device_state_name(device->state), "tags", tags_json(&device->tags));
	writing_show_variables(json, inventory, &device->variables);
	call_json(call, status, json);
}

/* ---------------------------------------------------------------------- add */

static int
read_new(struct device *device, json_t *json, struct error *err)
{
	const char *mac = json_string_value(json_object_get(json, "mac"));

	if (mac == NULL)
		return error_set(err, ERROR_INPUT,
		    "mac: expected the device's MAC address as a text");
	if (mac_parse(&device->mac, mac, err) != 0)
		return error_prefix(err, "mac: ");
	if (set_fields(device, json, true, err) != 0)
		return -1;
	return *device->model != '\0' ?
	    0 :
	    error_set(err, ERROR_INPUT,
		"model: expected one such as SPA504G or ATA192");
}

static void
add(struct call *call, struct inventory *inventory, const struct device *device)
{
	char mac[MAC_TEXT_BYTES];
	struct device there;
	struct error err;

	mac_format(&device->mac, mac);
	if (inventory_get_device(inventory, &device->mac, &there, &err) == 0) {
		/* Of another tenant nobody learns more than of a mistake. */
		device_clear(&there);
		call_problem(call, 409, "the device %s is there already", mac);
		return;
	}
	if (writing_check_group(call, inventory, device->group, &err) != 0 ||
	    inventory_add_device(inventory, device, &err) != 0) {
		call_error(call, &err);
		return;
	}
	if (!writing_commit(call, inventory))
		return;
	call_add_field(call, "Location: /api/v1/devices/%s", mac);
	answer_device(call, 201, inventory, device);
}

void
api_device_add(struct call *call, const char *text)
{
	struct device device = { .state = DEVICE_ACTIVE };
	struct inventory *inventory;
	struct error err;
	json_t *json;

	(void)text;
	if (!call_no_others(call) || (json = call_body_json(call)) == NULL)
		return;
	if (read_new(&device, json, &err) != 0) {
		call_error(call, &err);
	} else if ((inventory = writing_begin(call, "device add")) != NULL) {
		add(call, inventory, &device);
		writing_end(call, inventory);
	}
	device_clear(&device);
	call_wipe_json(json);
}

/* -------------------------------------------------------- change and remove */

/* The device of the path, if the caller may see it and has the version that he
 * believes to have; the caller's to clear.  False: a problem is the answer. */
static bool
find(struct call *call, struct inventory *inventory, const char *text,
    struct device *device)
{
	char tag[WRITING_TAG_BYTES];
	struct error err;
	struct mac mac;

	if (mac_parse(&mac, text, &err) != 0 ||
	    inventory_get_device(inventory, &mac, device, &err) != 0) {
		if (err.kind == ERROR_INPUT || err.kind == ERROR_NOT_FOUND)
			call_problem(call, 404, "there is no such device");
		else
			call_error(call, &err);
		return false;
	}
	if (writing_may(call, inventory, device->group)) {
		writing_tag_device(call, device, tag);
		if (writing_matches(call, tag))
			return true;
	} else {
		call_problem(call, 404, "there is no such device");
	}
	device_clear(device);
	return false;
}

static void
change(struct call *call, struct inventory *inventory, const char *text,
    json_t *json)
{
	struct device device;
	struct error err;

	if (!find(call, inventory, text, &device))
		return;
	if (set_fields(&device, json, false, &err) != 0 ||
	    writing_check_group(call, inventory, device.group, &err) != 0 ||
	    inventory_update_device(inventory, &device, &err) != 0)
		call_error(call, &err);
	else if (writing_commit(call, inventory))
		answer_device(call, 200, inventory, &device);
	device_clear(&device);
}

void
api_device_change(struct call *call, const char *text)
{
	struct inventory *inventory;
	json_t *json;

	if (!call_no_others(call) || (json = call_body_json(call)) == NULL)
		return;
	inventory = writing_begin(call, "device set");
	if (inventory != NULL) {
		change(call, inventory, text, json);
		writing_end(call, inventory);
	}
	call_wipe_json(json);
}

void
api_device_remove(struct call *call, const char *text)
{
	struct inventory *inventory;
	struct device device;
	struct error err;

	if (!call_no_others(call))
		return;
	inventory = writing_begin(call, "device remove");
	if (inventory == NULL)
		return;
	if (find(call, inventory, text, &device)) {
		if (inventory_remove_device(inventory, &device.mac, &err) != 0)
			call_error(call, &err);
		else if (writing_commit(call, inventory))
			call_done(call);
		device_clear(&device);
	}
	writing_end(call, inventory);
}
