/*
 * trusted_by.h -- how many kinds of device would take a certificate, by the way
 * they speak TLS.
 *
 * A kind is a model at a firmware that the facts distinguish.  Used where
 * nothing better is known of who comes than its ClientHello.
 */
#ifndef PROVISION_TRUSTED_BY_H
#define PROVISION_TRUSTED_BY_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct ca;
struct tls_hello;

/* Of a certificate of ours. */
struct trusted_by_certificate {
	const struct ca *ca; /* NULL: not known; nobody takes it then */
	bool sha2;	     /* it is signed with SHA-2 */
	bool current;	     /* within its dates, and its CA's */
};

/* Fill counts[registry_stack_count]: for each TLS stack, how many kinds of
 * device that have it would take the certificate. */
void trusted_by_stacks(const struct trusted_by_certificate *certificate,
    unsigned *counts);

/* The sum of counts over the stacks that may have sent this hello: the same
 * highest version, and extensions or none. */
unsigned
trusted_by_hello(const unsigned *counts, const struct tls_hello *hello);

#endif
