/*
 * What "sprov device export" writes: whatever it is, the list is either good, and
 * can then be put into an inventory or is refused there as a whole, or it says
 * why not.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "importer/importer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct importer_options options = { 0 };
	struct fleet_counts counts = { 0 };
	struct error err = { 0 };
	struct fleet *fleet = fleet_new();
	struct inventory *inventory = inventory_open("memory:", false, &err);
	size_t errors;
	int rc;

	assert(inventory != NULL);
	import_export_text(fleet, "fuzz", 0644, (const char *)data, size,
	    &options);
	errors = fleet_count(fleet, FLEET_ERROR);
	for (size_t i = 0; errors == 0 && i < fleet_device_count(fleet); i++)
		assert(fleet_device(fleet, i)->model[0] != '\0');
	rc = fleet_commit(fleet, inventory, false, true, &counts);
	assert(errors == 0 || rc != 0);
	assert((rc == 0) == (fleet_count(fleet, FLEET_ERROR) == 0));
	assert(rc != 0 || counts.added == fleet_device_count(fleet));
	inventory_close(inventory);
	fleet_free(fleet);
	return 0;
}
