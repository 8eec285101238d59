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
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "tls/lanes.h"
#include "tls/rsa_lanes.h"

#define KEYS RSA_LANES_OPERATIONS

enum { PARTS = 8 };
static const char *const parts[PARTS] = { OSSL_PKEY_PARAM_RSA_N,
	OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_D,
	OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2,
	OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2,
	OSSL_PKEY_PARAM_RSA_COEFFICIENT1 };

typedef void operate(struct rsa_lanes_operation *operations, size_t count);

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
			in[i], out[i], false };
	}
	way(operations, count);
	for (size_t i = 0; i < count; i++) {
		assert_true(operations[i].ok);
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
	try_all(rsa_lanes_operate_portably, 16);
}

static void
test_vectors(void **state)
{
	(void)state;
	if (!lanes_is_usable())
		skip();
	try_all(rsa_lanes_operate, 400);
}

/* As key, but that part of it is another number. */
static EVP_PKEY *
spoil(EVP_PKEY *key, const char *part)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	BIGNUM *numbers[PARTS] = { NULL };
	OSSL_PARAM *params;
	EVP_PKEY *spoiled = NULL;

	for (size_t i = 0; i < PARTS; i++) {
		assert_int_equal(EVP_PKEY_get_bn_param(key, parts[i],
				     &numbers[i]),
		    1);
		if (strcmp(parts[i], part) == 0) /* primes stay odd */
			assert_int_equal(BN_sub_word(numbers[i], 2), 1);
		assert_int_equal(OSSL_PARAM_BLD_push_BN(build, parts[i],
				     numbers[i]),
		    1);
	}
	params = OSSL_PARAM_BLD_to_param(build);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &spoiled, EVP_PKEY_KEYPAIR,
			     params),
	    1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	for (size_t i = 0; i < PARTS; i++)
		BN_clear_free(numbers[i]);
	return spoiled;
}

/* A fault on the way, here in each part of the key: it is seen, and nothing of
 * it in the other lanes. */
static void
assert_fault_seen(operate *way, const char *part, size_t lane)
{
	struct rsa_lanes_operation operations[KEYS];
	uint8_t blocks[KEYS][RSA_LANES_BYTES];
	EVP_PKEY *pkey = spoil(keys[lane].pkey, part);
	struct rsa_lanes_key *spoiled;
	BIGNUM *block = BN_new();
	struct error err;

	spoiled = rsa_lanes_key_new(pkey, &err);
	assert_non_null(spoiled);
	for (size_t i = 0; i < KEYS; i++) {
		(void)BN_rand_range(block, keys[i].n);
		(void)BN_bn2binpad(block, blocks[i], RSA_LANES_BYTES);
		operations[i] = (struct rsa_lanes_operation) {
			i == lane ? spoiled : keys[i].lanes, blocks[i],
			blocks[i], false
		};
	}
	way(operations, KEYS);
	for (size_t i = 0; i < KEYS; i++)
		assert_int_equal(operations[i].ok, i != lane);
	way(operations + lane, 1);
	assert_false(operations[lane].ok);
	BN_free(block);
	rsa_lanes_key_free(spoiled);
	EVP_PKEY_free(pkey);
}

static void
test_faults_are_seen(void **state)
{
	static const char *const private[] = { OSSL_PKEY_PARAM_RSA_FACTOR1,
		OSSL_PKEY_PARAM_RSA_FACTOR2, OSSL_PKEY_PARAM_RSA_EXPONENT1,
		OSSL_PKEY_PARAM_RSA_EXPONENT2,
		OSSL_PKEY_PARAM_RSA_COEFFICIENT1 };

	(void)state;
	for (size_t i = 0; i < sizeof(private) / sizeof(*private); i++)
		for (size_t lane = 0; lane < KEYS; lane++) {
			/* Slowly, but not each in each. */
			if (lane == i % KEYS)
				assert_fault_seen(rsa_lanes_operate_portably,
				    private[i], lane);
			if (lanes_is_usable())
				assert_fault_seen(rsa_lanes_operate, private[i],
				    lane);
		}
}

static EVP_PKEY *
with_exponent(unsigned long exponent)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *e = BN_new();
	EVP_PKEY *key = NULL;

	(void)BN_set_word(e, exponent);
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048), 1);
	assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
	BN_free(e);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static void
test_other_keys_are_refused(void **state)
{
	EVP_PKEY *others[] = { EVP_RSA_gen(1024), EVP_RSA_gen(3072),
		EVP_EC_gen("P-256"), with_exponent(3) };
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
		cmocka_unit_test(test_faults_are_seen),
		cmocka_unit_test(test_other_keys_are_refused),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
