/*
 * far_key.h -- a private key that is somewhere else.
 *
 * In a token, in another process, on a machine that does eight at once: all
 * such a place has to offer is one operation, which may finish later and in
 * another thread.  A far key is an EVP_PKEY like any other, so the code of
 * contexts and connections does not know the difference, except that a
 * handshake may answer TLS_WANT_KEY.  Keys of files do not come this way.
 *
 * The padding of signatures, and the check of what was decrypted in constant
 * time, stay OpenSSL's: what is asked of the place is the bare RSA operation on
 * a block as long as the modulus; it has to take the same time whatever the
 * block.  Each result is checked with the public key, here unless the place has
 * done it, so that a fault tells nothing about the private one.
 *
 * OpenSSL 3 offers no way to replace that one operation of a single key (keys
 * of an engine cannot decrypt for TLS).  The first far key therefore sets the
 * process's default RSA_METHOD to one that asks whether a key is far, which it
 * finds by the modulus.
 */
#ifndef TLS_FAR_KEY_H
#define TLS_FAR_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/error.h"

#define FAR_KEY_BYTES_MAX 512 /* RSA-4096 */
#define FAR_KEYS_MAX 64	      /* in one process at a time */

/* One operation.  The place reads in, writes out, then calls far_job_done(). */
struct far_job {
	uint8_t in[FAR_KEY_BYTES_MAX], out[FAR_KEY_BYTES_MAX];
	size_t len; /* of both: that of the modulus */
	struct far_job_state *state;
};

/* Start it; may call far_job_done() before it returns, or later from any
 * thread, exactly once. */
typedef void far_key_start(void *place, struct far_job *job);

enum far_job_end {
	FAR_JOB_FAILED,
	FAR_JOB_DONE,
	FAR_JOB_CHECKED, /* and the place did so with the public key itself */
};
void far_job_done(struct far_job *job, enum far_job_end end);

/*
 * The far key that belongs to an RSA public key.  place is borrowed until
 * far_key_forget().  Release with EVP_PKEY_free().
 */
EVP_PKEY *far_key_new(EVP_PKEY *public_key, far_key_start *start, void *place,
    struct error *err) MUST_CHECK;

/* No operation is under way, and the place is about to go. */
void far_key_forget(EVP_PKEY *key);

/*
 * For connections, around the calls that may use a key in this thread: whom to
 * wake, from any thread, when an operation that is not done at once is.
 */
void far_key_set_waker(void (*wake)(void *arg), void *arg);

#endif
