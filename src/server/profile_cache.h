/*
 * profile_cache.h -- profiles as they go out, rendered and packed, for as long
 * as nothing that they are made of changes.
 *
 * An entry is found only by the very inventory (its change number), the very
 * configuration and templates (the service's serial number), the device and
 * the key it was made with: a change of any of these makes another name, so
 * nothing has to be thrown away in time.  What is old goes when the memory is
 * needed, what was not asked for longest first.
 *
 * Encrypted bytes that are sent again are no second encryption: the same salt
 * and nonce with the same text give the same bytes, and tell nobody more than
 * the first time, except that nothing has changed.  A new rendering has a new
 * salt.  Shared by all workers.
 */
#ifndef SERVER_PROFILE_CACHE_H
#define SERVER_PROFILE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/mac.h"

#define PROFILE_CACHE_DEFAULT (64 * 1024 * 1024) /* bytes */
#define PROFILE_CACHE_MAX (64ULL * 1024 * 1024 * 1024)

/* Filled in whole, padding too (memset): it is compared byte by byte. */
struct profile_cache_name {
	uint64_t change; /* of the inventory */
	uint64_t serial; /* of the service */
	uint64_t key_id; /* 0: not encrypted */
	uint32_t cipher; /* enum protection_cipher */
	struct mac mac;
	bool upgrade; /* only the way to newer firmware */
};

/* What is known of the bytes. */
struct profile_cache_note {
	bool carries_key;   /* the device's newest key is in them */
	uint8_t sha256[32]; /* of them */
};

struct profile_cache;

void profile_cache_free(struct profile_cache *cache); /* NULL is fine */
struct profile_cache *
profile_cache_new(uint64_t bytes_max) FREED_BY(profile_cache_free);

/* How much it may hold, from now on; 0: nothing. */
void profile_cache_limit(struct profile_cache *cache, uint64_t bytes_max);

/* Append the bytes; false: it has none.  *note is what was put with them. */
bool profile_cache_get(struct profile_cache *cache,
    const struct profile_cache_name *name, struct buf *out,
    struct profile_cache_note *note);
void profile_cache_put(struct profile_cache *cache,
    const struct profile_cache_name *name, const void *data, size_t len,
    const struct profile_cache_note *note);

struct profile_cache_counts {
	uint64_t hits, misses, evicted;
	uint64_t entries, bytes; /* now */
};
struct profile_cache_counts profile_cache_counts(struct profile_cache *cache);

#endif
