/*
 * "sprov device resync": tell devices to fetch their profile now, by SIP or by
 * their web page, and see whether they do.
 */
#include "cmd/device_resync.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "reach/web.h"
#include "server/config.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

struct arguments {
	const char *uri, *config, *group, *event, *url, *address;
	const char *rate, *timeout, *wait, *line;
	bool web, json;
	uint64_t line_number;
};

/* The server's state, if it is on this machine. */
static struct resyncs *
open_resyncs(const char *given)
{
	const char *path = given != NULL ? given : CONFIG_DEFAULT_PATH;
	struct errors errors = { 0 };
	struct error err = { 0 };
	struct resyncs *resyncs = NULL;
	struct config *config = given != NULL || access(path, R_OK) == 0 ?
	    config_load(path, &errors) :
	    NULL;

	if (config == NULL && errors.count > 0) {
		(void)cmd_fail_all(&errors);
	} else if (config != NULL) {
		char *file = file_join(config->state_directory, RESYNCS_FILE);

		resyncs = resyncs_open(file, true, &err);
		free(file);
	}
	if (resyncs == NULL)
		cmd_error("whether devices come back is not followed: %s",
		    err.text[0] != '\0' ?
			err.text :
			"name the server's configuration with --config");
	config_free(config);
	errors_clear(&errors);
	return resyncs;
}

/* By SIP */

/* Those that can be sent to, as libre's side knows them. */
struct sending {
	struct resync_run *run;
	size_t *index; /* of the target */
};

static void
on_started(size_t index, void *arg)
{
	const struct sending *sending = arg;

	sending->run->targets[sending->index[index]].sent_ms =
	    clock_monotonic_ms();
}

static void
on_done(size_t index, const struct agent_result *result, void *arg)
{
	const struct sending *sending = arg;

	sending->run->targets[sending->index[index]].result = *result;
	resync_progress(sending->run, "asked", ++sending->run->done,
	    sending->run->count);
}

static int
send_notify(struct resync_run *run, struct error *err)
{
	struct agent_target *list = xcalloc(run->count, sizeof(*list));
	struct sending sending = { run,
		xcalloc(run->count, sizeof(*sending.index)) };
	const struct agent_options options = { .rate = (unsigned)run->rate,
		.timeout_ms = (unsigned)run->timeout_s * 1000,
		.done = on_done,
		.started = on_started,
		.arg = &sending };
	size_t count = 0;
	int rc;

	for (size_t i = 0; i < run->count; i++) {
		const struct resync_target *target = &run->targets[i];

		if (target->lacks != NULL)
			continue;
		sending.index[count] = i;
		list[count++] = (struct agent_target) { .addr = target->addr,
			.user = target->user,
			.event = run->event,
			.login = target->login,
			.password = target->password };
	}
	rc = agent_notify(list, count, &options, err);
	/* Who stops it does not want to wait, either. */
	for (size_t i = 0; i < count; i++)
		if (run->targets[sending.index[i]].result.outcome ==
		    AGENT_STOPPED)
			run->wait_s = 0;
	free(sending.index);
	free(list);
	return rc;
}

/* By the web page, one after the other. */
static void
ask_pages(struct resync_run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		struct resync_target *target = &run->targets[i];
		const struct web_target web = { .addr = target->addr,
			.path = run->path,
			.login = target->login,
			.password = target->password };
		uint64_t begin = clock_monotonic_ms(), took;

		resync_progress(run, "asked", i, run->count);
		if (target->lacks != NULL)
			continue;
		target->sent_ms = begin;
		web_resync(&web, (unsigned)run->timeout_s * 1000,
		    &target->result);
		took = clock_monotonic_ms() - begin;
		if (i + 1 < run->count && took < 1000 / run->rate)
			(void)usleep((useconds_t)(1000 / run->rate - took) *
			    1000);
	}
	resync_progress(run, "asked", run->count, run->count);
}

/* Options */

static bool
is_event(const char *text)
{
	/* [MPP-PROV], [ATA19X-PROV]; check-sync: [WAZO]. */
	static const char *const events[] = { "resync", "report", "reboot_now",
		"restart_now", "check-sync" };

	for (size_t i = 0; i < LENGTH(events); i++)
		if (strcmp(text, events[i]) == 0)
			return true;
	cmd_error("--event: \"%s\" is none that devices know: expected resync, "
		  "report, reboot_now, restart_now or check-sync",
	    text);
	return false;
}

/* What follows the '?' stands in a request line. */
static bool
is_url(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (!isgraph((unsigned char)text[i]) || text[i] == '#' ||
		    len > 1024) {
			cmd_error("--url: expected at most 1024 printable "
				  "characters without blanks, as in "
				  "https://prov.example.net/$MA.cfg");
			return false;
		}
	return true;
}

static int
read_numbers(const struct cmd_syntax *syntax, struct arguments *arguments,
    struct resync_run *run)
{
	struct {
		const char *name, *text;
		uint64_t min, max, *number;
	} numbers[] = {
		{ "rate", arguments->rate, 1, AGENT_RATE_MAX, &run->rate },
		{ "timeout", arguments->timeout, 1, 300, &run->timeout_s },
		{ "wait", arguments->wait, 0, 86400, &run->wait_s },
		{ "line", arguments->line, 1, 32, &arguments->line_number },
	};

	for (size_t i = 0; i < LENGTH(numbers); i++) {
		int status = cmd_number(syntax, numbers[i].name,
		    numbers[i].text, numbers[i].min, numbers[i].max,
		    numbers[i].number);

		if (status >= 0)
			return status;
	}
	return -1;
}

static int
run_all(struct resync_run *run, const struct arguments *arguments, char **macs,
    size_t mac_count)
{
	struct inventory *inventory = device_open(arguments->uri, NULL);
	struct error err = { 0 };
	int rc;

	if (inventory == NULL)
		return CMD_FAILED;
	rc = resync_find_targets(run, inventory, macs, mac_count,
	    arguments->group, arguments->line_number, arguments->address, &err);
	inventory_close(inventory);
	/* A report goes elsewhere: no profile is fetched. */
	if (rc == 0 && run->wait_s > 0 &&
	    !(run->event != NULL && strcmp(run->event, "report") == 0))
		run->resyncs = open_resyncs(arguments->config);
	if (rc == 0)
		rc = resync_look(run, &err);
	if (rc == 0 && run->event != NULL)
		rc = send_notify(run, &err);
	else if (rc == 0)
		ask_pages(run);
	if (rc == 0)
		rc = resync_follow(run, &err);
	resyncs_close(run->resyncs);
	return rc == 0 ? resync_print(run) : cmd_fail(&err);
}

int
device_resync(int argc, char **argv)
{
	struct arguments arguments = { .line_number = 1 };
	struct resync_run run = { .rate = 10, .timeout_s = 10, .wait_s = 120 };
	const struct cmd_option options[] = {
		DEVICE_INVENTORY_OPTION(&arguments.uri),
		{ .name = "config",
		    .letter = 'c',
		    .value = "FILE",
		    .help = "of the server: where it records who came",
		    .text = &arguments.config },
		{ .name = "group",
		    .letter = 'g',
		    .value = "GROUP",
		    .help = "all devices of it and of the groups below it",
		    .text = &arguments.group },
		{ .name = "event",
		    .letter = 'e',
		    .value = "NAME",
		    .help = "resync (default), report, reboot_now, check-sync",
		    .text = &arguments.event },
		{ .name = "line",
		    .value = "N",
		    .help = "whose credentials to use (1)",
		    .text = &arguments.line },
		{ .name = "address",
		    .letter = 'a',
		    .value = "ADDR",
		    .help = "of the one device, instead of its variable",
		    .text = &arguments.address },
		{ .name = "web",
		    .letter = 'w',
		    .help = "by the device's web page instead of SIP",
		    .flag = &arguments.web },
		{ .name = "url",
		    .value = "URL",
		    .help = "with --web: from there, not by its rules",
		    .text = &arguments.url },
		{ .name = "rate",
		    .letter = 'r',
		    .value = "N",
		    .help = "devices a second (10)",
		    .text = &arguments.rate },
		{ .name = "timeout",
		    .value = "SECONDS",
		    .help = "for the answer of a device (10)",
		    .text = &arguments.timeout },
		{ .name = "wait",
		    .value = "SECONDS",
		    .help = "for devices to come back (120); 0: do not",
		    .text = &arguments.wait },
		{ .name = "json",
		    .letter = 'j',
		    .help = "print as JSON",
		    .flag = &arguments.json },
	};
	const struct cmd_syntax syntax = { "sprov device resync", "[MAC...]",
		"Tell devices to fetch their profile now, and see whether they "
		"do.\nExit status: 0 all did, 3 some did not.\n",
		options, LENGTH(options), 0, -1 };
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);
	char *path = NULL;

	if (status < 0)
		status = read_numbers(&syntax, &arguments, &run);
	if (status >= 0)
		return status;
	if (first == argc && arguments.group == NULL) {
		cmd_error("name devices, or a group with --group; see sprov "
			  "device resync --help");
		return CMD_USAGE;
	}
	if (arguments.address != NULL &&
	    (argc - first != 1 || arguments.group != NULL)) {
		cmd_error("--address is that of one device");
		return CMD_USAGE;
	}
	if (arguments.web ? arguments.event != NULL : arguments.url != NULL) {
		cmd_error("--event is for SIP, --url for --web");
		return CMD_USAGE;
	}
	if ((arguments.event != NULL && !is_event(arguments.event)) ||
	    (arguments.url != NULL && !is_url(arguments.url)))
		return CMD_USAGE;
	if (!arguments.web)
		run.event = arguments.event != NULL ? arguments.event :
						      "resync";
	path = xasprintf(WEB_PATH "%s%s", arguments.url != NULL ? "?" : "",
	    arguments.url != NULL ? arguments.url : "");
	run.path = path;
	run.json = arguments.json;
	status = run_all(&run, &arguments, argv + first,
	    (size_t)(argc - first));
	resync_clear_targets(&run);
	free(path);
	return status;
}
