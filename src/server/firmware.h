/*
 * firmware.h -- the folder of images: opened, and found to be what the
 * manifest says.
 */
#ifndef SERVER_FIRMWARE_H
#define SERVER_FIRMWARE_H

#include "base/error.h"
#include "provision/images.h"

struct config;
struct files;
struct ladders;
struct routes;

/* What became of one image. */
enum image_state { IMAGE_GOOD, IMAGE_MISSING, IMAGE_WRONG };

/* Read the manifest of the folder; an empty one when there is none yet. */
int firmware_read_manifest(const char *folder, struct images *images,
    struct errors *errors) MUST_CHECK;

/*
 * Open and hash an image of the folder; *index is its number in files.  What
 * cannot be opened is missing, what hashes to something else is wrong: err says
 * it in words.  Takes as long as reading it does.
 */
enum image_state firmware_open_image(struct files *files, const char *folder,
    const struct image *image, size_t *index, struct error *err);

/*
 * What config says of firmware; every problem goes to errors with its place.
 * Images become files and routes, and are hashed; ladders become rules, for
 * which the manifest suffices (the caller's to free).
 */
void firmware_load_images(const struct config *config, struct files *files,
    struct routes *routes, struct errors *errors);
struct ladders *
firmware_load_ladders(const struct config *config, struct errors *errors);

/*
 * What would not stop the server, and yet cannot be meant: URLs of ladders by
 * which nobody gets an image, because only devices that prove themselves may
 * have it.
 */
void firmware_warn(const struct config *config, struct errors *warnings);

#endif
