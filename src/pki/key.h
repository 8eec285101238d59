/*
 * key.h -- private keys: reading, making, writing.
 */
#ifndef PKI_KEY_H
#define PKI_KEY_H

#include <openssl/types.h>

#include "base/error.h"

/*
 * Load the private key at path (a file, read through OSSL_STORE).  Refused
 * with ERROR_DENIED when "others" may read or write the file or the group may
 * write it: it is then no secret.  A passphrase is never asked for: an
 * encrypted key is ERROR_INPUT.  Release with EVP_PKEY_free().
 */
EVP_PKEY *key_load(const char *path, struct error *err) MUST_CHECK;

/* A new RSA key; bits 1024..4096, exponent 3 or 65537. */
EVP_PKEY *
key_generate(unsigned bits, unsigned exponent, struct error *err) MUST_CHECK;

/* Write a new PEM file (PKCS #8, no passphrase), mode 0600; never replaces. */
int key_write(const char *path, EVP_PKEY *key, struct error *err) MUST_CHECK;

/* Drop a reference; NULL is fine. */
void key_free(EVP_PKEY *key);

#endif
