#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/field.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void
test_find(void **state)
{
	static const char head[] = "GET /Cookie: HTTP/1.1\r\n"
				   "Host: a\r\n"
				   "cookie:  a=b \t\r\n"
				   "Cookie2: no\r\n"
				   "X-Two: 1\r\n"
				   "Empty:\r\n"
				   "x-two: 2\r\n"
				   "\r\n"
				   "Late: body\r\n";
	static const struct {
		const char *name;
		enum field_found found;
		const char *value;
	} cases[] = {
		{ "Cookie", FIELD_FOUND, "a=b" },
		{ "HOST", FIELD_FOUND, "a" },
		{ "Empty", FIELD_FOUND, "" },
		{ "X-Two", FIELD_REFUSED, "" },
		{ "Cook", FIELD_NONE, "" },
	};
	char value[8];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(field_find(head,
				     (size_t)(strstr(head, "Late") - head),
				     cases[i].name, value, sizeof(value)),
		    cases[i].found);
		assert_string_equal(value, cases[i].value);
	}
	assert_int_equal(field_find(head, (size_t)(strstr(head, "Late") - head),
			     "Late", value, sizeof(value)),
	    FIELD_NONE);
	/* Three bytes of value need four. */
	assert_int_equal(field_find(head, sizeof(head) - 1, "cookie", value, 3),
	    FIELD_REFUSED);
	assert_string_equal(value, "");
	assert_int_equal(field_find(head, sizeof(head) - 1, "cookie", value, 4),
	    FIELD_FOUND);
	assert_int_equal(field_find("", 0, "cookie", value, 4), FIELD_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
