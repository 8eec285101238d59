#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../lib/stock.h"
#include "provision/ladder.h"
#include "provision/upgrade.h"
#include "spa/registry.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define BELOW "000e08aabb01"
#define FOR "000e08aabb02"
#define NEVER "000e08aabb03"
#define PLAIN "000e08aabb04" /* no variable */
#define ODD "000e08aabb05"   /* a variable that says nothing */
#define STUCK "000e08aabb06" /* too old, and no ladder */

static const struct stock_device devices[] = {
	{ BELOW, "SPA504G", "7.4.7", NULL, NULL, DEVICE_ACTIVE },
	{ FOR, "SPA504G", NULL, NULL, NULL, DEVICE_ACTIVE },
	{ NEVER, "SPA504G", NULL, NULL, NULL, DEVICE_ACTIVE },
	{ PLAIN, "SPA504G", NULL, NULL, NULL, DEVICE_ACTIVE },
	{ ODD, "SPA504G", NULL, NULL, NULL, DEVICE_ACTIVE },
	{ STUCK, "SPA504G", NULL, NULL, NULL, DEVICE_ACTIVE },
};

static const struct stock_variable variables[] = {
	{ NULL, SCOPE_MODEL, "SPA504G", "firmware-ladder", "spa5xx" },
	{ BELOW, SCOPE_DEFAULT, NULL, "upgrade-only", "below 7.5.6" },
	{ FOR, SCOPE_DEFAULT, NULL, "upgrade-only", "for csb2" },
	{ NEVER, SCOPE_DEFAULT, NULL, "upgrade-only", "no" },
	{ ODD, SCOPE_DEFAULT, NULL, "upgrade-only", "below x" },
	{ STUCK, SCOPE_DEFAULT, NULL, "upgrade-only", "below 7.5.6" },
	{ STUCK, SCOPE_DEFAULT, NULL, "firmware-ladder", "none" },
};

static struct snapshot *snapshot;
static struct ladders *ladders;
static const struct model *model;

static struct firmware
version(const char *text)
{
	struct firmware firmware;
	struct error err;

	if (firmware_parse(&firmware, text, &err) != 0)
		fail_msg("%s: %s", text, err.text);
	return firmware;
}

static int
setup(void **state)
{
	struct ladder_step step = { .has_from = false };

	(void)state;
	step.to = version("7.6.2f");
	model = registry_find_model("SPA504G", NULL);
	ladders = ladders_new();
	ladders_add(ladders, "spa5xx", model, &step, 1, "the rule");
	snapshot = stock_snapshot(devices, COUNT(devices), variables,
	    COUNT(variables));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ladders_free(ladders);
	snapshot_release(snapshot);
	return 0;
}

static const struct device *
find(const char *mac)
{
	const struct mac m = stock_mac(mac);

	return snapshot_find(snapshot, &m);
}

static const struct ca *
listener_ca(const void *arg, const char *name)
{
	return strcmp(name, "csb2") == 0 ? registry_find_ca(arg) : NULL;
}

static void
test_due(void **state)
{
	static const struct {
		const char *mac, *firmware;
		bool due;
	} cases[] = {
		{ BELOW, "7.4.7", true },
		{ BELOW, "7.5.6", false },
		{ BELOW, NULL, false },
		{ FOR, "7.5.2b", true },
		{ FOR, "7.5.6", false }, /* trusts it from here on [SPA-LIST] */
		{ FOR, "7.6.2f", false },
		{ NEVER, "7.4.7", false },
		{ PLAIN, "7.4.7", false },
		{ ODD, "7.4.7", false },
		{ STUCK, "7.4.7", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct firmware now;

		if (cases[i].firmware != NULL)
			now = version(cases[i].firmware);
		print_message("%s %s\n", cases[i].mac,
		    cases[i].firmware != NULL ? cases[i].firmware : "?");
		assert_int_equal(upgrade_is_due(ladders, snapshot,
				     find(cases[i].mac),
				     cases[i].firmware != NULL ? &now : NULL,
				     listener_ca, "ciscosb-prov-2"),
		    cases[i].due);
	}
}

/* Of a listener that does not exist nothing is known. */
static void
test_no_listener(void **state)
{
	struct firmware now = version("7.4.7");

	(void)state;
	assert_false(upgrade_is_due(ladders, snapshot, find(FOR), &now,
	    listener_ca, "no-such-ca"));
	assert_false(upgrade_is_due(NULL, snapshot, find(BELOW), &now,
	    listener_ca, "ciscosb-prov-2"));
}

static void
test_rule(void **state)
{
	(void)state;
	assert_string_equal(upgrade_rule(ladders, snapshot, find(PLAIN), model),
	    "the rule");
	assert_null(upgrade_rule(ladders, snapshot, find(STUCK), model));
	assert_null(upgrade_rule(ladders, snapshot, NULL, model));
	assert_null(upgrade_rule(ladders, snapshot, find(PLAIN), NULL));
	assert_null(upgrade_rule(NULL, snapshot, find(PLAIN), model));
}

static void
test_firmware(void **state)
{
	static const struct {
		const char *mac, *agent;
		const char *firmware; /* NULL: not known */
	} cases[] = {
		{ BELOW, "Cisco/SPA504G-7.5.2b (000E08AABB01)(CCQ000000A1)",
		    "7.5.2b" },
		/* Another model's says nothing. */
		{ BELOW, "Cisco/SPA525G2-7.5.6 (CCQ000000A1)", "7.4.7" },
		{ BELOW, "curl/7.88", "7.4.7" },
		{ BELOW, "", "7.4.7" },
		{ PLAIN, "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct firmware now;
		bool known = upgrade_firmware(find(cases[i].mac),
		    cases[i].agent, &now);

		assert_int_equal(known, cases[i].firmware != NULL);
		if (known)
			assert_string_equal(now.text, cases[i].firmware);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_due),
		cmocka_unit_test(test_no_listener),
		cmocka_unit_test(test_rule),
		cmocka_unit_test(test_firmware),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
