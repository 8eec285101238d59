/*
 * When certificates, anchors and exceptions end, and who depends on them.
 */
#include "admin/call.h"
#include "admin/exposition.h"
#include "admin/figures.h"
#include "admin/dependents.h"
#include "admin/site.h"
#include "base/text.h"
#include "pki/anchors.h"
#include "pki/cert.h"
#include "pki/chain.h"
#include "server/config.h"
#include "server/service.h"
#include "spa/registry.h"

#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define FINGERPRINT_BYTES 8 /* of an anchor: two may have one name */

typedef time_t date_of(const X509 *cert);

static void
put_certificate(struct exposition *out, const struct service_listener *listener,
    date_of *date)
{
	const struct ca *ca = listener->issuer.ca;
	const struct exposition_label labels[] = {
		{ "listener", listener->name },
		{ "ca", ca != NULL ? ca->id : "unknown" },
	};
	time_t when = date(chain_certificate(listener->chain, 0));

	exposition_integer(out, "", labels, LENGTH(labels),
	    when > 0 ? (uint64_t)when : 0);
}

static void
put_certificates(struct exposition *out, const struct service *service,
    date_of *date)
{
	for (size_t i = 0; i < service_listener_count(service); i++) {
		const struct service_listener *listener =
		    service_listener(service, i);

		if (listener->chain == NULL)
			continue; /* plain HTTP */
		put_certificate(out, listener, date);
		for (size_t j = 1; j < listener->alternative_count; j++)
			put_certificate(out, &listener->alternatives[j], date);
	}
}

static void
put_anchor(struct exposition *out, const char *listener, const X509 *cert)
{
	const struct cert_name_part *part;
	uint8_t digest[CERT_DIGEST_BYTES];
	char fingerprint[2 * FINGERPRINT_BYTES + 1];
	struct cert_name name;
	time_t until = cert_not_after(cert);

	cert_subject(cert, &name);
	part = cert_name_find(&name, CERT_COMMON_NAME);
	cert_sha256(cert, digest);
	text_hex(digest, FINGERPRINT_BYTES, fingerprint);
	exposition_integer(out, "",
	    (const struct exposition_label[]) {
		{ "listener", listener },
		{ "anchor", part != NULL ? part->value : "?" },
		{ "fingerprint", fingerprint },
	    },
	    3, until > 0 ? (uint64_t)until : 0);
}

static void
put_anchors(struct exposition *out, const struct service *service)
{
	for (size_t i = 0; i < service_listener_count(service); i++) {
		const struct service_listener *listener =
		    service_listener(service, i);

		for (size_t j = 0; listener->anchors != NULL &&
		     j < anchors_count(listener->anchors);
		     j++)
			put_anchor(out, listener->name,
			    anchors_get(listener->anchors, j));
	}
}

/* How many devices each listener's certificate matters to, and how. */
static void
put_certificate_devices(struct exposition *out, const json_t *report)
{
	static const char *const kinds[] = { "accept", "alone",
		"alone_checking_dates" };
	const json_t *list = json_object_get(report, "listeners");
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		const json_t *devices = json_object_get(one, "devices");
		const char *name = json_string_value(json_object_get(one,
		    "name"));

		for (size_t k = 0;
		     devices != NULL && name != NULL && k < LENGTH(kinds); k++)
			exposition_integer(out, "",
			    (const struct exposition_label[]) {
				{ "listener", name },
				{ "how", kinds[k] },
			    },
			    2,
			    (uint64_t)
				json_integer_value(json_object_get(devices,
				    kinds[k])));
	}
}

/* Names of anchors may stand there twice, with another end. */
static void
put_anchor_devices(struct exposition *out, const json_t *report)
{
	const json_t *list = json_object_get(report, "anchors"), *one, *other;
	size_t i, j;

	json_array_foreach(list, i, one)
	{
		const json_t *name = json_object_get(one, "name");
		bool again = false;

		for (j = 0; j < i && !again; j++) {
			other = json_array_get(list, j);
			again = json_equal(json_object_get(other, "name"),
				    name) != 0;
		}
		if (again || !json_is_string(name))
			continue;
		exposition_integer(out, "",
		    &(const struct exposition_label) {
			"anchor", json_string_value(name) },
		    1,
		    (uint64_t)json_integer_value(json_object_get(one,
			"devices")));
	}
}

static void
put_exceptions(struct exposition *out, const struct config *config)
{
	for (size_t i = 0; i < config->exception_count; i++) {
		const struct exception *exception = &config->exceptions[i];

		exposition_integer(out, "",
		    &(const struct exposition_label) {
			"exception", exception->name },
		    1, (uint64_t)exception->until);
	}
}

void
figures_fleet(struct exposition *out, struct call *call)
{
	json_t *certificates, *expiry;
	time_t at;

	dependents_get(site_dependents(call->site), &certificates, &expiry,
	    &at);
	exposition_family(out, "sprov_certificate_not_before_timestamp_seconds",
	    "gauge", "When the certificate of a listener begins to be valid.");
	put_certificates(out, call->service, cert_not_before);
	exposition_family(out, "sprov_certificate_not_after_timestamp_seconds",
	    "gauge", "When the certificate of a listener ends.");
	put_certificates(out, call->service, cert_not_after);
	exposition_family(out, "sprov_certificate_devices", "gauge",
	    "Devices that accept the certificate of a listener; that accept no "
	    "other one; ditto, and look at its dates.");
	put_certificate_devices(out, certificates);
	exposition_family(out, "sprov_anchor_not_after_timestamp_seconds",
	    "gauge", "When a client anchor of a listener ends.");
	put_anchors(out, call->service);
	exposition_family(out, "sprov_anchor_devices", "gauge",
	    "Device certificates that were seen below an anchor.");
	put_anchor_devices(out, expiry);
	exposition_family(out, "sprov_exception_until_timestamp_seconds",
	    "gauge", "When a named exception lapses.");
	put_exceptions(out, service_config(call->service));
	exposition_family(out, "sprov_devices_counted_timestamp_seconds",
	    "gauge",
	    "When the devices of certificates and anchors were "
	    "counted; 0: not yet.");
	exposition_integer(out, "", NULL, 0, at > 0 ? (uint64_t)at : 0);
	json_decref(certificates);
	json_decref(expiry);
}
