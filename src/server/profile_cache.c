#include "server/profile_cache.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <uthash.h>

/* So that workers seldom wait for each other. */
#define SHARDS 16
/* What an entry takes besides its bytes, roughly. */
#define ENTRY_OVERHEAD (sizeof(struct entry) + 32)

struct entry {
	struct profile_cache_name name;
	UT_hash_handle hh; /* in the order of use, oldest first */
	size_t len;
	struct profile_cache_note note;
	char data[];
};

struct shard {
	pthread_mutex_t mutex;
	struct entry *entries;
	uint64_t bytes, bytes_max;
	uint64_t hits, misses, evicted;
};

struct profile_cache {
	struct shard shards[SHARDS];
};

static struct shard *
shard_of(struct profile_cache *cache, const struct profile_cache_name *name)
{
	const uint8_t *octet = name->mac.octet;

	return &cache->shards[(octet[5] ^ octet[4] >> 4) % SHARDS];
}

/* Profiles hold passwords. */
static void
drop(struct shard *shard, struct entry *entry)
{
	shard->bytes -= ENTRY_OVERHEAD + entry->len;
	HASH_DELETE(hh, shard->entries, entry);
	OPENSSL_cleanse(entry->data, entry->len);
	free(entry);
}

static void
make_room(struct shard *shard, uint64_t wanted)
{
	while (shard->entries != NULL &&
	    shard->bytes + wanted > shard->bytes_max) {
		shard->evicted++;
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): of uthash */
		drop(shard, shard->entries);
	}
}

struct profile_cache *
profile_cache_new(uint64_t bytes_max)
{
	struct profile_cache *cache = xcalloc(1, sizeof(*cache));

	for (size_t i = 0; i < SHARDS; i++)
		(void)pthread_mutex_init(&cache->shards[i].mutex, NULL);
	profile_cache_limit(cache, bytes_max);
	return cache;
}

void
profile_cache_free(struct profile_cache *cache)
{
	if (cache == NULL)
		return;
	profile_cache_limit(cache, 0);
	for (size_t i = 0; i < SHARDS; i++)
		(void)pthread_mutex_destroy(&cache->shards[i].mutex);
	free(cache);
}

void
profile_cache_limit(struct profile_cache *cache, uint64_t bytes_max)
{
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &cache->shards[i];

		(void)pthread_mutex_lock(&shard->mutex);
		shard->bytes_max = bytes_max / SHARDS;
		make_room(shard, 0);
		(void)pthread_mutex_unlock(&shard->mutex);
	}
}

bool
profile_cache_get(struct profile_cache *cache,
    const struct profile_cache_name *name, struct buf *out,
    struct profile_cache_note *note)
{
	struct shard *shard = shard_of(cache, name);
	struct entry *entry;
	bool found;

	(void)pthread_mutex_lock(&shard->mutex);
	HASH_FIND(hh, shard->entries, name, sizeof(*name), entry);
	found = entry != NULL && buf_append(out, entry->data, entry->len) == 0;
	if (found) {
		/* To the end: it was used last. */
		HASH_DELETE(hh, shard->entries, entry);
		HASH_ADD(hh, shard->entries, name, sizeof(*name), entry);
		*note = entry->note;
		shard->hits++;
	} else {
		shard->misses++;
	}
	(void)pthread_mutex_unlock(&shard->mutex);
	return found;
}

void
profile_cache_put(struct profile_cache *cache,
    const struct profile_cache_name *name, const void *data, size_t len,
    const struct profile_cache_note *note)
{
	struct shard *shard = shard_of(cache, name);
	struct entry *entry, *old;

	entry = xmalloc(sizeof(*entry) + len);
	entry->name = *name;
	entry->len = len;
	entry->note = *note;
	memcpy(entry->data, data, len);
	(void)pthread_mutex_lock(&shard->mutex);
	HASH_FIND(hh, shard->entries, name, sizeof(*name), old);
	if (old != NULL) /* two workers at once */
		drop(shard, old);
	make_room(shard, ENTRY_OVERHEAD + len);
	if (shard->bytes + ENTRY_OVERHEAD + len <= shard->bytes_max) {
		HASH_ADD(hh, shard->entries, name, sizeof(*name), entry);
		shard->bytes += ENTRY_OVERHEAD + len;
		entry = NULL;
	}
	(void)pthread_mutex_unlock(&shard->mutex);
	free(entry);
}

struct profile_cache_counts
profile_cache_counts(struct profile_cache *cache)
{
	struct profile_cache_counts sum = { 0 };

	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &cache->shards[i];

		(void)pthread_mutex_lock(&shard->mutex);
		sum.hits += shard->hits;
		sum.misses += shard->misses;
		sum.evicted += shard->evicted;
		sum.entries += HASH_COUNT(shard->entries);
		sum.bytes += shard->bytes;
		(void)pthread_mutex_unlock(&shard->mutex);
	}
	return sum;
}
