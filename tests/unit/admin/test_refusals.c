#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "admin/refusals.h"

#define NOW 1000000

static struct refusals_rest rest;

static int
set_up(void **state)
{
	*state = refusals_new();
	return 0;
}

static int
tear_down(void **state)
{
	refusals_free(*state);
	return 0;
}

static bool
add(struct refusals *refusals, enum audit_by by, const char *who, time_t now)
{
	const struct audit_act act = {
		.by = by, .who = who, .tenant = "east", .action = "device set"
	};

	return refusals_add(refusals, &act, now, &rest);
}

static void
fill(struct refusals *refusals, const char *who, time_t now)
{
	for (int i = 0; i < REFUSALS_NOTED; i++)
		assert_true(add(refusals, AUDIT_TOKEN, who, now));
	assert_false(add(refusals, AUDIT_TOKEN, who, now));
	assert_int_equal(rest.count, 0);
}

static void
test_minute(void **state)
{
	fill(*state, "ci", NOW);
	assert_false(add(*state, AUDIT_TOKEN, "ci", NOW + 59));
	/* An account of that name is somebody else. */
	assert_true(add(*state, AUDIT_ACCOUNT, "ci", NOW + 59));
	assert_true(add(*state, AUDIT_TOKEN, "ci", NOW + REFUSALS_MINUTE_S));
	assert_int_equal(rest.count, 2);
	assert_int_equal(rest.by, AUDIT_TOKEN);
	assert_string_equal(rest.who, "ci");
	assert_string_equal(rest.tenant, "east");
	assert_int_equal(rest.since, NOW);
	/* And said once. */
	assert_true(add(*state, AUDIT_TOKEN, "ci", NOW + REFUSALS_MINUTE_S));
	assert_int_equal(rest.count, 0);
}

static void
test_end(void **state)
{
	fill(*state, "ci", NOW);
	assert_true(add(*state, AUDIT_TOKEN, "few", NOW));
	assert_false(refusals_end(*state, NOW + 59, false, &rest));
	assert_true(refusals_end(*state, NOW + 60, false, &rest));
	assert_int_equal(rest.count, 1);
	assert_string_equal(rest.who, "ci");
	assert_false(refusals_end(*state, NOW + 60, false, &rest));
	/* The server stops. */
	fill(*state, "ci", NOW + 60);
	assert_true(refusals_end(*state, NOW + 61, true, &rest));
	assert_false(refusals_end(*state, NOW + 61, true, &rest));
}

static void
test_clock_set_back(void **state)
{
	fill(*state, "ci", NOW);
	assert_true(add(*state, AUDIT_TOKEN, "ci", NOW - 3600));
	assert_int_equal(rest.count, 1);
}

/* More of them than are kept: what is forgotten is said first. */
static void
test_many(void **state)
{
	char who[16];

	fill(*state, "first", NOW);
	for (int i = 1; i < REFUSALS_KEPT; i++) {
		(void)snprintf(who, sizeof(who), "t%d", i);
		assert_true(add(*state, AUDIT_TOKEN, who, NOW + 1));
		assert_int_equal(rest.count, 0);
	}
	assert_true(add(*state, AUDIT_TOKEN, "last", NOW + 2));
	assert_int_equal(rest.count, 1);
	assert_string_equal(rest.who, "first");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_minute, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_clock_set_back, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
