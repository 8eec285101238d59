/*
 * A folder from which devices fetch today, by TFTP or HTTP: flat profiles as
 * XML and SPC's plain text, under the names that profile rules ask for.
 */
#include "importer/tree.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/crypto.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "spa/spc_text.h"

#define SHOWN_BYTES 200

/* Files that a text imports lie beside it, never above or elsewhere. */
struct beside {
	struct tree *tree;
	const char *path;
};

static bool
is_part(const struct tree *tree, const char *path)
{
	for (size_t i = 0; i < tree->part_count; i++)
		if (strcmp(tree->parts[i], path) == 0)
			return true;
	return false;
}

static void
note_part(struct tree *tree, const char *path)
{
	if (is_part(tree, path) || tree->part_count == TREE_PARTS_MAX)
		return;
	tree->parts = xrealloc(tree->parts,
	    (tree->part_count + 1) * sizeof(*tree->parts));
	tree->parts[tree->part_count++] = xstrdup(path);
}

static int
read_beside(void *arg, const char *name, char **text, size_t *len,
    struct error *err)
{
	const struct beside *beside = arg;
	char *folder, *path;
	int rc;

	if (strchr(name, '/') != NULL || name[0] == '.')
		return error_set(err, ERROR_INPUT,
		    "expected a file in the same folder");
	folder = file_directory(beside->path);
	path = file_join(folder, name);
	rc = file_read(path, TREE_FILE_MAX, text, len, err);
	if (rc == 0)
		note_part(beside->tree, path);
	free(path);
	free(folder);
	return rc;
}

static void
say_left_out(struct tree *tree, const char *path, const char *why)
{
	fleet_say(tree->fleet, FLEET_LEFT_OUT, "%s: %s", path, why);
}

/* NULL: it was said why. */
static struct flat_profile *
read_profile(struct tree *tree, const char *path, enum tree_kind kind,
    const char *text, size_t len)
{
	struct beside beside = { tree, path };
	struct mac mac;
	struct error err = { 0 };
	struct flat_profile *profile = NULL;

	switch (kind) {
	case TREE_XML:
		profile = flat_profile_read(text, len, &err);
		break;
	case TREE_TEXT:
		profile = spc_text_read(text, len, read_beside, &beside, &err);
		/* Notes and scripts lie about, too. */
		if (profile == NULL && !tree_find_mac(&mac, path)) {
			fleet_say(tree->fleet, FLEET_LEFT_OUT,
			    "%s: is no profile, read as one: %s", path,
			    err.text);
			return NULL;
		}
		break;
	case TREE_SALTED:
		say_left_out(tree, path,
		    "is encrypted (AES, \"Salted__\"): decrypt it with \"sprov "
		    "profile decrypt\" first");
		return NULL;
	case TREE_GZIP:
		say_left_out(tree, path,
		    "is compressed: unpack it first "
		    "(gunzip)");
		return NULL;
	case TREE_BINARY:
		say_left_out(tree, path,
		    "is binary: firmware, or compiled by SPC; of that, the "
		    "text that it was made from is needed");
		return NULL;
	case TREE_OTHER_XML:
		say_left_out(tree, path, "is XML without a flat-profile");
		return NULL;
	case TREE_EMPTY:
		say_left_out(tree, path, "is empty");
		return NULL;
	}
	if (profile == NULL)
		fleet_say(tree->fleet, FLEET_ERROR, "%s:%s", path, err.text);
	return profile;
}

static void
add_file(struct tree *tree, const char *path, mode_t mode,
    struct flat_profile *profile, const char *text, size_t len)
{
	struct tree_file *file;

	if ((tree->count & (tree->count - 1)) == 0)
		tree->files = xrealloc(tree->files,
		    (tree->count == 0 ? 1 : 2 * tree->count) *
			sizeof(*tree->files));
	file = &tree->files[tree->count++];
	*file = (struct tree_file) { .path = xstrdup(path),
		.served = xasprintf("/%s", path + strlen(tree->root) + 1),
		.mode = mode,
		.profile = profile };
	tree_identify(file, text, len);
	if (file->model == NULL)
		file->model = tree->options->model;
}

static void
take_file(struct tree *tree, const char *path)
{
	char *text = NULL;
	size_t len = 0;
	mode_t mode = 0;
	enum tree_kind kind;
	struct flat_profile *profile;
	struct error err = { 0 };
	struct stat status;

	/* Larger ones are no profiles: images, tones. */
	if (file_read(path, TREE_FILE_MAX, &text, &len, &err) != 0) {
		if (err.kind == ERROR_INPUT)
			say_left_out(tree, path, "is too long for a profile");
		else
			fleet_say(tree->fleet, FLEET_ERROR, "%s", err.text);
		return;
	}
	mode = stat(path, &status) == 0 ? status.st_mode & 07777 : 0;
	kind = tree_kind(text, len);
	tree->bytes += len;
	if (tree->bytes > TREE_BYTES_MAX) {
		fleet_say(tree->fleet, FLEET_ERROR,
		    "%s: more than %lu bytes of profiles: import the folders "
		    "one by one",
		    path, TREE_BYTES_MAX);
	} else {
		profile = read_profile(tree, path, kind, text, len);
		if (profile != NULL)
			add_file(tree, path, mode, profile, text, len);
	}
	OPENSSL_cleanse(text, len);
	free(text);
}

static void
take_folder(struct tree *tree, const char *folder, int depth)
{
	struct dirent **names = NULL;
	int count = scandir(folder, &names, NULL, alphasort);

	if (count < 0)
		fleet_say(tree->fleet, FLEET_ERROR,
		    "%s: the folder cannot be read", folder);
	for (int i = 0; i < count; i++) {
		char *path = file_join(folder, names[i]->d_name);
		struct stat status;

		/* A link to a folder may lead in a circle; one to a file is
		 * another name of it. */
		if (names[i]->d_name[0] == '.' || lstat(path, &status) != 0) {
			; /* hidden, or gone by now */
		} else if (S_ISDIR(status.st_mode) && depth == 0) {
			say_left_out(tree, path, "is too deep a folder");
		} else if (S_ISDIR(status.st_mode)) {
			take_folder(tree, path, depth - 1);
		} else if (stat(path, &status) == 0 &&
		    S_ISREG(status.st_mode) && tree->bytes <= TREE_BYTES_MAX) {
			if (++tree->visited == TREE_FILES_MAX + 1)
				fleet_say(tree->fleet, FLEET_ERROR,
				    "%s: more than %d files: import the "
				    "folders one by one",
				    path, TREE_FILES_MAX);
			else if (tree->visited <= TREE_FILES_MAX)
				take_file(tree, path);
		}
		free(path);
		free(names[i]);
	}
	free(names);
}

void
import_tree(struct fleet *fleet, const char *path,
    const struct importer_options *options)
{
	char *root = xstrdup(path);
	struct tree tree = { .fleet = fleet, .options = options };
	size_t len = strlen(root);
	struct stat status;

	while (len > 1 && root[len - 1] == '/')
		root[--len] = '\0';
	tree.root = root;
	if (stat(root, &status) != 0 || !S_ISDIR(status.st_mode))
		fleet_say(fleet, FLEET_ERROR,
		    "%s: expected the folder that devices fetch from", root);
	else
		take_folder(&tree, root, TREE_DEPTH_MAX);
	for (size_t i = 0; i < tree.count; i++)
		tree.files[i].is_part = !tree.files[i].has_mac &&
		    is_part(&tree, tree.files[i].path);
	if (fleet_count(fleet, FLEET_ERROR) == 0)
		tree_take(&tree);
	for (size_t i = 0; i < tree.part_count; i++)
		free(tree.parts[i]);
	free(tree.parts);
	for (size_t i = 0; i < tree.count; i++) {
		flat_profile_free(tree.files[i].profile);
		free(tree.files[i].path);
		free(tree.files[i].served);
	}
	free(tree.files);
	free(root);
}
