/*
 * files.h -- the files that are sent as they are, opened when the
 * configuration is loaded.
 *
 * What a request says never reaches the file system: a path leads to a route,
 * a route to a file that is open already.  A file that was changed in place
 * since is not sent: what was checked is what goes out.
 */
#ifndef SERVER_FILES_H
#define SERVER_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/digest.h"
#include "base/error.h"

#define FILES_BYTES_MAX (UINT64_C(512) * 1024 * 1024) /* one file */

struct served_file {
	char *path; /* for messages */
	int fd;
	uint64_t size;
	time_t modified;
	uint8_t sha256[DIGEST_BYTES];
	char etag[20]; /* the beginning of sha256 in quotes */
	const char *content_type;
};

struct files;

void files_free(struct files *files); /* closes them */
struct files *files_new(void) MUST_CHECK FREED_BY(files_free);

/*
 * Open and hash the file; *index is its number.  A symbolic link is refused,
 * and so is what is no regular file or longer than FILES_BYTES_MAX.  With
 * folder (an open one) the name may not lead out of it.
 */
int files_add(struct files *files, const char *path, size_t *index,
    struct error *err) MUST_CHECK;
int files_add_from(struct files *files, int folder, const char *folder_path,
    const char *name, size_t *index, struct error *err) MUST_CHECK;

size_t files_count(const struct files *files);
const struct served_file *files_get(const struct files *files, size_t index);

/* Is it still what was opened?  Does not read it. */
bool served_file_is_unchanged(const struct served_file *file);

#endif
