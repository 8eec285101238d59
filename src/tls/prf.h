/*
 * prf.h -- the key derivation of TLS 1.0 to 1.2, without detours.
 *
 * The PRF of RFC 2246 5 (MD5 and SHA-1) and RFC 5246 5 (SHA-256, SHA-384), over
 * OpenSSL's hash functions, as an algorithm "TLS1-PRF" of a provider
 * (provider-kdf(7)).  OpenSSL's own makes and throws away three contexts for each
 * HMAC, of which a handshake of TLS 1.0 with AES128-SHA takes 46: some 30 us.
 * Here the state of a keyed hash is a few words that are copied.
 *
 * Seed and secret have at most 1024 octets each, together; there are no other
 * digests.  What is refused makes EVP_KDF_derive() fail.
 *
 * Not for other folders.
 */
#ifndef TLS_PRF_H
#define TLS_PRF_H

#include <openssl/core.h>

/* For OSSL_ALGORITHM; NULL where OpenSSL comes without its low-level functions:
 * then there is only its own. */
const OSSL_DISPATCH *tls_prf_functions(void);

#endif
