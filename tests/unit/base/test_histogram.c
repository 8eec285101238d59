#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/histogram.h"

static void
test_empty(void **state)
{
	static const struct histogram none;

	(void)state;
	assert_int_equal(histogram_percentile(&none, 50), 0);
}

static void
test_exact_below_64(void **state)
{
	struct histogram h = { .count = 0 };

	(void)state;
	for (uint64_t i = 1; i <= 60; i++)
		histogram_add(&h, i);
	assert_int_equal(histogram_percentile(&h, 50), 30);
	assert_int_equal(histogram_percentile(&h, 100), 60);
	assert_int_equal(histogram_percentile(&h, 0), 1);
	assert_int_equal(h.sum, 60 * 61 / 2);
}

/* Every size: within 1/32, and never above the greatest value. */
static void
test_precision(void **state)
{
	(void)state;
	for (unsigned shift = 0; shift < 63; shift++) {
		for (uint64_t part = 0; part < 8; part++) {
			uint64_t value = (UINT64_C(1) << shift) +
			    (part << (shift > 3 ? shift - 3 : 0));
			struct histogram h = { .count = 0 };
			uint64_t found;

			histogram_add(&h, value);
			histogram_add(&h, UINT64_MAX);
			found = histogram_percentile(&h, 50);
			assert_true(found >= value - value / 32);
			assert_true(found <= value + value / 32);
			assert_int_equal(histogram_percentile(&h, 0), found);
		}
	}
}

static void
test_greatest(void **state)
{
	struct histogram h = { .count = 0 };

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		histogram_add(&h, 1000001);
	assert_int_equal(h.max, 1000001);
	assert_true(histogram_percentile(&h, 99.9) <= 1000001);
	assert_true(histogram_percentile(&h, 99.9) >= 970000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_exact_below_64),
		cmocka_unit_test(test_precision),
		cmocka_unit_test(test_greatest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
