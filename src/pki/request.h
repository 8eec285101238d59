/*
 * request.h -- certificate requests (CSRs) that the vendor's signing accepts.
 *
 * The subject is C, ST, L, O, OU, CN, emailAddress in this order, as in the
 * worked example of [NGCP-HANDBOOK].  The CN is the FQDN of the provisioning
 * host, if wanted with "/" and a text after it ("prov.example.net/info@
 * example.net") [ATA-PROV] p. 42.  Old firmware compares raw bytes, so values
 * are PrintableString where they can be, else UTF8String; the e-mail address
 * is IA5String.  No challenge password [NGCP-HANDBOOK].
 *
 * A subjectAltName is left out unless asked for: no text about these
 * certificates mentions one, old SPA firmware reads the CN only [FW-7.5.2B],
 * and whether the signing keeps it is not known.  ATA19x is the exception: it
 * checks the SAN [ATA19X-PROV].
 */
#ifndef PKI_REQUEST_H
#define PKI_REQUEST_H

#include <stdbool.h>

#include <openssl/types.h>

#include "base/error.h"

#define CSR_COMMON_NAME_MAX 64 /* RFC 5280 A.1 ub-common-name; with suffix */
#define CSR_BITS_MIN 1024
#define CSR_BITS_MAX 4096
#define CSR_BITS_DEFAULT 2048

struct csr {
	const char *host;   /* FQDN; written in lower case */
	const char *suffix; /* after the "/" of the CN; NULL or "": none */
	const char *email;
	/* NULL: left out. */
	const char *organization, *unit, *country, *state, *locality;
	bool san; /* with a subjectAltName: the host */
};

/*
 * Can host stand in the CN?  Refused with ERROR_INPUT: a wildcard, an IP
 * address, a single label, a URL or a port, other characters than letters,
 * digits and "-", and what DNS does not allow (RFC 1123 2.1).
 */
int csr_check_host(const char *host, struct error *err) MUST_CHECK;

/* All but the key, each with its length (RFC 5280 A.1); ERROR_INPUT. */
int csr_check(const struct csr *csr, struct error *err) MUST_CHECK;

/* RSA of 1024 to 4096 bits, or ERROR_INPUT. */
int csr_check_key(EVP_PKEY *key, struct error *err) MUST_CHECK;
int csr_key_bits(EVP_PKEY *key);

/*
 * Check everything and make the request, signed with SHA-256, as PEM (RFC 7468
 * section 7).  *pem is the caller's to free().
 */
int csr_make(const struct csr *csr, EVP_PKEY *key, char **pem,
    struct error *err) MUST_CHECK;

#endif
