#include "cmd/cmd.h"
#include "cmd/lab_print.h"
#include "lab/lab.h"

#include <signal.h>
#include <unistd.h>

/* For the signal handler, which has to end the server with us. */
static struct lab_report report;

static void
on_interrupt(int signal)
{
	if (report.server_pid > 0)
		(void)kill(report.server_pid, SIGTERM);
	_exit(128 + signal);
}

static int
run_lab(const struct lab_options *options, bool json)
{
	struct error err;
	int rc = lab_run(options, &report, &err);

	lab_print_progress(NULL, NULL, 0, 0);
	if (rc != 0) {
		rc = cmd_fail(&err);
		if (report.directory != NULL)
			cmd_error("what was made is in %s", report.directory);
	} else {
		if (json)
			lab_print_json(&report);
		else
			lab_print_text(&report);
		rc = report.passed ? CMD_DONE : CMD_PROBLEM;
	}
	lab_report_clear(&report);
	return rc;
}

int
cmd_lab(int argc, char **argv)
{
	struct lab_options lab = { .progress = lab_print_progress };
	bool json = false;
	const struct cmd_option options[] = {
		{ .name = "dir",
		    .letter = 'd',
		    .value = "DIRECTORY",
		    .help = "where to put everything: new or empty",
		    .text = &lab.directory },
		{ .name = "keep",
		    .letter = 'k',
		    .flag = &lab.keep,
		    .help = "leave the server running, say what to try" },
		{ .name = "json",
		    .letter = 'j',
		    .flag = &json,
		    .help = "print the results as JSON" },
	};
	const struct cmd_syntax syntax = {
		.name = "sprov lab",
		.operands = "",
		.help =
		    "Try the whole job on this machine: make a PKI like "
		    "the real one, start a server\nwith one listener per CA, "
		    "let every model connect to all of them and fetch its\n"
		    "profile.  Without --dir the folder is removed when all "
		    "went well.\n"
		    "Exit status: 0 all as expected, 1 it could not be run, "
		    "3 something was not as\nexpected.  See sprov-lab(1).\n",
		.options = options,
		.option_count = sizeof(options) / sizeof(*options),
	};
	const struct sigaction interrupt = { .sa_handler = on_interrupt };
	int first, rc;

	rc = cmd_options(&syntax, argc, argv, &first);
	if (rc >= 0)
		return rc;
	(void)sigaction(SIGINT, &interrupt, NULL);
	(void)sigaction(SIGTERM, &interrupt, NULL);
	return run_lab(&lab, json);
}
