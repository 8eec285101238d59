#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "spa/rule.h"
#include "spa/rule_key.h"

static const struct {
	const char *rule, *keyed;
} cases[] = {
	{ "https://prov.example.net/spa$MA.cfg",
	    "[--key K1]https://prov.example.net/spa$MA.cfg?key=ID" },
	{ "/spa$MA.cfg", "[--key K1]/spa$MA.cfg?key=ID" },
	{ "https://prov.example.net/p?a=b",
	    "[--key K1]https://prov.example.net/p?a=b&key=ID" },
	{ "($SWVER ge 7.0)? https://a.example.net/x | http://b.example.net/y",
	    "($SWVER ge 7.0)? [--key K1]https://a.example.net/x?key=ID | "
	    "[--key K1]http://b.example.net/y?key=ID" },
	{ "[--uid u --pwd \"a]b\"] https://a.example.net/x",
	    "[--uid u --pwd \"a]b\" --key K1] https://a.example.net/x?key=ID" },
	{ "[--key mine]https://a.example.net/x",
	    "[--key mine]https://a.example.net/x" },
	{ "(A=\"x\";)! https://a.example.net/x",
	    "(A=\"x\";)! [--key K1]https://a.example.net/x?key=ID" },
	{ "", "" },
};

static void
test_add(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct error err = { 0 };
		struct rule *rule;
		struct buf out;

		buf_init(&out, RULE_TEXT_MAX);
		if (rule_add_key(cases[i].rule, "K1", "key=ID", &out, &err) !=
		    0)
			fail_msg("%s: %s", cases[i].rule, err.text);
		assert_string_equal(buf_text(&out), cases[i].keyed);
		rule = rule_parse(buf_text(&out), &err); /* still a rule */
		if (rule == NULL)
			fail_msg("%s: %s", cases[i].keyed, err.text);
		rule_free(rule);
		buf_clear(&out);
	}
}

static void
test_query_only(void **state)
{
	struct error err;
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(rule_add_key("https://a.example.net/x", NULL, "ikm=ID",
			     &out, &err),
	    0);
	assert_string_equal(buf_text(&out), "https://a.example.net/x?ikm=ID");
	buf_clear(&out);
}

static void
test_refused(void **state)
{
	struct error err;
	struct buf out;

	(void)state;
	buf_init(&out, 30);
	assert_int_equal(rule_add_key("(broken", "K1", "key=ID", &out, &err),
	    -1);
	assert_int_equal(rule_add_key("https://a.example.net/x", "K1", "key=ID",
			     &out, &err),
	    -1);
	assert_non_null(strstr(err.text, "30 bytes"));
	assert_int_equal(out.len, 0);
	buf_clear(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_query_only),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
