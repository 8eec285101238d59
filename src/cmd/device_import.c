#include "cmd/device_common.h"
#include "cmd/device_import_from.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/mem.h"
#include "inventory/import.h"
#include "provision/fields.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define PROGRESS_ROWS 20000 /* between two words on a terminal */

/* Into the memory of a trial. */
struct copy {
	struct inventory *from, *to;
	int depth; /* of the groups whose turn it is */
	struct error *err;
};

/* How many groups are above it; -1 when they cannot be read. */
static int
depth_of(const struct copy *copy, const struct scope *scope)
{
	char name[INVENTORY_NAME_MAX + 1];
	int depth = 0;

	memcpy(name, scope->parent, sizeof(name));
	for (; *name != '\0' && depth <= INVENTORY_GROUP_DEPTH_MAX; depth++) {
		struct scope above;

		if (inventory_get_scope(copy->from, SCOPE_GROUP, name, &above,
			copy->err) != 0)
			return -1;
		memcpy(name, above.parent, sizeof(name));
		scope_clear(&above);
	}
	return depth;
}

/* Parents have to be there before their children. */
static int
copy_scope(const struct scope *scope, void *arg)
{
	const struct copy *copy = arg;
	int depth = depth_of(copy, scope);

	if (depth < 0)
		return -1;
	return depth == copy->depth ?
	    inventory_put_scope(copy->to, scope, copy->err) :
	    0;
}

static int
copy_scopes(struct copy *copy)
{
	for (copy->depth = 0; copy->depth <= INVENTORY_GROUP_DEPTH_MAX;
	     copy->depth++)
		if (inventory_each_scope(copy->from, copy_scope, copy,
			copy->err) != 0)
			return -1;
	return 0;
}

static int
copy_device(const struct device *device, void *arg)
{
	const struct copy *copy = arg;

	return inventory_add_device(copy->to, device, copy->err);
}

static int
copy_all(struct inventory *from, struct inventory *to, struct error *err)
{
	struct copy copy = { .from = from, .to = to, .err = err };

	const struct types *types = inventory_types(from, err);

	if (types == NULL || inventory_begin(to, err) != 0)
		return -1;
	for (size_t i = 0; i < types->count; i++)
		if (inventory_put_type(to, types->list[i].name,
			&types->list[i].type, err) != 0)
			return -1;
	if (copy_scopes(&copy) != 0 ||
	    inventory_each_device(from, copy_device, &copy, err) != 0)
		return -1;
	return inventory_commit(to, err);
}

/*
 * For a dry run: a copy in memory of what is there, so that no lock is needed
 * and nothing is written.  An inventory that does not exist yet is empty.
 */
struct inventory *
device_open_copy(const char *given)
{
	struct error err = { 0 };
	char *uri = device_find_uri(given);
	struct inventory *from = inventory_open(uri, true, &err);
	struct inventory *to;

	free(uri);
	if (from == NULL && err.kind != ERROR_NOT_FOUND) {
		cmd_error("%s", err.text);
		return NULL;
	}
	to = inventory_open("memory:", false, &err);
	if (to == NULL || (from != NULL && copy_all(from, to, &err) != 0)) {
		cmd_error("%s", err.text);
		inventory_close(to);
		to = NULL;
	}
	inventory_close(from);
	return to;
}

/* What an import is asked for, and what became of it. */
struct job {
	struct import_options how;
	struct import_map *maps;
	FILE *file;
	const char *report_path; /* NULL: none */
	FILE *report;		 /* a row each, as JSON lines */
	bool json, dry_run, progress;
	size_t rows;
};

static int
read_file(void *arg, char *data, size_t size, size_t *len, struct error *err)
{
	struct job *job = arg;

	*len = fread(data, 1, size, job->file);
	if (*len == 0 && ferror(job->file))
		return error_errno(err, "cannot read it");
	return 0;
}

static void
note_row(void *arg, enum import_result result, size_t line, size_t column,
    const struct mac *mac, const char *text)
{
	static const char *const names[] = { "added", "updated", "unchanged",
		"refused" };
	static const struct mac none;
	struct job *job = arg;
	char address[MAC_TEXT_BYTES];
	json_t *object;

	if (job->progress && ++job->rows % PROGRESS_ROWS == 0)
		(void)fprintf(stderr, "\r%zu rows", job->rows);
	if (job->report == NULL)
		return;
	mac_format(mac, address);
	object = json_pack("{sI sI ss? ss ss?}", "line", (json_int_t)line,
	    "column", (json_int_t)column, "mac",
	    mac_equal(mac, &none) ? NULL : address, "result", names[result],
	    "reason", text);
	if (object != NULL)
		(void)json_dumpf(object, job->report, 0);
	json_decref(object);
	(void)fputc('\n', job->report);
}

static void
say_errors(const struct errors *errors)
{
	for (size_t i = 0; i < errors->kept; i++)
		cmd_error("%s", errors->text[i]);
	if (errors->count > errors->kept)
		cmd_error("and %zu errors more", errors->count - errors->kept);
}

static void
say_counts(const struct job *job, const struct import_counts *counts)
{
	(void)fprintf(job->json ? stderr : stdout,
	    "%s %zu %s: %zu added, %zu updated",
	    job->dry_run ? "would import" : "imported", DEVICES(counts->rows),
	    counts->added, counts->updated);
	if (counts->unchanged > 0)
		(void)fprintf(job->json ? stderr : stdout, ", %zu unchanged",
		    counts->unchanged);
	(void)fputc('\n', job->json ? stderr : stdout);
}

static int
run_import(struct inventory *inventory, struct job *job)
{
	struct import_counts counts = { 0 };
	struct errors errors = { 0 };
	int status = CMD_DONE, rc;

	job->progress = isatty(STDERR_FILENO) == 1;
	rc = import_stream(inventory, read_file, job, &job->how, &counts,
	    &errors);
	if (job->progress && job->rows >= PROGRESS_ROWS)
		(void)fputc('\n', stderr);
	if (rc == 0) {
		say_counts(job, &counts);
		if (!job->json && !job->dry_run)
			device_note_clear(inventory);
	} else {
		say_errors(&errors);
		cmd_error("nothing %s imported: mend what is listed and import "
			  "the whole file again",
		    job->dry_run ? "would be" : "was");
		status = job->dry_run ? CMD_PROBLEM : CMD_FAILED;
	}
	errors_clear(&errors);
	return status;
}

/* "COLUMN=FIELD"; the column's name may hold anything but '='. */
static int
parse_maps(struct job *job, const struct cmd_texts *texts)
{
	job->maps = xcalloc(texts->count + 1, sizeof(*job->maps));
	for (size_t i = 0; i < texts->count; i++) {
		const char *equals = strrchr(texts->text[i], '=');

		if (equals == NULL || equals == texts->text[i] ||
		    equals[1] == '\0') {
			cmd_error("--map \"%.80s\": expected COLUMN=FIELD, or "
				  "COLUMN=- to leave it out",
			    texts->text[i]);
			return -1;
		}
		job->maps[i] = (struct import_map) {
			xstrndup(texts->text[i],
			    (size_t)(equals - texts->text[i])),
			equals + 1
		};
	}
	job->how.maps = job->maps;
	job->how.map_count = texts->count;
	return 0;
}

static int
parse_delimiter(struct job *job, const char *text)
{
	static const struct {
		const char *name;
		char delimiter;
	} names[] = { { "comma", ',' }, { "semicolon", ';' }, { "tab", '\t' },
		{ ",", ',' }, { ";", ';' } };

	for (size_t i = 0; text != NULL && i < LENGTH(names); i++)
		if (strcmp(text, names[i].name) == 0)
			job->how.delimiter = names[i].delimiter;
	if (text == NULL || job->how.delimiter != '\0')
		return 0;
	cmd_error("--delimiter \"%.20s\": expected comma, semicolon or tab",
	    text);
	return -1;
}

static int
parse_encoding(struct job *job, const char *text)
{
	if (text == NULL || strcmp(text, "utf-8") == 0)
		return 0;
	job->how.latin1 = strcmp(text, "latin-1") == 0;
	if (job->how.latin1)
		return 0;
	cmd_error("--encoding \"%.20s\": expected utf-8 or latin-1", text);
	return -1;
}

static int
open_files(struct job *job, const char *path)
{
	bool is_stdin = strcmp(path, "-") == 0;
	struct stat st;

	job->how.name = is_stdin ? "standard input" : path;
	job->file = is_stdin ? stdin : fopen(path, "re");
	if (job->file == NULL) {
		cmd_error("%s: %s", path, strerror(errno));
		return -1;
	}
	if (fstat(fileno(job->file), &st) == 0 && S_ISDIR(st.st_mode)) {
		cmd_error("%s: not a file", path);
		return -1;
	}
	if (job->json)
		job->report = stdout;
	else if (job->report_path != NULL &&
	    (job->report = fopen(job->report_path, "we")) == NULL) {
		cmd_error("%s: %s", job->report_path, strerror(errno));
		return -1;
	}
	return 0;
}

/* A report that is not whole is a failure. */
static int
close_files(struct job *job)
{
	int rc = 0;

	if (job->file != NULL && job->file != stdin)
		(void)fclose(job->file);
	if (job->report != NULL && job->report != stdout &&
	    (ferror(job->report) | fclose(job->report)) != 0) {
		cmd_error("%s: it could not be written whole",
		    job->report_path);
		rc = -1;
	}
	for (size_t i = 0; job->maps != NULL && i < job->how.map_count; i++) {
		char *column;

		memcpy(&column, &job->maps[i].column, sizeof(column));
		free(column);
	}
	free(job->maps);
	return rc;
}

int
device_import(int argc, char **argv)
{
	const char *uri = NULL, *key = NULL, *format = NULL, *delimiter = NULL;
	const char *encoding = NULL;
	struct cmd_texts maps = { 0 };
	struct job job = { .how = { .check_model = fields_check_model,
			       .check_firmware = fields_check_firmware,
			       .row = note_row } };
	const struct cmd_option options[] = {
		DEVICE_INVENTORY_OPTION(&uri),
		DEVICE_KEY_OPTION(&key),
		{ .name = "update",
		    .letter = 'u',
		    .help = "change devices that are there already",
		    .flag = &job.how.update },
		{ .name = "dry-run",
		    .letter = 'n',
		    .help = "check only; status 3 when there are errors",
		    .flag = &job.dry_run },
		{ .name = "map",
		    .letter = 'm',
		    .value = "COL=NAME",
		    .help = "take a column as that field or variable; -: not",
		    .texts = &maps },
		{ .name = "model",
		    .value = "MODEL",
		    .help = "of new devices whose row names none",
		    .text = &job.how.model },
		{ .name = "group",
		    .letter = 'g',
		    .value = "GROUP",
		    .help = "of new devices whose row names none",
		    .text = &job.how.group },
		{ .name = "tags",
		    .letter = 't',
		    .value = "TAG,...",
		    .help = "of new devices whose row names none",
		    .text = &job.how.tags },
		{ .name = "delimiter",
		    .value = "NAME",
		    .help = "comma, semicolon or tab (default: found out)",
		    .text = &delimiter },
		{ .name = "encoding",
		    .value = "NAME",
		    .help = "utf-8 (default) or latin-1",
		    .text = &encoding },
		{ .name = "report",
		    .value = "FILE",
		    .help = "write what became of each row, as JSON lines",
		    .text = &job.report_path },
		{ .name = "json",
		    .letter = 'j',
		    .help = "the same, on standard output",
		    .flag = &job.json },
		{ .name = "format",
		    .value = "NAME",
		    .help = "what FILE is: csv, or of another system",
		    .text = &format },
	};
	const struct cmd_syntax syntax = { "sprov device import", "FILE",
		"Add the devices of a CSV file (\"-\": standard input): all of"
		" them, or none.\nThe first row names the columns: mac and"
		" model, then any of firmware, serial,\ngroup, tags, state; all"
		" other columns are variables.\n",
		options, LENGTH(options), 1, 1 };
	struct inventory *inventory;
	int first = 0, status;

	if (device_import_is_from(argc, argv))
		return device_import_from(argc, argv);
	status = cmd_options(&syntax, argc, argv, &first);
	if (status >= 0) {
		free(maps.text);
		return status;
	}
	job.how.arg = &job;
	status = CMD_USAGE;
	if (parse_maps(&job, &maps) != 0 ||
	    parse_delimiter(&job, delimiter) != 0 ||
	    parse_encoding(&job, encoding) != 0)
		goto out;
	status = CMD_FAILED;
	if (open_files(&job, argv[first]) != 0)
		goto out;
	inventory = job.dry_run ? device_open_copy(uri) :
				  device_open_with(uri, key, "device import");
	if (inventory != NULL)
		status = run_import(inventory, &job);
	inventory_close(inventory);
out:
	if (close_files(&job) != 0)
		status = CMD_FAILED;
	free(maps.text);
	return status;
}
