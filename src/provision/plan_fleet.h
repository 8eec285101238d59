/*
 * plan_fleet.h -- a fleet counted by model and firmware.
 *
 * Whatever its size, a fleet has few kinds of devices: adding one is a look
 * into a hash table by the texts as they were written, which are parsed only
 * when they are new.
 */
#ifndef PROVISION_PLAN_FLEET_H
#define PROVISION_PLAN_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "spa/firmware.h"
#include "spa/registry.h"

#define PLAN_SPELLINGS_MAX 65536  /* different texts in one fleet */
#define PLAN_COUNT_MAX 1000000000 /* devices in one row */

struct plan_group {
	const struct model *model;
	bool has_firmware;
	struct firmware firmware;
	uint64_t count;
};

struct plan_fleet;

void plan_fleet_free(struct plan_fleet *fleet);
struct plan_fleet *plan_fleet_new(void) MUST_CHECK FREED_BY(plan_fleet_free);

/*
 * Add count devices; an empty firmware is one that is not known.  ERROR_INPUT
 * for an unknown model (with the nearest one), and, *bad_firmware then set,
 * for what is no firmware, or none that this model can have.
 */
int plan_fleet_add(struct plan_fleet *fleet, const char *model,
    size_t model_len, const char *firmware, size_t firmware_len, uint64_t count,
    bool *bad_firmware, struct error *err) MUST_CHECK;

/*
 * The kinds, each once: by model as in the registry, then by firmware, those
 * without one first.  Borrowed until the next call on the fleet.
 */
const struct plan_group *
plan_fleet_groups(struct plan_fleet *fleet, size_t *count);

#endif
