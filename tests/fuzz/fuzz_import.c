/*
 * CSV files from anywhere: on failure nothing is in the inventory and at least
 * one error says why; on success the counts are those of the rows, and what
 * was imported can be read again.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "inventory/import.h"
#include "inventory/inventory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
check_model(const char *text, char name[static INVENTORY_NAME_MAX + 1],
    struct error *err)
{
	size_t len = strlen(text);

	if (len == 0 || len > INVENTORY_NAME_MAX || text[0] == 'x')
		return error_set(err, ERROR_INPUT, "unknown model");
	memcpy(name, text, len + 1);
	return 0;
}

static int
check_firmware(const char *text, struct error *err)
{
	return text[0] == 'x' ? error_set(err, ERROR_INPUT, "no firmware") : 0;
}

static int
count_device(const struct device *device, void *arg)
{
	assert(device->model[0] != '\0');
	assert(device->variables.count <= IMPORT_COLUMNS_MAX);
	for (size_t i = 0; i < device->variables.count; i++)
		assert(device->variables.list[i].value[0] != '\0');
	++*(size_t *)arg;
	return 0;
}

static int
count_scope(const struct scope *scope, void *arg)
{
	assert(scope->kind == SCOPE_GROUP && scope->name[0] != '\0');
	++*(size_t *)arg;
	return 0;
}

static void
import(struct inventory *inventory, const uint8_t *data, size_t size,
    bool update, size_t before)
{
	const struct import_options options = {
		.name = "fuzz",
		.check_model = check_model,
		.check_firmware = check_firmware,
		.update = update,
	};
	struct import_counts counts = { 0 };
	struct errors errors = { 0 };
	struct error err = { 0 };
	size_t devices = 0, groups = 0;
	uint64_t number_before = 0, number_after = 0;
	int rc;

	rc = inventory_change_number(inventory, &number_before, &err);
	assert(rc == 0);
	rc = import_csv(inventory, (const char *)data, size, &options, &counts,
	    &errors);
	assert((rc == 0) == (errors.count == 0));
	if (inventory_each_device(inventory, count_device, &devices, &err) ||
	    inventory_each_scope(inventory, count_scope, &groups, &err) ||
	    inventory_change_number(inventory, &number_after, &err))
		abort(); /* the memory store does not fail */
	if (rc == 0) {
		assert(counts.rows ==
		    counts.added + counts.updated + counts.unchanged);
		assert(devices == before + counts.added);
		assert(groups <= counts.rows + before);
	} else {
		assert(devices == before && number_before == number_after);
		assert(before > 0 || groups == 0);
	}
	errors_clear(&errors);
}

static int
count_only(const struct device *device, void *arg)
{
	(void)device;
	++*(size_t *)arg;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = { 0 };
	struct inventory *inventory = inventory_open("memory:", false, &err);
	size_t count = 0;

	assert(inventory != NULL);
	import(inventory, data, size, false, 0);
	if (inventory_each_device(inventory, count_only, &count, &err) != 0)
		abort(); /* the memory store does not fail */
	/* Once more: all are there now, which is refused or updates them. */
	import(inventory, data, size, false, count);
	import(inventory, data, size, true, count);
	inventory_close(inventory);
	return 0;
}
