/* Private operations in lanes, beside BN_mod_exp() with the same numbers. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "tls/lanes.h"
#include "tls/rsa_lanes.h"

#define KEYS RSA_LANES_OPERATIONS

typedef void
operate(const struct rsa_lanes_operation *operations, size_t count);

static struct {
	EVP_PKEY *pkey;
	BIGNUM *n, *d, *p, *q;
	struct rsa_lanes_key *lanes;
} keys[KEYS];

static int
make_keys(void **state)
{
	struct error err;

	(void)state;
	for (size_t i = 0; i < KEYS; i++) {
		keys[i].pkey = EVP_RSA_gen(2048);
		keys[i].lanes = rsa_lanes_key_new(keys[i].pkey, &err);
		if (keys[i].lanes == NULL ||
		    EVP_PKEY_get_bn_param(keys[i].pkey, OSSL_PKEY_PARAM_RSA_N,
			&keys[i].n) != 1 ||
		    EVP_PKEY_get_bn_param(keys[i].pkey, OSSL_PKEY_PARAM_RSA_D,
			&keys[i].d) != 1 ||
		    EVP_PKEY_get_bn_param(keys[i].pkey,
			OSSL_PKEY_PARAM_RSA_FACTOR1, &keys[i].p) != 1 ||
		    EVP_PKEY_get_bn_param(keys[i].pkey,
			OSSL_PKEY_PARAM_RSA_FACTOR2, &keys[i].q) != 1)
			return -1;
	}
	return 0;
}

static int
free_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEYS; i++) {
		rsa_lanes_key_free(keys[i].lanes);
		EVP_PKEY_free(keys[i].pkey);
		BN_free(keys[i].n);
		BN_clear_free(keys[i].d);
		BN_clear_free(keys[i].p);
		BN_clear_free(keys[i].q);
	}
	return 0;
}

/* blocks[i] to the power of key i; the last of count lanes is checked, too. */
static void
assert_right(operate *way, BIGNUM *const *blocks, size_t count)
{
	uint8_t in[KEYS][RSA_LANES_BYTES], out[KEYS][RSA_LANES_BYTES];
	struct rsa_lanes_operation operations[KEYS];
	uint8_t expected[RSA_LANES_BYTES];
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *result = BN_new();

	for (size_t i = 0; i < count; i++) {
		assert_int_equal(BN_bn2binpad(blocks[i], in[i],
				     RSA_LANES_BYTES),
		    RSA_LANES_BYTES);
		operations[i] = (struct rsa_lanes_operation) { keys[i].lanes,
			in[i], out[i] };
	}
	way(operations, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(BN_mod_exp(result, blocks[i], keys[i].d,
				     keys[i].n, ctx),
		    1);
		(void)BN_bn2binpad(result, expected, RSA_LANES_BYTES);
		assert_memory_equal(out[i], expected, RSA_LANES_BYTES);
	}
	BN_free(result);
	BN_CTX_free(ctx);
}

/* Where carries and subtractions go wrong if they do. */
static void
set_edge(BIGNUM *block, size_t key, unsigned which)
{
	switch (which) {
	case 0:
		BN_zero(block);
		break;
	case 1:
		(void)BN_one(block);
		break;
	case 2:
		(void)BN_sub(block, keys[key].n, BN_value_one());
		break;
	case 3: /* 0 modulo one prime */
		(void)BN_copy(block, keys[key].p);
		break;
	case 4:
		(void)BN_copy(block, keys[key].q);
		break;
	case 5: /* -1 modulo p */
		(void)BN_sub(block, keys[key].p, BN_value_one());
		break;
	case 6: /* nothing below R, then nothing above it */
		BN_zero(block);
		(void)BN_set_bit(block, LANES_R_BITS);
		break;
	case 7:
		BN_zero(block);
		(void)BN_set_bit(block, LANES_R_BITS);
		(void)BN_sub_word(block, 1);
		break;
	default:
		(void)BN_rand_range(block, keys[key].n);
	}
}

static void
try_all(operate *way, unsigned rounds)
{
	BIGNUM *blocks[KEYS];

	for (size_t i = 0; i < KEYS; i++)
		blocks[i] = BN_new();
	for (unsigned round = 0; round < rounds; round++) {
		for (size_t i = 0; i < KEYS; i++)
			/* Each edge in each lane, beside others. */
			set_edge(blocks[i], i, (round + (unsigned)i) % 16);
		assert_right(way, blocks, 1 + round % KEYS);
		assert_right(way, blocks, KEYS);
	}
	for (size_t i = 0; i < KEYS; i++)
		BN_free(blocks[i]);
}

static void
test_portable(void **state)
{
	(void)state;
	try_all(rsa_lanes_operate_portably, 32);
}

static void
test_vectors(void **state)
{
	(void)state;
	if (!lanes_is_usable())
		skip();
	try_all(rsa_lanes_operate, 400);
}

static void
test_other_keys_are_refused(void **state)
{
	EVP_PKEY *others[] = { EVP_RSA_gen(1024), EVP_RSA_gen(3072),
		EVP_EC_gen("P-256") };
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		assert_false(rsa_lanes_fits(others[i]));
		assert_null(rsa_lanes_key_new(others[i], &err));
		assert_non_null(strstr(err.text, "expected RSA of 2048 bits"));
		EVP_PKEY_free(others[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_portable),
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_other_keys_are_refused),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
