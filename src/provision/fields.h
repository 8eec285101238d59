/*
 * fields.h -- setting what a device or a group has, by name: for commands, the
 * API and imports alike.
 */
#ifndef PROVISION_FIELDS_H
#define PROVISION_FIELDS_H

#include <stdbool.h>

#include "base/error.h"
#include "inventory/inventory.h"

/* The registry's spelling of a model; as import_model_check. */
int fields_check_model(const char *text,
    char name[static INVENTORY_NAME_MAX + 1], struct error *err) MUST_CHECK;
/* As import_firmware_check. */
int fields_check_firmware(const char *text, struct error *err) MUST_CHECK;

/* Is it one of the names that fields of devices and groups have? */
bool fields_have(const char *name);

/* Set a field (by its name) or a variable of a device; an empty value clears a
 * field that may be unknown.  ERROR_INPUT. */
int fields_set_device(struct device *device, const char *name,
    const char *value, struct error *err) MUST_CHECK;

/* The same of a group, a tag, a model or the defaults. */
int fields_set_scope(struct scope *scope, const char *name, const char *value,
    struct error *err) MUST_CHECK;

#endif
