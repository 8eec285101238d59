/*
 * Accounts of people.  A password is never typed here: who is added gets a code
 * that is good for one login, and sets it then.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "cmd/admin_common.h"
#include "cmd/print.h"
#include "inventory/grants.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsmartcols/libsmartcols.h>
#include <openssl/crypto.h>

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static int
print_code(int rc, char code[static ADMINS_CODE_BYTES], const struct error *err)
{
	if (rc != 0)
		return cmd_fail(err);
	(void)printf("%s\n", code);
	OPENSSL_cleanse(code, ADMINS_CODE_BYTES);
	return CMD_DONE;
}

static int
add(struct admins *admins, struct admin_account *account)
{
	char code[ADMINS_CODE_BYTES];
	struct error err;
	int rc = grants_add_account(admins, account, clock_wall(), code, &err);

	return print_code(rc, code, &err);
}

int
admin_account_add(int argc, char **argv)
{
	const char *config = CONFIG_DEFAULT_PATH, *role = "viewer", *group = "";
	const struct cmd_option options[] = {
		ADMIN_CONFIG_OPTION(config),
		{ .name = "role",
		    .letter = 'r',
		    .value = "ROLE",
		    .help = "viewer (default), operator or admin",
		    .text = &role },
		{ .name = "group",
		    .letter = 'g',
		    .value = "GROUP",
		    .help = "only this group's devices and those below it",
		    .text = &group },
	};
	const struct cmd_syntax syntax = {
		.name = "sprov admin add",
		.operands = "NAME",
		.help = "Add somebody, and print the code for the first login, "
			"good for a day.\n",
		.options = options,
		.option_count = LENGTH(options),
		.operands_min = 1,
		.operands_max = 1,
	};
	struct admin_account account;
	struct admins *admins;
	struct error err;
	int first, rc;
	char *path;

	rc = cmd_options(&syntax, argc, argv, &first);
	if (rc >= 0)
		return rc;
	if (grants_read_account(&account, argv[first], role, group,
		clock_wall(), &err) != 0)
		return cmd_fail(&err);
	admins = admin_open(config, "admin add", &path);
	rc = admins != NULL ? add(admins, &account) : CMD_FAILED;
	admin_close(admins, path);
	return rc;
}

/* ------------------------------------------------------- reset and remove */

/* To one that is there. */
static int
change(int argc, char **argv, const struct cmd_syntax *syntax,
    const char **config,
    int (*what)(struct admins *admins, struct admin_account *account))
{
	struct admin_account account;
	struct admins *admins;
	struct error err;
	int first, rc;
	char *path;

	rc = cmd_options(syntax, argc, argv, &first);
	if (rc >= 0)
		return rc;
	admins = admin_open(*config, syntax->name + strlen("sprov "), &path);
	if (admins == NULL)
		rc = CMD_FAILED;
	else if (admins_get_account(admins, argv[first], &account, &err) != 0)
		rc = cmd_fail(&err);
	else
		rc = what(admins, &account);
	admin_close(admins, path);
	return rc;
}

static int
reset(struct admins *admins, struct admin_account *account)
{
	char code[ADMINS_CODE_BYTES];
	struct error err;
	int rc = grants_reset_account(admins, account, clock_wall(), code,
	    &err);

	return print_code(rc, code, &err);
}

static int
remove_it(struct admins *admins, struct admin_account *account)
{
	struct error err;

	if (admins_remove_account(admins, account->name, &err) != 0)
		return cmd_fail(&err);
	return CMD_DONE;
}

int
admin_account_reset(int argc, char **argv)
{
	const char *config = CONFIG_DEFAULT_PATH;
	const struct cmd_option options[] = { ADMIN_CONFIG_OPTION(config) };
	const struct cmd_syntax syntax = {
		.name = "sprov admin reset",
		.operands = "NAME",
		.help = "Make the password void, and print a code for a new "
			"one, good for a day.\n",
		.options = options,
		.option_count = LENGTH(options),
		.operands_min = 1,
		.operands_max = 1,
	};

	return change(argc, argv, &syntax, &config, reset);
}

int
admin_account_remove(int argc, char **argv)
{
	const char *config = CONFIG_DEFAULT_PATH;
	const struct cmd_option options[] = { ADMIN_CONFIG_OPTION(config) };
	const struct cmd_syntax syntax = {
		.name = "sprov admin remove",
		.operands = "NAME",
		.help = "Remove an account; who is logged in with it is out.\n",
		.options = options,
		.option_count = LENGTH(options),
		.operands_min = 1,
		.operands_max = 1,
	};

	return change(argc, argv, &syntax, &config, remove_it);
}

/* ------------------------------------------------------------------- list */

static int
add_json(const struct admin_account *account, void *list)
{
	(void)json_array_append_new(list,
	    grants_account_json(account, clock_wall()));
	return 0;
}

static int
add_line(const struct admin_account *account, void *table)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char created[CMD_DATE_BYTES];

	cmd_date(account->created_at, created);
	(void)scols_line_set_data(line, 0, account->name);
	(void)scols_line_set_data(line, 1, admin_role_name(account->role));
	(void)scols_line_set_data(line, 2,
	    *account->tenant != '\0' ? account->tenant : "-");
	(void)scols_line_set_data(line, 3,
	    grants_login_state(account, clock_wall()));
	(void)scols_line_set_data(line, 4, created);
	return 0;
}

static int
print_accounts(struct admins *admins, bool json)
{
	static const char *const columns[] = { "NAME", "ROLE", "GROUP", "LOGIN",
		"MADE" };
	struct libscols_table *table;
	struct error err;
	json_t *list;
	int rc;

	if (json) {
		list = json_array();
		rc = admins_each_account(admins, add_json, list, &err);
		if (rc == 0)
			return admin_print_json(list);
		json_decref(list);
		return cmd_fail(&err);
	}
	table = scols_new_table();
	for (size_t i = 0; i < LENGTH(columns); i++)
		(void)scols_table_new_column(table, columns[i], 0, 0);
	rc = admins_each_account(admins, add_line, table, &err);
	if (rc == 0)
		(void)scols_print_table(table);
	scols_unref_table(table);
	return rc == 0 ? CMD_DONE : cmd_fail(&err);
}

int
admin_account_list(int argc, char **argv)
{
	return admin_list("sprov admin list", "List the accounts.\n",
	    print_accounts, argc, argv);
}
