#include "spa/rule_key.h"

#include <stdbool.h>
#include <string.h>

#include "spa/rule.h"
#include "spa/rule_parts.h"

/* Where an option goes: before the ']' of the brackets that end right before
 * the URL; NULL when there are none. */
static const char *
bracket_before(const struct rule *rule, const char *url)
{
	const char *p = url;

	while (p > rule->text && (p[-1] == ' ' || p[-1] == '\t'))
		p--;
	return p > rule->text && p[-1] == ']' ? p - 1 : NULL;
}

static int
put_url(const struct rule_span *url, const char *query, struct buf *out)
{
	bool has_query = memchr(url->text, '?', url->len) != NULL;

	return buf_append(out, url->text, url->len) != 0 ||
		buf_append_text(out, has_query ? "&" : "?") != 0 ||
		buf_append_text(out, query) != 0 ?
	    -1 :
	    0;
}

static int
put_options(const char *key, bool brackets, struct buf *out)
{
	if (key == NULL)
		return 0;
	return buf_printf(out, brackets ? " --key %s" : "[--key %s]", key);
}

/* Copies what lies between the changes; *from is where that begins. */
static int
put_alternative(const struct rule *rule, const struct rule_alternative *a,
    const char *key, const char *query, const char **from, struct buf *out)
{
	const char *bracket, *at;

	if (a->url.len == 0 || a->given[RULE_KEY])
		return 0;
	bracket = bracket_before(rule, a->url.text);
	at = bracket != NULL ? bracket : a->url.text;
	if (buf_append(out, *from, (size_t)(at - *from)) != 0 ||
	    put_options(key, bracket != NULL, out) != 0 ||
	    buf_append(out, at, (size_t)(a->url.text - at)) != 0 ||
	    put_url(&a->url, query, out) != 0)
		return -1;
	*from = a->url.text + a->url.len;
	return 0;
}

int
rule_add_key(const char *text, const char *key, const char *query,
    struct buf *out, struct error *err)
{
	struct rule *rule = rule_parse(text, err);
	size_t before = out->len;
	const char *from;
	int rc = 0;

	if (rule == NULL)
		return -1;
	from = rule->text;
	for (size_t i = 0; rc == 0 && i < rule->count; i++)
		rc = put_alternative(rule, &rule->alternative[i], key, query,
		    &from, out);
	if (rc == 0)
		rc = buf_append_text(out, from);
	if (rc != 0) {
		if (out->data != NULL)
			out->data[before] = '\0';
		out->len = before;
		(void)error_set(err, ERROR_INPUT,
		    "the rule with a key would be longer than %zu bytes",
		    out->limit);
	}
	rule_free(rule);
	return rc;
}
