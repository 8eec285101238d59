/*
 * order.h -- certificates as they came back from the signer, put in order.
 *
 * What comes back may be the certificate alone, or one file in which its
 * issuers stand before or behind it, twice, or beside a root for client
 * certificates that has nothing to do with it [MPP-PROV].  A listener needs the
 * leaf first, then each certificate's issuer.
 */
#ifndef PKI_ORDER_H
#define PKI_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/types.h>

#include "base/error.h"

/*
 * Move the certificate that key belongs to to the front, then the chain of its
 * issuers, by name and signature, as far as they are there: certs[0] to
 * certs[*length - 1].  Those that are no part of it follow in their old order.
 * *moved says whether the chain stood in another order before, or apart.
 *
 * ERROR_INPUT when no certificate belongs to the key, or more than one does
 * (the same one twice is fine).  certs is then as it was.
 */
int order_chain(X509 **certs, size_t count, EVP_PKEY *key, size_t *length,
    bool *moved, struct error *err) MUST_CHECK;

/* Does basicConstraints make it a CA? (RFC 5280 4.2.1.9) */
bool order_is_ca(X509 *cert);

#endif
