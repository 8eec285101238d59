/*
 * What is not parsed again must be what would have been taken: each template is
 * rendered with hostile values after it has been proven with harmless ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "provision/shape.h"
#include "provision/template.h"
#include "spa/profile.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static const char *
lookup(void *arg, const char *name)
{
	const char *const *values = arg; /* of a, b and c */

	return values[*name - 'a'];
}

static int
render(const struct templates *templates, const char *const values[3])
{
	const char *copy[3] = { values[0], values[1], values[2] };
	struct error err = { 0 };
	struct buf out;
	int rc;

	buf_init(&out, PROFILE_BYTES_MAX);
	rc = templates_render_profile(templates, "t", lookup, copy, &out, &err);
	/* The promise, whichever way it was kept. */
	if (rc == 0 && profile_check(buf_text(&out), out.len, &err) != 0)
		fail_msg("%s: %s", buf_text(&out), err.text);
	buf_clear(&out);
	return rc;
}

static void
test_promise(void **state)
{
	static const char *const templates[] = {
		"<flat-profile><A>{{a}}</A></flat-profile>",
		"<flat-profile><A ua=\"{{a}}\">{{b}}</A></flat-profile>",
		"<flat-profile><A ua='{{a}}'>{{#b}}<B/>{{/b}}</A>"
		"</flat-profile>",
		"<flat-profile><{{a}}>x</{{a}}></flat-profile>",
		"<flat-profile><A {{a}}=\"1\"/></flat-profile>",
		"<flat-profile><A ua={{a}}/></flat-profile>",
		"<flat-profile><!-- {{a}} --></flat-profile>",
		"<flat-profile><!--{{a}}{{b}}--></flat-profile>",
		"<flat-profile><![CDATA[{{a}}{{b}}]]></flat-profile>",
		"<flat-profile>]]{{a}}</flat-profile>",
		"<flat-profile>&#{{a}};</flat-profile>",
		"<flat-profile>&{{a}};</flat-profile>",
		"<?xml version=\"{{a}}\"?><flat-profile/>",
		"<?xml version=\"1.0\" encoding=\"{{a}}\"?><flat-profile/>",
		"<?xml version=\"1.0\" encoding=\"US-ASCII\"?><flat-profile>"
		"{{a}}</flat-profile>",
		"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><flat-profile>"
		"{{a}}</flat-profile>",
		"<flat-profile/>{{a}}",
		"<{{a}}><flat-profile/></{{a}}>",
		"<flat-profile>{{{a}}}</flat-profile>",
		"{{#a}}<flat-profile>{{/a}}{{^b}}</flat-profile>{{/b}}",
		"<flat-profile>{{#a}}<A>{{/a}}{{#b}}</A>{{/b}}</flat-profile>",
		"<flat-profile>{{>p}}</flat-profile>",
		"<flat-profile><?x {{a}}?></flat-profile>",
	};
	static const char *const values[] = { "x", "1", "", "A", "lt", "no",
		"65", "1.0", "UTF-8", "-", "--", "->", "]]>", "]", ">", "a b",
		"a\"b", "a'b", "<b>", "&amp;", "&", "\xc3\xa9", "\xff", "\x01",
		"\n", SHAPE_HOSTILE };

	(void)state;
	for (size_t i = 0; i < LENGTH(templates); i++) {
		struct templates *set = templates_new();
		struct error err = { 0 };

		assert_int_equal(templates_add(set, "t", templates[i],
				     strlen(templates[i]), &err),
		    0);
		assert_int_equal(templates_add(set, "p", "<B>{{a}}</B>", 12,
				     &err),
		    0);
		for (size_t j = 0; j < LENGTH(values); j++)
			for (size_t k = 0; k < LENGTH(values); k++) {
				const char *const two[3] = { values[j],
					values[k], "c" };

				(void)render(set, two);
			}
		templates_free(set);
	}
}

/* The plain case is proven once, and then known. */
static void
test_set(void **state)
{
	struct shapes *shapes = shapes_new();
	struct shape shape = { 0 }, other = { 0 };

	(void)state;
	shape_decide(&shape, true);
	shape_decide(&shape, false);
	shape_decide(&other, true);
	shape_decide(&other, true);
	assert_false(shapes_has(shapes, 1, &shape));
	shapes_add(shapes, 1, &shape);
	assert_true(shapes_has(shapes, 1, &shape));
	assert_false(shapes_has(shapes, 2, &shape));
	assert_false(shapes_has(shapes, 1, &other));
	other.is_loose = true;
	shapes_add(shapes, 1, &other);
	assert_false(shapes_has(shapes, 1, &other));
	/* Full: it goes on, without. */
	for (size_t i = 0; i < SHAPES_MAX + 10; i++)
		shapes_add(shapes, 100 + i, &shape);
	assert_true(shapes_has(shapes, 1, &shape));
	assert_false(shapes_has(shapes, 100 + SHAPES_MAX, &shape));
	shapes_free(shapes);
}

static void
test_limits(void **state)
{
	struct shape shape = { 0 };

	(void)state;
	for (size_t i = 0; i < SHAPE_SECTIONS_MAX; i++)
		shape_decide(&shape, true);
	assert_false(shape.is_loose);
	shape_decide(&shape, true);
	assert_true(shape.is_loose);
	assert_true(shape_is_plain("a b\t\n~"));
	assert_false(shape_is_plain("\x7f"));
	assert_false(shape_is_plain("\xc3\xa9"));
	assert_false(shape_is_plain("a\x01"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_promise),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
