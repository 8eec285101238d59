#include "spa/rule.h"
#include "spa/rule_parts.h"

#include "base/mem.h"
#include "base/text.h"
#include "spa/firmware.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

/* Digits that surely fit a long. */
#define INTEGER_DIGITS_MAX 18

enum value_kind { VALUE_TEXT, VALUE_INTEGER, VALUE_VERSION };

/* An operand with its macros expanded. */
struct value {
	enum value_kind kind;
	char *text;
	long number;
	struct firmware version;
};

static char *
expand(const struct rule_span *span, const struct macros *macros,
    bool in_options, struct error *err)
{
	struct buf buf;

	buf_init(&buf, RULE_EXPANDED_MAX);
	if (macro_expand(macros, span->text, span->len, in_options, &buf) ==
	    -1) {
		buf_clear(&buf);
		error_set(err, ERROR_INPUT,
		    "column %zu: longer than %d bytes "
		    "with its macros expanded",
		    span->column, RULE_EXPANDED_MAX);
		return NULL;
	}
	return buf_take(&buf);
}

static bool
read_integer(const char *text, long *number)
{
	const char *digits = text + (*text == '-');
	size_t len = strspn(digits, "0123456789");

	if (len == 0 || len > INTEGER_DIGITS_MAX || digits[len] != '\0')
		return false;
	*number = strtol(text, NULL, 10);
	return true;
}

/*
 * Does text begin as versions do: "2.0", "11-1", or after a load's name,
 * "sip88xx.11-0"?  Asked before firmware_parse(), which reads more than what a
 * rule means as a version: $MA, $SN and $PN are texts.
 */
static bool
looks_like_version(const char *text)
{
	size_t digits;

	if (strncmp(text, "sip", 3) == 0 && strchr(text, '.') != NULL)
		text = strchr(text, '.') + 1;
	digits = strspn(text, "0123456789");
	return digits > 0 && (text[digits] == '.' || text[digits] == '-') &&
	    text[digits + 1] >= '0' && text[digits + 1] <= '9';
}

static int
read_value(const struct rule_operand *operand, const struct macros *macros,
    struct value *value, struct error *err)
{
	struct error ignored;

	value->kind = VALUE_TEXT;
	value->text = expand(&operand->span, macros, false, err);
	if (value->text == NULL)
		return -1;
	if (operand->quoted)
		return 0;
	if (read_integer(value->text, &value->number))
		value->kind = VALUE_INTEGER;
	else if (looks_like_version(value->text) &&
	    firmware_parse(&value->version, value->text, &ignored) == 0)
		value->kind = VALUE_VERSION;
	return 0;
}

static bool
order_fits(enum rule_operator op, int order)
{
	switch (op) {
	case RULE_EQUAL:
		return order == 0;
	case RULE_NOT_EQUAL:
		return order != 0;
	case RULE_LESS:
		return order < 0;
	case RULE_LESS_EQUAL:
		return order <= 0;
	case RULE_GREATER:
		return order > 0;
	case RULE_GREATER_EQUAL:
		return order >= 0;
	}
	return false;
}

/* Messages name the operands as written: values may be somebody's password. */
static int
cannot_compare(const struct rule_compare *compare, const char *why,
    struct error *err)
{
	const struct rule_span *left = &compare->left.span;
	const struct rule_span *right = &compare->right.span;
	char left_shown[64], right_shown[64];

	text_escape(left->text, left->len, left_shown, sizeof(left_shown));
	text_escape(right->text, right->len, right_shown, sizeof(right_shown));
	return error_set(err, ERROR_INPUT,
	    "column %zu: cannot compare %s with %s: %s", left->column,
	    left_shown, right_shown, why);
}

/* 1: it holds, 0: it does not. */
static int
compare_values(const struct rule_compare *compare, const struct value *left,
    const struct value *right, struct error *err)
{
	int order = 0;

	if (left->kind != right->kind)
		return cannot_compare(compare,
		    "they must both be integers, "
		    "versions or texts",
		    err);
	switch (left->kind) {
	case VALUE_TEXT:
		if (compare->op != RULE_EQUAL && compare->op != RULE_NOT_EQUAL)
			return cannot_compare(compare,
			    "texts know only eq and ne", err);
		order = strcmp(left->text, right->text);
		break;
	case VALUE_INTEGER:
		order = (left->number > right->number) -
		    (left->number < right->number);
		break;
	case VALUE_VERSION:
		order = firmware_compare(&left->version, &right->version);
		break;
	}
	return order_fits(compare->op, order);
}

/* A one-part version is written like an integer: "ge 7". */
static void
meet_version(struct value *value, const struct value *other)
{
	struct error ignored;

	if (value->kind == VALUE_INTEGER && other->kind == VALUE_VERSION &&
	    firmware_parse(&value->version, value->text, &ignored) == 0)
		value->kind = VALUE_VERSION;
}

static int
test_compare(const struct rule_compare *compare, const struct macros *macros,
    struct error *err)
{
	struct value left = { 0 }, right = { 0 };
	int rc = -1;

	if (read_value(&compare->left, macros, &left, err) == -1 ||
	    read_value(&compare->right, macros, &right, err) == -1)
		goto out;
	meet_version(&left, &right);
	meet_version(&right, &left);
	rc = compare_values(compare, &left, &right, err);
out:
	free(left.text);
	free(right.text);
	return rc;
}

static int
test_condition(const struct rule_condition *condition,
    const struct macros *macros, struct error *err)
{
	int rc = 1;

	for (size_t i = 0; rc == 1 && i < condition->count; i++)
		rc = test_compare(&condition->compare[i], macros, err);
	return rc;
}

int
rule_test(const char *condition, const struct macros *macros, struct error *err)
{
	struct rule_condition parsed;
	int rc;

	if (rule_parse_condition(condition, &parsed, err) == -1)
		return -1;
	rc = test_condition(&parsed, macros, err);
	free(parsed.compare);
	return rc;
}

static char *
gpp_name(char letter)
{
	return xasprintf("GPP_%c", letter & ~0x20);
}

/* GPP_A .. GPP_P may be written a .. p: [LINKSYS-PROV] p. 38. */
static char *
parameter_name(const struct rule_span *span)
{
	if (span->len == 1 && *span->text >= 'a' && *span->text <= 'p')
		return gpp_name(*span->text);
	return xstrndup(span->text, span->len);
}

static int
expand_assignments(const struct rule_alternative *alternative,
    const struct macros *macros, struct rule_result *result, struct error *err)
{
	for (size_t i = 0; i < alternative->set_count; i++) {
		const struct rule_set *set = &alternative->set[i];
		char *value = expand(&set->value, macros, false, err);

		if (value == NULL)
			return -1;
		result->assignment[result->assignment_count++] =
		    (struct rule_assignment) { parameter_name(&set->name),
			    value };
	}
	return 0;
}

static int
expand_options(const struct rule_alternative *alternative,
    const struct macros *macros, struct rule_result *result, struct error *err)
{
	const struct {
		enum rule_option option;
		char **text;
	} texts[] = {
		{ RULE_KEY, &result->key },
		{ RULE_UID, &result->user },
		{ RULE_PWD, &result->password },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		enum rule_option option = texts[i].option;

		if (!alternative->given[option])
			continue;
		*texts[i].text = expand(&alternative->option[option], macros,
		    true, err);
		if (*texts[i].text == NULL)
			return -1;
	}
	if (alternative->given[RULE_POST])
		result->post = gpp_name(*alternative->option[RULE_POST].text);
	if (alternative->given[RULE_ALIAS])
		result->alias = gpp_name(*alternative->option[RULE_ALIAS].text);
	result->srv = alternative->given[RULE_SRV];
	result->delta = alternative->given[RULE_DELTA];
	result->status = alternative->given[RULE_STATUS];
	return 0;
}

static int
expand_alternative(const struct rule_alternative *alternative,
    const struct macros *macros, struct rule_result *result, struct error *err)
{
	if (expand_assignments(alternative, macros, result, err) == -1 ||
	    expand_options(alternative, macros, result, err) == -1)
		return -1;
	result->url = expand(&alternative->url, macros, false, err);
	return result->url != NULL ? 0 : -1;
}

int
rule_evaluate(const struct rule *rule, const struct macros *macros,
    struct rule_result *result, struct error *err)
{
	int holds = 0;
	size_t i;

	*result = (struct rule_result) { 0 };
	for (i = 0; holds == 0 && i < rule->count; i++) {
		holds = test_condition(&rule->alternative[i].condition, macros,
		    err);
		if (holds == -1)
			return -1;
	}
	if (holds == 0) {
		result->url = xstrdup("");
		return 0;
	}
	result->matched = true;
	result->alternative = i - 1;
	if (expand_alternative(&rule->alternative[i - 1], macros, result,
		err) == -1) {
		rule_result_clear(result);
		return -1;
	}
	return 0;
}

static void
free_secret(char *text)
{
	if (text != NULL)
		OPENSSL_cleanse(text, strlen(text));
	free(text);
}

void
rule_result_clear(struct rule_result *result)
{
	for (size_t i = 0; i < result->assignment_count; i++) {
		free(result->assignment[i].name);
		free(result->assignment[i].value);
	}
	free_secret(result->key);
	free_secret(result->user);
	free_secret(result->password);
	free(result->url);
	free(result->post);
	free(result->alias);
	*result = (struct rule_result) { 0 };
}
