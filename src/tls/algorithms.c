#include "tls/algorithms.h"
#include "tls/prf.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>

/* More of one kind than any list below has. */
#define KEPT_MAX 24

/*
 * The first name of each algorithm that is kept, as OpenSSL's default provider
 * spells it.  Chains of devices may be signed with anything from MD5 to
 * SHA-512; DSA and DH are not spoken.
 */
static const struct {
	int operation;
	const char *names[KEPT_MAX];
} lists[] = {
	{ OSSL_OP_DIGEST,
	    { "MD5", "MD5-SHA1", "SHA1", "SHA2-224", "SHA2-256", "SHA2-384",
		"SHA2-512" } },
	{ OSSL_OP_CIPHER,
	    { "AES-128-CBC", "AES-256-CBC", "AES-128-GCM", "AES-256-GCM",
		"ChaCha20-Poly1305", "AES-128-CBC-HMAC-SHA1",
		"AES-256-CBC-HMAC-SHA1", "AES-128-CBC-HMAC-SHA256",
		"AES-256-CBC-HMAC-SHA256" } },
	{ OSSL_OP_MAC, { "HMAC" } },
	{ OSSL_OP_KDF, { "TLS1-PRF", "TLS13-KDF" } },
	{ OSSL_OP_RAND, { "CTR-DRBG", "SEED-SRC" } },
	{ OSSL_OP_KEYMGMT,
	    { "RSA", "RSA-PSS", "EC", "X25519", "ED25519", "HMAC" } },
	{ OSSL_OP_KEYEXCH, { "ECDH", "X25519" } },
	{ OSSL_OP_SIGNATURE, { "RSA", "ECDSA", "ED25519", "HMAC" } },
	{ OSSL_OP_ASYM_CIPHER, { "RSA" } },
};
#define LISTS (sizeof(lists) / sizeof(*lists))

/*
 * Process-wide, because tls_algorithms() is.  Written by make(), once; all
 * others read.
 */
static struct {
	pthread_once_t once;
	OSSL_LIB_CTX *whole, *reduced;
	OSSL_PROVIDER *standard; /* OpenSSL's own, in "whole" */
	OSSL_ALGORITHM kept[LISTS][KEPT_MAX + 1];
	bool usable;
} algorithms = { .once = PTHREAD_ONCE_INIT };

/* Is name the first of the names "A:B:C"? */
static bool
is_first_name(const char *names, const char *name)
{
	size_t len = strcspn(names, ":");

	return strlen(name) == len && strncmp(names, name, len) == 0;
}

static bool
is_kept(size_t list, const OSSL_ALGORITHM *algorithm)
{
	for (size_t i = 0; i < KEPT_MAX && lists[list].names[i] != NULL; i++)
		if (is_first_name(algorithm->algorithm_names,
			lists[list].names[i]))
			return true;
	return false;
}

/* One is done in a shorter way: tls/prf.h. */
static void
use_ours(OSSL_ALGORITHM *algorithm)
{
	const OSSL_DISPATCH *prf = tls_prf_functions();

	if (prf != NULL &&
	    is_first_name(algorithm->algorithm_names, "TLS1-PRF"))
		algorithm->implementation = prf;
}

/* Fill in algorithms.kept; false when there is not what was expected. */
static bool
pick(void)
{
	for (size_t i = 0; i < LISTS; i++) {
		size_t n = 0;
		int no_cache = 0;
		const OSSL_ALGORITHM *all =
		    OSSL_PROVIDER_query_operation(algorithms.standard,
			lists[i].operation, &no_cache);

		if (all == NULL || no_cache)
			return false;
		for (; all->algorithm_names != NULL; all++) {
			if (!is_kept(i, all))
				continue;
			if (n == KEPT_MAX)
				return false;
			algorithms.kept[i][n] = *all;
			use_ours(&algorithms.kept[i][n++]);
		}
		if (n == 0)
			return false;
	}
	return true;
}

static const OSSL_ALGORITHM *
query(void *provider, int operation, int *no_cache)
{
	(void)provider;
	*no_cache = 0;
	for (size_t i = 0; i < LISTS; i++)
		if (lists[i].operation == operation)
			return algorithms.kept[i];
	return NULL;
}

/* Groups and signature algorithms of TLS: those of the default provider. */
static int
capabilities(void *provider, const char *capability, OSSL_CALLBACK *callback,
    void *arg)
{
	(void)provider;
	return OSSL_PROVIDER_get_capabilities(algorithms.standard, capability,
	    callback, arg);
}

static const OSSL_DISPATCH functions[] = {
	{ OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query },
	{ OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))capabilities },
	{ 0, NULL },
};

/* The algorithms are called with the context of the provider they are of. */
static int
initialize(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
    const OSSL_DISPATCH **out, void **context)
{
	(void)handle;
	(void)core;
	*out = functions;
	*context = OSSL_PROVIDER_get0_provider_ctx(algorithms.standard);
	return 1;
}

static void
make(void)
{
	static const char name[] = "sprov-reduced";

	algorithms.whole = OSSL_LIB_CTX_new();
	algorithms.reduced = OSSL_LIB_CTX_new();
	if (algorithms.whole == NULL || algorithms.reduced == NULL)
		return;
	algorithms.standard = OSSL_PROVIDER_load(algorithms.whole, "default");
	algorithms.usable = algorithms.standard != NULL && pick() &&
	    OSSL_PROVIDER_add_builtin(algorithms.reduced, name, initialize) ==
		1 &&
	    OSSL_PROVIDER_load(algorithms.reduced, name) != NULL;
}

OSSL_LIB_CTX *
tls_algorithms(struct error *err)
{
	(void)pthread_once(&algorithms.once, make);
	if (algorithms.usable)
		return algorithms.reduced;
	(void)error_openssl(err,
	    "cannot make a reduced set of OpenSSL's algorithms");
	return NULL;
}
