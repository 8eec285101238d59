/*
 * tree.h -- the parts of the importer of a folder of profiles; for tree*.c.
 */
#ifndef IMPORTER_TREE_H
#define IMPORTER_TREE_H

#include "importer/importer.h"
#include "spa/flat_profile.h"

#define TREE_DEPTH_MAX 8
#define TREE_FILES_MAX 200000
#define TREE_PARTS_MAX 1000
#define TREE_FILE_MAX (1024UL * 1024)
#define TREE_BYTES_MAX (512UL * 1024 * 1024) /* of profiles, together */

/* A profile of the folder. */
struct tree_file {
	char *path;   /* as opened */
	char *served; /* below the folder, with a '/' before it */
	mode_t mode;
	const struct model *model; /* NULL: not told */
	bool has_mac;
	struct mac mac;
	char group[INVENTORY_NAME_MAX + 1];
	struct flat_profile *profile;
	bool is_part;	/* of others, which import it */
	bool is_double; /* the same device and parameters as another one */
};

struct tree {
	struct fleet *fleet;
	const struct importer_options *options;
	const char *root;
	struct tree_file *files;
	size_t count, visited, bytes;
	char **parts; /* files that others import */
	size_t part_count;
};

/* What a file is, by its bytes. */
enum tree_kind {
	TREE_XML,
	TREE_TEXT,
	TREE_SALTED,
	TREE_GZIP,
	TREE_BINARY,
	TREE_OTHER_XML,
	TREE_EMPTY,
};
enum tree_kind tree_kind(const char *text, size_t len);

/* Name, folders and head of a profile tell device, model and group. */
void tree_identify(struct tree_file *file, const char *text, size_t len);

/* The one MAC address in a name; false when there is none, or two. */
bool tree_find_mac(struct mac *mac, const char *name);

/* Is it the name of a parameter that nobody else should know? */
bool tree_is_secret(const char *name);

/* All files to devices, variables, templates and leaks. */
void tree_take(struct tree *tree);

#endif
