/*
 * bundle.h -- a set of client anchors, judged: which devices it lets in, what
 * is wrong with it, what is missing.
 *
 * Sources: [CLIENT-BUNDLE] for the anchors, [FN72302] for those of 2022,
 * [CISCO-PKI] for the rest.
 */
#ifndef SPA_BUNDLE_H
#define SPA_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <openssl/types.h>

#include "spa/identify.h"
#include "spa/registry.h"

/* Of one certificate. */
struct bundle_entry {
	const X509 *cert;	     /* borrowed */
	struct identified known;     /* as a client anchor; ca NULL: unknown */
	const struct ca *server;     /* a server CA instead: signs no device */
	const struct denied *denied; /* never an identity, still less an
				      * anchor */
	bool expired, not_yet_valid;
	bool weak_digest; /* its own signature: MD5 or SHA-1 */
	bool weak_key;	  /* RSA below 2048 */
	/* Of an earlier entry, or the entry's own index. */
	size_t same_as;	    /* the same certificate */
	size_t same_serial; /* the same serial number, another certificate */
};

struct bundle {
	struct bundle_entry *entries;
	size_t count;
};

/* The certificates are borrowed until bundle_clear(). */
void bundle_examine(struct bundle *bundle, X509 *const *certs, size_t count,
    time_t now);
void bundle_clear(struct bundle *bundle);

/*
 * Is it the CA that known says?  Not when only the name is right although the
 * certificate is on record.  The lab's copies pass.
 */
bool bundle_is_genuine(const struct bundle_entry *entry);

/* Does it hold this client anchor, a genuine one? */
bool bundle_has(const struct bundle *bundle, const struct ca *ca);

/*
 * May units of this model have a certificate under this CA?  Units of one
 * model have several: by when they were made, and renewed or not.
 */
bool bundle_ca_signs(const struct ca *ca, const struct model *model);

/* Is it wanted in a bundle: by units that would be turned away without it, or
 * by servers that follow chains up to a root? */
bool bundle_wants(const struct ca *ca);

#endif
