/*
 * Handshakes that failed: by the alert, by our own error, by what was offered.
 */
#include "provision/diagnose_parts.h"

#include <stdio.h>
#include <string.h>

/* RFC 8446 6, RFC 5246 7.2. */
enum alert {
	ALERT_HANDSHAKE_FAILURE = 40,
	ALERT_BAD_CERTIFICATE = 42,
	ALERT_UNSUPPORTED_CERTIFICATE = 43,
	ALERT_CERTIFICATE_REVOKED = 44,
	ALERT_CERTIFICATE_EXPIRED = 45,
	ALERT_CERTIFICATE_UNKNOWN = 46,
	ALERT_UNKNOWN_CA = 48,
	ALERT_DECRYPT_ERROR = 51,
	ALERT_PROTOCOL_VERSION = 70,
};

#define TLS_1_0 0x0301
#define TLS_1_2 0x0303

/* Suites that devices are known to offer, and that OpenSSL of our time lacks
 * or hides: [LINKSYS-PROV] p. 24, [FW-7.5.2B]. */
static const struct {
	uint16_t number;
	bool lost; /* no server built on a current library has it */
	const char *name;
} suites[] = {
	{ 0x0003, true, "EXP-RC4-MD5" },
	{ 0x0004, true, "RC4-MD5" },
	{ 0x0005, true, "RC4-SHA" },
	{ 0x0006, true, "EXP-RC2-CBC-MD5" },
	{ 0x0008, true, "EXP-DES-CBC-SHA" },
	{ 0x0009, true, "DES-CBC-SHA" },
	{ 0x000a, true, "DES-CBC3-SHA" },
	{ 0x0012, true, "DHE-DSS-DES-CBC-SHA" },
	{ 0x0013, true, "DHE-DSS-DES-CBC3-SHA" },
	{ 0x0014, true, "EXP-DHE-RSA-DES-CBC-SHA" },
	{ 0x0015, true, "DHE-RSA-DES-CBC-SHA" },
	{ 0x0016, true, "DHE-RSA-DES-CBC3-SHA" },
	{ 0x002f, false, "AES128-SHA" },
	{ 0x0032, true, "DHE-DSS-AES128-SHA" },
	{ 0x0033, false, "DHE-RSA-AES128-SHA" },
	{ 0x0035, false, "AES256-SHA" },
	{ 0x0038, true, "DHE-DSS-AES256-SHA" },
	{ 0x0039, false, "DHE-RSA-AES256-SHA" },
	{ 0x003c, false, "AES128-SHA256" },
	{ 0x003d, false, "AES256-SHA256" },
	{ 0x0060, true, "EXP1024-RC4-MD5" },
	{ 0x0062, true, "EXP1024-DES-CBC-SHA" },
	{ 0x0064, true, "EXP1024-RC4-SHA" },
	{ 0x009c, false, "AES128-GCM-SHA256" },
	{ 0x009d, false, "AES256-GCM-SHA384" },
	{ 0x00ff, true, "no renegotiation yet" }, /* RFC 5746: no suite */
	{ 0x1301, false, "TLS_AES_128_GCM_SHA256" },
	{ 0x1302, false, "TLS_AES_256_GCM_SHA384" },
	{ 0x1303, false, "TLS_CHACHA20_POLY1305_SHA256" },
	{ 0xc011, true, "ECDHE-RSA-RC4-SHA" },
	{ 0xc012, true, "ECDHE-RSA-DES-CBC3-SHA" },
	{ 0xc013, false, "ECDHE-RSA-AES128-SHA" },
	{ 0xc014, false, "ECDHE-RSA-AES256-SHA" },
	{ 0xc02f, false, "ECDHE-RSA-AES128-GCM-SHA256" },
	{ 0xc030, false, "ECDHE-RSA-AES256-GCM-SHA384" },
};
#define SUITES (sizeof(suites) / sizeof(*suites))

void
diagnose_cipher(uint16_t cipher, char text[static DIAGNOSE_CIPHER_BYTES])
{
	for (size_t i = 0; i < SUITES; i++)
		if (suites[i].number == cipher) {
			(void)snprintf(text, DIAGNOSE_CIPHER_BYTES, "%s",
			    suites[i].name);
			return;
		}
	(void)snprintf(text, DIAGNOSE_CIPHER_BYTES, "0x%04x", cipher);
}

static bool
is_lost(uint16_t cipher)
{
	for (size_t i = 0; i < SUITES; i++)
		if (suites[i].number == cipher)
			return suites[i].lost;
	return false;
}

static size_t
kept_ciphers(const struct event *event)
{
	return event->cipher_count < EVENT_CIPHERS_MAX ? event->cipher_count :
							 EVENT_CIPHERS_MAX;
}

static void
tell_offer(struct case_notes *notes)
{
	const struct event *event = notes->event;
	char list[DIAGNOSE_TEXT_MAX] = "";
	size_t len = 0;

	for (size_t i = 0; i < kept_ciphers(event) && len < sizeof(list); i++) {
		char name[DIAGNOSE_CIPHER_BYTES];

		diagnose_cipher(event->cipher[i], name);
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
		    i > 0 ? " " : "", name);
	}
	diagnose_evidence(notes, "it offered %s%s", list,
	    event->cipher_count > EVENT_CIPHERS_MAX ? " and more" : "");
}

static void
diagnose_cipher_suites(struct case_notes *notes)
{
	const struct event *event = notes->event;
	bool all_lost = event->cipher_count > 0 &&
	    event->cipher_count <= EVENT_CIPHERS_MAX;

	for (size_t i = 0; i < kept_ciphers(event); i++)
		all_lost &= is_lost(event->cipher[i]);
	if (all_lost) {
		diagnose_is(notes, DIAGNOSE_NO_CIPHER_EVER, CONFIDENCE_HIGH,
		    "it speaks only cipher suites that no current TLS library "
		    "has (RC4, DES, 3DES, export)");
		diagnose_fix(notes,
		    "upgrade its firmware by TFTP or HTTP, or give it an "
		    "encrypted profile over plain HTTP");
	} else {
		diagnose_is(notes, DIAGNOSE_NO_CIPHER, CONFIDENCE_HIGH,
		    "it shares no cipher suite with listener %s",
		    event->listener);
		diagnose_fix(notes,
		    "lead it to a listener with \"tls legacy\" and an RSA "
		    "certificate");
	}
	notes->out->source = "LINKSYS-PROV";
	tell_offer(notes);
}

static const char *
version_name(unsigned version)
{
	switch (version) {
	case 0x0002:
		return "SSL 2.0";
	case 0x0300:
		return "SSL 3.0";
	case 0x0301:
		return "TLS 1.0";
	case 0x0302:
		return "TLS 1.1";
	case 0x0303:
		return "TLS 1.2";
	case 0x0304:
		return "TLS 1.3";
	default:
		return "an unknown version";
	}
}

static void
diagnose_old_version(struct case_notes *notes)
{
	const struct event *event = notes->event;

	if (event->offered_max != 0 && event->offered_max < TLS_1_0) {
		diagnose_is(notes, DIAGNOSE_VERSION_EVER, CONFIDENCE_HIGH,
		    "it speaks SSL 3.0 or older only, which no current TLS "
		    "library has");
		diagnose_fix(notes,
		    "upgrade its firmware by TFTP or HTTP, or give it an "
		    "encrypted profile over plain HTTP");
	} else {
		diagnose_is(notes, DIAGNOSE_VERSION_TOO_OLD, CONFIDENCE_HIGH,
		    "it speaks %s at most, and listener %s begins with TLS "
		    "1.2",
		    version_name(event->offered_max), event->listener);
		diagnose_fix(notes,
		    "write \"tls legacy\" into listener %s, or lead it to a "
		    "listener that has it",
		    event->listener);
	}
	diagnose_evidence(notes, "it offered %s",
	    version_name(event->offered_max));
}

/* The device ended it because of what it was shown. */
static void
diagnose_refused_certificate(struct case_notes *notes, const char *how)
{
	diagnose_evidence(notes, "%s", how);
	if (diagnose_certificate(notes))
		return;
	if (notes->event->alert_received == ALERT_UNKNOWN_CA)
		diagnose_is(notes, DIAGNOSE_CA_NOT_TRUSTED, CONFIDENCE_MEDIUM,
		    "it does not know the CA of listener %s (%s)",
		    notes->event->listener,
		    *notes->event->ca != '\0' ? notes->event->ca :
						"a CA that is not known");
	else
		diagnose_is(notes, DIAGNOSE_CERTIFICATE_REFUSED,
		    CONFIDENCE_MEDIUM,
		    "it refuses the certificate of listener %s (%s)",
		    notes->event->listener,
		    *notes->event->ca != '\0' ? notes->event->ca :
						"a CA that is not known");
	if (notes->out->who.model != NULL)
		diagnose_evidence(notes,
		    "though by what is known a %s takes it: keep that with "
		    "\"sprov ca claim add\"",
		    notes->out->who.model->name);
	diagnose_fix(notes,
	    "find out which device it is; \"sprov ca which\" then tells the CA "
	    "that it trusts");
}

/* It finds that the certificate is over: it is, or its clock is wrong. */
static void
diagnose_dates(struct case_notes *notes)
{
	const struct diagnose_listener *listener = diagnose_listener_of(notes);

	diagnose_evidence(notes, "alert certificate_expired");
	if (diagnose_certificate(notes) &&
	    notes->out->cause == DIAGNOSE_CERTIFICATE_EXPIRED) {
		notes->out->confidence = CONFIDENCE_HIGH;
		return;
	}
	*notes->out->fix = '\0';
	diagnose_is(notes, DIAGNOSE_DEVICE_CLOCK,
	    listener != NULL ? CONFIDENCE_MEDIUM : CONFIDENCE_LOW,
	    "it takes the certificate of listener %s for expired, which is "
	    "within its dates: the device's clock is wrong, or its copy of the "
	    "CA is over",
	    notes->event->listener);
	diagnose_fix(notes,
	    "give it a time server (NTP) by DHCP, before it asks for its "
	    "profile");
}

static bool
says(const struct event *event, const char *words)
{
	return strstr(event->reason, words) != NULL;
}

/* True: the alert said it. */
static bool
diagnose_alert(struct case_notes *notes)
{
	switch (notes->event->alert_received) {
	case ALERT_UNKNOWN_CA:
		diagnose_refused_certificate(notes, "alert unknown_ca");
		return true;
	case ALERT_BAD_CERTIFICATE:
		diagnose_refused_certificate(notes, "alert bad_certificate");
		return true;
	case ALERT_CERTIFICATE_UNKNOWN:
		diagnose_refused_certificate(notes,
		    "alert certificate_unknown");
		return true;
	case ALERT_UNSUPPORTED_CERTIFICATE:
	case ALERT_CERTIFICATE_REVOKED:
	case ALERT_DECRYPT_ERROR:
		diagnose_refused_certificate(notes,
		    "an alert about the certificate");
		return true;
	case ALERT_CERTIFICATE_EXPIRED:
		diagnose_dates(notes);
		return true;
	case ALERT_PROTOCOL_VERSION:
		diagnose_is(notes, DIAGNOSE_VERSION_TOO_NEW, CONFIDENCE_HIGH,
		    "it wants a newer TLS version than listener %s speaks",
		    notes->event->listener);
		diagnose_evidence(notes,
		    "alert protocol_version by the "
		    "device");
		diagnose_fix(notes,
		    "lower TLS_Min_Version (TLS_Client_Min_Version) of the "
		    "device, or lead it to a listener with TLS 1.2");
		notes->out->source = "MPP-RN";
		return true;
	case ALERT_HANDSHAKE_FAILURE:
		diagnose_is(notes, DIAGNOSE_NO_CIPHER, CONFIDENCE_LOW,
		    "it did not like what was agreed on");
		diagnose_evidence(notes, "alert handshake_failure");
		tell_offer(notes);
		return true;
	default:
		return false;
	}
}

/* Our own error said it. */
static bool
diagnose_error(struct case_notes *notes)
{
	const struct event *event = notes->event;

	if (says(event, "no shared cipher")) {
		diagnose_cipher_suites(notes);
	} else if (says(event, "unsupported protocol") ||
	    says(event, "version too low") ||
	    event->alert_sent == ALERT_PROTOCOL_VERSION) {
		diagnose_old_version(notes);
	} else if (says(event, "http request") ||
	    says(event, "wrong version number") ||
	    says(event, "packet length too long") ||
	    says(event, "unknown protocol")) {
		diagnose_is(notes, DIAGNOSE_NOT_TLS, CONFIDENCE_HIGH,
		    "it speaks no TLS to listener %s", event->listener);
		diagnose_evidence(notes, "%s", event->reason);
		diagnose_fix(notes,
		    "its profile rule says http:// and has to say https://");
	} else if (says(event, "bad signature") || says(event, "signature") ||
	    says(event, "digest check failed")) {
		diagnose_is(notes, DIAGNOSE_BAD_PROOF, CONFIDENCE_HIGH,
		    "it showed a certificate whose key it does not have");
		diagnose_evidence(notes, "%s", event->reason);
		diagnose_fix(notes,
		    "find out who it is: a copied certificate, or a unit with "
		    "a defective one [108605]");
	} else {
		return false;
	}
	return true;
}

void
diagnose_handshake(struct case_notes *notes)
{
	const struct event *event = notes->event;

	if (diagnose_alert(notes) || diagnose_error(notes))
		return;
	if (says(event, "timed out")) {
		diagnose_is(notes,
		    event->class == 0 ? DIAGNOSE_SILENT : DIAGNOSE_SLOW,
		    CONFIDENCE_HIGH, "it did not finish its handshake in time");
		diagnose_evidence(notes,
		    event->class == 0 ? "no ClientHello came" :
					"a ClientHello came, and no more");
		diagnose_fix(notes,
		    "look at the network between: large packets that are "
		    "lost (MTU), or a device that hangs");
	} else if (event->class != 0 && event->cipher_count > 0) {
		diagnose_refused_certificate(notes,
		    "the connection was ended right after our certificate, "
		    "without an alert");
		if (notes->out->cause == DIAGNOSE_CERTIFICATE_REFUSED)
			notes->out->confidence = CONFIDENCE_LOW;
	} else {
		diagnose_is(notes, DIAGNOSE_GARBLED, CONFIDENCE_MEDIUM,
		    "what it sent is no TLS that can be read");
		diagnose_evidence(notes, "%s", event->reason);
		diagnose_fix(notes, "see who is at %s", event->source);
	}
}
