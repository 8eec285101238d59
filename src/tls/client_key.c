#include "tls/client_key.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

static bool
has_key(const X509 *cert)
{
	bool has = X509_get0_pubkey(cert) != NULL;

	ERR_clear_error();
	return has;
}

/*
 * Put another one in its place, in the very list that the connection goes on
 * with: OpenSSL takes the client's key from there when it checks the proof of
 * possession.
 */
static void
replace(X509_STORE_CTX *store_ctx, int i, const unsigned char *der, int len)
{
	STACK_OF(X509) *shown = X509_STORE_CTX_get0_untrusted(store_ctx);
	X509 *cert = sk_X509_value(shown, i);
	X509 *whole = X509_new_ex(OSSL_LIB_CTX_get0_global_default(), NULL);

	/* On failure d2i_X509() frees it. */
	if (whole == NULL || d2i_X509(&whole, &der, len) == NULL)
		return;
	(void)sk_X509_set(shown, i, whole);
	if (X509_STORE_CTX_get0_cert(store_ctx) == cert)
		X509_STORE_CTX_set_cert(store_ctx, whole);
	X509_free(cert);
}

/* The RSA key of a certificate; NULL when it has another one. */
static EVP_PKEY *
read_rsa_key(const X509 *cert)
{
	ASN1_OBJECT *algorithm = NULL;
	const unsigned char *encoded = NULL;
	int len = 0;

	if (X509_PUBKEY_get0_param(&algorithm, &encoded, &len, NULL,
		X509_get_X509_PUBKEY(cert)) != 1 ||
	    OBJ_obj2nid(algorithm) != NID_rsaEncryption)
		return NULL;
	return d2i_PublicKey(EVP_PKEY_RSA, NULL, &encoded, len);
}

/*
 * True when it worked, and the certificate is as it was: X509_set_pubkey()
 * makes OpenSSL write it anew, and what is verified is what was written.
 */
static bool
set_rsa_key(X509 *cert, const unsigned char *der, int len)
{
	EVP_PKEY *key = read_rsa_key(cert);
	unsigned char *written = NULL;
	bool same = key != NULL && X509_set_pubkey(cert, key) == 1 &&
	    i2d_X509(cert, &written) == len &&
	    memcmp(written, der, (size_t)len) == 0;

	OPENSSL_free(written);
	EVP_PKEY_free(key);
	return same;
}

static void
give_key(X509_STORE_CTX *store_ctx, int i)
{
	X509 *cert = sk_X509_value(X509_STORE_CTX_get0_untrusted(store_ctx), i);
	unsigned char *der = NULL;
	int len;

	if (has_key(cert))
		return;
	len = i2d_X509(cert, &der);
	if (len > 0 && !set_rsa_key(cert, der, len))
		replace(store_ctx, i, der, len);
	OPENSSL_free(der);
	ERR_clear_error();
}

void
tls_client_key_of_leaf(X509_STORE_CTX *store_ctx)
{
	give_key(store_ctx, 0);
}

void
tls_client_key_of_issuers(X509_STORE_CTX *store_ctx)
{
	const STACK_OF(X509) *shown = X509_STORE_CTX_get0_untrusted(store_ctx);

	for (int i = 1; i < sk_X509_num(shown); i++)
		give_key(store_ctx, i);
}
