/*
 * firmware_common.h -- what the commands of sprov firmware share.
 */
#ifndef CMD_FIRMWARE_COMMON_H
#define CMD_FIRMWARE_COMMON_H

#include "provision/images.h"
#include "server/config.h"

/* Needs a variable "where" in reach. */
#define FIRMWARE_FOLDER_OPTIONS \
	{ .name = "config", \
		.letter = 'c', \
		.value = "FILE", \
		.help = "the server's configuration (" CONFIG_DEFAULT_PATH \
			")", \
		.text = &where.config }, \
	{ \
		.name = "folder", .letter = 'f', .value = "FOLDER", \
		.help = "the folder of images, instead of the one that the " \
			"configuration names", \
		.text = &where.folder \
	}

struct firmware_where {
	const char *config, *folder; /* as given */
	struct config *loaded;
	const char *path; /* of the folder */
};

/* Both return -1 when all is said.  where->loaded is the caller's to free, in
 * any case. */
int firmware_find_folder(struct firmware_where *where);
int
firmware_read_images(const struct firmware_where *where, struct images *images);

/* The commands. */
int firmware_list(int argc, char **argv);
int firmware_check(int argc, char **argv);

#endif
