#include "server/firmware.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/url.h"
#include "provision/ladder.h"
#include "provision/route.h"
#include "provision/upgrade.h"
#include "server/config.h"
#include "server/files.h"
#include "spa/registry.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
firmware_read_manifest(const char *folder, struct images *images,
    struct errors *errors)
{
	char *path = file_join(folder, IMAGES_MANIFEST);
	char *text = NULL;
	struct error err;
	size_t len;
	int rc;

	*images = (struct images) { .list = NULL };
	rc = file_read(path, IMAGES_TEXT_MAX, &text, &len, &err);
	if (rc == 0)
		rc = images_parse(images, path, text, len, errors);
	else if (err.kind == ERROR_NOT_FOUND && access(folder, F_OK) == 0)
		rc = 0;
	else
		errors_add(errors, "%s", err.text);
	free(text);
	free(path);
	return rc;
}

static enum image_state
check_hash(const struct served_file *file, const struct image *image,
    struct error *err)
{
	char is[2 * DIGEST_BYTES + 1], wanted[2 * DIGEST_BYTES + 1];

	if (memcmp(file->sha256, image->sha256, DIGEST_BYTES) == 0)
		return IMAGE_GOOD;
	text_hex(file->sha256, DIGEST_BYTES, is);
	text_hex(image->sha256, DIGEST_BYTES, wanted);
	(void)error_set(err, ERROR_INPUT,
	    "%s: SHA-256 is %s, the manifest says %s", file->path, is, wanted);
	return IMAGE_WRONG;
}

enum image_state
firmware_open_image(struct files *files, const char *folder,
    const struct image *image, size_t *index, struct error *err)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum image_state state = IMAGE_MISSING;

	if (fd < 0) {
		(void)error_errno(err, "%s", folder);
		return state;
	}
	if (files_add_from(files, fd, folder, image->file, index, err) == 0)
		state = check_hash(files_get(files, *index), image, err);
	(void)close(fd);
	return state;
}

static int
read_manifest(const struct config *config, struct images *images)
{
	struct errors ignored = { 0 };
	int rc = firmware_read_manifest(config->firmware.folder, images,
	    &ignored);

	errors_clear(&ignored);
	return rc;
}

/* What loading works with. */
struct load {
	const struct config *config;
	struct images images;
	struct errors *errors;
};

static void
complain(const struct load *load, struct config_place place, const char *text)
{
	errors_add(load->errors, "%s:%u:%u: %s", load->config->path, place.line,
	    place.column, text);
}

static void
load_image(const struct load *load, struct files *files, struct routes *routes,
    const struct image *image)
{
	const struct config_firmware *firmware = &load->config->firmware;
	char *path = xasprintf("%s/%s", firmware->path, image->file);
	struct error err;
	size_t index;

	if (firmware_open_image(files, firmware->folder, image, &index, &err) !=
		IMAGE_GOOD ||
	    routes_add_file(routes,
		firmware->is_public ? ROUTE_PUBLIC_FILE : ROUTE_DEVICE_FILE,
		path, index, &err) != 0)
		complain(load, firmware->place, err.text);
	free(path);
}

/* What the URLs for that model begin with; NULL: nothing that it can use. */
static const char *
base_url(const struct config_firmware *firmware, const struct model *model)
{
	if (upgrade_by_https(model) && firmware->url[URL_HTTPS] != NULL)
		return firmware->url[URL_HTTPS];
	return firmware->url[URL_HTTP] != NULL ? firmware->url[URL_HTTP] :
						 firmware->url[URL_TFTP];
}

/* The images of the ladder's steps; -1 after a complaint. */
static int
find_urls(const struct load *load, const struct config_ladder *ladder,
    const struct model *model, const char *base,
    char *urls[static CONFIG_LADDER_STEPS_MAX])
{
	struct error err;
	int rc = 0;

	for (size_t i = 0; i < ladder->step_count; i++) {
		const struct image *image = images_find(&load->images, model,
		    &ladder->steps[i].to);

		if (image != NULL) {
			urls[i] = xasprintf("%s%s/%s", base,
			    load->config->firmware.path, image->file);
			continue;
		}
		rc = error_set(&err, ERROR_NOT_FOUND,
		    "no image of %s for %s: expected one in %s/%s",
		    ladder->steps[i].to.text, model->name,
		    load->config->firmware.folder, IMAGES_MANIFEST);
		complain(load, ladder->step_places[i], err.text);
	}
	return rc;
}

static void
load_ladder(const struct load *load, const struct config_ladder *ladder,
    size_t which, struct ladders *ladders)
{
	const struct model *model = ladder->models[which];
	const char *base = base_url(&load->config->firmware, model);
	char *urls[CONFIG_LADDER_STEPS_MAX] = { NULL };
	struct error err;
	char *rule = NULL;

	if (base == NULL) {
		(void)error_set(&err, ERROR_INPUT,
		    "%s cannot fetch images: expected \"url http://HOST\" or "
		    "tftp:// in the firmware block%s",
		    model->name,
		    upgrade_by_https(model) ? ", or https://" :
					      "; it is not known to do so by "
					      "https");
		complain(load, ladder->model_places[which], err.text);
	} else if (find_urls(load, ladder, model, base, urls) == 0) {
		rule = ladder_rule(ladder->steps, ladder->step_count,
		    (const char *const *)urls, &err);
		if (rule == NULL)
			complain(load, ladder->place, err.text);
		else
			ladders_add(ladders, ladder->name, model, ladder->steps,
			    ladder->step_count, rule);
	}
	free(rule);
	for (size_t i = 0; i < ladder->step_count; i++)
		free(urls[i]);
}

void
firmware_load_images(const struct config *config, struct files *files,
    struct routes *routes, struct errors *errors)
{
	struct load load = { .config = config, .errors = errors };

	/* A manifest that is wrong was firmware_load_ladders()'s to tell. */
	if (config->firmware.folder == NULL ||
	    read_manifest(config, &load.images) != 0)
		return;
	for (size_t i = 0; i < load.images.count; i++)
		load_image(&load, files, routes, &load.images.list[i]);
	images_clear(&load.images);
}

struct ladders *
firmware_load_ladders(const struct config *config, struct errors *errors)
{
	struct load load = { .config = config, .errors = errors };
	struct ladders *ladders = ladders_new();

	if (config->firmware.folder == NULL) {
		for (size_t i = 0; i < config->ladder_count; i++)
			complain(&load, config->ladders[i].place,
			    "a ladder without images: expected \"firmware "
			    "FOLDER { ... }\"");
		return ladders;
	}
	if (firmware_read_manifest(config->firmware.folder, &load.images,
		errors) != 0)
		return ladders;
	for (size_t i = 0; i < config->ladder_count; i++)
		for (size_t k = 0; k < config->ladders[i].model_count; k++)
			load_ladder(&load, &config->ladders[i], k, ladders);
	images_clear(&load.images);
	return ladders;
}

/* One warning a ladder: its first model that is led astray. */
static void
warn_ladder(const struct load *load, const struct config_ladder *ladder)
{
	struct error err;

	for (size_t k = 0; k < ladder->model_count; k++) {
		const char *base = base_url(&load->config->firmware,
		    ladder->models[k]);

		if (base == NULL || strncmp(base, "https:", 6) == 0)
			continue;
		(void)error_set(&err, ERROR_INPUT,
		    "%s is led to %s, where no device can prove itself: with "
		    "\"access devices\" it gets no image there; expected "
		    "\"access public\"%s",
		    ladder->models[k]->name, base,
		    upgrade_by_https(ladder->models[k]) ?
			" or \"url https://HOST\"" :
			"");
		complain(load, ladder->model_places[k], err.text);
		return;
	}
}

void
firmware_warn(const struct config *config, struct errors *warnings)
{
	const struct load load = { .config = config, .errors = warnings };

	if (config->firmware.folder == NULL || config->firmware.is_public)
		return;
	for (size_t i = 0; i < config->ladder_count; i++)
		warn_ladder(&load, &config->ladders[i]);
}
