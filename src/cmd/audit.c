#include "cmd/audit.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <libsmartcols/libsmartcols.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "inventory/admins.h"
#include "inventory/audit.h"
#include "inventory/inventory.h"
#include "server/config.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define WHO_BYTES 128
#define LIST_DEFAULT 50
#define LIST_MAX 1000000

/* ------------------------------------------------------------ other commands */

/* A user without a name is his number.  Who became root by sudo is named, too,
 * as far as the environment of root can be believed. */
static void
find_user(char who[static WHO_BYTES])
{
	const struct passwd *user = getpwuid(getuid());
	const char *sudo = getuid() == 0 ? getenv("SUDO_USER") : NULL;
	char name[64], other[64];

	if (user != NULL)
		text_escape(user->pw_name, strlen(user->pw_name), name,
		    sizeof(name));
	else
		(void)snprintf(name, sizeof(name), "%lu",
		    (unsigned long)getuid());
	text_escape(sudo != NULL ? sudo : "", sudo != NULL ? strlen(sudo) : 0,
	    other, sizeof(other));
	(void)snprintf(who, WHO_BYTES, *other != '\0' ? "%.40s (%.40s)" : "%s",
	    name, other);
}

void
audit_watch(struct inventory *inventory, const char *uri, const char *folder,
    const char *action)
{
	char who[WHO_BYTES], *path = audit_path(uri, folder);
	const struct audit_act act = {
		.by = AUDIT_COMMAND, .who = who, .action = action
	};

	if (path == NULL)
		return; /* in memory: gone when we are */
	find_user(who);
	inventory_use_audit(inventory, path, &act, clock_wall());
	free(path);
}

void
audit_watch_admins(struct admins *admins, const struct config *config,
    const char *action)
{
	char who[WHO_BYTES];
	char *path = audit_path(config->inventory, config->state_directory);
	const struct audit_act act = {
		.by = AUDIT_COMMAND, .who = who, .action = action
	};

	find_user(who);
	admins_use_audit(admins, path, &act, clock_wall());
	free(path);
}

/* -------------------------------------------------------------- sprov audit */

#define AUDIT_OPTIONS(config) \
	{ \
		.name = "config", .letter = 'c', .value = "FILE", \
		.help = "the server's configuration", .text = (config) \
	}

/* NULL: all is said. */
static char *
find_log(const char *config_path, const char *file)
{
	struct errors errors = { 0 };
	struct config *config;
	char *path = NULL;

	if (file != NULL)
		return xstrdup(file);
	config = config_load(config_path, &errors);
	if (config != NULL)
		path = audit_path(config->inventory, config->state_directory);
	else
		(void)cmd_fail_all(&errors);
	config_free(config);
	errors_clear(&errors);
	return path;
}

/* The same. */
static struct audit *
open_log(const char *config_path, const char *file)
{
	char *path = find_log(config_path, file);
	struct audit *audit;
	struct error err;

	if (path == NULL)
		return NULL;
	audit = audit_open(path, true, &err);
	free(path);
	if (audit != NULL)
		return audit;
	(void)cmd_fail(&err);
	if (err.kind == ERROR_NOT_FOUND)
		cmd_error("the first change makes it");
	return NULL;
}

/* What is listed. */
struct listing {
	const char *who, *action, *object; /* NULL: all */
	uint64_t limit;
	json_t *list;
};

static bool
is_wanted(const json_t *entry, const char *key, const char *wanted)
{
	const char *text = json_string_value(json_object_get(entry, key));

	return wanted == NULL || (text != NULL && strcmp(text, wanted) == 0);
}

static int
collect(int64_t id, json_t *entry, void *arg)
{
	struct listing *listing = arg;

	(void)id;
	if (!is_wanted(entry, "who", listing->who) ||
	    !is_wanted(entry, "action", listing->action) ||
	    !is_wanted(entry, "object", listing->object))
		return 0;
	(void)json_array_append(listing->list, entry);
	return json_array_size(listing->list) == listing->limit;
}

static const char *
text_of(const json_t *entry, const char *key)
{
	const char *text = json_string_value(json_object_get(entry, key));

	return text != NULL ? text : "-";
}

/* "done", "refused (403)", "refused (12 more)". */
static void
result_of(const json_t *entry, char *text, size_t size)
{
	const json_t *detail = json_object_get(entry, "detail");
	const json_t *more = json_object_get(detail, "more");
	const json_t *status = json_object_get(detail, "status");
	const char *result = text_of(entry, "result");

	if (strcmp(result, "refused") != 0 || (more == NULL && status == NULL))
		(void)snprintf(text, size, "%s", result);
	else
		(void)snprintf(text, size, "%s (%" JSON_INTEGER_FORMAT "%s)",
		    result, json_integer_value(more != NULL ? more : status),
		    more != NULL ? " more" : "");
}

/* "noc@example.net", "token ci", "root" and what it was: in few words. */
static void
print_table(json_t *list)
{
	static const struct {
		const char *name;
		double width;
		int flags;
	} columns[] = { { "ID", 0, SCOLS_FL_RIGHT }, { "AT", 0, 0 },
		{ "WHO", 0.3, SCOLS_FL_TRUNC }, { "BY", 0, 0 },
		{ "ACTION", 0, 0 }, { "OBJECT", 0.3, SCOLS_FL_TRUNC },
		{ "RESULT", 0, 0 } };
	struct libscols_table *table = scols_new_table();
	size_t i;
	json_t *entry;

	for (i = 0; i < LENGTH(columns); i++)
		(void)scols_table_new_column(table, columns[i].name,
		    columns[i].width, columns[i].flags);
	json_array_foreach(list, i, entry)
	{
		struct libscols_line *line = scols_table_new_line(table, NULL);
		char id[24], result[48];

		(void)snprintf(id, sizeof(id), "%" JSON_INTEGER_FORMAT,
		    json_integer_value(json_object_get(entry, "id")));
		(void)scols_line_set_data(line, 0, id);
		(void)scols_line_set_data(line, 1, text_of(entry, "at"));
		(void)scols_line_set_data(line, 2, text_of(entry, "who"));
		(void)scols_line_set_data(line, 3, text_of(entry, "by"));
		(void)scols_line_set_data(line, 4, text_of(entry, "action"));
		(void)scols_line_set_data(line, 5, text_of(entry, "object"));
		result_of(entry, result, sizeof(result));
		(void)scols_line_set_data(line, 6, result);
	}
	(void)scols_print_table(table);
	scols_unref_table(table);
}

static int
list_entries(struct audit *audit, struct listing *listing, bool json)
{
	struct error err = { 0 };
	int status = CMD_DONE;

	listing->list = json_array();
	if (audit_each(audit, 0, 0, true, collect, listing, &err) < 0)
		status = cmd_fail(&err);
	else if (json)
		(void)json_dumpf(listing->list, stdout, JSON_INDENT(1));
	else
		print_table(listing->list);
	if (status == CMD_DONE && json)
		(void)printf("\n");
	json_decref(listing->list);
	return status;
}

static int
audit_list(int argc, char **argv)
{
	const char *config = CONFIG_DEFAULT_PATH, *file = NULL, *limit = NULL;
	struct listing listing = { .limit = LIST_DEFAULT };
	bool json = false;
	const struct cmd_option options[] = {
		AUDIT_OPTIONS(&config),
		{ .name = "file",
		    .value = "FILE",
		    .help = "the log itself, instead of a configuration",
		    .text = &file },
		{ .name = "limit",
		    .letter = 'n',
		    .value = "NUMBER",
		    .help = "how many at most (50)",
		    .text = &limit },
		{ .name = "who",
		    .value = "NAME",
		    .help = "only what that one did",
		    .text = &listing.who },
		{ .name = "action",
		    .value = "ACTION",
		    .help = "only such as \"device set\"",
		    .text = &listing.action },
		{ .name = "object",
		    .value = "OBJECT",
		    .help = "only on that one, such as a MAC or group:NAME",
		    .text = &listing.object },
		{ .name = "json",
		    .letter = 'j',
		    .help = "whole entries as JSON",
		    .flag = &json },
	};
	const struct cmd_syntax syntax = { "sprov audit list", "",
		"List who changed what, the newest first.\n", options,
		LENGTH(options), 0, 0 };
	struct audit *audit;
	int first, status;

	status = cmd_options(&syntax, argc, argv, &first);
	if (status < 0)
		status = cmd_number(&syntax, "limit", limit, 1, LIST_MAX,
		    &listing.limit);
	if (status >= 0)
		return status;
	audit = open_log(config, file);
	if (audit == NULL)
		return CMD_FAILED;
	status = list_entries(audit, &listing, json);
	audit_close(audit);
	return status;
}

/* ------------------------------------------------------------------ verify */

static int
say_verdict(const struct audit_verdict *verdict, bool known_given, bool json)
{
	bool lost = known_given && !verdict->known_found;
	char head[2 * AUDIT_HASH_BYTES + 1];
	json_t *object;

	text_hex(verdict->head, sizeof(verdict->head), head);
	if (json) {
		object = json_pack("{sb sI ss ss? so}", "good",
		    *verdict->fault == '\0' && !lost, "entries",
		    (json_int_t)verdict->entries, "head", head, "fault",
		    *verdict->fault != '\0' ? verdict->fault : NULL,
		    "head_found",
		    known_given ? json_boolean(verdict->known_found) :
				  json_null());
		(void)json_dumpf(object, stdout, JSON_INDENT(1));
		(void)printf("\n");
		json_decref(object);
	} else {
		(void)printf("%" PRId64 " %s good, the last one is %s\n",
		    verdict->entries,
		    verdict->entries == 1 ? "entry is" : "entries are", head);
	}
	if (*verdict->fault != '\0')
		cmd_error("entry %" PRId64 ": %s", verdict->entries + 1,
		    verdict->fault);
	if (lost)
		cmd_error("no entry has the hash that was given: the log was "
			  "cut or made anew since");
	return *verdict->fault != '\0' || lost ? CMD_PROBLEM : CMD_DONE;
}

static int
audit_verify_command(int argc, char **argv)
{
	const char *config = CONFIG_DEFAULT_PATH, *file = NULL, *head = NULL;
	bool json = false;
	const struct cmd_option options[] = {
		AUDIT_OPTIONS(&config),
		{ .name = "file",
		    .value = "FILE",
		    .help = "the log itself, instead of a configuration",
		    .text = &file },
		{ .name = "head",
		    .value = "HASH",
		    .help = "of an entry that has to be there, noted earlier",
		    .text = &head },
		{ .name = "json",
		    .letter = 'j',
		    .help = "as JSON",
		    .flag = &json },
	};
	const struct cmd_syntax syntax = { "sprov audit verify", "",
		"Look at each entry, and whether it follows the one before.\n",
		options, LENGTH(options), 0, 0 };
	uint8_t known[AUDIT_HASH_BYTES];
	struct audit_verdict verdict;
	struct audit *audit;
	struct error err;
	int first, status;

	status = cmd_options(&syntax, argc, argv, &first);
	if (status >= 0)
		return status;
	if (head != NULL && !text_unhex(head, known, sizeof(known))) {
		cmd_error("--head: expected the %d hex digits that \"sprov "
			  "audit verify\" printed",
		    2 * AUDIT_HASH_BYTES);
		return CMD_USAGE;
	}
	audit = open_log(config, file);
	if (audit == NULL)
		return CMD_FAILED;
	if (audit_verify(audit, head != NULL ? known : NULL, &verdict, &err) !=
	    0)
		status = cmd_fail(&err);
	else
		status = say_verdict(&verdict, head != NULL, json);
	audit_close(audit);
	return status;
}

int
cmd_audit(int argc, char **argv)
{
	static const struct command commands[] = {
		{ "list", "list who changed what", audit_list },
		{ "verify", "is the log as it was written?",
		    audit_verify_command },
	};

	return cmd_run("sprov audit", commands, LENGTH(commands), argc, argv);
}
