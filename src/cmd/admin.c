#include "cmd/admin.h"
#include "cmd/admin_common.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <libsmartcols/libsmartcols.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define DAY_S 86400
#define DAYS_MAX 3650

/* ---------------------------------------------------------------- tokens */

static int
make_token(const struct admin_token *token, struct admins *admins)
{
	uint8_t random[ADMINS_SECRET_BYTES], hash[32];
	char hex[2 * ADMINS_SECRET_BYTES + 1], *text;
	struct error err;
	int rc;

	if (RAND_bytes(random, sizeof(random)) != 1) {
		(void)error_openssl(&err, "no random numbers");
		return cmd_fail(&err);
	}
	text_hex(random, sizeof(random), hex);
	text = xasprintf("sprov_%s", hex);
	admins_hash(text, hash);
	rc = admins_add_token(admins, token, hash, &err);
	if (rc == 0)
		(void)printf("%s\n", text);
	OPENSSL_cleanse(text, strlen(text));
	OPENSSL_cleanse(hex, sizeof(hex));
	OPENSSL_cleanse(random, sizeof(random));
	free(text);
	return rc == 0 ? CMD_DONE : cmd_fail(&err);
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
	struct admin_token token = { .created_at = clock_wall() };
	struct admins *admins;
	uint64_t days = 0;
	struct error err;
	int first, rc;
	char *path;

	rc = cmd_options(&syntax, argc, argv, &first);
	if (rc < 0)
		rc = cmd_number(&syntax, "days", days_text, 1, DAYS_MAX, &days);
	if (rc >= 0)
		return rc;
	if (admins_check_name(argv[first], &err) != 0 ||
	    admin_scopes_parse(scopes, &token.scopes, &err) != 0 ||
	    admins_check_tenant(group, &err) != 0)
		return cmd_fail(&err);
	(void)snprintf(token.name, sizeof(token.name), "%s", argv[first]);
	(void)snprintf(token.tenant, sizeof(token.tenant), "%s", group);
	if (days > 0)
		token.until = token.created_at + (time_t)days * DAY_S;
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
	char scopes[ADMIN_SCOPES_BYTES];

	admin_scopes_format(token->scopes, scopes);
	(void)json_array_append_new(list,
	    json_pack("{ss ss ss so so}", "name", token->name, "scopes", scopes,
		"group", token->tenant, "created_at",
		cmd_json_time(token->created_at), "until",
		cmd_json_time(token->until)));
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
	const char *config = CONFIG_DEFAULT_PATH;
	bool json = false;
	const struct cmd_option options[] = {
		ADMIN_CONFIG_OPTION(config),
		{ .name = "json",
		    .letter = 'j',
		    .flag = &json,
		    .help = "as JSON" },
	};
	const struct cmd_syntax syntax = {
		.name = "sprov admin token list",
		.operands = "",
		.help = "List the tokens, not what they are.\n",
		.options = options,
		.option_count = LENGTH(options),
	};
	struct admins *admins;
	int first, rc;
	char *path;

	rc = cmd_options(&syntax, argc, argv, &first);
	if (rc >= 0)
		return rc;
	admins = admin_open(config, NULL, &path);
	rc = admins != NULL ? print_tokens(admins, json) : CMD_FAILED;
	admin_close(admins, path);
	return rc;
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
