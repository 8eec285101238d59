#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "provision/images.h"
#include "spa/registry.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEAD "# file\tsha256\tversion\tmodels\n"

static void
test_good(void **state)
{
	static const char text[] = HEAD
	    "spa50x-7-6-2f.bin\t" A "\t7.6.2f\tSPA504G SPA508G\n"
	    "88xx.loads\t" B "\t11.3.2\tCP-8841-3PCC\n"
	    "kern(88xx).sbn\t" A "\t-\t-\n";
	const struct model *model = registry_find_model("SPA508G", NULL);
	struct errors errors = { 0 };
	struct firmware version;
	struct images images;
	struct error err;
	char *again;

	(void)state;
	assert_int_equal(images_parse(&images, "m", text, sizeof(text) - 1,
			     &errors),
	    0);
	assert_int_equal(images.count, 3);
	assert_int_equal(images.list[0].line, 2);
	assert_int_equal(images.list[0].sha256[31], 0xaa);
	assert_int_equal(images.list[0].model_count, 2);
	assert_false(images.list[0].is_part);
	assert_true(images.list[2].is_part);
	assert_int_equal(firmware_parse(&version, "7.6.2f", &err), 0);
	assert_ptr_equal(images_find(&images, model, &version),
	    &images.list[0]);
	assert_int_equal(firmware_parse(&version, "7.6.2", &err), 0);
	assert_null(images_find(&images, model, &version));
	assert_null(images_find(&images, registry_find_model("SPA112", NULL),
	    &images.list[0].version));
	assert_ptr_equal(images_find_file(&images, "88xx.loads"),
	    &images.list[1]);
	assert_null(images_find_file(&images, "88xx"));
	again = images_format(&images);
	assert_string_equal(again, text);
	free(again);
	images_clear(&images);
}

static void
test_bad(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "a.bin " A " 7.5.2 SPA504G\n",
		    "m:1: expected file, SHA-256" },
		{ "a.bin\t" A "\t7.5.2\n", "m:1: expected file, SHA-256" },
		{ "a.bin\t" A "\t7.5.2\tSPA504G\tx\n",
		    "m:1: expected file, SHA-256" },
		{ "../a\t" A "\t7.5.2\tSPA504G\n", "is no name for an image" },
		{ ".a\t" A "\t7.5.2\tSPA504G\n", "is no name for an image" },
		{ "a b\t" A "\t7.5.2\tSPA504G\n", "is no name for an image" },
		{ "a$MA\t" A "\t7.5.2\tSPA504G\n", "is no name for an image" },
		{ "\t" A "\t7.5.2\tSPA504G\n", "is no name for an image" },
		{ "manifest.tsv\t" A "\t-\t-\n", "is no name for an image" },
		{ "a.bin\tabc\t7.5.2\tSPA504G\n", "is no SHA-256" },
		{ "a.bin\t" A "0\t7.5.2\tSPA504G\n", "is no SHA-256" },
		{ "a.bin\t" A "\tseven\tSPA504G\n", "m:1: " },
		{ "a.bin\t" A "\t7.5.2\tSPA504\n",
		    "\"SPA504\" is no known model: did you mean" },
		{ "a.bin\t" A "\t7.5.2\t\n", "no models" },
		{ "a.bin\t" A "\t-\tSPA504G\n", "has no models" },
		{ "#\n\na.bin\t" A "\t-\t-\na.bin\t" B "\t-\t-\n",
		    "m:4: \"a.bin\" is there already" },
		{ "a.bin\t" A "\t7.5.2b\tSPA504G\n"
		  "b.bin\t" B "\t7.5.2b\tSPA508G SPA504G\n",
		    "m:2: \"b.bin\" is 7.5.2b for SPA504G, and so is "
		    "\"a.bin\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct errors errors = { 0 };
		struct images images;

		print_message("%s", cases[i].text);
		assert_int_equal(images_parse(&images, "m", cases[i].text,
				     strlen(cases[i].text), &errors),
		    -1);
		assert_int_equal(images.count, 0);
		assert_int_equal(errors.count, 1);
		assert_non_null(strstr(errors.text[0], cases[i].message));
		errors_clear(&errors);
	}
}

static void
test_nul(void **state)
{
	struct errors errors = { 0 };
	struct images images;

	(void)state;
	assert_int_equal(images_parse(&images, "m", "a\0b", 3, &errors), -1);
	errors_clear(&errors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
