/*
 * decision.h -- who gets what: the one place where that is decided.
 *
 * A pure function of the listener's policy, what TLS found out about the peer,
 * the request, the routes and the inventory.  Default deny: a profile goes out
 * only when the MAC in the certificate, the MAC in the path and a device of
 * the inventory are the same, and nothing else about the certificate speaks
 * against it.  What a device sends of itself is taken on the same terms, and
 * that is decided before a byte of it is read.
 *
 * A device whose variable "missing-files" is "stub" gets an empty profile at
 * any path *.cfg or *.xml that leads nowhere: it would ask again each hour for
 * what it does not get ([SPA-PROV] on Resync_Fails_On_FNF).
 *
 * A listener of plain HTTP is stricter still.  There is nobody to identify, so
 * it has public files, and profiles encrypted with a key that this server has
 * delivered to that very device before (keyring.h): who does not have the key
 * learns nothing but a length.  Everything else is refused there.
 *
 * A named exception (exception.h) may give a device its own profile, and nothing
 * else, in spite of its certificate.
 */
#ifndef PROVISION_DECISION_H
#define PROVISION_DECISION_H

#include <stdbool.h>

#include "provision/exception.h"
#include "provision/keyring.h"
#include "provision/route.h"
#include "spa/peer.h"
#include "spa/profile.h"

struct device;
struct request;
struct snapshot;
struct tls_peer;

/* Bytes of a body that a device may send. */
#define DECISION_BODY_MAX (PROFILE_BYTES_MAX + 4096)

struct decision_policy {
	bool plain; /* no TLS: the other fields say nothing then */
	bool certificate_required;
	bool allow_expired_devices; /* certificates past their dates count */
};

struct decision_input {
	const struct decision_policy *policy;
	const struct tls_peer *tls_peer; /* unused when plain */
	const struct peer *peer; /* of the certificate; unused without one */
	const struct request *request;
	const struct routes *routes;
	const struct snapshot *snapshot;
	keyring_marks *marks; /* what was delivered and seen; must be there */
	void *marks_arg;
	/* What exceptions are judged by; unused without any. */
	const struct exception *exceptions;
	size_t exception_count;
	const char *listener;
	const struct addr *source;
	time_t now;
	exception_first_use *first_use;
	void *first_use_arg;
};

/* Why; each has a word for the log, see decision_reason_name(). */
enum decision_reason {
	DECISION_OWN_PROFILE, /* allowed */
	DECISION_COMMON_FILE, /* allowed */
	DECISION_PUBLIC_FILE, /* allowed */
	DECISION_REPORT,      /* allowed: its body is what counts */
	DECISION_DEVICE_FILE, /* allowed: sent as it is, to any device */
	DECISION_STUB,	      /* allowed: an empty profile for no such path */
	DECISION_METHOD,
	DECISION_NO_CERTIFICATE,
	DECISION_UNTRUSTED,
	DECISION_EXPIRED,
	DECISION_GENERIC,
	DECISION_CONTRADICTORY, /* the subject is no identity: peer->reason */
	DECISION_UNKNOWN_DEVICE,
	DECISION_RETIRED_DEVICE,
	DECISION_WRONG_SERIAL,	/* inventory and certificate disagree */
	DECISION_WRONG_PRODUCT, /* ditto, about the model */
	DECISION_NO_SUCH_PATH,
	DECISION_OTHER_DEVICE, /* the path names another device */
	DECISION_OTHER_MODEL,  /* the path names another model */
	/* About a report that would be taken otherwise. */
	DECISION_EXPECTATION, /* Expect names something unknown */
	DECISION_NO_LENGTH,   /* neither Content-Length nor chunked */
	DECISION_TOO_LARGE,   /* past DECISION_BODY_MAX */
	DECISION_CODING,      /* a Content-Encoding that is not known */
	DECISION_BAD_KEY,     /* the query names a key, but malformed */
	DECISION_UNKNOWN_KEY,
	DECISION_RETIRED_KEY,	    /* a newer one was seen */
	DECISION_NEEDS_TLS,	    /* plain HTTP is not for that path */
	DECISION_NO_KEY,	    /* plain HTTP, and no key named */
	DECISION_UNPROTECTED,	    /* ditto, and no encryption is asked for */
	DECISION_KEY_NOT_DELIVERED, /* ditto, and that key never went out */
	/* An exception is for it, and does not let it in. */
	DECISION_EXCEPTION_LAPSED,
	DECISION_EXCEPTION_SOURCE,	/* it is for other networks */
	DECISION_EXCEPTION_UNENCRYPTED, /* the request names no key */
	DECISION_EXCEPTION_USED_UP,
};
#define DECISION_REASONS (DECISION_EXCEPTION_USED_UP + 1)

struct decision {
	bool allow;
	int status;	 /* HTTP */
	size_t body_max; /* bytes of a body to read first; 0: none */
	enum decision_reason reason;
	struct route_match route;    /* where allowed */
	const struct device *device; /* the peer's, as far as it is known;
				       * borrowed from the snapshot */
	/* Of an own profile: what it has to be encrypted with, because the
	 * request says that this is what the device will decrypt it with. */
	enum protection_cipher cipher;
	struct keyring_key key; /* with a cipher; a secret */
	/* What made it allowed; NULL: it was without. */
	const struct exception *exception;
};

void
decision_make(const struct decision_input *input, struct decision *decision);

/* "own-profile", "no-certificate", ... */
const char *decision_reason_name(enum decision_reason reason);

#endif
