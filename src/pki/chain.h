/*
 * chain.h -- one of our own certificates with its key: what a listener shows.
 */
#ifndef PKI_CHAIN_H
#define PKI_CHAIN_H

#include <stddef.h>
#include <time.h>

#include <openssl/types.h>

#include "base/error.h"

struct chain;

/*
 * Load the certificate file (PEM: leaf first, then its issuers in order) and
 * the key.  Refused, each with a message that says which certificate and what
 * to do: a chain out of order (each must be issued, by name and signature, by
 * the next), a leaf that is a CA, a key that does not match the leaf, a key
 * that others may read, two equal certificates.
 */
void chain_free(struct chain *chain);
struct chain *chain_load(const char *certificate_path, const char *key_path,
    struct error *err) MUST_CHECK FREED_BY(chain_free);

/* Borrowed. */
X509 *chain_certificate(const struct chain *chain, size_t index); /* 0: leaf */
size_t chain_length(const struct chain *chain);
EVP_PKEY *chain_key(const struct chain *chain);

#endif
