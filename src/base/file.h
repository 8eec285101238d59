/*
 * file.h -- whole files, read and written with care.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * Read all of path, at most max bytes, as NUL-terminated *data of *len bytes;
 * the caller free()s it.  Errors name the path; ERROR_NOT_FOUND when there is
 * none, ERROR_INPUT when it is too long or no regular file.
 */
int file_read(const char *path, size_t max, char **data, size_t *len,
    struct error *err) MUST_CHECK;

/*
 * Write a new file with exactly the given mode, whatever the umask; fails when
 * path exists.  Killed at any moment it leaves the whole file or none of that
 * name.
 */
int file_create(const char *path, mode_t mode, const void *data, size_t len,
    struct error *err) MUST_CHECK;

/* Replace or create path in one step: readers see the old or the new whole. */
int file_replace(const char *path, mode_t mode, const void *data, size_t len,
    struct error *err) MUST_CHECK;

/* The same without waiting for the disk: for many files that can be made again,
 * because a power cut may leave them empty. */
int file_replace_lazily(const char *path, mode_t mode, const void *data,
    size_t len, struct error *err) MUST_CHECK;

/* base/name, or name alone when it is absolute or base is NULL; free() it. */
char *file_join(const char *base, const char *name);

/* The directory part of path as dirname(1) prints it; free() it. */
char *file_directory(const char *path);

/* Make a directory with mode less the umask; one that is there already is fine. */
int file_make_directory(const char *path, mode_t mode,
    struct error *err) MUST_CHECK;

#endif
