#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "spa/mask.h"
#include "spa/profile.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static void
test_mask(void **state)
{
	static const struct {
		const char *body, *masked;
	} cases[] = {
		{ "<User_ID_1_>7001</User_ID_1_>",
		    "<User_ID_1_>7001</User_ID_1_>" },
		{ "<Password_1_ ua=\"na\"> a&amp;b </Password_1_> x",
		    "<Password_1_ ua=\"na\">" MASK_TEXT "</Password_1_> x" },
		{ "<Password_1_></Password_1_><Password_2_/>",
		    "<Password_1_></Password_1_><Password_2_/>" },
		/* The first one does not count, and is a secret all the same. */
		{ "<Admin_Passwd>a</Admin_Passwd>"
		  "<Admin_Passwd>b</Admin_Passwd>",
		    "<Admin_Passwd>" MASK_TEXT "</Admin_Passwd>"
		    "<Admin_Passwd>" MASK_TEXT "</Admin_Passwd>" },
		{ "<router-configuration><SSH><SSH_Password>a</SSH_Password>"
		  "</SSH></router-configuration>",
		    "<router-configuration><SSH><SSH_Password>" MASK_TEXT
		    "</SSH_Password></SSH></router-configuration>" },
		{ "<Profile_Rule>[--uid u --pwd p --key abc]https://a/"
		  "</Profile_Rule>",
		    "<Profile_Rule>[--uid u --pwd " MASK_TEXT
		    " --key " MASK_TEXT "]https://a/</Profile_Rule>" },
		{ "<Profile_Rule>[--key &quot;a b&quot;]https://a/"
		  "</Profile_Rule>",
		    "<Profile_Rule>[--key " MASK_TEXT "]https://a/"
		    "</Profile_Rule>" },
		{ "<Profile_Rule>[--key \"a b]https://a/</Profile_Rule>",
		    "<Profile_Rule>[--key " MASK_TEXT "</Profile_Rule>" },
		{ "<Profile_Rule>[--key $SA]https://a/</Profile_Rule>",
		    "<Profile_Rule>[--key $SA]https://a/</Profile_Rule>" },
		{ "<Profile_Rule>--key</Profile_Rule>",
		    "<Profile_Rule>--key</Profile_Rule>" },
		{ "<Profile_Rule>--key </Profile_Rule>",
		    "<Profile_Rule>--key </Profile_Rule>" },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct buf text, wanted, out;
		struct error err = { 0 };

		buf_init(&text, 4096);
		buf_init(&wanted, 4096);
		buf_init(&out, 4096);
		assert_int_equal(buf_printf(&text,
				     "<flat-profile>%s</flat-profile>\n",
				     cases[i].body),
		    0);
		assert_int_equal(buf_printf(&wanted,
				     "x<flat-profile>%s</flat-profile>\n",
				     cases[i].masked),
		    0);
		assert_int_equal(buf_append_text(&out, "x"), 0);
		assert_int_equal(profile_mask(buf_text(&text), text.len, &out,
				     &err),
		    0);
		assert_string_equal(buf_text(&out), buf_text(&wanted));
		buf_clear(&text);
		buf_clear(&wanted);
		buf_clear(&out);
	}
}

static void
test_refusals(void **state)
{
	static const char text[] =
	    "<flat-profile><Password_1_>a</Password_1_></flat-profile>";
	struct error err = { 0 };
	struct buf out;

	(void)state;
	buf_init(&out, 20);
	assert_int_equal(buf_append_text(&out, "x"), 0);
	assert_int_equal(profile_mask("<a/>", 4, &out, &err), -1);
	assert_non_null(strstr(err.text, "no flat-profile"));
	assert_int_equal(profile_mask(text, strlen(text), &out, &err), -1);
	assert_non_null(strstr(err.text, "longer than 20 bytes"));
	assert_string_equal(buf_text(&out), "x");
	buf_clear(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mask),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
