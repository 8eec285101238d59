#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/query.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void
test_read(void **state)
{
	static const struct {
		const char *text;
		bool good;
		size_t count;
		const char *name, *value; /* of the last one */
	} cases[] = {
		{ "", true, 0, NULL, NULL },
		{ "a=b", true, 1, "a", "b" },
		{ "a", true, 1, "a", "" },
		{ "a=", true, 1, "a", "" },
		{ "=b", true, 1, "", "b" },
		{ "&&a=b&", true, 1, "a", "b" },
		{ "a=b&c=d=e", true, 2, "c", "d=e" },
		{ "a=b+c%20d", true, 1, "a", "b c d" },
		{ "%61=%C3%A4", true, 1, "a", "\xc3\xa4" },
		{ "a=%00", false, 0, NULL, NULL },
		{ "a=%0a", false, 0, NULL, NULL },
		{ "a=%7f", false, 0, NULL, NULL },
		{ "a=%4", false, 0, NULL, NULL },
		{ "a=%", false, 0, NULL, NULL },
		{ "a=%zz", false, 0, NULL, NULL },
		{ "a=1&a=2", false, 0, NULL, NULL },
		{ "a=1&%61=2", false, 0, NULL, NULL },
		{ "abcdefghijklmnopqrstuvwxyz01234=1", true, 1,
		    "abcdefghijklmnopqrstuvwxyz01234", "1" },
		{ "abcdefghijklmnopqrstuvwxyz012345=1", false, 0, NULL, NULL },
	};
	struct query query;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(query_read(&query, cases[i].text),
		    cases[i].good);
		if (!cases[i].good)
			continue;
		assert_int_equal(query.count, cases[i].count);
		if (cases[i].count == 0)
			continue;
		assert_string_equal(query.list[query.count - 1].name,
		    cases[i].name);
		assert_string_equal(query.list[query.count - 1].value,
		    cases[i].value);
	}
}

static void
test_limits(void **state)
{
	char text[QUERY_VALUE_MAX + 16] = "a=";
	struct query query;
	size_t len = 0;

	(void)state;
	memset(text + 2, 'x', QUERY_VALUE_MAX);
	assert_true(query_read(&query, text));
	text[2 + QUERY_VALUE_MAX] = 'x';
	assert_false(query_read(&query, text));
	for (int i = 0; i < QUERY_PARAMETERS_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%c&",
		    'a' + i);
	assert_true(query_read(&query, text));
	assert_int_equal(query_find(&query, "b"), 1);
	assert_int_equal(query_find(&query, "z"), -1);
	(void)snprintf(text + len, sizeof(text) - len, "z");
	assert_false(query_read(&query, text));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
