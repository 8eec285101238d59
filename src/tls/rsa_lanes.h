/*
 * rsa_lanes.h -- four RSA-2048 private operations for little more than the price
 * of two, where the processor has AVX-512 IFMA.
 *
 * An operation is RFC 8017's RSADP and RSASP1: a block as long as the modulus,
 * raised to the private exponent.  Padding is not its business.  It takes the
 * same time whatever the block and the key (tls/lanes.h), so blocks are not
 * blinded.  Each result is checked with the public exponent in the same lanes:
 * one with a fault in it would tell the key (Boneh, DeMillo, Lipton: On the
 * Importance of Checking Cryptographic Protocols for Faults, 1997).
 *
 * Not for other folders.
 */
#ifndef TLS_RSA_LANES_H
#define TLS_RSA_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/error.h"

#define RSA_LANES_BYTES 256
#define RSA_LANES_OPERATIONS 4

struct rsa_lanes_key;

/* Where it is of use: RSA of 2048 bits with two primes of 1024 and the public
 * exponent 65537, whose private parts can be read; and a processor that can. */
bool rsa_lanes_fits(EVP_PKEY *key);

void rsa_lanes_key_free(struct rsa_lanes_key *key); /* wiped */
struct rsa_lanes_key *rsa_lanes_key_new(EVP_PKEY *key,
    struct error *err) MUST_CHECK FREED_BY(rsa_lanes_key_free);

/* in is below the modulus, big-endian; out may be in. */
struct rsa_lanes_operation {
	const struct rsa_lanes_key *key;
	const uint8_t *in;
	uint8_t *out;
	bool ok; /* set: out is right.  Else it is not to be used. */
};

/*
 * 1 to RSA_LANES_OPERATIONS of them; the time is the same for any count.  Keys
 * may be different ones.  The room for it is on the heap, because this may be
 * called on the small stack of an OpenSSL job, and is wiped.
 */
void rsa_lanes_operate(struct rsa_lanes_operation *operations, size_t count);

/* The same on any machine, many times slower: for tests. */
void rsa_lanes_operate_portably(struct rsa_lanes_operation *operations,
    size_t count);

#endif
