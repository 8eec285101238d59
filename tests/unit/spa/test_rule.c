#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "spa/rule.h"

static const struct macro list[] = {
	{ "MA", "000e08aabbcc", false },
	{ "MAU", "000E08AABBCC", false },
	{ "PN", "SPA962", false },
	{ "SN", "88012BA00001", false },
	{ "SWVER", "2.0.6(b)", false },
	{ "CCERT", "Installed", false },
	{ "PRVST", "-1", false },
	{ "PRVTMR", "700", false },
	{ "A", "prov.example.net", false },
	{ "B", "77", false },
	{ "C", "x\" | http://evil.example/ [--key \"", false },
	{ "D", "", false },
	{ "UPGERR", "http_get failed", false },
	{ "SA", "key one", true },
	{ "SB", "pw", true },
};
static const struct macros macros = { list, sizeof(list) / sizeof(*list) };

#define NO_MATCH ((size_t)-1)

static const struct {
	const char *rule;
	size_t alternative; /* NO_MATCH: none is true */
	const char *url;
} cases[] = {
	{ "", 0, "" },
	{ "  ", 0, "" },
	{ "/spa$PN.cfg", 0, "/spaSPA962.cfg" },
	{ "http://$A/$MA.cfg", 0, "http://prov.example.net/000e08aabbcc.cfg" },
	{ "  https://$A/p?mac=$MAU&m=$(PN:3) \r\n", 0,
	    "https://prov.example.net/p?mac=000E08AABBCC&m=962" },
	{ "https://[2001:db8::1]:4433/$MA.cfg", 0,
	    "https://[2001:db8::1]:4433/000e08aabbcc.cfg" },
	{ "$$A", 0, "$A" },
	/* Conditions, [LINKSYS-PROV] p. 37 and [SPA-PROV] p. 43. */
	{ "($SWVER ge 2.0.6)? [--key $SA]https://prov.example.net/$MA.cfg | "
	  "http://prov.example.net/old.cfg",
	    0, "https://prov.example.net/000e08aabbcc.cfg" },
	{ "($SWVER ge 2.0.7)? [--key $SA]https://prov.example.net/$MA.cfg | "
	  "http://prov.example.net/old.cfg",
	    1, "http://prov.example.net/old.cfg" },
	{ "($CCERT eq \"Installed\")? https://a.example.net/ | "
	  "http://b.example.net/",
	    0, "https://a.example.net/" },
	{ "(\"$CCERT\" eq \"Installed\")? /a", 0, "/a" },
	{ "(\"$CCERT\" ne \"Installed\")? /a", NO_MATCH, "" },
	{ "(\"$CCERT\" eq \"Not Installed\")? /a", NO_MATCH, "" },
	{ "(! 1.0.33)? /a", 0, "/a" },
	{ "($SWVER ! 2.0.6(b))? /a | /b", 1, "/b" },
	{ "(lt 2.0.6)? /a | /b", 1, "/b" },
	{ "(< 2.0.7)? /a | /b", 0, "/a" },
	{ "($(SWVER) = 2.0.6(b))? /a | /b", 0, "/a" },
	{ "($SWVER>=2.0.6)?/a|/b", 0, "/a" },
	{ "($PRVTMR ge 600 and $PRVST eq -1)? /a", 0, "/a" },
	{ "($PRVTMR ge 600 and $PRVST ne -1)? /a", NO_MATCH, "" },
	{ "($B=77 and $B!=78 and $B<78 and $B<=77 and $B>76 and $B>=77)? /a", 0,
	    "/a" },
	{ "($B eq 77 and $B ne 78 and $B lt 78 and $B le 77 and $B gt -1 "
	  "and $B ge 77)? /a",
	    0, "/a" },
	{ "($B lt 77)? /a | ($B le 76)? /b | ($B gt 77)? /c | "
	  "($B ge 78)? /d | ($B ne 77)? /e | ($B eq 7)? /f",
	    NO_MATCH, "" },
	{ "(010 eq 10)? /a", 0, "/a" },
	{ "(\"010\" eq \"10\")? /a | /b", 1, "/b" },
	{ "($SWVER ge 2 and 2 lt $SWVER and $SWVER lt 3)? /a", 0, "/a" },
	{ "(sip88xx.11-3-2MPP0001-609 gt 11.3.1)? /a | /b", 0, "/a" },
	{ "(1.3.1(003_240) gt 1.3.1(003))? /a | /b", 0, "/a" },
	{ "(2.0.10 gt 2.0.9)? /a | /b", 0, "/a" },
	{ "($MA eq \"000e08aabbcc\")? /a | /b", 0, "/a" },
	{ "($SN eq \"88012BA00001\")? /a | /b", 0, "/a" },
	{ "(\"$UPGERR\" eq \"http_get failed\")? /a | /b", 0, "/a" },
	{ "(\"$D\" eq \"\")? /a | /b", 0, "/a" },
	{ "(\"a|b)?\" eq \"a|b)?\")? /a | /b", 0, "/a" },
	{ "(\"$NONE\" eq \"$$NONE\")? /a | /b", 0, "/a" },
	/* The first that is true wins; later ones are not even compared. */
	{ "(1 = 1)? /a | (\"x\" lt \"y\")? /b | /c", 0, "/a" },
	{ "(1 = 2 and \"x\" lt \"y\")? /b | /c", 1, "/c" },
	{ "(1=2)? /a | (1=1)? /b | /c", 1, "/b" },
	{ "(1=2)? /a |", 1, "" },
	{ "(1=1)? | /b", 0, "" },
	/* A value never becomes structure. */
	{ "http://$A/?$C", 0,
	    "http://prov.example.net/?x\" | http://evil.example/ [--key \"" },
	{ "(\"$C\" eq \"x\")? /a | /b", 1, "/b" },
	/* Secrets expand in options only. */
	{ "/$SA", 0, "/$SA" },
	{ "(\"$SA\" eq \"key one\")? /a | /b", 1, "/b" },
};

static void
test_evaluate(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rule_result result;
		struct error err = { 0 };
		struct rule *rule = rule_parse(cases[i].rule, &err);

		if (rule == NULL)
			fail_msg("%s: %s", cases[i].rule, err.text);
		if (rule_evaluate(rule, &macros, &result, &err) != 0)
			fail_msg("%s: %s", cases[i].rule, err.text);
		if (result.matched != (cases[i].alternative != NO_MATCH) ||
		    (result.matched &&
			result.alternative != cases[i].alternative) ||
		    strcmp(result.url, cases[i].url) != 0)
			fail_msg("%s: alternative %zu, url %s", cases[i].rule,
			    result.alternative, result.url);
		assert_null(result.post);
		assert_int_equal(result.assignment_count, 0);
		rule_result_clear(&result);
		rule_free(rule);
	}
}

static void
evaluate(const char *text, struct rule_result *result)
{
	struct error err = { 0 };
	struct rule *rule = rule_parse(text, &err);

	if (rule == NULL)
		fail_msg("%s: %s", text, err.text);
	assert_int_equal(rule_evaluate(rule, &macros, result, &err), 0);
	rule_free(rule);
}

static void
test_options(void **state)
{
	struct rule_result result;

	(void)state;
	evaluate("[ --key $SA --uid \"u $MA\" --pwd $SB --post a --alias \"P\" "
		 "--srv --delta --status ] http://$A/",
	    &result);
	assert_string_equal(result.key, "key one");
	assert_string_equal(result.user, "u 000e08aabbcc");
	assert_string_equal(result.password, "pw");
	assert_string_equal(result.post, "GPP_A");
	assert_string_equal(result.alias, "GPP_P");
	assert_true(result.srv && result.delta && result.status);
	assert_string_equal(result.url, "http://prov.example.net/");
	rule_result_clear(&result);
	assert_null(result.key);
}

static void
test_quoted_options(void **state)
{
	struct rule_result result;

	(void)state;
	evaluate("(1=1)? [--key \"a ] | $$b\" --srv]/x | /y", &result);
	assert_string_equal(result.key, "a ] | $b");
	assert_true(result.srv);
	assert_false(result.delta || result.status);
	assert_null(result.user);
	assert_null(result.password);
	assert_null(result.alias);
	assert_string_equal(result.url, "/x");
	rule_result_clear(&result);

	evaluate("[--key a|b --pwd \"\"]/x", &result);
	assert_string_equal(result.key, "a|b");
	assert_string_equal(result.password, "");
	rule_result_clear(&result);

	evaluate("[]/x", &result);
	assert_null(result.key);
	rule_result_clear(&result);

	/* A value that looks like options stays a value. */
	evaluate("[--uid $C]/x", &result);
	assert_string_equal(result.user,
	    "x\" | http://evil.example/ [--key \"");
	assert_null(result.key);
	rule_result_clear(&result);
}

static void
test_assignments(void **state)
{
	struct rule_result result;

	(void)state;
	/* [LINKSYS-PROV] p. 38. */
	evaluate("(User_ID_1_ = \"uid$B\" ; c = \"\" ; d = \"$MA\" ;)!",
	    &result);
	assert_true(result.matched);
	assert_int_equal(result.assignment_count, 3);
	assert_string_equal(result.assignment[0].name, "User_ID_1_");
	assert_string_equal(result.assignment[0].value, "uid77");
	assert_string_equal(result.assignment[1].name, "GPP_C");
	assert_string_equal(result.assignment[1].value, "");
	assert_string_equal(result.assignment[2].name, "GPP_D");
	assert_string_equal(result.assignment[2].value, "000e08aabbcc");
	assert_string_equal(result.url, "");
	rule_result_clear(&result);

	evaluate("(1=1)?(GPP_A=\"x;)!|\";q=\"$SA\";)![--srv]/y|/z", &result);
	assert_int_equal(result.assignment_count, 2);
	assert_string_equal(result.assignment[0].name, "GPP_A");
	assert_string_equal(result.assignment[0].value, "x;)!|");
	assert_string_equal(result.assignment[1].name, "q");
	assert_string_equal(result.assignment[1].value, "$SA");
	assert_true(result.srv);
	assert_string_equal(result.url, "/y");
	rule_result_clear(&result);

	/* Those of an alternative that lost are not in the result. */
	evaluate("(1=2)?(a=\"x\";)!/y|(Auth_Resync-Reboot_1_=\"No\";)!/z",
	    &result);
	assert_int_equal(result.assignment_count, 1);
	assert_string_equal(result.assignment[0].name, "Auth_Resync-Reboot_1_");
	rule_result_clear(&result);
}

static const struct {
	const char *rule;
	const char *error; /* how it begins */
} malformed[] = {
	{ "/a | /b", "column 1: what follows the \"|\"" },
	{ "| /b", "column 1: what follows" },
	{ "(1=1)? /a | /b | /c", "column 12: what follows" },
	{ "/a b", "column 4: expected \"|\" or the end" },
	{ "/a\"b", "column 3: a double quote" },
	{ "/\xc3\xa4", "column 2: a double quote or a byte" },
	{ "/a\x01", "column 3: control character 0x01" },
	{ "[--key \"\x7f\"]/a", "column 9: control character 0x7f" },
	/* Conditions. */
	{ "(1=1) /a", "column 1: expected \"(condition)?\"" },
	{ "(1=1) ? /a", "column 1: expected \"(condition)?\"" },
	{ "(1=1", "column 1: expected \"(condition)?\"" },
	{ "(1=1)", "column 1: expected \"(condition)?\"" },
	{ "(\"a)? /b", "column 1: expected \"(condition)?\"" },
	{ "(1=1)?(1=1)? /a", "column 7: expected \"(condition)?\"" },
	{ "(a=\"x\";)!(1=1)? /a", "column 10: expected \"(condition)?\"" },
	{ "(a=\"x\";)!(a=\"x\";)!/a", "column 10: expected \"(condition)?\"" },
	{ "()? /a", "column 2: expected a number" },
	{ "(1)? /a", "column 3: expected a comparison" },
	{ "(1 1)? /a", "column 4: expected a comparison" },
	{ "(1 == 1)? /a", "column 5: expected a number" },
	{ "(1 eq)? /a", "column 6: expected a number" },
	{ "(1 =)? /a", "column 5: expected a number" },
	{ "(1 EQ 1)? /a", "column 4: expected a comparison" },
	{ "(1 ge2)? /a", "column 4: expected a comparison" },
	{ "($(A = 1)? /a", "column 1: expected \"(condition)?\"" },
	{ "(eq eq 1)? /a", "column 8: expected \"and\" or \")?\"" },
	{ "(1=1 and)? /a", "column 9: expected a number" },
	{ "(1=1 or 2=2)? /a", "column 6: conditions know no \"or\"" },
	{ "(1=1 2=2)? /a", "column 6: expected \"and\" or \")?\"" },
	{ "(1=1 | 2=2)? /a", "column 6: expected \"and\" or \")?\"" },
	{ "((1=1))? /a", "column 2: this \"(\" inside an operand" },
	{ "((1 = 1))? /a", "column 2: this \"(\" inside an operand" },
	{ "(1.3.1(a b) = 1)? /a", "column 7: this \"(\" inside an operand" },
	/* Assignments. */
	{ "()!", "column 2: expected the name of a parameter" },
	{ "(1=\"x\";)!", "column 2: expected the name" },
	{ "(a \"x\";)!", "column 4: expected \"=\"" },
	{ "(a=x;)!", "column 4: expected a value in double quotes" },
	{ "(a=\"x\")!", "column 7: expected \";\"" },
	{ "(a=\"x\" b=\"y\";)!", "column 8: expected \";\"" },
	{ "(a=\"x\";;)!", "column 8: expected the name" },
	/* Options. */
	{ "[--key k]", "column 10: expected a URL" },
	{ "(1=1)? [--key k] | /a", "column 18: expected a URL" },
	{ "[--key k", "column 1: this \"[\" is never closed" },
	{ "[--key \"k]/a", "column 8: this double quote is never closed" },
	{ "[--key]/a", "column 7: expected a value for --key" },
	{ "[--key --srv]/a", "column 8: expected a value for --key" },
	{ "[--key a\"b]/a", "column 9: expected a blank or \"]\"" },
	{ "[--key \"a\"b]/a", "column 11: expected a blank or \"]\"" },
	{ "[--srv=1]/a", "column 7: expected a blank or \"]\" after --srv" },
	{ "[--key a --key b]/a", "column 10: --key is given twice" },
	{ "[--srv --srv]/a", "column 8: --srv is given twice" },
	{ "[--kex a]/a", "column 2: there is no option --kex; is --key meant" },
	{ "[--frobnicate]/a", "column 2: there is no option --frobnicate" },
	{ "[key a]/a", "column 2: expected an option such as --key" },
	{ "[$A]/a", "column 2: expected an option such as --key" },
	{ "[--post q]/a", "column 9: --post wants the letter" },
	{ "[--post 1]/a", "column 9: --post wants the letter" },
	{ "[--alias GPP_A]/a", "column 10: --alias wants the letter" },
	{ "[--alias \"\"]/a", "column 11: --alias wants the letter" },
};

static void
test_malformed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(malformed) / sizeof(*malformed); i++) {
		struct error err = { 0 };
		struct rule *rule = rule_parse(malformed[i].rule, &err);

		if (rule != NULL)
			fail_msg("%s: accepted", malformed[i].rule);
		assert_int_equal(err.kind, ERROR_INPUT);
		if (strncmp(err.text, malformed[i].error,
			strlen(malformed[i].error)) != 0)
			fail_msg("%s: %s", malformed[i].rule, err.text);
	}
}

static const struct {
	const char *rule;
	const char *error;
} incomparable[] = {
	{ "(\"a\" lt \"b\")? /a", "column 3: cannot compare a with b: texts" },
	{ "($PN gt \"a\")? /a", "column 2: cannot compare $PN with a: texts" },
	{ "($B eq \"77\")? /a", "column 2: cannot compare $B with 77: they" },
	{ "(\"77\" eq $B)? /a", "column 3: cannot compare 77 with $B: they" },
	{ "($SWVER eq \"2.0.6(b)\")? /a", "column 2: cannot compare $SWVER" },
	{ "($D eq 1)? /a", "column 2: cannot compare $D with 1" },
	{ "(\"x\" eq \"y\")? /a | ($NONE ge 2.0)? /b",
	    "column 21: cannot compare $NONE with 2.0" },
	{ "(\"a\nb\" lt \"\xc3\xa4\")? /a",
	    "column 3: cannot compare a\\x0ab with \\xc3\\xa4: texts" },
	{ "($SWVER gt -2)? /a", "column 2: cannot compare $SWVER with -2" },
	{ "(1.2..3 eq 1.2)? /a", "column 2: cannot compare 1.2..3 with" },
	{ "(12345678901234567890 eq 1)? /a", "column 2: cannot compare" },
};

static void
test_incomparable(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(incomparable) / sizeof(*incomparable);
	     i++) {
		struct rule_result result;
		struct error err = { 0 };
		struct rule *rule = rule_parse(incomparable[i].rule, &err);

		assert_non_null(rule);
		assert_int_equal(rule_evaluate(rule, &macros, &result, &err),
		    -1);
		assert_int_equal(err.kind, ERROR_INPUT);
		if (strncmp(err.text, incomparable[i].error,
			strlen(incomparable[i].error)) != 0)
			fail_msg("%s: %s", incomparable[i].rule, err.text);
		rule_result_clear(&result);
		rule_free(rule);
	}
}

/* Repeat piece count times between head and tail. */
static char *
repeat(const char *head, const char *piece, size_t count, const char *tail)
{
	size_t len = strlen(piece), at = strlen(head);
	char *text = xmalloc(at + len * count + strlen(tail) + 1);

	memcpy(text, head, at);
	for (size_t i = 0; i < count; i++, at += len)
		memcpy(text + at, piece, len);
	memcpy(text + at, tail, strlen(tail) + 1);
	return text;
}

static void
test_limits(void **state)
{
	static const struct {
		const char *piece;
		size_t count;
		const char *head, *tail;
		const char *error; /* NULL: accepted */
	} limits[] = {
		{ "a", RULE_TEXT_MAX - 1, "/", "", NULL },
		{ "a", RULE_TEXT_MAX, "/", "", "4097 bytes long" },
		{ "(1=2)?/|", RULE_ALTERNATIVES_MAX - 1, "", "/", NULL },
		{ "(1=2)?/|", RULE_ALTERNATIVES_MAX, "", "/",
		    "column 513: more than 64 alternatives" },
		{ "a=\"\";", RULE_ASSIGNMENTS_MAX, "(", ")!", NULL },
		{ "a=\"\";", RULE_ASSIGNMENTS_MAX + 1, "(", ")!",
		    "column 322: more than 64 assignments" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		char *text = repeat(limits[i].head, limits[i].piece,
		    limits[i].count, limits[i].tail);
		struct error err = { 0 };
		struct rule *rule = rule_parse(text, &err);

		if (limits[i].error == NULL)
			assert_non_null(rule);
		else
			assert_null(rule);
		if (limits[i].error != NULL)
			assert_memory_equal(err.text, limits[i].error,
			    strlen(limits[i].error));
		rule_free(rule);
		free(text);
	}
}

/* A part that grows past the limit fails, wherever the part stands. */
static void
test_expanded_too_long(void **state)
{
	static const struct {
		const char *rule, *error;
	} rules[] = {
		{ "/$X$X", "column 1: longer than" },
		{ "(a=\"\"; b=\"$X$X\";)!/", "column 11: longer than" },
		{ "[--uid $X --pwd $X$X]/", "column 17: longer than" },
		{ "[--key k --uid $X$X]/", "column 16: longer than" },
		{ "(\"$X$X\" = \"\")?/", "column 3: longer than" },
		{ "(\"\" = \"$X$X\")?/", "column 8: longer than" },
	};
	char *value = repeat("", "x", RULE_EXPANDED_MAX / 2 + 1, "");
	const struct macro x = { "X", value, false };
	const struct macros one = { &x, 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		struct rule_result result;
		struct error err = { 0 };
		struct rule *rule = rule_parse(rules[i].rule, &err);

		assert_non_null(rule);
		assert_int_equal(rule_evaluate(rule, &one, &result, &err), -1);
		assert_memory_equal(err.text, rules[i].error,
		    strlen(rules[i].error));
		assert_null(result.key);
		rule_result_clear(&result);
		rule_free(rule);
	}
	free(value);
}

static void
test_bare_condition(void **state)
{
	static const struct {
		const char *condition;
		int result;
		const char *error;
	} conditions[] = {
		{ "$PRVTMR ge 600", 1, NULL },
		{ "$PRVTMR lt 600", 0, NULL },
		{ " 1 = 1 and \"a\" ne \"b\" ", 1, NULL },
		{ "! 1.0.33", 1, NULL },
		{ "= 2.0.6(b)", 1, NULL },
		{ "1.4.1 lt 1.4.2", 1, NULL },
		{ "", -1, "column 1: expected a number" },
		{ "(1 = 1)", -1, "column 1: this \"(\" inside" },
		{ "1 = 1)?", -1, "column 6: expected \"and\" or the end" },
		{ "1 = 1 2", -1, "column 7: expected \"and\" or the end" },
		{ "1 = 1 and", -1, "column 10: expected a number" },
		{ "\"a\" = 1", -1, "column 2: cannot compare" },
		{ "1 = \x02", -1, "column 5: control character" },
		{ "1 = \"x", -1, "column 5: this double quote" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(conditions) / sizeof(*conditions); i++) {
		struct error err = { 0 };
		int result = rule_test(conditions[i].condition, &macros, &err);

		if (result != conditions[i].result)
			fail_msg("%s: %d %s", conditions[i].condition, result,
			    err.text);
		if (conditions[i].error != NULL &&
		    strncmp(err.text, conditions[i].error,
			strlen(conditions[i].error)) != 0)
			fail_msg("%s: %s", conditions[i].condition, err.text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_evaluate),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_quoted_options),
		cmocka_unit_test(test_assignments),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_incomparable),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_expanded_too_long),
		cmocka_unit_test(test_bare_condition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
