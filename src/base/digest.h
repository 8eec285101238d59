/*
 * digest.h -- the SHA-256 of files, and how it is written.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define DIGEST_BYTES 32
#define DIGEST_TEXT_BYTES (2 * DIGEST_BYTES + 1)

/* Of all of an open file, whose position does not move.  Waits for the disk. */
int digest_file(int fd, uint8_t digest[static DIGEST_BYTES],
    struct error *err) MUST_CHECK;

/* 64 hex digits: written in lower case, read in either. */
void digest_format(const uint8_t digest[static DIGEST_BYTES],
    char text[static DIGEST_TEXT_BYTES]);
bool digest_parse(uint8_t digest[static DIGEST_BYTES], const char *text);

#endif
