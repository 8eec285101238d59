#include "provision/plan.h"
#include "base/mem.h"
#include "provision/plan_cover.h"
#include "provision/plan_parts.h"

#include <assert.h>
#include <stdlib.h>

/* What is needed on the way from groups to a plan. */
struct work {
	const struct plan_options *options;
	const struct knowledge *knowledge;
	struct plan *plan;
	/* The CAs that may be planned, in the order of the registry. */
	size_t ca_count;
	const struct ca *cas[PLAN_CAS_MAX];
	struct plan_merit merits[PLAN_CAS_MAX];
	uint64_t *accepted; /* of each group, a bit for each of cas */
	size_t listener_of[PLAN_CAS_MAX];
	struct plan_ladder ladder;
};

static void
discard(struct plan *plan)
{
	for (size_t i = 0; i < plan->listener_count; i++)
		free(plan->listeners[i].rule);
	free(plan->listeners);
	free(plan->assignments);
	free(plan->universal_rule);
	free(plan);
}

void
plan_free(struct plan *plan)
{
	if (plan != NULL)
		discard(plan);
}

/* ---------------------------------------------------------- candidates */

/* Until when what the CA signed lasts: its own end, or our certificate's. */
static time_t
life_of(const struct ca *ca, const struct plan_certificate *certificate)
{
	time_t life = ca->not_after;

	if (certificate != NULL && certificate->not_after != 0 &&
	    (life == 0 || certificate->not_after < life))
		life = certificate->not_after;
	return life;
}

static void
find_candidates(struct work *work)
{
	for (size_t i = 0; i < registry_ca_count; i++) {
		const struct ca *ca = &registry_cas[i];
		const struct plan_certificate *certificate;
		enum plan_supply supply;

		if (!plan_may_use(work->options, ca))
			continue;
		assert(work->ca_count < PLAN_CAS_MAX);
		supply = plan_supply(work->options, ca, &certificate);
		work->cas[work->ca_count] = ca;
		work->merits[work->ca_count++] = (struct plan_merit) {
			.held = supply == PLAN_HELD,
			.signs = ca->signing == CA_SIGNING_YES,
			.kept = supply == PLAN_OVERDUE,
			.life = life_of(ca, certificate),
		};
	}
}

static const struct firmware *
firmware_of(const struct plan_group *group)
{
	return group->has_firmware ? &group->firmware : NULL;
}

static void
find_accepted(struct work *work)
{
	struct plan *plan = work->plan;

	work->accepted = xcalloc(plan->assignment_count,
	    sizeof(*work->accepted));
	for (size_t i = 0; i < plan->assignment_count; i++) {
		const struct plan_group *group = plan->assignments[i].group;

		for (size_t j = 0; j < work->ca_count; j++)
			if (plan_expect(work->options, work->knowledge,
				group->model, firmware_of(group), work->cas[j],
				NULL) == PLAN_ACCEPTS)
				work->accepted[i] |= UINT64_C(1) << j;
	}
}

/* ----------------------------------------------------------- listeners */

static void
choose_listeners(struct work *work)
{
	struct plan *plan = work->plan;
	uint64_t *masks = xcalloc(plan->assignment_count, sizeof(*masks));
	size_t count = 0;
	uint64_t set;

	for (size_t i = 0; i < plan->assignment_count; i++)
		if (work->accepted[i] != 0)
			masks[count++] = work->accepted[i];
	set = plan_cover(masks, count, work->merits, work->ca_count);
	free(masks);
	plan->listeners = xcalloc(PLAN_CAS_MAX, sizeof(*plan->listeners));
	while (set != 0) {
		size_t best = plan_best(set, work->merits);
		struct plan_listener *listener =
		    &plan->listeners[plan->listener_count];

		set &= ~(UINT64_C(1) << best);
		work->listener_of[best] = ++plan->listener_count;
		listener->ca = work->cas[best];
		listener->name = listener->ca->id;
		listener->supply = plan_supply(work->options, listener->ca,
		    &listener->certificate);
	}
}

static uint64_t
mask_of_listeners(const struct work *work)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < work->ca_count; i++)
		if (work->listener_of[i] != 0)
			mask |= UINT64_C(1) << i;
	return mask;
}

/* A certificate that is short or signed with SHA-1 is for legacy only. */
static bool
is_strong(const struct plan_listener *listener)
{
	return listener->certificate != NULL ?
	    listener->certificate->is_strong :
	    listener->ca->signing == CA_SIGNING_YES;
}

static void
assign(struct work *work, struct plan_assignment *assignment, uint64_t mask)
{
	const struct plan_group *group = assignment->group;
	struct plan *plan = work->plan;
	struct plan_listener *listener;

	assignment->stack = registry_find_stack(group->model,
	    firmware_of(group));
	assignment->listener = PLAN_LEFT_OUT;
	plan->devices += group->count;
	if (mask == 0) {
		plan->left_out += group->count;
		return;
	}
	assignment->listener =
	    work->listener_of[plan_best(mask, work->merits)] - 1;
	listener = &plan->listeners[assignment->listener];
	(void)plan_expect(work->options, work->knowledge, group->model,
	    firmware_of(group), listener->ca, &assignment->claim);
	plan->covered += group->count;
	listener->devices += group->count;
	listener->needs_san |= assignment->stack->name_check == NAME_CHECK_SAN;
	listener->needs_sha1 |= !assignment->stack->check_sha256;
	listener->legacy |= work->options->drop_tls == 0 &&
	    (assignment->stack->max_version < 0x0303 || !is_strong(listener));
	if (plan_can_be_had(listener->supply))
		return;
	plan->unsupplied += group->count;
	assignment->reason = PLAN_LACKS_SUPPLY;
	assignment->ca = listener->ca;
}

static void
assign_all(struct work *work)
{
	struct plan *plan = work->plan;
	uint64_t listeners = mask_of_listeners(work);

	for (size_t i = 0; i < plan->assignment_count; i++) {
		struct plan_assignment *assignment = &plan->assignments[i];

		assign(work, assignment, work->accepted[i] & listeners);
		if (assignment->listener == PLAN_LEFT_OUT ||
		    assignment->reason != PLAN_COVERED)
			plan_explain(work->options, work->knowledge,
			    &work->ladder, assignment);
	}
}

/* ---------------------------------------------------------------- plan */

static void
add_universal_rule(struct work *work)
{
	struct plan *plan = work->plan;
	char *rule;

	if (plan->listener_count == 0)
		return;
	rule = plan_universal_rule(plan, work->options, work->knowledge,
	    &plan->universal_error);
	if (rule != NULL &&
	    plan_check_rule(plan, work->options, work->knowledge, rule,
		&plan->universal_error) != 0) {
		free(rule);
		rule = NULL;
	}
	plan->universal_rule = rule;
}

struct plan *
plan_make(const struct plan_group *groups, size_t group_count,
    const struct plan_options *options, const struct knowledge *knowledge,
    struct error *err)
{
	struct work work = { .options = options, .knowledge = knowledge };
	struct plan *plan;

	if (group_count == 0) {
		(void)error_set(err, ERROR_INPUT, "there is no device");
		return NULL;
	}
	plan = work.plan = xcalloc(1, sizeof(*plan));
	plan->assignments = xcalloc(group_count, sizeof(*plan->assignments));
	plan->assignment_count = group_count;
	for (size_t i = 0; i < group_count; i++)
		plan->assignments[i].group = &groups[i];
	find_candidates(&work);
	find_accepted(&work);
	choose_listeners(&work);
	assign_all(&work);
	free(work.accepted);
	if (plan_lay_out(plan, options, err) != 0) {
		discard(plan);
		return NULL;
	}
	add_universal_rule(&work);
	return plan;
}
