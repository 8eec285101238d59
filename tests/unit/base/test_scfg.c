#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scfg.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* A tree as text: "name|word|word{child;child;}". */
static void
dump(const struct scfg_directive *d, struct buf *out)
{
	for (size_t i = 0; i < d->count; i++)
		assert_int_equal(buf_printf(out, "%s%s", i > 0 ? "|" : "",
				     d->words[i].text),
		    0);
	if (d->has_block) {
		assert_int_equal(buf_append_text(out, "{"), 0);
		for (size_t i = 0; i < d->child_count; i++)
			dump(&d->children[i], out);
		assert_int_equal(buf_append_text(out, "}"), 0);
	} else {
		assert_int_equal(d->child_count, 0);
	}
	assert_int_equal(buf_append_text(out, ";"), 0);
}

static const struct {
	const char *text, *tree;
} good[] = {
	{ "", "{};" },
	{ "\n\n  \t\n", "{};" },
	{ "# only a comment", "{};" },
	{ "a", "{a;};" },
	{ "a\n", "{a;};" },
	{ "a b  c\t d \n e", "{a|b|c|d;e;};" },
	{ "a # b", "{a;};" },
	{ "a b#c", "{a|b#c;};" },
	{ "a \"#b\"", "{a|#b;};" },
	{ "a \\#b", "{a|#b;};" },
	{ "a \"b c\" 'd  e'", "{a|b c|d  e;};" },
	{ "a \"\" ''", "{a||;};" },
	{ "a \"b\\\"c\\\\\" 'd\\'", "{a|b\"c\\|d\\;};" },
	{ "a b\\ c \\\"d\\' \\{ \"{\" '}'", "{a|b c|\"d'|{|{|};};" },
	{ "a \"it's\" 'say \"x\"'", "{a|it's|say \"x\";};" },
	{ "\"a b\" c", "{a b|c;};" },
	{ "a {\n}\n", "{a{};};" },
	{ "a { # b\n c d # e\n } # f\ng", "{a{c|d;};g;};" },
	{ "a {\nb {\nc\n}\nd\n}", "{a{b{c;};d;};};" },
	{ "a \xc3\xa4\xe2\x82\xac\xf0\x9f\x93\x9e",
	    "{a|"
	    "\xc3\xa4\xe2\x82\xac\xf0\x9f\x93\x9e;};" },
	{ "a \"b\tc\"", "{a|b\tc;};" },
	{ "a [::]:443 $MA (b) c;d", "{a|[::]:443|$MA|(b)|c;d;};" },
};

static void
test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct errors errors = { 0 };
		struct scfg_directive *root = scfg_parse("f", good[i].text,
		    strlen(good[i].text), &errors);
		struct buf out;

		assert_int_equal(errors.count, 0);
		assert_non_null(root);
		assert_int_equal(root->count, 0);
		buf_init(&out, 1000);
		dump(root, &out);
		assert_string_equal(buf_text(&out), good[i].tree);
		buf_clear(&out);
		scfg_free(root);
	}
}

static void
test_places(void **state)
{
	static const char text[] = "# head\n"
				   "listener csb { # comment\n"
				   "\t address \"a b\" 'c'  \\d\n"
				   "}\n"
				   "\xc3\xa4 b";
	struct errors errors = { 0 };
	struct scfg_directive *root = scfg_parse("f", text, strlen(text),
	    &errors);
	const struct scfg_word *words;

	(void)state;
	assert_non_null(root);
	words = root->children[0].words;
	assert_int_equal(words[0].line, 2);
	assert_int_equal(words[0].column, 1);
	assert_int_equal(words[1].line, 2);
	assert_int_equal(words[1].column, 10);
	words = root->children[0].children[0].words;
	assert_int_equal(words[0].line, 3);
	assert_int_equal(words[0].column, 3);
	assert_int_equal(words[1].column, 11);
	assert_int_equal(words[2].column, 17);
	assert_int_equal(words[3].column, 22);
	words = root->children[1].words;
	assert_int_equal(words[0].line, 5);
	assert_int_equal(words[1].column, 4); /* in bytes */
	scfg_free(root);
}

/* Every mistake of a file, in the order of the file. */
static const struct {
	const char *text;
	const char *errors; /* one per line, each ending in a newline */
} bad[] = {
	{ "a \"b\nc\n",
	    "f:1:3: a quoted word does not end: expected \" before "
	    "the end of the line\n" },
	{ "a 'b\"\n",
	    "f:1:3: a quoted word does not end: expected ' before "
	    "the end of the line\n" },
	{ "a \"b\\\"\n",
	    "f:1:3: a quoted word does not end: expected \" "
	    "before the end of the line\n" },
	{ "a \"b\\",
	    "f:1:3: a quoted word does not end: expected \" "
	    "before the end of the line\n" },
	{ "a \"b\"c\n", "f:1:6: expected a blank after the closing quote\n" },
	{ "a ''''\n", "f:1:5: expected a blank after the closing quote\n" },
	{ "a b\"c d\"\n",
	    "f:1:4: a quote inside a word: expected it around "
	    "the whole word, or a backslash before it\n"
	    "f:1:8: a quote inside a word: expected it around the whole "
	    "word, or a backslash before it\n" },
	{ "a it's'\n",
	    "f:1:5: a quote inside a word: expected it around the "
	    "whole word, or a backslash before it\n" },
	{ "a b\\\nc\n",
	    "f:1:4: a backslash ends the line: expected a "
	    "character after it\n" },
	{ "a \\",
	    "f:1:3: a backslash ends the line: expected a character "
	    "after it\n" },
	{ "a\n}\n", "f:2:1: \"}\" without a block that it could end\n" },
	{ "a {\n}\n}\nb \"\n",
	    "f:3:1: \"}\" without a block that it could "
	    "end\n"
	    "f:4:3: a quoted word does not end: expected \" before the end "
	    "of the line\n" },
	{ "a {\n",
	    "f:2:1: the file ends inside the block \"a\" of line 1: "
	    "expected \"}\"\n" },
	{ "a {\n  b 192.0.2.1:44",
	    "f:2:17: the file ends inside the block "
	    "\"a\" of line 1: expected \"}\"\n" },
	{ "a {\n\nb {\n",
	    "f:4:1: the file ends inside the block \"b\" of "
	    "line 3: expected \"}\"\n"
	    "f:4:1: the file ends inside the block \"a\" of line 1: expected "
	    "\"}\"\n" },
	{ "a { b\n}\n", "f:1:5: expected the end of the line after \"{\"\n" },
	{ "a { }\n", "f:1:5: expected the end of the line after \"{\"\n" },
	{ "a {}\n", "f:1:4: expected the end of the line after \"{\"\n" },
	{ "a { b {\n}\n}\n",
	    "f:1:5: expected the end of the line after \"{\"\n" },
	{ "a {\nb }\n", "f:2:3: expected \"}\" alone on its line\n" },
	{ "a {\n} b {\n}\n", "f:2:3: expected \"}\" alone on its line\n" },
	{ "a {\nb {\n} }\n", "f:3:3: expected \"}\" alone on its line\n" },
	{ "{\n}\n", "f:1:1: \"{\" without a directive before it\n" },
	{ "a\n{\nb\n}\n", "f:2:1: \"{\" without a directive before it\n" },
	{ "a{\nb\n}\n",
	    "f:1:2: \"{\" inside a word: expected a blank before "
	    "it, or quotes around the word\n" },
	{ "a {\nb 1}\n",
	    "f:2:4: \"}\" inside a word: expected a blank before "
	    "it, or quotes around the word\n" },
	{ "a \"b\"{\n}\n",
	    "f:1:6: expected a blank after the closing "
	    "quote\n" },
	{ "a \x01 b\x7f\n",
	    "f:1:3: control character U+0001: expected text\n"
	    "f:1:6: control character U+007F: expected text\n" },
	{ "# \x1b[2J\n", "f:1:3: control character U+001B: expected text\n" },
	{ "a\n\x0b\n", "f:2:1: control character U+000B: expected text\n" },
	{ "a \xc2\x85\n", "f:1:3: control character U+0085: expected text\n" },
	{ "a b\r\nc d\r\ne \"\r\n",
	    "f:1:4: a carriage return ends the line: "
	    "expected lines that end in a newline alone\n"
	    "f:3:3: a quoted word does not end: expected \" before the end "
	    "of the line\n" },
	{ "a\rb\n", "f:1:2: control character U+000D: expected text\n" },
	{ "\xef\xbb\xbf"
	  "a b\n",
	    "f:1:1: byte order mark: expected UTF-8 "
	    "without one\n" },
	{ "a \xe4 b\n", "f:1:3: byte 0xe4: expected UTF-8\n" },
	{ "a \xc3", "f:1:3: byte 0xc3: expected UTF-8\n" },
	{ "\xe2\x82\n",
	    "f:1:1: byte 0xe2: expected UTF-8\n"
	    "f:1:2: byte 0x82: expected UTF-8\n" },
	{ "\xc0\xaf",
	    "f:1:1: byte 0xc0: expected UTF-8\n"
	    "f:1:2: byte 0xaf: expected UTF-8\n" }, /* overlong "/" */
	{ "\xed\xa0\x80",
	    "f:1:1: byte 0xed: expected UTF-8\n"
	    "f:1:2: byte 0xa0: expected UTF-8\n"
	    "f:1:3: byte 0x80: expected UTF-8\n" }, /* a surrogate */
	{ "\xf4\x90\x80\x80",
	    "f:1:1: byte 0xf4: expected UTF-8\n"
	    "f:1:2: byte 0x90: expected UTF-8\n"
	    "f:1:3: byte 0x80: expected UTF-8\n"
	    "f:1:4: byte 0x80: expected UTF-8\n" }, /* past U+10FFFF */
	{ "\xff", "f:1:1: byte 0xff: expected UTF-8\n" },
};

static void
assert_errors(const struct errors *errors, const char *expected)
{
	struct buf all;

	buf_init(&all, 100000);
	for (size_t i = 0; i < errors->kept; i++)
		assert_int_equal(buf_printf(&all, "%s\n", errors->text[i]), 0);
	assert_string_equal(buf_text(&all), expected);
	buf_clear(&all);
}

static void
test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct errors errors = { 0 };

		assert_null(scfg_parse("f", bad[i].text, strlen(bad[i].text),
		    &errors));
		assert_errors(&errors, bad[i].errors);
		errors_clear(&errors);
	}
}

static void
test_nul(void **state)
{
	struct errors errors = { 0 };

	(void)state;
	assert_null(scfg_parse("f", "a b\0c\nd \0\n", 10, &errors));
	assert_errors(&errors,
	    "f:1:4: control character U+0000: expected text\n"
	    "f:2:3: control character U+0000: expected text\n");
	errors_clear(&errors);
}

/* What the text of n times piece between head and tail gives. */
static struct scfg_directive *
parse_repeated(const char *head, const char *piece, size_t n, const char *tail,
    struct errors *errors)
{
	struct scfg_directive *root;
	struct buf text;

	buf_init(&text, 4 * SCFG_TEXT_MAX);
	assert_int_equal(buf_append_text(&text, head), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_append_text(&text, piece), 0);
	assert_int_equal(buf_append_text(&text, tail), 0);
	root = scfg_parse("f", buf_text(&text), text.len, errors);
	buf_clear(&text);
	return root;
}

static const struct {
	const char *head, *piece;
	size_t limit;
	const char *tail;
	const char *error; /* with one more; the counts that just pass */
} limits[] = {
	{ "a", " b", SCFG_WORDS_MAX - 1, "\n",
	    "f:1:129: more than 64 words in one directive\n" },
	{ "a ", "b", SCFG_WORD_MAX, "\n",
	    "f:1:3: a word of more than 4096 bytes\n" },
	{ "a \"", "b", SCFG_WORD_MAX, "\" c\n",
	    "f:1:3: a word of more than 4096 bytes\n" },
	{ "a \"", "\\b", SCFG_WORD_MAX, "\" c\n",
	    "f:1:3: a word of more than 4096 bytes\n" },
	{ "", "\n", SCFG_TEXT_MAX, "",
	    "f:1:1: 1048577 bytes: expected at most 1048576\n" },
};

static void
test_limits(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(limits); i++) {
		struct errors errors = { 0 };
		struct scfg_directive *root = parse_repeated(limits[i].head,
		    limits[i].piece, limits[i].limit, limits[i].tail, &errors);

		assert_non_null(root);
		assert_int_equal(errors.count, 0);
		scfg_free(root);
		assert_null(parse_repeated(limits[i].head, limits[i].piece,
		    limits[i].limit + 1, limits[i].tail, &errors));
		assert_errors(&errors, limits[i].error);
		errors_clear(&errors);
		/* Much too long is one error too. */
		assert_null(parse_repeated(limits[i].head, limits[i].piece,
		    limits[i].limit + 300, limits[i].tail, &errors));
		assert_int_equal(errors.count, 1);
		errors_clear(&errors);
	}
}

static void
test_depth(void **state)
{
	static const char deeper[] =
	    "a {\na {\na {\na {\na {\na {\na {\na {\n"
	    "b {\nc {\nd \"\n}\n}\n}\n}\n}\n}\n}\n}\n}\n}\ne '\n";
	struct errors errors = { 0 };
	struct scfg_directive *root = parse_repeated("", "a {\n", 8,
	    "b\n}\n}\n}\n}\n}\n}\n}\n}\n", &errors);

	(void)state;
	assert_non_null(root);
	scfg_free(root);
	/* What follows is read, and blocks still match up. */
	assert_null(scfg_parse("f", deeper, strlen(deeper), &errors));
	assert_errors(&errors,
	    "f:9:3: more than 8 blocks within each other\n"
	    "f:11:3: a quoted word does not end: expected \" before the end "
	    "of the line\n"
	    "f:22:3: a quoted word does not end: expected ' before the end "
	    "of the line\n");
	errors_clear(&errors);
	assert_null(parse_repeated("", "a {\n", 100000, "", &errors));
	assert_int_equal(errors.count, 9); /* and eight blocks do not end */
	errors_clear(&errors);
}

static void
test_many(void **state)
{
	struct errors errors = { 0 };
	struct scfg_directive *root = parse_repeated("", "a b\n", 200000, "",
	    &errors);

	(void)state;
	assert_non_null(root);
	assert_int_equal(root->child_count, 200000);
	assert_int_equal(root->children[199999].words[1].line, 200000);
	scfg_free(root);
}

static void
test_all(void **state)
{
	static const char text[] =
	    "a\nb \"c\nd \x01 {\ne\nf{\ng\n}\n}\nh i # \xff\n{\nj\n}\n";
	static const struct {
		const char *name;
		int damaged;
	} expected[] = { { "a", 0 }, { "b", 1 }, { "d", 1 }, { "h", 1 },
		{ "", 1 } };
	struct errors errors = { 0 };
	struct scfg_directive *root = scfg_parse_all("f", text, strlen(text),
	    &errors);

	(void)state;
	assert_non_null(root);
	assert_int_equal(errors.count, 5);
	assert_int_equal(root->child_count, COUNT(expected));
	for (size_t i = 0; i < COUNT(expected); i++) {
		assert_string_equal(root->children[i].words[0].text,
		    expected[i].name);
		assert_int_equal(root->children[i].damaged,
		    expected[i].damaged);
	}
	assert_int_equal(root->children[2].child_count, 2);
	assert_int_equal(root->children[2].children[0].damaged, 0);
	assert_int_equal(root->children[2].children[1].damaged, 1);
	assert_int_equal(root->children[2].children[1].child_count, 1);
	scfg_free(root);
	errors_clear(&errors);

	assert_null(scfg_parse_all("f", "a {\n", 4, &errors));
	assert_null(scfg_parse_all("f", "}\n", 2, &errors));
	assert_int_equal(errors.count, 2);
	/* Errors that were there before are not this file's. */
	root = scfg_parse("f", "a\n", 2, &errors);
	assert_non_null(root);
	scfg_free(root);
	scfg_free(NULL);
	errors_clear(&errors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
