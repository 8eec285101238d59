#include "cmd/ca_fleet.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/device_common.h"
#include "inventory/inventory.h"

void
ca_fleet_clear(struct ca_fleet *fleet)
{
	free(fleet->groups);
	*fleet = (struct ca_fleet) { 0 };
}

static bool
is_of(const struct ca_fleet_group *group, const struct model *model,
    const char *firmware)
{
	return group->model == model &&
	    (!group->has_firmware ?
		    *firmware == '\0' :
		    strcmp(group->firmware.text, firmware) == 0);
}

/* Fleets have few versions, so a list of groups is short. */
static int
count_kind(const struct device_kind *kind, void *arg)
{
	struct ca_fleet *fleet = arg;
	const struct model *model = registry_find_model(kind->model, NULL);
	struct ca_fleet_group group = { .model = model,
		.count = (size_t)kind->count };
	struct error ignored;

	if (kind->state != DEVICE_ACTIVE || model == NULL)
		return 0;
	fleet->device_count += group.count;
	group.has_firmware = *kind->firmware != '\0' &&
	    firmware_parse(&group.firmware, kind->firmware, &ignored) == 0;
	for (size_t i = fleet->group_count; i > 0; i--)
		if (is_of(&fleet->groups[i - 1], model,
			group.has_firmware ? kind->firmware : "")) {
			fleet->groups[i - 1].count += group.count;
			return 0;
		}
	fleet->groups = xrealloc(fleet->groups,
	    (fleet->group_count + 1) * sizeof(*fleet->groups));
	fleet->groups[fleet->group_count++] = group;
	return 0;
}

int
ca_fleet_load(struct ca_fleet *fleet, const char *given)
{
	struct error err = { 0 };
	char *uri = device_find_uri(given);
	struct inventory *inventory = inventory_open(uri, true, &err);
	int rc = -1;

	*fleet = (struct ca_fleet) { 0 };
	free(uri);
	if (inventory == NULL && given == NULL) {
		/* The question can be answered without. */
		if (err.kind != ERROR_NOT_FOUND)
			cmd_error("no counts of devices: %s", err.text);
		return 0;
	}
	if (inventory != NULL)
		rc = inventory_each_kind(inventory, count_kind, fleet, &err);
	if (rc != 0)
		cmd_error("%s", err.text);
	fleet->present = rc == 0;
	inventory_close(inventory);
	return rc;
}

static bool
accepts(const struct ca_fleet_group *group, const struct knowledge *knowledge,
    const struct ca *ca)
{
	return knowledge_resolve(knowledge, group->model,
		   group->has_firmware ? &group->firmware : NULL, ca)
		   .verdict == VERDICT_TRUSTED;
}

size_t
ca_fleet_accepting(const struct ca_fleet *fleet,
    const struct knowledge *knowledge, const struct ca *ca)
{
	size_t count = 0;

	for (size_t i = 0; i < fleet->group_count; i++)
		if (accepts(&fleet->groups[i], knowledge, ca))
			count += fleet->groups[i].count;
	return count;
}

static bool
has_other(const struct ca_fleet_group *group, const struct knowledge *knowledge,
    const struct ca *ca, time_t now)
{
	for (size_t i = 0; i < registry_ca_count; i++) {
		const struct ca *other = &registry_cas[i];

		if (other == ca || other->role != CA_SERVER_ANCHOR ||
		    (other->not_after != 0 && other->not_after < now))
			continue;
		if (accepts(group, knowledge, other))
			return true;
	}
	return false;
}

size_t
ca_fleet_needing(const struct ca_fleet *fleet,
    const struct knowledge *knowledge, const struct ca *ca, time_t now)
{
	size_t count = 0;

	if (ca->role != CA_SERVER_ANCHOR)
		return 0;
	for (size_t i = 0; i < fleet->group_count; i++)
		if (accepts(&fleet->groups[i], knowledge, ca) &&
		    !has_other(&fleet->groups[i], knowledge, ca, now))
			count += fleet->groups[i].count;
	return count;
}

static bool
is_within(const struct firmware *firmware, const struct knowledge_span *range)
{
	int order;

	if (range->has_from) {
		order = firmware_compare(firmware, &range->from);
		if (order < 0 || (order == 0 && range->from_exclusive))
			return false;
	}
	if (range->has_to) {
		order = firmware_compare(firmware, &range->to);
		if (order > 0 || (order == 0 && range->to_exclusive))
			return false;
	}
	return true;
}

size_t
ca_fleet_within(const struct ca_fleet *fleet, const struct model *model,
    const struct knowledge_span *range)
{
	size_t count = 0;

	for (size_t i = 0; i < fleet->group_count; i++) {
		const struct ca_fleet_group *group = &fleet->groups[i];

		if (group->model == model &&
		    group->has_firmware == (range != NULL) &&
		    (range == NULL || is_within(&group->firmware, range)))
			count += group->count;
	}
	return count;
}
