/*
 * The key derivation of TLS 1.0 to 1.2: the same octets as OpenSSL's own for any
 * secret, seed and length, and the same refusals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "tls/algorithms.h"

#define OUT_MAX 300
#define PARTS 5 /* of a seed, as libssl gives them */

struct octets {
	size_t len;
	unsigned char data[1100];
};

static OSSL_LIB_CTX *ours;

static int
setup(void **state)
{
	struct error err;

	(void)state;
	ours = tls_algorithms(&err);
	assert_non_null(ours);
	srandom(1);
	return 0;
}

static void
fill(struct octets *octets, size_t len)
{
	octets->len = len;
	for (size_t i = 0; i < len; i++)
		octets->data[i] = (unsigned char)random();
}

/* 1 or 0, as EVP_KDF_derive() has it. */
static int
derive(EVP_KDF_CTX *context, const char *digest, struct octets *secret,
    struct octets *seed, size_t parts, unsigned char *out, size_t len)
{
	OSSL_PARAM params[PARTS + 3], *p = params;

	if (digest != NULL)
		*p++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
		    (char *)(uintptr_t)digest, 0);
	if (secret != NULL)
		*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET,
		    secret->data, secret->len);
	for (size_t i = 0; i < parts; i++)
		*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED,
		    seed[i].data, seed[i].len);
	*p = OSSL_PARAM_construct_end();
	return EVP_KDF_derive(context, out, len, params) == 1;
}

static EVP_KDF_CTX *
make(OSSL_LIB_CTX *library)
{
	EVP_KDF *kdf = EVP_KDF_fetch(library, OSSL_KDF_NAME_TLS1_PRF, NULL);
	EVP_KDF_CTX *context;

	assert_non_null(kdf);
	context = EVP_KDF_CTX_new(kdf);
	assert_non_null(context);
	EVP_KDF_free(kdf);
	return context;
}

/* What both say, who must agree. */
static int
both(const char *digest, struct octets *secret, struct octets *seed,
    size_t parts, size_t len, unsigned char *out)
{
	EVP_KDF_CTX *a = make(ours), *b = make(NULL);
	unsigned char theirs[OUT_MAX + 1];
	int rc;

	memset(out, 0xaa, OUT_MAX + 1);
	memset(theirs, 0x55, sizeof(theirs));
	rc = derive(a, digest, secret, seed, parts, out, len);
	assert_int_equal(rc,
	    derive(b, digest, secret, seed, parts, theirs, len));
	if (rc == 1) {
		assert_memory_equal(out, theirs, len);
		assert_int_equal(out[len], 0xaa); /* and not one more */
	}
	EVP_KDF_CTX_free(a);
	EVP_KDF_CTX_free(b);
	ERR_clear_error();
	return rc;
}

static const char *const digests[] = { "MD5-SHA1", "SHA2-256", "SHA2-384",
	"SHA256", "sha384" };
#define DIGESTS (sizeof(digests) / sizeof(*digests))

static void
test_any(void **state)
{
	struct octets secret, seed[PARTS];
	unsigned char out[OUT_MAX + 1];

	(void)state;
	for (int i = 0; i < 4000; i++) {
		size_t parts = 1 + (size_t)random() % PARTS;

		fill(&secret, (size_t)random() % (i % 2 ? 70 : 300));
		fill(&seed[0], 1 + (size_t)random() % 64);
		for (size_t j = 1; j < parts; j++)
			fill(&seed[j], (size_t)random() % 64);
		assert_int_equal(both(digests[(size_t)i % DIGESTS], &secret,
				     seed, parts,
				     1 + (size_t)random() % OUT_MAX, out),
		    1);
	}
}

/* Around the lengths of hashes and blocks, where counting goes wrong. */
static void
test_each_length(void **state)
{
	struct octets secret, seed;
	unsigned char out[OUT_MAX + 1];

	(void)state;
	fill(&seed, 77);
	for (size_t i = 0; i < DIGESTS; i++) {
		fill(&secret, 48);
		for (size_t len = 1; len <= OUT_MAX; len++)
			assert_int_equal(both(digests[i], &secret, &seed, 1,
					     len, out),
			    1);
		for (size_t len = 0; len <= 280; len++) {
			fill(&secret, len);
			assert_int_equal(both(digests[i], &secret, &seed, 1, 40,
					     out),
			    1);
		}
	}
}

static void
test_refused(void **state)
{
	struct octets secret, seed[2], empty = { 0 };
	unsigned char out[OUT_MAX + 1];

	(void)state;
	fill(&secret, 48);
	fill(&seed[0], 1000);
	fill(&seed[1], 24);
	assert_int_equal(both("SHA256", &secret, seed, 2, 48, out), 1);
	fill(&seed[1], 25);
	assert_int_equal(both("SHA256", &secret, seed, 2, 48, out), 0);
	assert_int_equal(both(NULL, &secret, seed, 1, 48, out), 0);
	assert_int_equal(both("SHA256", NULL, seed, 1, 48, out), 0);
	assert_int_equal(both("SHA256", &secret, seed, 0, 48, out), 0);
	assert_int_equal(both("SHA256", &secret, &empty, 1, 48, out), 0);
	assert_int_equal(both("SHA256", &secret, seed, 1, 0, out), 0);
	assert_int_equal(both("SHA-3 of long ago", &secret, seed, 1, 48, out),
	    0);
}

/* Not spoken here: too long a secret, and digests that no suite has. */
static void
test_less_than_openssl(void **state)
{
	EVP_KDF_CTX *context = make(ours);
	struct octets secret, seed;
	unsigned char out[48];

	(void)state;
	fill(&seed, 32);
	fill(&secret, 1025);
	assert_int_equal(derive(context, "SHA256", &secret, &seed, 1, out, 48),
	    0);
	EVP_KDF_CTX_reset(context);
	fill(&secret, 1024);
	assert_int_equal(derive(context, "SHA256", &secret, &seed, 1, out, 48),
	    1);
	EVP_KDF_CTX_reset(context);
	assert_int_equal(derive(context, "SHA512", &secret, &seed, 1, out, 48),
	    0);
	EVP_KDF_CTX_free(context);
	ERR_clear_error();
}

/* Used again: nothing of before is left, or what was set stays. */
static void
test_again(void **state)
{
	EVP_KDF_CTX *used = make(ours), *fresh;
	struct octets secret, seed;
	unsigned char first[48], second[48];

	(void)state;
	fill(&secret, 48);
	fill(&seed, 32);
	assert_int_equal(derive(used, "MD5-SHA1", &secret, &seed, 1, first, 48),
	    1);
	EVP_KDF_CTX_reset(used);
	assert_int_equal(derive(used, NULL, &secret, &seed, 1, second, 48), 0);
	EVP_KDF_CTX_reset(used);
	assert_int_equal(derive(used, "SHA256", NULL, &seed, 1, second, 48), 0);
	EVP_KDF_CTX_reset(used);
	assert_int_equal(derive(used, "MD5-SHA1", &secret, &seed, 1, second,
			     48),
	    1);
	assert_memory_equal(first, second, 48);
	/* The rest of the seed later. */
	fresh = make(ours);
	EVP_KDF_CTX_reset(used);
	assert_int_equal(derive(fresh, "SHA256", &secret, &seed, 1, first, 48),
	    1);
	assert_int_equal(derive(used, "SHA256", &secret, NULL, 0, second, 48),
	    0);
	assert_int_equal(derive(used, NULL, NULL, &seed, 1, second, 48), 1);
	assert_memory_equal(first, second, 48);
	EVP_KDF_CTX_free(fresh);
	EVP_KDF_CTX_free(used);
	ERR_clear_error();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any),
		cmocka_unit_test(test_each_length),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_less_than_openssl),
		cmocka_unit_test(test_again),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
