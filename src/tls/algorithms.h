/*
 * algorithms.h -- OpenSSL with only those algorithms that TLS here can use.
 *
 * OpenSSL 3.0 makes a list of all algorithms that it has, each time it reads
 * the public key of a certificate: a quarter of what a resync costs a server.
 * So servers' contexts get a library context of their own, whose only provider
 * hands on a few dozen algorithms of OpenSSL's default provider and leaves out
 * the rest.  All but one are the same code (tls/prf.h); what is not in the list
 * cannot be used.  Neither openssl.cnf nor engines reach into it.  There are no
 * decoders in it at all: tls/client_key.h.
 */
#ifndef TLS_ALGORITHMS_H
#define TLS_ALGORITHMS_H

#include <openssl/types.h>

#include "base/error.h"

/*
 * The reduced library context; made at the first call, by whichever thread,
 * and kept until the process ends: threads hold state of it (random numbers)
 * that OpenSSL cannot take away from them earlier.  NULL when that failed.
 */
OSSL_LIB_CTX *tls_algorithms(struct error *err) MUST_CHECK;

#endif
