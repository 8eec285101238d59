/*
 * images.h -- the manifest of a folder of firmware images.
 *
 *     # file <TAB> sha256 <TAB> version <TAB> models
 *     spa50x-30x-7-6-2f.bin	9f86d0...	7.6.2f	SPA504G SPA508G
 *     sip88xx.11-3-2.loads	60303a...	11.3.2	CP-8841-3PCC
 *     kern88xx.11-3-2.sbn	fd61a0...	-	-
 *
 * A line per file; "#" begins a comment.  A file without version and models is
 * a part that another one names, as multiplatform phones have them: it is
 * served and never named in a rule.  One model has at most one image of a
 * version.  Pure: bytes in, bytes out.
 */
#ifndef PROVISION_IMAGES_H
#define PROVISION_IMAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "base/error.h"
#include "spa/firmware.h"

#define IMAGES_MANIFEST "manifest.tsv"
#define IMAGES_TEXT_MAX (1024 * 1024)
#define IMAGES_MAX 2000
#define IMAGES_NAME_MAX 127
#define IMAGES_MODELS_MAX 96 /* of one image */

struct model;

struct image {
	char file[IMAGES_NAME_MAX + 1];
	uint8_t sha256[DIGEST_BYTES];
	bool is_part; /* then it has no version and no models */
	struct firmware version;
	const struct model *models[IMAGES_MODELS_MAX];
	size_t model_count;
	unsigned line; /* of the manifest; 0: of none */
};

struct images {
	struct image *list;
	size_t count;
};

void images_clear(struct images *images);

/*
 * May a file be called so?  1 to IMAGES_NAME_MAX of letters, digits and
 * ". _ - ( )", not first a dot: it stands in a URL and in a rule as it is.
 */
bool images_is_name(const char *name);

/*
 * Read a manifest, all mistakes to errors ("path:line: ..."); -1 when there
 * are any, *images is then empty.
 */
int images_parse(struct images *images, const char *path, const char *text,
    size_t len, struct errors *errors) MUST_CHECK;

/* Add one; refused (ERROR_INPUT): a name or a version that is there. */
int images_add(struct images *images, const struct image *image,
    struct error *err) MUST_CHECK;

/* The manifest as text, the caller's to free(). */
char *images_format(const struct images *images);

/* The image of a model in that version, or NULL. */
const struct image *images_find(const struct images *images,
    const struct model *model, const struct firmware *version);

const struct image *
images_find_file(const struct images *images, const char *file);

#endif
