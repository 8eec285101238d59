/*
 * stock.h -- a few devices, groups and variables as a snapshot, for tests.
 */
#ifndef TESTS_STOCK_H
#define TESTS_STOCK_H

#include <stdio.h>
#include <stdlib.h>

#include "base/mac.h"
#include "inventory/inventory.h"
#include "inventory/snapshot.h"

struct stock_device {
	const char *mac, *model, *firmware, *serial, *group;
	enum device_state state;
};

struct stock_variable {
	/* Of the device with that MAC, else of that scope. */
	const char *mac;
	enum scope_kind kind;
	const char *scope;
	const char *name, *value;
};

static inline void
stock_check(int rc, const struct error *err)
{
	if (rc == 0)
		return;
	(void)fprintf(stderr, "test setup: %s\n", err->text);
	abort();
}

static inline struct mac
stock_mac(const char *text)
{
	struct mac mac = { { 0 } };
	struct error err;

	stock_check(mac_parse(&mac, text, &err), &err);
	return mac;
}

static inline void
stock_copy(char *to, const char *from)
{
	(void)snprintf(to, INVENTORY_NAME_MAX + 1, "%s",
	    from != NULL ? from : "");
}

static inline void
stock_add(struct inventory *inventory, const struct stock_device *from)
{
	struct device device = { .mac = stock_mac(from->mac),
		.state = from->state };
	struct error err;

	stock_copy(device.model, from->model);
	stock_copy(device.firmware, from->firmware);
	stock_copy(device.serial, from->serial);
	stock_copy(device.group, from->group);
	stock_check(inventory_add_device(inventory, &device, &err), &err);
}

/* Groups come into being with their first variable. */
static inline void
stock_set(struct inventory *inventory, const struct stock_variable *from)
{
	struct device device = { 0 };
	struct scope scope = { .kind = from->kind };
	struct mac mac;
	struct error err;

	if (from->mac != NULL) {
		mac = stock_mac(from->mac);
		stock_check(inventory_get_device(inventory, &mac, &device,
				&err),
		    &err);
		stock_check(variables_set(&device.variables, from->name,
				from->value, &err),
		    &err);
		stock_check(inventory_update_device(inventory, &device, &err),
		    &err);
		device_clear(&device);
		return;
	}
	if (inventory_get_scope(inventory, from->kind, from->scope, &scope,
		&err) != 0) {
		scope = (struct scope) { .kind = from->kind };
		stock_copy(scope.name, from->scope);
	}
	stock_check(variables_set(&scope.variables, from->name, from->value,
			&err),
	    &err);
	stock_check(inventory_put_scope(inventory, &scope, &err), &err);
	scope_clear(&scope);
}

/* Groups before devices, devices before their variables. */
static inline struct snapshot *
stock_snapshot(const struct stock_device *devices, size_t device_count,
    const struct stock_variable *variables, size_t variable_count)
{
	struct error err;
	struct inventory *inventory = inventory_open("memory:", false, &err);
	struct snapshot *snapshot;

	stock_check(inventory == NULL ? -1 : 0, &err);
	for (size_t i = 0; i < variable_count; i++)
		if (variables[i].mac == NULL)
			stock_set(inventory, &variables[i]);
	for (size_t i = 0; i < device_count; i++)
		stock_add(inventory, &devices[i]);
	for (size_t i = 0; i < variable_count; i++)
		if (variables[i].mac != NULL)
			stock_set(inventory, &variables[i]);
	snapshot = snapshot_load(inventory, &err);
	stock_check(snapshot == NULL ? -1 : 0, &err);
	inventory_close(inventory);
	return snapshot;
}

#endif
