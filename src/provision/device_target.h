/*
 * device_target.h -- what variables are read from or set on: "MAC",
 * "group:NAME", "tag:NAME", "model:MODEL" or "default".
 */
#ifndef PROVISION_DEVICE_TARGET_H
#define PROVISION_DEVICE_TARGET_H

#include <stdbool.h>

#include "base/error.h"
#include "inventory/inventory.h"

struct device_target {
	bool is_device;
	struct mac mac;			   /* of a device */
	enum scope_kind kind;		   /* of anything else ... */
	char name[INVENTORY_NAME_MAX + 1]; /* ... and its name */
};

#define TARGET_TEXT_BYTES (INVENTORY_NAME_MAX + 1 + 8)

int device_target_parse(struct device_target *target, const char *text,
    struct error *err) MUST_CHECK;
/* What device_target_parse reads; also of a scope. */
void device_target_format(enum scope_kind kind, const char *name,
    char text[static TARGET_TEXT_BYTES]);

#endif
