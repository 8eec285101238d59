/*
 * Rules, parsed and evaluated under two sets of values for the same macros:
 * where both choose the same alternative, its shape must be the same, because
 * no value may become structure.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "spa/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct macro plain_list[] = {
	{ "MA", "000e08aabbcc", false },
	{ "SWVER", "7.5.2b", false },
	{ "A", "7", false },
	{ "B", "Installed", false },
	{ "SA", "secret", true },
};
static const struct macro hostile_list[] = {
	{ "MA", "\" | /x", false },
	{ "SWVER", "2.0.6(b)", false },
	{ "A", "1=1)? [--key x]/y | ", false },
	{ "B", "\";z=\"1\";)!/z", false },
	{ "SA", "\" --srv ]/w", true },
};
static const struct macros plain = { plain_list, 5 };
static const struct macros hostile = { hostile_list, 5 };

static void
check_error(const struct error *err)
{
	assert(err->kind == ERROR_INPUT);
	assert(*err->text != '\0' && strlen(err->text) < sizeof(err->text));
	assert(strchr(err->text, '\n') == NULL);
}

static void
check_gpp(const char *name)
{
	if (name != NULL)
		assert(strlen(name) == 5 && memcmp(name, "GPP_", 4) == 0 &&
		    name[4] >= 'A' && name[4] <= 'P');
}

static void
check_result(const struct rule_result *result)
{
	assert(result->alternative < RULE_ALTERNATIVES_MAX);
	assert(strlen(result->url) <= RULE_EXPANDED_MAX);
	assert(result->assignment_count <= RULE_ASSIGNMENTS_MAX);
	if (!result->matched)
		assert(*result->url == '\0' && result->key == NULL &&
		    result->assignment_count == 0);
	for (size_t i = 0; i < result->assignment_count; i++) {
		assert(*result->assignment[i].name != '\0');
		assert(strlen(result->assignment[i].value) <=
		    RULE_EXPANDED_MAX);
	}
	check_gpp(result->post);
	check_gpp(result->alias);
}

static void
check_same_shape(const struct rule_result *a, const struct rule_result *b)
{
	assert((a->key != NULL) == (b->key != NULL));
	assert((a->user != NULL) == (b->user != NULL));
	assert((a->password != NULL) == (b->password != NULL));
	assert((a->post != NULL) == (b->post != NULL));
	assert((a->alias != NULL) == (b->alias != NULL));
	assert(a->srv == b->srv && a->delta == b->delta);
	assert(a->status == b->status);
	assert(a->assignment_count == b->assignment_count);
	for (size_t i = 0; i < a->assignment_count; i++)
		assert(strcmp(a->assignment[i].name, b->assignment[i].name) ==
		    0);
}

static void
check_rule(const struct rule *rule)
{
	struct rule_result a, b;
	struct error err;
	bool a_done = rule_evaluate(rule, &plain, &a, &err) == 0;
	bool b_done;

	if (a_done)
		check_result(&a);
	else
		check_error(&err);
	b_done = rule_evaluate(rule, &hostile, &b, &err) == 0;
	if (b_done)
		check_result(&b);
	else
		check_error(&err);
	if (a_done && b_done && a.matched && b.matched &&
	    a.alternative == b.alternative)
		check_same_shape(&a, &b);
	rule_result_clear(&a);
	rule_result_clear(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	struct error err = { 0 };
	struct rule *rule = rule_parse(text, &err);
	int holds;

	if (rule != NULL)
		check_rule(rule);
	else
		check_error(&err);
	rule_free(rule);
	holds = rule_test(text, &plain, &err);
	assert(holds >= -1 && holds <= 1);
	if (holds == -1)
		check_error(&err);
	free(text);
	return 0;
}
