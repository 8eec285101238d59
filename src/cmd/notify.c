#include "cmd/notify.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "notice/look.h"
#include "notice/send.h"
#include "server/config.h"
#include "server/config_notify.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

/* NULL after a complaint that says which there are. */
static const struct config_notify *
find(const struct config *config, const char *name)
{
	char *names = xstrdup("");

	for (size_t i = 0; i < config->notify_count; i++) {
		char *longer;

		if (strcmp(config->notifies[i].name, name) == 0) {
			free(names);
			return &config->notifies[i];
		}
		longer = xasprintf("%s%s%s", names, i > 0 ? ", " : "",
		    config->notifies[i].name);
		free(names);
		names = longer;
	}
	cmd_error("%s: there is no notify block \"%s\": %s%s", config->path,
	    name,
	    config->notify_count > 0 ? "there are " : "there is none at all",
	    names);
	free(names);
	return NULL;
}

/* As what is really sent, but for its kind and its words. */
static char *
make_sample(const struct config_notify *notify, time_t now)
{
	struct notice notice = {
		.kind = NOTIFY_EXPIRY,
		.key = "test",
		.days = NOTICE_NO_DAYS,
		.devices = 0,
		.text = xstrdup("This is a test of sprov notify: nothing is "
				"wrong."),
		.details = json_pack("{sb}", "test", 1),
	};
	struct notices sample = { xcalloc(1, sizeof(notice)), 1 };
	char *body;

	sample.list[0] = notice;
	body = look_format(notify, &sample.list[0], "test", now);
	notices_clear(&sample);
	return body;
}

static int
send_sample(const struct config_notify *notify)
{
	struct secret secret = { NULL, 0 };
	time_t now = clock_wall();
	struct error err = { 0 };
	char *body = make_sample(notify, now);
	int rc = 0;

	if (notify->secret_file != NULL)
		rc = secret_load(&secret, notify->secret_file, &err);
	/* A program that does not read its input is no reason to die. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (rc == 0)
		rc = send_now(notify, &secret, NOTIFY_EXPIRY, body, now, -1,
		    &err);
	if (rc == 0)
		(void)printf("%s: %s took it\n", notify->name,
		    notify->url != NULL ? notify->url : notify->command[0]);
	secret_clear(&secret);
	free(body);
	return rc == 0 ? CMD_DONE : cmd_fail(&err);
}

static int
notify_test(int argc, char **argv)
{
	const char *path = CONFIG_DEFAULT_PATH;
	const struct cmd_option options[] = {
		{ .name = "config",
		    .letter = 'c',
		    .value = "FILE",
		    .help = "the configuration (" CONFIG_DEFAULT_PATH ")",
		    .text = &path },
	};
	const struct cmd_syntax syntax = {
		.name = "sprov notify test",
		.operands = "NAME",
		.help =
		    "Send a sample to whom the notify block NAME names, "
		    "and say whether it was\ntaken.  See sprov-notify(1).\n",
		.options = options,
		.option_count = LENGTH(options),
		.operands_min = 1,
		.operands_max = 1,
	};
	const struct config_notify *notify;
	struct errors errors = { 0 };
	struct config *config;
	int first, rc;

	rc = cmd_options(&syntax, argc, argv, &first);
	if (rc >= 0)
		return rc;
	config = config_load(path, &errors);
	if (config == NULL) {
		rc = cmd_fail_all(&errors);
		errors_clear(&errors);
		return rc;
	}
	notify = find(config, argv[first]);
	rc = notify != NULL ? send_sample(notify) : CMD_FAILED;
	config_free(config);
	return rc;
}

int
cmd_notify(int argc, char **argv)
{
	static const struct command commands[] = {
		{ "test", "send a sample, and say whether it was taken",
		    notify_test },
	};

	return cmd_run("sprov notify", commands, LENGTH(commands), argc, argv);
}
