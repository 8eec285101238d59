#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

static const struct {
	time_t when;
	const char *text;
} cases[] = {
	{ 0, "1970-01-01T00:00:00Z" },
	{ 1709210096, "2024-02-29T12:34:56Z" },
	{ 4102444799, "2099-12-31T23:59:59Z" },
	{ -1, "1969-12-31T23:59:59Z" },
	{ 253402300799, "9999-12-31T23:59:59Z" },
	{ 253402300800, "?" },
	{ -30610224000, "1000-01-01T00:00:00Z" },
	{ -30610224001, "?" },
	{ INT64_MAX, "?" },
	{ INT64_MIN, "?" },
};

static void
test_format(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[CLOCK_TEXT_BYTES];

		clock_format(cases[i].when, text);
		assert_string_equal(text, cases[i].text);
	}
}

static void
test_now(void **state)
{
	uint64_t us = clock_monotonic_us(), ms = clock_monotonic_ms();
	time_t before = time(NULL), now = clock_wall();

	(void)state;
	assert_true(ms >= us / 1000);
	assert_true(ms - us / 1000 < 60000);
	assert_true(clock_monotonic_us() >= us);
	assert_true(now >= before && now - before < 60);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
