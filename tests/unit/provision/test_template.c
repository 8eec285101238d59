#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "provision/template.h"

static const struct {
	const char *name;
	const char *value;
} values[] = {
	{ "name", "Ann & \"Bob\" <'x'>" },
	{ "plain", "plain" },
	{ "tag", "{{plain}} {{{plain}}} {{>p}} $MA" },
	{ "one", "1" },
	{ "yes", "Yes" },
	{ "blank", " " },
	{ "empty", "" },
	{ "zero", "0" },
	{ "no", "no" },
	{ "No", "No" },
	{ "false", "FALSE" },
	{ "a.b-c_1", "dotted" },
};

static const char *
lookup(void *arg, const char *name)
{
	unsigned *calls = arg;

	if (calls != NULL)
		++*calls;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		if (strcmp(values[i].name, name) == 0)
			return values[i].value;
	}
	return NULL;
}

static void
add(struct templates *templates, const char *name, const char *text)
{
	struct error err;

	if (templates_add(templates, name, text, strlen(text), &err) != 0)
		fail_msg("%s", err.text);
}

#define ANN "Ann &amp; &quot;Bob&quot; &lt;&apos;x&apos;&gt;"
static const struct {
	const char *given;
	const char *rendered;
} good[] = {
	{ "", "" },
	{ "no tag { } }} $MA {x}", "no tag { } }} $MA {x}" },
	{ "<a>{{name}}</a>", "<a>" ANN "</a>" },
	{ "{{ name }}", ANN },
	{ "{{{name}}}", "Ann & \"Bob\" <'x'>" },
	{ "{{{ name }}}|{{& name }}|{{ &name}}",
	    "Ann & \"Bob\" <'x'>|Ann & \"Bob\" <'x'>|Ann & \"Bob\" <'x'>" },
	{ "{{a.b-c_1}}", "dotted" },
	{ "{{plain}}{{plain}}", "plainplain" },
	{ "({{empty}})", "()" },
	/* A value is text, whatever it looks like. */
	{ "{{{tag}}}", "{{plain}} {{{plain}}} {{>p}} $MA" },
	/* Sections */
	{ "{{#one}}x{{/one}}", "x" },
	{ "{{#yes}}x{{/yes}}{{#blank}}y{{/blank}}", "xy" },
	{ "{{#empty}}x{{/empty}}{{#zero}}x{{/zero}}{{#no}}x{{/no}}"
	  "{{#No}}x{{/No}}{{#false}}x{{/false}}{{#unset}}x{{/unset}}",
	    "" },
	{ "{{^empty}}a{{/empty}}{{^zero}}b{{/zero}}{{^no}}c{{/no}}"
	  "{{^No}}d{{/No}}{{^false}}e{{/false}}{{^unset}}f{{/unset}}",
	    "abcdef" },
	{ "{{^one}}x{{/one}}", "" },
	{ "{{#one}}{{#no}}x{{/no}}{{^no}}y{{/no}}{{/one}}z", "yz" },
	{ "{{#no}}{{#one}}x{{/one}}{{unset}}{{>missing}}{{/no}}z", "z" },
	{ "{{# one }}x{{/ one }}", "x" },
	{ "{{#one}}{{#one}}x{{/one}}y{{/one}}", "xy" },
	/* Lines of their own */
	{ "a\n{{#one}}\nb\n{{/one}}\nc", "a\nb\nc" },
	{ "a\n  {{#one}}\t\n b\n\t{{/one}}  \nc\n", "a\n b\nc\n" },
	{ "a\r\n{{#one}}\r\nb\r\n{{/one}}\r\nc", "a\r\nb\r\nc" },
	{ "{{#one}}\nb\n{{/one}}", "b\n" },
	{ "a {{#one}}\nb\n{{/one}} c\n", "a \nb\n c\n" },
	{ "{{#one}} {{/one}}\n", " \n" },
	{ " {{#one}}{{/one}}\n", " \n" },
	{ "{{#one}}\n{{/one}}\n", "" },
	{ "a\n{{! x }}\nb", "a\nb" },
	{ "a {{! x }} b", "a  b" },
	{ "a\n  {{!\n x\n {{ y\n}}  \nb", "a\nb" },
	{ "{{!}}", "" },
	{ "  {{plain}}\n", "  plain\n" },     /* not values, */
	{ "  {{>p}}\n", "  <p>plain</p>\n" }, /* and not partials */
	/* Delimiters */
	{ "{{=<% %>=}}<% plain %>{{plain}}", "plain{{plain}}" },
	{ "{{=<% %>=}}\n<%plain%>\n<%={{ }}=%>\n{{plain}}", "plain\nplain" },
	{ "{{= | | =}}|plain| |{plain}| |&plain|", "plain plain plain" },
	{ "{{=@ @=}}@#one@x@/one@", "x" },
	{ "{{=<% %>=}}<%>p%>", "<p>plain</p>" }, /* those of p are its own */
	/* Partials */
	{ "a{{>p}}b{{> 7/p.xml }}c", "a<p>plain</p>bseven\nc" },
};

static void
test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct templates *templates = templates_new();
		struct errors errors = { 0 };
		struct error err = { 0 };
		struct buf out;

		add(templates, "p", "<p>{{plain}}</p>");
		add(templates, "7/p.xml", "seven\n");
		add(templates, "t", good[i].given);
		if (strstr(good[i].given, "missing") == NULL)
			assert_int_equal(templates_check(templates, &errors),
			    0);
		buf_init(&out, 1000);
		assert_int_equal(buf_append_text(&out, ">"), 0);
		if (templates_render(templates, "t", lookup, NULL, &out,
			&err) != 0)
			fail_msg("\"%s\": %s", good[i].given, err.text);
		assert_string_equal(buf_text(&out) + 1, good[i].rendered);
		buf_clear(&out);
		templates_free(templates);
	}
}

#define S8 "{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}"
#define NAME63 "abcdefghijklmnopqrstuvwxyz_ABCDEFGHIJKLMNOPQRSTUVWXYZ.012345678"
static const struct {
	const char *given;
	const char *text;
} bad[] = {
	{ "{{name", "t:1:1: tag is not closed: expected \"}}\"" },
	{ "a\n b{{{name}}", "t:2:3: tag is not closed: expected \"}}}\"" },
	{ "{{=<% %>}}", "t:1:1: tag is not closed: expected \"=}}\"" },
	{ "{{", "t:1:1: tag is not closed: expected \"}}\"" },
	{ "{{!", "t:1:1: tag is not closed: expected \"}}\"" },
	{ "{{=<% %>=}}<%x}}", "t:1:12: tag is not closed: expected \"%>\"" },
	{ "{{}}",
	    "t:1:1: \"\" is not a name: expected at most 63 letters, "
	    "digits, '_', '-' and '.', not first a digit" },
	{ "{{a b}}",
	    "t:1:1: \"a b\" is not a name: expected at most 63 "
	    "letters, digits, '_', '-' and '.', not first a digit" },
	{ "\n\n  {{1a}}",
	    "t:3:3: \"1a\" is not a name: expected at most 63 "
	    "letters, digits, '_', '-' and '.', not first a digit" },
	{ "{{.}}",
	    "t:1:1: \".\" is not a name: expected at most 63 letters, "
	    "digits, '_', '-' and '.', not first a digit" },
	{ "{{a/b}}",
	    "t:1:1: \"a/b\" is not a name: expected at most 63 "
	    "letters, digits, '_', '-' and '.', not first a digit" },
	{ "{{#a\nb}}",
	    "t:1:1: \"a\\x0ab\" is not a name: expected at most 63 "
	    "letters, digits, '_', '-' and '.', not first a digit" },
	{ "{{>}}",
	    "t:1:1: \"\" is not a name: expected at most 63 letters, "
	    "digits, '_', '-' and '.' and '/'" },
	{ "{{>../x}}",
	    "t:1:1: \"../x\" is not a name: expected at most 63 "
	    "letters, digits, '_', '-' and '.' and '/'" },
	{ "{{" NAME63 "x}}",
	    "t:1:1: \"abcdefghijklmnopqrstuvwxyz_ABCDEFGHI"
	    "...\" is not a name: expected at most 63 letters, digits, '_', "
	    "'-' and '.', not first a digit" },
	{ "{{/a}}", "t:1:1: \"/a\" closes no section" },
	{ "{{#a}}{{/a}}{{/a}}", "t:1:13: \"/a\" closes no section" },
	{ "{{#a}}\n{{^b}}\n{{/a}}",
	    "t:3:1: \"/a\" does not close the "
	    "section \"b\": expected \"/b\"" },
	{ "x{{#a}}\n{{^b}}{{/b}}", "t:1:2: section \"a\" is not closed" },
	{ S8 "{{^b}}", "t:1:49: more than 8 sections within each other" },
	{ "{{==}}",
	    "t:1:1: delimiters are not two words of at most 15 bytes "
	    "without '=': expected as in {{=<% %>=}}" },
	{ "{{=<%=}}",
	    "t:1:1: delimiters are not two words of at most 15 "
	    "bytes without '=': expected as in {{=<% %>=}}" },
	{ "{{=a b c=}}",
	    "t:1:1: delimiters are not two words of at most 15 "
	    "bytes without '=': expected as in {{=<% %>=}}" },
	{ "{{=a b=c=}}",
	    "t:1:1: delimiters are not two words of at most 15 "
	    "bytes without '=': expected as in {{=<% %>=}}" },
	{ "{{=1234567890123456 b=}}",
	    "t:1:1: delimiters are not two words "
	    "of at most 15 bytes without '=': expected as in {{=<% %>=}}" },
};

static void
test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct templates *templates = templates_new();
		struct error err = { 0 };

		if (templates_add(templates, "t", bad[i].given,
			strlen(bad[i].given), &err) == 0)
			fail_msg("\"%s\" is taken", bad[i].given);
		assert_string_equal(err.text, bad[i].text);
		assert_int_equal(err.kind, ERROR_INPUT);
		assert_false(templates_has(templates, "t"));
		templates_free(templates);
	}
}

static void
test_limits(void **state)
{
	struct templates *templates = templates_new();
	char *text = malloc(TEMPLATE_TEXT_MAX + 1);
	struct error err;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', TEMPLATE_TEXT_MAX + 1);
	assert_int_equal(templates_add(templates, "a", text, TEMPLATE_TEXT_MAX,
			     &err),
	    0);
	assert_int_equal(templates_add(templates, "b", text,
			     TEMPLATE_TEXT_MAX + 1, &err),
	    -1);
	assert_string_equal(err.text,
	    "b:1:1: the template has 262145 bytes: "
	    "at most 262144 are allowed");
	assert_int_equal(templates_add(templates, "a", "", 0, &err), -1);
	assert_string_equal(err.text,
	    "a:1:1: there is a template of this name already");
	assert_int_equal(templates_add(templates, "c", "a\nb\0c", 5, &err), -1);
	assert_string_equal(err.text, "c:2:2: NUL byte in a template");
	assert_true(templates_has(templates, "a"));
	assert_false(templates_has(templates, "b"));
	assert_false(templates_has(templates, "c"));
	add(templates, "d",
	    "{{" NAME63 "}}" S8
	    "{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}");
	free(text);
	templates_free(templates);
	templates_free(NULL);
}

static void
test_check(void **state)
{
	struct templates *templates = templates_new();
	struct errors errors = { 0 };

	(void)state;
	assert_int_equal(templates_check(templates, &errors), 0);
	add(templates, "a", "{{>b}}\n {{>c}}{{>gone}}");
	add(templates, "b", "{{>c}}{{>c}}");
	add(templates, "c", "{{#no}}{{>also-gone}}{{/no}}");
	add(templates, "self", "\n{{>self}}");
	add(templates, "x", "{{>y}}");
	add(templates, "y", "{{>x}}");
	assert_int_equal(templates_check(templates, &errors), -1);
	assert_int_equal(errors.count, 4);
	assert_string_equal(errors.text[0],
	    "c:1:8: partial \"also-gone\" does not exist");
	assert_string_equal(errors.text[1],
	    "a:2:8: partial \"gone\" does not exist");
	assert_string_equal(errors.text[2],
	    "self:2:1: partial \"self\" includes itself");
	assert_string_equal(errors.text[3],
	    "y:1:1: partial \"x\" includes itself");
	errors_clear(&errors);
	templates_free(templates);
}

/* t0 includes t1 and so on, count levels below t0; each twice. */
static struct templates *
chain(unsigned count)
{
	struct templates *templates = templates_new();
	char name[16], text[32];

	for (unsigned i = 0; i <= count; i++) {
		(void)snprintf(name, sizeof(name), "t%u", i);
		(void)snprintf(text, sizeof(text), "{{>t%u}}{{>t%u}}", i + 1,
		    i + 1);
		add(templates, name, i < count ? text : "x");
	}
	return templates;
}

static void
test_partial_depth(void **state)
{
	struct templates *templates = chain(TEMPLATE_DEPTH_MAX);
	struct errors errors = { 0 };
	struct error err;
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(templates_check(templates, &errors), 0);
	assert_int_equal(templates_render(templates, "t0", lookup, NULL, &out,
			     &err),
	    0);
	assert_int_equal(out.len, 256);
	templates_free(templates);
	buf_clear(&out);

	templates = chain(TEMPLATE_DEPTH_MAX + 3);
	assert_int_equal(templates_check(templates, &errors), -1);
	/* Where the limit is passed, for either tag, and not above it. */
	assert_int_equal(errors.count, 2);
	assert_string_equal(errors.text[0],
	    "t2:1:1: partial \"t3\" goes too "
	    "deep: expected at most 8 partials within each other");
	errors_clear(&errors);
	assert_int_equal(templates_render(templates, "t0", lookup, NULL, &out,
			     &err),
	    -1);
	assert_string_equal(err.text,
	    "t8:1:1: more than 8 partials within each other");
	templates_free(templates);
	buf_clear(&out);
}

static void
check_render_error(const char *text, size_t limit, enum error_kind kind,
    const char *expected)
{
	struct templates *templates = templates_new();
	struct error err = { 0 };
	struct buf out;

	add(templates, "t", text);
	buf_init(&out, limit);
	assert_int_equal(buf_append_text(&out, "ab"), 0);
	assert_int_equal(templates_render(templates, "t", lookup, NULL, &out,
			     &err),
	    -1);
	assert_string_equal(err.text, expected);
	assert_int_equal(err.kind, kind);
	assert_string_equal(buf_text(&out), "ab");
	assert_int_equal(out.len, 2);
	buf_clear(&out);
	templates_free(templates);
}

static void
test_render_errors(void **state)
{
	(void)state;
	check_render_error("x\n <{{unset}}", 100, ERROR_NOT_FOUND,
	    "t:2:3: \"unset\" has no value");
	check_render_error("{{{unset}}}", 100, ERROR_NOT_FOUND,
	    "t:1:1: \"unset\" has no value");
	check_render_error("x{{>gone}}", 100, ERROR_NOT_FOUND,
	    "t:1:2: partial \"gone\" does not exist");
	check_render_error("xy", 3, ERROR_INPUT,
	    "t:1:1: the rendered text would pass 3 bytes");
	check_render_error("x{{plain}}", 7, ERROR_INPUT,
	    "t:1:2: the rendered text would pass 7 bytes");
	check_render_error("{{{plain}}}", 6, ERROR_INPUT,
	    "t:1:1: the rendered text would pass 6 bytes");
	for (size_t limit = 2; limit < 2 + sizeof(ANN) - 1; limit++) {
		char expected[64];

		(void)snprintf(expected, sizeof(expected),
		    "t:1:1: the "
		    "rendered text would pass %zu bytes",
		    limit);
		check_render_error("{{name}}", limit, ERROR_INPUT, expected);
	}
}

static void
test_no_template(void **state)
{
	struct templates *templates = templates_new();
	struct error err = { 0 };
	struct buf out;

	(void)state;
	buf_init(&out, 10);
	assert_int_equal(templates_render(templates, "t", lookup, NULL, &out,
			     &err),
	    -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_string_equal(err.text, "template \"t\" does not exist");
	/* A failure may leave a buffer that never held anything. */
	add(templates, "t", "{{unset}}");
	assert_int_equal(templates_render(templates, "t", lookup, NULL, &out,
			     &err),
	    -1);
	assert_string_equal(buf_text(&out), "");
	buf_clear(&out);
	templates_free(templates);
}

/* Partials that multiply and write nothing come to an end, too. */
static void
test_steps(void **state)
{
	struct templates *templates = templates_new();
	struct error err = { 0 };
	char name[16], text[400] = "";
	unsigned calls = 0;
	struct buf out;

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		(void)snprintf(name, sizeof(name), "t%u", i);
		for (size_t at = 0; at < 350; at += 7)
			(void)snprintf(text + at, 8, "{{>t%u}}", i + 1);
		add(templates, name, text);
	}
	add(templates, "t8", "{{#no}}{{/no}}");
	buf_init(&out, 10);
	assert_int_equal(templates_render(templates, "t0", lookup, &calls, &out,
			     &err),
	    -1);
	assert_string_equal(err.text + strlen("t8:1:1"),
	    ": rendering takes more than 1000000 steps");
	assert_in_range(calls, 1, 1000000);
	buf_clear(&out);
	templates_free(templates);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_partial_depth),
		cmocka_unit_test(test_render_errors),
		cmocka_unit_test(test_no_template),
		cmocka_unit_test(test_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
