/*
 * rule_parts.h -- a parsed rule, between rule.c (reading it) and
 * rule_evaluate.c (testing and expanding it).  For these two only.
 */
#ifndef SPA_RULE_PARTS_H
#define SPA_RULE_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* A piece of the rule's text; not NUL-terminated. */
struct rule_span {
	const char *text;
	size_t len;
	size_t column; /* of its first byte, from 1 */
};

enum rule_operator {
	RULE_EQUAL,
	RULE_NOT_EQUAL,
	RULE_LESS,
	RULE_LESS_EQUAL,
	RULE_GREATER,
	RULE_GREATER_EQUAL,
};

struct rule_operand {
	struct rule_span span;
	bool quoted;
};

struct rule_compare {
	struct rule_operand left, right;
	enum rule_operator op;
};

struct rule_condition {
	struct rule_compare *compare; /* all must hold */
	size_t count;
};

struct rule_set {
	struct rule_span name, value;
};

enum rule_option {
	RULE_KEY,
	RULE_UID,
	RULE_PWD,
	RULE_POST,
	RULE_ALIAS,
	RULE_SRV,
	RULE_DELTA,
	RULE_STATUS,
	RULE_OPTION_COUNT,
};

struct rule_alternative {
	struct rule_condition condition; /* count 0: none */
	struct rule_set *set;
	size_t set_count;
	bool given[RULE_OPTION_COUNT];
	struct rule_span option[RULE_OPTION_COUNT]; /* of those with a value */
	struct rule_span url;			    /* len 0: none */
};

struct rule {
	char *text; /* what the spans point into */
	struct rule_alternative *alternative;
	size_t count;
};

/* Read a bare condition; the spans point into text.  Release .compare. */
int rule_parse_condition(const char *text, struct rule_condition *condition,
    struct error *err) MUST_CHECK;

#endif
