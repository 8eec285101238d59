#include "provision/plan_parts.h"
#include "spa/trust.h"

#include <string.h>

#define RUNGS_MAX 3 /* of the firmware ladder that are shown */

static bool
add_version(struct firmware *list, size_t *count, size_t max,
    const struct firmware *version)
{
	size_t i = 0;

	while (i < *count && firmware_compare(&list[i], version) < 0)
		i++;
	if (*count == max ||
	    (i < *count && firmware_compare(&list[i], version) == 0))
		return false;
	memmove(&list[i + 1], &list[i], (*count - i) * sizeof(*list));
	list[i] = *version;
	++*count;
	return true;
}

size_t
plan_versions(const struct model *model, struct firmware *list, size_t max)
{
	size_t count = trust_distinct_firmware(model, list, max);
	struct firmware version;
	struct error ignored;

	for (size_t i = 0; i < registry_release_count; i++)
		if (strcmp(registry_releases[i].family, model->family) == 0 &&
		    firmware_parse(&version, registry_releases[i].version,
			&ignored) == 0)
			(void)add_version(list, &count, max, &version);
	return count;
}

/* ------------------------------------------------------------- reasons */

/* What would be said of a CA that the device does not accept now; of several
 * the one that comes nearest to being accepted. */
static const struct {
	enum plan_expectation expectation;
	enum plan_reason reason;
} reasons[] = {
	{ PLAN_TLS, PLAN_LACKS_TLS },
	{ PLAN_ACCEPTS, PLAN_LACKS_WITHOUT },
	{ PLAN_WEAK, PLAN_LACKS_STRENGTH },
	{ PLAN_NAME, PLAN_LACKS_SAN },
	{ PLAN_DIGEST, PLAN_LACKS_SHA2 },
	{ PLAN_EXPIRED, PLAN_LACKS_TIME },
};

/* The CA of which this is expected; a class only when classes are asked for.
 * Of several one that can be had, else one that lasts. */
static const struct ca *
find_expected(const struct plan_options *options,
    const struct knowledge *knowledge, const struct plan_group *group,
    enum plan_expectation expectation, bool classes)
{
	const struct firmware *firmware = group->has_firmware ?
	    &group->firmware :
	    NULL;
	const struct ca *found = NULL;

	for (size_t i = 0; i < registry_ca_count; i++) {
		const struct ca *ca = &registry_cas[i];
		bool is_class = ca->role == CA_SERVER_CLASS;

		if (!registry_is_server_ca(ca) || is_class != classes ||
		    strcmp(ca->id, "verisign-c3-any") == 0 ||
		    plan_expect(options, knowledge, group->model, firmware, ca,
			NULL) != expectation)
			continue;
		if (found == NULL ||
		    (plan_can_be_had(plan_supply(options, ca, NULL)) &&
			!plan_can_be_had(plan_supply(options, found, NULL))) ||
		    (found->signing == ca->signing &&
			ca->not_after > found->not_after))
			found = ca;
	}
	return found;
}

static void
find_reason(const struct plan_options *options,
    const struct knowledge *knowledge, struct plan_assignment *assignment)
{
	const struct plan_group *group = assignment->group;

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
		const struct ca *ca = find_expected(options, knowledge, group,
		    reasons[i].expectation, false);

		if (ca == NULL)
			continue;
		assignment->reason = reasons[i].reason;
		if (reasons[i].expectation == PLAN_ACCEPTS &&
		    options->without_gone &&
		    !plan_can_be_had(plan_supply(options, ca, NULL)))
			assignment->reason = PLAN_LACKS_SUPPLY;
		assignment->ca = ca;
		return;
	}
	assignment->ca = find_expected(options, knowledge, group, PLAN_ACCEPTS,
	    true);
	if (assignment->ca != NULL)
		assignment->reason = PLAN_LACKS_ALLOW;
	else if (find_expected(options, knowledge, group, PLAN_REFUSES,
		     false) != NULL)
		assignment->reason = PLAN_LACKS_TRUST;
	else
		assignment->reason = PLAN_LACKS_CLAIM;
}

/* ---------------------------------------------------------------- ways */

static void
add_way(struct plan_assignment *assignment, enum plan_way_kind kind,
    const struct ca *ca, const struct firmware *firmware)
{
	struct plan_way *way;

	if (assignment->way_count == PLAN_WAYS_MAX)
		return;
	way = &assignment->ways[assignment->way_count++];
	*way = (struct plan_way) { .kind = kind, .ca = ca };
	if (firmware != NULL)
		way->firmware = *firmware;
}

/* The CA to go to at that version: one that we hold before one that signs;
 * no class unless it is allowed. */
static const struct ca *
best_at(const struct plan_options *options, const struct knowledge *knowledge,
    const struct model *model, const struct firmware *firmware)
{
	const struct ca *found = NULL;
	enum plan_supply best = PLAN_GONE;

	for (size_t i = 0; i < registry_ca_count; i++) {
		const struct ca *ca = &registry_cas[i];
		enum plan_supply supply = plan_supply(options, ca, NULL);

		if (!plan_may_use(options, ca) || !plan_can_be_had(supply) ||
		    plan_expect(options, knowledge, model, firmware, ca,
			NULL) != PLAN_ACCEPTS)
			continue;
		if (found == NULL || supply < best) {
			found = ca;
			best = supply;
		}
	}
	return found;
}

/* The firmware ladder: versions from which on another CA is accepted. */
static void
add_rungs(const struct plan_options *options, const struct knowledge *knowledge,
    const struct plan_ladder *ladder, struct plan_assignment *assignment)
{
	const struct plan_group *group = assignment->group;
	const struct firmware *versions = ladder->versions;
	const struct ca *before = NULL;
	size_t rungs = 0;

	if (group->has_firmware) {
		before = best_at(options, knowledge, group->model,
		    &group->firmware);
		if (before != NULL)
			add_way(assignment, PLAN_SWITCH, before, NULL);
	}
	for (size_t i = 0; i < ladder->count && rungs < RUNGS_MAX; i++) {
		const struct ca *ca;

		if (group->has_firmware &&
		    firmware_compare(&versions[i], &group->firmware) <= 0)
			continue;
		ca = best_at(options, knowledge, group->model, &versions[i]);
		if (ca != NULL && ca != before) {
			add_way(assignment,
			    group->has_firmware ? PLAN_UPGRADE : PLAN_ASK, ca,
			    &versions[i]);
			rungs++;
		}
		before = ca;
	}
}

/* At this version, else from a later one on. */
static void
add_class(const struct plan_options *options, const struct knowledge *knowledge,
    const struct plan_ladder *ladder, struct plan_assignment *assignment,
    enum plan_way_kind kind, const char *id)
{
	const struct plan_group *group = assignment->group;
	const struct firmware *versions = ladder->versions;
	const struct ca *ca = registry_find_ca(id);

	if (ca == NULL)
		return;
	if (plan_expect(options, knowledge, group->model,
		group->has_firmware ? &group->firmware : NULL, ca,
		NULL) == PLAN_ACCEPTS) {
		add_way(assignment, kind, ca, NULL);
		return;
	}
	for (size_t i = 0; i < ladder->count; i++) {
		if ((group->has_firmware &&
			firmware_compare(&versions[i], &group->firmware) <=
			    0) ||
		    plan_expect(options, knowledge, group->model, &versions[i],
			ca, NULL) != PLAN_ACCEPTS)
			continue;
		add_way(assignment, kind, ca, &versions[i]);
		return;
	}
}

void
plan_explain(const struct plan_options *options,
    const struct knowledge *knowledge, struct plan_ladder *ladder,
    struct plan_assignment *assignment)
{
	const struct model *model = assignment->group->model;

	if (ladder->model != model) {
		ladder->model = model;
		ladder->count = plan_versions(model, ladder->versions,
		    PLAN_VERSIONS_MAX);
	}
	if (assignment->listener == PLAN_LEFT_OUT)
		find_reason(options, knowledge, assignment);
	add_rungs(options, knowledge, ladder, assignment);
	add_class(options, knowledge, ladder, assignment, PLAN_OWN_ROOT,
	    "custom-ca");
	add_class(options, knowledge, ladder, assignment, PLAN_PUBLIC_CA,
	    "public-ca-bundle");
	if (assignment->reason == PLAN_LACKS_CLAIM)
		add_way(assignment, PLAN_TRY, NULL, NULL);
	/* Needs neither TLS nor a CA: the vendor's own fallback. */
	add_way(assignment, PLAN_ENCRYPT, NULL, NULL);
	add_way(assignment, PLAN_REPLACE, NULL, NULL);
}
