#include "provision/diagnose.h"
#include "provision/diagnose_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *
diagnose_cause_name(enum diagnose_cause cause)
{
	static const char *const names[DIAGNOSE_CAUSES] = {
		[DIAGNOSE_NONE] = "none",
		[DIAGNOSE_CA_NOT_TRUSTED] = "ca-not-trusted",
		[DIAGNOSE_CERTIFICATE_EXPIRED] = "certificate-expired",
		[DIAGNOSE_CERTIFICATE_DIGEST] = "certificate-digest",
		[DIAGNOSE_CERTIFICATE_CHAIN] = "certificate-chain",
		[DIAGNOSE_CERTIFICATE_KEY] = "certificate-key",
		[DIAGNOSE_CERTIFICATE_NAME] = "certificate-name",
		[DIAGNOSE_CERTIFICATE_ADDRESS] = "certificate-address",
		[DIAGNOSE_CERTIFICATE_REFUSED] = "certificate-refused",
		[DIAGNOSE_DEVICE_CLOCK] = "device-clock",
		[DIAGNOSE_NO_CIPHER] = "no-cipher",
		[DIAGNOSE_NO_CIPHER_EVER] = "no-cipher-ever",
		[DIAGNOSE_VERSION_TOO_OLD] = "version-too-old",
		[DIAGNOSE_VERSION_EVER] = "version-ever",
		[DIAGNOSE_VERSION_TOO_NEW] = "version-too-new",
		[DIAGNOSE_NOT_TLS] = "not-tls",
		[DIAGNOSE_GARBLED] = "garbled",
		[DIAGNOSE_NO_CERTIFICATE] = "no-certificate",
		[DIAGNOSE_GENERIC] = "generic-certificate",
		[DIAGNOSE_DEFECTIVE] = "defective-certificate",
		[DIAGNOSE_ANCHOR_MISSING] = "anchor-missing",
		[DIAGNOSE_ANCHOR_EXPIRED] = "anchor-expired",
		[DIAGNOSE_DEVICE_EXPIRED] = "device-expired",
		[DIAGNOSE_DEVICE_NOT_YET] = "device-not-yet-valid",
		[DIAGNOSE_UNTRUSTED] = "untrusted-certificate",
		[DIAGNOSE_BAD_PROOF] = "bad-proof",
		[DIAGNOSE_CONTRADICTORY] = "contradictory-identity",
		[DIAGNOSE_UNKNOWN_DEVICE] = "unknown-device",
		[DIAGNOSE_RETIRED] = "retired-device",
		[DIAGNOSE_WRONG_SERIAL] = "wrong-serial",
		[DIAGNOSE_WRONG_PRODUCT] = "wrong-product",
		[DIAGNOSE_OTHER_DEVICE] = "other-device",
		[DIAGNOSE_OTHER_MODEL] = "other-model",
		[DIAGNOSE_NO_SUCH_PATH] = "no-such-path",
		[DIAGNOSE_METHOD] = "method",
		[DIAGNOSE_BAD_REQUEST] = "bad-request",
		[DIAGNOSE_BAD_REPORT] = "bad-report",
		[DIAGNOSE_KEY_MISSING] = "key-missing",
		[DIAGNOSE_KEY_UNKNOWN] = "key-unknown",
		[DIAGNOSE_KEY_RETIRED] = "key-retired",
		[DIAGNOSE_KEY_NOT_DELIVERED] = "key-not-delivered",
		[DIAGNOSE_UNPROTECTED] = "unprotected",
		[DIAGNOSE_NEEDS_TLS] = "needs-tls",
		[DIAGNOSE_EXCEPTION] = "exception",
		[DIAGNOSE_RENDER] = "render-failed",
		[DIAGNOSE_OURS] = "server-error",
		[DIAGNOSE_SILENT] = "silent",
		[DIAGNOSE_SLOW] = "slow",
		[DIAGNOSE_LEFT] = "left",
		[DIAGNOSE_OVERLOAD] = "overload",
		[DIAGNOSE_STORM] = "storm",
		[DIAGNOSE_CLONE] = "clone",
		[DIAGNOSE_UNEXPLAINED] = "unexplained",
	};

	return names[cause];
}

void
diagnose_is(struct case_notes *notes, enum diagnose_cause cause,
    enum confidence confidence, const char *fmt, ...)
{
	va_list ap;

	notes->out->cause = cause;
	notes->out->confidence = confidence;
	va_start(ap, fmt);
	(void)vsnprintf(notes->out->text, DIAGNOSE_TEXT_MAX, fmt, ap);
	va_end(ap);
}

/* Evidence grows: what was seen, then what speaks for it, too. */
void
diagnose_evidence(struct case_notes *notes, const char *fmt, ...)
{
	char *text = notes->out->evidence;
	size_t len = strlen(text);
	va_list ap;

	if (len > 0 && len + 3 < DIAGNOSE_TEXT_MAX) {
		memcpy(text + len, "; ", 3);
		len += 2;
	}
	va_start(ap, fmt);
	(void)vsnprintf(text + len, DIAGNOSE_TEXT_MAX - len, fmt, ap);
	va_end(ap);
}

void
diagnose_fix(struct case_notes *notes, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(notes->out->fix, DIAGNOSE_TEXT_MAX, fmt, ap);
	va_end(ap);
}

const struct diagnose_listener *
diagnose_listener_of(const struct case_notes *notes)
{
	const struct diagnose_listener *found = NULL;

	for (size_t i = 0; i < notes->world->listener_count; i++) {
		const struct diagnose_listener *one =
		    &notes->world->listeners[i];

		if (strcmp(one->name, notes->event->listener) != 0)
			continue;
		/* The certificate that was shown, if it is still there. */
		if (strcmp(one->ca, notes->event->ca) == 0)
			return one;
		if (found == NULL)
			found = one;
	}
	return found;
}

static void
diagnose_invalid(struct case_notes *notes)
{
	const struct event *event = notes->event;

	if (event->status == 408) {
		diagnose_is(notes, DIAGNOSE_SLOW, CONFIDENCE_HIGH,
		    "the request did not arrive in time");
		diagnose_fix(notes,
		    "look at the network between; a device that loses many "
		    "packets needs a longer \"timeout request\"");
	} else {
		diagnose_is(notes, DIAGNOSE_BAD_REQUEST, CONFIDENCE_HIGH,
		    "the request is none that a device sends");
		diagnose_fix(notes,
		    "see who is at that address; a proxy in between may have "
		    "written it");
	}
	diagnose_evidence(notes, "%d: %s", event->status, event->reason);
}

void
diagnose_event(const struct event *event, const struct diagnose_world *world,
    const struct diagnose_hints *hints, struct diagnosis *diagnosis)
{
	struct case_notes notes = { event, world, hints, diagnosis };

	*diagnosis = (struct diagnosis) { .source = "" };
	diagnose_who(&notes);
	switch (event->kind) {
	case EVENT_SERVED:
		diagnose_is(&notes, DIAGNOSE_NONE, CONFIDENCE_HIGH,
		    "it was served");
		break;
	case EVENT_REFUSED:
		diagnose_refusal(&notes);
		break;
	case EVENT_INVALID:
		diagnose_invalid(&notes);
		break;
	case EVENT_NO_REQUEST:
		diagnose_no_request(&notes);
		break;
	case EVENT_HANDSHAKE:
		diagnose_handshake(&notes);
		break;
	}
}
