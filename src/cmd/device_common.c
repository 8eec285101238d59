#include "cmd/device_common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/audit.h"
#include "pki/seal.h"
#include "server/config.h"
#include "server/config_inventory.h"
#include "spa/firmware.h"
#include "spa/registry.h"

#define DEFAULT_URI "sqlite:/var/lib/sprov/inventory.db"
#define SQLITE "sqlite:"
#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

/* What the server's configuration says; NULL when there is none.  Mistakes in
 * it are the server's to report, not ours. */
static char *
uri_of_server(void)
{
	struct errors errors = { 0 };
	struct config *config = access(CONFIG_DEFAULT_PATH, R_OK) == 0 ?
	    config_load(CONFIG_DEFAULT_PATH, &errors) :
	    NULL;
	char *uri = config != NULL ? xstrdup(config->inventory) : NULL;

	config_free(config);
	errors_clear(&errors);
	return uri;
}

char *
device_find_uri(const char *given)
{
	const char *uri = given != NULL ? given : getenv("SPROV_INVENTORY");
	char *configured;

	if (uri != NULL && *uri != '\0')
		return xstrdup(uri);
	configured = uri_of_server();
	return configured != NULL ? configured : xstrdup(DEFAULT_URI);
}

/* A missing folder is what a first try meets most often. */
static void
advise_on_folder(const char *uri)
{
	char *folder;

	if (!text_starts(uri, SQLITE))
		return;
	folder = file_directory(uri + strlen(SQLITE));
	if (access(folder, F_OK) != 0)
		cmd_error("make the folder %s, or name another inventory with "
			  "--inventory",
		    folder);
	free(folder);
}

/* What the server's configuration names for this inventory; NULL: nothing. */
static char *
key_of_server(const char *uri)
{
	struct errors errors = { 0 };
	struct config *config = access(CONFIG_DEFAULT_PATH, R_OK) == 0 ?
	    config_load(CONFIG_DEFAULT_PATH, &errors) :
	    NULL;
	char *path = NULL;

	if (config != NULL && config->secrets_key != NULL &&
	    strcmp(config->inventory, uri) == 0)
		path = xstrdup(config->secrets_key);
	config_free(config);
	errors_clear(&errors);
	return path;
}

/* -1 when there is a key and it cannot be used. */
static int
use_key(struct inventory *inventory, const char *uri, const char *given,
    struct error *err)
{
	char *path = seal_key_find(given);
	int rc;

	if (path == NULL)
		path = key_of_server(uri);
	rc = config_use_key(inventory, path, NULL, err);
	free(path);
	return rc;
}

void
device_note_clear(const struct inventory *inventory)
{
	if (inventory_clear_writes(inventory) > 0)
		(void)printf("note: secrets are kept in clear; \"sprov device "
			     "reseal\" takes a key into use\n");
}

struct inventory *
device_open(const char *given, const char *change)
{
	return device_open_with(given, NULL, change);
}

struct inventory *
device_open_with(const char *given, const char *key, const char *change)
{
	struct error err = { 0 };
	char *uri = device_find_uri(given);
	struct inventory *inventory = inventory_open(uri, change == NULL, &err);

	if (inventory != NULL) {
		if (use_key(inventory, uri, key, &err) != 0) {
			cmd_error("%s", err.text);
			inventory_close(inventory);
			inventory = NULL;
		} else if (change != NULL) {
			audit_watch(inventory, uri, NULL, change);
		}
		free(uri);
		return inventory;
	}
	cmd_error("%s", err.text);
	if (err.kind == ERROR_NOT_FOUND)
		cmd_error("\"sprov device add\" or \"sprov device import\" "
			  "makes it; --inventory names another one");
	else if (change != NULL)
		advise_on_folder(uri);
	free(uri);
	return NULL;
}

int
device_check_model(const char *text, char name[static INVENTORY_NAME_MAX + 1],
    struct error *err)
{
	const struct model *nearest = NULL;
	const struct model *model = registry_find_model(text, &nearest);
	char shown[64];

	if (model != NULL) {
		(void)snprintf(name, INVENTORY_NAME_MAX + 1, "%s", model->name);
		return 0;
	}
	text_escape(text, strlen(text), shown, sizeof(shown));
	if (nearest != NULL)
		return error_set(err, ERROR_INPUT,
		    "unknown model \"%s\"; did you mean %s?", shown,
		    nearest->name);
	return error_set(err, ERROR_INPUT,
	    "unknown model \"%s\": expected one such as SPA504G or ATA192",
	    shown);
}

int
device_check_firmware(const char *text, struct error *err)
{
	struct firmware firmware;

	return firmware_parse(&firmware, text, err);
}

static int
scope_target(struct device_target *target, enum scope_kind kind,
    const char *name, struct error *err)
{
	size_t len = strlen(name);

	target->is_device = false;
	target->kind = kind;
	if (kind == SCOPE_MODEL)
		return device_check_model(name, target->name, err);
	if (kind == SCOPE_TAG && tags_check_name(name, err) != 0)
		return -1;
	if (kind == SCOPE_GROUP && len == 0)
		return error_set(err, ERROR_INPUT,
		    "\"group:\" lacks the name of the group");
	if (len > INVENTORY_NAME_MAX)
		return error_set(err, ERROR_INPUT,
		    "the name of the group is %zu bytes long, at most %d are "
		    "allowed",
		    len, INVENTORY_NAME_MAX);
	memcpy(target->name, name, len + 1);
	return 0;
}

int
device_target_parse(struct device_target *target, const char *text,
    struct error *err)
{
	char shown[64];

	*target = (struct device_target) { .is_device = true };
	if (strcmp(text, "default") == 0)
		return scope_target(target, SCOPE_DEFAULT, "", err);
	if (text_starts(text, "model:"))
		return scope_target(target, SCOPE_MODEL,
		    text + strlen("model:"), err);
	if (text_starts(text, "group:"))
		return scope_target(target, SCOPE_GROUP,
		    text + strlen("group:"), err);
	if (text_starts(text, "tag:"))
		return scope_target(target, SCOPE_TAG, text + strlen("tag:"),
		    err);
	if (mac_read(&target->mac, text, strlen(text)))
		return 0;
	text_escape(text, strlen(text), shown, sizeof(shown));
	return error_set(err, ERROR_INPUT,
	    "\"%s\": expected a MAC address, group:NAME, tag:NAME, "
	    "model:MODEL or default",
	    shown);
}

void
device_target_format(enum scope_kind kind, const char *name,
    char text[static TARGET_TEXT_BYTES])
{
	static const char *const prefixes[] = { "default",
		"model:", "group:", "tag:" };

	(void)snprintf(text, TARGET_TEXT_BYTES, "%s%.*s", prefixes[kind],
	    INVENTORY_NAME_MAX, name);
}

int
device_need_group(struct inventory *inventory, const char *name, bool *made,
    struct error *err)
{
	struct scope scope;

	*made = false;
	if (*name == '\0')
		return 0;
	if (inventory_get_scope(inventory, SCOPE_GROUP, name, &scope, err) ==
	    0) {
		scope_clear(&scope);
		return 0;
	}
	if (err->kind != ERROR_NOT_FOUND)
		return -1;
	*err = (struct error) { 0 };
	scope = (struct scope) { .kind = SCOPE_GROUP };
	(void)snprintf(scope.name, sizeof(scope.name), "%s", name);
	*made = true;
	return inventory_put_scope(inventory, &scope, err);
}

void
assignment_clear(struct assignment *assignment)
{
	free(assignment->name);
	/* It may be a password; the compiler must not skip this. */
	if (assignment->value != NULL)
		explicit_bzero(assignment->value, strlen(assignment->value));
	free(assignment->value);
	*assignment = (struct assignment) { 0 };
}

static int
read_stdin(char **data, size_t *len, struct error *err)
{
	struct buf buf;
	char chunk[1024];
	size_t n;

	buf_init(&buf, INVENTORY_VALUE_MAX + 1);
	while ((n = fread(chunk, 1, sizeof(chunk), stdin)) > 0)
		if (buf_append(&buf, chunk, n) != 0) {
			buf_clear(&buf);
			return error_set(err, ERROR_INPUT,
			    "standard input is longer than %d bytes",
			    INVENTORY_VALUE_MAX);
		}
	if (ferror(stdin)) {
		buf_clear(&buf);
		return error_errno(err, "standard input");
	}
	*len = buf.len;
	*data = buf.len > 0 ? buf_take(&buf) : xstrdup("");
	return 0;
}

/* The value that is in a file, without the newline at its end. */
static int
read_value(const char *path, char **value, struct error *err)
{
	size_t len = 0;
	int rc;

	/* One more byte than a value has, for that newline. */
	rc = strcmp(path, "-") == 0 ?
	    read_stdin(value, &len, err) :
	    file_read(path, INVENTORY_VALUE_MAX + 1, value, &len, err);
	if (rc != 0)
		return -1;
	if (strlen(*value) != len) {
		free(*value);
		*value = NULL;
		return error_set(err, ERROR_INPUT,
		    "%s: holds a NUL byte: expected text in UTF-8", path);
	}
	if (len > 0 && (*value)[len - 1] == '\n')
		(*value)[--len] = '\0';
	return 0;
}

int
assignment_parse(struct assignment *assignment, const char *text,
    struct error *err)
{
	const char *equals = strchr(text, '=');
	const char *value;
	char shown[64];

	*assignment = (struct assignment) { 0 };
	if (equals == NULL || equals == text) {
		text_escape(text, strlen(text), shown, sizeof(shown));
		return error_set(err, ERROR_INPUT,
		    "\"%s\": expected NAME=VALUE", shown);
	}
	assignment->name = xstrndup(text, (size_t)(equals - text));
	value = equals + 1;
	if (value[0] != '@' || value[1] == '@') {
		assignment->value = xstrdup(*value == '@' ? value + 1 : value);
		return 0;
	}
	if (read_value(value + 1, &assignment->value, err) == 0)
		return 0;
	(void)error_prefix(err, "%s: ", assignment->name);
	assignment_clear(assignment);
	return -1;
}

static const char *const field_names[] = { "mac", "model", "firmware", "serial",
	"group", "state", "parent", "tags", "kind" };

bool
device_is_field(const char *name)
{
	for (size_t i = 0; i < LENGTH(field_names); i++)
		if (strcasecmp(name, field_names[i]) == 0)
			return true;
	return false;
}

static int
assign_text(char field[static INVENTORY_NAME_MAX + 1], const char *name,
    const char *value, struct error *err)
{
	size_t len = strlen(value);

	if (len > INVENTORY_NAME_MAX)
		return error_set(err, ERROR_INPUT,
		    "the %s is %zu bytes long, at most %d are allowed", name,
		    len, INVENTORY_NAME_MAX);
	memcpy(field, value, len + 1);
	return 0;
}

int
device_assign(struct device *device, const struct assignment *assignment,
    struct error *err)
{
	const char *name = assignment->name, *value = assignment->value;

	if (strcasecmp(name, "model") == 0)
		return device_check_model(value, device->model, err);
	if (strcasecmp(name, "firmware") == 0) {
		if (*value != '\0' && device_check_firmware(value, err) != 0)
			return -1;
		return assign_text(device->firmware, name, value, err);
	}
	if (strcasecmp(name, "serial") == 0)
		return assign_text(device->serial, name, value, err);
	if (strcasecmp(name, "group") == 0)
		return assign_text(device->group, name, value, err);
	if (strcasecmp(name, "state") == 0)
		return device_state_parse(value, &device->state, err);
	if (strcasecmp(name, "tags") == 0)
		return tags_parse(&device->tags, value, err);
	if (strcasecmp(name, "kind") == 0)
		return error_set(err, ERROR_INPUT,
		    "a device has no kind: that is a field of groups");
	if (strcasecmp(name, "mac") == 0)
		return error_set(err, ERROR_INPUT,
		    "the MAC of a device cannot be set: remove the device and "
		    "add the other one");
	if (strcasecmp(name, "parent") == 0)
		return error_set(err, ERROR_INPUT,
		    "a device has no parent: set its group, or the parent of "
		    "that group");
	return variables_set(&device->variables, name, value, err);
}
