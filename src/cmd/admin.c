#include "cmd/admin.h"
#include "cmd/admin_common.h"
#include "base/clock.h"
#include "cmd/cmd.h"
#include "cmd/print.h"
#include "inventory/grants.h"

#include <stdio.h>

#include <jansson.h>
#include <libsmartcols/libsmartcols.h>
#include <openssl/crypto.h>

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

/* ---------------------------------------------------------------- tokens */

static int
make_token(const struct admin_token *token, struct admins *admins)
{
	char text[GRANTS_TOKEN_BYTES];
	struct error err;

	if (grants_add_token(admins, token, text, &err) != 0)
		return cmd_fail(&err);
	(void)printf("%s\n", text);
	OPENSSL_cleanse(text, sizeof(text));
	return CMD_DONE;
}

static int
token_add(int argc, char **argv)
{
	const char *config = CONFIG_DEFAULT_PATH, *scopes = "read", *group = "",
		   *days_text = NULL;
	const struct cmd_option options[] = {
		ADMIN_CONFIG_OPTION(config),
		{ .name = "scope",
		    .letter = 's',
		    .value = "LIST",
		    .help = "read (default), write, metrics, audit, accounts",
		    .text = &scopes },
		{ .name = "group",
		    .letter = 'g',
		    .value = "GROUP",
		    .help = "only this group's devices and those below it",
		    .text = &group },
		{ .name = "days",
		    .letter = 'd',
		    .value = "DAYS",
		    .help = "how long it is good (default: until removed)",
		    .text = &days_text },
	};
	const struct cmd_syntax syntax = {
		.name = "sprov admin token add",
		.operands = "NAME",
		.help = "Make a token for a script and print it, this once.\n",
		.options = options,
		.option_count = LENGTH(options),
		.operands_min = 1,
		.operands_max = 1,
	};
	struct admin_token token;
	struct admins *admins;
	uint64_t days = 0;
	struct error err;
	int first, rc;
	char *path;

	rc = cmd_options(&syntax, argc, argv, &first);
	if (rc < 0)
		rc = cmd_number(&syntax, "days", days_text, 1, GRANTS_DAYS_MAX,
		    &days);
	if (rc >= 0)
		return rc;
	if (grants_read_token(&token, argv[first], scopes, group,
		(unsigned)days, clock_wall(), &err) != 0)
		return cmd_fail(&err);
	admins = admin_open(config, "admin token add", &path);
	rc = admins != NULL ? make_token(&token, admins) : CMD_FAILED;
	admin_close(admins, path);
	return rc;
}

static int
token_remove(int argc, char **argv)
{
	const char *config = CONFIG_DEFAULT_PATH;
	const struct cmd_option options[] = { ADMIN_CONFIG_OPTION(config) };
	const struct cmd_syntax syntax = {
		.name = "sprov admin token remove",
		.operands = "NAME",
		.help = "Remove a token: from now on it is good for nothing.\n",
		.options = options,
		.option_count = LENGTH(options),
		.operands_min = 1,
		.operands_max = 1,
	};
	struct admins *admins;
	struct error err;
	int first, rc;
	char *path;

	rc = cmd_options(&syntax, argc, argv, &first);
	if (rc >= 0)
		return rc;
	admins = admin_open(config, "admin token remove", &path);
	if (admins == NULL)
		rc = CMD_FAILED;
	else if (admins_remove_token(admins, argv[first], &err) != 0)
		rc = cmd_fail(&err);
	else
		rc = CMD_DONE;
	admin_close(admins, path);
	return rc;
}

static int
add_token_json(const struct admin_token *token, void *list)
{
	(void)json_array_append_new(list, grants_token_json(token));
	return 0;
}

static int
add_token_line(const struct admin_token *token, void *table)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char scopes[ADMIN_SCOPES_BYTES], created[CMD_DATE_BYTES],
	    until[CMD_DATE_BYTES];

	admin_scopes_format(token->scopes, scopes);
	cmd_date(token->created_at, created);
	cmd_date(token->until, until);
	(void)scols_line_set_data(line, 0, token->name);
	(void)scols_line_set_data(line, 1, scopes);
	(void)scols_line_set_data(line, 2,
	    *token->tenant != '\0' ? token->tenant : "-");
	(void)scols_line_set_data(line, 3, created);
	(void)scols_line_set_data(line, 4, token->until != 0 ? until : "-");
	return 0;
}

static int
print_tokens(struct admins *admins, bool json)
{
	static const char *const columns[] = { "NAME", "SCOPES", "GROUP",
		"MADE", "UNTIL" };
	struct libscols_table *table;
	struct error err;
	json_t *list;
	int rc;

	if (json) {
		list = json_array();
		rc = admins_each_token(admins, add_token_json, list, &err);
		if (rc == 0)
			return admin_print_json(list);
		json_decref(list);
		return cmd_fail(&err);
	}
	table = scols_new_table();
	for (size_t i = 0; i < LENGTH(columns); i++)
		(void)scols_table_new_column(table, columns[i], 0, 0);
	rc = admins_each_token(admins, add_token_line, table, &err);
	if (rc == 0)
		(void)scols_print_table(table);
	scols_unref_table(table);
	return rc == 0 ? CMD_DONE : cmd_fail(&err);
}

static int
token_list(int argc, char **argv)
{
	return admin_list("sprov admin token list",
	    "List the tokens, not what they are.\n", print_tokens, argc, argv);
}

static int
admin_token(int argc, char **argv)
{
	static const struct command commands[] = {
		{ "add", "make a token and print it", token_add },
		{ "list", "list the tokens", token_list },
		{ "remove", "remove a token", token_remove },
	};

	return cmd_run("sprov admin token", commands, LENGTH(commands), argc,
	    argv);
}

int
cmd_admin(int argc, char **argv)
{
	static const struct command commands[] = {
		{ "add", "add somebody, and print the code for the first login",
		    admin_account_add },
		{ "list", "list the accounts", admin_account_list },
		{ "reset", "print a new code; the password is void",
		    admin_account_reset },
		{ "remove", "remove an account", admin_account_remove },
		{ "token", "tokens for scripts", admin_token },
	};

	return cmd_run("sprov admin", commands, LENGTH(commands), argc, argv);
}
