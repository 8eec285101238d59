/*
 * cert.h -- what stands in a certificate.
 *
 * Everything is read from DER, never from a printed name: the subjects of
 * these devices hold commas and slashes inside a value.
 */
#ifndef PKI_CERT_H
#define PKI_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <openssl/types.h>

#include "base/error.h"

#define CERT_DIGEST_BYTES 32
#define CERT_DER_MAX 16384 /* longer certificates are refused */
#define CERT_FILE_MAX (256 * 1024)
#define CERT_FILE_CERTS_MAX 64

/* Attribute types of names that we ask for. */
enum cert_attribute {
	CERT_COUNTRY,
	CERT_STATE, /* ST; "S" in Cisco's manuals */
	CERT_LOCALITY,
	CERT_ORGANIZATION,
	CERT_UNIT, /* OU */
	CERT_COMMON_NAME,
	CERT_SERIAL_NUMBER, /* the attribute serialNumber, not the certificate's */
	CERT_EMAIL,
	CERT_OTHER,
};

#define CERT_NAME_PARTS_MAX 24
#define CERT_VALUE_MAX 256

/* One attribute of a name: the raw bytes of its string. */
struct cert_name_part {
	enum cert_attribute type;
	size_t len;
	bool truncated; /* the value was longer than CERT_VALUE_MAX */
	bool wide;	/* BMPString or UniversalString: bytes are not text */
	char value[CERT_VALUE_MAX + 1]; /* NUL after len; may hold NULs */
};

struct cert_name {
	size_t count;
	bool overflow; /* there were more than CERT_NAME_PARTS_MAX */
	struct cert_name_part part[CERT_NAME_PARTS_MAX];
};

/* Parse DER of exactly len bytes; release with X509_free() or cert_free(). */
X509 *cert_parse(const uint8_t *der, size_t len, struct error *err) MUST_CHECK;

/* X509_free(), for folders that do not include openssl/x509.h. */
void cert_free(X509 *cert);

/* DER of a certificate; *der is the caller's to free(). */
int cert_encode(const X509 *cert, uint8_t **der, size_t *len,
    struct error *err) MUST_CHECK;

/*
 * Read every certificate of a PEM file in order, or the one of a DER file.
 * *certs is an array of *count, at most CERT_FILE_CERTS_MAX; release with
 * cert_free_all().  Text between them is skipped; a broken block is an error
 * that names its place in the file.
 */
int cert_read_file(const char *path, X509 ***certs, size_t *count,
    struct error *err) MUST_CHECK;
void cert_free_all(X509 **certs, size_t count);

/* Write PEM, replacing path. */
int cert_write_file(const char *path, X509 *const *certs, size_t count,
    struct error *err) MUST_CHECK;

void cert_subject(const X509 *cert, struct cert_name *name);
void cert_issuer(const X509 *cert, struct cert_name *name);

/* The last part of that type; NULL when there is none. */
const struct cert_name_part *
cert_name_find(const struct cert_name *name, enum cert_attribute type);

/* One line for people and logs, RFC 2253 order and escapes; free() it. */
char *cert_subject_text(const X509 *cert);
char *cert_issuer_text(const X509 *cert);

/* SHA-256 of the DER, and of the SubjectPublicKeyInfo. */
void cert_sha256(const X509 *cert, uint8_t digest[static CERT_DIGEST_BYTES]);
void
cert_key_sha256(const X509 *cert, uint8_t digest[static CERT_DIGEST_BYTES]);

/* Is cert issued by issuer: by the names, and by the signature? */
bool cert_is_issued_by(const X509 *cert, const X509 *issuer);

/* The serial number in upper-case hex, "00" for 0; "" when it is negative or
 * longer than the 20 bytes of RFC 5280 4.1.2.2. */
#define CERT_SERIAL_BYTES (2 * 20 + 1)
void cert_serial(const X509 *cert, char hex[static CERT_SERIAL_BYTES]);

/* UTC; dates past 2038 are right; 0 when the certificate's cannot be read. */
time_t cert_not_before(const X509 *cert);
time_t cert_not_after(const X509 *cert);

/* "sha256", "sha1", "md5", ... as OpenSSL's short digest name, lower case;
 * "unknown" for others (RSA-PSS, Ed25519). */
const char *cert_signature_digest(const X509 *cert);
int cert_key_bits(const X509 *cert); /* 0 when the key cannot be read */
bool cert_is_rsa(const X509 *cert);

/* Does key belong to cert? */
bool cert_matches_key(const X509 *cert, EVP_PKEY *key);

/*
 * The host that the subject CN names: what stands before a '/', because CNs
 * such as "prov.example.net/info@example.net" are in use.  False when there is
 * none or it is no plain text.  Source: [ATA-PROV] p. 42, [MPP-SEC].
 */
bool cert_common_host(const X509 *cert, char host[static CERT_VALUE_MAX + 1]);

/*
 * Is the certificate one for host (a name or an address)?  By SAN; when it has
 * no dNSName and san_only is false, by the CN as well, also before a '/'.
 */
bool cert_matches_host(X509 *cert, const char *host, bool san_only);

#endif
