/*
 * mint.h -- making certificates: the lab's CAs, servers and devices.
 *
 * Real certificates with the shapes of the originals, weak keys and hashes
 * included.  Never used for anything that a real device would be asked to
 * trust, except an operator's own root.
 */
#ifndef PKI_MINT_H
#define PKI_MINT_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <openssl/types.h>

#include "base/error.h"
#include "pki/cert.h"

struct mint_name_part {
	enum cert_attribute type;
	const char *value;
	size_t len; /* 0: strlen(value); lets tests embed a NUL */
};

struct mint_request {
	const struct mint_name_part *subject;
	size_t subject_count;
	EVP_PKEY *key;		      /* the subject's; borrowed */
	X509 *issuer;		      /* NULL: self-signed */
	EVP_PKEY *issuer_key;	      /* NULL: self-signed */
	const char *digest;	      /* "md5", "sha1", "sha256" */
	time_t not_before, not_after; /* any, past 2038 too */
	bool ca;	 /* basicConstraints CA:TRUE (not critical) */
	bool version_1;	 /* an X.509 v1 certificate: no extensions at all */
	int path_length; /* with ca; -1: none */
	const char
	    *extended_key_usage;      /* "serverAuth", "clientAuth"; or NULL */
	const char *subject_alt_name; /* as "DNS:host.example.net"; or NULL */
	const char *serial_hex;	      /* or NULL: random 16 bytes */
	bool only_shown; /* it will be shown, never verified with: not read
			  * back, which saves two thirds of the time */
};

/*
 * Make it.  String types as the originals: PrintableString where the value
 * allows it, else UTF8String; e-mail IA5String.  Release with X509_free().
 */
X509 *mint_certificate(const struct mint_request *request,
    struct error *err) MUST_CHECK;

#endif
