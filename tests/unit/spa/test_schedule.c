#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "spa/schedule.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void
test_documented(void **state)
{
	struct schedule s;
	struct error err;

	(void)state;
	assert_int_equal(schedule_parse(&s, "1800+300,3600+600,7200+900", &err),
	    0);
	assert_int_equal(s.count, 3);
	assert_int_equal(s.step[1].delay_s, 3600);
	assert_int_equal(s.step[1].jitter_s, 600);
	assert_int_equal(schedule_delay_ms(&s, 0, 0), 1800000);
	assert_int_equal(schedule_delay_ms(&s, 0, 300000), 2100000);
	assert_int_equal(schedule_delay_ms(&s, 0, 300001), 1800000);
	/* The last one for ever. */
	assert_int_equal(schedule_delay_ms(&s, 2, 1), 7200001);
	assert_int_equal(schedule_delay_ms(&s, 9999, 1), 7200001);
	assert_false(schedule_has_zero(&s));
}

static void
test_defaults(void **state)
{
	struct schedule s;
	struct error err;

	(void)state;
	assert_int_equal(schedule_parse(&s, SCHEDULE_RETRY_DEFAULT, &err), 0);
	assert_int_equal(schedule_delay_ms(&s, 7, UINT64_MAX), 3600000);
	assert_int_equal(schedule_parse(&s, SCHEDULE_RETRY_MPP, &err), 0);
	assert_int_equal(s.count, 12);
	assert_int_equal(schedule_delay_ms(&s, 11, 5), 86400000);
	assert_int_equal(schedule_parse(&s, "60,0", &err), 0);
	assert_true(schedule_has_zero(&s));
}

static const struct {
	const char *text, *message;
} bad[] = {
	{ "", "expected a number of seconds at column 1" },
	{ " 1", "expected a number of seconds at column 1" },
	{ "-1", "expected a number of seconds at column 1" },
	{ "1,", "expected a number of seconds at column 3" },
	{ "1+", "expected a number of seconds at column 3" },
	{ "1+2+3", "expected \",\" or \"+\" at column 4" },
	{ "1 ,2", "expected \",\" or \"+\" at column 2" },
	{ "60m", "expected \",\" or \"+\" at column 3" },
	{ "31536001", "more than a year (31536000 s) at column 1" },
	{ "5,99999999999999999999",
	    "more than a year (31536000 s) at "
	    "column 3" },
	{ "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
	  "1",
	    "more than 32 of them" },
};

static void
test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct schedule s = { .count = 77 };
		struct error err = { .kind = ERROR_NONE };

		assert_int_equal(schedule_parse(&s, bad[i].text, &err), -1);
		assert_int_equal(err.kind, ERROR_INPUT);
		if (strstr(err.text, bad[i].message) == NULL)
			fail_msg("%s: %s", bad[i].text, err.text);
		assert_int_equal(s.count, 77);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documented),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
