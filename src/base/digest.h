/*
 * digest.h -- the SHA-256 of files.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdint.h>

#include "base/error.h"

#define DIGEST_BYTES 32
#define DIGEST_TEXT_BYTES (2 * DIGEST_BYTES + 1)

/* Of all of an open file, whose position does not move.  Waits for the disk. */
int digest_file(int fd, uint8_t digest[static DIGEST_BYTES],
    struct error *err) MUST_CHECK;

#endif
