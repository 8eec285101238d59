/*
 * lanes.h -- RSA-2048 private operations in the lanes of vectors.
 *
 * Four operations at once: each is two exponentiations modulo primes of 1024
 * bits (RFC 8017 5.1.2, the second form), which makes eight lanes.  Numbers are
 * cut into limbs of 52 bits; limb i of all lanes is one vector.  With AVX-512
 * IFMA four operations take 2.3 times as long as OpenSSL needs for one (Zen 4).
 *
 * All of it takes the same time and touches the same memory whatever the
 * numbers are: no branch and no address depends on a lane's content.
 *
 * Two builds of one source: lanes_private_ifma() needs a processor that
 * lanes_is_usable() says yes to; lanes_private_portable() runs anywhere, slowly,
 * and is there so that tests can look at the same code with other tools.
 *
 * Not for other folders.
 */
#ifndef TLS_LANES_H
#define TLS_LANES_H

#include <stdbool.h>
#include <stdint.h>

#define LANES 8
#define LANES_OPERATIONS (LANES / 2)
#define LANES_LIMBS 20
#define LANES_LIMB_BITS 52
/* R of Montgomery's multiplication: 2^1040.  The 16 bits more than a prime has
 * leave room, so that nothing is subtracted between two multiplications. */
#define LANES_R_BITS (LANES_LIMBS * LANES_LIMB_BITS)
#define LANES_PRIME_BITS 1024
#define LANES_WINDOW_BITS 4
#define LANES_WINDOWS (LANES_PRIME_BITS / LANES_WINDOW_BITS)
#define LANES_POWERS (1 << LANES_WINDOW_BITS)

/* One number of LANES_R_BITS in each lane; limb 0 is the lowest. */
struct lanes {
	_Alignas(64) uint64_t limb[LANES_LIMBS][LANES];
};

/*
 * What goes in and what comes out.  Operation i has p, with all that belongs to
 * it, in lane i and q in lane i + LANES_OPERATIONS.
 */
struct lanes_work {
	struct lanes prime;
	struct lanes one;	/* R mod prime */
	struct lanes square;	/* R^2 mod prime */
	struct lanes cube;	/* R^3 mod prime */
	struct lanes inverse;	/* in p's lane: q^-1 R mod p */
	uint64_t factor[LANES]; /* -prime^-1 mod 2^52 */
	/* The exponent, d mod (prime - 1), from its highest window on. */
	uint8_t window[LANES_WINDOWS][LANES];
	/* In: the block, the same in both lanes; below R, and above it.
	 * Out: the result, in p's lane. */
	struct lanes low, high;
	/* For lanes_check: what the block becomes, to the power of 65537. */
	struct lanes expected_low, expected_high;
	uint64_t differs[LANES]; /* 0 where it does */
	/* On the way; as secret as the key. */
	struct lanes power[LANES_POWERS]; /* of the block */
	struct lanes result, picked, of_q;
};

/* Can lanes_private_ifma() be called on this machine, and was it built? */
bool lanes_is_usable(void);

/*
 * Each lane's prime has its highest of LANES_PRIME_BITS bits set, and blocks
 * are below p * q.
 */
void lanes_private_ifma(struct lanes_work *work);
void lanes_private_portable(struct lanes_work *work);

/*
 * Is low and high, the same in both lanes, raised to the power of the public
 * exponent 65537, what is expected, modulo each prime?  Nothing that was found
 * on the way to a result is used, so that a fault in it shows.
 */
void lanes_check_ifma(struct lanes_work *work);
void lanes_check_portable(struct lanes_work *work);

#endif
