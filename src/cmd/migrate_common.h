/*
 * migrate_common.h -- what the parts of "sprov migrate" share.
 */
#ifndef CMD_MIGRATE_COMMON_H
#define CMD_MIGRATE_COMMON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "cmd/cmd.h"
#include "provision/waves.h"

struct config;
struct inventory;
struct resyncs;

int migrate_start(int argc, char **argv);
int migrate_step(int argc, char **argv);
int migrate_run(int argc, char **argv);
int migrate_status(int argc, char **argv);
int migrate_stop(int argc, char **argv);
int migrate_rollback(int argc, char **argv);
int migrate_list(int argc, char **argv);

/* The options of every part; path is CONFIG_DEFAULT_PATH until it is given. */
#define MIGRATE_OPTIONS(path, json_flag) \
	{ .name = "config", \
		.letter = 'c', \
		.value = "FILE", \
		.help = "the server's configuration", \
		.text = (path) }, \
	{ \
		.name = "json", .letter = 'j', .help = "as JSON", \
		.flag = (json_flag) \
	}

/* The two files of the server that a migration works with; change is what they
 * are opened for, as the audit log calls it; NULL: only to read. */
struct migrate_files {
	struct inventory *inventory;
	struct resyncs *resyncs; /* NULL: nothing was recorded yet */
};
int migrate_open(struct migrate_files *files, const struct config *config,
    const char *change, struct error *err) MUST_CHECK;
void migrate_close(struct migrate_files *files);

/* Read the configuration; NULL when that failed, which is said already. */
struct config *migrate_config(const char *path) MUST_CHECK;

/* A table with a bar for each wave, or an object. */
int migrate_print(const struct migration *migration,
    const struct waves_count *count, bool json, struct error *err) MUST_CHECK;

/* Besides, who is left out. */
int migrate_print_started(const struct waves_started *started, bool dry_run,
    bool json, struct error *err) MUST_CHECK;

/* One line for each migration. */
int migrate_print_list(struct inventory *inventory, bool json,
    struct error *err) MUST_CHECK;

#endif
