#include "provision/waves_rules.h"
#include "base/mem.h"
#include "inventory/inventory.h"
#include "inventory/resyncs.h"
#include "inventory/snapshot.h"

#include <stdlib.h>
#include <string.h>

int
waves_set_rule(struct device *device, const char *name, const char *value,
    struct error *err)
{
	if (value != NULL)
		return variables_set(&device->variables, name, value, err);
	(void)variables_unset(&device->variables, name);
	return 0;
}

static bool
is_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Are the device's rules those that the migration has set? */
static bool
is_ours(const struct migration *migration,
    const struct migration_member *member, const struct device *device)
{
	const char *rule = variables_get(&device->variables, RULE_VARIABLE);
	const char *rule_b = variables_get(&device->variables, RULE_B_VARIABLE);

	switch (member->state) {
	case MEMBER_TRIAL:
		return is_same(rule_b, migration->rule) &&
		    is_same(rule,
			migration->has_old_rule ? migration->old_rule :
						  member->previous_rule);
	case MEMBER_MOVED:
		return is_same(rule, migration->rule) &&
		    is_same(rule_b, member->previous_rule_b);
	case MEMBER_WAITING:
		return rule_b == NULL || *rule_b == '\0';
	case MEMBER_PUT_BACK:
	case MEMBER_CHANGED:
		break;
	}
	return false;
}

static char *
copy(const char *text)
{
	return text != NULL ? xstrdup(text) : NULL;
}

/*
 * A device whose rule the inventory did not know gets the old rule for good:
 * a profile without a rule would not clear its Profile_Rule_B either.
 */
static void
remember(const struct migration *migration, const struct snapshot *snapshot,
    struct migration_member *member, const struct device *device)
{
	const char *rule = variables_get(&device->variables, RULE_VARIABLE);
	const char *known = snapshot_variable(snapshot, device, device->model,
	    RULE_VARIABLE);

	if (migration->has_old_rule && (known == NULL || *known == '\0'))
		rule = migration->old_rule;
	free(member->previous_rule);
	free(member->previous_rule_b);
	member->previous_rule = copy(rule);
	member->previous_rule_b = copy(variables_get(&device->variables,
	    RULE_B_VARIABLE));
}

static int
set_rules(const struct migration *migration,
    const struct migration_member *member, struct device *device,
    enum member_state state, struct error *err)
{
	const char *rule = member->previous_rule;
	const char *rule_b = member->previous_rule_b;

	if (state == MEMBER_TRIAL) {
		rule_b = migration->rule;
		if (migration->has_old_rule)
			rule = migration->old_rule;
	} else if (state == MEMBER_MOVED) {
		rule = migration->rule;
	}
	if (waves_set_rule(device, RULE_VARIABLE, rule, err) != 0)
		return -1;
	return waves_set_rule(device, RULE_B_VARIABLE, rule_b, err);
}

int
waves_change_member(struct inventory *inventory,
    const struct migration *migration, const struct snapshot *snapshot,
    struct migration_member *member, enum member_state state, struct error *err)
{
	struct device device;
	int rc = 0;

	if (inventory_get_device(inventory, &member->mac, &device, err) != 0)
		return -1;
	if (!is_ours(migration, member, &device)) {
		member->state = MEMBER_CHANGED;
	} else {
		if (state == MEMBER_TRIAL)
			remember(migration, snapshot, member, &device);
		rc = set_rules(migration, member, &device, state, err);
		if (rc == 0)
			rc = inventory_update_device(inventory, &device, err);
		member->state = state;
	}
	device_clear(&device);
	return rc;
}

struct question {
	const struct migration *migration;
	struct member_answers *answers;
};

static int
visit(const struct resync_summary *summary, void *arg)
{
	struct question *question = arg;

	member_answers_add(question->answers, question->migration, summary);
	return 0;
}

int
waves_ask(struct resyncs *resyncs, const struct migration *migration,
    const struct mac *mac, struct member_answers *answers, struct error *err)
{
	struct question question = { migration, answers };

	*answers = (struct member_answers) { 0 };
	return resyncs == NULL ?
	    0 :
	    resyncs_each(resyncs, mac, visit, &question, err);
}

int
waves_begin(struct inventory *inventory, struct resyncs *resyncs,
    struct migration *migration, size_t wave, struct migration_member *members,
    size_t count, time_t now, struct error *err)
{
	struct snapshot *snapshot = snapshot_load(inventory, err);
	struct member_answers answers = { 0 };
	int rc = snapshot != NULL ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct migration_member *member = &members[i];

		if (member->wave != wave || member->state != MEMBER_WAITING)
			continue;
		rc = waves_ask(resyncs, migration, &member->mac, &answers, err);
		if (rc == 0)
			rc = waves_change_member(inventory, migration, snapshot,
			    member, MEMBER_TRIAL, err);
		member->trial_at = now;
		member->old_answers = answers.old_answers;
		member->new_answers = answers.new_answers;
		member->new_profiles = answers.new_profiles;
	}
	snapshot_release(snapshot);
	migration->waves[wave - 1] = (struct migration_wave) {
		.state = WAVE_TRIAL, .started_at = now
	};
	return rc;
}
