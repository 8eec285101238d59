/*
 * What wazo-provd keeps: devices and configs, as JSON.
 *
 * Read are a file with both ({"devices": [...], "configs": [...]}, the answers
 * of its REST interface put together), a list, a single object, or a folder of
 * such files (its older store, a file an object).  A device names a config,
 * which names parents; the raw_config of parents counts where that of the child
 * says nothing.  Parents become groups, the device's own config becomes its
 * variables.  Source: [WAZO-PROVD], devices/config.py and devices/schemas.py.
 */
#include "importer/importer.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>
#include <openssl/crypto.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "importer/wazo_config.h"
#include "spa/registry.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define JSON_BYTES_MAX (64UL * 1024 * 1024)
#define FILES_MAX 200000
#define SHOWN_BYTES 72

/* An object and where it was. */
struct object {
	json_t *json; /* a reference of ours */
	char *place;
	mode_t mode;
};

struct objects {
	struct object *list;
	size_t count;
};

struct wazo {
	struct fleet *fleet;
	const struct importer_options *options;
	struct objects devices, configs;
	json_t *by_id; /* config id: index in configs */
};

static void
add_object(struct objects *objects, json_t *json, const char *place,
    mode_t mode)
{
	if ((objects->count & (objects->count - 1)) == 0)
		objects->list = xrealloc(objects->list,
		    (objects->count == 0 ? 1 : 2 * objects->count) *
			sizeof(*objects->list));
	objects->list[objects->count++] = (struct object) { json_incref(json),
		xstrdup(place), mode };
}

static void
clear_objects(struct objects *objects)
{
	for (size_t i = 0; i < objects->count; i++) {
		json_decref(objects->list[i].json);
		free(objects->list[i].place);
	}
	free(objects->list);
}

/* A config has a raw_config, a device may have a MAC. */
static void
take_object(struct wazo *wazo, json_t *json, const char *place, mode_t mode)
{
	if (!json_is_object(json))
		fleet_say(wazo->fleet, FLEET_ERROR,
		    "%s: expected an object: a device or a config", place);
	else if (json_object_get(json, "raw_config") != NULL)
		add_object(&wazo->configs, json, place, mode);
	else if (json_object_get(json, "mac") != NULL)
		add_object(&wazo->devices, json, place, mode);
	else
		fleet_say(wazo->fleet, FLEET_LEFT_OUT,
		    "%s: neither a device with a MAC address (\"mac\") nor a "
		    "config (\"raw_config\")",
		    place);
}

static void
take_list(struct wazo *wazo, json_t *list, const char *name, const char *file,
    mode_t mode)
{
	size_t i;
	json_t *json;

	if (!json_is_array(list)) {
		fleet_say(wazo->fleet, FLEET_ERROR, "%s: %s: expected a list",
		    file, name);
		return;
	}
	json_array_foreach(list, i, json)
	{
		char place[FLEET_PLACE_MAX];

		(void)snprintf(place, sizeof(place), "%s: %s[%zu]", file, name,
		    i);
		take_object(wazo, json, place, mode);
	}
}

static void
take_text(struct wazo *wazo, const char *file, mode_t mode, const char *text,
    size_t len)
{
	json_error_t error;
	json_t *json, *devices, *configs;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (json == NULL) {
		char shown[SHOWN_BYTES + 128];

		text_escape(error.text, strlen(error.text), shown,
		    sizeof(shown));
		fleet_say(wazo->fleet, FLEET_ERROR, "%s:%d:%d: %s", file,
		    error.line, error.column, shown);
		return;
	}
	devices = json_object_get(json, "devices");
	configs = json_object_get(json, "configs");
	if (devices != NULL)
		take_list(wazo, devices, "devices", file, mode);
	if (configs != NULL)
		take_list(wazo, configs, "configs", file, mode);
	if (json_is_array(json))
		take_list(wazo, json, "", file, mode);
	else if (devices == NULL && configs == NULL)
		take_object(wazo, json, file, mode);
	json_decref(json);
}

/* The names in a folder and those below it, in their order. */
static void
take_folder(struct wazo *wazo, const char *folder, int depth, size_t *files)
{
	struct dirent **names = NULL;
	int count = scandir(folder, &names, NULL, alphasort);

	if (count < 0)
		fleet_say(wazo->fleet, FLEET_ERROR, "%s: cannot be read",
		    folder);
	for (int i = 0; i < count; i++) {
		char *path = file_join(folder, names[i]->d_name);
		struct stat status;
		char *text = NULL;
		size_t len = 0;
		mode_t mode = 0;

		if (names[i]->d_name[0] == '.' || lstat(path, &status) != 0)
			; /* hidden, or gone */
		else if (S_ISDIR(status.st_mode) && depth > 0)
			take_folder(wazo, path, depth - 1, files);
		else if (S_ISREG(status.st_mode) && ++*files <= FILES_MAX &&
		    importer_read_file(wazo->fleet, path, JSON_BYTES_MAX, &text,
			&len, &mode))
			take_text(wazo, path, mode, text, len);
		if (text != NULL)
			OPENSSL_cleanse(text, len);
		free(text);
		free(path);
		free(names[i]);
	}
	free(names);
}

static const struct object *
find_config(const struct wazo *wazo, const char *id)
{
	const json_t *index = json_object_get(wazo->by_id, id);

	return index != NULL ? &wazo->configs.list[json_integer_value(index)] :
			       NULL;
}

/* The nearest parent; of several the last one, which counts most. */
static const char *
parent_of(const json_t *config)
{
	const json_t *list = json_object_get(config, "parent_ids");
	const char *one = wazo_string(config, "parent_id");

	if (one == NULL && json_array_size(list) > 0)
		one = json_string_value(json_array_get(list,
		    json_array_size(list) - 1));
	return one;
}

/* Is id above the config, by the parents that become groups? */
static bool
is_above(const struct wazo *wazo, const char *id, const char *config)
{
	for (int i = 0; i < INVENTORY_GROUP_DEPTH_MAX && config != NULL; i++) {
		const struct object *object = find_config(wazo, config);

		if (strcmp(config, id) == 0)
			return true;
		config = object != NULL ? parent_of(object->json) : NULL;
	}
	return false;
}

/* Groups form one line; another parent beside it has no place there. */
static void
check_parents(const struct wazo *wazo, const struct object *config)
{
	const json_t *list = json_object_get(config->json, "parent_ids");
	const char *nearest = parent_of(config->json);
	size_t i;
	json_t *json;

	json_array_foreach(list, i, json)
	{
		const char *id = json_string_value(json);

		if (id != NULL && nearest != NULL &&
		    !is_above(wazo, id, nearest))
			fleet_say(wazo->fleet, FLEET_LEFT_OUT,
			    "%s: the parent \"%.63s\" is not taken: it is not "
			    "above the parent \"%.63s\"",
			    config->place, id, nearest);
	}
}

/* The group of a config and, through it, those above. */
static bool
need_group(struct wazo *wazo, const char *id, const char *place, int depth,
    char group[static INVENTORY_NAME_MAX + 1])
{
	const struct object *config = find_config(wazo, id);
	struct scope *scope;
	const char *parent;
	size_t before = fleet_scope_count(wazo->fleet);

	if (config == NULL || strlen(id) > INVENTORY_NAME_MAX ||
	    depth > INVENTORY_GROUP_DEPTH_MAX) {
		fleet_say(wazo->fleet, FLEET_ERROR,
		    "%s: the config \"%.63s\" %s", place, id,
		    config == NULL ?
			"is not among what was read" :
			depth > INVENTORY_GROUP_DEPTH_MAX ?
			"is its own parent, or has too many above it" :
			"has too long a name");
		return false;
	}
	memcpy(group, id, strlen(id) + 1);
	scope = fleet_scope(wazo->fleet, SCOPE_GROUP, id);
	if (fleet_scope_count(wazo->fleet) == before)
		return true;
	wazo_take_raw_config(wazo->fleet, &scope->variables,
	    json_object_get(config->json, "raw_config"), config->place);
	check_parents(wazo, config);
	parent = parent_of(config->json);
	return parent == NULL ||
	    need_group(wazo, parent, config->place, depth + 1, scope->parent);
}

/* The file itself, by its name: the place less what is behind it. */
static void
note_leak(struct wazo *wazo, const struct object *config)
{
	char file[FLEET_PLACE_MAX];
	const char *key;
	json_t *json;

	(void)snprintf(file, sizeof(file), "%.*s",
	    (int)(strstr(config->place, ": ") != NULL ?
		    strstr(config->place, ": ") - config->place :
		    (ptrdiff_t)strlen(config->place)),
	    config->place);

	json_object_foreach(json_object_get(config->json, "raw_config"), key,
	    json)
	{
		bool lines = strcmp(key, "sip_lines") == 0 &&
		    json_object_size(json) > 0;

		if (!lines &&
		    (!variable_is_secret(key) || !json_is_string(json)))
			continue;
		fleet_leak(wazo->fleet, file, config->mode,
		    lines ? "sip_lines.*.password" : key,
		    strcmp(file, config->place) == 0 ?
			1 :
			fleet_device_count(wazo->fleet),
		    "chmod 600 it, and delete it after the import");
	}
}

static void
take_config(struct wazo *wazo, struct device *device, const char *id,
    const char *place)
{
	const struct object *config = find_config(wazo, id);
	const char *parent;

	if (config == NULL) {
		fleet_say(wazo->fleet, FLEET_LEFT_OUT,
		    "%s: its config \"%.63s\" is not among what was read",
		    place, id);
		return;
	}
	wazo_take_raw_config(wazo->fleet, &device->variables,
	    json_object_get(config->json, "raw_config"), config->place);
	check_parents(wazo, config);
	parent = parent_of(config->json);
	if (parent != NULL)
		(void)need_group(wazo, parent, config->place, 1, device->group);
}

static bool
read_fields(struct wazo *wazo, struct device *device,
    const struct object *object, const struct model *model)
{
	static const struct {
		const char *from;
		size_t offset;
	} fields[] = {
		{ "version", offsetof(struct device, firmware) },
		{ "sn", offsetof(struct device, serial) },
	};

	if (model != NULL)
		memcpy(device->model, model->name, strlen(model->name) + 1);
	for (size_t i = 0; i < LENGTH(fields); i++) {
		const char *text = wazo_string(object->json, fields[i].from);

		if (text == NULL)
			continue;
		if (strlen(text) > INVENTORY_NAME_MAX)
			fleet_say(wazo->fleet, FLEET_ERROR,
			    "%s: %s is longer than %d bytes", object->place,
			    fields[i].from, INVENTORY_NAME_MAX);
		else
			memcpy((char *)device + fields[i].offset, text,
			    strlen(text) + 1);
	}
	if (wazo_string(object->json, "tenant_uuid") != NULL)
		fleet_set(wazo->fleet, &device->variables, "tenant",
		    wazo_string(object->json, "tenant_uuid"), object->place);
	if (wazo_string(object->json, "description") != NULL)
		fleet_set(wazo->fleet, &device->variables, "description",
		    wazo_string(object->json, "description"), object->place);
	if (wazo_string(object->json, "ip") != NULL)
		fleet_set(wazo->fleet, &device->variables, "address",
		    wazo_string(object->json, "ip"), object->place);
	return importer_finish_device(wazo->fleet, device, wazo->options,
	    object->place);
}

static void
take_device(struct wazo *wazo, const struct object *object)
{
	struct fleet *fleet = wazo->fleet;
	const char *mac_text = wazo_string(object->json, "mac");
	const char *text = wazo_string(object->json, "model");
	const char *config = wazo_string(object->json, "config");
	const struct model *model = text != NULL ? fleet_find_model(text) :
						   NULL;
	struct device *device;
	struct mac mac;
	char shown[SHOWN_BYTES];

	if (config == NULL)
		config = wazo_string(object->json, "config_id");
	if (mac_text == NULL || !fleet_read_mac(&mac, mac_text)) {
		fleet_say(fleet, FLEET_ERROR,
		    "%s: mac: expected 12 hex digits, as in "
		    "\"00:0e:08:aa:bb:cc\"",
		    object->place);
		return;
	}
	if (text != NULL && model == NULL && wazo->options->model == NULL) {
		text_escape(text, strlen(text), shown, sizeof(shown));
		fleet_say(fleet, FLEET_LEFT_OUT,
		    "%s: \"%s\" is no model that is known", object->place,
		    shown);
		return;
	}
	if (fleet_find(fleet, &mac) != NULL) {
		fleet_say(fleet, FLEET_ERROR,
		    "%s: the device is at %s already: one of the two has to go",
		    object->place, fleet_place(fleet, &mac));
		return;
	}
	device = fleet_add(fleet, &mac, object->place);
	if (device == NULL)
		return;
	if (config != NULL)
		take_config(wazo, device, config, object->place);
	(void)read_fields(wazo, device, object, model);
}

static void
index_configs(struct wazo *wazo)
{
	for (size_t i = 0; i < wazo->configs.count; i++) {
		const struct object *config = &wazo->configs.list[i];
		const char *id = wazo_string(config->json, "id");

		if (id == NULL)
			id = wazo_string(config->json, "_id");
		if (id == NULL ||
		    !json_is_object(json_object_get(config->json,
			"raw_config")))
			fleet_say(wazo->fleet, FLEET_ERROR,
			    "%s: a config needs an \"id\" and an object "
			    "\"raw_config\"",
			    config->place);
		else if (json_object_get(wazo->by_id, id) != NULL)
			fleet_say(wazo->fleet, FLEET_ERROR,
			    "%s: the id \"%.63s\" is that of another config",
			    config->place, id);
		else
			(void)json_object_set_new(wazo->by_id, id,
			    json_integer((json_int_t)i));
	}
}

/* Served without login, as devices of these families fetch it there. */
static void
note_old_server(struct wazo *wazo)
{
	for (size_t i = 0; i < wazo->configs.count; i++) {
		const struct object *config = &wazo->configs.list[i];
		const json_t *raw = json_object_get(config->json, "raw_config");
		const char *url = wazo_string(raw, "http_base_url");
		char shown[SHOWN_BYTES];

		note_leak(wazo, config);
		if (url == NULL && json_object_get(raw, "http_port") == NULL &&
		    json_object_get(raw, "tftp_port") == NULL)
			continue;
		text_escape(url != NULL ? url : "TFTP or HTTP",
		    strlen(url != NULL ? url : "TFTP or HTTP"), shown,
		    sizeof(shown));
		fleet_leak(wazo->fleet, shown, 0, "the profile of each device",
		    fleet_device_count(wazo->fleet),
		    "profiles are fetched there without a login: stop it once "
		    "the devices ask sprov");
	}
}

static void
finish(struct wazo *wazo)
{
	wazo->by_id = json_object();
	index_configs(wazo);
	for (size_t i = 0; i < wazo->devices.count; i++)
		take_device(wazo, &wazo->devices.list[i]);
	note_old_server(wazo);
	if (wazo->devices.count == 0 &&
	    fleet_count(wazo->fleet, FLEET_ERROR) == 0)
		fleet_say(wazo->fleet, FLEET_ERROR,
		    "no device was found: expected objects with \"mac\"");
	json_decref(wazo->by_id);
	clear_objects(&wazo->devices);
	clear_objects(&wazo->configs);
}

void
import_wazo_text(struct fleet *fleet, const char *name, mode_t mode,
    const char *text, size_t len, const struct importer_options *options)
{
	struct wazo wazo = { .fleet = fleet, .options = options };

	take_text(&wazo, name, mode, text, len);
	finish(&wazo);
}

void
import_wazo(struct fleet *fleet, const char *path,
    const struct importer_options *options)
{
	struct wazo wazo = { .fleet = fleet, .options = options };
	struct stat status;
	size_t files = 0, len = 0;
	char *text = NULL;
	mode_t mode = 0;

	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		take_folder(&wazo, path, 2, &files);
	else if (importer_read_file(fleet, path, JSON_BYTES_MAX, &text, &len,
		     &mode))
		take_text(&wazo, path, mode, text, len);
	if (text != NULL)
		OPENSSL_cleanse(text, len);
	free(text);
	finish(&wazo);
}
