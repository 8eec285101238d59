#include "provision/images.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "spa/registry.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS 4

void
images_clear(struct images *images)
{
	free(images->list);
	*images = (struct images) { .list = NULL };
}

bool
images_is_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= IMAGES_NAME_MAX && *name != '.' &&
	    strspn(name,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789._-()") == len &&
	    strcmp(name, IMAGES_MANIFEST) != 0;
}

const struct image *
images_find_file(const struct images *images, const char *file)
{
	for (size_t i = 0; i < images->count; i++)
		if (strcmp(images->list[i].file, file) == 0)
			return &images->list[i];
	return NULL;
}

static bool
is_for(const struct image *image, const struct model *model)
{
	for (size_t i = 0; i < image->model_count; i++)
		if (image->models[i] == model)
			return true;
	return false;
}

const struct image *
images_find(const struct images *images, const struct model *model,
    const struct firmware *version)
{
	for (size_t i = 0; i < images->count; i++) {
		const struct image *image = &images->list[i];

		if (is_for(image, model) &&
		    firmware_compare(&image->version, version) == 0)
			return image;
	}
	return NULL;
}

int
images_add(struct images *images, const struct image *image, struct error *err)
{
	const struct image *same;

	if (images_find_file(images, image->file) != NULL)
		return error_set(err, ERROR_INPUT,
		    "\"%s\" is there already: expected each file once",
		    image->file);
	for (size_t i = 0; i < image->model_count; i++) {
		same = images_find(images, image->models[i], &image->version);
		if (same != NULL)
			return error_set(err, ERROR_INPUT,
			    "\"%s\" is %s for %s, and so is \"%s\": expected "
			    "one of them",
			    image->file, image->version.text,
			    image->models[i]->name, same->file);
	}
	if (images->count == IMAGES_MAX)
		return error_set(err, ERROR_INPUT, "more than %d images",
		    IMAGES_MAX);
	images->list = xrealloc(images->list,
	    (images->count + 1) * sizeof(*images->list));
	images->list[images->count++] = *image;
	return 0;
}

static int
read_models(struct image *image, char *text, struct error *err)
{
	char *save = NULL;

	for (char *word = strtok_r(text, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save)) {
		const struct model *nearest = NULL;
		const struct model *model = registry_find_model(word, &nearest);

		if (model == NULL)
			return error_set(err, ERROR_INPUT,
			    "\"%.40s\" is no known model%s%s%s", word,
			    nearest != NULL ? ": did you mean \"" : "",
			    nearest != NULL ? nearest->name : "",
			    nearest != NULL ? "\"?" : "");
		if (image->model_count == IMAGES_MODELS_MAX)
			return error_set(err, ERROR_INPUT,
			    "more than %d models", IMAGES_MODELS_MAX);
		image->models[image->model_count++] = model;
	}
	return image->model_count > 0 ? 0 :
					error_set(err, ERROR_INPUT,
					    "no models: expected their names, "
					    "with blanks between them");
}

static int
read_image(struct image *image, char *const column[COLUMNS], struct error *err)
{
	if (!images_is_name(column[0]))
		return error_set(err, ERROR_INPUT,
		    "\"%.60s\" is no name for an image: expected letters, "
		    "digits and ._-()",
		    column[0]);
	memcpy(image->file, column[0], strlen(column[0]) + 1);
	if (!text_unhex(column[1], image->sha256, DIGEST_BYTES))
		return error_set(err, ERROR_INPUT,
		    "\"%.20s\" is no SHA-256: expected 64 hex digits",
		    column[1]);
	image->is_part = strcmp(column[2], "-") == 0;
	if (image->is_part)
		return strcmp(column[3], "-") == 0 ?
		    0 :
		    error_set(err, ERROR_INPUT,
			"a file without version has no models: expected "
			"\"-\"");
	if (firmware_parse(&image->version, column[2], err) != 0)
		return -1;
	return read_models(image, column[3], err);
}

/* Split line, which ends in NUL, at its tabs; false: not four columns. */
static bool
split(char *line, char *column[COLUMNS])
{
	for (size_t i = 0; i < COLUMNS; i++) {
		column[i] = line;
		line = strchr(line, '\t');
		if ((line != NULL) != (i + 1 < COLUMNS))
			return false;
		if (line != NULL)
			*line++ = '\0';
	}
	return true;
}

static void
read_line(struct images *images, char *line, unsigned number, const char *path,
    struct errors *errors)
{
	struct image image = { .line = number };
	char *column[COLUMNS];
	struct error err;

	if (*line == '\0' || *line == '#')
		return;
	if (!split(line, column))
		errors_add(errors,
		    "%s:%u: expected file, SHA-256, version and models, with "
		    "tabs between them",
		    path, number);
	else if (read_image(&image, column, &err) != 0 ||
	    images_add(images, &image, &err) != 0)
		errors_add(errors, "%s:%u: %s", path, number, err.text);
}

int
images_parse(struct images *images, const char *path, const char *text,
    size_t len, struct errors *errors)
{
	size_t before = errors->count;
	char *copy, *save = NULL, *line;
	unsigned number = 0;

	*images = (struct images) { .list = NULL };
	if (len > IMAGES_TEXT_MAX || memchr(text, '\0', len) != NULL) {
		errors_add(errors,
		    "%s: expected text without NUL, of %d bytes at most", path,
		    IMAGES_TEXT_MAX);
		return -1;
	}
	copy = xstrndup(text, len);
	for (line = copy; line != NULL; line = save) {
		save = strchr(line, '\n');
		if (save != NULL)
			*save++ = '\0';
		if (*line != '\0' && line[strlen(line) - 1] == '\r')
			line[strlen(line) - 1] = '\0';
		read_line(images, line, ++number, path, errors);
	}
	free(copy);
	if (errors->count == before)
		return 0;
	images_clear(images);
	return -1;
}

static int
put_image(struct buf *out, const struct image *image)
{
	char hex[2 * DIGEST_BYTES + 1];

	text_hex(image->sha256, DIGEST_BYTES, hex);
	if (buf_printf(out, "%s\t%s\t%s\t%s", image->file, hex,
		image->is_part ? "-" : image->version.text,
		image->is_part ? "-" : image->models[0]->name) != 0)
		return -1;
	for (size_t i = 1; i < image->model_count; i++)
		if (buf_printf(out, " %s", image->models[i]->name) != 0)
			return -1;
	return buf_append_text(out, "\n");
}

char *
images_format(const struct images *images)
{
	struct buf out;
	int rc;

	/* What was read or added fits: names and models have limits. */
	buf_init(&out, SIZE_MAX / 2);
	rc = buf_append_text(&out, "# file\tsha256\tversion\tmodels\n");
	for (size_t i = 0; i < images->count && rc == 0; i++)
		rc = put_image(&out, &images->list[i]);
	return buf_take(&out);
}
