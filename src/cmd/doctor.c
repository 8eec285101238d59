#include "cmd/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "cmd/ca_common.h"
#include "cmd/cert_common.h"
#include "cmd/cmd.h"
#include "cmd/device_common.h"
#include "cmd/print.h"
#include "server/config.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define DAY 86400

struct arguments {
	const char *config, *claims, *device, *since, *listener, *syslog;
	bool all, events, no_resolve, json;
	bool expiry, classes, observed, add, exceptions;
};

/* What one run works with. */
struct visit {
	struct doctor *doctor;
	struct doctor_hints *hints;
	const struct doctor_world *world;
	bool print_events;
	const struct mac *mac; /* of the one device that is asked about */
	struct error err;
};

/* "2h", "30m", "7d", or a date. */
static int
parse_since(const char *text, time_t now, time_t *since, struct error *err)
{
	static const struct {
		char unit;
		time_t seconds;
	} units[] = { { 'm', 60 }, { 'h', 3600 }, { 'd', DAY } };
	char digits[16];
	size_t len = strspn(text, "0123456789");
	uint64_t number;

	for (size_t i = 0; i < LENGTH(units); i++) {
		if (len == 0 || len >= sizeof(digits) ||
		    text[len] != units[i].unit || text[len + 1] != '\0')
			continue;
		memcpy(digits, text, len);
		digits[len] = '\0';
		if (text_parse_number(digits, 1, 100000, &number, err) != 0)
			return error_prefix(err, "--since: ");
		*since = now - (time_t)number * units[i].seconds;
		return 0;
	}
	if (cert_parse_date(text, since, err) == 0)
		return 0;
	return error_set(err, ERROR_INPUT,
	    "--since %.40s: expected a number with m, h or d, or a date such "
	    "as 2026-11-25",
	    text);
}

/*
 * Most failures come before any certificate, and their events name nobody: whose
 * they are likely to be is a part of the diagnosis.
 */
static int
visit_event(const struct event *event, void *arg)
{
	struct visit *visit = arg;
	struct diagnosis diagnosis;

	if (visit->mac != NULL &&
	    (event->has_mac ? !mac_equal(&event->mac, visit->mac) :
			      event->kind == EVENT_SERVED))
		return 0;
	/* Most events of most servers. */
	if (visit->mac == NULL && !visit->print_events &&
	    doctor_add_served(visit->doctor, event))
		return 0;
	if (doctor_diagnose(visit->hints, visit->world, event, &diagnosis,
		&visit->err) != 0)
		return 1;
	if (visit->mac != NULL &&
	    (!diagnosis.who.has_mac ||
		!mac_equal(&diagnosis.who.mac, visit->mac)))
		return 0;
	doctor_add(visit->doctor, event, &diagnosis);
	if (visit->print_events)
		doctor_print_event(event, &diagnosis);
	return 0;
}

/* The groups, then the exceptions that end; totals NULL: nothing was recorded
 * yet. */
static int
print(const struct doctor_group *groups, size_t count,
    const struct doctor_totals *totals, const struct config *config,
    const struct arguments *arguments)
{
	const struct doctor_totals none = { 0 };
	struct doctor_exception *exceptions;
	struct error err = { 0 };
	int status = CMD_DONE;

	if (doctor_exceptions_load(config, &exceptions, &err) != 0)
		return cmd_fail(&err);
	if (arguments->json) {
		if (doctor_print_json(groups, count,
			totals != NULL ? totals : &none,
			doctor_exceptions_json(config, exceptions)) != 0)
			status = CMD_FAILED;
	} else {
		if (totals != NULL)
			doctor_print(groups, count, totals,
			    arguments->all || arguments->device != NULL);
		else
			(void)printf("Nothing was recorded yet.\n");
		doctor_exceptions_print(config, exceptions, false);
	}
	if (status == CMD_DONE &&
	    ((totals != NULL && totals->failing > 0) ||
		doctor_exceptions_end(config)))
		status = CMD_PROBLEM;
	free(exceptions);
	return status;
}

static int
show_exceptions(const struct config *config, bool json)
{
	struct doctor_exception *exceptions;
	struct error err = { 0 };
	int status = CMD_DONE;

	if (doctor_exceptions_load(config, &exceptions, &err) != 0)
		return cmd_fail(&err);
	if (json)
		status = ca_print_json(json_pack("{so}", "exceptions",
		    doctor_exceptions_json(config, exceptions)));
	else
		doctor_exceptions_print(config, exceptions, true);
	if (status == CMD_DONE && doctor_exceptions_end(config))
		status = CMD_PROBLEM;
	free(exceptions);
	return status;
}

/* Why there may be nothing, and what to try. */
static void
say_nothing_seen(const struct config *config, const struct arguments *arguments)
{
	const char *names[CONFIG_LISTENERS_MAX], *nearest = NULL;
	bool known = arguments->listener == NULL;

	for (size_t i = 0; i < config->listener_count; i++) {
		names[i] = config->listeners[i].name;
		known = known || strcmp(names[i], arguments->listener) == 0;
	}
	if (!known)
		nearest = text_nearest(arguments->listener, names,
		    config->listener_count);
	if (!known)
		(void)cmd_wrapf(0, 0,
		    "There is no listener \"%s\" in the configuration%s%s%s.",
		    arguments->listener,
		    nearest != NULL ? "; did you mean \"" : "",
		    nearest != NULL ? nearest : "",
		    nearest != NULL ? "\"?" : "");
	else if (arguments->device != NULL)
		(void)cmd_wrapf(0, 0,
		    "Nothing was seen of %s in that time, not even a "
		    "connection that could be its: it did not come here. "
		    "--since 30d looks further back; \"sprov device resync "
		    "%s\" tells it to come, and \"sprov doctor "
		    "--phone-syslog\" hears what it says itself.",
		    arguments->device, arguments->device);
	else
		(void)cmd_wrapf(0, 0,
		    "Nothing came in that time; --since 30d looks further "
		    "back.");
	(void)putchar('\n');
}

static int
examine(struct events *events, const struct doctor_world *world,
    const struct events_query *query, const struct config *config,
    const struct arguments *arguments)
{
	struct visit visit = { .doctor = doctor_new(),
		.hints = doctor_hints_new(events),
		.world = world,
		.print_events = arguments->events && !arguments->json,
		.mac = query->mac };
	struct events_query all = *query;
	const struct doctor_group *groups;
	struct doctor_totals totals;
	struct error err = { 0 };
	size_t count;
	int rc, status = CMD_DONE;

	all.mac = NULL;
	rc = events_each(events, &all, visit_event, &visit, &err);
	if (rc != 0) {
		status = cmd_fail(rc < 0 ? &err : &visit.err);
		goto out;
	}
	groups = doctor_groups(visit.doctor, &count, &totals);
	if (totals.events == 0 && !arguments->json)
		say_nothing_seen(config, arguments);
	status = print(groups, count, &totals, config, arguments);
out:
	doctor_hints_free(visit.hints);
	doctor_free(visit.doctor);
	return status;
}

static int
open_events(struct events **events, const struct config *config,
    struct error *err)
{
	char *path = file_join(config->state_directory, EVENTS_FILE);

	*events = events_open(path, true, err);
	free(path);
	return *events != NULL ? 0 : -1;
}

static int
prepare(struct events_query *query, const struct arguments *arguments,
    struct mac *mac, struct error *err)
{
	time_t now = clock_wall();

	query->since = now - DAY;
	query->kind = -1;
	query->listener = arguments->listener;
	if (arguments->since != NULL &&
	    parse_since(arguments->since, now, &query->since, err) != 0)
		return -1;
	if (arguments->device == NULL)
		return 0;
	if (mac_parse(mac, arguments->device, err) != 0)
		return error_prefix(err, "--device: ");
	query->mac = mac;
	return 0;
}

static int
observe(struct events *events, const struct doctor_world *world,
    const struct events_query *query, const struct arguments *arguments,
    const struct config *config)
{
	char *path = ca_claims_path(arguments->claims, config->inventory);
	const struct doctor_observed_options how = { arguments->json,
		arguments->add, path };
	int status = doctor_observed(events, world, query, &how);

	free(path);
	return status;
}

static int
listen_to_phones(const struct config *config, const struct arguments *arguments)
{
	struct doctor_world world = { 0 };
	int status = CMD_FAILED;

	if (doctor_world_load(&world, config, arguments->claims,
		!arguments->no_resolve) == 0)
		status = doctor_syslog(config, &world, arguments->syslog,
		    arguments->json);
	doctor_world_clear(&world);
	return status;
}

static int
run(const struct arguments *arguments)
{
	struct doctor_world world = { 0 };
	struct events_query query = { 0 };
	struct config *config = NULL;
	struct events *events = NULL;
	struct error err = { 0 };
	struct mac mac;
	int status = CMD_FAILED;

	if (prepare(&query, arguments, &mac, &err) != 0) {
		(void)cmd_fail(&err);
		return CMD_USAGE;
	}
	if (cert_load_config(arguments->config, &config) != 0)
		return CMD_FAILED;
	if (config == NULL) {
		cmd_error("%s: not there: name the configuration with "
			  "--config",
		    CONFIG_DEFAULT_PATH);
		return CMD_FAILED;
	}
	/* A server that nobody came to yet is no trouble, and no failure. */
	if (arguments->syslog != NULL)
		status = listen_to_phones(config, arguments);
	else if (arguments->exceptions)
		status = show_exceptions(config, arguments->json);
	else if (open_events(&events, config, &err) != 0 &&
	    (err.kind != ERROR_NOT_FOUND ||
		(!arguments->expiry && !arguments->classes)))
		status = err.kind == ERROR_NOT_FOUND ?
		    print(NULL, 0, NULL, config, arguments) :
		    cmd_fail(&err);
	else if (arguments->expiry)
		status = doctor_expiry(events, config, arguments->json);
	else if (arguments->classes)
		status = doctor_classes(events, arguments->json);
	else if (doctor_world_load(&world, config, arguments->claims,
		     !arguments->no_resolve) == 0)
		status = arguments->observed ?
		    observe(events, &world, &query, arguments, config) :
		    examine(events, &world, &query, config, arguments);
	doctor_world_clear(&world);
	events_close(events);
	config_free(config);
	return status;
}

int
cmd_doctor(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	const struct cmd_option options[] = {
		CERT_CONFIG_OPTION(&arguments.config),
		{ .name = "device",
		    .letter = 'd',
		    .value = "MAC",
		    .help = "only this device",
		    .text = &arguments.device },
		{ .name = "listener",
		    .letter = 'l',
		    .value = "NAME",
		    .help = "only this listener",
		    .text = &arguments.listener },
		{ .name = "since",
		    .letter = 's',
		    .value = "TIME",
		    .help = "30m, 12h, 7d or a date (default: 24h)",
		    .text = &arguments.since },
		{ .name = "all",
		    .letter = 'a',
		    .help = "also what has recovered since",
		    .flag = &arguments.all },
		{ .name = "events",
		    .letter = 'e',
		    .help = "also each event by itself",
		    .flag = &arguments.events },
		{ .name = "expiry",
		    .letter = 'x',
		    .help = "when the certificates of devices end",
		    .flag = &arguments.expiry },
		{ .name = "classes",
		    .help = "the ClientHello classes that were learned",
		    .flag = &arguments.classes },
		{ .name = "exceptions",
		    .help =
			"the named exceptions: whom they let in, until when",
		    .flag = &arguments.exceptions },
		{ .name = "observed",
		    .letter = 'o',
		    .help = "what the events say about who trusts which CA",
		    .flag = &arguments.observed },
		{ .name = "add",
		    .help = "with --observed: into your own claims",
		    .flag = &arguments.add },
		{ .name = "phone-syslog",
		    .value = "ADDRESS:PORT",
		    .help = "what devices say themselves, until interrupted",
		    .text = &arguments.syslog },
		{ .name = "claims",
		    .value = "FILE",
		    .help = "your own claims (default: $SPROV_CLAIMS)",
		    .text = &arguments.claims },
		{ .name = "no-resolve",
		    .help = "do not look up the names of our certificates",
		    .flag = &arguments.no_resolve },
		CA_JSON_OPTION(&arguments.json),
	};
	const struct cmd_syntax syntax = { "sprov doctor", "",
		"Say what fails on this server's listeners, why, for how many "
		"devices, and what\nto do about it.\n"
		"Exit status: 3 when devices fail that were not served "
		"since, or a named\nexception ends.\n",
		options, LENGTH(options), 0, 0 };
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	return status >= 0 ? status : run(&arguments);
}
