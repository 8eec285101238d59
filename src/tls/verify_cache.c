#include "tls/verify_cache.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/*
 * Sets of a few entries, found by the first bytes of the key: a full set drops
 * its oldest entry.  No chains of pointers, no growth, no rehashing.  Each lock
 * is for a share of the sets, so that workers rarely meet.
 */
#define WAYS 8
#define LOCKS 32

/* Names of issuers and anchors are the same for whole fleets: kept once. */
#define NAMES_MAX 64

struct entry {
	uint8_t key[VERIFY_CACHE_KEY_BYTES];
	uint8_t sha256[32], key_sha256[32];
	int64_t from, until;
	uint32_t used; /* turn of the set's counter; 0: the entry is free */
	uint16_t name;
};

struct set {
	uint32_t turn;
	struct entry entries[WAYS];
};

struct name {
	char issuer[TLS_PEER_TEXT_MAX];
	char anchor[TLS_PEER_TEXT_MAX];
};

struct verify_cache {
	struct set *sets;
	size_t set_count;
	pthread_mutex_t locks[LOCKS];
	pthread_mutex_t name_lock;
	size_t name_count;
	struct name names[NAMES_MAX]; /* below name_count never changed */
};

struct verify_cache *
verify_cache_new(size_t entries)
{
	struct verify_cache *cache;

	if (entries == 0)
		return NULL;
	cache = xcalloc(1, sizeof(*cache));
	cache->set_count = (entries + WAYS - 1) / WAYS;
	/* What is never used stays out of memory: the kernel sees to that. */
	cache->sets = xcalloc(cache->set_count, sizeof(*cache->sets));
	for (size_t i = 0; i < LOCKS; i++)
		(void)pthread_mutex_init(&cache->locks[i], NULL);
	(void)pthread_mutex_init(&cache->name_lock, NULL);
	return cache;
}

void
verify_cache_free(struct verify_cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < LOCKS; i++)
		(void)pthread_mutex_destroy(&cache->locks[i]);
	(void)pthread_mutex_destroy(&cache->name_lock);
	free(cache->sets);
	free(cache);
}

/* Which set; its lock is that number modulo LOCKS. */
static size_t
set_of(const struct verify_cache *cache, const uint8_t *key)
{
	uint64_t number;

	memcpy(&number, key, sizeof(number));
	return number % cache->set_count;
}

static struct entry *
find(struct set *set, const uint8_t *key)
{
	for (size_t i = 0; i < WAYS; i++)
		if (set->entries[i].used != 0 &&
		    memcmp(set->entries[i].key, key, VERIFY_CACHE_KEY_BYTES) ==
			0)
			return &set->entries[i];
	return NULL;
}

/* A free one, or the one that was not used for longest. */
static struct entry *
make_room(struct set *set)
{
	struct entry *oldest = &set->entries[0];

	for (size_t i = 1; i < WAYS; i++)
		if (set->entries[i].used < oldest->used)
			oldest = &set->entries[i];
	return oldest;
}

static void
touch(struct set *set, struct entry *entry)
{
	if (++set->turn == 0) { /* once in 4 billion: forget all */
		memset(set->entries, 0, sizeof(set->entries));
		return;
	}
	entry->used = set->turn;
}

/* The number of these names; NAMES_MAX when there are too many. */
static size_t
name_number(struct verify_cache *cache, const struct tls_peer *peer)
{
	size_t i;

	(void)pthread_mutex_lock(&cache->name_lock);
	for (i = 0; i < cache->name_count; i++)
		if (strcmp(cache->names[i].issuer, peer->issuer) == 0 &&
		    strcmp(cache->names[i].anchor, peer->anchor) == 0)
			break;
	if (i == cache->name_count && i < NAMES_MAX) {
		memcpy(cache->names[i].issuer, peer->issuer, TLS_PEER_TEXT_MAX);
		memcpy(cache->names[i].anchor, peer->anchor, TLS_PEER_TEXT_MAX);
		cache->name_count++;
	}
	(void)pthread_mutex_unlock(&cache->name_lock);
	return i;
}

/* The names were written before the entry was, and that under its lock. */
static void
describe(const struct verify_cache *cache, const struct entry *entry,
    struct tls_peer *peer)
{
	const struct name *name = &cache->names[entry->name];

	peer->verdict = TLS_PEER_TRUSTED;
	peer->verify_error = 0;
	peer->verify_depth = 0;
	peer->verify_text = "";
	memcpy(peer->issuer, name->issuer, TLS_PEER_TEXT_MAX);
	memcpy(peer->anchor, name->anchor, TLS_PEER_TEXT_MAX);
	memcpy(peer->sha256, entry->sha256, sizeof(peer->sha256));
	memcpy(peer->key_sha256, entry->key_sha256, sizeof(peer->key_sha256));
}

bool
verify_cache_find(struct verify_cache *cache,
    const uint8_t key[static VERIFY_CACHE_KEY_BYTES], time_t now,
    struct tls_peer *peer, time_t *from, time_t *until)
{
	bool found = false;
	struct entry *entry;
	size_t number;

	if (cache == NULL)
		return false;
	number = set_of(cache, key);
	(void)pthread_mutex_lock(&cache->locks[number % LOCKS]);
	entry = find(&cache->sets[number], key);
	if (entry != NULL && entry->from <= now && now < entry->until) {
		describe(cache, entry, peer);
		*from = entry->from;
		*until = entry->until;
		touch(&cache->sets[number], entry);
		found = true;
	}
	(void)pthread_mutex_unlock(&cache->locks[number % LOCKS]);
	return found;
}

void
verify_cache_keep(struct verify_cache *cache,
    const uint8_t key[static VERIFY_CACHE_KEY_BYTES], time_t from, time_t until,
    const struct tls_peer *peer)
{
	size_t number, name;
	struct entry *entry;

	if (cache == NULL || peer->verdict != TLS_PEER_TRUSTED ||
	    (name = name_number(cache, peer)) == NAMES_MAX)
		return;
	number = set_of(cache, key);
	(void)pthread_mutex_lock(&cache->locks[number % LOCKS]);
	entry = find(&cache->sets[number], key);
	if (entry == NULL)
		entry = make_room(&cache->sets[number]);
	memcpy(entry->key, key, VERIFY_CACHE_KEY_BYTES);
	memcpy(entry->sha256, peer->sha256, sizeof(entry->sha256));
	memcpy(entry->key_sha256, peer->key_sha256, sizeof(entry->key_sha256));
	entry->from = from;
	entry->until = until;
	entry->name = (uint16_t)name;
	touch(&cache->sets[number], entry);
	(void)pthread_mutex_unlock(&cache->locks[number % LOCKS]);
}
