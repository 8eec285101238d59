/*
 * pool.h -- memory by size, for very many blocks with short lives.
 *
 * A TLS handshake takes and gives back more than a thousand small blocks, and
 * malloc() spends more on merging and splitting them again than all of our own
 * code takes.  Here a block that is given back goes on a list of its size, and
 * the next one of that size comes from there.  Each thread has lists of its
 * own; what it has too much of goes to the other threads, in batches, so a
 * block may be given back by another thread than took it.  Blocks have no
 * header, which is also the smaller way.  What is larger than
 * POOL_BLOCK_BYTES, or more than the pool has room for, is malloc's.
 *
 * What the pool has had once it keeps: its size is what was needed at the
 * worst moment.  Nothing is checked that malloc would check (a block that is
 * given back twice), so builds with a sanitizer do without it.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>

#define POOL_BLOCK_BYTES 32768

/*
 * Make the pool, one for the whole process, before its first thread.  False:
 * there is none (no room in the address space, or a sanitizer), and the
 * functions below are malloc(), realloc() and free().
 */
bool pool_open(void);

/* As malloc(), realloc() and free(), and to be mixed with them in no way. */
void *pool_alloc(size_t size);
void *pool_realloc(void *block, size_t size);
void pool_free(void *block);

/* Bytes that the pool has cut into blocks so far, in use or not. */
size_t pool_bytes(void);

#endif
