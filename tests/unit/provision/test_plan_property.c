/*
 * 200 random fleets: the plan covers every device that any CA covers, no
 * smaller set of CAs does, no other set of that size is better, and every rule
 * leads every covered device to a listener that it accepts.
 *
 * What a device accepts is worked out here once more, from the claims and the
 * stacks directly, and sets are tried by counting through all of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "provision/plan.h"
#include "spa/knowledge.h"
#include "spa/rule.h"
#include "spa/trust.h"

#define FLEETS 200
#define NOW ((time_t)1795392000) /* 2026-11-23 */
#define YEAR ((time_t)31557600)
#define GROUPS_MAX 60

static uint64_t random_state;

static uint64_t
random_below(uint64_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % limit;
}

struct question {
	struct plan_options options;
	struct plan_certificate held[8];
	const struct ca *without[8];
	struct plan_fleet *fleet;
	const struct plan_group *groups;
	size_t group_count;
	/* Candidates, and which each group accepts. */
	size_t ca_count;
	const struct ca *cas[64];
	uint64_t accepted[GROUPS_MAX * 2];
};

/* ------------------------------------------------- the question at random */

static const struct ca *
random_server_ca(void)
{
	const struct ca *ca;

	do
		ca = &registry_cas[random_below(registry_ca_count)];
	while (!registry_is_server_ca(ca));
	return ca;
}

static void
make_certificate(struct plan_certificate *one)
{
	*one = (struct plan_certificate) { .ca = random_server_ca() };
	one->is_sha2 = random_below(2);
	one->has_san = random_below(2);
	one->is_strong = one->is_sha2 && random_below(2);
	if (random_below(3) > 0) {
		one->not_before = NOW - (time_t)random_below(4) * YEAR;
		one->not_after = NOW + YEAR / 2 +
		    ((time_t)random_below(6) - 2) * YEAR;
	}
}

static void
make_options(struct question *q)
{
	static const int drops[] = { 0, 0, 0, 0x0301, 0x0302 };

	q->options = (struct plan_options) {
		.at = NOW + ((time_t)random_below(8) - 2) * YEAR,
		.drop_tls = drops[random_below(5)],
		.allow_custom = random_below(5) == 0,
		.allow_public = random_below(5) == 0,
		.layout = (enum plan_layout)random_below(3),
		.certificates = q->held,
		.certificate_count = random_below(8),
		.without = q->without,
		.without_count = random_below(3) == 0 ? random_below(8) : 0,
		.without_gone = random_below(4) == 0,
	};
	for (size_t i = 0; i < q->options.certificate_count; i++)
		make_certificate(&q->held[i]);
	for (size_t i = 0; i < q->options.without_count; i++)
		q->without[i] = random_server_ca();
}

static void
random_version(const struct model *model, char text[static 80])
{
	struct firmware list[32];
	size_t count = trust_distinct_firmware(model, list, 32);
	bool high = count > 0 && list[0].part[0].number >= 10;

	switch (random_below(4)) {
	case 0:
		*text = '\0';
		return;
	case 1:
	case 2:
		if (count > 0) {
			(void)snprintf(text, 80, "%s",
			    list[random_below(count)].text);
			return;
		}
		break;
	default:
		break;
	}
	(void)snprintf(text, 80, random_below(2) ? "%u.%u.%u" : "%u.%u(%u)SR1",
	    (unsigned)random_below(3) + (high ? 10 : 5),
	    (unsigned)random_below(7), (unsigned)random_below(9));
}

static void
make_fleet(struct question *q)
{
	size_t wanted = 1 +
	    random_below(random_below(4) == 0 ? GROUPS_MAX : 12);

	q->fleet = plan_fleet_new();
	for (size_t i = 0; i < wanted; i++) {
		const struct model *model =
		    &registry_models[random_below(registry_model_count)];
		char version[80];
		bool bad_firmware;
		struct error err;

		random_version(model, version);
		if (plan_fleet_add(q->fleet, model->name, strlen(model->name),
			version, strlen(version), 1 + random_below(99),
			&bad_firmware, &err) != 0)
			assert_true(bad_firmware); /* not of that family */
	}
	q->groups = plan_fleet_groups(q->fleet, &q->group_count);
	assert_true(q->group_count <= GROUPS_MAX);
}

/* --------------------------------------------- what is right, once more */

static bool
is_without(const struct question *q, const struct ca *ca)
{
	for (size_t i = 0; i < q->options.without_count; i++)
		if (q->without[i] == ca)
			return true;
	return false;
}

/* In force on that day; the end that is not known never comes. */
static bool
in_force(const struct plan_certificate *one, time_t at)
{
	return at >= one->not_before &&
	    (one->not_after == 0 || at <= one->not_after);
}

static const struct plan_certificate *
certificate_of(const struct question *q, const struct ca *ca)
{
	const struct plan_certificate *best = NULL;
	time_t best_end = 0;

	/* Those in force first, then by their end. */
	for (int valid = 1; valid >= 0 && best == NULL; valid--)
		for (size_t i = 0; i < q->options.certificate_count; i++) {
			const struct plan_certificate *one = &q->held[i];
			time_t end = one->not_after != 0 ? one->not_after :
							   NOW + 1000 * YEAR;

			if (one->ca != ca ||
			    in_force(one, q->options.at) != (valid == 1) ||
			    (best != NULL && end <= best_end))
				continue;
			best = one;
			best_end = end;
		}
	return best;
}

static bool
is_candidate(const struct question *q, const struct ca *ca)
{
	if (!registry_is_server_ca(ca) || is_without(q, ca) ||
	    strcmp(ca->id, "verisign-c3-any") == 0)
		return false;
	if (q->options.without_gone && ca->signing != CA_SIGNING_YES &&
	    certificate_of(q, ca) == NULL)
		return false;
	if (strcmp(ca->id, "custom-ca") == 0)
		return q->options.allow_custom;
	if (strcmp(ca->id, "public-ca-bundle") == 0)
		return q->options.allow_public;
	return true;
}

static bool
trusts(const struct plan_group *group, const struct ca *ca,
    const struct ca **anchor)
{
	const struct firmware *firmware = group->has_firmware ?
	    &group->firmware :
	    NULL;
	enum verdict verdict =
	    trust_resolve(group->model, firmware, ca).verdict;

	*anchor = ca;
	if (verdict == VERDICT_UNKNOWN && ca->issuer_id != NULL) {
		*anchor = registry_find_ca(ca->issuer_id);
		verdict =
		    trust_resolve(group->model, firmware, *anchor).verdict;
	}
	return verdict == VERDICT_TRUSTED;
}

static bool
ca_in_force(const struct ca *ca, time_t at)
{
	return at >= ca->not_before &&
	    (ca->not_after == 0 || at <= ca->not_after);
}

static bool
accepts(const struct question *q, const struct plan_group *group,
    const struct ca *ca)
{
	const struct stack *stack = registry_find_stack(group->model,
	    group->has_firmware ? &group->firmware : NULL);
	const struct plan_certificate *ours = certificate_of(q, ca);
	bool signs = ca->signing == CA_SIGNING_YES;
	bool own = strcmp(ca->id, "custom-ca") == 0;
	bool over = ours != NULL && !in_force(ours, q->options.at);
	bool sha2 = signs && !own, san = signs, strong = signs;
	const struct ca *anchor;

	if (!trusts(group, ca, &anchor))
		return false;
	if (over && signs) /* a new one will be made */
		over = false;
	else if (ours != NULL) {
		sha2 = ours->is_sha2;
		san = ours->has_san;
		strong = ours->is_strong;
	}
	if (q->options.drop_tls != 0 &&
	    (stack->max_version < 0x0303 || !strong))
		return false;
	if (stack->check_time &&
	    (over || !ca_in_force(ca, q->options.at) ||
		!ca_in_force(anchor, q->options.at)))
		return false;
	return (stack->check_sha256 || !sha2) &&
	    (stack->name_check != NAME_CHECK_SAN || san);
}

static void
find_accepted(struct question *q)
{
	for (size_t i = 0; i < registry_ca_count; i++)
		if (is_candidate(q, &registry_cas[i]))
			q->cas[q->ca_count++] = &registry_cas[i];
	for (size_t i = 0; i < q->group_count; i++) {
		q->accepted[i] = 0;
		for (size_t j = 0; j < q->ca_count; j++)
			if (accepts(q, &q->groups[i], q->cas[j]))
				q->accepted[i] |= UINT64_C(1) << j;
	}
}

/* ------------------------------------------------------------ all sets */

struct merit {
	unsigned held, signs, kept;
	time_t life;
};

static struct merit
merit_of(const struct question *q, uint64_t set)
{
	struct merit merit = { 0, 0, 0, 0 };
	bool first = true;

	for (size_t i = 0; i < q->ca_count; i++) {
		const struct plan_certificate *ours;
		time_t life;
		bool held;

		if ((set >> i & 1) == 0)
			continue;
		ours = certificate_of(q, q->cas[i]);
		held = ours != NULL && in_force(ours, q->options.at);
		life = q->cas[i]->not_after;
		if (ours != NULL && ours->not_after != 0 &&
		    (held || q->cas[i]->signing != CA_SIGNING_YES) &&
		    (life == 0 || ours->not_after < life))
			life = ours->not_after;
		merit.held += held;
		merit.kept += ours != NULL && !held &&
		    q->cas[i]->signing != CA_SIGNING_YES;
		merit.signs += q->cas[i]->signing == CA_SIGNING_YES;
		if (first || life < merit.life)
			merit.life = life;
		first = false;
	}
	return merit;
}

static bool
is_better(const struct question *q, uint64_t a, uint64_t b)
{
	struct merit one = merit_of(q, a), other = merit_of(q, b);

	if (one.held != other.held)
		return one.held > other.held;
	if (one.signs != other.signs)
		return one.signs > other.signs;
	if (one.kept != other.kept)
		return one.kept > other.kept;
	if (one.life != other.life)
		return one.life > other.life;
	for (size_t i = 0; i < q->ca_count; i++)
		if ((a >> i & 1) != (b >> i & 1))
			return (a >> i & 1) != 0;
	return false;
}

/* Different masks only: there are few, and 2^20 sets to try. */
static size_t
distinct_masks(const struct question *q, uint64_t *masks)
{
	size_t count = 0;

	for (size_t i = 0; i < q->group_count; i++) {
		bool known = q->accepted[i] == 0;

		for (size_t j = 0; j < count && !known; j++)
			known = masks[j] == q->accepted[i];
		if (!known)
			masks[count++] = q->accepted[i];
	}
	return count;
}

static void
check_best(const struct question *q, uint64_t chosen)
{
	uint64_t masks[GROUPS_MAX];
	size_t count = distinct_masks(q, masks);
	int size = __builtin_popcountll(chosen);
	uint64_t used = 0;

	for (size_t i = 0; i < count; i++) {
		used |= masks[i];
		assert_true((masks[i] & chosen) != 0);
	}
	for (uint64_t set = 0; set < UINT64_C(1) << q->ca_count; set++) {
		bool covers = true;
		int bits = __builtin_popcountll(set);

		if (bits > size || (set & ~used) != 0)
			continue;
		for (size_t i = 0; i < count && covers; i++)
			covers = (masks[i] & set) != 0;
		if (!covers)
			continue;
		assert_int_equal(bits, size);
		assert_false(is_better(q, set, chosen));
	}
}

/* --------------------------------------------------------------- rules */

/* Which listener a device goes to by that rule. */
static size_t
follow(const struct plan *plan, const char *text, const struct model *model,
    const char *version)
{
	const struct macro list[] = {
		{ "PN", model->product, false },
		{ "SWVER", version, false },
		{ "MA", "02aabbccddee", false },
	};
	const struct macros macros = { list, 3 };
	struct error err = { 0 };
	struct rule *rule = rule_parse(text, &err);
	struct rule_result result;
	size_t found = SIZE_MAX;

	assert_non_null(rule);
	assert_int_equal(rule_evaluate(rule, &macros, &result, &err), 0);
	assert_true(result.matched);
	assert_non_null(strstr(result.url, "02aabbccddee"));
	for (size_t i = 0; i < plan->listener_count; i++) {
		char start[400];

		if (plan->listeners[i].port == 443)
			(void)snprintf(start, sizeof(start), "https://%s/",
			    plan->listeners[i].host);
		else
			(void)snprintf(start, sizeof(start), "https://%s:%u/",
			    plan->listeners[i].host, plan->listeners[i].port);
		if (strncmp(result.url, start, strlen(start)) == 0)
			found = i;
	}
	rule_result_clear(&result);
	rule_free(rule);
	assert_true(found < plan->listener_count);
	return found;
}

/* A device whose version is not known, at each that it may have. */
static void
check_all_versions(const struct question *q, const struct plan *plan,
    const struct plan_group *group)
{
	struct firmware list[32];
	size_t count = trust_distinct_firmware(group->model, list, 32);

	for (size_t i = 0; i < count; i++) {
		struct plan_group at = *group;
		bool any = false;
		size_t to;

		at.has_firmware = true;
		at.firmware = list[i];
		for (size_t j = 0; j < plan->listener_count; j++)
			any |= accepts(q, &at, plan->listeners[j].ca);
		if (!any)
			continue;
		to = follow(plan, plan->universal_rule, group->model,
		    list[i].text);
		assert_true(accepts(q, &at, plan->listeners[to].ca));
	}
}

static void
check_rules(const struct question *q, const struct plan *plan,
    const struct plan_assignment *one)
{
	const struct plan_group *group = one->group;
	const char *version = group->has_firmware ? group->firmware.text : NULL;
	size_t to;

	to = follow(plan, plan->listeners[one->listener].rule, group->model,
	    version);
	assert_int_equal(to, one->listener);
	assert_true(accepts(q, group, plan->listeners[to].ca));
	assert_non_null(plan->universal_rule);
	if (version == NULL) {
		check_all_versions(q, plan, group);
		return;
	}
	to = follow(plan, plan->universal_rule, group->model, version);
	assert_int_equal(to, one->listener);
}

/* ------------------------------------------------------------ the plans */

static uint64_t
chosen_set(const struct question *q, const struct plan *plan)
{
	uint64_t set = 0;

	for (size_t i = 0; i < plan->listener_count; i++)
		for (size_t j = 0; j < q->ca_count; j++)
			if (plan->listeners[i].ca == q->cas[j])
				set |= UINT64_C(1) << j;
	assert_int_equal(__builtin_popcountll(set), plan->listener_count);
	return set;
}

static void
check_plan(const struct question *q, const struct plan *plan)
{
	uint64_t covered = 0, left_out = 0;

	check_best(q, chosen_set(q, plan));
	assert_int_equal(plan->assignment_count, q->group_count);
	for (size_t i = 0; i < q->group_count; i++) {
		const struct plan_assignment *one = &plan->assignments[i];

		if (one->listener == PLAN_LEFT_OUT) {
			assert_int_equal(q->accepted[i], 0);
			assert_int_not_equal(one->reason, PLAN_COVERED);
			assert_true(one->way_count > 0);
			left_out += one->group->count;
			continue;
		}
		covered += one->group->count;
		check_rules(q, plan, one);
	}
	assert_int_equal(plan->covered, covered);
	assert_int_equal(plan->left_out, left_out);
	assert_int_equal(plan->devices, covered + left_out);
}

static void
test_random_fleets(void **state)
{
	struct knowledge *knowledge = knowledge_new();
	size_t listeners = 0, universal = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= FLEETS; seed++) {
		struct question *q = xcalloc(1, sizeof(*q));
		struct error err = { 0 };
		struct plan *plan;

		random_state = seed * UINT64_C(0x9e3779b97f4a7c15);
		make_options(q);
		make_fleet(q);
		if (q->group_count > 0) {
			find_accepted(q);
			plan = plan_make(q->groups, q->group_count, &q->options,
			    knowledge, &err);
			assert_non_null(plan);
			check_plan(q, plan);
			listeners += plan->listener_count;
			universal += plan->universal_rule != NULL;
			plan_free(plan);
		}
		plan_fleet_free(q->fleet);
		free(q);
	}
	knowledge_free(knowledge);
	/* The fleets are no trivial ones. */
	assert_true(listeners > 2 * FLEETS / 2);
	assert_true(universal > FLEETS / 2);
}

/* Every model and version before every CA, as the claims and stacks say. */
static void
test_every_pair(void **state)
{
	struct knowledge *knowledge = knowledge_new();
	struct firmware list[32];
	size_t yes = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++) {
		struct question *q = xcalloc(1, sizeof(*q));

		random_state = seed * UINT64_C(0x9e3779b97f4a7c15);
		make_options(q);
		for (size_t m = 0; m < registry_model_count; m++) {
			size_t count =
			    trust_distinct_firmware(&registry_models[m], list,
				32);

			for (size_t i = 0; i <= count; i++) {
				struct plan_group group = {
					.model = &registry_models[m],
					.has_firmware = i < count
				};

				if (i < count)
					group.firmware = list[i];
				for (size_t j = 0; j < registry_ca_count; j++) {
					const struct ca *ca = &registry_cas[j];
					bool expected;

					if (!is_candidate(q, ca))
						continue;
					expected = accepts(q, &group, ca);
					yes += expected;
					assert_int_equal(expected,
					    plan_expect(&q->options, knowledge,
						group.model,
						i < count ? &list[i] : NULL, ca,
						NULL) == PLAN_ACCEPTS);
				}
			}
		}
		free(q);
	}
	knowledge_free(knowledge);
	assert_true(yes > 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_pair),
		cmocka_unit_test(test_random_fleets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
