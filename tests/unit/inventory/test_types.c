#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "inventory/types.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static const struct {
	const char *type;
	const char *says; /* NULL: it is one */
} spellings[] = {
	{ "text", NULL },
	{ "secret", NULL },
	{ "integer", NULL },
	{ "integer 1..65535", NULL },
	{ "integer -5..-1", NULL },
	{ "boolean", NULL },
	{ "host", NULL },
	{ "address", NULL },
	{ "choice one", NULL },
	{ "choice one|an other|3", NULL },
	{ "", "is not a type: expected text" },
	{ "Text", "did you mean text?" },
	{ "bolean", "did you mean boolean?" },
	{ "integer 1", "is not a range" },
	{ "integer 2..1", "is not a range" },
	{ "integer 1..x", "is not a range" },
	{ "integer 1..99999999999999999999", "is not a range" },
	{ "choice", "lacks what can be chosen" },
	{ "choice |a", "lacks what can be chosen" },
	{ "choice a||b", "lacks what can be chosen" },
	{ "secret word", "takes nothing more" },
};

static void
test_spellings(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(spellings); i++) {
		struct type type, again;
		struct error err = { 0 };
		int rc = type_parse(&type, spellings[i].type, &err);

		assert_int_equal(rc, spellings[i].says == NULL ? 0 : -1);
		if (rc == 0) {
			assert_string_equal(type.text, spellings[i].type);
			assert_int_equal(type_parse(&again, type.text, &err),
			    0);
			continue;
		}
		assert_int_equal(err.kind, ERROR_INPUT);
		assert_non_null(strstr(err.text, spellings[i].says));
	}
}

static const struct {
	const char *type, *value;
	bool good;
} values[] = {
	{ "text", "anything", true },
	{ "integer", "0", true },
	{ "integer", "-12", true },
	{ "integer", "9223372036854775807", true },
	{ "integer", "9223372036854775808", false },
	{ "integer", "1 ", false },
	{ "integer", "+1", false },
	{ "integer", "-", false },
	{ "integer", "1.5", false },
	{ "integer", "", true }, /* set to nothing */
	{ "integer 1..5", "1", true },
	{ "integer 1..5", "5", true },
	{ "integer 1..5", "0", false },
	{ "integer 1..5", "6", false },
	{ "boolean", "Yes", true },
	{ "boolean", "off", true },
	{ "boolean", "2", false },
	{ "address", "192.0.2.1", true },
	{ "address", "2001:db8::1", true },
	{ "address", "192.0.2.256", false },
	{ "address", "sip.example.net", false },
	{ "host", "sip.example.net", true },
	{ "host", "sip.example.net:5061", true },
	{ "host", "192.0.2.1:5060", true },
	{ "host", "[2001:db8::1]:5060", true },
	{ "host", "2001:db8::1", true },
	{ "host", "under_score.example.net", true },
	{ "host", "sip.example.net:0", false },
	{ "host", "sip.example.net:65536", false },
	{ "host", "sip.example.net:", false },
	{ "host", "-a.example.net", false },
	{ "host", "a-.example.net", false },
	{ "host", "a..example.net", false },
	{ "host", "a b", false },
	{ "host", "https://example.net", false },
	{ "choice gzip|none", "none", true },
	{ "choice gzip|none", "gzi", false },
	{ "choice gzip|none", "gzip|none", false },
};

static void
test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(values); i++) {
		struct type type;
		struct error err = { 0 };

		assert_int_equal(type_parse(&type, values[i].type, &err), 0);
		assert_int_equal(type_check(&type, "v", values[i].value, &err),
		    values[i].good ? 0 : -1);
		if (!values[i].good)
			assert_non_null(strstr(err.text, type.text));
	}
}

/* What may be a secret is not in the message. */
static void
test_hidden(void **state)
{
	struct type type;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(type_parse(&type, "integer", &err), 0);
	assert_int_equal(type_check(&type, "User_PIN", "s3cret", &err), -1);
	assert_null(strstr(err.text, "s3cret"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
