/*
 * The start of a migration: which devices, in which wave, and whether their
 * profiles hand on what it will set.
 */
#include "provision/waves.h"
#include "base/buf.h"
#include "base/mem.h"
#include "http/url.h"
#include "inventory/inventory.h"
#include "inventory/snapshot.h"
#include "provision/render.h"
#include "provision/route.h"
#include "provision/waves_rules.h"
#include "spa/knowledge.h"
#include "spa/macro.h"
#include "spa/flat_profile.h"
#include "spa/profile.h"
#include "spa/registry.h"
#include "spa/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

struct picking {
	struct resyncs *resyncs;
	const struct waves_plan *plan;
	const struct snapshot *snapshot;
	const struct rule *rule;
	struct waves_started *started;
	struct migration_member *members;
	size_t count, room;
	struct error *err;
};

const char *
left_reason_text(enum left_reason reason)
{
	static const char *const texts[] = {
		[LEFT_RETIRED] = "retired",
		[LEFT_REFUSES] = "known not to accept the new CA",
		[LEFT_UNKNOWN] = "not known to accept the new CA",
		[LEFT_NO_RULE] = "no profile_rule in the inventory",
		[LEFT_THERE] = "they have the new rule already",
		[LEFT_RULE_B] = "their profile_rule_b is in use",
		[LEFT_UNSEEN] = "never answered by the old listener",
		[LEFT_NO_URL] = "the new rule gives no URL of their profile",
	};

	return texts[reason];
}

/* ------------------------------------------------- may this device move? */

static enum verdict
find_verdict(const struct waves_plan *plan, const struct model *model,
    const struct firmware *firmware)
{
	const struct ca *ca = plan->ca;
	enum verdict verdict = VERDICT_UNKNOWN;

	/* A server sends its intermediate along: the root counts as well. */
	while (ca != NULL && verdict == VERDICT_UNKNOWN) {
		verdict = knowledge_resolve(plan->knowledge, model, firmware,
		    ca)
			      .verdict;
		ca = ca->issuer_id != NULL ? registry_find_ca(ca->issuer_id) :
					     NULL;
	}
	return verdict;
}

static enum verdict
ask_claims(const struct waves_plan *plan, const struct device *device)
{
	const struct model *model = registry_find_model(device->model, NULL);
	struct firmware firmware;
	struct error ignored;
	bool known = *device->firmware != '\0' &&
	    firmware_parse(&firmware, device->firmware, &ignored) == 0;

	return model == NULL ?
	    VERDICT_UNKNOWN :
	    find_verdict(plan, model, known ? &firmware : NULL);
}

/* Does the new rule lead this device to its own profile on our server? */
static bool
leads_to_profile(const struct picking *picking, const struct device *device)
{
	const struct model *model = registry_find_model(device->model, NULL);
	char ma[MAC_TEXT_BYTES], mau[MAC_TEXT_BYTES], mac[MAC_COLON_BYTES];
	const struct macro list[] = {
		{ "MA", ma, false }, { "MAU", mau, false },
		{ "MAC", mac, false }, { "PN", model->product, false },
		{ "PSN", model->series, false },
		{ "SN", *device->serial != '\0' ? device->serial : NULL,
		    false },
		{ "SWVER", *device->firmware != '\0' ? device->firmware : NULL,
		    false },
		{ "CCERT", "Installed", false },
		{ "PRVST", "1", false }, /* periodic: [LINKSYS-PROV] p. 70 */
	};
	const struct macros macros = { list, COUNT(list) };
	struct rule_result result;
	struct route_match match;
	struct error ignored;
	struct url url;
	bool leads;

	mac_format(&device->mac, ma);
	mac_format_upper(&device->mac, mau);
	mac_format_colon(&device->mac, mac);
	leads = rule_evaluate(picking->rule, &macros, &result, &ignored) == 0 &&
	    result.matched && url_parse(&url, result.url, &ignored) == 0 &&
	    url.scheme == URL_HTTPS;
	rule_result_clear(&result);
	if (!leads)
		return false;
	url.path[strcspn(url.path, "?")] = '\0';
	return routes_match(picking->plan->routes, url.path, &match) &&
	    match.kind == ROUTE_PROFILE &&
	    (!match.has_mac || mac_equal(&match.mac, &device->mac)) &&
	    route_match_is_for(&match, model);
}

static bool
is_set(const char *value)
{
	return value != NULL && *value != '\0';
}

/* LEFT_REASONS: it is not left out.  -1 when the record cannot be read. */
static int
judge_device(struct picking *picking, const struct device *device)
{
	const struct waves_plan *plan = picking->plan;
	const char *rule = snapshot_variable(picking->snapshot, device,
	    device->model, RULE_VARIABLE);
	struct member_answers answers = { 0 };

	if (device->state == DEVICE_RETIRED)
		return LEFT_RETIRED;
	switch (ask_claims(plan, device)) {
	case VERDICT_NOT:
		return LEFT_REFUSES;
	case VERDICT_UNKNOWN:
		return LEFT_UNKNOWN;
	case VERDICT_TRUSTED:
		break;
	}
	if (plan->old_rule == NULL && !is_set(rule))
		return LEFT_NO_RULE;
	if (is_set(rule) && strcmp(rule, plan->rule) == 0)
		return LEFT_THERE;
	if (is_set(snapshot_variable(picking->snapshot, device, device->model,
		RULE_B_VARIABLE)))
		return LEFT_RULE_B;
	if (waves_ask(picking->resyncs, &picking->started->migration,
		&device->mac, &answers, picking->err) != 0)
		return -1;
	if (!plan->unseen && answers.old_answers == 0)
		return LEFT_UNSEEN;
	return leads_to_profile(picking, device) ? LEFT_REASONS : LEFT_NO_URL;
}

static int
pick(const struct device *device, void *arg)
{
	struct picking *picking = arg;
	const struct waves_plan *plan = picking->plan;
	struct left_out *left;
	int reason;

	if ((plan->group != NULL && strcmp(plan->group, device->group) != 0) ||
	    (plan->model != NULL && strcmp(plan->model, device->model) != 0))
		return 0;
	reason = judge_device(picking, device);
	if (reason < 0)
		return -1;
	if (reason < LEFT_REASONS) {
		left = &picking->started->left[reason];
		if (left->count++ == 0)
			left->example = device->mac;
		return 0;
	}
	if (picking->count == picking->room) {
		picking->room = picking->room * 2 + 64;
		picking->members = xrealloc(picking->members,
		    picking->room * sizeof(*picking->members));
	}
	picking->members[picking->count++] = (struct migration_member) {
		.mac = device->mac
	};
	return 0;
}

/* --------------------------------------------------------- the templates */

static int
bad_template(const struct device *device, const char *template,
    const char *what, struct error *err)
{
	char mac[MAC_TEXT_BYTES];

	mac_format(&device->mac, mac);
	return error_set(err, ERROR_INPUT,
	    "template %s, for %s: it does not hand on %s; it has to hold "
	    "<Profile_Rule>{{profile_rule}}</Profile_Rule> and <Profile_Rule_B>"
	    "{{#profile_rule_b}}{{profile_rule_b}}{{/profile_rule_b}}"
	    "</Profile_Rule_B>",
	    template, mac, what);
}

/* Render for a device, and compare what the profile says with the rules. */
static int
check_profile(const struct picking *picking, const struct device *device,
    const char *template, const char *rule, const char *rule_b,
    struct error *err)
{
	static const char *const names[] = { "Profile_Rule", "Profile_Rule_B" };
	struct flat_profile *flat = NULL;
	const char *values[COUNT(names)] = { NULL };
	struct buf profile;
	int rc;

	buf_init(&profile, PROFILE_BYTES_MAX);
	rc = render_profile(picking->plan->templates, picking->snapshot, device,
	    &profile, err);
	if (rc == 0 &&
	    (flat = flat_profile_read(buf_text(&profile), profile.len, err)) ==
		NULL)
		rc = -1;
	for (size_t i = 0; rc == 0 && i < COUNT(names); i++)
		values[i] = flat_profile_value(flat, names[i]);
	if (rc == 0 && (values[0] == NULL || strcmp(values[0], rule) != 0))
		rc = bad_template(device, template, "profile_rule", err);
	if (rc == 0 && (values[1] == NULL || strcmp(values[1], rule_b) != 0))
		rc = bad_template(device, template,
		    *rule_b != '\0' ? "profile_rule_b" :
				      "an empty profile_rule_b",
		    err);
	flat_profile_free(flat);
	buf_clear(&profile);
	return rc;
}

/*
 * Without this, a template that ignores profile_rule_b would show only after
 * the minimal wait; and one that does not clear it again would leave the
 * devices with a second rule when the migration is taken back.
 */
static int
check_template(const struct picking *picking, const struct mac *mac,
    const char *template, struct error *err)
{
	const struct waves_plan *plan = picking->plan;
	struct device device;
	const char *rule;
	int rc;

	device_copy(&device, snapshot_find(picking->snapshot, mac));
	rule = plan->old_rule != NULL ?
	    plan->old_rule :
	    snapshot_variable(picking->snapshot, &device, device.model,
		RULE_VARIABLE);
	rc = waves_set_rule(&device, RULE_VARIABLE, rule, err);
	if (rc == 0)
		rc = check_profile(picking, &device, template,
		    variables_get(&device.variables, RULE_VARIABLE), "", err);
	if (rc == 0)
		rc = waves_set_rule(&device, RULE_B_VARIABLE, plan->rule, err);
	if (rc == 0)
		rc = check_profile(picking, &device, template,
		    variables_get(&device.variables, RULE_VARIABLE), plan->rule,
		    err);
	device_clear(&device);
	return rc;
}

/* One device of each template is enough. */
static int
check_templates(const struct picking *picking, struct error *err)
{
	const char **seen = NULL;
	size_t count = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < picking->count; i++) {
		const struct mac *mac = &picking->members[i].mac;
		const struct device *device = snapshot_find(picking->snapshot,
		    mac);
		const char *name =
		    render_template_name(picking->plan->templates,
			picking->snapshot, device);
		size_t j = 0;

		while (j < count && strcmp(seen[j], name) != 0)
			j++;
		if (j < count)
			continue;
		seen = xrealloc(seen, (count + 1) * sizeof(*seen));
		seen[count++] = name;
		rc = check_template(picking, mac, name, err);
	}
	free(seen);
	return rc;
}

/* ------------------------------------------------------------ all of it */

static int
compare_members(const void *a, const void *b)
{
	const struct migration_member *x = a, *y = b;
	uint64_t rank_x = wave_rank(&x->mac), rank_y = wave_rank(&y->mac);

	if (rank_x != rank_y)
		return rank_x < rank_y ? -1 : 1;
	return mac_compare(&x->mac, &y->mac);
}

static void
cut(struct picking *picking)
{
	struct waves_started *started = picking->started;
	size_t wave = 0;

	qsort(picking->members, picking->count, sizeof(*picking->members),
	    compare_members);
	started->devices = picking->count;
	started->migration.wave_count = waves_cut(&picking->plan->shares,
	    picking->plan->canary, picking->count, started->ends);
	for (size_t i = 0; i < picking->count; i++) {
		if (i == started->ends[wave])
			wave++;
		picking->members[i].wave = (unsigned)wave + 1;
	}
}

static int
choose(struct picking *picking, struct inventory *inventory, struct error *err)
{
	struct waves_started *started = picking->started;
	const struct waves_plan *plan = picking->plan;

	if (inventory_each_device(inventory, pick, picking, err) != 0)
		return -1;
	if (picking->count == 0)
		return error_set(err, ERROR_NOT_FOUND,
		    "there is no device to move from %s to %s", plan->from.name,
		    plan->to.name);
	cut(picking);
	(void)snprintf(started->migration.reason,
	    sizeof(started->migration.reason), "%zu devices in %zu waves",
	    picking->count, started->migration.wave_count);
	return check_templates(picking, err);
}

/* Within a transaction. */
static int
start(struct picking *picking, struct inventory *inventory, time_t now,
    struct error *err)
{
	struct migration *migration = &picking->started->migration;
	struct migration running;

	if (migration_store_load(inventory, 0, &running, err) == 0 &&
	    running.state == MIGRATION_RUNNING)
		return error_set(err, ERROR_INPUT,
		    "migration %lld is running: let it end (sprov migrate run) "
		    "or take it back (sprov migrate rollback)",
		    (long long)running.id);
	if (running.id == 0 && err->kind != ERROR_NOT_FOUND)
		return -1;
	*err = (struct error) { 0 };
	if (choose(picking, inventory, err) != 0 ||
	    migration_store_add(inventory, migration, picking->members,
		picking->count, err) != 0 ||
	    waves_begin(inventory, picking->resyncs, migration, 1,
		picking->members, picking->count, now, err) != 0 ||
	    migration_store_update(inventory, migration, err) != 0)
		return -1;
	return migration_store_update_members(inventory, migration->id,
	    picking->members, picking->count, err);
}

static int
fill_in(struct migration *migration, const struct waves_plan *plan, time_t now,
    struct error *err)
{
	const char *old = plan->old_rule != NULL ? plan->old_rule : "";

	*migration = (struct migration) {
		.from = plan->from,
		.to = plan->to,
		.has_old_rule = plan->old_rule != NULL,
		.threshold = plan->threshold,
		.min_wait_s = plan->min_wait_s,
		.state = MIGRATION_RUNNING,
		.started_at = now,
	};
	if (strlen(plan->rule) > INVENTORY_VALUE_MAX ||
	    strlen(old) > INVENTORY_VALUE_MAX)
		return error_set(err, ERROR_INPUT,
		    "the rule is longer than %d bytes", INVENTORY_VALUE_MAX);
	memcpy(migration->rule, plan->rule, strlen(plan->rule) + 1);
	memcpy(migration->old_rule, old, strlen(old) + 1);
	return 0;
}

static int
run(struct picking *picking, struct inventory *inventory, time_t now,
    struct error *err)
{
	struct snapshot *snapshot;
	int rc = -1;

	if (inventory_begin(inventory, err) != 0)
		return -1;
	snapshot = snapshot_load(inventory, err);
	picking->snapshot = snapshot;
	if (snapshot != NULL)
		rc = start(picking, inventory, now, err);
	snapshot_release(snapshot);
	if (rc == 0 && !picking->plan->dry_run)
		return inventory_commit(inventory, err);
	inventory_rollback(inventory);
	return rc;
}

int
waves_start(struct inventory *inventory, struct resyncs *resyncs,
    const struct waves_plan *plan, time_t now, struct waves_started *started,
    struct error *err)
{
	struct picking picking = {
		.resyncs = resyncs, .plan = plan, .started = started, .err = err
	};
	struct rule *rule, *old_rule = NULL;
	int rc;

	*started = (struct waves_started) { .devices = 0 };
	if (fill_in(&started->migration, plan, now, err) != 0)
		return -1;
	rule = rule_parse(plan->rule, err);
	if (rule == NULL)
		return error_prefix(err, "the new rule: ");
	picking.rule = rule;
	rc = 0;
	if (plan->old_rule != NULL &&
	    (old_rule = rule_parse(plan->old_rule, err)) == NULL)
		rc = error_prefix(err, "the old rule: ");
	if (rc == 0)
		rc = run(&picking, inventory, now, err);
	migration_members_free(picking.members, picking.count);
	rule_free(old_rule);
	rule_free(rule);
	return rc;
}
