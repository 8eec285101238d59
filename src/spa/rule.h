/*
 * rule.h -- profile rules: which URL a device fetches, and when.
 *
 *     rule        = alternative *( "|" alternative )
 *     alternative = [ "(" cond ")?" ] [ "(" 1*( name "=" DQUOTE text DQUOTE
 *                   ";" ) ")!" ] [ [ "[" options "]" ] url ]
 *     cond        = compare *( "and" compare )
 *     compare     = operand op operand
 *     op          = = eq != ne < lt <= le > gt >= ge
 *
 * Macros are expanded first, then the alternatives are tested from the left;
 * the first that is true or has no condition wins.
 * Sources: [SPA-PROV] p. 42-43, [LINKSYS-PROV] p. 37-38, [ATA-PROV] p. 28.
 */
#ifndef SPA_RULE_H
#define SPA_RULE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "spa/macro.h"

#define RULE_TEXT_MAX 4096
#define RULE_ALTERNATIVES_MAX 64
#define RULE_ASSIGNMENTS_MAX 64

struct rule; /* parsed, not yet evaluated */

/*
 * Read a rule (or, with condition_only, the bare condition of a resync
 * trigger).  Errors say at which column.  Every alternative but the last must
 * have a condition.
 */
void rule_free(struct rule *rule);
struct rule *rule_parse(const char *text, struct error *err)
    MUST_CHECK FREED_BY(rule_free);

struct rule_assignment {
	char *name;  /* parameter; GPP_A .. GPP_P may be written a .. p */
	char *value; /* macros expanded */
};

struct rule_result {
	bool matched;	/* false: no alternative was true; not an error */
	size_t alternative; /* which, from 0 */
	char *url;	/* expanded; "" when the alternative has none */
	char *key;	/* option values, expanded; NULL when absent */
	char *user;	/* --uid */
	char *password; /* --pwd */
	char *post;	/* --post: name of the GPP that is the body */
	char *alias;	/* --alias */
	bool srv, delta, status; /* --srv, --delta, --status */
	size_t assignment_count;
	struct rule_assignment assignment[RULE_ASSIGNMENTS_MAX];
};

/*
 * Evaluate.  -1 with ERROR_INPUT when the winning path compares what cannot be
 * compared (a string with "lt", a number with a string).  Release the result
 * with rule_result_clear().
 */
int rule_evaluate(const struct rule *rule, const struct macros *macros,
    struct rule_result *result, struct error *err) MUST_CHECK;
void rule_result_clear(struct rule_result *result);

/* A bare condition as in Resync_Trigger_1: 1 true, 0 false, -1 malformed. */
int rule_test(const char *condition, const struct macros *macros,
    struct error *err) MUST_CHECK;

#endif
