/*
 * config_inventory.h -- the inventory that a configuration names, with the key
 * of its secrets.
 */
#ifndef SERVER_CONFIG_INVENTORY_H
#define SERVER_CONFIG_INVENTORY_H

#include <stdbool.h>

#include "base/error.h"

struct config;
struct inventory;

/*
 * Open it with the key of "secrets-key", else with that of seal_key_find(), if
 * there is one; *has_key (may be NULL) says whether.  ERROR_DENIED when its
 * secrets are sealed with another one.  inventory_close() it.
 */
struct inventory *config_open_inventory(const struct config *config,
    bool read_only, bool *has_key, struct error *err) MUST_CHECK;

/* The same key for an inventory that is open; key_path NULL: as above. */
int config_use_key(struct inventory *inventory, const char *key_path,
    bool *has_key, struct error *err) MUST_CHECK;

#endif
