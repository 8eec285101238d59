#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "admin/pulse.h"

static void
test_quantile(void **state)
{
	uint64_t classes[METRICS_CLASSES] = { 0 };

	(void)state;
	assert_int_equal(pulse_quantile(classes, 0.5), -1);
	classes[2] = 100; /* 250 to 500 */
	assert_int_equal(pulse_quantile(classes, 0.5), 375);
	assert_int_equal(pulse_quantile(classes, 1), 500);
	classes[3] = 100; /* 500 to 1000 */
	assert_int_equal(pulse_quantile(classes, 0.5), 500);
	assert_int_equal(pulse_quantile(classes, 0.75), 750);
	/* The last class has no end: its beginning is all that is known. */
	memset(classes, 0, sizeof(classes));
	classes[METRICS_CLASSES - 1] = 1;
	assert_int_equal(pulse_quantile(classes, 0.99),
	    metrics_bounds_us[METRICS_CLASSES - 2]);
}

/* At second i: 10 answers and 2 failures a second, each of some 375 us. */
static struct pulse_totals
totals_at(uint64_t i)
{
	struct pulse_totals totals = {
		.at_us = 1000000 * i,
		.at = (time_t)(1800000000 + i),
		.answered = 10 * i,
		.failed = 2 * i,
	};

	totals.classes[METRICS_ANSWER][2] = 10 * i;
	return totals;
}

static void
fill(struct pulse *pulse, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i < to; i++) {
		struct pulse_totals totals = totals_at(i);

		pulse_add(pulse, &totals);
	}
}

static size_t
rows_after(struct pulse *pulse, time_t after)
{
	json_t *json = pulse_json(pulse, after);
	size_t rows = json_array_size(json_object_get(json, "at"));

	json_decref(json);
	return rows;
}

static void
test_rates(void **state)
{
	struct pulse *pulse = pulse_new();
	struct pulse_totals less = totals_at(1);
	struct pulse_rates rates = pulse_rates(pulse);

	(void)state;
	assert_true(rates.seconds == 0);
	fill(pulse, 0, 1);
	assert_true(pulse_rates(pulse).seconds == 0);
	fill(pulse, 1, 40);
	rates = pulse_rates(pulse);
	assert_true(rates.seconds == 10);
	assert_true(rates.answered == 10 && rates.failed == 2);
	assert_true(rates.accepted == 0);
	/* A total that shrinks is none that can be told. */
	less.at_us = 41000000;
	pulse_add(pulse, &less);
	assert_true(pulse_rates(pulse).answered == 0);
	pulse_free(pulse);
}

static void
test_rows(void **state)
{
	struct pulse *pulse = pulse_new();
	json_t *json;

	(void)state;
	assert_int_equal(rows_after(pulse, 0), 0);
	fill(pulse, 0, 1);
	assert_int_equal(rows_after(pulse, 0), 0);
	fill(pulse, 1, 5);
	assert_int_equal(rows_after(pulse, 0), 4);
	assert_int_equal(rows_after(pulse, 1800000002), 2);
	assert_int_equal(rows_after(pulse, 1800000004), 0);
	fill(pulse, 5, 3 * PULSE_KEPT);
	assert_int_equal(rows_after(pulse, 0), PULSE_KEPT - 1);
	json = pulse_json(pulse, 1800000000 + 3 * PULSE_KEPT - 2);
	assert_int_equal(json_integer_value(json_array_get(json_object_get(json,
							       "at"),
			     0)),
	    1800000000 + 3 * PULSE_KEPT - 1);
	assert_int_equal(json_integer_value(json_array_get(
			     json_object_get(json, "answer_median_us"), 0)),
	    375);
	assert_true(json_is_null(json_array_get(json_object_get(json,
						    "handshake_99_us"),
	    0)));
	json_decref(json);
	pulse_free(pulse);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quantile),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
