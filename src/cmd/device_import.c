#include "cmd/device_common.h"
#include "cmd/device_import_from.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "inventory/import.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define FILE_MAX (256UL * 1024 * 1024) /* a million long rows */

static int
read_stdin(char **data, size_t *len, struct error *err)
{
	struct buf buf;
	char chunk[65536];
	size_t n;

	buf_init(&buf, FILE_MAX);
	while ((n = fread(chunk, 1, sizeof(chunk), stdin)) > 0)
		if (buf_append(&buf, chunk, n) != 0) {
			buf_clear(&buf);
			return error_set(err, ERROR_INPUT,
			    "standard input is longer than %lu bytes",
			    FILE_MAX);
		}
	if (ferror(stdin)) {
		buf_clear(&buf);
		return error_errno(err, "standard input");
	}
	*len = buf.len;
	*data = buf.len > 0 ? buf_take(&buf) : xstrdup("");
	return 0;
}

/* Into the memory of a trial: what import_csv looks at. */
struct copy {
	struct inventory *to;
	struct error *err;
};

static int
copy_group(const struct scope *scope, void *arg)
{
	const struct copy *copy = arg;
	struct scope group = { .kind = SCOPE_GROUP };

	if (scope->kind != SCOPE_GROUP)
		return 0;
	memcpy(group.name, scope->name, sizeof(group.name));
	return inventory_put_scope(copy->to, &group, copy->err);
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
	struct copy copy = { to, err };

	if (inventory_begin(to, err) != 0 ||
	    inventory_each_scope(from, copy_group, &copy, err) != 0 ||
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

static void
say_errors(const struct errors *errors)
{
	for (size_t i = 0; i < errors->kept; i++)
		cmd_error("%s", errors->text[i]);
	if (errors->count > errors->kept)
		cmd_error("and %zu errors more", errors->count - errors->kept);
}

static int
import_text(struct inventory *inventory, const char *text, size_t len,
    const struct import_options *options, bool dry_run)
{
	struct import_counts counts = { 0 };
	struct errors errors = { 0 };
	int status = CMD_DONE;

	if (import_csv(inventory, text, len, options, &counts, &errors) == 0) {
		(void)printf("%s %zu %s: %zu added, %zu updated\n",
		    dry_run ? "would import" : "imported", DEVICES(counts.rows),
		    counts.added, counts.updated);
	} else {
		say_errors(&errors);
		cmd_error("nothing %s imported: mend what is listed and import "
			  "the whole file again",
		    dry_run ? "would be" : "was");
		status = dry_run ? CMD_PROBLEM : CMD_FAILED;
	}
	errors_clear(&errors);
	return status;
}

int
device_import(int argc, char **argv)
{
	const char *uri = NULL, *format = NULL;
	bool update = false, dry_run = false;
	const struct cmd_option options[] = {
		DEVICE_INVENTORY_OPTION(&uri),
		{ .name = "update",
		    .letter = 'u',
		    .help = "change devices that are there already",
		    .flag = &update },
		{ .name = "dry-run",
		    .letter = 'n',
		    .help = "check only; status 3 when there are errors",
		    .flag = &dry_run },
		{ .name = "format",
		    .value = "NAME",
		    .help = "what FILE is: csv, or of another system",
		    .text = &format },
	};
	const struct cmd_syntax syntax = { "sprov device import", "FILE",
		"Add the devices of a CSV file (\"-\": standard input): all of"
		" them, or none.\nThe first row names the columns: mac and"
		" model, then any of firmware, serial,\ngroup, state; all other"
		" columns are variables.\n",
		options, LENGTH(options), 1, 1 };
	struct import_options how = { .check_model = device_check_model,
		.check_firmware = device_check_firmware };
	struct inventory *inventory;
	struct error err = { 0 };
	char *text = NULL;
	size_t len = 0;
	int first = 0, status;
	bool is_stdin;

	if (device_import_is_from(argc, argv))
		return device_import_from(argc, argv);
	status = cmd_options(&syntax, argc, argv, &first);
	if (status >= 0)
		return status;
	is_stdin = strcmp(argv[first], "-") == 0;
	how.name = is_stdin ? "standard input" : argv[first];
	how.update = update;
	if ((is_stdin ?
		    read_stdin(&text, &len, &err) :
		    file_read(argv[first], FILE_MAX, &text, &len, &err)) != 0) {
		cmd_error("%s", err.text);
		return CMD_FAILED;
	}
	status = CMD_FAILED;
	inventory = dry_run ? device_open_copy(uri) : device_open(uri, false);
	if (inventory != NULL)
		status = import_text(inventory, text, len, &how, dry_run);
	inventory_close(inventory);
	free(text);
	return status;
}
