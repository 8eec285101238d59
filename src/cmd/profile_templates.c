/*
 * The starter templates: which there are, and written out to be edited.
 */
#include "cmd/profile_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/file.h"
#include "cmd/cmd.h"
#include "cmd/print.h"
#include "provision/starter.h"
#include "spa/registry.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

/* Those of every one of them but the generic one. */
static const char common[] = "user_id password proxy display_name auth_id "
			     "profile_rule profile_rule_b admin_password "
			     "syslog_server outbound_proxy";

/* Never over a file: it may be the only copy of an administrator's work. */
static int
write_all(const char *folder, struct error *err)
{
	for (size_t i = 0; i < starter_count; i++) {
		char *path = file_join(folder, starters[i].name);
		int rc = file_create(path, 0644, starters[i].text,
		    strlen(starters[i].text), err);

		if (rc == 0)
			(void)printf("%s\n", path);
		free(path);
		if (rc != 0)
			return -1;
	}
	return 0;
}

static size_t
count_models(const struct starter *starter)
{
	size_t count = 0;

	for (size_t i = 0; i < registry_model_count; i++)
		count += starter_for(&registry_models[i]) == starter;
	return count;
}

static void
print_models(const struct starter *starter)
{
	size_t column = (size_t)printf("%s\n  ", starter->name) - 1 -
	    strlen(starter->name);

	if (count_models(starter) == 0)
		column = cmd_wrap(column, 2, "models that are not known");
	for (size_t i = 0; i < registry_model_count; i++)
		if (starter_for(&registry_models[i]) == starter)
			column = cmd_wrapf(column, 2, "%s ",
			    registry_models[i].name);
	(void)fputc('\n', stdout);
}

static void
print_all(void)
{
	size_t column;

	for (size_t i = 0; i < starter_count; i++)
		print_models(&starters[i]);
	column = (size_t)printf("\nvariables: ") - 1;
	column = cmd_wrap(column, 2, common);
	(void)cmd_wrap(column, 2, " ntp_server time_zone");
	(void)fputc('\n', stdout);
}

static json_t *
json_starter(const struct starter *starter)
{
	json_t *models = json_array();

	for (size_t i = 0; i < registry_model_count; i++)
		if (starter_for(&registry_models[i]) == starter)
			(void)json_array_append_new(models,
			    json_string(registry_models[i].name));
	return json_pack("{ss so ss}", "name", starter->name, "models", models,
	    "text", starter->text);
}

static int
print_json(struct error *err)
{
	json_t *array = json_array();
	int rc = -1;

	for (size_t i = 0; i < starter_count; i++)
		(void)json_array_append_new(array, json_starter(&starters[i]));
	if (array != NULL)
		rc = json_dumpf(array, stdout, JSON_INDENT(2));
	json_decref(array);
	if (rc != 0)
		return error_set(err, ERROR_SYSTEM, "cannot write JSON");
	(void)fputc('\n', stdout);
	return 0;
}

int
profile_templates(int argc, char **argv)
{
	const char *folder = NULL;
	bool json = false;
	const struct cmd_option options[] = {
		{ .name = "json",
		    .letter = 'j',
		    .help = "as JSON, with their texts",
		    .flag = &json },
		{ .name = "write",
		    .letter = 'w',
		    .value = "DIR",
		    .help = "write them there; no file is replaced",
		    .text = &folder },
	};
	const struct cmd_syntax syntax = { "sprov profile templates", "",
		"List the templates that are built in, and the models that "
		"they are for, or write\nthem out to be edited.\n",
		options, LENGTH(options), 0, 0 };
	struct error err = { 0 };
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status >= 0)
		return status;
	if (folder != NULL && write_all(folder, &err) != 0)
		return cmd_fail(&err);
	if (json && print_json(&err) != 0)
		return cmd_fail(&err);
	if (!json && folder == NULL)
		print_all();
	return CMD_DONE;
}
