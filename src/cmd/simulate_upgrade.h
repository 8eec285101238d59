/*
 * simulate_upgrade.h -- "sprov simulate --upgrade": resync, upgrade, resync
 * again, until there is nothing newer.
 */
#ifndef CMD_SIMULATE_UPGRADE_H
#define CMD_SIMULATE_UPGRADE_H

#include "sim/upgrade.h"

#include <jansson.h>

struct simulate_life {
	const char *rule; /* the first; later that of the profile, if any */
	const struct images *images;
	const struct sim_network *network;
	/* The device with that firmware, which takes the place of the one
	 * before; NULL with err. */
	const struct sim_device *(*become)(void *arg,
	    const struct firmware *firmware, struct error *err);
	void *arg;
};

/*
 * Live: *result is the last resync, *upgrades what was tried.  It ends with a
 * resync or an upgrade that fails, or when the rule leads nowhere new.  -1
 * with err when the device cannot be simulated any further; *result is then
 * cleared.
 */
int simulate_life(const struct simulate_life *life,
    const struct sim_device *device, struct sim_upgrades *upgrades,
    struct sim_result *result, struct error *err) MUST_CHECK;

bool simulate_upgrades_are_good(const struct sim_upgrades *upgrades);
void
simulate_upgrades_print(const char *model, const struct sim_upgrades *upgrades);
json_t *simulate_upgrades_json(const struct sim_upgrades *upgrades);

#endif
