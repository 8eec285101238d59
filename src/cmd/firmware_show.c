#include "cmd/cmd.h"
#include "cmd/firmware_common.h"
#include "cmd/firmware_fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>
#include <libsmartcols/libsmartcols.h>

#include "base/mem.h"
#include "base/text.h"
#include "provision/ladder.h"
#include "server/files.h"
#include "server/firmware.h"
#include "spa/registry.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

struct row {
	const struct image *image;
	enum image_state state; /* of a check */
	char size[32];
	char why[512];
};

static const char *const state_names[] = {
	[IMAGE_GOOD] = "good",
	[IMAGE_MISSING] = "missing",
	[IMAGE_WRONG] = "wrong",
};

/* The models as one text, the caller's to free(). */
static char *
models_text(const struct image *image)
{
	char *text = xstrdup("");

	for (size_t i = 0; i < image->model_count; i++) {
		char *longer = xasprintf("%s%s%s", text, i > 0 ? " " : "",
		    image->models[i]->name);

		free(text);
		text = longer;
	}
	return text;
}

static int
print_table(const struct row *rows, size_t count, bool checked)
{
	struct libscols_table *table = scols_new_table();
	int rc = table == NULL ||
	    scols_table_new_column(table, "FILE", 0.1, 0) == NULL ||
	    scols_table_new_column(table, "VERSION", 0.1, 0) == NULL ||
	    scols_table_new_column(table, checked ? "STATE" : "SHA-256", 0.1,
		0) == NULL ||
	    scols_table_new_column(table, "MODELS", 0.5, SCOLS_FL_TRUNC) ==
		NULL;

	for (size_t i = 0; i < count && rc == 0; i++) {
		const struct image *image = rows[i].image;
		struct libscols_line *line = scols_table_new_line(table, NULL);
		char hex[2 * DIGEST_BYTES + 1];
		char *models = models_text(image);

		text_hex(image->sha256, 4, hex);
		rc = line == NULL ||
		    scols_line_set_data(line, 0, image->file) ||
		    scols_line_set_data(line, 1,
			image->is_part ? "part" : image->version.text) ||
		    scols_line_set_data(line, 2,
			checked ? state_names[rows[i].state] : hex) ||
		    scols_line_set_data(line, 3, models);
		free(models);
	}
	if (rc == 0 && count > 0)
		(void)scols_print_table(table);
	scols_unref_table(table);
	if (rc != 0)
		cmd_error("no memory for the table");
	return rc != 0 ? CMD_FAILED : CMD_DONE;
}

static json_t *
row_json(const struct row *row, bool checked)
{
	const struct image *image = row->image;
	json_t *models = json_array(), *object;
	char hex[2 * DIGEST_BYTES + 1];

	for (size_t i = 0; i < image->model_count; i++)
		(void)json_array_append_new(models,
		    json_string(image->models[i]->name));
	text_hex(image->sha256, DIGEST_BYTES, hex);
	object = json_pack("{s:s, s:s, s:s*, s:o}", "file", image->file,
	    "sha256", hex, "version",
	    image->is_part ? NULL : image->version.text, "models", models);
	if (checked && object != NULL)
		(void)json_object_set_new(object, "state",
		    json_string(state_names[row->state]));
	return object;
}

static int
print_json(const struct row *rows, size_t count, bool checked)
{
	json_t *list = json_array();
	int rc;

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, row_json(&rows[i], checked));
	rc = json_dumpf(list, stdout, JSON_INDENT(2));
	(void)printf("\n");
	json_decref(list);
	return rc == 0 ? CMD_DONE : CMD_FAILED;
}

/* Hash each image; true when all are what the manifest says. */
static bool
check_rows(const char *folder, struct row *rows, size_t count)
{
	bool progress = isatty(STDERR_FILENO), good = true;
	struct files *files = files_new();

	for (size_t i = 0; i < count; i++) {
		struct error err = { 0 };
		size_t index;

		if (progress)
			(void)fprintf(stderr, "\r%zu of %zu", i + 1, count);
		rows[i].state = firmware_open_image(files, folder,
		    rows[i].image, &index, &err);
		good = good && rows[i].state == IMAGE_GOOD;
		(void)snprintf(rows[i].why, sizeof(rows[i].why), "%s",
		    err.text);
	}
	if (progress)
		(void)fprintf(stderr, "\r\033[K");
	files_free(files);
	return good;
}

/* The ladders of the configuration stand on the images, too. */
static bool
check_ladders(const struct firmware_where *where)
{
	struct errors errors = { 0 };
	bool good;

	if (where->loaded == NULL)
		return true;
	ladders_free(firmware_load_ladders(where->loaded, &errors));
	good = errors.count == 0;
	if (!good)
		(void)cmd_fail_all(&errors);
	errors_clear(&errors);
	return good;
}

/* And devices and groups name ladders. */
static bool
check_fleet(const struct firmware_where *where)
{
	struct errors problems = { 0 };
	struct error err;
	bool good;

	if (where->loaded == NULL)
		return true;
	if (firmware_fleet_check(where->loaded, &problems, &err) != 0)
		errors_add(&problems, "%s", err.text);
	good = problems.count == 0;
	if (!good)
		(void)cmd_fail_all(&problems);
	errors_clear(&problems);
	return good;
}

static void
warn(const struct firmware_where *where)
{
	struct errors warnings = { 0 };

	if (where->loaded != NULL)
		firmware_warn(where->loaded, &warnings);
	for (size_t i = 0; i < warnings.kept; i++)
		cmd_error("warning: %s", warnings.text[i]);
	errors_clear(&warnings);
}

static int
show(struct firmware_where *where, bool json, bool checked)
{
	struct images images;
	struct row *rows;
	bool good = true;
	int rc = CMD_FAILED;

	if (firmware_find_folder(where) != 0 ||
	    firmware_read_images(where, &images) != 0)
		goto out;
	rows = xcalloc(images.count + 1, sizeof(*rows));
	for (size_t i = 0; i < images.count; i++)
		rows[i].image = &images.list[i];
	if (checked)
		good = check_rows(where->path, rows, images.count);
	rc = json ? print_json(rows, images.count, checked) :
		    print_table(rows, images.count, checked);
	for (size_t i = 0; i < images.count && checked; i++)
		if (rows[i].state != IMAGE_GOOD)
			cmd_error("%s", rows[i].why);
	if (checked) {
		good = check_ladders(where) && good;
		good = check_fleet(where) && good;
		warn(where);
	}
	free(rows);
	images_clear(&images);
	if (rc == CMD_DONE && !good)
		rc = CMD_PROBLEM;
out:
	config_free(where->loaded);
	return rc;
}

static int
run_show(int argc, char **argv, const char *name, const char *help,
    bool checked)
{
	struct firmware_where where = { .config = CONFIG_DEFAULT_PATH };
	bool json = false;
	const struct cmd_option options[] = {
		FIRMWARE_FOLDER_OPTIONS,
		{ .name = "json", .help = "as JSON", .flag = &json },
	};
	const struct cmd_syntax syntax = { .name = name,
		.operands = "",
		.help = help,
		.options = options,
		.option_count = LENGTH(options) };
	int first, status = cmd_options(&syntax, argc, argv, &first);

	return status >= 0 ? status : show(&where, json, checked);
}

int
firmware_list(int argc, char **argv)
{
	return run_show(argc, argv, "sprov firmware list",
	    "Print the images of the folder.\n", false);
}

int
firmware_check(int argc, char **argv)
{
	return run_show(argc, argv, "sprov firmware check",
	    "Hash each image and compare it with the manifest; find an image "
	    "for each\nstep of the ladders.  Exit status 3: something is "
	    "wrong.\n",
	    true);
}
