#include "admin/veil.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t key[VEIL_KEY_BYTES] = { 1, 2, 3 };
static const uint8_t other_key[VEIL_KEY_BYTES] = { 1, 2, 4 };

static void
test_there_and_back(void **state)
{
	static const int64_t ids[] = { 0, 1, 2, 3, 1000, 67108863, 67108864,
		VEIL_ID_MAX - 1, VEIL_ID_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		int64_t number = veil_put(key, "north", ids[i]), id = -1;
		struct error err = { 0 };

		assert_true(number >= 0 && number < (int64_t)1 << 52);
		assert_int_equal(veil_take(key, "north", number, &id, &err), 0);
		assert_int_equal(id, ids[i]);
	}
}

/* Neighbours are no neighbours any more, nor in their order. */
static void
test_says_nothing(void **state)
{
	int64_t last = 0;
	int above = 0;

	(void)state;
	for (int64_t id = 1; id <= 1000; id++) {
		int64_t number = veil_put(key, "north", id);

		assert_true(llabs(number - last) > 1000);
		assert_int_not_equal(number, veil_put(key, "south", id));
		assert_int_not_equal(number, veil_put(other_key, "north", id));
		above += number > last;
		last = number;
	}
	assert_in_range(above, 400, 600);
}

static void
test_refusals(void **state)
{
	static const int64_t bad[] = { -1, INT64_MIN, (int64_t)1 << 52,
		INT64_MAX };
	int64_t number = veil_put(key, "north", 7), id = 42;
	struct error err = { 0 };
	int taken = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(veil_take(key, "north", bad[i], &id, &err),
		    -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_int_equal(veil_take(key, "south", number, &id, &err), -1);
	assert_int_equal(veil_take(other_key, "north", number, &id, &err), -1);
	assert_int_equal(id, 42);
	/* One of 65536 is right by chance. */
	for (int64_t i = 0; i < 2000; i++)
		taken += veil_take(key, "north", i, &id, &err) == 0;
	assert_true(taken <= 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_says_nothing),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
