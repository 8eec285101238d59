#include "cmd/migrate_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/ca_common.h"
#include "cmd/device_common.h"
#include "inventory/inventory.h"
#include "provision/fields.h"
#include "server/config.h"
#include "server/service.h"
#include "spa/knowledge.h"
#include "spa/registry.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define WAVES_DEFAULT "1%,10%,50%,100%"
#define THRESHOLD_DEFAULT 95
#define MIN_WAIT_MAX_S (366u * 24 * 60 * 60)
/* Two periods of the built-in template's Resync_Periodic, and a bit: one
 * brings a device the rule, the other is when it uses it. */
#define MIN_WAIT_DEFAULT_S (50u * 60 * 60)

struct arguments {
	const char *path, *from, *to, *rule, *old_rule, *waves, *canary;
	const char *threshold, *min_wait, *group, *model;
	bool unseen, dry_run, json;
	char model_name[INVENTORY_NAME_MAX + 1];
};

/* ---------------------------------------------------------- what is named */

static bool
listener_is(const struct service_listener *listener,
    const struct migration_end *end)
{
	if (!end->is_ca)
		return strcmp(listener->name, end->name) == 0;
	return listener->issuer.ca != NULL &&
	    strcmp(listener->issuer.ca->id, end->name) == 0;
}

static const struct service_listener *
find_listener(const struct service *service, const struct migration_end *end)
{
	for (size_t i = 0; i < service_listener_count(service); i++)
		if (listener_is(service_listener(service, i), end))
			return service_listener(service, i);
	return NULL;
}

static int
unknown_end(const struct service *service, const char *option, const char *text,
    struct error *err)
{
	size_t listeners = service_listener_count(service), count = 0;
	const char **names = xcalloc(listeners + registry_ca_count,
	    sizeof(*names));
	const char *nearest;
	char shown[64];

	for (size_t i = 0; i < listeners; i++)
		names[count++] = service_listener(service, i)->name;
	for (size_t i = 0; i < registry_ca_count; i++)
		if (registry_is_server_ca(&registry_cas[i]))
			names[count++] = registry_cas[i].id;
	nearest = text_nearest(text, names, count);
	free(names);
	text_escape(text, strlen(text), shown, sizeof(shown));
	return error_set(err, ERROR_NOT_FOUND,
	    "--%s %s: neither a CA nor a listener of %s%s%s%s", option, shown,
	    service_config(service)->path,
	    nearest != NULL ? "; did you mean " : "",
	    nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
}

/* A CA, or else a listener.  Returns the first listener that it stands for, or
 * NULL with err. */
static const struct service_listener *
read_end(const struct service *service, const char *option, const char *text,
    struct migration_end *end, struct error *err)
{
	const struct ca *ca = registry_find_ca(text);
	const struct service_listener *listener;

	*end = (struct migration_end) { .is_ca = ca != NULL &&
		    registry_is_server_ca(ca) };
	if (strlen(text) >= sizeof(end->name)) {
		(void)unknown_end(service, option, text, err);
		return NULL;
	}
	memcpy(end->name, text, strlen(text) + 1);
	listener = find_listener(service, end);
	if (listener == NULL && end->is_ca)
		(void)error_set(err, ERROR_NOT_FOUND,
		    "--%s %s: no listener of %s shows a certificate of that "
		    "CA",
		    option, text, service_config(service)->path);
	else if (listener == NULL)
		(void)unknown_end(service, option, text, err);
	return listener;
}

/* An answer must never count for both. */
static int
check_ends(const struct service *service, const struct waves_plan *plan,
    struct error *err)
{
	for (size_t i = 0; i < service_listener_count(service); i++) {
		const struct service_listener *listener =
		    service_listener(service, i);

		if (listener_is(listener, &plan->from) &&
		    listener_is(listener, &plan->to))
			return error_set(err, ERROR_INPUT,
			    "--from and --to both mean listener %s: name two "
			    "that differ",
			    listener->name);
	}
	return 0;
}

static int
read_ends(const struct service *service, const struct arguments *arguments,
    struct waves_plan *plan, struct error *err)
{
	const struct service_listener *to;

	if (read_end(service, "from", arguments->from, &plan->from, err) ==
	    NULL)
		return -1;
	to = read_end(service, "to", arguments->to, &plan->to, err);
	if (to == NULL || check_ends(service, plan, err) != 0)
		return -1;
	/* A certificate of no known CA is trusted as an own root is. */
	plan->ca = to->issuer.ca != NULL ? to->issuer.ca :
					   registry_find_ca("custom-ca");
	return 0;
}

/* ------------------------------------------------------------- options */

/* "90s", "30m", "50h", "2d"; -1 to go on. */
static int
read_duration(const char *text, unsigned *seconds)
{
	static const struct {
		char unit;
		unsigned seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 },
		{ 'd', 24 * 3600 } };
	size_t len = text != NULL ? strlen(text) : 0;
	struct error ignored;
	uint64_t number;

	if (text == NULL)
		return -1;
	for (size_t i = 0; len > 1 && i < LENGTH(units); i++) {
		char *digits;
		int rc;

		if (text[len - 1] != units[i].unit)
			continue;
		digits = xstrndup(text, len - 1);
		rc = text_parse_number(digits, 0,
		    MIN_WAIT_MAX_S / units[i].seconds, &number, &ignored);
		free(digits);
		if (rc != 0)
			break;
		*seconds = (unsigned)number * units[i].seconds;
		return -1;
	}
	cmd_error("--min-wait %s: expected a duration such as 90s, 30m, 50h "
		  "or 2d, at most 366d",
	    text);
	return CMD_USAGE;
}

static int
read_numbers(const struct cmd_syntax *syntax, const struct arguments *arguments,
    struct waves_plan *plan)
{
	const char *threshold = arguments->threshold;
	size_t len = threshold != NULL ? strlen(threshold) : 0;
	uint64_t percent = THRESHOLD_DEFAULT, canary = 0;
	char *digits = NULL;
	int status;

	if (len > 0)
		digits = xstrndup(threshold, len - (threshold[len - 1] == '%'));
	status = cmd_number(syntax, "threshold", digits, 1, 100, &percent);
	free(digits);
	if (status < 0)
		status = cmd_number(syntax, "canary", arguments->canary, 1,
		    1000000, &canary);
	plan->threshold = (unsigned)percent;
	plan->canary = (size_t)canary;
	plan->min_wait_s = MIN_WAIT_DEFAULT_S;
	return status < 0 ?
	    read_duration(arguments->min_wait, &plan->min_wait_s) :
	    status;
}

static int
check_arguments(const struct cmd_syntax *syntax, struct arguments *arguments,
    struct waves_plan *plan)
{
	struct error err;

	if (arguments->from == NULL || arguments->to == NULL ||
	    arguments->rule == NULL) {
		cmd_error("--from, --to and --rule are needed; see %s --help",
		    syntax->name);
		return CMD_USAGE;
	}
	if (wave_shares_parse(&plan->shares, arguments->waves, &err) != 0) {
		cmd_error("--waves %s", err.text);
		return CMD_USAGE;
	}
	if (arguments->model != NULL &&
	    fields_check_model(arguments->model, arguments->model_name, &err) !=
		0) {
		cmd_error("--model: %s", err.text);
		return CMD_USAGE;
	}
	plan->rule = arguments->rule;
	plan->old_rule = arguments->old_rule;
	plan->group = arguments->group;
	plan->model = arguments->model != NULL ? arguments->model_name : NULL;
	plan->unseen = arguments->unseen;
	plan->dry_run = arguments->dry_run;
	return read_numbers(syntax, arguments, plan);
}

/* ------------------------------------------------------------------ start */

static int
start(const struct service *service, const struct arguments *arguments,
    struct waves_plan *plan, struct waves_started *started, struct error *err)
{
	struct knowledge *knowledge;
	struct migrate_files files;
	int rc;

	*started = (struct waves_started) { .devices = 0 };
	if (read_ends(service, arguments, plan, err) != 0 ||
	    migrate_open(&files, service_config(service), "migrate start",
		err) != 0)
		return -1;
	knowledge = ca_load_knowledge(NULL, service_config(service)->inventory);
	if (knowledge == NULL) {
		migrate_close(&files);
		return error_set(err, ERROR_INPUT,
		    "mend the file of own claims first");
	}
	plan->knowledge = knowledge;
	plan->routes = service_routes(service);
	plan->templates = service_templates(service);
	rc = waves_start(files.inventory, files.resyncs, plan, clock_wall(),
	    started, err);
	knowledge_free(knowledge);
	migrate_close(&files);
	return rc;
}

static int
start_with(const struct arguments *arguments, struct waves_plan *plan)
{
	struct config *config = migrate_config(arguments->path);
	struct errors errors = { 0 };
	struct waves_started started;
	struct service *service;
	struct error err = { .kind = ERROR_NONE };
	int status = CMD_DONE;

	if (config == NULL)
		return CMD_FAILED;
	/* All that the server loads: what it cannot serve must not begin. */
	service = service_new(config, &errors);
	if (service == NULL) {
		status = cmd_fail_all(&errors);
	} else if (start(service, arguments, plan, &started, &err) == 0) {
		if (migrate_print_started(&started, arguments->dry_run,
			arguments->json, &err) != 0)
			status = cmd_fail(&err);
	} else {
		status = cmd_fail(&err);
		/* Who was left out, and why, is what there is to know. */
		if (err.kind == ERROR_NOT_FOUND && !arguments->json &&
		    migrate_print_started(&started, true, false, &err) != 0)
			(void)cmd_fail(&err);
	}
	errors_clear(&errors);
	service_release(service);
	return status;
}

int
migrate_start(int argc, char **argv)
{
	struct arguments arguments = { .path = CONFIG_DEFAULT_PATH,
		.waves = WAVES_DEFAULT };
	const struct cmd_option options[] = {
		MIGRATE_OPTIONS(&arguments.path, &arguments.json),
		{ .name = "from",
		    .value = "CA|LISTENER",
		    .help = "whose listener they are at",
		    .text = &arguments.from },
		{ .name = "to",
		    .value = "CA|LISTENER",
		    .help = "whose listener they are moved to",
		    .text = &arguments.to },
		{ .name = "rule",
		    .value = "RULE",
		    .help = "their profile rule there",
		    .text = &arguments.rule },
		{ .name = "old-rule",
		    .value = "RULE",
		    .help = "the one of now (default: each device's own)",
		    .text = &arguments.old_rule },
		{ .name = "waves",
		    .value = "SHARES",
		    .help = "rising, to 100% (" WAVES_DEFAULT ")",
		    .text = &arguments.waves },
		{ .name = "canary",
		    .value = "NUMBER",
		    .help = "devices in a first wave of their own",
		    .text = &arguments.canary },
		{ .name = "threshold",
		    .value = "PERCENT",
		    .help = "share that has to arrive (95%)",
		    .text = &arguments.threshold },
		{ .name = "min-wait",
		    .value = "DURATION",
		    .help = "for a wave, before it is given up (50h)",
		    .text = &arguments.min_wait },
		{ .name = "group",
		    .letter = 'g',
		    .value = "GROUP",
		    .help = "only devices of this group",
		    .text = &arguments.group },
		{ .name = "model",
		    .letter = 'm',
		    .value = "MODEL",
		    .help = "only devices of this model",
		    .text = &arguments.model },
		{ .name = "unseen",
		    .help = "also those that the old listener never answered",
		    .flag = &arguments.unseen },
		{ .name = "dry-run",
		    .letter = 'n',
		    .help = "only say what it would do",
		    .flag = &arguments.dry_run },
	};
	const struct cmd_syntax syntax = { "sprov migrate start", "",
		"Choose the devices that accept the new CA, and begin to move "
		"them in waves.\n",
		options, LENGTH(options), 0, 0 };
	struct waves_plan plan = { .routes = NULL };
	int first, status;

	status = cmd_options(&syntax, argc, argv, &first);
	if (status < 0)
		status = check_arguments(&syntax, &arguments, &plan);
	return status >= 0 ? status : start_with(&arguments, &plan);
}
