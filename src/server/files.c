#include "server/files.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct opened {
	struct served_file file;
	struct timespec modified;
};

struct files {
	struct opened *list;
	size_t count;
};

struct files *
files_new(void)
{
	return xcalloc(1, sizeof(struct files));
}

void
files_free(struct files *files)
{
	if (files == NULL)
		return;
	for (size_t i = 0; i < files->count; i++) {
		(void)close(files->list[i].file.fd);
		free(files->list[i].file.path);
	}
	free(files->list);
	free(files);
}

/* What devices make of it does not depend on this: [LINKSYS-PROV] p. 31. */
static const char *
content_type(const char *path)
{
	static const struct {
		const char *suffix, *type;
	} types[] = {
		{ ".xml", "text/xml" },
		{ ".cfg", "text/xml" },
		{ ".txt", "text/plain" },
		{ ".pem", "application/x-pem-file" },
		{ ".crt", "application/x-x509-ca-cert" },
		{ ".cer", "application/x-x509-ca-cert" },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (text_ends(path, types[i].suffix))
			return types[i].type;
	return "application/octet-stream";
}

/* Take over fd; path is taken, too, also on failure. */
static int
add(struct files *files, int fd, char *path, size_t *index, struct error *err)
{
	struct opened opened = { .file = { .path = path, .fd = fd } };
	char hex[DIGEST_TEXT_BYTES];
	struct stat st;

	if (fstat(fd, &st) != 0) {
		(void)error_errno(err, "%s", path);
		goto fail;
	}
	if (!S_ISREG(st.st_mode)) {
		(void)error_set(err, ERROR_INPUT, "%s: not a file", path);
		goto fail;
	}
	if ((uint64_t)st.st_size > FILES_BYTES_MAX) {
		(void)error_set(err, ERROR_INPUT,
		    "%s: %lld bytes long, at most %llu are served", path,
		    (long long)st.st_size, (unsigned long long)FILES_BYTES_MAX);
		goto fail;
	}
	if (digest_file(fd, opened.file.sha256, err) != 0) {
		(void)error_prefix(err, "%s: ", path);
		goto fail;
	}
	opened.file.size = (uint64_t)st.st_size;
	opened.file.modified = st.st_mtim.tv_sec;
	opened.modified = st.st_mtim;
	opened.file.content_type = content_type(path);
	text_hex(opened.file.sha256, DIGEST_BYTES, hex);
	(void)snprintf(opened.file.etag, sizeof(opened.file.etag), "\"%.16s\"",
	    hex);
	files->list = xrealloc(files->list,
	    (files->count + 1) * sizeof(*files->list));
	*index = files->count;
	files->list[files->count++] = opened;
	return 0;
fail:
	(void)close(fd);
	free(path);
	return -1;
}

static int
cannot_open(const char *path, struct error *err)
{
	int error = errno;

	if (error == ELOOP)
		return error_set(err, ERROR_INPUT,
		    "%s: a symbolic link: expected the file itself", path);
	(void)error_errno(err, "%s", path);
	if (error == ENOENT || error == ENOTDIR)
		err->kind = ERROR_NOT_FOUND;
	return -1;
}

int
files_add(struct files *files, const char *path, size_t *index,
    struct error *err)
{
	/* O_NONBLOCK: a FIFO in place of a file must not hang us. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return cannot_open(path, err);
	return add(files, fd, xstrdup(path), index, err);
}

int
files_add_from(struct files *files, int folder, const char *folder_path,
    const char *name, size_t *index, struct error *err)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
		    RESOLVE_NO_MAGICLINKS,
	};
	char *path = xasprintf("%s/%s", folder_path, name);
	int fd = (int)syscall(SYS_openat2, folder, name, &how, sizeof(how));

	if (fd < 0) {
		(void)cannot_open(path, err);
		free(path);
		return -1;
	}
	return add(files, fd, path, index, err);
}

size_t
files_count(const struct files *files)
{
	return files->count;
}

const struct served_file *
files_get(const struct files *files, size_t index)
{
	return &files->list[index].file;
}

static bool
is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool
served_file_is_unchanged(const struct served_file *file)
{
	/* file is the first member of what files.c keeps. */
	const struct opened *opened = (const struct opened *)file;
	struct stat st;

	return fstat(file->fd, &st) == 0 &&
	    (uint64_t)st.st_size == file->size &&
	    is_same_time(&st.st_mtim, &opened->modified);
}
