#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "provision/ladder.h"
#include "spa/macro.h"
#include "spa/registry.h"
#include "spa/rule.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define STEPS_MAX 8

static struct firmware
version(const char *text)
{
	struct firmware firmware;
	struct error err;

	if (firmware_parse(&firmware, text, &err) != 0)
		fail_msg("%s: %s", text, err.text);
	return firmware;
}

/* "7.5.2b 7.6.2f>7.5.2b": steps, each with what it starts from. */
static size_t
read_steps(struct ladder_step *steps, const char *text)
{
	char copy[256], *save = NULL;
	size_t count = 0;

	(void)snprintf(copy, sizeof(copy), "%s", text);
	for (char *word = strtok_r(copy, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save)) {
		char *from = strchr(word, '>');

		assert_true(count < STEPS_MAX);
		steps[count] = (struct ladder_step) { .has_from = from };
		if (from != NULL) {
			*from++ = '\0';
			steps[count].from = version(from);
		}
		steps[count++].to = version(word);
	}
	return count;
}

static void
test_check(void **state)
{
	static const struct {
		const char *steps;
		size_t bad;
		const char *message; /* NULL: it is a ladder */
	} cases[] = {
		{ "7.6.2f", 0, NULL },
		{ "7.5.2b 7.6.2f>7.5.2b", 0, NULL },
		{ "7.5.2b>7.4.3a 7.5.6>7.5.2 7.6.2f>7.5.6", 0, NULL },
		{ "1.3.3 1.4.1(SR5)>1.3.3", 0, NULL },
		{ "7.5.2b 7.5.2b", 1, "expected each to go higher" },
		{ "7.6.2f 7.5.2b", 1, "expected each to go higher" },
		{ "7.5.2b>7.5.2b", 0, "expected it to go up" },
		{ "7.5.2b>7.6.1", 0, "expected it to go up" },
		{ "7.5.2b 7.6.2f>7.5.4", 1, "a start that it reaches" },
		{ "7.4.3a 7.5.2b>7.4.3a 7.6.2f>7.5.6", 2,
		    "a start that it reaches" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct ladder_step steps[STEPS_MAX];
		size_t count = read_steps(steps, cases[i].steps), bad = 99;
		struct error err = { 0 };
		int rc = ladder_check(steps, count, &bad, &err);

		print_message("%s\n", cases[i].steps);
		assert_int_equal(rc, cases[i].message != NULL ? -1 : 0);
		if (cases[i].message == NULL)
			continue;
		assert_int_equal(bad, cases[i].bad);
		assert_non_null(strstr(err.text, cases[i].message));
	}
}

static void
test_next(void **state)
{
	static const struct {
		const char *now;
		size_t step;
	} cases[] = {
		{ "7.4.2", 3 }, /* below every start: it stays */
		{ "7.4.3a", 0 }, { "7.5.1", 0 },
		{ "7.5.2", 1 }, /* over the first step, as it may */
		{ "7.5.2b", 1 }, { "7.5.5", 1 }, { "7.5.6", 2 }, { "7.6.1", 2 },
		{ "7.6.2f", 3 }, /* at the top */
		{ "7.6.2g", 3 }, /* above it */
	};
	struct ladder_step steps[STEPS_MAX];
	size_t count = read_steps(steps,
	    "7.5.2b>7.4.3a 7.5.6>7.5.2 7.6.2f>7.5.6");

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct firmware now = version(cases[i].now);

		print_message("%s\n", cases[i].now);
		assert_int_equal(ladder_next(steps, count, &now),
		    cases[i].step);
	}
}

static void
test_rule_text(void **state)
{
	static const char *const urls[] = { "tftp://h/a.bin",
		"http://h/b.bin" };
	struct ladder_step steps[STEPS_MAX];
	size_t count = read_steps(steps, "7.5.2b 7.6.2f>7.5.2b");
	struct error err;
	char *rule = ladder_rule(steps, count, urls, &err);

	(void)state;
	assert_string_equal(rule,
	    "($SWVER ge 7.5.2b and $SWVER lt 7.6.2f)? http://h/b.bin | "
	    "($SWVER lt 7.5.2b)? tftp://h/a.bin");
	free(rule);
}

static void
test_rule_too_long(void **state)
{
	static char url[RULE_TEXT_MAX];
	const char *const urls[] = { url };
	struct ladder_step steps[STEPS_MAX];
	size_t count = read_steps(steps, "7.5.2b");
	struct error err = { 0 };

	(void)state;
	memset(url, 'a', sizeof(url) - 1);
	assert_null(ladder_rule(steps, count, urls, &err));
	assert_non_null(strstr(err.text, "longer than 4096 bytes"));
}

/* What a device with that firmware makes of the rule: the step, or count. */
static size_t
evaluate(const struct rule *rule, const char *now, size_t count)
{
	const struct macro macro = { "SWVER", now, false };
	const struct macros macros = { &macro, 1 };
	struct rule_result result = { 0 };
	struct error err;
	size_t step = count;

	if (rule_evaluate(rule, &macros, &result, &err) != 0)
		fail_msg("%s: %s", now, err.text);
	if (result.matched)
		step = (size_t)strtoul(strrchr(result.url, '/') + 1, NULL, 10);
	rule_result_clear(&result);
	return step;
}

/* Up the ladder by the rule alone, as a device does. */
static void
climb(const struct ladder_step *steps, size_t count, const struct rule *rule,
    const char *start)
{
	struct firmware now = version(start);
	bool below = true;
	bool above = firmware_compare(&now, &steps[count - 1].to) >= 0;
	size_t rounds = 0, step;

	for (size_t i = 0; i < count; i++)
		below = below && steps[i].has_from &&
		    firmware_compare(&now, &steps[i].from) < 0;
	while ((step = evaluate(rule, now.text, count)) < count) {
		assert_int_equal(step, ladder_next(steps, count, &now));
		assert_true(firmware_compare(&steps[step].to, &now) > 0);
		assert_true(!steps[step].has_from ||
		    firmware_compare(&now, &steps[step].from) >= 0);
		now = steps[step].to;
		assert_true(++rounds <= count);
	}
	assert_int_equal(ladder_next(steps, count, &now), count);
	if (below || above)
		assert_int_equal(rounds, 0);
	else
		assert_int_equal(firmware_compare(&now, &steps[count - 1].to),
		    0);
}

static uint64_t seed = 88172645463325252u;

static size_t
random_below(size_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed % n);
}

static int
by_version(const void *a, const void *b)
{
	return firmware_compare(a, b);
}

/* All releases that are known of a family, in order, each once. */
static size_t
releases(const char *family, struct firmware *list, size_t max)
{
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < registry_release_count; i++)
		if (strcmp(registry_releases[i].family, family) == 0) {
			assert_true(count < max);
			list[count++] = version(registry_releases[i].version);
		}
	qsort(list, count, sizeof(*list), by_version);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 ||
		    firmware_compare(&list[kept - 1], &list[i]) != 0)
			list[kept++] = list[i];
	return kept;
}

/*
 * Any ladder over the releases of a family, climbed from each of them: it ends
 * at the top, never goes round, never goes down, and takes no step that it may
 * not take.
 */
static void
test_climbing(void **state)
{
	static const char *const families[] = { "SPA5xx", "SPA3xx", "SPA1xx",
		"SPA9xx", "ATA19x", "CP-68xx", "CP-88xx" };
	const char *const urls[] = { "http://h/0", "http://h/1", "http://h/2",
		"http://h/3", "http://h/4", "http://h/5", "http://h/6",
		"http://h/7" };
	size_t ladders = 0;

	(void)state;
	for (size_t round = 0; round < 2000; round++) {
		struct firmware list[32];
		size_t known = releases(families[round % COUNT(families)], list,
		    COUNT(list));
		struct ladder_step steps[STEPS_MAX] = { 0 };
		size_t count = 0, bad;
		struct error err;
		struct rule *rule;
		char *text;

		for (size_t i = 0; i < known && count < STEPS_MAX; i++) {
			if (random_below(3) == 0)
				continue;
			steps[count].to = list[i];
			steps[count].has_from = random_below(3) != 0;
			steps[count++].from = list[random_below(known)];
		}
		if (count == 0 || ladder_check(steps, count, &bad, &err) != 0)
			continue;
		ladders++;
		text = ladder_rule(steps, count, urls, &err);
		assert_non_null(text);
		rule = rule_parse(text, &err);
		if (rule == NULL)
			fail_msg("%s: %s", text, err.text);
		for (size_t i = 0; i < known; i++)
			climb(steps, count, rule, list[i].text);
		rule_free(rule);
		free(text);
	}
	print_message("%zu ladders\n", ladders);
	assert_true(ladders > 100);
}

static void
test_set(void **state)
{
	struct ladders *ladders = ladders_new();
	const struct model *a = registry_find_model("SPA504G", NULL);
	const struct model *b = registry_find_model("SPA508G", NULL);
	struct ladder_step steps[STEPS_MAX];
	size_t count = read_steps(steps, "7.5.2b 7.6.2f>7.5.2b");
	struct firmware old = version("7.4.7"), new = version("7.6.2f");

	(void)state;
	ladders_add(ladders, "spa5xx", a, steps, count, "rule a");
	ladders_add(ladders, "spa5xx", b, steps, count, "rule b");
	assert_string_equal(ladders_rule(ladders, "spa5xx", a), "rule a");
	assert_string_equal(ladders_rule(ladders, "spa5xx", b), "rule b");
	assert_null(ladders_rule(ladders, "spa", a));
	assert_null(ladders_rule(ladders, "spa5xx", NULL));
	assert_true(ladders_leads_on(ladders, "spa5xx", a, &old));
	assert_false(ladders_leads_on(ladders, "spa5xx", a, &new));
	assert_false(ladders_leads_on(ladders, "other", a, &old));
	ladders_free(ladders);
	ladders_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_rule_text),
		cmocka_unit_test(test_rule_too_long),
		cmocka_unit_test(test_climbing),
		cmocka_unit_test(test_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
