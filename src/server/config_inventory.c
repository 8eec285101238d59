#include "server/config_inventory.h"

#include <stdlib.h>

#include "inventory/inventory.h"
#include "pki/seal.h"
#include "server/config.h"

int
config_use_key(struct inventory *inventory, const char *key_path, bool *has_key,
    struct error *err)
{
	char *path = seal_key_find(key_path);
	struct seal_key *key = NULL;
	int rc = 0;

	if (has_key != NULL)
		*has_key = path != NULL;
	if (path == NULL)
		return 0;
	key = seal_key_load(path, err);
	rc = key != NULL ? inventory_use_key(inventory, key, err) : -1;
	if (rc != 0 && key != NULL)
		(void)error_prefix(err, "%s: ", path);
	/* A key that is missing is no inventory that is missing. */
	if (rc != 0 && err->kind == ERROR_NOT_FOUND)
		err->kind = ERROR_SYSTEM;
	seal_key_release(key);
	free(path);
	return rc;
}

struct inventory *
config_open_inventory(const struct config *config, bool read_only,
    bool *has_key, struct error *err)
{
	struct inventory *inventory = inventory_open(config->inventory,
	    read_only, err);

	if (inventory == NULL)
		return NULL;
	if (config_use_key(inventory, config->secrets_key, has_key, err) == 0)
		return inventory;
	inventory_close(inventory);
	return NULL;
}
