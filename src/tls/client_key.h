/*
 * client_key.h -- public keys of peers' certificates, by the short way.
 *
 * OpenSSL 3 reads the public key of each certificate when it parses it, through
 * a chain of decoders that it builds anew each time: more work than all the
 * rest of the parsing.  The reduced library context (tls/algorithms.h) has no
 * decoders, so certificates come without a key there.  An RSA key, which is
 * what devices have, is then read straight from its SubjectPublicKeyInfo (RFC
 * 3279 2.3.1).  Everything else, and a certificate that would not be the same
 * byte for byte when it is written again, is parsed once more by OpenSSL's own
 * context, in the long way.
 *
 * Not for other folders.
 */
#ifndef TLS_CLIENT_KEY_H
#define TLS_CLIENT_KEY_H

#include <openssl/x509_vfy.h>

/*
 * Give the leaf its key, or put one that has it in its place; and its issuers,
 * when the chain is to be verified.  What cannot be read stays without one and
 * will not be believed.
 */
void tls_client_key_of_leaf(X509_STORE_CTX *store_ctx);
void tls_client_key_of_issuers(X509_STORE_CTX *store_ctx);

#endif
