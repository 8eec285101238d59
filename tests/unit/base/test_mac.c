#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mac.h"

static const struct {
	const char *given;
	const char *ma; /* the $MA spelling; NULL where it must be refused */
} cases[] = {
	{ "000E08AABBCC", "000e08aabbcc" },	 /* $MAU */
	{ "000e08aabbcc", "000e08aabbcc" },	 /* $MA */
	{ "00:0e:08:aa:bb:cc", "000e08aabbcc" }, /* $MAC */
	{ "00-0E-08-AA-BB-CC", "000e08aabbcc" },
	{ "00:0e-08:aa:bb:cc", NULL }, /* two separators */
	{ "000e08:aabbcc", NULL },
	{ "000e08aabbc", NULL },
	{ "000e08aabbccd", NULL },
	{ "000e08aabbcg", NULL },
	{ " 00e08aabbcc", NULL },
	{ "00.0e.08.aa.bb.cc", NULL },
	{ "", NULL },
};

static void
test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mac mac = { { 1, 2, 3, 4, 5, 6 } };
		const struct mac before = mac;
		struct error err = { 0 };
		char text[MAC_TEXT_BYTES];

		if (cases[i].ma == NULL) {
			assert_int_equal(mac_parse(&mac, cases[i].given, &err),
			    -1);
			assert_int_equal(err.kind, ERROR_INPUT);
			assert_true(mac_equal(&mac, &before));
			continue;
		}
		assert_int_equal(mac_parse(&mac, cases[i].given, &err), 0);
		mac_format(&mac, text);
		assert_string_equal(text, cases[i].ma);
	}
}

static void
test_spellings(void **state)
{
	struct mac mac, other;
	struct error err;
	char upper[MAC_TEXT_BYTES], colon[MAC_COLON_BYTES];

	(void)state;
	assert_int_equal(mac_parse(&mac, "000e08aabbcc", &err), 0);
	mac_format_upper(&mac, upper);
	assert_string_equal(upper, "000E08AABBCC");
	mac_format_colon(&mac, colon);
	assert_string_equal(colon, "00:0e:08:aa:bb:cc");
	assert_int_equal(mac_parse(&other, "000e08aabbcd", &err), 0);
	assert_true(mac_compare(&mac, &other) < 0);
	assert_false(mac_equal(&mac, &other));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_spellings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
