#include "cmd/check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mac.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/ca_common.h"
#include "cmd/ca_fleet.h"
#include "cmd/cmd.h"
#include "cmd/device_common.h"
#include "pki/chain.h"
#include "spa/trust.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define FIRMWARE_MAX 32 /* versions of one model that make a difference */

struct arguments {
	struct cmd_texts as, resolve;
	const char *inventory, *claims, *mac, *certificate, *key, *timeout;
	bool all, use_inventory, json;
};

/* ------------------------------------------------------------- subjects */

static void
add_subject(struct check_report *report, const struct model *model,
    const struct firmware *firmware, size_t count)
{
	struct check_subject *subject;

	report->subjects = xrealloc(report->subjects,
	    (report->subject_count + 1) * sizeof(*report->subjects));
	subject = &report->subjects[report->subject_count++];
	*subject = (struct check_subject) { .model = model, .count = count };
	if (firmware != NULL) {
		subject->firmware = *firmware;
		subject->has_firmware = true;
	}
}

static int
add_named(struct check_report *report, const struct cmd_texts *as)
{
	for (size_t i = 0; i < as->count; i++) {
		const struct model *model;
		struct firmware firmware;
		bool has_firmware;

		if (ca_parse_device(as->text[i], &model, &firmware,
			&has_firmware) != 0)
			return -1;
		add_subject(report, model, has_firmware ? &firmware : NULL, 1);
	}
	return 0;
}

/* Every model at every firmware that the facts distinguish. */
static void
add_all(struct check_report *report)
{
	for (size_t i = 0; i < registry_model_count; i++) {
		const struct model *model = &registry_models[i];
		struct firmware list[FIRMWARE_MAX];
		size_t count = trust_distinct_firmware(model, list,
		    FIRMWARE_MAX);

		for (size_t j = 0; j < count; j++)
			add_subject(report, model, &list[j], 1);
		if (count == 0)
			add_subject(report, model, NULL, 1);
	}
}

/* Those first of which there are most; then by name. */
static int
by_devices(const void *a, const void *b)
{
	const struct check_subject *one = a, *other = b;
	int order;

	if (one->count != other->count)
		return one->count < other->count ? 1 : -1;
	order = strcmp(one->model->name, other->model->name);
	return order != 0 ? order :
			    strcmp(one->firmware.text, other->firmware.text);
}

static int
add_inventory(struct check_report *report, const struct arguments *arguments)
{
	struct ca_fleet fleet;
	int rc = ca_fleet_load(&fleet, arguments->inventory);

	if (rc == 0 && arguments->use_inventory && !fleet.present) {
		cmd_error("there is no inventory: name one with --inventory, "
			  "or models with --as");
		rc = -1;
	}
	for (size_t i = 0; i < fleet.group_count && rc == 0; i++)
		add_subject(report, fleet.groups[i].model,
		    fleet.groups[i].has_firmware ? &fleet.groups[i].firmware :
						   NULL,
		    fleet.groups[i].count);
	if (report->subject_count > 0)
		qsort(report->subjects, report->subject_count,
		    sizeof(*report->subjects), by_devices);
	report->counted = fleet.present && fleet.group_count > 0;
	ca_fleet_clear(&fleet);
	return rc;
}

/* Those that are named; else the inventory's; else all there are. */
static int
find_subjects(struct check_report *report, const struct arguments *arguments)
{
	if (arguments->as.count > 0)
		return add_named(report, &arguments->as);
	if (!arguments->all && add_inventory(report, arguments) != 0)
		return -1;
	if (report->subject_count == 0)
		add_all(report);
	return 0;
}

/* ------------------------------------------------------------ the check */

static void
judge(struct check_subject *subject, const struct check_view *views,
    size_t count, const struct knowledge *knowledge, time_t now)
{
	for (size_t i = 0; i < count; i++) {
		struct check_verdict verdict;

		check_judge(&views[i], subject->model,
		    subject->has_firmware ? &subject->firmware : NULL,
		    knowledge, now, &verdict);
		if (i > 0 && verdict.answer != subject->verdict.answer)
			subject->addresses_differ = true;
		if (i > 0 && verdict.answer <= subject->verdict.answer)
			continue;
		subject->verdict = verdict;
		memcpy(subject->address, views[i].address,
		    sizeof(subject->address));
	}
}

static void
show_progress(const struct check_report *report, size_t done)
{
	if (isatty(STDERR_FILENO) == 1)
		(void)fprintf(stderr, "\r%zu of %zu kinds of device%s", done,
		    report->subject_count,
		    done == report->subject_count ? "\r\033[K" : "");
}

static int
check_all(struct check_report *report, struct check_seen *seen,
    const struct check_target *target, const struct knowledge *knowledge,
    struct error *err)
{
	for (size_t i = 0; i < report->subject_count; i++) {
		struct check_subject *subject = &report->subjects[i];
		const struct check_view *views = check_look_as(seen, target,
		    subject->model,
		    subject->has_firmware ? &subject->firmware : NULL, err);

		if (views == NULL)
			return -1;
		judge(subject, views, seen->address_count, knowledge,
		    report->now);
		show_progress(report, i + 1);
	}
	return 0;
}

static int
read_url(struct check_target *target, const char *text, struct error *err)
{
	/* A host alone: its TLS is looked at, and nothing asked for. */
	char *full = text_starts(text, "https://") &&
		strchr(text + strlen("https://"), '/') == NULL ?
	    xasprintf("%s/", text) :
	    xstrdup(text);
	int rc = url_parse(&target->url, full, err);

	free(full);
	if (rc != 0)
		return rc;
	if (target->url.scheme != URL_HTTPS || *target->url.host == '\0')
		return error_set(err, ERROR_INPUT,
		    "%.200s: expected https://HOST[:PORT][/PATH]: only there a "
		    "certificate is shown",
		    text);
	target->ask = strcmp(target->url.path, "/") != 0;
	return 0;
}

static int
check_resolve(const struct arguments *arguments, struct error *err)
{
	for (size_t i = 0; i < arguments->resolve.count; i++) {
		const char *text = arguments->resolve.text[i];
		const char *equals = strchr(text, '=');
		struct addr address;

		if (equals == NULL || equals == text)
			return error_set(err, ERROR_INPUT,
			    "--resolve %s: expected HOST=ADDRESS", text);
		if (addr_parse_host(&address, equals + 1, 443, err) != 0)
			return error_prefix(err, "--resolve %s: ", text);
	}
	return 0;
}

static int
prepare(struct check_target *target, const struct arguments *arguments,
    const char *url, struct mac *mac, struct chain **identity,
    struct error *err)
{
	if (read_url(target, url, err) != 0 ||
	    check_resolve(arguments, err) != 0)
		return -1;
	target->resolve = arguments->resolve.text;
	target->resolve_count = arguments->resolve.count;
	if (arguments->mac != NULL) {
		if (mac_parse(mac, arguments->mac, err) != 0)
			return error_prefix(err, "--mac: ");
		target->mac = mac;
	}
	if ((arguments->certificate == NULL) != (arguments->key == NULL))
		return error_set(err, ERROR_INPUT,
		    "--certificate and --key go together");
	if (arguments->certificate != NULL) {
		*identity = chain_load(arguments->certificate, arguments->key,
		    err);
		if (*identity == NULL)
			return -1;
		target->identity = *identity;
	}
	return 0;
}

/* Is there anything to do before all of them are provisioned? */
static bool
has_problem(const struct check_report *report)
{
	for (size_t i = 0; i < report->subject_count; i++)
		if (report->subjects[i].verdict.answer != CHECK_WILL)
			return true;
	return false;
}

static int
run(const struct arguments *arguments, const char *url, uint64_t timeout_ms)
{
	struct check_target target = { .timeout_ms = (unsigned)timeout_ms };
	struct check_seen seen = { 0 };
	struct check_report report = {
		.url = url, .seen = &seen, .now = clock_wall()
	};
	struct knowledge *knowledge = NULL;
	struct chain *identity = NULL;
	struct error err = { 0 };
	struct mac mac;
	int status = CMD_FAILED;

	if (prepare(&target, arguments, url, &mac, &identity, &err) != 0) {
		status = cmd_fail(&err);
		goto out;
	}
	knowledge = ca_load_knowledge(arguments->claims, arguments->inventory);
	if (knowledge == NULL || find_subjects(&report, arguments) != 0)
		goto out;
	if (check_find_addresses(&seen, &target, &err) != 0 ||
	    check_all(&report, &seen, &target, knowledge, &err) != 0) {
		status = cmd_fail(&err);
		goto out;
	}
	if (!arguments->json)
		check_print(&report);
	else if (check_print_json(&report) != 0)
		goto out;
	status = has_problem(&report) ? CMD_PROBLEM : CMD_DONE;
out:
	check_seen_clear(&seen);
	free(report.subjects);
	knowledge_free(knowledge);
	chain_free(identity);
	return status;
}

int
cmd_check(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	uint64_t timeout_ms = 5000;
	const struct cmd_option options[] = {
		{ .name = "as",
		    .letter = 'a',
		    .value = "MODEL[@FW]",
		    .help = "be this device; may be given again",
		    .texts = &arguments.as },
		{ .name = "all",
		    .letter = 'A',
		    .help = "be every model at every firmware that matters",
		    .flag = &arguments.all },
		{ .name = "fleet",
		    .letter = 'f',
		    .help = "be the devices of the inventory (the default, "
			    "where there is one)",
		    .flag = &arguments.use_inventory },
		DEVICE_INVENTORY_OPTION(&arguments.inventory),
		CA_CLAIMS_OPTION(&arguments.claims),
		{ .name = "mac",
		    .letter = 'm',
		    .value = "MAC",
		    .help = "what $MA, $MAU and $MAC of the path stand for",
		    .text = &arguments.mac },
		{ .name = "certificate",
		    .letter = 'C',
		    .value = "FILE",
		    .help = "a device's certificate to show",
		    .text = &arguments.certificate },
		{ .name = "key",
		    .letter = 'k',
		    .value = "FILE",
		    .help = "and its key",
		    .text = &arguments.key },
		{ .name = "resolve",
		    .letter = 'r',
		    .value = "HOST=ADDRESS",
		    .help = "instead of DNS; may be given again",
		    .texts = &arguments.resolve },
		{ .name = "timeout",
		    .letter = 't',
		    .value = "MS",
		    .help = "for each of connecting, TLS, answer "
			    "(default: 5000)",
		    .text = &arguments.timeout },
		CA_JSON_OPTION(&arguments.json),
	};
	const struct cmd_syntax syntax = { "sprov check",
		"https://HOST[:PORT][/PATH]",
		"Be devices in front of a server, ours or another's, and say "
		"which of them it\nprovisions, which not and why.  Without a "
		"path only TLS is looked at.  Nothing\nsecret is sent.\n"
		"Exit status: 3 unless all of them will be provisioned.\n",
		options, LENGTH(options), 1, 1 };
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status < 0)
		status = cmd_number(&syntax, "timeout", arguments.timeout, 1,
		    600000, &timeout_ms);
	if (status < 0) {
		(void)signal(SIGPIPE, SIG_IGN);
		status = run(&arguments, argv[first], timeout_ms);
	}
	free(arguments.as.text);
	free(arguments.resolve.text);
	return status;
}
