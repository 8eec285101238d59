/*
 * Requests that we refused: the reason is known, what is behind it is not.
 */
#include "provision/diagnose_parts.h"
#include "spa/defective.h"
#include "spa/registry.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static const struct ca *
find_client_ca(const char *common_name)
{
	if (strncmp(common_name, IDENTIFY_LAB_PREFIX,
		strlen(IDENTIFY_LAB_PREFIX)) == 0)
		common_name += strlen(IDENTIFY_LAB_PREFIX);
	for (size_t i = 0; i < registry_ca_count; i++)
		if (*registry_cas[i].common_name != '\0' &&
		    strcmp(registry_cas[i].common_name, common_name) == 0)
			return &registry_cas[i];
	return NULL;
}

/* ---------------------------------------------------- the certificate */

static void
no_certificate(struct case_notes *notes)
{
	diagnose_is(notes, DIAGNOSE_NO_CERTIFICATE, CONFIDENCE_HIGH,
	    "it showed no certificate");
	diagnose_evidence(notes,
	    "the server asked, naming its client anchors, and got none");
	if (notes->out->who.model != NULL)
		diagnose_fix(notes,
		    "see $CCERT on the %s: \"Not Installed\" is a unit "
		    "without one; else its CA may be missing in "
		    "\"client-anchors\" of listener %s",
		    notes->out->who.model->name, notes->event->listener);
	else
		diagnose_fix(notes,
		    "see who it is: a browser or a test has none; of a device "
		    "see $CCERT");
	notes->out->source = "LINKSYS-PROV";
}

static void
untrusted(struct case_notes *notes)
{
	const struct event *event = notes->event;
	const struct ca *ca = find_client_ca(event->issuer);
	bool no_issuer = strstr(event->verify, "issuer") != NULL ||
	    strstr(event->verify, "self-signed") != NULL ||
	    strstr(event->verify, "self signed") != NULL;

	diagnose_evidence(notes, "issued by \"%.80s\": %s", event->issuer,
	    event->verify);
	if (defective_serial(event->serial)) {
		diagnose_is(notes, DIAGNOSE_DEFECTIVE, CONFIDENCE_HIGH,
		    "it is of a series with defective certificates");
		diagnose_fix(notes,
		    "give it an encrypted profile over plain HTTP, or make a "
		    "named exception");
		notes->out->source = "108605";
	} else if (no_issuer && ca != NULL) {
		diagnose_is(notes, DIAGNOSE_ANCHOR_MISSING, CONFIDENCE_HIGH,
		    "listener %s does not hold the CA %s (%s) above its "
		    "certificate",
		    event->listener, ca->id, ca->name);
		diagnose_fix(notes,
		    "add %s to \"client-anchors\" of listener %s; \"sprov ca "
		    "bundle\" tells what else is missing",
		    ca->name, event->listener);
		notes->out->source = ca->source;
	} else if (no_issuer) {
		diagnose_is(notes, DIAGNOSE_UNTRUSTED, CONFIDENCE_HIGH,
		    "its certificate is signed by nobody that makes such "
		    "devices");
		diagnose_fix(notes,
		    "see who it is; a certificate of one's own is no device's");
	} else {
		diagnose_is(notes, DIAGNOSE_UNTRUSTED, CONFIDENCE_MEDIUM,
		    "its certificate cannot be verified");
	}
}

static void
expired(struct case_notes *notes)
{
	const struct event *event = notes->event;
	char date[CLOCK_TEXT_BYTES];

	if (event->not_after != 0 && event->not_after < event->at) {
		clock_format(event->not_after, date);
		diagnose_is(notes, DIAGNOSE_DEVICE_EXPIRED, CONFIDENCE_HIGH,
		    "the device's own certificate is past its date");
		diagnose_evidence(notes, "it ended on %.10s", date);
		diagnose_fix(notes,
		    "let it renew its certificate (MIC_Cert_Refresh_Enable, "
		    "multiplatform phones), or make a named exception");
		notes->out->source = "FN72593";
	} else if (event->not_before > event->at) {
		clock_format(event->not_before, date);
		diagnose_is(notes, DIAGNOSE_DEVICE_NOT_YET, CONFIDENCE_HIGH,
		    "the device's certificate is not valid yet");
		diagnose_evidence(notes, "it begins on %.10s", date);
		diagnose_fix(notes, "see whether this server's clock is right");
	} else {
		diagnose_is(notes, DIAGNOSE_ANCHOR_EXPIRED, CONFIDENCE_HIGH,
		    "the CA above its certificate, \"%.100s\", is past its "
		    "date",
		    *event->anchor != '\0' ? event->anchor : event->issuer);
		diagnose_evidence(notes, "%s", event->verify);
		diagnose_fix(notes,
		    "write allow-expired-anchor \"%.100s\" into listener %s, "
		    "if you go on trusting it",
		    *event->anchor != '\0' ? event->anchor : event->issuer,
		    event->listener);
	}
}

static void
generic(struct case_notes *notes)
{
	diagnose_is(notes, DIAGNOSE_GENERIC, CONFIDENCE_HIGH,
	    "it shows the generic certificate, which many units share");
	diagnose_evidence(notes, "issued by \"%.100s\"", notes->event->issuer);
	diagnose_fix(notes,
	    "give it an encrypted profile over plain HTTP, make a named "
	    "exception, or replace it");
	notes->out->source = "ATA-PROV";
}

static void
contradictory(struct case_notes *notes)
{
	diagnose_is(notes, DIAGNOSE_CONTRADICTORY, CONFIDENCE_HIGH,
	    "the parts of its certificate's subject do not agree on who it "
	    "is");
	diagnose_evidence(notes, "form %s, issued by \"%.100s\"",
	    notes->event->form, notes->event->issuer);
	diagnose_fix(notes,
	    "look at the certificate's subject in the server's log");
}

/* -------------------------------------------------- device and path */

static void
unknown_device(struct case_notes *notes)
{
	char mac[MAC_TEXT_BYTES] = "it";

	if (notes->event->has_mac)
		mac_format(&notes->event->mac, mac);
	diagnose_is(notes, DIAGNOSE_UNKNOWN_DEVICE, CONFIDENCE_HIGH,
	    "a genuine device that is not in the inventory");
	diagnose_evidence(notes, "%s %s with a certificate of \"%.80s\"",
	    notes->event->product, mac, notes->event->issuer);
	if (notes->event->has_mac && notes->out->who.model != NULL)
		diagnose_fix(notes, "sprov device add %s %s", mac,
		    notes->out->who.model->name);
	else
		diagnose_fix(notes, "add it with \"sprov device add\"");
}

static void
retired(struct case_notes *notes)
{
	diagnose_is(notes, DIAGNOSE_RETIRED, CONFIDENCE_HIGH,
	    "it is retired and still asks");
	diagnose_evidence(notes, "its state in the inventory");
	diagnose_fix(notes,
	    "reset it to factory settings, or set its state to active");
}

static void
wrong_serial(struct case_notes *notes)
{
	diagnose_is(notes, DIAGNOSE_WRONG_SERIAL, CONFIDENCE_HIGH,
	    "its serial number is another one than the inventory's");
	diagnose_evidence(notes, "its certificate says %s",
	    notes->event->serial);
	diagnose_fix(notes,
	    "correct the serial number in the inventory, if it was a mistake "
	    "there");
}

static void
wrong_product(struct case_notes *notes)
{
	diagnose_is(notes, DIAGNOSE_WRONG_PRODUCT, CONFIDENCE_HIGH,
	    "it is another model than the inventory says");
	diagnose_evidence(notes, "its certificate says %s",
	    notes->event->product);
	diagnose_fix(notes, "correct the model in the inventory");
}

static void
other_device(struct case_notes *notes)
{
	diagnose_is(notes, DIAGNOSE_OTHER_DEVICE, CONFIDENCE_HIGH,
	    "it asks for another device's profile");
	diagnose_evidence(notes, "it asked for %s", notes->event->path);
	diagnose_fix(notes,
	    "write $MA into its profile rule instead of a MAC address; if "
	    "nobody did that, find out who has it");
}

static void
other_model(struct case_notes *notes)
{
	diagnose_is(notes, DIAGNOSE_OTHER_MODEL, CONFIDENCE_HIGH,
	    "it asks for a file of another model");
	diagnose_evidence(notes, "it asked for %s", notes->event->path);
	diagnose_fix(notes,
	    "write $PSN or $PN into its profile rule, or correct the model in "
	    "the inventory");
}

static void
no_such_path(struct case_notes *notes)
{
	diagnose_is(notes, DIAGNOSE_NO_SUCH_PATH, CONFIDENCE_HIGH,
	    "it asks for a path that is not served");
	diagnose_evidence(notes, "it asked for %s", notes->event->path);
	diagnose_fix(notes,
	    "correct its profile rule, serve the path (\"profile\", "
	    "\"common\"), or set missing-files to stub so that it does not "
	    "ask each hour");
	notes->out->source = "SPA-PROV";
}

static void
method(struct case_notes *notes)
{
	diagnose_is(notes, DIAGNOSE_METHOD, CONFIDENCE_HIGH,
	    "it uses a method that is not taken at this path");
	diagnose_evidence(notes, "%s %s", notes->event->method,
	    notes->event->path);
	diagnose_fix(notes,
	    "for reports configure \"report\" with that path; --post in a "
	    "profile rule is not served");
}

static void
render_failed(struct case_notes *notes)
{
	diagnose_is(notes, DIAGNOSE_RENDER, CONFIDENCE_HIGH,
	    "its profile could not be made");
	diagnose_evidence(notes, "status 500: %s", notes->event->reason);
	diagnose_fix(notes,
	    "\"sprov profile render\" for this device names template and "
	    "place");
}

/* Reasons that need no more than their words. */
static const struct {
	const char *reason;
	enum diagnose_cause cause;
	const char *text, *fix;
} plain_words[] = {
	{ "no-key", DIAGNOSE_KEY_MISSING,
	    "it asks over plain HTTP without naming a key",
	    "the profile rule that it got over mutual TLS has the key and its "
	    "id; let it fetch that first" },
	{ "bad-key", DIAGNOSE_KEY_UNKNOWN, "the id of its key is none",
	    "correct the query of its profile rule: {{key_query}} in the "
	    "template writes it" },
	{ "unknown-key", DIAGNOSE_KEY_UNKNOWN,
	    "it names a key that is not the device's",
	    "let it fetch its profile over mutual TLS once; if nobody changed "
	    "its keys, find out who asks" },
	{ "retired-key", DIAGNOSE_KEY_RETIRED,
	    "it names a key that was retired when a newer one came into use",
	    "let it fetch its profile over mutual TLS; a device that was set "
	    "back to an old configuration does this" },
	{ "key-not-delivered", DIAGNOSE_KEY_NOT_DELIVERED,
	    "it names a key that was never delivered over mutual TLS",
	    "let it fetch its profile over mutual TLS first" },
	{ "unprotected", DIAGNOSE_UNPROTECTED,
	    "it asks over plain HTTP, and its profile is not encrypted",
	    "set the variable protection to aes for it, or lead it to a "
	    "listener with TLS" },
	{ "needs-tls", DIAGNOSE_NEEDS_TLS,
	    "it asks over plain HTTP for what is sent over TLS only",
	    "lead it to a listener with TLS" },
	{ "exception-lapsed", DIAGNOSE_EXCEPTION,
	    "the exception that let it in has lapsed",
	    "replace the device or its certificate; \"sprov doctor "
	    "--exceptions\" tells who made it, and why" },
	{ "exception-source", DIAGNOSE_EXCEPTION,
	    "an exception is for it, but not at that address",
	    "correct \"require source\" of the exception; if the device is "
	    "where it was, find out who asks" },
	{ "exception-unencrypted", DIAGNOSE_EXCEPTION,
	    "an exception is for it, but its request names no key",
	    "write {{key_query}} into its profile rule and set its variable "
	    "protection" },
	{ "exception-used-up", DIAGNOSE_EXCEPTION,
	    "an exception let it in once, and it comes again",
	    "if it is the device, make an exception with another name; else "
	    "find out who asks" },
	{ "content-coding", DIAGNOSE_BAD_REPORT,
	    "its report is packed in a way that is not taken", "" },
	{ "no-length", DIAGNOSE_BAD_REPORT,
	    "its report has neither length nor chunks", "" },
	{ "too-large", DIAGNOSE_BAD_REPORT, "its report is too large", "" },
	{ "expectation", DIAGNOSE_BAD_REPORT,
	    "its report comes with an Expect field that is not known", "" },
	{ "report-refused", DIAGNOSE_BAD_REPORT, "its report could not be read",
	    "see \"report-refused\" in the server's log: mostly the key of its "
	    "Report_Rule is another one than ours" },
};

static bool
tell_plainly(struct case_notes *notes)
{
	for (size_t i = 0; i < sizeof(plain_words) / sizeof(*plain_words);
	     i++) {
		if (strcmp(notes->event->reason, plain_words[i].reason) != 0)
			continue;
		diagnose_is(notes, plain_words[i].cause, CONFIDENCE_HIGH, "%s",
		    plain_words[i].text);
		diagnose_evidence(notes, "status %d for %s",
		    notes->event->status, notes->event->path);
		diagnose_fix(notes, "%s", plain_words[i].fix);
		return true;
	}
	return false;
}

static const struct {
	const char *reason; /* decision_reason_name(), and answer.c's own */
	void (*tell)(struct case_notes *notes);
} refusals[] = {
	{ "no-certificate", no_certificate },
	{ "untrusted-certificate", untrusted },
	{ "expired-certificate", expired },
	{ "generic-certificate", generic },
	{ "contradictory-certificate", contradictory },
	{ "unknown-device", unknown_device },
	{ "retired-device", retired },
	{ "wrong-serial", wrong_serial },
	{ "wrong-product", wrong_product },
	{ "other-device", other_device },
	{ "other-model", other_model },
	{ "no-such-path", no_such_path },
	{ "method", method },
	{ "render-failed", render_failed },
};

void
diagnose_refusal(struct case_notes *notes)
{
	const struct event *event = notes->event;

	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
		if (strcmp(event->reason, refusals[i].reason) == 0) {
			refusals[i].tell(notes);
			return;
		}
	if (tell_plainly(notes))
		return;
	if (event->status == 503)
		diagnose_is(notes, DIAGNOSE_OVERLOAD, CONFIDENCE_HIGH,
		    "the server had too much to do");
	else if (event->status >= 500)
		diagnose_is(notes, DIAGNOSE_OURS, CONFIDENCE_HIGH,
		    "the server could not answer: %s", event->reason);
	else
		diagnose_is(notes, DIAGNOSE_UNEXPLAINED, CONFIDENCE_LOW,
		    "refused: %s", event->reason);
	diagnose_evidence(notes, "status %d", event->status);
}
