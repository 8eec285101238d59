/*
 * ca_fleet.h -- the inventory as "sprov ca" sees it: how many devices of each
 * model and firmware.
 */
#ifndef CMD_CA_FLEET_H
#define CMD_CA_FLEET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "spa/knowledge.h"

struct ca_fleet_group {
	const struct model *model;
	bool has_firmware; /* false: unknown, or nothing that is a version */
	struct firmware firmware;
	size_t count; /* active devices; retired ones get no profile */
};

struct ca_fleet {
	bool present; /* false: there is no inventory */
	struct ca_fleet_group *groups;
	size_t group_count;
	size_t device_count; /* of all groups */
};

/*
 * Count the devices of the inventory that device_open() finds.  One that is not
 * there is no failure unless it was given: the fleet is then not present.
 * Otherwise -1; all is said.
 */
int ca_fleet_load(struct ca_fleet *fleet, const char *given) MUST_CHECK;
void ca_fleet_clear(struct ca_fleet *fleet);

/* How many devices are known to accept a CA. */
size_t ca_fleet_accepting(const struct ca_fleet *fleet,
    const struct knowledge *knowledge, const struct ca *ca);

/*
 * How many of them are known to accept no other CA that has not expired at
 * now.  The slot for a CA of one's own does not count: it has to be filled
 * first.  Nor do intermediates and unstated public bundles.
 */
size_t ca_fleet_needing(const struct ca_fleet *fleet,
    const struct knowledge *knowledge, const struct ca *ca, time_t now);

/* How many devices of a model have a version within the range; with range NULL,
 * how many have none that is known. */
size_t ca_fleet_within(const struct ca_fleet *fleet, const struct model *model,
    const struct knowledge_span *range);

#endif
