/*
 * verify_cache.h -- verifications of devices' chains that went well.
 *
 * A device shows the same certificates at each resync, and verifying them
 * again under the same anchors has the same outcome, but for the clock.  So
 * the outcome is kept under the SHA-256 of all certificates that were shown,
 * together with the time within which every certificate of the chain is valid.
 * A cache belongs to one context: to one set of anchors and one policy, none of
 * which ever changes; a reload makes a new context with an empty cache.  The
 * signature by which a device proves to have the key is no part of this.
 *
 * Any thread may use it.
 */
#ifndef TLS_VERIFY_CACHE_H
#define TLS_VERIFY_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "tls/conn.h"

#define VERIFY_CACHE_KEY_BYTES 32 /* SHA-256 */
#define VERIFY_CACHE_MAX 1000000  /* entries that can be asked for */

struct verify_cache;

/* Room for about that many chains, of some 130 bytes each; what was used least
 * recently gives way.  NULL for 0: the functions below then do nothing. */
void verify_cache_free(struct verify_cache *cache);
struct verify_cache *
verify_cache_new(size_t entries) FREED_BY(verify_cache_free);

/* Is that chain known, and valid now?  Then all of peer but der and der_len is
 * filled in, and from and until as they were kept. */
bool verify_cache_find(struct verify_cache *cache,
    const uint8_t key[static VERIFY_CACHE_KEY_BYTES], time_t now,
    struct tls_peer *peer, time_t *from, time_t *until);

/* Keep the outcome for from <= now < until.  Only TLS_PEER_TRUSTED is kept. */
void verify_cache_keep(struct verify_cache *cache,
    const uint8_t key[static VERIFY_CACHE_KEY_BYTES], time_t from, time_t until,
    const struct tls_peer *peer);

#endif
