/*
 * upgrade.h -- a simulated device follows its Upgrade_Rule.
 *
 * It evaluates the rule with the firmware that it runs, fetches the image to
 * which the rule leads, and would become the version in it.  What is in an
 * image is not read: the images that exist are those of a manifest, and one is
 * recognised by its SHA-256.  An image of another model, or one that nobody
 * knows, is refused as a device refuses what is none.  Each URL is tried once
 * ([MPP-PROV]).
 *
 * Parameters: Upgrade_Enable, Upgrade_Rule, Downgrade_Rev_Limit
 * [LINKSYS-PROV] p. 64-65.
 */
#ifndef SIM_UPGRADE_H
#define SIM_UPGRADE_H

#include "base/digest.h"
#include "sim/device.h"
#include "spa/firmware.h"

#define SIM_UPGRADES_MAX 64 /* of one device */

struct images;
struct sim_parameters;

struct sim_upgrade {
	enum sim_outcome outcome; /* SIM_PROVISIONED: it is installed */
	char reason[256];
	char url[512];
	size_t bytes;
	char sha256[DIGEST_TEXT_BYTES];	  /* of what came; "" nothing did */
	char from[FIRMWARE_TEXT_MAX + 1]; /* "" not known */
	struct firmware to;		  /* where it is installed */
	uint64_t total_us;
};

/* What a device has tried so far. */
struct sim_upgrades {
	struct sim_upgrade list[SIM_UPGRADES_MAX];
	size_t count;
};

/* Try to upgrade: the attempt, added to *upgrades, or NULL when there is
 * nothing to do. */
const struct sim_upgrade *sim_upgrade(const struct sim_device *device,
    const struct sim_parameters *parameters, const struct images *images,
    const struct sim_network *network, struct sim_upgrades *upgrades);

#endif
