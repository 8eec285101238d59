#include "inventory/inventory.h"
#include "base/text.h"
#include "inventory/store.h"

#include <string.h>

#define ESCAPED_BYTES 96 /* of what a message quotes */

static const char *const state_names[] = {
	[DEVICE_ACTIVE] = "active",
	[DEVICE_RETIRED] = "retired",
};

const char *
device_state_name(enum device_state state)
{
	return state_names[state];
}

int
device_state_parse(const char *text, enum device_state *state,
    struct error *err)
{
	char shown[ESCAPED_BYTES];

	if (strcmp(text, state_names[DEVICE_ACTIVE]) == 0) {
		*state = DEVICE_ACTIVE;
		return 0;
	}
	if (strcmp(text, state_names[DEVICE_RETIRED]) == 0) {
		*state = DEVICE_RETIRED;
		return 0;
	}
	text_escape(text, strlen(text), shown, sizeof(shown));
	return error_set(err, ERROR_INPUT,
	    "\"%s\" is not a state: expected active or retired", shown);
}

void
device_clear(struct device *device)
{
	tags_clear(&device->tags);
	variables_clear(&device->variables);
	*device = (struct device) { 0 };
}

void
device_copy(struct device *to, const struct device *from)
{
	*to = *from;
	tags_copy(&to->tags, &from->tags);
	(void)variables_copy(&to->variables, &from->variables);
}

void
scope_clear(struct scope *scope)
{
	variables_clear(&scope->variables);
	*scope = (struct scope) { 0 };
}

void
scope_copy(struct scope *to, const struct scope *from)
{
	*to = *from;
	(void)variables_copy(&to->variables, &from->variables);
}

int
inventory_no_device(const struct mac *mac, struct error *err)
{
	char text[MAC_TEXT_BYTES];

	mac_format(mac, text);
	return error_set(err, ERROR_NOT_FOUND,
	    "there is no device %s in the inventory", text);
}

int
inventory_device_exists(const struct mac *mac, struct error *err)
{
	char text[MAC_TEXT_BYTES];

	mac_format(mac, text);
	return error_set(err, ERROR_INPUT,
	    "the device %s is in the inventory already", text);
}

int
inventory_no_scope(enum scope_kind kind, const char *name, struct error *err)
{
	char shown[ESCAPED_BYTES];

	text_escape(name, strlen(name), shown, sizeof(shown));
	switch (kind) {
	case SCOPE_DEFAULT:
		return error_set(err, ERROR_NOT_FOUND,
		    "there are no default variables in the inventory");
	case SCOPE_MODEL:
		return error_set(err, ERROR_NOT_FOUND,
		    "the model \"%s\" has no variables in the inventory",
		    shown);
	case SCOPE_TAG:
		return error_set(err, ERROR_NOT_FOUND,
		    "the tag \"%s\" has no variables in the inventory", shown);
	case SCOPE_GROUP:
		break;
	}
	return error_set(err, ERROR_NOT_FOUND,
	    "there is no group \"%s\" in the inventory", shown);
}

int
inventory_no_type(const char *name, struct error *err)
{
	return error_set(err, ERROR_NOT_FOUND,
	    "the variable %s has no declared type", name);
}

int
inventory_group_missing(const char *name, struct error *err)
{
	(void)inventory_no_scope(SCOPE_GROUP, name, err);
	err->kind = ERROR_INPUT;
	return -1;
}
