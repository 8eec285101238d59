#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "spa/profile_value.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static const char *const names[] = { "Profile_Rule", "Profile_Rule_B" };

static void
test_values(void **state)
{
	static const struct {
		const char *text;
		const char *rule, *rule_b; /* NULL: not said */
	} cases[] = {
		{ "<flat-profile/>", NULL, NULL },
		{ "<flat-profile><Profile_Rule>a</Profile_Rule>"
		  "</flat-profile>",
		    "a", NULL },
		{ "<flat-profile><Profile_Rule>a</Profile_Rule>"
		  "<Profile_Rule_B>b</Profile_Rule_B></flat-profile>",
		    "a", "b" },
		/* Set to empty, and not set at all. */
		{ "<flat-profile><Profile_Rule></Profile_Rule>"
		  "<Profile_Rule_B/></flat-profile>",
		    "", NULL },
		{ "<flat-profile><Profile_Rule>a</Profile_Rule>"
		  "<Profile_Rule ua=\"na\"/></flat-profile>",
		    "a", NULL },
		/* The last one counts. */
		{ "<flat-profile><Profile_Rule>a</Profile_Rule>"
		  "<Profile_Rule>z</Profile_Rule></flat-profile>",
		    "z", NULL },
		{ "<device><x/><flat-profile><Profile_Rule ua=\"na\">"
		  " \n a&amp;&quot;\nb\t</Profile_Rule></flat-profile>"
		  "</device>",
		    "a&\" b", NULL },
		{ "<flat-profile><Profile_Rule>a<!-- no --><![CDATA[<b>]]>"
		  "</Profile_Rule></flat-profile>",
		    "a<b>", NULL },
		/* Elsewhere it is something else. */
		{ "<a><Profile_Rule>n</Profile_Rule><flat-profile><b>"
		  "<Profile_Rule>n</Profile_Rule></b></flat-profile>"
		  "<Profile_Rule>n</Profile_Rule></a>",
		    NULL, NULL },
		{ "<flat-profile><profile_rule>n</profile_rule>"
		  "<Profile_Rule_>n</Profile_Rule_></flat-profile>",
		    NULL, NULL },
		{ "<flat-profile>n<Profile_Rule_B>b</Profile_Rule_B>n"
		  "</flat-profile>",
		    NULL, "b" },
		{ "<flat-profile><Profile_Rule>a<b>inner</b>c</Profile_Rule>"
		  "</flat-profile>",
		    "ainnerc", NULL },
		/* Several parts, as of the router's and the phone's. */
		{ "<r><flat-profile><Profile_Rule>a</Profile_Rule>"
		  "</flat-profile><flat-profile><Profile_Rule_B>b"
		  "</Profile_Rule_B></flat-profile></r>",
		    "a", "b" },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		char *values[2] = { NULL, NULL };
		const char *wanted[2] = { cases[i].rule, cases[i].rule_b };
		struct error err = { 0 };

		if (profile_values(cases[i].text, strlen(cases[i].text), names,
			2, values, &err) != 0)
			fail_msg("case %zu: %s", i, err.text);
		for (size_t j = 0; j < 2; j++) {
			if (wanted[j] == NULL && values[j] != NULL)
				fail_msg("case %zu: %s", i, values[j]);
			if (wanted[j] != NULL)
				assert_string_equal(values[j], wanted[j]);
			free(values[j]);
		}
	}
}

static void
test_refusals(void **state)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{ "", "1:1: " },
		{ "<a/>", "no flat-profile" },
		{ "<flat-profile><Profile_Rule>a</flat-profile>",
		    "mismatched" },
		{ "<!DOCTYPE a><flat-profile/>", "DOCTYPE" },
	};
	char mark = 'x', *values[2] = { &mark, &mark };
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		assert_int_equal(profile_values(cases[i].text,
				     strlen(cases[i].text), names, 2, values,
				     &err),
		    -1);
		assert_int_equal(err.kind, ERROR_INPUT);
		assert_non_null(strstr(err.text, cases[i].part));
		assert_ptr_equal(values[0], &mark);
	}
}

static void
test_long_values(void **state)
{
	static const char head[] = "<flat-profile><Profile_Rule>";
	static const char tail[] = "</Profile_Rule></flat-profile>";
	size_t len = PROFILE_VALUE_MAX;
	char *text = xcalloc(1, sizeof(head) + len + sizeof(tail) + 2);
	char *values[2] = { NULL, NULL };
	struct error err = { 0 };

	(void)state;
	memcpy(text, head, strlen(head));
	memset(text + strlen(head), 'x', len);
	memcpy(text + strlen(head) + len, tail, sizeof(tail));
	assert_int_equal(profile_values(text, strlen(text), names, 2, values,
			     &err),
	    0);
	assert_int_equal(strlen(values[0]), len);
	free(values[0]);
	values[0] = NULL;
	memset(text + strlen(head), 'x', ++len);
	memcpy(text + strlen(head) + len, tail, sizeof(tail));
	assert_int_equal(profile_values(text, strlen(text), names, 2, values,
			     &err),
	    -1);
	assert_non_null(strstr(err.text,
	    "the value of Profile_Rule is longer than 65536 bytes"));
	assert_null(values[0]);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_long_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
