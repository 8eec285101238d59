#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spa/profile.h"

static const char *const good[] = {
	"<flat-profile/>",
	"<flat-profile></flat-profile>",
	"<?xml version=\"1.0\"?>\n<flat-profile>\n"
	"<Admin_Passwd ua=\"na\">a &amp; b &lt;&#65;&gt;</Admin_Passwd>\n"
	"<!-- a comment --><X/>stray text\n</flat-profile>\n",
	/* It may sit inside any other element: [LINKSYS-PROV] p. 29. */
	"<device><a><flat-profile><X></X></flat-profile></a></device>",
	"<x><router-configuration/><flat-profile/></x>",
	"<flat-profile><X>\xc3\xa4</X></flat-profile>",
	"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>"
	"<flat-profile><X>\xe4</X></flat-profile>",
	"<flat-profile><X><![CDATA[<!DOCTYPE x>]]></X></flat-profile>",
};

static const struct {
	const char *given;
	const char *text;
} bad[] = {
	{ "", "1:1: no element found" },
	{ "\n", "2:1: no element found" },
	{ "text", "1:1: syntax error" },
	{ "<flat-profile>", "1:15: no element found" },
	{ "<flat-profile>\n<X>\n</flat-profile>", "3:3: mismatched tag" },
	{ "<flat-profile/><flat-profile/>",
	    "1:16: junk after document element" },
	{ "<flat-profile>a & b</flat-profile>",
	    "1:18: not well-formed (invalid token); in a value, & is written "
	    "&amp;" },
	{ "<flat-profile>&nbsp;</flat-profile>", "1:15: undefined entity" },
	{ "<flat-profile a='1' a='2'/>", "1:21: duplicate attribute" },
	{ "<flat-profile>\x01</flat-profile>",
	    "1:15: not well-formed (invalid token)" },
	{ "<flat-profile>\xe4</flat-profile>", /* Latin-1, not declared */
	    "1:15: not well-formed (invalid token); this byte is not UTF-8: is "
	    "encoding=\"ISO-8859-1\" missing in the first line?" },
	{ "<?xml version='1.0' encoding='x-none'?><flat-profile/>",
	    "1:31: unknown encoding" },
	{ "<profile>\n</profile>\n",
	    "3:1: no flat-profile element up to here" },
	{ "<Flat-Profile/>", "1:16: no flat-profile element up to here" },
	{ "<x:flat-profile xmlns:x='y'/>",
	    "1:30: no flat-profile element up to here" },
	{ "<a><!-- <flat-profile/> --></a>",
	    "1:32: no flat-profile element up to here" },
	/* Behind its name is where expat tells of it. */
	{ "<!DOCTYPE flat-profile>\n<flat-profile/>",
	    "1:23: DOCTYPE is not allowed in a profile" },
	{ "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>\n"
	  "<flat-profile>&b;</flat-profile>",
	    "1:13: DOCTYPE is not allowed in a profile" },
	{ "<?xml version='1.0'?>\n <!DOCTYPE x SYSTEM \"file:///etc/passwd\">"
	  "<flat-profile/>",
	    "2:41: DOCTYPE is not allowed in a profile" },
};

static void
test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct error err;

		if (profile_check(good[i], strlen(good[i]), &err) != 0)
			fail_msg("\"%s\": %s", good[i], err.text);
	}
}

/* Where it is wrong counts; the line is expat's, so the column is, too. */
static void
test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct error err = { 0 };

		if (profile_check(bad[i].given, strlen(bad[i].given), &err) ==
		    0)
			fail_msg("\"%s\" is taken", bad[i].given);
		assert_string_equal(err.text, bad[i].text);
		assert_int_equal(err.kind, ERROR_INPUT);
	}
}

static void
test_size(void **state)
{
	static const char profile[] = "<flat-profile/>";
	char *text = malloc(PROFILE_BYTES_MAX + 1);
	struct error err;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', PROFILE_BYTES_MAX + 1);
	memcpy(text, profile, sizeof(profile) - 1);
	assert_int_equal(profile_check(text, PROFILE_BYTES_MAX, &err), 0);
	assert_int_equal(profile_check(text, PROFILE_BYTES_MAX + 1, &err), -1);
	assert_string_equal(err.text,
	    "1:1: the profile has 1048577 bytes: at "
	    "most 1048576 are allowed");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
