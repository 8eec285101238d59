/*
 * pki.h -- the lab's own PKI: a copy, marked LAB, of every CA in the registry.
 *
 * Key sizes, exponents, digests, versions and dates are those of the
 * originals as far as they are known, so that RSA-1024, MD5, SHA-1, X.509 v1,
 * an expired root and one that ends in 2050 happen for real.
 */
#ifndef LAB_PKI_H
#define LAB_PKI_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <openssl/types.h>

#include "base/error.h"
#include "base/mac.h"
#include "spa/registry.h"

/* All names of the lab end so; they resolve to loopback inside the lab. */
#define LAB_DOMAIN "lab.example.net"

struct lab_pki;

/* Make all CAs (some seconds of key generation).  tick, when given, is called
 * after each with how many are done. */
void lab_pki_free(struct lab_pki *pki);
struct lab_pki *
lab_pki_new(time_t now, void (*tick)(void *arg, size_t done, size_t total),
    void *arg, struct error *err) MUST_CHECK FREED_BY(lab_pki_free);

/* The lab's copy of a CA of the registry; borrowed. */
X509 *lab_pki_ca(const struct lab_pki *pki, const struct ca *ca);

/*
 * Write to directory: cas/ID.pem for every CA that devices trust,
 * client-anchors.pem for those that sign devices, and for every server CA the
 * pair servers/ID.crt (with intermediates) and servers/ID.key for the host
 * ID.LAB_DOMAIN.
 */
int lab_pki_write_servers(const struct lab_pki *pki, const char *directory,
    struct error *err) MUST_CHECK;

/* What a device certificate of the lab says. */
struct lab_identity {
	const struct model *model;
	struct mac mac;
	const char *serial;
	struct mac second_mac;	   /* where the form repeats the MAC */
	const char *second_serial; /* where it repeats the serial */
	bool generic;		   /* the shared certificate's subject */
	bool stranger;		   /* signed by a CA that nobody knows */
	bool expired;		   /* until yesterday */
};

/* Make the certificate in the form of the model's family and write
 * BASE.crt and BASE.key; existing files are replaced. */
int lab_pki_write_identity(const struct lab_pki *pki,
    const struct lab_identity *identity, const char *base,
    struct error *err) MUST_CHECK;

/* Does the certificate that the lab's server shows for that CA use SHA-2?  Has
 * it a SAN?  What the expectation has to know. */
bool lab_pki_server_is_sha2(const struct ca *ca);
bool lab_pki_server_has_san(const struct ca *ca);

#endif
