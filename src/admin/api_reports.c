/*
 * What commands print as JSON: plans, diagnoses, certificates, migrations.
 *
 * Parameters are checked by the command itself; here is only made sure that
 * each is the value of the option that it is meant for.
 */
#include "admin/call.h"
#include "admin/handlers.h"
#include "admin/report.h"
#include "admin/site.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "inventory/snapshot.h"
#include "pki/cert.h"
#include "pki/chain.h"
#include "server/config.h"
#include "server/service.h"
#include "spa/registry.h"

#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MAX 60

/* A command line in the making. */
struct command {
	char *list[ARGUMENTS_MAX + 1];
	size_t count;
};

static void
push(struct command *command, char *text)
{
	if (command->count < ARGUMENTS_MAX)
		command->list[command->count++] = text;
	else
		free(text);
}

static void
push_words(struct command *command, const char *words)
{
	while (*words != '\0') {
		size_t len = strcspn(words, " ");

		push(command, xstrndup(words, len));
		words += len + (words[len] == ' ');
	}
}

static void
command_clear(struct command *command)
{
	for (size_t i = 0; i < command->count; i++)
		free(command->list[i]);
}

/* "--option=value" for a parameter that is there; with many, for each of its
 * parts between commas. */
static void
push_parameter(struct command *command, struct call *call, const char *name,
    bool many)
{
	const char *value = call_parameter(call, name);

	while (value != NULL && *value != '\0') {
		size_t len = many ? strcspn(value, ",") : strlen(value);

		if (len > 0)
			push(command,
			    xasprintf("--%s=%.*s", name, (int)len, value));
		value += len + (value[len] == ',');
	}
}

/* A parameter that is there, whatever its value but "0" or "no". */
static void
push_flag(struct command *command, struct call *call, const char *name)
{
	const char *value = call_parameter(call, name);

	if (value != NULL && strcmp(value, "0") != 0 &&
	    strcmp(value, "no") != 0)
		push(command, xasprintf("--%s", name));
}

static void
push_config(struct command *command, const struct call *call)
{
	push(command, xasprintf("--config=%s", site_config_path(call->site)));
}

static void
push_inventory(struct command *command, const struct call *call)
{
	push(command,
	    xasprintf("--inventory=%s",
		service_config(call->service)->inventory));
}

static char *
make_key(const struct command *command, const struct call *call)
{
	char *key = xasprintf("%llu",
	    (unsigned long long)snapshot_change_number(call->snapshot));

	for (size_t i = 0; i < command->count; i++) {
		char *longer = xasprintf("%s\n%s", key, command->list[i]);

		free(key);
		key = longer;
	}
	return key;
}

static const char *
without_name(const char *complaint)
{
	static const char name[] = "sprov: ";

	return text_starts(complaint, name) ? complaint + strlen(name) :
					      complaint;
}

/* The text is taken.  Whom exceptions let in is for who sees all devices. */
static void
send_text(struct call *call, char *text, size_t len)
{
	json_t *json;

	if (*call->caller.tenant == '\0') {
		call_json_text(call, text, len);
		return;
	}
	json = json_loadb(text, len, 0, NULL);
	free(text);
	(void)json_object_del(json, "exceptions");
	call_json(call, 200, json);
}

/* Run it, and answer with what it says. */
static void
run(struct call *call, const struct command *command, const char *key)
{
	uint64_t began = clock_monotonic_ms();
	char complaint[400] = "", *text = NULL;
	struct error err;
	size_t len = 0;
	int status = 0;

	if (report_run((const char *const *)command->list, &text, &len, &status,
		complaint, sizeof(complaint), &err) != 0) {
		call_problem(call, 503, "%s", err.text);
		return;
	}
	if (status == 0 || status == 3) {
		report_cache_put(site_reports(call->site), key, text, len,
		    (unsigned)(clock_monotonic_ms() - began));
		send_text(call, text, len);
		return;
	}
	free(text);
	if (status == 1 || status == 2)
		call_problem(call,
		    status == 2 ? 400 :
			text_starts(without_name(complaint), "there is no ") ?
				  404 :
				  422,
		    "%s", without_name(complaint));
	else
		call_problem(call, 503, "the report ended early");
}

/* The command is cleared. */
static void
answer(struct call *call, struct command *command)
{
	size_t len = 0;
	char *key, *kept;

	push(command, xstrdup("--json"));
	if (call_no_others(call)) {
		key = make_key(command, call);
		kept = report_cache_get(site_reports(call->site), key, &len);
		if (kept != NULL)
			send_text(call, kept, len);
		else
			run(call, command, key);
		free(key);
	}
	command_clear(command);
}

void
api_certificates(struct call *call, const char *text)
{
	struct command command = { .count = 0 };

	(void)text;
	if (!call_sees_all(call))
		return;
	push_words(&command, "cert status --no-resolve");
	push_config(&command, call);
	push_inventory(&command, call);
	answer(call, &command);
}

void
api_cas(struct call *call, const char *text)
{
	struct command command = { .count = 0 };

	(void)text;
	if (!call_sees_all(call))
		return;
	push_words(&command, "ca list");
	push_flag(&command, call, "clients");
	push_inventory(&command, call);
	answer(call, &command);
}

void
api_matrix(struct call *call, const char *text)
{
	struct command command = { .count = 0 };

	(void)text;
	/* Own claims are beside the inventory. */
	push_words(&command, "ca matrix");
	push_inventory(&command, call);
	if (*call->caller.tenant == '\0')
		push_words(&command, "--devices");
	push_parameter(&command, call, "family", false);
	answer(call, &command);
}

/* What a model trusts, and who says so. */
void
api_trust(struct call *call, const char *text)
{
	const struct model *model = registry_find_model(text, NULL);
	const char *firmware = call_parameter(call, "firmware");
	struct command command = { .count = 0 };

	if (model == NULL) {
		call_problem(call, 404,
		    "there is no such model: see /api/v1/matrix");
		return;
	}
	push_words(&command, "ca which");
	push_inventory(&command, call);
	push(&command,
	    firmware != NULL && *firmware != '\0' ?
		xasprintf("%s@%s", model->name, firmware) :
		xstrdup(model->name));
	answer(call, &command);
}

static bool
is_pushed(const struct command *command, const char *text)
{
	for (size_t i = 0; i < command->count; i++)
		if (strcmp(command->list[i], text) == 0)
			return true;
	return false;
}

/* "--hold=CA" for a listener's certificate that is valid at that time. */
static void
push_held(struct command *command, const struct service_listener *listener,
    time_t at)
{
	const struct ca *ca = listener->issuer.ca;
	const X509 *leaf;
	char *text;

	if (ca == NULL || listener->chain == NULL)
		return;
	leaf = chain_certificate(listener->chain, 0);
	if (at < cert_not_before(leaf) || at > cert_not_after(leaf))
		return;
	text = xasprintf("--hold=%s", ca->id);
	if (is_pushed(command, text))
		free(text);
	else
		push(command, text);
}

static void
push_all_held(struct command *command, struct call *call)
{
	const char *text = call_parameter(call, "at");
	time_t at = call->now;
	struct error ignored;

	/* Whether it is a date is said by the command. */
	if (text != NULL && text_parse_date(text, &at, &ignored) != 0)
		return;
	for (size_t i = 0; i < service_listener_count(call->service); i++) {
		const struct service_listener *listener =
		    service_listener(call->service, i);

		push_held(command, listener, at);
		for (size_t k = 0; k < listener->alternative_count; k++)
			push_held(command, &listener->alternatives[k], at);
	}
}

void
api_plan(struct call *call, const char *text)
{
	struct command command = { .count = 0 };

	(void)text;
	if (!call_sees_all(call))
		return;
	push_words(&command, "plan");
	push_inventory(&command, call);
	push_all_held(&command, call);
	push_parameter(&command, call, "layout", false);
	push_parameter(&command, call, "host", false);
	push_parameter(&command, call, "domain", false);
	push_parameter(&command, call, "hold", true);
	push_parameter(&command, call, "without", true);
	push_parameter(&command, call, "drop-tls", true);
	push_parameter(&command, call, "at", false);
	push_parameter(&command, call, "allow", true);
	push_parameter(&command, call, "capacity", false);
	answer(call, &command);
}

void
api_migrations(struct call *call, const char *text)
{
	struct command command = { .count = 0 };

	(void)text;
	if (!call_sees_all(call))
		return;
	push_words(&command, "migrate list");
	push_config(&command, call);
	answer(call, &command);
}

void
api_migration(struct call *call, const char *text)
{
	struct command command = { .count = 0 };

	(void)text;
	if (!call_sees_all(call))
		return;
	push_words(&command, "migrate status");
	push_config(&command, call);
	answer(call, &command);
}

void
api_doctor(struct call *call, const char *text)
{
	struct command command = { .count = 0 };

	(void)text;
	if (!call_sees_all(call))
		return;
	push_words(&command, "doctor --no-resolve");
	push_config(&command, call);
	push_parameter(&command, call, "since", false);
	push_parameter(&command, call, "listener", false);
	push_flag(&command, call, "all");
	answer(call, &command);
}

void
api_exceptions(struct call *call, const char *text)
{
	struct command command = { .count = 0 };

	(void)text;
	if (!call_sees_all(call))
		return;
	push_words(&command, "doctor --exceptions");
	push_config(&command, call);
	answer(call, &command);
}

void
api_expiry(struct call *call, const char *text)
{
	struct command command = { .count = 0 };

	(void)text;
	if (!call_sees_all(call))
		return;
	push_words(&command, "doctor --expiry --no-resolve");
	push_config(&command, call);
	answer(call, &command);
}

/* --------------------------------------------------------- of one device */

/* words, and what names the device; only of one that may be seen. */
static void
answer_of_device(struct call *call, const char *text, const char *words,
    const char *option, bool config)
{
	const struct device *device = NULL;
	struct command command = { .count = 0 };
	char mac_text[MAC_TEXT_BYTES];
	struct error err;
	struct mac mac;

	if (mac_parse(&mac, text, &err) == 0)
		device = snapshot_find(call->snapshot, &mac);
	if (device == NULL || !call_may_see_group(call, device->group)) {
		call_problem(call, 404, "there is no such device");
		return;
	}
	mac_format(&mac, mac_text);
	push_words(&command, words);
	if (config)
		push_config(&command, call);
	else
		push_inventory(&command, call);
	push(&command, xasprintf("%s%s", option, mac_text));
	answer(call, &command);
}

void
api_variables(struct call *call, const char *text)
{
	answer_of_device(call, text, "device show", "", false);
}

void
api_profile(struct call *call, const char *text)
{
	answer_of_device(call, text, "profile render", "", true);
}

void
api_diff(struct call *call, const char *text)
{
	answer_of_device(call, text, "profile diff", "", true);
}

void
api_drift(struct call *call, const char *text)
{
	answer_of_device(call, text, "device drift", "", true);
}

void
api_device_doctor(struct call *call, const char *text)
{
	answer_of_device(call, text, "doctor --no-resolve --all",
	    "--device=", true);
}
