#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
read_open_file(int fd, const char *path, size_t max, char **data, size_t *len,
    struct error *err)
{
	struct stat st;
	char *bytes;
	size_t used = 0;

	if (fstat(fd, &st) != 0)
		return error_errno(err, "%s", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_INPUT, "%s: not a file", path);
	if ((size_t)st.st_size > max)
		return error_set(err, ERROR_INPUT,
		    "%s: %lld bytes long, at most %zu are allowed", path,
		    (long long)st.st_size, max);
	bytes = xmalloc((size_t)st.st_size + 1);
	while (used < (size_t)st.st_size) {
		ssize_t n = read(fd, bytes + used, (size_t)st.st_size - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			(void)error_errno(err, "%s", path);
			free(bytes);
			return -1;
		}
		if (n == 0)
			break; /* it became shorter meanwhile */
		used += (size_t)n;
	}
	bytes[used] = '\0';
	*data = bytes;
	*len = used;
	return 0;
}

int
file_read(const char *path, size_t max, char **data, size_t *len,
    struct error *err)
{
	int fd, rc;

	/* O_NONBLOCK: a FIFO in place of a file must not hang us. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		rc = error_errno(err, "%s", path);
		if (errno == ENOENT || errno == ENOTDIR)
			err->kind = ERROR_NOT_FOUND;
		return rc;
	}
	rc = read_open_file(fd, path, max, data, len, err);
	(void)close(fd);
	return rc;
}

static int
write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Fill the new file fd and close it; errors name path. */
static int
fill_file(int fd, const char *path, mode_t mode, bool lasting, const void *data,
    size_t len, struct error *err)
{
	int rc = 0;

	/* fchmod: neither the umask nor mkostemp() has a say in the mode. */
	if (fchmod(fd, mode) != 0 || write_all(fd, data, len) != 0 ||
	    (lasting && fsync(fd) != 0))
		rc = error_errno(err, "%s", path);
	if (close(fd) != 0 && rc == 0)
		rc = error_errno(err, "%s", path);
	return rc;
}

/* Give the new file its name, if nobody has it. */
static int
name_new(const char *fresh, const char *path)
{
	if (renameat2(AT_FDCWD, fresh, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return 0;
	/* NFS cannot do that, but it has links; FAT has it the other way. */
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (link(fresh, path) != 0)
		return -1;
	(void)unlink(fresh);
	return 0;
}

static int
name_again(const char *fresh, const char *path)
{
	return rename(fresh, path);
}

/* Under its name a file is whole, whenever the process ends. */
static int
write_whole(const char *path, mode_t mode, bool lasting, const void *data,
    size_t len, int (*give_name)(const char *fresh, const char *path),
    struct error *err)
{
	/* A new name each time: one that a crash left over is in nobody's way. */
	char *fresh = xasprintf("%s.XXXXXX", path);
	int fd, rc;

	fd = mkostemp(fresh, O_CLOEXEC);
	if (fd < 0) {
		rc = error_errno(err, "%s", path);
		goto out;
	}
	rc = fill_file(fd, path, mode, lasting, data, len, err);
	if (rc == 0 && give_name(fresh, path) != 0)
		rc = error_errno(err, "%s", path);
	if (rc != 0)
		(void)unlink(fresh);
out:
	free(fresh);
	return rc;
}

int
file_create(const char *path, mode_t mode, const void *data, size_t len,
    struct error *err)
{
	return write_whole(path, mode, true, data, len, name_new, err);
}

int
file_replace(const char *path, mode_t mode, const void *data, size_t len,
    struct error *err)
{
	return write_whole(path, mode, true, data, len, name_again, err);
}

int
file_replace_lazily(const char *path, mode_t mode, const void *data, size_t len,
    struct error *err)
{
	return write_whole(path, mode, false, data, len, name_again, err);
}

char *
file_join(const char *base, const char *name)
{
	size_t len;

	if (base == NULL || *name == '/')
		return xstrdup(name);
	len = strlen(base);
	return xasprintf("%s%s%s", base,
	    len > 0 && base[len - 1] == '/' ? "" : "/", name);
}

char *
file_directory(const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--; /* slashes at the end */
	while (len > 0 && path[len - 1] != '/')
		len--; /* the name */
	if (len == 0)
		return xstrdup(".");
	while (len > 1 && path[len - 1] == '/')
		len--; /* and the slashes before it */
	return xstrndup(path, len);
}

int
file_make_directory(const char *path, mode_t mode, struct error *err)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	return error_errno(err, "%s", path);
}
