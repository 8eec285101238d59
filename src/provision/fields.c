#include "provision/fields.h"
#include "base/text.h"
#include "spa/firmware.h"
#include "spa/registry.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

int
fields_check_model(const char *text, char name[static INVENTORY_NAME_MAX + 1],
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
fields_check_firmware(const char *text, struct error *err)
{
	struct firmware firmware;

	return firmware_parse(&firmware, text, err);
}

static const char *const field_names[] = { "mac", "model", "firmware", "serial",
	"group", "state", "parent", "tags", "kind" };

bool
fields_have(const char *name)
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
fields_set_device(struct device *device, const char *name, const char *value,
    struct error *err)
{
	if (strcasecmp(name, "model") == 0)
		return fields_check_model(value, device->model, err);
	if (strcasecmp(name, "firmware") == 0) {
		if (*value != '\0' && fields_check_firmware(value, err) != 0)
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

int
fields_set_scope(struct scope *scope, const char *name, const char *value,
    struct error *err)
{
	if (scope->kind == SCOPE_GROUP && strcasecmp(name, "parent") == 0) {
		if (strlen(value) > INVENTORY_NAME_MAX)
			return error_set(err, ERROR_INPUT,
			    "the parent is longer than %d bytes",
			    INVENTORY_NAME_MAX);
		(void)snprintf(scope->parent, sizeof(scope->parent), "%s",
		    value);
		return 0;
	}
	if (scope->kind == SCOPE_GROUP && strcasecmp(name, "kind") == 0)
		return group_kind_parse(value, &scope->group_kind, err);
	if (fields_have(name))
		return error_set(err, ERROR_INPUT,
		    "%s cannot be set here: it is a field of %s, and no "
		    "variable may have its name",
		    name,
		    strcasecmp(name, "parent") == 0 ||
			    strcasecmp(name, "kind") == 0 ?
			"groups" :
			"devices");
	return variables_set(&scope->variables, name, value, err);
}
