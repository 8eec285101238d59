#include "pki/order.h"
#include "base/mem.h"
#include "pki/cert.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define NOWHERE ((size_t)-1)

bool
order_is_ca(X509 *cert)
{
	return (X509_get_extension_flags(cert) & EXFLAG_CA) != 0;
}

static int
find_leaf(X509 **certs, size_t count, EVP_PKEY *key, size_t *leaf,
    struct error *err)
{
	*leaf = NOWHERE;
	for (size_t i = 0; i < count; i++) {
		if (!cert_matches_key(certs[i], key))
			continue;
		if (*leaf == NOWHERE)
			*leaf = i;
		else if (X509_cmp(certs[i], certs[*leaf]) != 0)
			return error_set(err, ERROR_INPUT,
			    "certificates %zu and %zu both belong to the key: "
			    "keep only the new one",
			    *leaf + 1, i + 1);
	}
	if (*leaf == NOWHERE)
		return error_set(err, ERROR_INPUT,
		    "the key belongs to none of the %zu certificates: wanted "
		    "the key that the request was made with",
		    count);
	return 0;
}

static bool
is_issued_by(X509 *cert, X509 *issuer)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	bool issued = key != NULL &&
	    X509_NAME_cmp(X509_get_issuer_name(cert),
		X509_get_subject_name(issuer)) == 0 &&
	    X509_verify(cert, key) == 1;

	ERR_clear_error();
	return issued;
}

/* One that is not in the chain yet, and no copy of one that is. */
static bool
is_new(X509 *cert, X509 *const *chain, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (X509_cmp(cert, chain[i]) == 0)
			return false;
	return true;
}

static size_t
find_issuer(X509 *const *certs, const bool *used, size_t count,
    X509 *const *chain, size_t length)
{
	for (size_t i = 0; i < count; i++)
		if (!used[i] && is_new(certs[i], chain, length) &&
		    is_issued_by(chain[length - 1], certs[i]))
			return i;
	return NOWHERE;
}

int
order_chain(X509 **certs, size_t count, EVP_PKEY *key, size_t *length,
    bool *moved, struct error *err)
{
	X509 **sorted;
	bool *used;
	size_t next, n = 0;

	if (find_leaf(certs, count, key, &next, err) != 0)
		return -1;
	sorted = xcalloc(count, sizeof(*sorted));
	used = xcalloc(count, sizeof(*used));
	*moved = false;
	while (next != NOWHERE) {
		*moved |= next != n;
		used[next] = true;
		sorted[n++] = certs[next];
		next = find_issuer(certs, used, count, sorted, n);
	}
	*length = n;
	for (size_t i = 0; i < count; i++)
		if (!used[i])
			sorted[n++] = certs[i];
	memcpy(certs, sorted, count * sizeof(*certs));
	free(sorted);
	free(used);
	return 0;
}
