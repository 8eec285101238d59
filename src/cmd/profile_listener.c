#include "cmd/profile_listener.h"
#include "cmd/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "http/url.h"
#include "pki/cert.h"
#include "server/config.h"
#include "spa/flat_profile.h"
#include "spa/registry.h"
#include "spa/rule.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define TLS_1_2 0x0303

struct profile_listeners {
	const struct config *config;
	struct doctor_world world; /* certificates and claims; no inventory */
};

/* What is asked about one rule. */
struct asking {
	const struct profile_listeners *listeners;
	const struct model *model;
	const struct firmware *firmware; /* NULL: not known */
	const struct stack *stack;
	const struct url *url;
};

/* What one certificate, or port, of ours comes to. */
enum outcome { OUTCOME_WILL, OUTCOME_DOUBT, OUTCOME_STOPS, OUTCOME_NOT_MEANT };

struct profile_listeners *
profile_listeners_new(const struct config *config)
{
	struct profile_listeners *listeners = xcalloc(1, sizeof(*listeners));

	listeners->config = config;
	if (doctor_world_look(&listeners->world, config, NULL, false) == 0)
		return listeners;
	profile_listeners_free(listeners);
	return NULL;
}

void
profile_listeners_free(struct profile_listeners *listeners)
{
	if (listeners == NULL)
		return;
	doctor_world_clear(&listeners->world);
	free(listeners);
}

/* By its line, as the others are. */
static void
add(struct findings *findings, enum severity severity,
    const struct flat_parameter *parameter, const char *text)
{
	size_t at = findings->kept;

	findings->count++;
	findings->problems += severity != SEVERITY_NOTE;
	if (findings->kept == FINDINGS_MAX)
		return;
	findings->list = xrealloc(findings->list,
	    (findings->kept + 1) * sizeof(*findings->list));
	while (at > 0 && findings->list[at - 1].line > parameter->line)
		at--;
	memmove(findings->list + at + 1, findings->list + at,
	    (findings->kept - at) * sizeof(*findings->list));
	findings->kept++;
	findings->list[at] = (struct finding) { .severity = severity,
		.name = xstrdup(parameter->name),
		.line = parameter->line,
		.column = parameter->column,
		.text = xstrdup(text) };
}

static bool
has_port(const struct config_listener *listener, uint16_t port)
{
	for (size_t i = 0; i < listener->address_count; i++)
		if (addr_port(&listener->addresses[i]) == port)
			return true;
	return false;
}

static const struct config_listener *
find_config(const struct asking *asking, const char *name)
{
	const struct config *config = asking->listeners->config;

	for (size_t i = 0; i < config->listener_count; i++)
		if (strcmp(config->listeners[i].name, name) == 0)
			return &config->listeners[i];
	return NULL;
}

/* What stands in the certificate, and whether they speak the same TLS; names
 * and addresses are those of the rule, which were compared before. */
static enum outcome
judge(const struct asking *asking, const struct diagnose_listener *listener,
    char text[static CHECK_TEXT_MAX + 128])
{
	const struct doctor_world *world = &asking->listeners->world;
	struct check_view view = listener->view;
	struct check_verdict verdict;
	const struct check_finding *worst = NULL;

	if (!listener->legacy && asking->stack->max_version < TLS_1_2) {
		(void)snprintf(text, CHECK_TEXT_MAX + 128,
		    "it leads to listener %s, which begins with TLS 1.2; these "
		    "devices speak TLS 1.0 at most",
		    listener->name);
		return OUTCOME_STOPS;
	}
	view.host = asking->url->host;
	view.stack = asking->stack;
	check_judge(&view, asking->model, asking->firmware, world->knowledge,
	    world->world.now, &verdict);
	for (size_t i = 0; i < verdict.count; i++) {
		const struct check_finding *one = &verdict.finding[i];

		if (one->cause != CHECK_CA_NAMES &&
		    one->cause != CHECK_ADDRESS &&
		    one->weight != CHECK_WORTH_KNOWING &&
		    (worst == NULL || one->weight > worst->weight))
			worst = one;
	}
	if (worst == NULL)
		return OUTCOME_WILL;
	(void)snprintf(text, CHECK_TEXT_MAX + 128,
	    "it leads to listener %s: %s", listener->name, worst->text);
	return worst->weight == CHECK_STOPS ? OUTCOME_STOPS : OUTCOME_DOUBT;
}

/* A rule may be for TLS, or not; a port is one of both. */
static enum outcome
judge_port(const struct asking *asking, const struct config_listener *listener,
    char text[static CHECK_TEXT_MAX + 128])
{
	bool tls = asking->url->scheme == URL_HTTPS;

	if (tls != listener->plain)
		return OUTCOME_NOT_MEANT;
	(void)snprintf(text, CHECK_TEXT_MAX + 128,
	    tls ? "it says https://, and listener %s at that port speaks plain "
		  "HTTP" :
		  "it says http://, and listener %s at that port speaks TLS "
		  "only",
	    listener->name);
	return OUTCOME_STOPS;
}

/* One of our certificates with the rule's host in it says that we are meant. */
static bool
is_meant(const struct asking *asking)
{
	const struct doctor_world *world = &asking->listeners->world;

	for (size_t i = 0; i < world->world.listener_count; i++) {
		const struct check_view *view = &world->listeners[i].view;

		if (view->count > 0 &&
		    cert_matches_host(view->certs[0], asking->url->host, false))
			return true;
	}
	return false;
}

/* The best of all certificates at the port: the server looks for that one. */
static enum outcome
judge_listeners(const struct asking *asking,
    char text[static CHECK_TEXT_MAX + 128])
{
	const struct doctor_world *world = &asking->listeners->world;
	enum outcome best = OUTCOME_NOT_MEANT;

	for (size_t i = 0; i < world->world.listener_count; i++) {
		const struct diagnose_listener *one = &world->listeners[i];
		const struct config_listener *config = find_config(asking,
		    one->name);
		char why[CHECK_TEXT_MAX + 128] = "";
		enum outcome outcome;

		if (config == NULL || !has_port(config, asking->url->port))
			continue;
		outcome = judge_port(asking, config, why);
		if (outcome == OUTCOME_NOT_MEANT && one->view.count > 0 &&
		    cert_matches_host(one->view.certs[0], asking->url->host,
			false))
			outcome = judge(asking, one, why);
		if (outcome >= best)
			continue;
		best = outcome;
		memcpy(text, why, sizeof(why));
	}
	return best;
}

/* Profile_Rule, or the first of the others when it is blank. */
static const struct flat_parameter *
find_rule(const struct flat_profile *profile)
{
	static const char *const names[] = { "Profile_Rule", "Profile_Rule_B",
		"Profile_Rule_C", "Profile_Rule_D" };

	for (size_t i = 0; i < LENGTH(names); i++) {
		const struct flat_parameter *rule = flat_profile_find(profile,
		    "", names[i]);

		if (rule != NULL && *rule->value != '\0')
			return strstr(rule->value, INSPECT_SAMPLE) == NULL ?
			    rule :
			    NULL;
	}
	return NULL;
}

/* The URL that the device would ask; false: it has none, or not one that can
 * be told from here. */
static bool
find_url(const struct asking *asking, const char *text, const char *version,
    const struct mac *mac, struct url *url)
{
	char ma[MAC_TEXT_BYTES] = "000000000000";
	struct macro list[] = { { "MA", ma, false },
		{ "PN", asking->model->product, false },
		{ "PSN", asking->model->series, false },
		{ "SWVER", asking->firmware != NULL ? version : NULL, false } };
	const struct macros macros = { list, LENGTH(list) };
	struct rule_result result = { 0 };
	struct error ignored;
	struct rule *rule = rule_parse(text, &ignored);
	bool found = false;

	if (mac != NULL)
		mac_format(mac, ma);
	if (rule != NULL)
		found = rule_evaluate(rule, &macros, &result, &ignored) == 0 &&
		    result.matched && url_parse(url, result.url, &ignored) == 0;
	rule_result_clear(&result);
	rule_free(rule);
	return found && url->scheme != URL_TFTP;
}

void
profile_listeners_inspect(const struct profile_listeners *listeners,
    const struct flat_profile *profile, const struct model *model,
    const char *firmware, const struct mac *mac, struct findings *findings)
{
	const struct flat_parameter *rule = find_rule(profile);
	struct firmware version;
	struct error ignored;
	bool known = *firmware != '\0' &&
	    firmware_parse(&version, firmware, &ignored) == 0;
	struct url url;
	const struct asking asking = { .listeners = listeners,
		.model = model,
		.firmware = known ? &version : NULL,
		.stack = registry_find_stack(model, known ? &version : NULL),
		.url = &url };
	char text[CHECK_TEXT_MAX + 128] = "";
	enum outcome outcome;

	if (rule == NULL || asking.stack == NULL ||
	    !find_url(&asking, rule->value, firmware, mac, &url) ||
	    !is_meant(&asking))
		return;
	outcome = judge_listeners(&asking, text);
	if (outcome == OUTCOME_NOT_MEANT)
		(void)snprintf(text, sizeof(text),
		    "no listener of the configuration with a certificate for "
		    "%.100s is at port %u",
		    url.host, (unsigned)url.port);
	if (outcome != OUTCOME_WILL)
		add(findings,
		    outcome == OUTCOME_STOPS ? SEVERITY_RESYNC : SEVERITY_NOTE,
		    rule, text);
}
