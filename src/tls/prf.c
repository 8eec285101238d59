/* The hash functions themselves are what is wanted here: no allocation, no
 * look-up.  A state is copied by assignment. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "tls/prf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/md5.h>
#include <openssl/params.h>
#include <openssl/sha.h>

#ifndef OPENSSL_NO_DEPRECATED_3_0

#define OCTETS_MAX 1024 /* of a secret, and of a seed: as OpenSSL has it */
#define DIGEST_NAME_MAX 32
#define BLOCK_MAX SHA512_CBLOCK
#define HASH_MAX SHA512_DIGEST_LENGTH

union state {
	MD5_CTX md5;
	SHA_CTX sha1;
	SHA256_CTX sha256;
	SHA512_CTX sha384;
};

struct digest {
	size_t len, block;
	void (*start)(union state *state);
	void (*add)(union state *state, const void *data, size_t len);
	void (*end)(union state *state, unsigned char *out);
};

/* None of these can fail. */
#define DIGEST(name, Name, size, block) \
	static void name##_start(union state *state) \
	{ \
		(void)Name##_Init(&state->name); \
	} \
	static void name##_add(union state *state, const void *data, \
	    size_t len) \
	{ \
		(void)Name##_Update(&state->name, data, len); \
	} \
	static void name##_end(union state *state, unsigned char *out) \
	{ \
		(void)Name##_Final(out, &state->name); \
	} \
	static const struct digest name = { size, block, name##_start, \
		name##_add, name##_end };

DIGEST(md5, MD5, MD5_DIGEST_LENGTH, MD5_CBLOCK)
DIGEST(sha1, SHA1, SHA_DIGEST_LENGTH, SHA_CBLOCK)
DIGEST(sha256, SHA256, SHA256_DIGEST_LENGTH, SHA256_CBLOCK)
DIGEST(sha384, SHA384, SHA384_DIGEST_LENGTH, SHA512_CBLOCK)

struct octets {
	size_t len;
	unsigned char data[OCTETS_MAX];
};

struct prf {
	/* NULL: not said yet.  With second, each has half of the secret (RFC
	 * 2246 5). */
	const struct digest *first, *second;
	bool has_secret;
	struct octets secret, seed;
};

/* ------------------------------------------------------------ HMAC, RFC 2104 */

struct hmac {
	const struct digest *digest;
	union state inner, outer; /* each with its padded key in it */
};

static void
hmac_start(struct hmac *hmac, const struct digest *digest,
    const unsigned char *key, size_t len)
{
	unsigned char hash[HASH_MAX], pad[BLOCK_MAX];

	hmac->digest = digest;
	if (len > digest->block) {
		digest->start(&hmac->inner);
		digest->add(&hmac->inner, key, len);
		digest->end(&hmac->inner, hash);
		key = hash;
		len = digest->len;
	}
	for (size_t i = 0; i < digest->block; i++)
		pad[i] = (i < len ? key[i] : 0) ^ 0x36;
	digest->start(&hmac->inner);
	digest->add(&hmac->inner, pad, digest->block);
	for (size_t i = 0; i < digest->block; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	digest->start(&hmac->outer);
	digest->add(&hmac->outer, pad, digest->block);
	OPENSSL_cleanse(hash, sizeof(hash));
	OPENSSL_cleanse(pad, sizeof(pad));
}

/* Of a and b, one behind the other; out may be a. */
static void
hmac_of(const struct hmac *hmac, const unsigned char *a, size_t a_len,
    const struct octets *b, unsigned char *out)
{
	const struct digest *digest = hmac->digest;
	union state state = hmac->inner;
	unsigned char hash[HASH_MAX];

	digest->add(&state, a, a_len);
	if (b != NULL)
		digest->add(&state, b->data, b->len);
	digest->end(&state, hash);
	state = hmac->outer;
	digest->add(&state, hash, digest->len);
	digest->end(&state, out);
	OPENSSL_cleanse(hash, sizeof(hash));
	OPENSSL_cleanse(&state, sizeof(state));
}

/* ---------------------------------------------------------------------- PRF */

/* out ^= P_hash(secret, seed), RFC 5246 5 */
static void
add_p_hash(const struct digest *digest, const unsigned char *secret,
    size_t secret_len, const struct octets *seed, unsigned char *out,
    size_t len)
{
	struct hmac hmac;
	unsigned char a[HASH_MAX], hash[HASH_MAX];

	hmac_start(&hmac, digest, secret, secret_len);
	hmac_of(&hmac, seed->data, seed->len, NULL, a);
	for (size_t done = 0; done < len; done += digest->len) {
		if (done > 0)
			hmac_of(&hmac, a, digest->len, NULL, a);
		hmac_of(&hmac, a, digest->len, seed, hash);
		for (size_t i = 0; i < digest->len && done + i < len; i++)
			out[done + i] ^= hash[i];
	}
	OPENSSL_cleanse(&hmac, sizeof(hmac));
	OPENSSL_cleanse(a, sizeof(a));
	OPENSSL_cleanse(hash, sizeof(hash));
}

static void
compute(const struct prf *prf, unsigned char *out, size_t len)
{
	const unsigned char *secret = prf->secret.data;
	/* The halves share the octet in the middle of an odd number. */
	size_t half = prf->second != NULL ? (prf->secret.len + 1) / 2 :
					    prf->secret.len;

	memset(out, 0, len);
	add_p_hash(prf->first, secret, half, &prf->seed, out, len);
	if (prf->second != NULL)
		add_p_hash(prf->second, secret + prf->secret.len - half, half,
		    &prf->seed, out, len);
}

/* ----------------------------------------------------------- as an algorithm */

static void
empty(struct prf *prf)
{
	prf->first = prf->second = NULL;
	prf->has_secret = false;
	prf->secret.len = prf->seed.len = 0;
}

static void *
make(void *provider)
{
	struct prf *prf = OPENSSL_malloc(sizeof(*prf));

	(void)provider;
	if (prf != NULL)
		empty(prf);
	return prf;
}

static void
reset(void *context)
{
	struct prf *prf = context;

	OPENSSL_cleanse(prf->secret.data, prf->secret.len);
	OPENSSL_cleanse(prf->seed.data, prf->seed.len);
	empty(prf);
}

static void
end(void *context)
{
	if (context != NULL)
		reset(context);
	OPENSSL_free(context);
}

static bool
set_digest(struct prf *prf, const OSSL_PARAM *param)
{
	static const struct {
		const char *names[2];
		const struct digest *first, *second;
	} digests[] = {
		{ { "MD5-SHA1", "MD5-SHA1" }, &md5, &sha1 },
		{ { "SHA2-256", "SHA256" }, &sha256, NULL },
		{ { "SHA2-384", "SHA384" }, &sha384, NULL },
	};
	char text[DIGEST_NAME_MAX], *name = text;

	if (OSSL_PARAM_get_utf8_string(param, &name, sizeof(text)) != 1)
		return false;
	for (size_t i = 0; i < sizeof(digests) / sizeof(*digests); i++)
		if (OPENSSL_strcasecmp(name, digests[i].names[0]) == 0 ||
		    OPENSSL_strcasecmp(name, digests[i].names[1]) == 0) {
			prf->first = digests[i].first;
			prf->second = digests[i].second;
			return true;
		}
	return false;
}

static bool
append(struct octets *octets, const OSSL_PARAM *param)
{
	const void *data;
	size_t len;

	if (OSSL_PARAM_get_octet_string_ptr(param, &data, &len) != 1 ||
	    len > OCTETS_MAX - octets->len)
		return false;
	if (len > 0)
		memcpy(octets->data + octets->len, data, len);
	octets->len += len;
	return true;
}

/* A seed may come in several parts; a secret takes the place of the one
 * before. */
static int
set(void *context, const OSSL_PARAM params[])
{
	struct prf *prf = context;

	for (const OSSL_PARAM *param = params;
	     param != NULL && param->key != NULL; param++) {
		bool ok = true;

		if (strcmp(param->key, OSSL_KDF_PARAM_DIGEST) == 0) {
			ok = set_digest(prf, param);
		} else if (strcmp(param->key, OSSL_KDF_PARAM_SECRET) == 0) {
			OPENSSL_cleanse(prf->secret.data, prf->secret.len);
			prf->secret.len = 0;
			ok = prf->has_secret = append(&prf->secret, param);
		} else if (strcmp(param->key, OSSL_KDF_PARAM_SEED) == 0) {
			ok = append(&prf->seed, param);
		}
		if (!ok)
			return 0;
	}
	return 1;
}

static int
derive(void *context, unsigned char *out, size_t len, const OSSL_PARAM params[])
{
	struct prf *prf = context;

	if (set(prf, params) != 1 || prf->first == NULL || !prf->has_secret ||
	    prf->seed.len == 0 || len == 0)
		return 0;
	compute(prf, out, len);
	return 1;
}

static const OSSL_PARAM *
settable(void *context, void *provider)
{
	static const OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, NULL, 0),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SECRET, NULL, 0),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SEED, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)context;
	(void)provider;
	return params;
}

const OSSL_DISPATCH *
tls_prf_functions(void)
{
	static const OSSL_DISPATCH functions[] = {
		{ OSSL_FUNC_KDF_NEWCTX, (void (*)(void))make },
		{ OSSL_FUNC_KDF_FREECTX, (void (*)(void))end },
		{ OSSL_FUNC_KDF_RESET, (void (*)(void))reset },
		{ OSSL_FUNC_KDF_DERIVE, (void (*)(void))derive },
		{ OSSL_FUNC_KDF_SETTABLE_CTX_PARAMS, (void (*)(void))settable },
		{ OSSL_FUNC_KDF_SET_CTX_PARAMS, (void (*)(void))set },
		{ 0, NULL },
	};

	return functions;
}

#else

const OSSL_DISPATCH *
tls_prf_functions(void)
{
	return NULL;
}

#endif
