/*
 * A migration over a real store: the steps, and what is left after each.
 */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "inventory/inventory.h"
#include "inventory/resyncs.h"
#include "provision/render.h"
#include "provision/starter.h"
#include "provision/route.h"
#include "provision/template.h"
#include "provision/waves.h"
#include "spa/knowledge.h"
#include "spa/registry.h"

#define DEVICES 40
#define OLD "https://old.example.net/$MA.cfg"
#define NEW "https://new.example.net/$MA.cfg"

struct fixture {
	char *folder;
	struct inventory *inventory;
	struct resyncs *resyncs;
	struct routes *routes;
	struct templates *templates;
	struct knowledge *knowledge;
	struct waves_plan plan;
	time_t now;
};

static struct mac
mac_of(unsigned n)
{
	return (struct mac) { { 0x00, 0x0e, 0x08, 0xaa, 0x01, (uint8_t)n } };
}

static void
add_device(struct fixture *fixture, unsigned n, const char *rule)
{
	struct device device = {
		.mac = mac_of(n), .model = "SPA504G", .firmware = "7.6.2f"
	};
	struct error err;

	if (rule != NULL)
		assert_int_equal(variables_set(&device.variables,
				     "profile_rule", rule, &err),
		    0);
	assert_int_equal(inventory_add_device(fixture->inventory, &device,
			     &err),
	    0);
	device_clear(&device);
}

static int
set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	char *uri, *path;
	struct error err = { 0 };

	fixture->folder = xstrdup("/tmp/sprov-waves-XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	uri = xasprintf("sqlite:%s/inventory.db", fixture->folder);
	path = xasprintf("%s/resyncs.db", fixture->folder);
	fixture->inventory = inventory_open(uri, false, &err);
	fixture->resyncs = resyncs_open(path, false, &err);
	assert_non_null(fixture->inventory);
	assert_non_null(fixture->resyncs);
	free(uri);
	free(path);
	for (unsigned i = 0; i < DEVICES; i++)
		add_device(fixture, i, OLD);
	fixture->routes = routes_new();
	assert_int_equal(routes_add(fixture->routes, ROUTE_PROFILE, "/$MA.cfg",
			     NULL, &err),
	    0);
	fixture->templates = templates_new();
	assert_int_equal(templates_add(fixture->templates,
			     RENDER_DEFAULT_TEMPLATE, starter_generic,
			     strlen(starter_generic), &err),
	    0);
	fixture->knowledge = knowledge_new();
	fixture->now = 100000;
	fixture->plan = (struct waves_plan) {
		.from = { true, "ciscosb-prov-1" },
		.to = { true, "ciscosb-prov-2" },
		.ca = registry_find_ca("ciscosb-prov-2"),
		.rule = NEW,
		.shares = { 2, { 25, 100 } },
		.threshold = 90,
		.min_wait_s = 3600,
		.unseen = true,
		.routes = fixture->routes,
		.templates = fixture->templates,
		.knowledge = fixture->knowledge,
	};
	*state = fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;
	const struct dirent *entry;
	DIR *folder;

	knowledge_free(fixture->knowledge);
	templates_free(fixture->templates);
	routes_free(fixture->routes);
	resyncs_close(fixture->resyncs);
	inventory_close(fixture->inventory);
	folder = opendir(fixture->folder);
	assert_non_null(folder);
	while ((entry = readdir(folder)) != NULL)
		(void)unlinkat(dirfd(folder), entry->d_name, 0);
	(void)closedir(folder);
	(void)rmdir(fixture->folder);
	free(fixture->folder);
	free(fixture);
	return 0;
}

/* ---------------------------------------------------------------- helpers */

static void
answer(struct fixture *fixture, unsigned n, bool new, int status)
{
	struct resync resync = {
		.mac = mac_of(n), .status = status, .at = fixture->now
	};
	struct error err;

	(void)snprintf(resync.listener, sizeof(resync.listener), "%s",
	    new ? "new" : "old");
	(void)snprintf(resync.ca, sizeof(resync.ca), "%s",
	    new ? "ciscosb-prov-2" : "ciscosb-prov-1");
	assert_int_equal(resyncs_put(fixture->resyncs, &resync, 1, &err), 0);
}

/* The device's own variable, copied to one static place: "-" for none. */
static const char *
own(struct fixture *fixture, unsigned n, const char *name)
{
	static char text[2][256];
	static unsigned turn;
	struct mac mac = mac_of(n);
	struct device device;
	struct error err;
	const char *value;

	assert_int_equal(inventory_get_device(fixture->inventory, &mac, &device,
			     &err),
	    0);
	value = variables_get(&device.variables, name);
	turn ^= 1;
	(void)snprintf(text[turn], sizeof(text[turn]), "%s",
	    value != NULL ? value : "-");
	device_clear(&device);
	return text[turn];
}

static void
set(struct fixture *fixture, unsigned n, const char *name, const char *value)
{
	struct mac mac = mac_of(n);
	struct device device;
	struct error err;

	assert_int_equal(inventory_get_device(fixture->inventory, &mac, &device,
			     &err),
	    0);
	assert_int_equal(variables_set(&device.variables, name, value, &err),
	    0);
	assert_int_equal(inventory_update_device(fixture->inventory, &device,
			     &err),
	    0);
	device_clear(&device);
}

static bool
is_on_trial(struct fixture *fixture, unsigned n)
{
	bool trial = strcmp(own(fixture, n, "profile_rule_b"), NEW) == 0;

	/* The old one always comes first then. */
	if (trial)
		assert_string_equal(own(fixture, n, "profile_rule"), OLD);
	return trial;
}

static bool
is_moved(struct fixture *fixture, unsigned n)
{
	return strcmp(own(fixture, n, "profile_rule"), NEW) == 0 &&
	    strcmp(own(fixture, n, "profile_rule_b"), "-") == 0;
}

static bool
is_as_before(struct fixture *fixture, unsigned n)
{
	return strcmp(own(fixture, n, "profile_rule"), OLD) == 0 &&
	    strcmp(own(fixture, n, "profile_rule_b"), "-") == 0;
}

static size_t
count(struct fixture *fixture, bool (*is)(struct fixture *, unsigned))
{
	size_t n = 0;

	for (unsigned i = 0; i < DEVICES; i++)
		n += is(fixture, i);
	return n;
}

static struct waves_started
start_good(struct fixture *fixture)
{
	struct waves_started started;
	struct error err = { 0 };

	if (waves_start(fixture->inventory, fixture->resyncs, &fixture->plan,
		fixture->now, &started, &err) != 0)
		fail_msg("%s", err.text);
	return started;
}

static struct waves_step
step_good(struct fixture *fixture)
{
	struct waves_step step;
	struct error err = { 0 };

	if (waves_step(fixture->inventory, fixture->resyncs, fixture->now,
		&step, &err) != 0)
		fail_msg("%s", err.text);
	return step;
}

/* Let those on trial resync: at the old one, and some at the new one. */
static void
resync(struct fixture *fixture, unsigned at_most, int status)
{
	for (unsigned i = 0; i < DEVICES; i++) {
		if (!is_on_trial(fixture, i))
			continue;
		answer(fixture, i, false, 200);
		if (at_most > 0) {
			answer(fixture, i, true, status);
			at_most--;
		}
	}
}

/* ------------------------------------------------------------------ tests */

static void
test_all_goes_well(void **state)
{
	struct fixture *fixture = *state;
	struct waves_started started = start_good(fixture);
	struct waves_step step;
	struct error err = { 0 };

	assert_int_equal(started.devices, DEVICES);
	assert_int_equal(started.migration.wave_count, 2);
	assert_int_equal(started.ends[0], 10);
	assert_int_equal(count(fixture, is_on_trial), 10);
	assert_int_equal(count(fixture, is_as_before), 30);

	step = step_good(fixture);
	assert_int_equal(step.event, WAVES_WAITING);
	resync(fixture, 8, 200);
	step = step_good(fixture); /* 80 % */
	assert_int_equal(step.event, WAVES_WAITING);
	assert_int_equal(step.moved, 0);
	resync(fixture, 9, 200);
	step = step_good(fixture); /* 90 %: those nine are moved */
	assert_int_equal(step.event, WAVES_ADVANCED);
	assert_int_equal(step.moved, 9);
	assert_int_equal(count(fixture, is_moved), 9);
	assert_int_equal(count(fixture, is_on_trial), 31);

	/* The one that was late is moved when it comes, and no sooner. */
	fixture->now += 100;
	step = step_good(fixture);
	assert_int_equal(step.moved, 0);
	resync(fixture, 31, 200);
	step = step_good(fixture);
	assert_int_equal(step.event, WAVES_FINISHED);
	assert_int_equal(step.moved, 31);
	assert_int_equal(count(fixture, is_moved), DEVICES);
	assert_int_equal(step.migration.state, MIGRATION_DONE);
	assert_string_equal(step.migration.reason, "all 40 devices moved");
	assert_int_equal(step.migration.ended_at, fixture->now);
	assert_int_equal(waves_step(fixture->inventory, fixture->resyncs,
			     fixture->now, &step, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_non_null(strstr(err.text, "migration 1 is done"));
}

/* Whose trial goes on at the end is put back after the minimal wait. */
static void
test_stragglers(void **state)
{
	struct fixture *fixture = *state;
	struct waves_step step;

	(void)start_good(fixture);
	resync(fixture, 9, 200);
	(void)step_good(fixture);
	resync(fixture, 30, 200); /* one of 31 does not come */
	step = step_good(fixture);
	assert_int_equal(step.event, WAVES_ADVANCED);
	assert_int_equal(step.migration.state, MIGRATION_RUNNING);
	assert_int_equal(count(fixture, is_moved), 39);
	assert_string_equal(step.reason,
	    "39 of 40 devices moved, waiting for the others");
	fixture->now += 3599;
	assert_int_equal(step_good(fixture).event, WAVES_WAITING);
	fixture->now += 1;
	step = step_good(fixture);
	assert_int_equal(step.event, WAVES_FINISHED);
	assert_int_equal(step.put_back, 1);
	assert_int_equal(count(fixture, is_moved), 39);
	assert_int_equal(count(fixture, is_as_before), 1);
	assert_string_equal(step.migration.reason,
	    "39 of 40 devices moved, 1 were put back");
}

static void
expect_stop(struct fixture *fixture, const char *reason)
{
	struct waves_step step = step_good(fixture);

	assert_int_equal(step.event, WAVES_STOPPED);
	assert_int_equal(step.put_back, 10);
	assert_int_equal(count(fixture, is_as_before), DEVICES);
	assert_int_equal(step.migration.state, MIGRATION_STOPPED);
	assert_int_equal(step.migration.waves[0].state, WAVE_PUT_BACK);
	assert_int_equal(step.migration.waves[1].state, WAVE_PENDING);
	if (strstr(step.migration.reason, reason) == NULL)
		fail_msg("%s", step.migration.reason);
}

static void
test_stop_when_refused(void **state)
{
	struct fixture *fixture = *state;

	(void)start_good(fixture);
	resync(fixture, 1, 403);
	assert_int_equal(step_good(fixture).event, WAVES_WAITING);
	resync(fixture, 2, 403);
	expect_stop(fixture, "2 of the 10 devices of wave 1 are refused");
}

/* What a certificate does that devices do not accept: they come back to the
 * old listener, again and again. */
static void
test_stop_when_not_accepted(void **state)
{
	struct fixture *fixture = *state;

	(void)start_good(fixture);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(step_good(fixture).event, WAVES_WAITING);
		fixture->now += 400;
		resync(fixture, 0, 0);
	}
	expect_stop(fixture, "10 of the 10 devices of wave 1 are refused");
}

static void
test_stop_after_the_wait(void **state)
{
	struct fixture *fixture = *state;

	(void)start_good(fixture);
	resync(fixture, 4, 200);
	fixture->now += 3600;
	expect_stop(fixture, "10 were heard of, and 4 of these");
}

static void
test_stop_in_silence(void **state)
{
	struct fixture *fixture = *state;

	(void)start_good(fixture);
	fixture->now += 3600;
	expect_stop(fixture, "none of the 10 devices");
}

/* Earlier waves stay when a later one stops, but not their stragglers. */
static void
test_stop_in_the_second_wave(void **state)
{
	struct fixture *fixture = *state;
	struct waves_step step;

	(void)start_good(fixture);
	resync(fixture, 9, 200);
	(void)step_good(fixture);
	resync(fixture, 0, 0);
	fixture->now += 3600;
	step = step_good(fixture);
	assert_int_equal(step.event, WAVES_STOPPED);
	assert_int_equal(count(fixture, is_moved), 9);
	assert_int_equal(count(fixture, is_as_before), 31);
	assert_int_equal(step.migration.waves[0].state, WAVE_DONE);
	assert_int_equal(step.migration.waves[1].state, WAVE_PUT_BACK);
}

static void
test_roll_back(void **state)
{
	struct fixture *fixture = *state;
	struct migration migration;
	size_t put_back, changed;
	struct error err = { 0 };

	(void)start_good(fixture);
	resync(fixture, 9, 200);
	(void)step_good(fixture);
	assert_int_equal(count(fixture, is_moved), 9);
	assert_int_equal(waves_roll_back(fixture->inventory, fixture->now,
			     &migration, &put_back, &changed, &err),
	    0);
	assert_int_equal(put_back, 40);
	assert_int_equal(changed, 0);
	assert_int_equal(migration.state, MIGRATION_ROLLED_BACK);
	assert_int_equal(migration.waves[0].state, WAVE_PUT_BACK);
	assert_int_equal(count(fixture, is_as_before), DEVICES);
	assert_int_equal(waves_roll_back(fixture->inventory, fixture->now,
			     &migration, &put_back, &changed, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	/* And a new one may begin. */
	assert_int_equal(start_good(fixture).migration.id, 2);
}

/* What somebody sets by hand is never overwritten. */
static void
test_changed_by_hand(void **state)
{
	struct fixture *fixture = *state;
	unsigned hand[3] = { DEVICES, DEVICES, DEVICES }, found = 0;
	struct waves_step step;
	struct migration migration;
	size_t put_back, changed;
	struct error err;

	(void)start_good(fixture);
	for (unsigned i = 0; i < DEVICES && found < 2; i++)
		if (is_on_trial(fixture, i))
			hand[found++] = i;
	for (unsigned i = 0; i < DEVICES; i++)
		if (is_as_before(fixture, i))
			hand[2] = i; /* it waits for the second wave */
	set(fixture, hand[0], "profile_rule", "/hand.cfg");
	set(fixture, hand[2], "profile_rule_b", "/more.cfg");
	for (unsigned i = 0; i < DEVICES; i++)
		if (strcmp(own(fixture, i, "profile_rule_b"), NEW) == 0)
			answer(fixture, i, true, 200);
	step = step_good(fixture);
	assert_int_equal(step.event, WAVES_ADVANCED);
	assert_int_equal(step.moved, 9);
	assert_string_equal(own(fixture, hand[0], "profile_rule"), "/hand.cfg");
	assert_string_equal(own(fixture, hand[2], "profile_rule_b"),
	    "/more.cfg");
	assert_string_equal(own(fixture, hand[2], "profile_rule"), OLD);
	/* After it was moved, too. */
	assert_true(is_moved(fixture, hand[1]));
	set(fixture, hand[1], "profile_rule", "/later.cfg");
	assert_int_equal(waves_roll_back(fixture->inventory, fixture->now,
			     &migration, &put_back, &changed, &err),
	    0);
	assert_int_equal(changed, 3);
	assert_int_equal(put_back, 37);
	assert_string_equal(own(fixture, hand[1], "profile_rule"),
	    "/later.cfg");
}

/* With --old-rule, and rules that come from the defaults or from nowhere. */
static void
test_inherited_rules(void **state)
{
	struct fixture *fixture = *state;
	struct scope scope = { .kind = SCOPE_DEFAULT };
	struct migration migration;
	struct waves_started started;
	size_t put_back, changed;
	struct error err = { 0 };

	add_device(fixture, 100, NULL);
	fixture->plan.shares = (struct wave_shares) { 1, { 100 } };
	started = start_good(fixture);
	assert_int_equal(started.devices, DEVICES);
	assert_int_equal(started.left[LEFT_NO_RULE].count, 1);
	assert_int_equal(waves_roll_back(fixture->inventory, fixture->now,
			     &migration, &put_back, &changed, &err),
	    0);

	fixture->plan.old_rule = "https://really.example.net/$MA.cfg";
	assert_int_equal(start_good(fixture).devices, DEVICES + 1);
	assert_string_equal(own(fixture, 100, "profile_rule"),
	    fixture->plan.old_rule);
	assert_string_equal(own(fixture, 0, "profile_rule"),
	    fixture->plan.old_rule);
	assert_string_equal(own(fixture, 100, "profile_rule_b"), NEW);
	assert_int_equal(waves_roll_back(fixture->inventory, fixture->now,
			     &migration, &put_back, &changed, &err),
	    0);
	/* A profile without any rule could not clear the second one. */
	assert_string_equal(own(fixture, 100, "profile_rule"),
	    fixture->plan.old_rule);
	assert_string_equal(own(fixture, 100, "profile_rule_b"), "-");
	assert_true(is_as_before(fixture, 0));

	add_device(fixture, 101, NULL);
	assert_int_equal(variables_set(&scope.variables, "profile_rule", OLD,
			     &err),
	    0);
	assert_int_equal(inventory_put_scope(fixture->inventory, &scope, &err),
	    0);
	scope_clear(&scope);
	fixture->plan.old_rule = NULL;
	(void)start_good(fixture);
	assert_string_equal(own(fixture, 101, "profile_rule"), "-");
	assert_string_equal(own(fixture, 101, "profile_rule_b"), NEW);
	answer(fixture, 101, true, 200);
	for (unsigned i = 0; i < DEVICES; i++)
		answer(fixture, i, true, 200);
	answer(fixture, 100, true, 200);
	assert_int_equal(step_good(fixture).event, WAVES_FINISHED);
	assert_string_equal(own(fixture, 101, "profile_rule"), NEW);
	assert_int_equal(waves_roll_back(fixture->inventory, fixture->now,
			     &migration, &put_back, &changed, &err),
	    0);
	assert_string_equal(own(fixture, 101, "profile_rule"), "-");
}

/* Answers of before the trial prove nothing; those who wait are not asked. */
static void
test_old_answers_do_not_count(void **state)
{
	struct fixture *fixture = *state;
	struct waves_count tally;
	struct waves_step step;
	struct error err;

	for (unsigned i = 0; i < DEVICES; i++) {
		answer(fixture, i, true, 200);
		answer(fixture, i, false, 200);
	}
	fixture->plan.unseen = false;
	(void)start_good(fixture);
	step = step_good(fixture);
	assert_int_equal(step.event, WAVES_WAITING);
	assert_int_equal(waves_tally(fixture->inventory, fixture->resyncs,
			     &step.migration, &tally, &err),
	    0);
	assert_int_equal(tally.wave[0].absent, 10);
	assert_int_equal(tally.wave[1].waiting, 30);
	assert_int_equal(tally.all.members, 40);
	/* Without a record nothing is known. */
	resync(fixture, 10, 200);
	assert_int_equal(waves_tally(fixture->inventory, NULL, &step.migration,
			     &tally, &err),
	    0);
	assert_int_equal(tally.wave[0].absent, 10);
	assert_int_equal(waves_tally(fixture->inventory, fixture->resyncs,
			     &step.migration, &tally, &err),
	    0);
	assert_int_equal(tally.wave[0].new, 10);
}

static void
test_dry_run(void **state)
{
	struct fixture *fixture = *state;
	uint64_t before, after;
	struct error err;

	assert_int_equal(inventory_change_number(fixture->inventory, &before,
			     &err),
	    0);
	fixture->plan.dry_run = true;
	assert_int_equal(start_good(fixture).devices, DEVICES);
	assert_int_equal(count(fixture, is_as_before), DEVICES);
	assert_int_equal(inventory_change_number(fixture->inventory, &after,
			     &err),
	    0);
	assert_int_equal(before, after);
	fixture->plan.dry_run = false;
	assert_int_equal(start_good(fixture).migration.id, 1);
}

static void
expect_refusal(struct fixture *fixture, enum error_kind kind, const char *part)
{
	struct waves_started started;
	struct error err = { 0 };

	assert_int_equal(waves_start(fixture->inventory, fixture->resyncs,
			     &fixture->plan, fixture->now, &started, &err),
	    -1);
	if (err.kind != kind || strstr(err.text, part) == NULL)
		fail_msg("%d: %s", (int)err.kind, err.text);
	assert_int_equal(count(fixture, is_as_before), DEVICES);
}

static void
test_refusals(void **state)
{
	struct fixture *fixture = *state;
	char *long_rule = xcalloc(1, INVENTORY_VALUE_MAX + 2);
	struct waves_step step;
	struct error err;

	memset(long_rule, 'x', INVENTORY_VALUE_MAX + 1);
	fixture->plan.rule = long_rule;
	expect_refusal(fixture, ERROR_INPUT, "is longer than 4096 bytes");
	fixture->plan.rule = "(";
	expect_refusal(fixture, ERROR_INPUT, "the new rule: ");
	fixture->plan.rule = NEW;
	fixture->plan.old_rule = "(";
	expect_refusal(fixture, ERROR_INPUT, "the old rule: ");
	fixture->plan.old_rule = NULL;
	fixture->plan.model = "SPA122";
	expect_refusal(fixture, ERROR_NOT_FOUND, "there is no device to move");
	fixture->plan.model = NULL;
	fixture->plan.rule = "($MA eq \"x\")? " NEW;
	expect_refusal(fixture, ERROR_NOT_FOUND, "there is no device to move");
	fixture->plan.rule = OLD;
	expect_refusal(fixture, ERROR_NOT_FOUND, "there is no device to move");
	fixture->plan.rule = NEW;
	assert_int_equal(waves_step(fixture->inventory, fixture->resyncs,
			     fixture->now, &step, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	(void)start_good(fixture);
	assert_int_equal(count(fixture, is_on_trial), 10);
	free(long_rule);
}

/* An intermediate is accepted by those that trust its root. */
static void
test_intermediate(void **state)
{
	struct fixture *fixture = *state;
	const struct ca *found = NULL;

	for (size_t i = 0; i < registry_ca_count && found == NULL; i++)
		if (registry_cas[i].role == CA_SERVER_INTERMEDIATE)
			found = &registry_cas[i];
	assert_non_null(found);
	fixture->plan.ca = found;
	/* SPA504G does not know it, nor its root. */
	expect_refusal(fixture, ERROR_NOT_FOUND, "there is no device to move");
	for (int i = 0; i < LEFT_REASONS; i++)
		assert_true(strlen(left_reason_text((enum left_reason)i)) > 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_all_goes_well),
		TEST(test_stragglers),
		TEST(test_stop_when_refused),
		TEST(test_stop_when_not_accepted),
		TEST(test_stop_after_the_wait),
		TEST(test_stop_in_silence),
		TEST(test_stop_in_the_second_wave),
		TEST(test_roll_back),
		TEST(test_changed_by_hand),
		TEST(test_inherited_rules),
		TEST(test_old_answers_do_not_count),
		TEST(test_dry_run),
		TEST(test_refusals),
		TEST(test_intermediate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
