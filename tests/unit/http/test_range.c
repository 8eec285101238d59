#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "http/range.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void
test_ranges(void **state)
{
	static const struct {
		const char *field;
		uint64_t size;
		enum range_kind kind;
		uint64_t first, last;
	} cases[] = {
		{ "", 10, RANGE_WHOLE, 0, 0 },
		/* The examples of RFC 9110 14.1.2. */
		{ "bytes=0-499", 10000, RANGE_PART, 0, 499 },
		{ "bytes=500-999", 10000, RANGE_PART, 500, 999 },
		{ "bytes=-500", 10000, RANGE_PART, 9500, 9999 },
		{ "bytes=9500-", 10000, RANGE_PART, 9500, 9999 },
		{ "bytes= 0-0 ", 10000, RANGE_PART, 0, 0 },
		{ "Bytes=1-2", 10000, RANGE_PART, 1, 2 },
		/* Ends past the file are cut, beginnings are not. */
		{ "bytes=5-100", 10, RANGE_PART, 5, 9 },
		{ "bytes=-100", 10, RANGE_PART, 0, 9 },
		{ "bytes=5-99999999999999999999999", 10, RANGE_PART, 5, 9 },
		{ "bytes=9-", 10, RANGE_PART, 9, 9 },
		{ "bytes=10-", 10, RANGE_UNSATISFIABLE, 0, 0 },
		{ "bytes=10-20", 10, RANGE_UNSATISFIABLE, 0, 0 },
		{ "bytes=99999999999999999999999-", 10, RANGE_UNSATISFIABLE, 0,
		    0 },
		{ "bytes=-0", 10, RANGE_UNSATISFIABLE, 0, 0 },
		{ "bytes=0-", 0, RANGE_UNSATISFIABLE, 0, 0 },
		{ "bytes=-1", 0, RANGE_UNSATISFIABLE, 0, 0 },
		/* Not understood: everything. */
		{ "bytes=2-1", 10, RANGE_WHOLE, 0, 0 },
		{ "bytes=-", 10, RANGE_WHOLE, 0, 0 },
		{ "bytes=", 10, RANGE_WHOLE, 0, 0 },
		{ "bytes", 10, RANGE_WHOLE, 0, 0 },
		{ "bytes=1", 10, RANGE_WHOLE, 0, 0 },
		{ "bytes=1 -2", 10, RANGE_WHOLE, 0, 0 },
		{ "bytes=0-1,3-4", 10, RANGE_WHOLE, 0, 0 },
		{ "bytes=0-1x", 10, RANGE_WHOLE, 0, 0 },
		{ "bytes=--1", 10, RANGE_WHOLE, 0, 0 },
		{ "bytes=0x1-2", 10, RANGE_WHOLE, 0, 0 },
		{ "items=0-1", 10, RANGE_WHOLE, 0, 0 },
		{ " bytes=0-1", 10, RANGE_WHOLE, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct range range = { 0, 0 };

		print_message("\"%s\" of %llu\n", cases[i].field,
		    (unsigned long long)cases[i].size);
		assert_int_equal(range_read(cases[i].field, cases[i].size,
				     &range),
		    cases[i].kind);
		assert_int_equal(range.first, cases[i].first);
		assert_int_equal(range.last, cases[i].last);
	}
}

static void
test_conditions(void **state)
{
	static const char date[] = "Sun, 06 Nov 1994 08:49:37 GMT";
	static const time_t modified = 784111777;
	static const struct {
		const char *field;
		time_t age;
		int holds;
	} cases[] = {
		{ "", 0, 1 },
		{ "\"a1\"", 0, 1 },
		{ "\"a2\"", 0, 0 },
		{ "a1", 0, 0 },
		{ "W/\"a1\"", 0, 0 },
		{ date, 60, 1 },
		{ date, 59, 0 }, /* it may have changed within that second */
		{ "Sun, 06 Nov 1994 08:49:38 GMT", 60, 0 },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", 60, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		print_message("%s\n", cases[i].field);
		assert_int_equal(range_if_holds(cases[i].field, "\"a1\"",
				     modified, modified + cases[i].age),
		    cases[i].holds);
	}
	/* Without a tag and a date of its own a file meets no condition. */
	assert_false(range_if_holds("\"a1\"", NULL, 0, modified));
	assert_false(range_if_holds(date, NULL, 0, modified));
	assert_true(range_if_holds("", NULL, 0, modified));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_conditions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
