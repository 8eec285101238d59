/*
 * diagnose.h -- why a device failed: from an event, the inventory and what is
 * known of devices to a cause, the evidence and what to do.
 *
 * A pure function.  It says how sure it is, and never more than the evidence
 * bears: "high" when the event itself proves the cause, "medium" when documents
 * or earlier events have to be right for it, "low" for a guess.  Who it was,
 * when a handshake failed before any certificate, is told the same way: from
 * what that address and that ClientHello class (tls/fingerprint.h) were before.
 *
 * What a device makes of our certificate is judged by check.h, the very code
 * that judges foreign servers.
 */
#ifndef PROVISION_DIAGNOSE_H
#define PROVISION_DIAGNOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "inventory/events.h"
#include "provision/check.h"
#include "spa/registry.h"

struct knowledge;

enum diagnose_cause {
	DIAGNOSE_NONE, /* it was served */
	/* The device does not take what we show. */
	DIAGNOSE_CA_NOT_TRUSTED,
	DIAGNOSE_CERTIFICATE_EXPIRED, /* ours, or its CA */
	DIAGNOSE_CERTIFICATE_DIGEST,
	DIAGNOSE_CERTIFICATE_CHAIN,
	DIAGNOSE_CERTIFICATE_KEY,
	DIAGNOSE_CERTIFICATE_NAME,
	DIAGNOSE_CERTIFICATE_ADDRESS,
	DIAGNOSE_CERTIFICATE_REFUSED, /* and nobody knows why */
	DIAGNOSE_DEVICE_CLOCK,
	/* No common language. */
	DIAGNOSE_NO_CIPHER,
	DIAGNOSE_NO_CIPHER_EVER, /* RC4, 3DES and the like only */
	DIAGNOSE_VERSION_TOO_OLD,
	DIAGNOSE_VERSION_EVER, /* SSL 3.0 and older only */
	DIAGNOSE_VERSION_TOO_NEW,
	DIAGNOSE_NOT_TLS,
	DIAGNOSE_GARBLED,
	/* We do not take what the device shows. */
	DIAGNOSE_NO_CERTIFICATE,
	DIAGNOSE_GENERIC,
	DIAGNOSE_DEFECTIVE,
	DIAGNOSE_ANCHOR_MISSING,
	DIAGNOSE_ANCHOR_EXPIRED,
	DIAGNOSE_DEVICE_EXPIRED,
	DIAGNOSE_DEVICE_NOT_YET,
	DIAGNOSE_UNTRUSTED,
	DIAGNOSE_BAD_PROOF, /* it does not own the certificate's key */
	DIAGNOSE_CONTRADICTORY,
	/* Who it is and what it asks for. */
	DIAGNOSE_UNKNOWN_DEVICE,
	DIAGNOSE_RETIRED,
	DIAGNOSE_WRONG_SERIAL,
	DIAGNOSE_WRONG_PRODUCT,
	DIAGNOSE_OTHER_DEVICE,
	DIAGNOSE_OTHER_MODEL,
	DIAGNOSE_NO_SUCH_PATH,
	DIAGNOSE_METHOD,
	DIAGNOSE_BAD_REQUEST,
	DIAGNOSE_BAD_REPORT,
	/* Profiles that are encrypted: provision/keyring.h. */
	DIAGNOSE_KEY_MISSING, /* the request names none */
	DIAGNOSE_KEY_UNKNOWN,
	DIAGNOSE_KEY_RETIRED,
	DIAGNOSE_KEY_NOT_DELIVERED,
	DIAGNOSE_UNPROTECTED,
	DIAGNOSE_NEEDS_TLS,
	DIAGNOSE_EXCEPTION, /* one is for it, and does not let it in */
	/* Ours. */
	DIAGNOSE_RENDER,
	DIAGNOSE_OURS,
	/* Time. */
	DIAGNOSE_SILENT, /* connected, and said nothing */
	DIAGNOSE_SLOW,
	DIAGNOSE_LEFT, /* before the handshake was complete, or without TLS */
	DIAGNOSE_OVERLOAD,
	/* Seen over many events only: doctor.h. */
	DIAGNOSE_STORM,
	DIAGNOSE_CLONE,
	DIAGNOSE_UNEXPLAINED,
};
#define DIAGNOSE_CAUSES (DIAGNOSE_UNEXPLAINED + 1)
const char *diagnose_cause_name(enum diagnose_cause cause); /* "no-cipher" */

/* One of our listeners, as a device sees it. */
struct diagnose_listener {
	const char *name;	/* several have the same, where one listener has
			   * several certificates */
	const char *ca;		/* id of its certificate's; "" when not known */
	const char *address;	/* "192.0.2.10:443", the first one */
	bool legacy;		/* speaks TLS 1.0 */
	struct check_view view; /* its certificate; stack is set here */
};

/* What the inventory knows of a device. */
struct diagnose_device {
	char model[EVENT_NAME_MAX + 1];
	char firmware[EVENT_NAME_MAX + 1]; /* "": not known */
	char serial[EVENT_NAME_MAX + 1];   /* "": not known */
};
/* False: it is not there. */
typedef bool diagnose_find_device(void *arg, const struct mac *mac,
    struct diagnose_device *device);

struct diagnose_world {
	const struct diagnose_listener *listeners;
	size_t listener_count;
	const struct knowledge *knowledge;
	diagnose_find_device *find; /* NULL: no inventory */
	void *find_arg;
	time_t now;
};

/* What earlier events say about where this one came from. */
struct diagnose_hints {
	const struct event_source *sources; /* at its address, last first */
	size_t source_count;
	const struct event_class *classes; /* its class, most frequent first */
	size_t class_count;
};

/* Who it was, as far as that is known. */
struct diagnose_who {
	enum confidence confidence;
	bool has_mac;
	struct mac mac;
	const struct model *model; /* NULL: not known */
	bool in_inventory;
	char firmware[EVENT_NAME_MAX + 1]; /* "": not known */
	const char *why;		   /* "by its certificate" */
};

#define DIAGNOSE_TEXT_MAX 320
struct diagnosis {
	enum diagnose_cause cause;
	enum confidence confidence;
	struct diagnose_who who;
	char text[DIAGNOSE_TEXT_MAX]; /* the cause in a sentence, the same for
				       * all devices that it concerns alike */
	char evidence[DIAGNOSE_TEXT_MAX];
	char fix[DIAGNOSE_TEXT_MAX]; /* "" when there is nothing to do */
	const char *source;	     /* keys of docs/sources.md; may be "" */
};

void
diagnose_event(const struct event *event, const struct diagnose_world *world,
    const struct diagnose_hints *hints, struct diagnosis *diagnosis);

/* "RC4-SHA", or "0xc02f" where the name is not known. */
#define DIAGNOSE_CIPHER_BYTES 32
void diagnose_cipher(uint16_t cipher, char text[static DIAGNOSE_CIPHER_BYTES]);

#endif
