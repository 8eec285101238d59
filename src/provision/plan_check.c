#include "base/buf.h"
#include "base/mem.h"
#include "provision/plan_parts.h"
#include "spa/macro.h"
#include "spa/rule.h"

#include <stdlib.h>
#include <string.h>

#define MA "020000000001" /* of any device: all URLs have it */

/* A rule, evaluated as a device of that model and version does it. */
static int
evaluate(const struct rule *rule, const struct model *model,
    const struct firmware *firmware, struct rule_result *result,
    struct error *err)
{
	const struct macro list[] = {
		{ "PN", model->product, false },
		{ "PSN", model->series, false },
		{ "SWVER", firmware != NULL ? firmware->text : NULL, false },
		{ "MA", MA, false },
		{ "MAU", MA, false },
	};
	const struct macros macros = { list, sizeof(list) / sizeof(*list) };

	return rule_evaluate(rule, &macros, result, err);
}

struct check {
	const struct plan *plan;
	const struct plan_options *options;
	const struct knowledge *knowledge;
	struct rule *rule;
	char **urls; /* of each listener */
};

/* Which listener the rule leads to; PLAN_LEFT_OUT when to none of them. */
static int
follow(const struct check *check, const struct model *model,
    const struct firmware *firmware, size_t *listener, struct error *err)
{
	struct rule_result result;
	int rc = evaluate(check->rule, model, firmware, &result, err);

	*listener = PLAN_LEFT_OUT;
	for (size_t i = 0; rc == 0 && i < check->plan->listener_count; i++)
		if (result.matched && strcmp(result.url, check->urls[i]) == 0)
			*listener = i;
	rule_result_clear(&result);
	return rc;
}

static int
fail(const struct check *check, const struct model *model,
    const struct firmware *firmware, size_t listener, struct error *err)
{
	return error_set(err, ERROR_INPUT,
	    "the rule leads a %s%s%s to %s, which is not where it belongs",
	    model->name, firmware != NULL ? " with firmware " : "",
	    firmware != NULL ? firmware->text : "",
	    listener == PLAN_LEFT_OUT ? "no listener" :
					check->plan->listeners[listener].name);
}

static int
check_known(const struct check *check, const struct plan_assignment *assignment,
    struct error *err)
{
	const struct plan_group *group = assignment->group;
	size_t listener;

	if (follow(check, group->model, &group->firmware, &listener, err) != 0)
		return -1;
	return listener == assignment->listener ?
	    0 :
	    fail(check, group->model, &group->firmware, listener, err);
}

static uint64_t
find_accepted(const struct check *check, const struct model *model,
    const struct firmware *firmware)
{
	uint64_t accepted = 0;

	for (size_t i = 0; i < check->plan->listener_count; i++)
		if (plan_expect(check->options, check->knowledge, model,
			firmware, check->plan->listeners[i].ca,
			NULL) == PLAN_ACCEPTS)
			accepted |= UINT64_C(1) << i;
	return accepted;
}

/* Whatever the version is, the listener has to be one that is accepted then,
 * if there is any. */
static int
check_any(const struct check *check, const struct plan_assignment *assignment,
    struct error *err)
{
	const struct model *model = assignment->group->model;
	struct firmware versions[PLAN_VERSIONS_MAX];
	size_t count = plan_versions(model, versions, PLAN_VERSIONS_MAX);
	size_t listener;

	for (size_t i = 0; i < count; i++) {
		uint64_t accepted = find_accepted(check, model, &versions[i]);

		if (accepted == 0)
			continue;
		if (follow(check, model, &versions[i], &listener, err) != 0)
			return -1;
		if (listener == PLAN_LEFT_OUT ||
		    (accepted >> listener & 1) == 0)
			return fail(check, model, &versions[i], listener, err);
	}
	if (count > 0)
		return 0;
	if (follow(check, model, NULL, &listener, err) != 0)
		return -1;
	return listener == assignment->listener ?
	    0 :
	    fail(check, model, NULL, listener, err);
}

static int
check_all(const struct check *check, struct error *err)
{
	const struct plan *plan = check->plan;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < plan->assignment_count; i++) {
		const struct plan_assignment *one = &plan->assignments[i];

		if (one->listener == PLAN_LEFT_OUT)
			continue;
		rc = one->group->has_firmware ? check_known(check, one, err) :
						check_any(check, one, err);
	}
	return rc;
}

/* Where the listeners' own rules lead; no model and no version is in them. */
static int
expand_urls(struct check *check, struct error *err)
{
	const struct macro list[] = { { "MA", MA, false } };
	const struct macros macros = { list, 1 };
	const struct plan *plan = check->plan;
	int rc = 0;

	check->urls = xcalloc(plan->listener_count + 1, sizeof(*check->urls));
	for (size_t i = 0; rc == 0 && i < plan->listener_count; i++) {
		const char *rule = plan->listeners[i].rule;
		struct buf url;

		buf_init(&url, RULE_EXPANDED_MAX);
		rc = macro_expand(&macros, rule, strlen(rule), false, &url);
		check->urls[i] = buf_take(&url);
	}
	return rc == 0 ?
	    0 :
	    error_set(err, ERROR_INPUT, "a URL is longer than %d bytes",
		RULE_EXPANDED_MAX);
}

int
plan_check_rule(const struct plan *plan, const struct plan_options *options,
    const struct knowledge *knowledge, const char *rule, struct error *err)
{
	struct check check = {
		.plan = plan, .options = options, .knowledge = knowledge
	};
	int rc;

	check.rule = rule_parse(rule, err);
	if (check.rule == NULL)
		return -1;
	rc = expand_urls(&check, err);
	if (rc == 0)
		rc = check_all(&check, err);
	for (size_t i = 0; i < plan->listener_count; i++)
		free(check.urls[i]);
	free(check.urls);
	rule_free(check.rule);
	return rc;
}
