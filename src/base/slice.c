#include "base/slice.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

static size_t
piece_length(const struct slice *slice)
{
	return slice->len < SLICE_PIECE_MAX ? (size_t)slice->len :
					      SLICE_PIECE_MAX;
}

static void
advance(struct slice *slice, size_t n)
{
	slice->offset += n;
	slice->len -= n;
}

static int
became_shorter(const struct slice *slice, struct error *err)
{
	return error_set(err, ERROR_SYSTEM,
	    "the file ends %llu bytes early: it was changed in place",
	    (unsigned long long)slice->len);
}

/*
 * Read what is cached: the number of bytes, or -1 with errno EAGAIN when there
 * is nothing.  Where the file system cannot say (EOPNOTSUPP), a read that may
 * wait has to do.
 */
static ssize_t
read_cached(int fd, void *data, size_t size, uint64_t offset)
{
	struct iovec vector = { data, size };
	ssize_t n;

	do {
		n = preadv2(fd, &vector, 1, (off_t)offset, RWF_NOWAIT);
		if (n < 0 && errno == EOPNOTSUPP)
			n = pread(fd, data, size, (off_t)offset);
	} while (n < 0 && errno == EINTR);
	return n;
}

enum slice_io
slice_take(struct slice *slice, struct buf *out, struct error *err)
{
	size_t size = piece_length(slice);
	char *space = buf_reserve(out, size);
	ssize_t n;

	if (space == NULL) {
		(void)error_set(err, ERROR_INPUT, "no room for %zu bytes",
		    size);
		return SLICE_FAILED;
	}
	n = read_cached(slice->fd, space, size, slice->offset);
	if (n < 0 && errno == EAGAIN)
		return SLICE_WAIT;
	if (n <= 0) {
		(void)(n == 0 ? became_shorter(slice, err) :
				error_errno(err, "cannot read the file"));
		return SLICE_FAILED;
	}
	out->len += (size_t)n;
	out->data[out->len] = '\0';
	advance(slice, (size_t)n);
	return SLICE_DONE;
}

/* Are the first and the last byte of the piece cached?  Then most likely all
 * of it is: it is read ahead in larger runs than this. */
static bool
is_cached(const struct slice *slice, size_t size)
{
	char byte;

	return (read_cached(slice->fd, &byte, 1, slice->offset) >= 0 ||
		   errno != EAGAIN) &&
	    (read_cached(slice->fd, &byte, 1, slice->offset + size - 1) >= 0 ||
		errno != EAGAIN);
}

enum slice_io
slice_send(struct slice *slice, int socket, struct error *err)
{
	size_t size = piece_length(slice);
	off_t offset = (off_t)slice->offset;
	ssize_t n;

	if (!is_cached(slice, size))
		return SLICE_WAIT;
	do
		n = sendfile(socket, slice->fd, &offset, size);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return SLICE_FULL;
	if (n <= 0) {
		(void)(n == 0 ? became_shorter(slice, err) :
				error_errno(err, "cannot send the file"));
		return SLICE_FAILED;
	}
	advance(slice, (size_t)n);
	return SLICE_DONE;
}

int
slice_fetch(const struct slice *slice, struct error *err)
{
	size_t size = piece_length(slice), done = 0;
	char sink[16384];

	while (done < size) {
		size_t want = size - done < sizeof(sink) ? size - done :
							   sizeof(sink);
		ssize_t n = pread(slice->fd, sink, want,
		    (off_t)(slice->offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "cannot read the file");
		if (n == 0)
			return became_shorter(slice, err);
		done += (size_t)n;
	}
	return 0;
}
