#include "spa/rule.h"
#include "spa/rule_parts.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof(*(array)))

struct reader {
	const char *start;
	const char *p;
	const char *end;
	struct error *err;
};

/* A longer spelling stands before the one that it begins with. */
static const struct {
	const char *text;
	enum rule_operator op;
} operators[] = {
	{ "!=", RULE_NOT_EQUAL },
	{ "<=", RULE_LESS_EQUAL },
	{ ">=", RULE_GREATER_EQUAL },
	{ "=", RULE_EQUAL },
	{ "!",
	    RULE_NOT_EQUAL }, /* firmware before 2.0.6, [LINKSYS-PROV] p. 37 */
	{ "<", RULE_LESS },
	{ ">", RULE_GREATER },
	{ "eq", RULE_EQUAL },
	{ "ne", RULE_NOT_EQUAL },
	{ "lt", RULE_LESS },
	{ "le", RULE_LESS_EQUAL },
	{ "gt", RULE_GREATER },
	{ "ge", RULE_GREATER_EQUAL },
};

enum option_value { VALUE_NONE, VALUE_TEXT, VALUE_GPP };

/* [ATA-PROV] p. 28, [MPP-PROV]; --delta and --status: report rules only. */
static const struct {
	const char *name;
	enum option_value value;
} options[RULE_OPTION_COUNT] = {
	[RULE_KEY] = { "--key", VALUE_TEXT },
	[RULE_UID] = { "--uid", VALUE_TEXT },
	[RULE_PWD] = { "--pwd", VALUE_TEXT },
	[RULE_POST] = { "--post", VALUE_GPP },
	[RULE_ALIAS] = { "--alias", VALUE_GPP },
	[RULE_SRV] = { "--srv", VALUE_NONE },
	[RULE_DELTA] = { "--delta", VALUE_NONE },
	[RULE_STATUS] = { "--status", VALUE_NONE },
};

static size_t
column_of(const struct reader *in, const char *at)
{
	return (size_t)(at - in->start) + 1;
}

static int
fail(struct reader *in, const char *at, const char *fmt, ...) PRINTF_LIKE(3, 4);

static int
fail(struct reader *in, const char *at, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return error_set(in->err, ERROR_INPUT, "column %zu: %s",
	    column_of(in, at), text);
}

static struct rule_span
span_from(const struct reader *in, const char *start)
{
	return (struct rule_span) { .text = start,
		.len = (size_t)(in->p - start),
		.column = column_of(in, start) };
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_word(char c)
{
	return is_letter(c) || is_digit(c) || c == '_' || c == '.' || c == '-';
}

static void
skip_blanks(struct reader *in)
{
	while (in->p < in->end && is_blank(*in->p))
		in->p++;
}

/* Is c the next byte? */
static bool
at(const struct reader *in, char c)
{
	return in->p < in->end && *in->p == c;
}

/* How many bytes of the same word stand here. */
static size_t
word_length(const struct reader *in)
{
	const char *p = in->p;

	while (p < in->end && is_word(*p))
		p++;
	return (size_t)(p - in->p);
}

static bool
at_word(const struct reader *in, const char *word)
{
	size_t len = strlen(word);

	return word_length(in) == len && memcmp(in->p, word, len) == 0;
}

/* Read a text in double quotes; the span is what stands between them. */
static int
read_quoted(struct reader *in, struct rule_span *span)
{
	const char *open = in->p++;
	const char *close = memchr(in->p, '"', (size_t)(in->end - in->p));
	const char *first = in->p;

	if (close == NULL)
		return fail(in, open, "this double quote is never closed");
	in->p = close;
	*span = span_from(in, first);
	in->p++;
	return 0;
}

/*
 * Step over parentheses inside a bare operand: those of $(SWVER) and those of
 * a version such as 1.3.1(003_240).
 */
static int
skip_parentheses(struct reader *in)
{
	const char *open = in->p++;

	while (in->p < in->end && (is_word(*in->p) || *in->p == ':'))
		in->p++;
	if (!at(in, ')'))
		return fail(in, open,
		    "this \"(\" inside an operand has no "
		    "\")\" after the letters and digits");
	in->p++;
	return 0;
}

static int
read_operand(struct reader *in, struct rule_operand *operand)
{
	const char *start = in->p;

	operand->quoted = at(in, '"');
	if (operand->quoted)
		return read_quoted(in, &operand->span);
	while (in->p < in->end && !is_blank(*in->p) &&
	    strchr("\"=!<>|;[])", *in->p) == NULL) {
		if (*in->p != '(')
			in->p++;
		else if (skip_parentheses(in) == -1)
			return -1;
	}
	if (in->p == start)
		return fail(in, start,
		    "expected a number, a version, a macro "
		    "or a text in double quotes");
	operand->span = span_from(in, start);
	return 0;
}

static bool
read_operator(struct reader *in, enum rule_operator *op)
{
	for (size_t i = 0; i < LENGTH_OF(operators); i++) {
		const char *text = operators[i].text;
		size_t len = strlen(text);

		if (is_letter(*text) ? !at_word(in, text) :
				       (size_t)(in->end - in->p) < len ||
			    memcmp(in->p, text, len) != 0)
			continue;
		in->p += len;
		*op = operators[i].op;
		return true;
	}
	return false;
}

static int
read_compare(struct reader *in, struct rule_compare *compare)
{
	/* Firmware before 2.0.6, [LINKSYS-PROV] p. 37. */
	static const char version[] = "$SWVER";

	compare->left = (struct rule_operand) {
		.span = { version, sizeof(version) - 1, column_of(in, in->p) },
	};
	if (!read_operator(in, &compare->op)) {
		if (read_operand(in, &compare->left) == -1)
			return -1;
		skip_blanks(in);
		if (!read_operator(in, &compare->op))
			return fail(in, in->p,
			    "expected a comparison: one of "
			    "= != < <= > >= eq ne lt le gt ge");
	}
	skip_blanks(in);
	return read_operand(in, &compare->right);
}

/* Read compares up to the ")" or the end; the caller looks which it is. */
static int
read_condition(struct reader *in, struct rule_condition *condition)
{
	for (;;) {
		struct rule_compare compare;

		skip_blanks(in);
		if (read_compare(in, &compare) == -1)
			return -1;
		condition->compare = xrealloc(condition->compare,
		    (condition->count + 1) * sizeof(compare));
		condition->compare[condition->count++] = compare;
		skip_blanks(in);
		if (at_word(in, "or"))
			return fail(in, in->p,
			    "conditions know no \"or\": "
			    "write another alternative after \"|\"");
		if (!at_word(in, "and"))
			return 0;
		in->p += strlen("and");
	}
}

static int
read_assignment(struct reader *in, struct rule_set *set)
{
	const char *start = in->p;

	in->p += word_length(in);
	if (in->p == start || !is_letter(*start))
		return fail(in, start, "expected the name of a parameter");
	set->name = span_from(in, start);
	skip_blanks(in);
	if (!at(in, '='))
		return fail(in, in->p, "expected \"=\" after the parameter");
	in->p++;
	skip_blanks(in);
	if (!at(in, '"'))
		return fail(in, in->p, "expected a value in double quotes");
	if (read_quoted(in, &set->value) == -1)
		return -1;
	skip_blanks(in);
	if (!at(in, ';'))
		return fail(in, in->p, "expected \";\" after the value");
	in->p++;
	skip_blanks(in);
	return 0;
}

static int
read_assignments(struct reader *in, struct rule_alternative *alternative)
{
	skip_blanks(in);
	do {
		struct rule_set set;

		if (alternative->set_count == RULE_ASSIGNMENTS_MAX)
			return fail(in, in->p, "more than %d assignments",
			    RULE_ASSIGNMENTS_MAX);
		if (read_assignment(in, &set) == -1)
			return -1;
		alternative->set = xrealloc(alternative->set,
		    (alternative->set_count + 1) * sizeof(set));
		alternative->set[alternative->set_count++] = set;
	} while (in->p < in->end && *in->p != ')');
	return 0;
}

/* Find the option whose name stands here and step over it. */
static int
read_option_name(struct reader *in, enum rule_option *option)
{
	size_t len = word_length(in);
	const char *names[RULE_OPTION_COUNT];
	const char *nearest;
	char name[32];

	for (size_t i = 0; i < RULE_OPTION_COUNT; i++) {
		names[i] = options[i].name;
		if (at_word(in, options[i].name)) {
			in->p += len;
			*option = (enum rule_option)i;
			return 0;
		}
	}
	if (len < 2 || memcmp(in->p, "--", 2) != 0)
		return fail(in, in->p,
		    "expected an option such as --key, or \"]\"");
	(void)snprintf(name, sizeof(name), "%.*s", (int)len, in->p);
	nearest = text_nearest(name, names, RULE_OPTION_COUNT);
	return fail(in, in->p, "there is no option %s%s%s%s", name,
	    nearest != NULL ? "; is " : "", nearest != NULL ? nearest : "",
	    nearest != NULL ? " meant?" : "");
}

static int
read_option_value(struct reader *in, const char *name, struct rule_span *span)
{
	const char *start = in->p;

	if (at(in, '"')) {
		if (read_quoted(in, span) == -1)
			return -1;
	} else {
		while (in->p < in->end && !is_blank(*in->p) && *in->p != ']' &&
		    *in->p != '"')
			in->p++;
		*span = span_from(in, start);
		if (span->len == 0 ||
		    (span->len >= 2 && memcmp(start, "--", 2) == 0))
			return fail(in, start, "expected a value for %s", name);
	}
	if (in->p < in->end && !is_blank(*in->p) && *in->p != ']')
		return fail(in, in->p,
		    "expected a blank or \"]\" after the value of %s", name);
	return 0;
}

static int
read_option(struct reader *in, struct rule_alternative *alternative)
{
	const char *start = in->p;
	struct rule_span *span;
	enum rule_option option;
	const char *name;

	if (read_option_name(in, &option) == -1)
		return -1;
	name = options[option].name;
	if (alternative->given[option])
		return fail(in, start, "%s is given twice", name);
	alternative->given[option] = true;
	if (options[option].value == VALUE_NONE) {
		if (in->p < in->end && !is_blank(*in->p) && *in->p != ']')
			return fail(in, in->p,
			    "expected a blank or \"]\" after %s", name);
		return 0;
	}
	skip_blanks(in);
	span = &alternative->option[option];
	if (read_option_value(in, name, span) == -1)
		return -1;
	if (options[option].value == VALUE_GPP &&
	    (span->len != 1 || !is_letter(*span->text) ||
		(*span->text | 0x20) > 'p'))
		return fail(in, span->text,
		    "%s wants the letter of a GPP parameter, A to P", name);
	return 0;
}

static int
read_options(struct reader *in, struct rule_alternative *alternative)
{
	const char *open = in->p++;

	for (;;) {
		skip_blanks(in);
		if (in->p == in->end)
			return fail(in, open, "this \"[\" is never closed");
		if (at(in, ']'))
			break;
		if (read_option(in, alternative) == -1)
			return -1;
	}
	in->p++;
	skip_blanks(in);
	if (in->p == in->end || at(in, '|'))
		return fail(in, in->p, "expected a URL after the options");
	return 0;
}

static int
read_url(struct reader *in, struct rule_span *url)
{
	const char *start = in->p;

	while (in->p < in->end && !is_blank(*in->p) && *in->p != '|') {
		if (*in->p <= 0x20 || *in->p > 0x7e || *in->p == '"')
			return fail(in, in->p,
			    "a double quote or a byte "
			    "outside ASCII cannot stand in a URL");
		in->p++;
	}
	*url = span_from(in, start);
	skip_blanks(in);
	if (in->p < in->end && !at(in, '|'))
		return fail(in, in->p,
		    "expected \"|\" or the end of the rule "
		    "after the URL");
	return 0;
}

/*
 * The mark behind the parentheses that open here: '?' after a condition, '!'
 * after assignments, '\0' when there is neither or they are never closed.
 */
static char
mark_after_parentheses(const struct reader *in)
{
	bool quoted = false;
	size_t depth = 0;

	for (const char *p = in->p; p < in->end; p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (!quoted && *p == '(')
			depth++;
		else if (!quoted && *p == ')' && --depth == 0)
			return p + 1 < in->end && (p[1] == '?' || p[1] == '!') ?
			    p[1] :
			    '\0';
	}
	return '\0';
}

/* Step over ")" and its mark, which is known to stand somewhere behind. */
static int
read_mark(struct reader *in, char mark)
{
	if (in->end - in->p < 2 || in->p[0] != ')' || in->p[1] != mark)
		return fail(in, in->p,
		    mark == '?' ?
			"expected \"and\" or \")?\" after the comparison" :
			"expected \")!\" after the assignments");
	in->p += 2;
	skip_blanks(in);
	return 0;
}

static int
read_alternative(struct reader *in, struct rule_alternative *alternative)
{
	skip_blanks(in);
	if (at(in, '(') && mark_after_parentheses(in) == '?') {
		in->p++;
		if (read_condition(in, &alternative->condition) == -1 ||
		    read_mark(in, '?') == -1)
			return -1;
	}
	if (at(in, '(') && mark_after_parentheses(in) == '!') {
		in->p++;
		if (read_assignments(in, alternative) == -1 ||
		    read_mark(in, '!') == -1)
			return -1;
	}
	if (at(in, '('))
		return fail(in, in->p,
		    "expected \"(condition)?\", then "
		    "\"(assignments)!\", each at most once");
	if (at(in, '[') && read_options(in, alternative) == -1)
		return -1;
	return read_url(in, &alternative->url);
}

static int
check_text(struct reader *in)
{
	if (in->end - in->start > RULE_TEXT_MAX)
		return error_set(in->err, ERROR_INPUT,
		    "%td bytes long: expected at most %d", in->end - in->start,
		    RULE_TEXT_MAX);
	for (const char *p = in->start; p < in->end; p++) {
		unsigned char c = (unsigned char)*p;

		if ((c < 0x20 && !is_blank(*p)) || c == 0x7f)
			return fail(in, p, "control character 0x%02x", c);
	}
	return 0;
}

static int
read_alternatives(struct reader *in, struct rule *rule)
{
	for (;;) {
		struct rule_alternative *alternative;
		const char *start;

		if (rule->count == RULE_ALTERNATIVES_MAX)
			return fail(in, in->p, "more than %d alternatives",
			    RULE_ALTERNATIVES_MAX);
		rule->alternative = xrealloc(rule->alternative,
		    (rule->count + 1) * sizeof(*rule->alternative));
		alternative = &rule->alternative[rule->count++];
		*alternative = (struct rule_alternative) { 0 };
		start = in->p;
		if (read_alternative(in, alternative) == -1)
			return -1;
		if (in->p == in->end)
			return 0;
		if (alternative->condition.count == 0)
			return fail(in, start,
			    "what follows the \"|\" can "
			    "never win: this alternative has no condition");
		in->p++;
	}
}

struct rule *
rule_parse(const char *text, struct error *err)
{
	size_t len = strlen(text);
	struct reader in = { text, text, text + len, err };
	struct rule *rule;

	if (check_text(&in) == -1)
		return NULL;
	rule = xcalloc(1, sizeof(*rule));
	rule->text = xstrdup(text);
	in.start = in.p = rule->text;
	in.end = in.start + len;
	if (read_alternatives(&in, rule) == -1) {
		rule_free(rule);
		return NULL;
	}
	return rule;
}

void
rule_free(struct rule *rule)
{
	if (rule == NULL)
		return;
	for (size_t i = 0; i < rule->count; i++) {
		free(rule->alternative[i].condition.compare);
		free(rule->alternative[i].set);
	}
	free(rule->alternative);
	free(rule->text);
	free(rule);
}

int
rule_parse_condition(const char *text, struct rule_condition *condition,
    struct error *err)
{
	struct reader in = { text, text, text + strlen(text), err };
	struct rule_condition parsed = { 0 };

	if (check_text(&in) == -1)
		return -1;
	if (read_condition(&in, &parsed) == -1)
		goto fail;
	if (in.p < in.end) {
		(void)fail(&in, in.p,
		    "expected \"and\" or the end of the "
		    "condition after the comparison");
		goto fail;
	}
	*condition = parsed;
	return 0;
fail:
	free(parsed.compare);
	return -1;
}
