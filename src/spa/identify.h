/*
 * identify.h -- which CA of the registry signed a certificate.
 *
 * By the SHA-256 of the issuer's certificate where it is at hand, then by the
 * hash of its key, then by the issuer's common name; never by a serial number.
 * A common name with the prefix "LAB " is the lab's copy of that CA.
 */
#ifndef SPA_IDENTIFY_H
#define SPA_IDENTIFY_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/types.h>

struct ca;

#define IDENTIFY_LAB_PREFIX "LAB "

enum identify_basis {
	IDENTIFY_NONE,
	IDENTIFY_CERTIFICATE,
	IDENTIFY_KEY,
	IDENTIFY_NAME
};

struct identified {
	const struct ca *ca; /* NULL: none that we know */
	enum identify_basis basis;
	bool lab;
};

/*
 * Identify the issuer of leaf.  issuer is the certificate that signed it, or
 * NULL when it is not at hand.  Only CAs that devices trust are considered.
 */
struct identified identify_issuer(const X509 *leaf, const X509 *issuer);

/*
 * The first CA that is known above a chain as a server shows it, leaf first:
 * upwards for as long as each certificate is followed by its issuer.  *at says
 * above which certificate it stands; unset when none is known.
 */
struct identified identify_chain(X509 *const *certs, size_t count, size_t *at);

/* The same for a CA's own certificate: which CA is it? */
struct identified identify_ca(const X509 *cert);

/*
 * Which of the CAs above device certificates is it?  By certificate, by key (a
 * reissue) or by its common name alone (a reissue, or not what it says).
 */
struct identified identify_client_ca(const X509 *cert);

/* "by certificate", "by key", "by name" */
const char *identify_basis_name(enum identify_basis basis);

#endif
