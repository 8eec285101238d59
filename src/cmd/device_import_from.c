/*
 * "sprov device import --format": say what was found, what was not taken and
 * what leaks, and put the rest into the inventory; all of it, or nothing.
 */
#include "cmd/device_import_from.h"
#include "cmd/cmd.h"
#include "cmd/device_common.h"
#include "cmd/print.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/file.h"
#include "base/mem.h"
#include "importer/importer.h"
#include "provision/fields.h"
#include "spa/registry.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define TEMPLATE_MODE 0644
#define LEAKS_SHOWN 20

struct job {
	const struct importer *importer;
	struct importer_options options;
	const char *path, *uri, *key, *templates;
	bool update, dry_run, json;
	struct fleet *fleet;
	struct fleet_counts counts;
};

bool
device_import_is_from(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strncmp(argv[i], "--format=", 9) == 0)
			return strcmp(argv[i] + 9, "csv") != 0;
		if (strcmp(argv[i], "--format") == 0 && i + 1 < argc)
			return strcmp(argv[i + 1], "csv") != 0;
	}
	return false;
}

/* Templates */

/* Would it be written, or is it there already?  -1: something else is. */
static int
check_template(const char *path, const char *text, struct error *err)
{
	char *there = NULL;
	size_t len = 0;
	int rc;

	if (access(path, F_OK) != 0)
		return 1;
	if (file_read(path, 4UL * 1024 * 1024, &there, &len, err) != 0)
		return -1;
	rc = strlen(text) == len && memcmp(there, text, len) == 0 ? 0 : -1;
	free(there);
	if (rc != 0)
		return error_set(err, ERROR_INPUT,
		    "%s: another template is there: move it away, or name "
		    "another folder with --templates",
		    path);
	return 0;
}

static void
check_templates(const struct job *job)
{
	if (fleet_template_count(job->fleet) > 0 && job->templates == NULL &&
	    !job->dry_run)
		fleet_say(job->fleet, FLEET_ERROR,
		    "%zu templates are to be written: give the folder that "
		    "the server reads with --templates",
		    fleet_template_count(job->fleet));
	for (size_t i = 0;
	     job->templates != NULL && i < fleet_template_count(job->fleet);
	     i++) {
		const char *text;
		const char *name = fleet_template_at(job->fleet, i, &text);
		char *path = file_join(job->templates, name);
		struct error err = { 0 };

		if (check_template(path, text, &err) < 0)
			fleet_say(job->fleet, FLEET_ERROR, "%s", err.text);
		free(path);
	}
}

/* Those that this run wrote go again when something fails later. */
static void
remove_templates(const struct job *job, const bool *written)
{
	for (size_t i = 0; i < fleet_template_count(job->fleet); i++) {
		const char *text;
		char *path = file_join(job->templates,
		    fleet_template_at(job->fleet, i, &text));

		if (written[i])
			(void)unlink(path);
		free(path);
	}
}

static int
write_templates(const struct job *job, bool *written)
{
	for (size_t i = 0; i < fleet_template_count(job->fleet); i++) {
		const char *text;
		char *path = file_join(job->templates,
		    fleet_template_at(job->fleet, i, &text));
		struct error err = { 0 };
		int rc = check_template(path, text, &err);

		if (rc == 1) {
			rc = file_create(path, TEMPLATE_MODE, text,
			    strlen(text), &err);
			written[i] = rc == 0;
		}
		free(path);
		if (rc < 0) {
			fleet_say(job->fleet, FLEET_ERROR, "%s", err.text);
			return -1;
		}
	}
	return 0;
}

static int
commit(struct job *job, struct inventory *inventory)
{
	bool *written = xcalloc(fleet_template_count(job->fleet) + 1,
	    sizeof(*written));
	int rc = -1;

	/* Templates first: devices that name one need it to be there. */
	if (job->templates == NULL || job->dry_run ||
	    write_templates(job, written) == 0)
		rc = fleet_commit(job->fleet, inventory, job->update,
		    !job->dry_run, &job->counts);
	if (rc != 0 && job->templates != NULL)
		remove_templates(job, written);
	free(written);
	return rc;
}

/* Words */

static size_t
count_retired(struct fleet *fleet)
{
	size_t count = 0;

	for (size_t i = 0; i < fleet_device_count(fleet); i++)
		count += fleet_device(fleet, i)->state == DEVICE_RETIRED;
	return count;
}

static void
print_remarks(const struct job *job, enum fleet_remark kind, const char *title)
{
	size_t count = fleet_count(job->fleet, kind), i = 0;
	const char *text;

	if (count == 0)
		return;
	(void)printf("\n%s (%zu)\n", title, count);
	for (; (text = fleet_remark(job->fleet, kind, i)) != NULL; i++) {
		(void)printf("  ");
		(void)cmd_wrap(2, 2, text);
		(void)printf("\n");
	}
	if (count > i)
		(void)printf("  and %zu more\n", count - i);
}

static void
print_leak(const struct fleet_leak *leak)
{
	size_t column;

	(void)printf("  ");
	if (leak->mode != 0)
		column = cmd_wrapf(2, 2, "%s (mode %04o%s): %s", leak->file,
		    (unsigned)leak->mode,
		    (leak->mode & 04) != 0 ? ", all may read it" : "",
		    leak->parameters);
	else
		column = cmd_wrapf(2, 2, "%s: %s", leak->file,
		    leak->parameters);
	if (leak->devices > 0)
		(void)cmd_wrapf(column, 2, "(%zu %s)", DEVICES(leak->devices));
	(void)printf("\n");
}

static void
print_leaks(const struct job *job)
{
	size_t count = fleet_leak_count(job->fleet), i;
	const char *advice = NULL;

	if (count == 0)
		return;
	(void)printf("\nwhat leaks today (%zu)\n", count);
	for (i = 0; i < count && i < LEAKS_SHOWN; i++)
		print_leak(fleet_leak_at(job->fleet, i));
	if (count > i)
		(void)printf("  and %zu more: --json lists all\n", count - i);
	for (i = 0; i < count; i++) {
		const char *next = fleet_leak_at(job->fleet, i)->advice;

		if (advice != NULL && strcmp(advice, next) == 0)
			continue;
		advice = next;
		(void)printf("  -> ");
		(void)cmd_wrap(5, 5, advice);
		(void)printf("\n");
	}
}

static void
print_taken(struct job *job, bool done)
{
	struct fleet *fleet = job->fleet;
	size_t retired = count_retired(fleet);
	size_t templates = fleet_template_count(fleet);

	(void)printf("%s %zu %s: %zu added, %zu updated, %zu as they were",
	    !done	     ? "found" :
		job->dry_run ? "would import" :
			       "imported",
	    DEVICES(fleet_device_count(fleet)), job->counts.added,
	    job->counts.updated, job->counts.same);
	if (retired > 0)
		(void)printf("; %zu retired", retired);
	(void)printf("\n");
	if (fleet_scope_count(fleet) > 0)
		(void)printf("groups, tags, models and defaults: %zu\n",
		    fleet_scope_count(fleet));
	for (size_t i = 0; i < templates; i++) {
		const char *text;

		(void)printf("%s %s\n", i == 0 ? "templates:" : "          ",
		    fleet_template_at(fleet, i, &text));
	}
}

static int
print_words(struct job *job, bool done)
{
	size_t kept = 0;
	const char *text;

	if (done)
		print_taken(job, done);
	print_remarks(job, FLEET_LEFT_OUT, "not taken");
	print_remarks(job, FLEET_NOTE, "to know");
	print_leaks(job);
	if (done)
		return fleet_count(job->fleet, FLEET_LEFT_OUT) > 0 ?
		    CMD_PROBLEM :
		    CMD_DONE;
	(void)fflush(stdout);
	for (; (text = fleet_remark(job->fleet, FLEET_ERROR, kept)) != NULL;
	     kept++)
		cmd_error("%s", text);
	if (fleet_count(job->fleet, FLEET_ERROR) > kept)
		cmd_error("and %zu errors more",
		    fleet_count(job->fleet, FLEET_ERROR) - kept);
	cmd_error("nothing %s imported: mend what is listed and import again",
	    job->dry_run ? "would be" : "was");
	return job->dry_run ? CMD_PROBLEM : CMD_FAILED;
}

/* JSON */

static json_t *
json_remarks(const struct fleet *fleet, enum fleet_remark kind)
{
	json_t *list = json_array();
	const char *text;

	for (size_t i = 0; (text = fleet_remark(fleet, kind, i)) != NULL; i++) {
		json_t *string = json_string(text);

		/* A path may hold what is no UTF-8. */
		(void)json_array_append_new(list,
		    string != NULL ? string : json_string("(no UTF-8)"));
	}
	return list;
}

static json_t *
json_text(const char *text)
{
	json_t *string = json_string(text);

	return string != NULL ? string : json_string("(no UTF-8)");
}

static json_t *
json_leaks(const struct fleet *fleet)
{
	json_t *list = json_array();

	for (size_t i = 0; i < fleet_leak_count(fleet); i++) {
		const struct fleet_leak *leak = fleet_leak_at(fleet, i);
		char mode[8];

		(void)snprintf(mode, sizeof(mode), "%04o",
		    (unsigned)leak->mode & 07777);
		(void)json_array_append_new(list,
		    json_pack("{s:o, s:o, s:o, s:I, s:s}", "file",
			json_text(leak->file), "mode",
			leak->mode != 0 ? json_string(mode) : json_null(),
			"parameters", json_text(leak->parameters), "devices",
			(json_int_t)leak->devices, "advice", leak->advice));
	}
	return list;
}

static int
print_json(struct job *job, bool done)
{
	struct fleet *fleet = job->fleet;
	json_t *templates = json_array();
	json_t *root;
	const char *text;

	for (size_t i = 0; i < fleet_template_count(fleet); i++)
		(void)json_array_append_new(templates,
		    json_text(fleet_template_at(fleet, i, &text)));
	root = json_pack("{s:s, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:o, s:o, "
			 "s:I, s:o, s:o, "
			 "s:o}",
	    "format", job->importer->name, "imported", done && !job->dry_run,
	    "dry_run", job->dry_run, "devices",
	    (json_int_t)fleet_device_count(fleet), "added",
	    (json_int_t)job->counts.added, "updated",
	    (json_int_t)job->counts.updated, "same",
	    (json_int_t)job->counts.same, "scopes",
	    (json_int_t)fleet_scope_count(fleet), "templates", templates,
	    "errors", json_remarks(fleet, FLEET_ERROR), "not_taken_count",
	    (json_int_t)fleet_count(fleet, FLEET_LEFT_OUT), "not_taken",
	    json_remarks(fleet, FLEET_LEFT_OUT), "notes",
	    json_remarks(fleet, FLEET_NOTE), "leaks", json_leaks(fleet));
	(void)json_dumpf(root, stdout, JSON_INDENT(2));
	(void)printf("\n");
	json_decref(root);
	if (!done)
		return job->dry_run ? CMD_PROBLEM : CMD_FAILED;
	return fleet_count(fleet, FLEET_LEFT_OUT) > 0 ? CMD_PROBLEM : CMD_DONE;
}

/* The command */

static int
run(struct job *job)
{
	struct inventory *inventory = NULL;
	bool done = false;
	int status = CMD_FAILED;

	job->fleet = fleet_new();
	job->importer->read(job->fleet, job->path, &job->options);
	check_templates(job);
	if (fleet_count(job->fleet, FLEET_ERROR) == 0) {
		inventory = job->dry_run ?
		    device_open_copy(job->uri) :
		    device_open_with(job->uri, job->key, "device import");
		if (inventory == NULL)
			goto out;
		done = commit(job, inventory) == 0;
	}
	status = job->json ? print_json(job, done) : print_words(job, done);
	if (done && !job->json && !job->dry_run) {
		device_note_clear(inventory);
		(void)
		    printf("next: \"sprov profile check --all\" looks at what "
			   "each device would get\n");
	}
out:
	inventory_close(inventory);
	fleet_free(job->fleet);
	return status;
}

static int
find_format(const char *name, struct job *job)
{
	job->importer = importer_find(name);
	if (job->importer != NULL)
		return 0;
	cmd_error("\"%s\" is no format: expected csv or one of", name);
	for (size_t i = 0; i < importer_count; i++)
		cmd_error("  %-10s %s", importers[i].name, importers[i].reads);
	return -1;
}

int
device_import_from(int argc, char **argv)
{
	struct job job = { 0 };
	const char *format = NULL, *model = NULL;
	const struct cmd_option options[] = {
		DEVICE_INVENTORY_OPTION(&job.uri),
		DEVICE_KEY_OPTION(&job.key),
		{ .name = "format",
		    .value = "NAME",
		    .help = "json, fusionpbx, wazo, phoneprov, tree (or csv)",
		    .text = &format },
		{ .name = "model",
		    .letter = 'm',
		    .value = "MODEL",
		    .help = "of devices whose model is not told",
		    .text = &model },
		{ .name = "group",
		    .letter = 'g',
		    .value = "NAME",
		    .help = "of devices that are in none; made when missing",
		    .text = &job.options.group },
		{ .name = "templates",
		    .letter = 't',
		    .value = "DIR",
		    .help = "where templates are written",
		    .text = &job.templates },
		{ .name = "update",
		    .letter = 'u',
		    .help = "change devices that are there already",
		    .flag = &job.update },
		{ .name = "dry-run",
		    .letter = 'n',
		    .help = "check only; status 3 when there are errors",
		    .flag = &job.dry_run },
		{ .name = "json", .help = "print as JSON", .flag = &job.json },
	};
	const struct cmd_syntax syntax = { "sprov device import --format NAME",
		"PATH",
		"Add what an export or another system holds: all, or "
		"nothing.\n"
		"Says what was taken, what was not, and which files show\n"
		"passwords today.  Status 3 when something was not taken.\n",
		options, LENGTH(options), 1, 1 };
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);
	struct error err = { 0 };
	char name[INVENTORY_NAME_MAX + 1];

	if (status >= 0)
		return status;
	job.path = argv[first];
	if (find_format(format, &job) != 0)
		return CMD_USAGE;
	if (job.options.group != NULL &&
	    strlen(job.options.group) > INVENTORY_NAME_MAX) {
		cmd_error("--group: the name is longer than %d bytes",
		    INVENTORY_NAME_MAX);
		return CMD_USAGE;
	}
	if (model != NULL && fields_check_model(model, name, &err) != 0) {
		cmd_error("--model: %s", err.text);
		return CMD_USAGE;
	}
	if (model != NULL)
		job.options.model = registry_find_model(name, NULL);
	return run(&job);
}
