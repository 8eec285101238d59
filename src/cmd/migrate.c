#include "cmd/migrate_common.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cmd/audit.h"
#include "inventory/inventory.h"
#include "inventory/resyncs.h"
#include "server/config_inventory.h"
#include "server/config.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define INTERVAL_DEFAULT_MS 10000
#define INTERVAL_MAX_MS 3600000
/* So many steps may fail one after the other, as when somebody else is writing
 * to the inventory. */
#define FAILURES_MAX 10

struct config *
migrate_config(const char *path)
{
	struct errors errors = { 0 };
	struct config *config = config_load(path, &errors);

	if (config == NULL)
		(void)cmd_fail_all(&errors);
	errors_clear(&errors);
	return config;
}

int
migrate_open(struct migrate_files *files, const struct config *config,
    const char *change, struct error *err)
{
	char *path = file_join(config->state_directory, RESYNCS_FILE);

	*files = (struct migrate_files) { NULL, NULL };
	files->inventory = config_open_inventory(config, change == NULL, NULL,
	    err);
	if (files->inventory != NULL)
		files->resyncs = resyncs_open(path, true, err);
	free(path);
	if (files->inventory == NULL ||
	    (files->resyncs == NULL && err->kind != ERROR_NOT_FOUND)) {
		migrate_close(files);
		return -1;
	}
	if (change != NULL)
		audit_watch(files->inventory, config->inventory,
		    config->state_directory, change);
	*err = (struct error) { 0 };
	return 0;
}

void
migrate_close(struct migrate_files *files)
{
	resyncs_close(files->resyncs);
	inventory_close(files->inventory);
	*files = (struct migrate_files) { NULL, NULL };
}

/* The exit status that a migration's state stands for. */
static int
migrate_exit_status(const struct migration *migration,
    const struct waves_count *count)
{
	switch (migration->state) {
	case MIGRATION_STOPPED:
		return CMD_PROBLEM;
	case MIGRATION_DONE:
		return count->all.moved < count->all.members ? CMD_PROBLEM :
							       CMD_DONE;
	case MIGRATION_RUNNING:
	case MIGRATION_ROLLED_BACK:
		break;
	}
	return CMD_DONE;
}

/* The options that only the file and --json make; returns as cmd_options(). */
static int
simple_options(const char *name, const char *help, const char **path,
    bool *json, int argc, char **argv)
{
	const struct cmd_option options[] = { MIGRATE_OPTIONS(path, json) };
	const struct cmd_syntax syntax = { name, "", help, options,
		LENGTH(options), 0, 0 };
	int first;

	return cmd_options(&syntax, argc, argv, &first);
}

/* The newest migration and its members as they are now. */
static int
look(const struct config *config, struct migration *migration,
    struct waves_count *count, struct error *err)
{
	struct migrate_files files;
	int rc;

	if (migrate_open(&files, config, NULL, err) != 0)
		return -1;
	rc = migration_store_load(files.inventory, 0, migration, err);
	if (rc == 0)
		rc = waves_tally(files.inventory, files.resyncs, migration,
		    count, err);
	migrate_close(&files);
	return rc;
}

static int
look_and_print(const struct config *config, bool json)
{
	struct migration migration;
	struct waves_count count;
	struct error err;

	if (look(config, &migration, &count, &err) != 0 ||
	    migrate_print(&migration, &count, json, &err) != 0)
		return cmd_fail(&err);
	return migrate_exit_status(&migration, &count);
}

int
migrate_status(int argc, char **argv)
{
	const char *path = CONFIG_DEFAULT_PATH;
	struct config *config;
	bool json = false;
	int status;

	status = simple_options("sprov migrate status",
	    "Show the newest migration, with a bar for each wave.\n", &path,
	    &json, argc, argv);
	if (status >= 0)
		return status;
	if ((config = migrate_config(path)) == NULL)
		return CMD_FAILED;
	status = look_and_print(config, json);
	config_free(config);
	return status;
}

int
migrate_list(int argc, char **argv)
{
	const char *path = CONFIG_DEFAULT_PATH;
	struct migrate_files files;
	struct config *config;
	struct error err;
	bool json = false;
	int status;

	status = simple_options("sprov migrate list",
	    "List all migrations, the newest first.\n", &path, &json, argc,
	    argv);
	if (status >= 0)
		return status;
	if ((config = migrate_config(path)) == NULL)
		return CMD_FAILED;
	status = CMD_DONE;
	if (migrate_open(&files, config, NULL, &err) != 0 ||
	    migrate_print_list(files.inventory, json, &err) != 0)
		status = cmd_fail(&err);
	migrate_close(&files);
	config_free(config);
	return status;
}

/* -------------------------------------------------------- step and run */

/* The inventory is open only for the step itself, so that others can change
 * it between two of them. */
static int
step(const struct config *config, struct waves_step *step, struct error *err)
{
	struct migrate_files files;
	int rc;

	if (migrate_open(&files, config, "migrate step", err) != 0)
		return -1;
	rc = waves_step(files.inventory, files.resyncs, clock_wall(), step,
	    err);
	migrate_close(&files);
	return rc;
}

static void
print_step(const struct waves_step *step)
{
	static const char *const events[] = {
		[WAVES_WAITING] = "waiting",
		[WAVES_ADVANCED] = "next wave",
		[WAVES_FINISHED] = "done",
		[WAVES_STOPPED] = "stopped",
	};

	(void)printf("%s: %s\n", events[step->event], step->reason);
	if (step->moved > 0)
		(void)printf("  %zu moved for good\n", step->moved);
	if (step->put_back > 0)
		(void)printf("  %zu put back to their old rule\n",
		    step->put_back);
	(void)fflush(stdout);
}

int
migrate_step(int argc, char **argv)
{
	const char *path = CONFIG_DEFAULT_PATH;
	struct waves_step result;
	struct config *config;
	struct error err;
	bool json = false;
	int status;

	status = simple_options("sprov migrate step",
	    "Look once at the migration that is running, and do what is "
	    "due.\n",
	    &path, &json, argc, argv);
	if (status >= 0)
		return status;
	if ((config = migrate_config(path)) == NULL)
		return CMD_FAILED;
	if (step(config, &result, &err) != 0) {
		status = cmd_fail(&err);
	} else if (json) {
		status = look_and_print(config, true);
	} else {
		print_step(&result);
		status = result.event == WAVES_STOPPED ? CMD_PROBLEM : CMD_DONE;
	}
	config_free(config);
	return status;
}

/* On a terminal the line of a wave is written over itself. */
static void
print_progress(const struct waves_step *step, char *last, size_t size)
{
	bool terminal = isatty(STDOUT_FILENO) == 1;

	if (step->event == WAVES_WAITING && step->moved == 0 &&
	    strcmp(last, step->reason) == 0)
		return;
	(void)snprintf(last, size, "%s", step->reason);
	if (terminal && step->event == WAVES_WAITING) {
		(void)printf("\r\033[K%.78s", step->reason);
		(void)fflush(stdout);
		return;
	}
	if (terminal)
		(void)printf("\r\033[K");
	print_step(step);
}

/* Step until it is over.  Nothing is kept here that a new run would miss. */
static int
run(const struct config *config, unsigned interval_ms, bool quiet,
    struct error *err)
{
	char last[MIGRATION_REASON_MAX + 1] = "";
	struct waves_step result;
	unsigned failures = 0;

	for (;;) {
		if (step(config, &result, err) == 0) {
			failures = 0;
			if (!quiet)
				print_progress(&result, last, sizeof(last));
			if (result.migration.state != MIGRATION_RUNNING)
				return 0;
		} else if (err->kind == ERROR_NOT_FOUND) {
			return 0; /* none runs: what there is is shown */
		} else if (++failures > FAILURES_MAX) {
			return -1;
		} else if (failures == 1) {
			cmd_error("%s (trying again)", err->text);
		}
		(void)usleep(interval_ms * 1000);
	}
}

int
migrate_run(int argc, char **argv)
{
	const char *path = CONFIG_DEFAULT_PATH, *interval_text = NULL;
	bool json = false;
	const struct cmd_option options[] = {
		MIGRATE_OPTIONS(&path, &json),
		{ .name = "interval",
		    .value = "MS",
		    .help = "between two steps, in milliseconds (10000)",
		    .text = &interval_text },
	};
	const struct cmd_syntax syntax = { "sprov migrate run", "",
		"Step until the migration is done or has stopped itself.  It "
		"may be ended and\nstarted again at any time.\n",
		options, LENGTH(options), 0, 0 };
	uint64_t interval_ms = INTERVAL_DEFAULT_MS;
	struct config *config;
	struct error err;
	int first, status;

	status = cmd_options(&syntax, argc, argv, &first);
	if (status < 0)
		status = cmd_number(&syntax, "interval", interval_text, 10,
		    INTERVAL_MAX_MS, &interval_ms);
	if (status >= 0)
		return status;
	if ((config = migrate_config(path)) == NULL)
		return CMD_FAILED;
	status = run(config, (unsigned)interval_ms, json, &err) != 0 ?
	    cmd_fail(&err) :
	    look_and_print(config, json);
	config_free(config);
	return status;
}

/* -------------------------------------------------------------- rollback */

static int
roll_back(const struct config *config, bool json)
{
	struct migration migration;
	struct migrate_files files;
	size_t put_back, changed;
	struct error err;
	int rc;

	if (migrate_open(&files, config, "migrate rollback", &err) != 0)
		return cmd_fail(&err);
	rc = waves_roll_back(files.inventory, clock_wall(), &migration,
	    &put_back, &changed, &err);
	migrate_close(&files);
	if (rc != 0)
		return cmd_fail(&err);
	if (json)
		return look_and_print(config, true);
	(void)printf("migration %" PRId64 ": %zu devices have their previous "
		     "rules again\n",
	    migration.id, put_back);
	if (changed == 0)
		return CMD_DONE;
	(void)printf("%zu were left alone: their rules were changed "
		     "meanwhile\n",
	    changed);
	return CMD_PROBLEM;
}

int
migrate_rollback(int argc, char **argv)
{
	const char *path = CONFIG_DEFAULT_PATH;
	struct config *config;
	bool json = false;
	int status;

	status = simple_options("sprov migrate rollback",
	    "Give all devices of the newest migration their previous rules.\n",
	    &path, &json, argc, argv);
	if (status >= 0)
		return status;
	if ((config = migrate_config(path)) == NULL)
		return CMD_FAILED;
	status = roll_back(config, json);
	config_free(config);
	return status;
}

/* ------------------------------------------------------------------ stop */

static int
stop(const struct config *config, bool json)
{
	struct migration migration;
	struct migrate_files files;
	size_t put_back;
	struct error err;
	int rc;

	if (migrate_open(&files, config, "migrate stop", &err) != 0)
		return cmd_fail(&err);
	rc = waves_stop(files.inventory, clock_wall(), "stopped by hand",
	    &migration, &put_back, &err);
	migrate_close(&files);
	if (rc != 0)
		return cmd_fail(&err);
	if (json)
		return look_and_print(config, true);
	(void)printf("migration %" PRId64 " is stopped: %zu devices on trial "
		     "have their previous rules again\n",
	    migration.id, put_back);
	return CMD_PROBLEM;
}

int
migrate_stop(int argc, char **argv)
{
	const char *path = CONFIG_DEFAULT_PATH;
	struct config *config;
	bool json = false;
	int status;

	status = simple_options("sprov migrate stop",
	    "End the migration that runs, as it would end itself: what was "
	    "moved stays.\n",
	    &path, &json, argc, argv);
	if (status >= 0)
		return status;
	if ((config = migrate_config(path)) == NULL)
		return CMD_FAILED;
	status = stop(config, json);
	config_free(config);
	return status;
}

int
cmd_migrate(int argc, char **argv)
{
	static const struct command commands[] = {
		{ "start", "choose the devices and begin the first wave",
		    migrate_start },
		{ "run", "step until it is done or has stopped itself",
		    migrate_run },
		{ "step", "look once, and do what is due", migrate_step },
		{ "status", "show it, with a bar for each wave",
		    migrate_status },
		{ "stop", "end it; what has moved stays", migrate_stop },
		{ "rollback", "give all devices their previous rules",
		    migrate_rollback },
		{ "list", "list all migrations", migrate_list },
	};

	return cmd_run("sprov migrate", commands, LENGTH(commands), argc, argv);
}
