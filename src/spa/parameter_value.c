/*
 * Values: one function a type, each from the data types of [MPP-PROV] where
 * nothing else is said.  Where no manual states a limit, none is applied.
 */
#include "base/text.h"
#include "spa/parameter.h"
#include "spa/rule.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What a check gets; shown is the value, printable and short. */
struct given {
	const struct parameter *parameter;
	unsigned families;
	const char *value;
	const char *shown;
};

static int
expected(const struct given *given, const char *what, struct error *err)
{
	return error_set(err, ERROR_INPUT, "\"%s\": expected %s", given->shown,
	    what);
}

static int
check_bool(const struct given *given, struct error *err)
{
	if (strcasecmp(given->value, "yes") == 0 ||
	    strcasecmp(given->value, "no") == 0)
		return 0;
	return expected(given, "Yes or No", err);
}

/* The range of a number from the table; false when there is none. */
static bool
read_range(const char *range, double *low, double *high)
{
	char *end;

	if (*range == '\0')
		return false;
	*low = strtod(range, &end);
	/* strtod takes the first dot of ".." with it. */
	while (*end == '.')
		end++;
	*high = strtod(end, NULL);
	return true;
}

static int
check_range(const struct given *given, double number, struct error *err)
{
	double low, high;

	if (read_range(given->parameter->range, &low, &high) &&
	    (number < low || number > high))
		return error_set(err, ERROR_INPUT,
		    "%s is out of range: expected %.0f to %.0f", given->shown,
		    low, high);
	return 0;
}

static bool
is_made_of(const char *text, const char *chars)
{
	return *text != '\0' && text[strspn(text, chars)] == '\0';
}

/* Decimal or hex, with or without a sign. */
static int
check_int(const struct given *given, struct error *err)
{
	const char *digits = given->value +
	    (*given->value == '-' || *given->value == '+');
	bool hex = strncasecmp(digits, "0x", 2) == 0;

	if (!is_made_of(hex ? digits + 2 : digits,
		hex ? "0123456789abcdefABCDEF" : "0123456789"))
		return expected(given, "a whole number", err);
	return check_range(given, strtod(given->value, NULL), err);
}

static int
check_float(const struct given *given, struct error *err)
{
	const char *digits = given->value +
	    (*given->value == '-' || *given->value == '+');
	const char *dot = strchr(digits, '.');

	if (!is_made_of(digits, ".0123456789") ||
	    (dot != NULL && strchr(dot + 1, '.') != NULL) ||
	    strcmp(digits, ".") == 0)
		return expected(given, "a number such as 4 or .5", err);
	return check_range(given, strtod(given->value, NULL), err);
}

static int
check_port(const struct given *given, struct error *err)
{
	char *end;
	unsigned long port;

	errno = 0;
	port = strtoul(given->value, &end, 0);
	if (*given->value < '0' || *given->value > '9' || *end != '\0' ||
	    errno != 0 || port > 65535)
		return expected(given, "a port: 0 to 65535", err);
	return 0;
}

static int
check_length(const struct given *given, struct error *err)
{
	unsigned long most = strtoul(given->parameter->range, NULL, 10);
	size_t len = strlen(given->value);

	if (most == 0 || len <= most)
		return 0;
	return error_set(err, ERROR_INPUT,
	    "%zu characters: at most %lu are taken", len, most);
}

static int
check_enum(const struct given *given, struct error *err)
{
	const char *choice = given->parameter->range;
	size_t len = strlen(given->value);

	while (*choice != '\0') {
		size_t n = strcspn(choice, "|");

		if (n == len && strncasecmp(choice, given->value, n) == 0)
			return 0;
		choice += n + (choice[n] == '|');
	}
	return error_set(err, ERROR_INPUT, "\"%s\": expected one of %s",
	    given->shown, given->parameter->range);
}

static int
check_rule(const struct given *given, struct error *err)
{
	struct rule *rule = rule_parse(given->value, err);

	if (rule == NULL)
		return -1;
	rule_free(rule);
	return 0;
}

/* Two destinations may stand in it with a blank between them [MPP-REPORT]. */
static int
check_report_rule(const struct given *given, struct error *err)
{
	if (strstr(given->value, "--delta") != NULL)
		return 0;
	return check_rule(given, err);
}

/* A bare condition is one that a rule could have. */
static int
check_condition(const struct given *given, struct error *err)
{
	char text[RULE_TEXT_MAX + 1];
	struct rule *rule;
	size_t len = strlen(given->value);

	if (len + sizeof("()? /x") > sizeof(text))
		return error_set(err, ERROR_INPUT,
		    "the condition is longer than %d bytes", RULE_TEXT_MAX);
	text[0] = '(';
	memcpy(text + 1, given->value, len);
	memcpy(text + 1 + len, ")? /x", sizeof(")? /x"));
	rule = rule_parse(text, err);
	if (rule == NULL)
		return -1;
	rule_free(rule);
	return 0;
}

/*
 * Lists and "+" are in the books of phones [SPA-PROV] and multiplatform
 * devices [MPP-PROV]; those of the adapters know one number only.
 */
static int
check_schedule(const struct given *given, struct error *err)
{
	const unsigned lists = PARAMETER_PHONE | PARAMETER_SPA525 |
	    PARAMETER_MPP;
	const char *p = given->value;

	for (;;) {
		size_t n = strspn(p, "0123456789");

		if (n == 0 || n > 10)
			break;
		p += n;
		if (*p == '+') {
			n = strspn(++p, "0123456789");
			if (n == 0 || n > 10)
				break;
			p += n;
		}
		if (*p == '\0' && (given->families & lists) == 0 &&
		    strpbrk(given->value, "+,") != NULL)
			return expected(given,
			    "a number of seconds: no manual of this family "
			    "knows lists and \"+\"",
			    err);
		if (*p == '\0')
			return 0;
		if (*p++ != ',')
			break;
	}
	return expected(given, "seconds, such as 3600 or 1800+300,3600", err);
}

static int
check_hhmm(const struct given *given, struct error *err)
{
	const char *v = given->value;

	if (strlen(v) == 4 && is_made_of(v, "0123456789") &&
	    (v[0] - '0') * 10 + (v[1] - '0') < 24 && v[2] < '6')
		return 0;
	return expected(given, "a time of day as HHmm, such as 0300", err);
}

static int
check_ip(const struct given *given, struct error *err)
{
	struct in_addr address;

	if (inet_pton(AF_INET, given->value, &address) == 1)
		return 0;
	return expected(given, "an IPv4 address", err);
}

static int
check_host(const struct given *given, struct error *err)
{
	if (strstr(given->value, "://") != NULL)
		return expected(given, "HOST or HOST:PORT, without a scheme",
		    err);
	if (strpbrk(given->value, " /\"<>") != NULL)
		return expected(given, "HOST or HOST:PORT", err);
	return 0;
}

static int
check_url(const struct given *given, struct error *err)
{
	if (strchr(given->value, ' ') != NULL)
		return expected(given, "a URL: a blank in it is written %20",
		    err);
	return 0;
}

/* "350@-19,440@-19;10(.../0/1+2)": at most 127 characters. */
static int
check_script(const struct given *given, struct error *err)
{
	if (!is_made_of(given->value, "0123456789@,;()*/.+- "))
		return expected(given,
		    "frequencies, levels and durations, such as "
		    "350@-19,440@-19;10(*/0/1+2)",
		    err);
	return check_length(given, err);
}

static int
check_code(const struct given *given, struct error *err)
{
	if (!is_made_of(given->value, "0123456789*#+ABCDabcdxX"))
		return expected(given, "a code to dial, such as *69", err);
	return check_length(given, err);
}

static int
check_dialplan(const struct given *given, struct error *err)
{
	int depth = 0;

	for (const char *p = given->value; *p != '\0' && depth >= 0; p++)
		depth += (*p == '(') - (*p == ')');
	if (depth == 0 && strchr(given->value, '(') != NULL)
		return 0;
	return error_set(err, ERROR_INPUT,
	    "the parentheses do not match: expected a dial plan such as (xx.)");
}

static int
check_timezone(const struct given *given, struct error *err)
{
	const char *v = given->value;

	if (strlen(v) == strlen("GMT-08:00") && strncmp(v, "GMT", 3) == 0 &&
	    (v[3] == '+' || v[3] == '-') && v[6] == ':' &&
	    strspn(v + 4, "0123456789") == 2 &&
	    strspn(v + 7, "0123456789") == 2)
		return 0;
	return expected(given, "GMT+HH:MM or GMT-HH:MM", err);
}

static int
check_info(const struct given *given, struct error *err)
{
	(void)given;
	(void)err;
	return 0;
}

static int (*const checks[])(const struct given *, struct error *) = {
	[PARAMETER_TYPE_BOOL] = check_bool,
	[PARAMETER_TYPE_INT] = check_int,
	[PARAMETER_TYPE_FLOAT] = check_float,
	[PARAMETER_TYPE_HEX] = check_int,
	[PARAMETER_TYPE_PORT] = check_port,
	[PARAMETER_TYPE_TEXT] = check_length,
	[PARAMETER_TYPE_PASSWORD] = check_length,
	[PARAMETER_TYPE_ENUM] = check_enum,
	[PARAMETER_TYPE_RULE] = check_rule,
	[PARAMETER_TYPE_REPORT_RULE] = check_report_rule,
	[PARAMETER_TYPE_UPGRADE_RULE] = check_rule,
	[PARAMETER_TYPE_CONDITION] = check_condition,
	[PARAMETER_TYPE_SCHEDULE] = check_schedule,
	[PARAMETER_TYPE_HHMM] = check_hhmm,
	[PARAMETER_TYPE_IP] = check_ip,
	[PARAMETER_TYPE_HOST] = check_host,
	[PARAMETER_TYPE_URL] = check_url,
	[PARAMETER_TYPE_TONE] = check_script,
	[PARAMETER_TYPE_CADENCE] = check_script,
	[PARAMETER_TYPE_CODE] = check_code,
	[PARAMETER_TYPE_PHONE] = check_length,
	[PARAMETER_TYPE_DIALPLAN] = check_dialplan,
	[PARAMETER_TYPE_TIMEZONE] = check_timezone,
	[PARAMETER_TYPE_INFO] = check_info,
};

int
parameter_check(const struct parameter *parameter, unsigned families,
    const char *value, struct error *err)
{
	char shown[48];
	const struct given given = { parameter, families, value, shown };

	/* Empty means none, which only a choice cannot be. */
	if (*value == '\0' && parameter->type != PARAMETER_TYPE_BOOL &&
	    parameter->type != PARAMETER_TYPE_ENUM)
		return 0;
	text_escape(value, strlen(value), shown, sizeof(shown));
	return checks[parameter->type](&given, err);
}
