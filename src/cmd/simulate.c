#include "cmd/simulate.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/simulate_print.h"
#include "cmd/simulate_setup.h"
#include "cmd/simulate_upgrade.h"
#include "pki/seal.h"
#include "sim/report.h"
#include "spa/registry.h"
#include "tftp/packet.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An upgrade makes another device of it. */
struct reborn {
	const struct simulate_arguments *arguments;
	struct simulate_setup *setup;
};

/* The first line of a file: keys do not belong on a command line. */
#define SECRET_FILE_MAX 8192
static int
read_line(const char *path, char **line, struct error *err)
{
	size_t len;

	if (file_read(path, SECRET_FILE_MAX, line, &len, err) != 0)
		return -1;
	(*line)[strcspn(*line, "\r\n")] = '\0';
	return 0;
}

static int
read_secrets(struct simulate_arguments *arguments, struct error *err)
{
	if (arguments->rule != NULL && *arguments->rule == '@') {
		if (read_line(arguments->rule + 1, &arguments->rule_text,
			err) != 0)
			return -1;
		arguments->rule = arguments->rule_text;
	}
	return arguments->ikm != NULL ?
	    read_line(arguments->ikm, &arguments->ikm_text, err) :
	    0;
}

static int
add_resolve(struct simulate_arguments *arguments, const char *text,
    struct error *err)
{
	struct simulate_resolve *entry;
	const char *equals = strchr(text, '=');

	if (equals == NULL || equals == text)
		return error_set(err, ERROR_INPUT,
		    "--resolve %s: expected HOST=ADDRESS", text);
	if (arguments->resolve_count == SIMULATE_RESOLVE_MAX)
		return error_set(err, ERROR_INPUT,
		    "--resolve may be given %d times", SIMULATE_RESOLVE_MAX);
	entry = &arguments->resolve[arguments->resolve_count++];
	entry->host = text;
	entry->host_len = (size_t)(equals - text);
	return addr_parse_host(&entry->address, equals + 1, 0, err);
}

/* ------------------------------------------------------------ one resync */

static int
change_all(struct sim_parameters *parameters, const struct cmd_texts *texts,
    struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < texts->count; i++) {
		const char *equals = strchr(texts->text[i], '=');
		char *name;

		if (equals == NULL || equals == texts->text[i])
			return error_set(err, ERROR_INPUT,
			    "--change %s: expected NAME=VALUE", texts->text[i]);
		name = xstrndup(texts->text[i],
		    (size_t)(equals - texts->text[i]));
		rc = sim_parameters_change(parameters, name, equals + 1, err);
		free(name);
	}
	return rc;
}

/* The resync went well; from now on *result is about the report. */
static void
report(const struct simulate_arguments *arguments,
    const struct simulate_setup *setup, struct sim_result *result)
{
	struct sim_parameters *parameters = sim_parameters_new();
	const struct sim_report_options options = {
		.rule = strcmp(arguments->report, "-") != 0 ?
		    arguments->report :
		    NULL,
		.put = arguments->report_put,
		.gzip = arguments->report_gzip,
	};
	struct error err = { 0 };

	if (sim_parameters_apply(parameters, result->body, result->body_len,
		&err) != 0 ||
	    change_all(parameters, &arguments->changes, &err) != 0) {
		result->outcome = SIM_CORRUPT;
		(void)snprintf(result->reason, sizeof(result->reason), "%.250s",
		    err.text);
	} else {
		sim_result_clear(result);
		sim_report(setup->device, parameters, &options, &setup->network,
		    result);
	}
	sim_parameters_free(parameters);
}

/* What an image has made of it. */
static const struct sim_device *
become(void *arg, const struct firmware *firmware, struct error *err)
{
	struct reborn *reborn = arg;
	struct simulate_setup *setup = reborn->setup;

	setup->firmware = *firmware;
	setup->has_firmware = true;
	(void)snprintf(setup->label, sizeof(setup->label), "%.60s@%.60s",
	    setup->model->name, firmware->text);
	return simulate_make_device(setup, reborn->arguments, err) == 0 ?
	    setup->device :
	    NULL;
}

/* One resync, or as many as upgrades follow it. */
static int
resync(struct simulate_arguments *arguments, struct simulate_setup *setup,
    struct sim_upgrades *upgrades, struct sim_result *result, struct error *err)
{
	struct reborn reborn = { arguments, setup };
	const struct simulate_life life = {
		.rule = setup->rule,
		.images = &setup->images,
		.network = &setup->network,
		.become = become,
		.arg = &reborn,
	};

	if (arguments->upgrade != NULL)
		return simulate_life(&life, setup->device, upgrades, result,
		    err);
	sim_resync(setup->device, setup->rule, &setup->network, result);
	return 0;
}

static void
print(const struct simulate_arguments *arguments,
    const struct simulate_setup *setup, const struct sim_upgrades *upgrades,
    const struct sim_result *result)
{
	/* The profile alone on standard output can be piped on. */
	if (arguments->output != NULL && strcmp(arguments->output, "-") == 0)
		return;
	if (arguments->json) {
		simulate_print_json(setup->label, result,
		    arguments->upgrade != NULL ?
			simulate_upgrades_json(upgrades) :
			NULL);
		return;
	}
	simulate_upgrades_print(setup->model->name, upgrades);
	simulate_print_text(setup->label, result);
}

static int
simulate_one(struct simulate_arguments *arguments)
{
	struct sim_upgrades *upgrades = xcalloc(1, sizeof(*upgrades));
	struct simulate_setup setup = { .model = NULL };
	struct sim_result result;
	struct error err;
	int rc;

	(void)signal(SIGPIPE, SIG_IGN);
	if (simulate_set_up(&setup, arguments, &err) != 0 ||
	    resync(arguments, &setup, upgrades, &result, &err) != 0) {
		simulate_clear(&setup);
		free(upgrades);
		return cmd_fail(&err);
	}
	if (arguments->report != NULL && result.outcome == SIM_PROVISIONED)
		report(arguments, &setup, &result);
	print(arguments, &setup, upgrades, &result);
	if (result.outcome == SIM_UNTRUSTED && setup.trusted != NULL &&
	    anchors_count(setup.trusted) == 0)
		simulate_say_nothing_trusted(&setup, arguments);
	rc = result.outcome == SIM_PROVISIONED &&
		simulate_upgrades_are_good(upgrades) ?
	    CMD_DONE :
	    CMD_PROBLEM;
	if (arguments->output != NULL &&
	    simulate_write_output(arguments->output, &result, &err) != 0)
		rc = cmd_fail(&err);
	sim_result_clear(&result);
	simulate_clear(&setup);
	free(upgrades);
	return rc;
}

/* ------------------------------------------------------------- arguments */

static int
check_arguments(struct simulate_arguments *arguments)
{
	struct error err;

	for (size_t i = 0; i < arguments->resolve_texts.count; i++)
		if (add_resolve(arguments, arguments->resolve_texts.text[i],
			&err) != 0) {
			cmd_error("%s", err.text);
			return CMD_USAGE;
		}
	if (arguments->concurrency > 0 && arguments->lab == NULL) {
		cmd_error("--concurrency needs --lab");
		return CMD_USAGE;
	}
	if (arguments->concurrency == 0 && arguments->as == NULL) {
		cmd_error("which device? name it with --as MODEL[@FIRMWARE]");
		return CMD_USAGE;
	}
	if (arguments->upgrade != NULL && arguments->lab != NULL) {
		cmd_error("--upgrade and --lab exclude each other: a lab has "
			  "no images");
		return CMD_USAGE;
	}
	if ((arguments->certificate == NULL) != (arguments->key == NULL)) {
		cmd_error("--certificate and --key go together");
		return CMD_USAGE;
	}
	return -1;
}

static int
run(struct simulate_arguments *arguments)
{
	int rc = check_arguments(arguments);

	if (rc >= 0)
		return rc;
	if (arguments->concurrency == 0)
		return simulate_one(arguments);
	return simulate_many(arguments->lab, (unsigned)arguments->concurrency,
	    (unsigned)arguments->duration_s, arguments->json);
}

int
cmd_simulate(int argc, char **argv)
{
	struct simulate_arguments a = { .timeout_s = 10, .duration_s = 10 };
	const char *timeout = NULL, *concurrency = NULL, *duration = NULL;
	const char *tftp_block = NULL;
	const struct cmd_option options[] = {
		{ .name = "as",
		    .value = "MODEL[@FW]",
		    .text = &a.as,
		    .help = "which device to be" },
		{ .name = "mac",
		    .value = "MAC",
		    .text = &a.mac,
		    .help = "its MAC address" },
		{ .name = "serial",
		    .value = "SERIAL",
		    .text = &a.serial,
		    .help = "its serial number" },
		{ .name = "certificate",
		    .value = "FILE",
		    .text = &a.certificate,
		    .help = "its client certificate, with --key" },
		{ .name = "key",
		    .value = "FILE",
		    .text = &a.key,
		    .help = "the private key of that" },
		{ .name = "ca",
		    .value = "PATH",
		    .texts = &a.ca_paths,
		    .help = "CA certificates, file or folder; repeatable" },
		{ .name = "ikm",
		    .value = "FILE",
		    .text = &a.ikm,
		    .help =
			"whose first line is its IKM_HTTP_Encrypt_Content" },
		{ .name = "resolve",
		    .value = "HOST=ADDR",
		    .texts = &a.resolve_texts,
		    .help = "what its name server answers; repeatable" },
		{ .name = "dhcp-server",
		    .value = "HOST|URL",
		    .text = &a.dhcp_server,
		    .help = "option 66, for rules that name no host" },
		{ .name = "tftp-block",
		    .value = "BYTES",
		    .text = &tftp_block,
		    .help = "ask for blocks of that size by TFTP" },
		{ .name = "upgrade",
		    .value = "FOLDER",
		    .text = &a.upgrade,
		    .help = "follow Upgrade_Rule; the images are those there" },
		{ .name = "timeout",
		    .value = "SECONDS",
		    .text = &timeout,
		    .help = "for each step (10)" },
		{ .name = "output",
		    .letter = 'o',
		    .value = "FILE",
		    .text = &a.output,
		    .help = "write the profile there; - is standard output" },
		{ .name = "lab",
		    .letter = 'l',
		    .value = "DIRECTORY",
		    .text = &a.lab,
		    .help = "take all but the model from a lab that was kept" },
		{ .name = "concurrency",
		    .value = "N",
		    .text = &concurrency,
		    .help = "with --lab: its whole fleet, N at once" },
		{ .name = "duration",
		    .value = "SECONDS",
		    .text = &duration,
		    .help = "with --concurrency: for how long (10)" },
		{ .name = "report",
		    .value = "RULE",
		    .text = &a.report,
		    .help = "then report so; - is the profile's Report_Rule" },
		{ .name = "report-put",
		    .flag = &a.report_put,
		    .help = "by PUT, not POST" },
		{ .name = "report-gzip",
		    .flag = &a.report_gzip,
		    .help = "compressed" },
		{ .name = "change",
		    .value = "NAME=VALUE",
		    .texts = &a.changes,
		    .help = "before the report, as a user would; repeatable" },
		{ .name = "json",
		    .letter = 'j',
		    .flag = &a.json,
		    .help = "print the result as JSON" },
	};
	const struct cmd_syntax syntax = {
		.name = "sprov simulate",
		.operands = "[RULE]",
		.operands_max = 1,
		.help =
		    "Be a device for one resync and say what it would have "
		    "done, and why.  RULE is a\nURL or a whole profile rule; "
		    "without it the factory's rule;\n@FILE reads it from a "
		    "file, as one with a --key should be.  Of the CAs "
		    "given\nthe "
		    "device trusts those that the registry says it does; "
		    "others count as its\ncustom CA.\n"
		    "Exit status: 0 provisioned, 1 it could not be tried, "
		    "3 not provisioned.\nFor load and storms: sprov simulate "
		    "--fleet 1 --help.\nSee sprov-simulate(1).\n",
		.options = options,
		.option_count = sizeof(options) / sizeof(*options),
	};
	struct error err;
	int first, rc;

	if (simulate_is_fleet(argc, argv))
		return simulate_fleet(argc, argv);
	rc = cmd_options(&syntax, argc, argv, &first);
	if (rc < 0)
		rc = cmd_number(&syntax, "timeout", timeout, 1, 600,
		    &a.timeout_s);
	if (rc < 0)
		rc = cmd_number(&syntax, "tftp-block", tftp_block,
		    TFTP_BLOCK_MIN, TFTP_BLOCK_MAX, &a.tftp_block);
	if (rc < 0)
		rc = cmd_number(&syntax, "concurrency", concurrency, 1, 4096,
		    &a.concurrency);
	if (rc < 0)
		rc = cmd_number(&syntax, "duration", duration, 1, 86400,
		    &a.duration_s);
	if (rc < 0) {
		a.rule = first < argc ? argv[first] : NULL;
		rc = read_secrets(&a, &err) == 0 ? run(&a) : cmd_fail(&err);
	}
	seal_wipe(a.rule_text);
	seal_wipe(a.ikm_text);
	free(a.ca_paths.text);
	free(a.resolve_texts.text);
	free(a.changes.text);
	return rc;
}
