#include "provision/device_target.h"
#include "base/text.h"
#include "provision/fields.h"

#include <stdio.h>
#include <string.h>

static int
scope_target(struct device_target *target, enum scope_kind kind,
    const char *name, struct error *err)
{
	size_t len = strlen(name);

	target->is_device = false;
	target->kind = kind;
	if (kind == SCOPE_MODEL)
		return fields_check_model(name, target->name, err);
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
