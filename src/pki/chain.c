#include "pki/chain.h"
#include "base/mem.h"
#include "pki/cert.h"
#include "pki/key.h"

#include <assert.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

struct chain {
	X509 **certs; /* leaf first */
	size_t count;
	EVP_PKEY *key;
};

void
chain_free(struct chain *chain)
{
	if (chain == NULL)
		return;
	cert_free_all(chain->certs, chain->count);
	EVP_PKEY_free(chain->key);
	free(chain);
}

/* "FILE: certificate N (SUBJECT) TEXT certificate M (SUBJECT): WANTED" */
static int
refuse_pair(const struct chain *chain, const char *path, size_t a, size_t b,
    const char *text, const char *wanted, struct error *err)
{
	char *first = cert_subject_text(chain->certs[a]);
	char *second = cert_subject_text(chain->certs[b]);

	(void)error_set(err, ERROR_INPUT,
	    "%s: certificate %zu (%.120s) %s certificate %zu (%.120s): %s",
	    path, a + 1, first, text, b + 1, second, wanted);
	free(first);
	free(second);
	return -1;
}

static int
check_repeats(const struct chain *chain, const char *path, struct error *err)
{
	for (size_t i = 1; i < chain->count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (X509_cmp(chain->certs[i], chain->certs[j]) == 0)
				return refuse_pair(chain, path, i, j, "repeats",
				    "remove one of them", err);
		}
	}
	return 0;
}

static int
check_leaf(const struct chain *chain, const char *path, struct error *err)
{
	char *subject;

	for (size_t i = 0; i < chain->count; i++) {
		if (!cert_matches_key(chain->certs[i], chain->key))
			continue;
		if (i == 0)
			break;
		return refuse_pair(chain, path, i, 0,
		    "is the one that the key belongs to, but stands behind",
		    "put the leaf first, then its issuers in order", err);
	}
	/*
	 * A CA first in the file is most often a chain that was put together
	 * upside down, so this is said before the key is blamed.
	 */
	if ((X509_get_extension_flags(chain->certs[0]) & EXFLAG_CA) != 0) {
		subject = cert_subject_text(chain->certs[0]);
		(void)error_set(err, ERROR_INPUT,
		    "%s: certificate 1 (%.120s): RFC 5280 4.2.1.9: cA is TRUE "
		    "in a leaf certificate: put the server's own certificate "
		    "first",
		    path, subject);
		free(subject);
		return -1;
	}
	return 0;
}

static int
check_key(const struct chain *chain, const char *path, const char *key_path,
    struct error *err)
{
	char *subject;

	if (cert_matches_key(chain->certs[0], chain->key))
		return 0;
	subject = cert_subject_text(chain->certs[0]);
	(void)error_set(err, ERROR_INPUT,
	    "%s: the key does not belong to %s (%.120s): wanted the key that "
	    "its request was made with",
	    key_path, path, subject);
	free(subject);
	return -1;
}

static int
check_order(const struct chain *chain, const char *path, struct error *err)
{
	static const char wanted[] =
	    "put the leaf first, then each certificate's issuer";

	for (size_t i = 0; i + 1 < chain->count; i++) {
		X509 *cert = chain->certs[i], *issuer = chain->certs[i + 1];
		EVP_PKEY *key = X509_get0_pubkey(issuer);

		if (X509_NAME_cmp(X509_get_issuer_name(cert),
			X509_get_subject_name(issuer)) != 0)
			return refuse_pair(chain, path, i, i + 1,
			    "is not issued by", wanted, err);
		if (key == NULL || X509_verify(cert, key) != 1) {
			ERR_clear_error();
			return refuse_pair(chain, path, i, i + 1,
			    "names as issuer, but is not signed by", wanted,
			    err);
		}
	}
	return 0;
}

struct chain *
chain_load(const char *certificate_path, const char *key_path,
    struct error *err)
{
	struct chain *chain = xcalloc(1, sizeof(*chain));

	if (cert_read_file(certificate_path, &chain->certs, &chain->count,
		err) != 0 ||
	    (chain->key = key_load(key_path, err)) == NULL ||
	    check_repeats(chain, certificate_path, err) != 0 ||
	    check_leaf(chain, certificate_path, err) != 0 ||
	    check_order(chain, certificate_path, err) != 0 ||
	    check_key(chain, certificate_path, key_path, err) != 0) {
		chain_free(chain);
		return NULL;
	}
	return chain;
}

X509 *
chain_certificate(const struct chain *chain, size_t index)
{
	assert(index < chain->count);
	return chain->certs[index];
}

size_t
chain_length(const struct chain *chain)
{
	return chain->count;
}

EVP_PKEY *
chain_key(const struct chain *chain)
{
	return chain->key;
}
