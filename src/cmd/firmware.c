#include "cmd/firmware.h"
#include "cmd/cmd.h"
#include "cmd/firmware_common.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/files.h"
#include "server/firmware.h"
#include "spa/registry.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define LOCK_NAME ".lock"

/* ------------------------------------------------ which folder, and its list */

int
firmware_find_folder(struct firmware_where *where)
{
	struct errors errors = { 0 };

	where->path = where->folder;
	if (where->folder != NULL)
		return 0;
	where->loaded = config_load(where->config, &errors);
	if (where->loaded == NULL) {
		(void)cmd_fail_all(&errors);
		errors_clear(&errors);
		return -1;
	}
	where->path = where->loaded->firmware.folder;
	if (where->path != NULL)
		return 0;
	cmd_error("%s: no \"firmware FOLDER { ... }\": expected one, or "
		  "--folder",
	    where->config);
	return -1;
}

int
firmware_read_images(const struct firmware_where *where, struct images *images)
{
	struct errors errors = { 0 };
	int rc = firmware_read_manifest(where->path, images, &errors);

	if (rc != 0)
		(void)cmd_fail_all(&errors);
	errors_clear(&errors);
	return rc;
}

/* One change at a time; closing the result ends it.  -1 with err. */
static int
lock_folder(const char *folder, struct error *err)
{
	char *path = file_join(folder, LOCK_NAME);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0)
		(void)error_errno(err, "%s", path);
	else if (flock(fd, LOCK_EX) != 0) {
		(void)error_errno(err, "%s", path);
		(void)close(fd);
		fd = -1;
	}
	free(path);
	return fd;
}

static int
write_images(const char *folder, const struct images *images, struct error *err)
{
	char *path = file_join(folder, IMAGES_MANIFEST);
	char *text = images_format(images);
	int rc = file_replace(path, 0644, text, strlen(text), err);

	free(text);
	free(path);
	return rc;
}

/* ------------------------------------------------------------ add and remove */

/* What the options say of a new image, its hash aside. */
static int
describe(struct image *image, const char *path, const char *version,
    const struct cmd_texts *models, struct error *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	if (!images_is_name(name))
		return error_set(err, ERROR_INPUT,
		    "\"%.100s\" is no name for an image: expected letters, "
		    "digits and ._-()",
		    name);
	memcpy(image->file, name, strlen(name) + 1);
	image->is_part = version == NULL;
	if (version != NULL &&
	    firmware_parse(&image->version, version, err) != 0)
		return -1;
	for (size_t i = 0; i < models->count; i++) {
		const struct model *nearest = NULL;
		const struct model *model = registry_find_model(models->text[i],
		    &nearest);

		if (model == NULL)
			return error_set(err, ERROR_INPUT,
			    "\"%.40s\" is no known model%s%s%s",
			    models->text[i],
			    nearest != NULL ? ": did you mean \"" : "",
			    nearest != NULL ? nearest->name : "",
			    nearest != NULL ? "\"?" : "");
		if (image->model_count == IMAGES_MODELS_MAX)
			return error_set(err, ERROR_INPUT,
			    "more than %d models", IMAGES_MODELS_MAX);
		image->models[image->model_count++] = model;
	}
	return 0;
}

/* Copy the bytes of from to the new file path. */
static int
copy_file(const struct served_file *from, const char *path, struct error *err)
{
	char *data = xmalloc(from->size + 1);
	size_t done = 0;
	int rc;

	while (done < from->size) {
		ssize_t n = pread(from->fd, data + done, from->size - done,
		    (off_t)done);

		if (n <= 0) {
			free(data);
			return error_errno(err, "%s", from->path);
		}
		done += (size_t)n;
	}
	rc = file_create(path, 0644, data, from->size, err);
	free(data);
	return rc;
}

/* Bring the file into the folder, unless it is there already. */
static int
bring_in(const char *folder, const char *path, struct image *image, bool *new,
    struct error *err)
{
	struct files *files = files_new();
	char *target = file_join(folder, image->file);
	const struct served_file *file;
	size_t index;
	int rc = -1;

	if (files_add(files, path, &index, err) != 0)
		goto out;
	file = files_get(files, index);
	memcpy(image->sha256, file->sha256, DIGEST_BYTES);
	*new = access(target, F_OK) != 0;
	if (*new) {
		rc = copy_file(file, target, err);
	} else {
		/* Of that name there is one: it has to be the same. */
		rc = firmware_open_image(files, folder, image, &index, err) ==
			IMAGE_GOOD ?
		    0 :
		    error_set(err, ERROR_INPUT,
			"%s: another file of that name is there", target);
	}
out:
	free(target);
	files_free(files);
	return rc;
}

static int
add(const struct firmware_where *where, const char *path, struct image *image,
    const char *sha256, struct error *err)
{
	char hex[2 * DIGEST_BYTES + 1];
	struct images images = { 0 };
	char *target = file_join(where->path, image->file);
	bool new = false;
	int lock = lock_folder(where->path, err), rc = -1;

	if (lock < 0)
		goto out;
	if (firmware_read_images(where, &images) != 0) {
		(void)error_set(err, ERROR_INPUT, "nothing was added");
		goto out;
	}
	if (bring_in(where->path, path, image, &new, err) != 0)
		goto out;
	text_hex(image->sha256, DIGEST_BYTES, hex);
	if (sha256 != NULL && strcasecmp(sha256, hex) != 0)
		(void)error_set(err, ERROR_INPUT,
		    "%s: SHA-256 is %s: expected %.64s", path, hex, sha256);
	else if (images_add(&images, image, err) == 0)
		rc = write_images(where->path, &images, err);
	if (rc == 0)
		(void)printf("%s  %s\n", hex, image->file);
	else if (new)
		(void)unlink(target);
out:
	free(target);
	images_clear(&images);
	if (lock >= 0)
		(void)close(lock);
	return rc;
}

static int
firmware_add(int argc, char **argv)
{
	struct firmware_where where = { .config = CONFIG_DEFAULT_PATH };
	const char *version = NULL, *sha256 = NULL;
	struct cmd_texts models = { 0 };
	bool part = false;
	const struct cmd_option options[] = {
		FIRMWARE_FOLDER_OPTIONS,
		{ .name = "version",
		    .value = "VERSION",
		    .help = "which it is, as devices write it",
		    .text = &version },
		{ .name = "model",
		    .value = "MODEL",
		    .help = "for which it is; may be repeated",
		    .texts = &models },
		{ .name = "part",
		    .help = "a file that another image names: without version "
			    "and models",
		    .flag = &part },
		{ .name = "sha256",
		    .value = "HEX",
		    .help = "what the vendor says; another one is refused",
		    .text = &sha256 },
	};
	const struct cmd_syntax syntax = { .name = "sprov firmware add",
		.operands = "FILE",
		.help = "Copy an image into the folder and write its hash into "
			"the manifest.\n",
		.options = options,
		.option_count = LENGTH(options),
		.operands_min = 1,
		.operands_max = 1 };
	struct image image = { .line = 0 };
	struct error err = { 0 };
	int first, rc = cmd_options(&syntax, argc, argv, &first);

	if (rc >= 0)
		goto out;
	rc = CMD_USAGE;
	if (part != (version == NULL) || part != (models.count == 0)) {
		cmd_error("an image needs --version and --model, a part needs "
			  "neither");
		goto out;
	}
	rc = CMD_FAILED;
	if (describe(&image, argv[first], version, &models, &err) != 0)
		rc = cmd_fail(&err);
	else if (firmware_find_folder(&where) == 0)
		rc = add(&where, argv[first], &image, sha256, &err) == 0 ?
		    CMD_DONE :
		    cmd_fail(&err);
	config_free(where.loaded);
out:
	free(models.text);
	return rc;
}

static int
remove_image(const struct firmware_where *where, const char *file,
    struct error *err)
{
	struct images images = { 0 };
	int lock = lock_folder(where->path, err), rc = -1;
	const struct image *image;
	char *path = NULL;
	size_t at;

	if (lock < 0)
		return -1;
	if (firmware_read_images(where, &images) != 0) {
		(void)error_set(err, ERROR_INPUT, "nothing was removed");
		goto out;
	}
	image = images_find_file(&images, file);
	if (image == NULL) {
		(void)error_set(err, ERROR_NOT_FOUND,
		    "no image is called \"%.100s\"", file);
		goto out;
	}
	path = file_join(where->path, image->file);
	at = (size_t)(image - images.list);
	memmove(&images.list[at], &images.list[at + 1],
	    (images.count - at - 1) * sizeof(*images.list));
	images.count--;
	/* First from the list: a file that is in none harms nobody. */
	rc = write_images(where->path, &images, err);
	if (rc == 0 && unlink(path) != 0 && access(path, F_OK) == 0)
		rc = error_errno(err, "%s", path);
out:
	free(path);
	images_clear(&images);
	(void)close(lock);
	return rc;
}

static int
firmware_remove(int argc, char **argv)
{
	struct firmware_where where = { .config = CONFIG_DEFAULT_PATH };
	const struct cmd_option options[] = { FIRMWARE_FOLDER_OPTIONS };
	const struct cmd_syntax syntax = { .name = "sprov firmware remove",
		.operands = "NAME",
		.help = "Take an image out of the manifest and the folder.\n",
		.options = options,
		.option_count = LENGTH(options),
		.operands_min = 1,
		.operands_max = 1 };
	struct error err = { 0 };
	int first, rc = cmd_options(&syntax, argc, argv, &first);

	if (rc >= 0)
		return rc;
	rc = CMD_FAILED;
	if (firmware_find_folder(&where) == 0)
		rc = remove_image(&where, argv[first], &err) == 0 ?
		    CMD_DONE :
		    cmd_fail(&err);
	config_free(where.loaded);
	return rc;
}

int
cmd_firmware(int argc, char **argv)
{
	static const struct command commands[] = {
		{ "add", "copy an image into the folder", firmware_add },
		{ "check", "compare images with the manifest", firmware_check },
		{ "list", "print what there is", firmware_list },
		{ "remove", "take an image out", firmware_remove },
	};

	return cmd_run("sprov firmware", commands, LENGTH(commands), argc,
	    argv);
}
