#include "cmd/cert_fleet.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cmd/ca_common.h"
#include "cmd/device_common.h"
#include "inventory/inventory.h"
#include "server/config.h"
#include "spa/knowledge.h"
#include "spa/registry.h"

static int
compare_groups(const struct cert_group *a, const struct cert_group *b)
{
	int order = strcmp(a->model->name, b->model->name);

	if (order == 0)
		order = a->has_firmware - b->has_firmware;
	if (order == 0 && a->has_firmware)
		order = firmware_compare(&a->firmware, &b->firmware);
	return order;
}

/* Where the group is, or would be. */
static size_t
find_group(const struct cert_fleet *fleet, const struct cert_group *wanted,
    bool *found)
{
	size_t low = 0, high = fleet->group_count;

	*found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_groups(&fleet->groups[middle], wanted);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
insert_group(struct cert_fleet *fleet, size_t at,
    const struct cert_group *group)
{
	/* Doubled whenever the count is a power of two. */
	if ((fleet->group_count & (fleet->group_count - 1)) == 0)
		fleet->groups = xrealloc(fleet->groups,
		    (fleet->group_count == 0 ? 1 : 2 * fleet->group_count) *
			sizeof(*fleet->groups));
	memmove(&fleet->groups[at + 1], &fleet->groups[at],
	    (fleet->group_count - at) * sizeof(*fleet->groups));
	fleet->groups[at] = *group;
	fleet->group_count++;
}

static int
count_kind(const struct device_kind *kind, void *arg)
{
	struct cert_fleet *fleet = arg;
	struct cert_group group = { .count = (size_t)kind->count };
	struct error ignored;
	bool found;
	size_t at;

	if (kind->state != DEVICE_ACTIVE)
		return 0;
	group.model = registry_find_model(kind->model, NULL);
	if (group.model == NULL) {
		fleet->strange += group.count;
		return 0;
	}
	fleet->count += group.count;
	group.has_firmware = *kind->firmware != '\0' &&
	    firmware_parse(&group.firmware, kind->firmware, &ignored) == 0;
	at = find_group(fleet, &group, &found);
	if (found) {
		fleet->groups[at].count += group.count;
		return 0;
	}
	group.stack = registry_find_stack(group.model,
	    group.has_firmware ? &group.firmware : NULL);
	insert_group(fleet, at, &group);
	return 0;
}

int
cert_fleet_load(struct cert_fleet *fleet, const char *given,
    const struct config *config, struct error *err)
{
	char *uri = given == NULL && config != NULL ?
	    xstrdup(config->inventory) :
	    device_find_uri(given);
	bool is_memory = strcmp(uri, "memory:") == 0;
	struct inventory *inventory;
	int rc;

	*fleet = (struct cert_fleet) { .knowledge = ca_load_knowledge(NULL,
					   uri) };
	if (fleet->knowledge == NULL) {
		free(uri);
		return error_set(err, ERROR_INPUT,
		    "mend the file of own claims first");
	}
	inventory = inventory_open(uri, true, err);
	free(uri);
	if (inventory == NULL && given == NULL &&
	    err->kind == ERROR_NOT_FOUND) {
		*err = (struct error) { 0 };
		return 0;
	}
	if (inventory == NULL) {
		cert_fleet_clear(fleet);
		return -1;
	}
	/* An inventory in memory is empty, which says nothing. */
	fleet->known = !is_memory;
	rc = inventory_each_kind(inventory, count_kind, fleet, err);
	inventory_close(inventory);
	if (rc != 0)
		cert_fleet_clear(fleet);
	return rc;
}

void
cert_fleet_clear(struct cert_fleet *fleet)
{
	free(fleet->groups);
	knowledge_free(fleet->knowledge);
	*fleet = (struct cert_fleet) { 0 };
}

/* "sha256" and the like: more than what the oldest firmware can verify. */
static bool
cert_digest_is_sha2(const char *digest)
{
	return text_starts(digest, "sha") && strcmp(digest, "sha1") != 0;
}

enum cert_fit
cert_fleet_fit(const struct cert_fleet *fleet, const struct cert_group *group,
    const struct ca *ca, const char *digest, bool has_san, time_t at)
{
	enum verdict verdict;

	if (ca == NULL)
		return CERT_TRUST_UNKNOWN;
	verdict = knowledge_resolve(fleet->knowledge, group->model,
	    group->has_firmware ? &group->firmware : NULL, ca)
		      .verdict;
	if (verdict != VERDICT_TRUSTED)
		return verdict == VERDICT_NOT ? CERT_NOT_TRUSTED :
						CERT_TRUST_UNKNOWN;
	if (group->stack->check_time && ca->not_after != 0 &&
	    ca->not_after < at)
		return CERT_NOT_TRUSTED;
	if (cert_digest_is_sha2(digest) && !group->stack->check_sha256)
		return CERT_DIGEST;
	if (group->stack->name_check == NAME_CHECK_SAN && !has_san)
		return CERT_NO_SAN;
	return CERT_FITS;
}
