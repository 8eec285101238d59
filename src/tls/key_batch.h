/*
 * key_batch.h -- private operations of one thread, gathered and done together.
 *
 * A place for far_key.h inside the process: handshakes that need an RSA-2048
 * private operation leave it here and wait, and the thread does four at a time
 * by tls/rsa_lanes.h when server/key_turn.h says so.
 */
#ifndef TLS_KEY_BATCH_H
#define TLS_KEY_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/types.h>

#include "base/error.h"

/* -------------------------------------------------------------------- keys */

struct batch_key;

/* Can this key's operations be done together, on this machine? */
bool batch_key_fits(EVP_PKEY *key);

/* The same one for the same modulus, wherever it is asked for: one reference
 * each.  Only for a key that fits. */
void batch_key_release(struct batch_key *key);
struct batch_key *batch_key_get(EVP_PKEY *key, struct error *err) MUST_CHECK
    FREED_BY(batch_key_release);

/* For a context; a far key.  Borrowed. */
EVP_PKEY *batch_key_far(const struct batch_key *key);

/* ------------------------------------------------------------------ batches */

struct key_batch;

void key_batch_free(struct key_batch *batch); /* nothing may be waiting */
struct key_batch *key_batch_new(void) FREED_BY(key_batch_free);

/* From now on operations of this thread wait there; NULL, as at first: each is
 * done at once. */
void key_batch_use(struct key_batch *batch);

size_t key_batch_waiting(const struct key_batch *batch);

/* So many take no longer than one does here. */
#define KEY_BATCH_FULL 4

/* Do the oldest ones, at most KEY_BATCH_FULL, and wake who waits for them. */
void key_batch_run(struct key_batch *batch);

#endif
