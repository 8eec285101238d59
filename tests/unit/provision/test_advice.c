#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "provision/advice.h"
#include "spa/schedule.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct {
	size_t devices;
	unsigned capacity;
	bool suffices;
	unsigned units;
	const char *retry;
} cases[] = {
	{ 1, 1, true, 2, "60+60,300+60,3600+60" },
	/* Exactly what 80 % of 1000 a second take in 40 s, and one more. */
	{ 32000, 1000, true, 2, "60+60,300+60,3600+60" },
	{ 32001, 1000, false, 3, "60+60,300+60,3600+60" },
	{ 100000, 1500, false, 5, "120+120,360+120,3600+120" },
	{ 1000000, 1500, false, 42, "840+840,2520+840,3600+840" },
	/* Never more than a day. */
	{ 100000000, 1, false, 4320, "86400+86400,259200+86400,259200+86400" },
};

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct advice advice;

		advice_make(&advice, cases[i].devices, cases[i].capacity);
		assert_int_equal(advice.factory_suffices, cases[i].suffices);
		assert_int_equal(advice.random_units, cases[i].units);
		assert_string_equal(advice.retry, cases[i].retry);
	}
}

/* Whatever the fleet: devices can read it, and it keeps what it promises. */
static void
test_property(void **state)
{
	(void)state;
	for (size_t devices = 1; devices < 2000000; devices = devices * 3 + 1) {
		for (unsigned capacity = 100; capacity <= 10000;
		     capacity *= 10) {
			struct advice advice;
			struct schedule schedule;
			struct error err;

			advice_make(&advice, devices, capacity);
			assert_int_equal(schedule_parse(&schedule, advice.retry,
					     &err),
			    0);
			assert_false(schedule_has_zero(&schedule));
			assert_int_equal(schedule.count, 3);
			assert_true(advice.arrivals_per_s <=
			    capacity * ADVICE_LOAD_PERCENT / 100.0);
			assert_true(advice.jitter_s >= advice.random_s);
			for (size_t i = 1; i < schedule.count; i++)
				assert_true(schedule.step[i].delay_s >=
				    schedule.step[i - 1].delay_s);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_property),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
