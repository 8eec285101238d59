#include "tls/rsa_lanes.h"
#include "base/mem.h"
#include "tls/lanes.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#define WORDS (RSA_LANES_BYTES / 8)
#define MASK ((UINT64_C(1) << LANES_LIMB_BITS) - 1)
#define ALIGNMENT 64
#define PUBLIC_EXPONENT 65537

_Static_assert(RSA_LANES_OPERATIONS == LANES_OPERATIONS, "as many");

/* One of the two primes. */
struct half {
	uint64_t prime[LANES_LIMBS];
	uint64_t one[LANES_LIMBS], square[LANES_LIMBS], cube[LANES_LIMBS];
	uint64_t inverse[LANES_LIMBS]; /* of q, for p; else 0 */
	uint64_t factor;
	uint8_t window[LANES_WINDOWS];
};

struct rsa_lanes_key {
	struct half p, q;
};

/* ------------------------------------------------------------------ numbers */

/* limbs from words of 64 bits, the lowest first; one word more is 0. */
static void
to_limbs(uint64_t *limbs, size_t count, const uint64_t *words)
{
	for (size_t i = 0; i < count; i++) {
		size_t bit = i * LANES_LIMB_BITS, at = bit / 64;
		unsigned shift = bit % 64;
		uint64_t limb = words[at] >> shift;

		if (shift > 64 - LANES_LIMB_BITS)
			limb |= words[at + 1] << (64 - shift);
		limbs[i] = limb & MASK;
	}
}

/* Words must be 0 before. */
static void
from_limbs(uint64_t *words, const uint64_t *limbs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t bit = i * LANES_LIMB_BITS, at = bit / 64;
		unsigned shift = bit % 64;

		words[at] |= limbs[i] << shift;
		if (shift > 64 - LANES_LIMB_BITS)
			words[at + 1] |= limbs[i] >> (64 - shift);
	}
}

static bool
number_to_limbs(uint64_t *limbs, const BIGNUM *number)
{
	uint64_t words[LANES_R_BITS / 64 + 2] = { 0 };
	bool ok = BN_bn2lebinpad(number, (unsigned char *)words,
		      sizeof(words)) == (int)sizeof(words);

	to_limbs(limbs, LANES_LIMBS, words);
	OPENSSL_cleanse(words, sizeof(words));
	return ok;
}

/* -prime^-1 mod 2^52: each step doubles the bits that are right. */
static uint64_t
find_factor(uint64_t prime)
{
	uint64_t inverse = prime; /* right in 3 bits: odd squares are 1 mod 8 */

	for (int bits = 3; bits < LANES_LIMB_BITS; bits *= 2)
		inverse *= 2 - prime * inverse;
	return -inverse & MASK;
}

/* ---------------------------------------------------------------------- keys */

static bool
set_windows(uint8_t *window, const BIGNUM *exponent)
{
	uint8_t octets[LANES_PRIME_BITS / 8];
	bool ok = BN_bn2binpad(exponent, octets, sizeof(octets)) ==
	    (int)sizeof(octets);

	for (size_t i = 0; i < sizeof(octets) && ok; i++) {
		window[2 * i] = octets[i] >> LANES_WINDOW_BITS;
		window[2 * i + 1] = octets[i] & (LANES_POWERS - 1);
	}
	OPENSSL_cleanse(octets, sizeof(octets));
	return ok;
}

/* to = R^power mod prime */
static bool
set_power(uint64_t *to, int power, const BIGNUM *prime, BN_CTX *ctx)
{
	BIGNUM *number = BN_secure_new();
	bool ok = number != NULL &&
	    BN_set_bit(number, power * LANES_R_BITS) == 1 &&
	    BN_mod(number, number, prime, ctx) == 1 &&
	    number_to_limbs(to, number);

	BN_clear_free(number);
	return ok;
}

static bool
set_half(struct half *half, const BIGNUM *prime, const BIGNUM *exponent,
    BN_CTX *ctx)
{
	bool ok = BN_num_bits(prime) == LANES_PRIME_BITS && BN_is_odd(prime) &&
	    number_to_limbs(half->prime, prime) &&
	    set_power(half->one, 1, prime, ctx) &&
	    set_power(half->square, 2, prime, ctx) &&
	    set_power(half->cube, 3, prime, ctx) &&
	    set_windows(half->window, exponent);

	half->factor = find_factor(half->prime[0]);
	return ok;
}

/* to = coefficient R mod p */
static bool
set_inverse(uint64_t *to, const BIGNUM *coefficient, const BIGNUM *p,
    BN_CTX *ctx)
{
	BIGNUM *number = BN_secure_new();
	bool ok = number != NULL &&
	    BN_lshift(number, coefficient, LANES_R_BITS) == 1 &&
	    BN_mod(number, number, p, ctx) == 1 && number_to_limbs(to, number);

	BN_clear_free(number);
	return ok;
}

enum part { E, P, Q, D_P, D_Q, COEFFICIENT, PARTS };

static bool
read_parts(EVP_PKEY *key, BIGNUM **parts)
{
	static const char *const names[PARTS] = {
		OSSL_PKEY_PARAM_RSA_E,
		OSSL_PKEY_PARAM_RSA_FACTOR1,
		OSSL_PKEY_PARAM_RSA_FACTOR2,
		OSSL_PKEY_PARAM_RSA_EXPONENT1,
		OSSL_PKEY_PARAM_RSA_EXPONENT2,
		OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
	};
	bool ok = EVP_PKEY_is_a(key, "RSA") &&
	    EVP_PKEY_get_bits(key) == 8 * RSA_LANES_BYTES;

	for (size_t i = 0; i < PARTS && ok; i++)
		ok = EVP_PKEY_get_bn_param(key, names[i], &parts[i]) == 1;
	return ok && BN_is_word(parts[E], PUBLIC_EXPONENT);
}

static void
free_parts(BIGNUM **parts)
{
	for (size_t i = 0; i < PARTS; i++)
		BN_clear_free(parts[i]);
}

static bool
set_key(struct rsa_lanes_key *key, BIGNUM *const *parts)
{
	BN_CTX *ctx = BN_CTX_secure_new();
	bool ok = ctx != NULL && set_half(&key->p, parts[P], parts[D_P], ctx) &&
	    set_half(&key->q, parts[Q], parts[D_Q], ctx) &&
	    set_inverse(key->p.inverse, parts[COEFFICIENT], parts[P], ctx);

	BN_CTX_free(ctx);
	return ok;
}

bool
rsa_lanes_fits(EVP_PKEY *key)
{
	BIGNUM *parts[PARTS] = { NULL };
	bool fits = lanes_is_usable() && read_parts(key, parts) &&
	    BN_num_bits(parts[P]) == LANES_PRIME_BITS &&
	    BN_num_bits(parts[Q]) == LANES_PRIME_BITS;

	free_parts(parts);
	ERR_clear_error(); /* a key that cannot be read is no failure */
	return fits;
}

struct rsa_lanes_key *
rsa_lanes_key_new(EVP_PKEY *from, struct error *err)
{
	struct rsa_lanes_key *key = OPENSSL_zalloc(sizeof(*key));
	BIGNUM *parts[PARTS] = { NULL };

	if (key == NULL || !read_parts(from, parts) || !set_key(key, parts)) {
		(void)error_openssl(err,
		    "a key for several operations at once: expected RSA of "
		    "%d bits with two primes of %d and the public exponent %d",
		    8 * RSA_LANES_BYTES, LANES_PRIME_BITS, PUBLIC_EXPONENT);
		rsa_lanes_key_free(key);
		key = NULL;
	}
	free_parts(parts);
	return key;
}

void
rsa_lanes_key_free(struct rsa_lanes_key *key)
{
	OPENSSL_clear_free(key, sizeof(*key));
}

/* ---------------------------------------------------------------- operations */

static void
put(struct lanes *to, size_t lane, const uint64_t *limbs)
{
	for (size_t i = 0; i < LANES_LIMBS; i++)
		to->limb[i][lane] = limbs[i];
}

static void
put_half(struct lanes_work *work, size_t lane, const struct half *half)
{
	put(&work->prime, lane, half->prime);
	put(&work->one, lane, half->one);
	put(&work->square, lane, half->square);
	put(&work->cube, lane, half->cube);
	put(&work->inverse, lane, half->inverse);
	work->factor[lane] = half->factor;
	for (size_t i = 0; i < LANES_WINDOWS; i++)
		work->window[i][lane] = half->window[i];
}

/* Into both of its lanes. */
static void
put_block(struct lanes *low, struct lanes *high, size_t lane, const uint8_t *in)
{
	/* Limbs are cut a little beyond the block. */
	uint64_t words[WORDS + 2] = { 0 }, limbs[2 * LANES_LIMBS];

	for (size_t i = 0; i < WORDS; i++) {
		uint64_t big;

		memcpy(&big, in + RSA_LANES_BYTES - 8 * (i + 1), 8);
		words[i] = be64toh(big);
	}
	to_limbs(limbs, 2 * LANES_LIMBS, words);
	put(low, lane, limbs);
	put(low, lane + LANES_OPERATIONS, limbs);
	put(high, lane, limbs + LANES_LIMBS);
	put(high, lane + LANES_OPERATIONS, limbs + LANES_LIMBS);
	OPENSSL_cleanse(words, sizeof(words));
	OPENSSL_cleanse(limbs, sizeof(limbs));
}

static void
get_block(const struct lanes_work *work, size_t lane, uint8_t *out)
{
	uint64_t words[WORDS + 2] = { 0 }, limbs[2 * LANES_LIMBS];

	for (size_t i = 0; i < LANES_LIMBS; i++) {
		limbs[i] = work->low.limb[i][lane];
		limbs[i + LANES_LIMBS] = work->high.limb[i][lane];
	}
	from_limbs(words, limbs, 2 * LANES_LIMBS);
	for (size_t i = 0; i < WORDS; i++) {
		const uint64_t big = htobe64(words[i]);

		memcpy(out + RSA_LANES_BYTES - 8 * (i + 1), &big, 8);
	}
	OPENSSL_cleanse(words, sizeof(words));
	OPENSSL_cleanse(limbs, sizeof(limbs));
}

typedef void in_lanes(struct lanes_work *work);

static void
operate(struct rsa_lanes_operation *operations, size_t count, in_lanes *private,
    in_lanes *check)
{
	struct lanes_work *work = aligned_alloc(ALIGNMENT, sizeof(*work));

	assert(count >= 1 && count <= RSA_LANES_OPERATIONS);
	if (work == NULL)
		abort(); /* as xmalloc */
	for (size_t i = 0; i < RSA_LANES_OPERATIONS; i++) {
		/* Lanes that nobody needs do the first one again. */
		const struct rsa_lanes_operation *operation =
		    &operations[i < count ? i : 0];

		put_half(work, i, &operation->key->p);
		put_half(work, i + LANES_OPERATIONS, &operation->key->q);
		put_block(&work->low, &work->high, i, operation->in);
		put_block(&work->expected_low, &work->expected_high, i,
		    operation->in);
	}
	private(work);
	for (size_t i = 0; i < count; i++)
		get_block(work, i, operations[i].out);
	for (size_t i = 0; i < RSA_LANES_OPERATIONS; i++)
		put_block(&work->low, &work->high, i,
		    operations[i < count ? i : 0].out);
	check(work);
	for (size_t i = 0; i < count; i++)
		operations[i].ok = (work->differs[i] |
				       work->differs[i + LANES_OPERATIONS]) ==
		    0;
	OPENSSL_cleanse(work, sizeof(*work));
	free(work);
}

void
rsa_lanes_operate(struct rsa_lanes_operation *operations, size_t count)
{
	operate(operations, count, lanes_private_ifma, lanes_check_ifma);
}

void
rsa_lanes_operate_portably(struct rsa_lanes_operation *operations, size_t count)
{
	operate(operations, count, lanes_private_portable,
	    lanes_check_portable);
}
