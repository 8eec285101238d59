/*
 * What a device does not like about the certificate that we show: check.h
 * knows, as it knows of foreign servers.
 */
#include "pki/cert.h"
#include "provision/diagnose_parts.h"
#include "spa/firmware.h"
#include "spa/registry.h"

#include <stdio.h>
#include <string.h>

/* What a finding about a certificate is called here. */
static enum diagnose_cause
cause_of(enum check_cause cause)
{
	switch (cause) {
	case CHECK_CA:
	case CHECK_CA_UNKNOWN:
		return DIAGNOSE_CA_NOT_TRUSTED;
	case CHECK_CA_EXPIRED:
	case CHECK_DATES:
		return DIAGNOSE_CERTIFICATE_EXPIRED;
	case CHECK_CHAIN_ORDER:
	case CHECK_CHAIN_BROKEN:
		return DIAGNOSE_CERTIFICATE_CHAIN;
	case CHECK_NAME:
		return DIAGNOSE_CERTIFICATE_NAME;
	case CHECK_ADDRESS:
		return DIAGNOSE_CERTIFICATE_ADDRESS;
	case CHECK_DIGEST:
		return DIAGNOSE_CERTIFICATE_DIGEST;
	case CHECK_KEY:
		return DIAGNOSE_CERTIFICATE_KEY;
	case CHECK_CONNECTION:
	case CHECK_TLS_VERSION:
	case CHECK_TLS_CIPHER:
	case CHECK_TLS_OTHER:
	case CHECK_WANTS_CERTIFICATE:
	case CHECK_NO_CERTIFICATE_SHOWN:
	case CHECK_NOT_ASKED:
	case CHECK_CA_NAMES:
	case CHECK_STATUS:
	case CHECK_REDIRECT:
	case CHECK_LENGTH:
	case CHECK_NO_PROFILE:
	case CHECK_UNSEEN:
	case CHECK_DISAGREE:
		break;
	}
	return DIAGNOSE_NONE;
}

/* The firmware as far as it is known; NULL: not. */
static const struct firmware *
firmware_of(const struct case_notes *notes, struct firmware *firmware)
{
	struct error ignored;

	return *notes->out->who.firmware != '\0' &&
		firmware_parse(firmware, notes->out->who.firmware, &ignored) ==
		    0 ?
	    firmware :
	    NULL;
}

/* What the device would make of a listener. */
static struct check_verdict
judge(const struct case_notes *notes, const struct diagnose_listener *listener)
{
	const struct model *model = notes->out->who.model;
	struct check_view view = listener->view;
	struct check_verdict verdict;
	struct firmware firmware;
	const struct firmware *known = firmware_of(notes, &firmware);
	char host[CERT_VALUE_MAX + 1] = "";

	/* The name in its URL is known only where it sent it; otherwise it has
	 * the benefit of the doubt. */
	view.host = notes->event->sni;
	if (*view.host == '\0' && view.count > 0 &&
	    cert_common_host(view.certs[0], host))
		view.host = host;
	view.stack = registry_find_stack(model, known);
	check_judge(&view, model, known, notes->world->knowledge,
	    notes->world->now, &verdict);
	return verdict;
}

/* Names and addresses are looked at when the handshake is done. */
static bool
is_about_name(enum check_cause cause)
{
	return cause == CHECK_NAME || cause == CHECK_ADDRESS;
}

static const struct check_finding *
worst_finding(const struct check_verdict *verdict, bool about_name)
{
	const struct check_finding *worst = NULL;

	for (size_t i = 0; i < verdict->count; i++) {
		const struct check_finding *one = &verdict->finding[i];

		if (one->weight != CHECK_WORTH_KNOWING &&
		    cause_of(one->cause) != DIAGNOSE_NONE &&
		    is_about_name(one->cause) == about_name &&
		    (worst == NULL || one->weight > worst->weight))
			worst = one;
	}
	return worst;
}

/* The listeners that it would take: "to listener csb1 (192.0.2.1:3443)". */
static void
suggest_listener(struct case_notes *notes)
{
	const struct diagnose_world *world = notes->world;

	for (size_t i = 0; i < world->listener_count; i++) {
		const struct diagnose_listener *one = &world->listeners[i];

		if (strcmp(one->name, notes->event->listener) == 0 ||
		    one->view.count == 0 ||
		    judge(notes, one).answer != CHECK_WILL)
			continue;
		diagnose_fix(notes,
		    "lead it to listener %s (%s), whose certificate it takes",
		    one->name, one->address);
		return;
	}
}

static void
take_finding(struct case_notes *notes, const struct check_finding *finding)
{
	enum diagnose_cause cause = cause_of(finding->cause);
	const struct model *model = notes->out->who.model;

	diagnose_is(notes, cause,
	    finding->weight == CHECK_DOUBT ||
		    notes->out->who.confidence == CONFIDENCE_LOW ?
		CONFIDENCE_LOW :
		CONFIDENCE_MEDIUM,
	    "%s", finding->text);
	diagnose_evidence(notes, "by what is known of a %s%s%s", model->name,
	    *notes->out->who.firmware != '\0' ? " with " : "",
	    notes->out->who.firmware);
	diagnose_fix(notes, "%s", finding->fix);
	notes->out->source = finding->source;
	if (cause == DIAGNOSE_CA_NOT_TRUSTED ||
	    cause == DIAGNOSE_CERTIFICATE_DIGEST ||
	    cause == DIAGNOSE_CERTIFICATE_KEY)
		suggest_listener(notes);
}

static bool
diagnose_by(struct case_notes *notes, bool about_name)
{
	const struct diagnose_listener *listener = diagnose_listener_of(notes);
	const struct check_finding *finding;
	struct check_verdict verdict;

	if (listener == NULL || listener->view.count == 0 ||
	    notes->out->who.model == NULL)
		return false;
	verdict = judge(notes, listener);
	finding = worst_finding(&verdict, about_name);
	if (finding != NULL)
		take_finding(notes, finding);
	return finding != NULL;
}

bool
diagnose_certificate(struct case_notes *notes)
{
	return diagnose_by(notes, false);
}

/*
 * A device to which the name or the address is wrong ends the connection when
 * the handshake is complete, without an alert (ASSUMED: no trace of one is
 * published).
 */
void
diagnose_no_request(struct case_notes *notes)
{
	const struct event *event = notes->event;

	if (event->alert_received >= 0) {
		diagnose_handshake(notes);
		return;
	}
	if (event->tls_version == 0) {
		diagnose_is(notes, DIAGNOSE_LEFT, CONFIDENCE_LOW,
		    "it connected without TLS, and asked for nothing");
		diagnose_fix(notes,
		    "see who is at that address: who looks whether a port is "
		    "open, as load balancers do, leaves the same trace");
		diagnose_evidence(notes, "%s", event->reason);
		return;
	}
	if (strstr(event->reason, "timed out") != NULL) {
		diagnose_is(notes, DIAGNOSE_SILENT, CONFIDENCE_HIGH,
		    "it shook hands and then asked for nothing in time");
		diagnose_fix(notes,
		    "look at the device: it may have hung; power it off and "
		    "on");
	} else if (!diagnose_by(notes, true)) {
		diagnose_is(notes, DIAGNOSE_CERTIFICATE_NAME, CONFIDENCE_LOW,
		    "it shook hands and left without asking: so does a device "
		    "that finds name or address of the certificate wrong");
		diagnose_fix(notes,
		    "run \"sprov check\" with the URL that is in its profile "
		    "rule");
		notes->out->source = "LINKSYS-PROV";
	}
	diagnose_evidence(notes, "the handshake was complete (%s)",
	    event->reason);
}
