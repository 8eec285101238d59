/*
 * Rules made at random, printed in random spellings, read back and evaluated:
 * the result must be what the maker meant.  The maker knows nothing of the
 * parser; it writes each piece twice, as it stands in the rule and as it must
 * come out.
 */
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

#define ROUNDS 20000
#define LENGTH_OF(array) (sizeof(array) / sizeof(*(array)))

static const struct macro list[] = {
	{ "SWVER", "2.0.10", false },
	{ "MA", "000e08aabbcc", false },
	{ "EVIL", "\" | /x [--key k] (1=1)? ;)! $MA", false },
	{ "EMPTY", "", false },
	{ "SEVEN", "7", false },
	{ "MINUS", "-3", false },
	{ "SA", "s3cret key", true },
};
static const struct macros macros = { list, LENGTH_OF(list) };

/* xorshift64: the same rules in every run. */
static uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

static size_t
pick(size_t count)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed >> 33) % count;
}

/* A piece of the rule and what it means. */
struct piece {
	struct buf written, meant;
};

static void
put(struct buf *buf, const char *text)
{
	assert_int_equal(buf_append_text(buf, text), 0);
}

static void
piece_init(struct piece *piece)
{
	buf_init(&piece->written, 4096);
	buf_init(&piece->meant, 4096);
}

static void
piece_clear(struct piece *piece)
{
	buf_clear(&piece->written);
	buf_clear(&piece->meant);
}

struct fragment {
	const char *written, *meant;
};

static const struct fragment everywhere[] = {
	{ "a", "a" },
	{ "/p.cfg", "/p.cfg" },
	{ "$$", "$" },
	{ "$(MA)", "000e08aabbcc" },
	{ "$(MA:4:3)", "08a" },
	{ "$(EVIL)", "\" | /x [--key k] (1=1)? ;)! $MA" },
	{ "$(EMPTY)", "" },
	{ "$(NONE)", "$(NONE)" },
	{ "?a=b&c", "?a=b&c" },
	{ "%7C", "%7C" },
	{ "(", "(" },
	{ ")!", ")!" },
	{ ";", ";" },
};

static const struct fragment in_quotes[] = {
	{ " ", " " },
	{ "|", "|" },
	{ "]", "]" },
	{ "[", "[" },
	{ "\xc3\xa4", "\xc3\xa4" },
	{ " and ", " and " },
};

static void
make_text(struct piece *piece, bool quoted)
{
	for (size_t n = pick(5); n > 0; n--) {
		const struct fragment *f = quoted && pick(2) == 0 ?
		    &in_quotes[pick(LENGTH_OF(in_quotes))] :
		    &everywhere[pick(LENGTH_OF(everywhere))];

		put(&piece->written, f->written);
		put(&piece->meant, f->meant);
	}
}

static void
blank(struct buf *rule)
{
	static const char *const blanks[] = { "", "", " ", "  ", "\t", "\n" };

	put(rule, blanks[pick(LENGTH_OF(blanks))]);
}

enum op { EQ, NE, LT, LE, GT, GE, OPS };

static const char *const spellings[OPS][3] = {
	[EQ] = { "=", " eq ", " = " },
	[NE] = { "!=", " ne ", "!" },
	[LT] = { "<", " lt ", " <" },
	[LE] = { "<=", " le ", "<= " },
	[GT] = { ">", " gt ", " >\t" },
	[GE] = { ">=", " ge ", "\n>= " },
};

static bool
means(enum op op, int order)
{
	const bool truth[OPS] = { order == 0, order != 0,
		order<0, order <= 0, order> 0, order >= 0 };

	return truth[op];
}

static const struct {
	const char *written;
	int value;
} integers[] = {
	{ "-4", -4 }, { "0", 0 }, { "6", 6 }, { "7", 7 }, { "007", 7 },
	{ "$SEVEN", 7 }, { "$(SEVEN)", 7 }, { "$MINUS", -3 }, { "8", 8 },
	{ "1$SEVEN", 17 }, { "123456789012", 1000 },
}, versions[] = {
	{ "1.0.33", 1 }, { "2.0.6", 2 }, { "2.0.6(b)", 3 }, { "2.0.10", 4 },
	{ "$SWVER", 4 }, { "$(SWVER)", 4 }, { "7.4.9", 5 },
	{ "10.0.1", 6 },
};

static bool
make_integer_compare(struct buf *rule, enum op op, const char *spelling)
{
	size_t a = pick(LENGTH_OF(integers)), b = pick(LENGTH_OF(integers));

	put(rule, integers[a].written);
	put(rule, spelling);
	put(rule, integers[b].written);
	return means(op, integers[a].value - integers[b].value);
}

static bool
make_version_compare(struct buf *rule, enum op op, const char *spelling)
{
	size_t a = pick(LENGTH_OF(versions)), b = pick(LENGTH_OF(versions));

	if (pick(4) == 0)
		a = 4; /* $SWVER may be left out */
	else
		put(rule, versions[a].written);
	put(rule, spelling);
	put(rule, versions[b].written);
	return means(op, versions[a].value - versions[b].value);
}

static bool
make_text_compare(struct buf *rule)
{
	enum op op = pick(2) == 0 ? EQ : NE;
	struct piece a, b;
	bool truth;

	piece_init(&a);
	piece_init(&b);
	make_text(&a, true);
	if (pick(2) == 0) {
		put(&b.written, buf_text(&a.written));
		put(&b.meant, buf_text(&a.meant));
	} else {
		make_text(&b, true);
	}
	put(rule, "\"");
	put(rule, buf_text(&a.written));
	put(rule, "\"");
	put(rule, spellings[op][pick(3)]);
	put(rule, "\"");
	put(rule, buf_text(&b.written));
	put(rule, "\"");
	truth = means(op, strcmp(buf_text(&a.meant), buf_text(&b.meant)));
	piece_clear(&a);
	piece_clear(&b);
	return truth;
}

static bool
make_condition(struct buf *rule)
{
	bool truth = true;

	put(rule, "(");
	for (size_t n = 1 + pick(3); n > 0; n--) {
		enum op op = (enum op)pick(OPS);
		const char *spelling = spellings[op][pick(3)];
		size_t kind = pick(3);

		blank(rule);
		if (kind == 0)
			truth &= make_integer_compare(rule, op, spelling);
		else if (kind == 1)
			truth &= make_version_compare(rule, op, spelling);
		else
			truth &= make_text_compare(rule);
		put(rule, n > 1 ? " and " : "");
	}
	blank(rule);
	put(rule, ")?");
	blank(rule);
	return truth;
}

/* What an alternative must come out as. */
struct meant {
	struct piece url, text[3]; /* texts of key, user and password */
	bool given[3], srv;
	const char *post;
	struct piece value[3];
	const char *name[3];
	size_t assignment_count;
};

static void
meant_init(struct meant *meant)
{
	*meant = (struct meant) { 0 };
	piece_init(&meant->url);
	for (size_t i = 0; i < 3; i++) {
		piece_init(&meant->text[i]);
		piece_init(&meant->value[i]);
	}
}

static void
meant_clear(struct meant *meant)
{
	piece_clear(&meant->url);
	for (size_t i = 0; i < 3; i++) {
		piece_clear(&meant->text[i]);
		piece_clear(&meant->value[i]);
	}
}

static void
make_assignments(struct buf *rule, struct meant *meant)
{
	static const char *const names[][2] = {
		{ "a", "GPP_A" },
		{ "p", "GPP_P" },
		{ "q", "q" },
		{ "GPP_B", "GPP_B" },
		{ "User_ID_1_", "User_ID_1_" },
	};

	put(rule, "(");
	for (size_t n = 1 + pick(3); n > 0; n--) {
		struct piece *value = &meant->value[meant->assignment_count];
		size_t name = pick(LENGTH_OF(names));

		blank(rule);
		put(rule, names[name][0]);
		blank(rule);
		put(rule, "=");
		blank(rule);
		make_text(value, true);
		put(rule, "\"");
		put(rule, buf_text(&value->written));
		put(rule, "\"");
		blank(rule);
		put(rule, ";");
		meant->name[meant->assignment_count++] = names[name][1];
	}
	blank(rule);
	put(rule, ")!");
	blank(rule);
}

static void
make_options(struct buf *rule, struct meant *meant)
{
	static const char *const names[] = { "--key", "--uid", "--pwd" };
	static const char *const posts[] = { "a", "A", "\"p\"" };
	static const char *const gpps[] = { "GPP_A", "GPP_A", "GPP_P" };
	size_t post = pick(LENGTH_OF(posts));

	put(rule, "[ ");
	for (size_t i = 0; i < LENGTH_OF(names); i++) {
		struct piece *text = &meant->text[i];

		meant->given[i] = pick(2) == 0;
		if (!meant->given[i])
			continue;
		put(rule, names[i]);
		put(rule, " ");
		if (pick(2) == 0) {
			put(rule, "$SA:x ");
			put(&text->meant, "s3cret key:x");
			continue;
		}
		make_text(text, true);
		put(rule, "\"");
		put(rule, buf_text(&text->written));
		put(rule, "\" ");
	}
	meant->srv = pick(2) == 0;
	put(rule, meant->srv ? "--srv " : "");
	if (pick(3) == 0) {
		put(rule, "--post ");
		put(rule, posts[post]);
		meant->post = gpps[post];
	}
	blank(rule);
	put(rule, "]");
	blank(rule);
}

static void
make_body(struct buf *rule, struct meant *meant)
{
	bool options = pick(3) == 0;

	if (pick(3) == 0)
		make_assignments(rule, meant);
	if (options)
		make_options(rule, meant);
	if (options || pick(5) != 0) {
		put(&meant->url.written, "http://$MA");
		put(&meant->url.meant, "http://000e08aabbcc");
		/* "$MA" must not run into letters. */
		put(&meant->url.written, "/");
		put(&meant->url.meant, "/");
		make_text(&meant->url, false);
		put(rule, buf_text(&meant->url.written));
	}
	blank(rule);
}

static void
check_text(const char *rule, const char *what, const char *text,
    const char *meant)
{
	if ((text == NULL) != (meant == NULL) ||
	    (text != NULL && strcmp(text, meant) != 0))
		fail_msg("%s\n%s: %s, meant %s", rule, what,
		    text != NULL ? text : "(none)",
		    meant != NULL ? meant : "(none)");
}

static void
check_result(const char *rule, const struct rule_result *result,
    const struct meant *meant)
{
	char *const texts[3] = { result->key, result->user, result->password };

	check_text(rule, "url", result->url, buf_text(&meant->url.meant));
	for (size_t i = 0; i < 3; i++)
		check_text(rule, "option", texts[i],
		    meant->given[i] ? buf_text(&meant->text[i].meant) : NULL);
	check_text(rule, "post", result->post, meant->post);
	assert_int_equal(result->srv, meant->srv);
	assert_int_equal(result->assignment_count, meant->assignment_count);
	for (size_t i = 0; i < meant->assignment_count; i++) {
		check_text(rule, "name", result->assignment[i].name,
		    meant->name[i]);
		check_text(rule, "value", result->assignment[i].value,
		    buf_text(&meant->value[i].meant));
	}
}

static void
check_rule(const char *text, bool matched, size_t alternative,
    const struct meant *meant)
{
	struct rule_result result;
	struct error err;
	struct rule *rule = rule_parse(text, &err);

	if (rule == NULL)
		fail_msg("%s\n%s", text, err.text);
	if (rule_evaluate(rule, &macros, &result, &err) != 0)
		fail_msg("%s\n%s", text, err.text);
	if (result.matched != matched ||
	    (matched && result.alternative != alternative))
		fail_msg("%s\nalternative %zu, meant %zu", text,
		    result.alternative, alternative);
	check_result(text, &result, meant);
	rule_result_clear(&result);
	rule_free(rule);
}

static void
test_random_rules(void **state)
{
	size_t matches = 0;

	(void)state;
	for (size_t round = 0; round < ROUNDS; round++) {
		size_t count = 1 + pick(4), winner = count;
		struct meant meant;
		struct buf rule;

		buf_init(&rule, RULE_TEXT_MAX);
		meant_init(&meant);
		for (size_t i = 0; i < count; i++) {
			bool last = i + 1 == count;
			struct meant other;
			bool truth = true;

			blank(&rule);
			if (!last || pick(2) == 0)
				truth = make_condition(&rule);
			meant_init(&other);
			if (truth && winner == count) {
				winner = i;
				make_body(&rule, &meant);
			} else {
				make_body(&rule, &other);
			}
			meant_clear(&other);
			put(&rule, last ? "" : "|");
		}
		matches += winner < count;
		check_rule(buf_text(&rule), winner < count, winner, &meant);
		meant_clear(&meant);
		buf_clear(&rule);
	}
	/* Both outcomes must have been tried. */
	assert_in_range(matches, ROUNDS / 4, ROUNDS - ROUNDS / 20);
}

/* No text, however cut or changed, does more than fail with a column. */
static void
test_broken_rules(void **state)
{
	static const char alphabet[] =
	    "()[]|?!=<>\"; $andeqkey--01.:/\n\x01\xff";
	static const char whole[] =
	    "($SWVER ge 2.0.6 and \"$MA\" ne \"x\")? "
	    "(a=\"1\"; b=\"$(MA:1:2)\";)! [--key \"$SA\" --srv] http://x/$MA |"
	    " (! 1.0)? /b | /c";

	(void)state;
	for (size_t round = 0; round < ROUNDS; round++) {
		struct rule_result result;
		struct error err = { 0 };
		char text[sizeof(whole)];
		struct rule *rule;

		memcpy(text, whole, sizeof(whole));
		for (size_t n = 1 + pick(4); n > 0; n--)
			text[pick(sizeof(text) - 1)] =
			    alphabet[pick(sizeof(alphabet))];
		rule = rule_parse(text, &err);
		if (rule == NULL) {
			assert_int_equal(err.kind, ERROR_INPUT);
			assert_memory_equal(err.text, "column ", 7);
			continue;
		}
		if (rule_evaluate(rule, &macros, &result, &err) == -1)
			assert_memory_equal(err.text, "column ", 7);
		rule_result_clear(&result);
		rule_free(rule);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_rules),
		cmocka_unit_test(test_broken_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
