/*
 * slice.h -- a part of an open file, sent piece by piece without waiting for
 * the disk.
 *
 * A loop that serves many must not stop while one disk turns.  So each step
 * here does what can be done from the kernel's cache and says when it cannot;
 * the caller then has slice_fetch() run by another thread, and tries again.
 * The file is borrowed; many slices may use one, as none moves its position.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

#define SLICE_PIECE_MAX 65536 /* bytes that one step moves at most */

struct slice {
	int fd;
	uint64_t offset; /* of the first byte that is still to be moved */
	uint64_t len;	 /* bytes that are; 0: nothing is left */
};

enum slice_io {
	SLICE_DONE, /* a piece was moved, and the slice is that much shorter */
	SLICE_WAIT, /* the disk has to be asked: slice_fetch() */
	SLICE_FULL, /* of slice_send(): the socket takes no more now */
	SLICE_FAILED, /* err says why; a file that became shorter is one */
};

/* Append the next piece to out, which has room for SLICE_PIECE_MAX bytes. */
enum slice_io
slice_take(struct slice *slice, struct buf *out, struct error *err) MUST_CHECK;

/* Hand the next piece to a non-blocking socket, without copying it. */
enum slice_io
slice_send(struct slice *slice, int socket, struct error *err) MUST_CHECK;

/* Have the next piece in the cache; waits for the disk. */
int slice_fetch(const struct slice *slice, struct error *err) MUST_CHECK;

#endif
