/*
 * admin_common.h -- what the commands of "sprov admin" share.
 */
#ifndef CMD_ADMIN_COMMON_H
#define CMD_ADMIN_COMMON_H

#include <stdbool.h>

#include <jansson.h>

#include "cmd/cmd.h"
#include "inventory/admins.h"
#include "server/config.h"

#define ADMIN_CONFIG_OPTION(variable) \
	{ \
		.name = "config", .letter = 'c', .value = "FILE", \
		.help = "the server's configuration", .text = &(variable) \
	}

/* The accounts of the server with that configuration; NULL: all is said.  *path
 * is for admin_close(), also then.  change is what for, as the audit log calls
 * it; NULL: only to read. */
struct admins *
admin_open(const char *config_path, const char *change, char **path);
void admin_close(struct admins *admins, char *path);

/* json is taken. */
int admin_print_json(json_t *json);

/* A command that only prints what there is; name and help as in cmd_syntax. */
int admin_list(const char *name, const char *help,
    int (*print)(struct admins *admins, bool json), int argc, char **argv);

/* admin_account.c */
int admin_account_add(int argc, char **argv);
int admin_account_list(int argc, char **argv);
int admin_account_reset(int argc, char **argv);
int admin_account_remove(int argc, char **argv);

#endif
