/*
 * rule.h -- profile rules: which URL a device fetches, and when.
 *
 *     rule        = alternative *( "|" alternative )
 *     alternative = [ "(" cond ")?" ] [ "(" 1*( name "=" DQUOTE text DQUOTE
 *                   ";" ) ")!" ] [ [ "[" options "]" ] url ]
 *     cond        = compare *( "and" compare )
 *     compare     = [ operand ] op operand
 *     op          = = eq != ne ! < lt <= le > gt >= ge
 *     options     = *( "--key" value / "--uid" value / "--pwd" value /
 *                   "--post" gpp / "--alias" gpp / "--srv" / "--delta" /
 *                   "--status" )
 *
 *     ($SWVER ge 2.0.6)? [--key $SA]https://prov.example.net/$MA.cfg | /old.cfg
 *
 * The alternatives are tested from the left; the first that is true or has no
 * condition wins.  Blanks may stand between any two of the parts above, except
 * inside the marks ")?" and ")!".
 *
 * Structure comes from the rule as written; macros are expanded in its parts
 * afterwards.  The vendor says that "macros are expanded first", and for the
 * published examples both orders give the same; but a value that holds "|", a
 * quote or a bracket must not turn into another alternative, and a rule has to
 * be readable without the values of one device.  So a rule that is nothing but
 * "$A" is a URL, whatever A holds.
 *
 * A "|" separates alternatives everywhere except inside double quotes and
 * inside the parentheses and brackets before a URL; in a URL it is written
 * %7C.  A quoted text ends at the next double quote: there is no escape.
 *
 * Operands: an integer; a version number; a text in double quotes.  A bare
 * operand whose value is neither integer nor version is a text too, so that
 * ($CCERT eq "Installed") means what it says.  Texts know only eq and ne.  A
 * missing left operand means $SWVER, and "!" is ne: firmware before 2.0.6.
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
#define RULE_ASSIGNMENTS_MAX 64 /* in one alternative */
#define RULE_EXPANDED_MAX 16384 /* of one part, with its macros expanded */

struct rule; /* parsed, not yet evaluated */

/*
 * Read a rule; a bare condition is rule_test()'s.  Errors are ERROR_INPUT and
 * say at which column (bytes, from 1).  Every alternative but the last must
 * have a condition.  An empty text is one alternative without URL.
 */
void rule_free(struct rule *rule);
struct rule *
rule_parse(const char *text, struct error *err) MUST_CHECK FREED_BY(rule_free);

struct rule_assignment {
	char *name;  /* parameter; what was written a .. p is GPP_A .. GPP_P */
	char *value; /* macros expanded */
};

struct rule_result {
	bool matched;	    /* false: no alternative was true; not an error */
	size_t alternative; /* which, from 0 */
	char *url;	    /* expanded; "" when the alternative has none */
	char *key;	    /* option values, expanded; NULL when absent */
	char *user;	    /* --uid */
	char *password;	    /* --pwd */
	char *post;  /* --post: the parameter that is the body: "GPP_A" */
	char *alias; /* --alias: the parameter with the map: "GPP_B" */
	bool srv, delta, status; /* --srv, --delta, --status */
	size_t assignment_count;
	struct rule_assignment assignment[RULE_ASSIGNMENTS_MAX];
};

/*
 * Evaluate.  -1 with ERROR_INPUT when the winning path compares what cannot be
 * compared (a text with "lt", a number with a text, a version with a number
 * that is none).  Release the result with rule_result_clear(), which also
 * accepts that of a failed call; it wipes key, user and password.
 */
int rule_evaluate(const struct rule *rule, const struct macros *macros,
    struct rule_result *result, struct error *err) MUST_CHECK;
void rule_result_clear(struct rule_result *result);

/* A bare condition as in Resync_Trigger_1: 1 true, 0 false, -1 malformed. */
int rule_test(const char *condition, const struct macros *macros,
    struct error *err) MUST_CHECK;

#endif
