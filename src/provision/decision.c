#include "provision/decision_parts.h"
#include "base/text.h"
#include "http/request.h"
#include "inventory/snapshot.h"
#include "spa/registry.h"
#include "tls/conn.h"

#include <string.h>
#include <strings.h>

/*
 * A stranger learns nothing from the status: everything about identity is 403.
 * 404 is kept for paths that are absent for a device that has proved itself,
 * because devices count it differently ([MPP-AG], result classes).
 */
static const struct {
	const char *name;
	bool allow;
	int status;
} outcomes[] = {
	[DECISION_OWN_PROFILE] = { "own-profile", true, 200 },
	[DECISION_COMMON_FILE] = { "common-file", true, 200 },
	[DECISION_PUBLIC_FILE] = { "public-file", true, 200 },
	[DECISION_REPORT] = { "report", true, 200 },
	[DECISION_DEVICE_FILE] = { "device-file", true, 200 },
	[DECISION_STUB] = { "stub", true, 200 },
	[DECISION_METHOD] = { "method", false, 405 },
	[DECISION_NO_CERTIFICATE] = { "no-certificate", false, 403 },
	[DECISION_UNTRUSTED] = { "untrusted-certificate", false, 403 },
	[DECISION_EXPIRED] = { "expired-certificate", false, 403 },
	[DECISION_GENERIC] = { "generic-certificate", false, 403 },
	[DECISION_CONTRADICTORY] = { "contradictory-certificate", false, 403 },
	[DECISION_UNKNOWN_DEVICE] = { "unknown-device", false, 403 },
	[DECISION_RETIRED_DEVICE] = { "retired-device", false, 403 },
	[DECISION_WRONG_SERIAL] = { "wrong-serial", false, 403 },
	[DECISION_WRONG_PRODUCT] = { "wrong-product", false, 403 },
	[DECISION_NO_SUCH_PATH] = { "no-such-path", false, 404 },
	[DECISION_OTHER_DEVICE] = { "other-device", false, 403 },
	[DECISION_OTHER_MODEL] = { "other-model", false, 403 },
	[DECISION_EXCEPTION_LAPSED] = { "exception-lapsed", false, 403 },
	[DECISION_EXCEPTION_SOURCE] = { "exception-source", false, 403 },
	[DECISION_EXCEPTION_UNENCRYPTED] = { "exception-unencrypted", false,
	    403 },
	[DECISION_EXCEPTION_USED_UP] = { "exception-used-up", false, 403 },
	[DECISION_EXPECTATION] = { "expectation", false, 417 },
	[DECISION_NO_LENGTH] = { "no-length", false, 411 },
	[DECISION_TOO_LARGE] = { "too-large", false, 413 },
	[DECISION_CODING] = { "content-coding", false, 415 },
	[DECISION_BAD_KEY] = { "bad-key", false, 403 },
	[DECISION_UNKNOWN_KEY] = { "unknown-key", false, 403 },
	[DECISION_RETIRED_KEY] = { "retired-key", false, 403 },
	[DECISION_NEEDS_TLS] = { "needs-tls", false, 403 },
	[DECISION_NO_KEY] = { "no-key", false, 403 },
	[DECISION_UNPROTECTED] = { "unprotected", false, 403 },
	[DECISION_KEY_NOT_DELIVERED] = { "key-not-delivered", false, 403 },
};

const char *
decision_reason_name(enum decision_reason reason)
{
	return outcomes[reason].name;
}

/*
 * The denied ones by hash, too, whatever a later parser makes of the subject;
 * and by key, which anyone may have who can read a firmware file [FW-7.5.2B].
 */
static bool
is_denied(const struct tls_peer *tls_peer)
{
	return registry_find_denied(tls_peer->sha256, tls_peer->key_sha256) !=
	    NULL;
}

bool
decision_is_generic(const struct decision_input *input)
{
	return input->peer->form == PEER_GENERIC || is_denied(input->tls_peer);
}

/* Is the certificate good enough to be an identity at all? */
static enum decision_reason
judge_certificate(const struct decision_input *input)
{
	switch (input->tls_peer->verdict) {
	case TLS_PEER_NONE:
		return DECISION_NO_CERTIFICATE;
	case TLS_PEER_UNTRUSTED:
		return DECISION_UNTRUSTED;
	case TLS_PEER_EXPIRED:
		/* The device's own, that is: an expired anchor is allowed by
		 * its name, and an expired intermediate not at all. */
		if (!input->policy->allow_expired_devices ||
		    input->tls_peer->verify_depth > 0)
			return DECISION_EXPIRED;
		break;
	case TLS_PEER_TRUSTED:
		break;
	}
	if (decision_is_generic(input))
		return DECISION_GENERIC;
	if (input->peer->form == PEER_INVALID || !input->peer->has_mac)
		return DECISION_CONTRADICTORY;
	return DECISION_OWN_PROFILE;
}

enum decision_reason
decision_judge_device(const struct decision_input *input,
    const struct device *device)
{
	const struct peer *peer = input->peer;
	const struct model *model;

	if (device == NULL)
		return DECISION_UNKNOWN_DEVICE;
	if (device->state == DEVICE_RETIRED)
		return DECISION_RETIRED_DEVICE;
	if (*device->serial != '\0' && *peer->serial != '\0' &&
	    strcmp(device->serial, peer->serial) != 0)
		return DECISION_WRONG_SERIAL;
	model = registry_find_model(peer->product, NULL);
	if (model != NULL && strcmp(model->name, device->model) != 0)
		return DECISION_WRONG_PRODUCT;
	return DECISION_OWN_PROFILE;
}

/*
 * Content-Type says nothing: devices differ, and what a report is shows in its
 * bytes.  RFC 9110 8.4.1 has x-gzip for gzip.
 */
static enum decision_reason
judge_body(const struct request *request)
{
	static const char *const codings[] = { "", "identity", "gzip", "x-gzip",
		"aes128gcm" };
	bool known = false;

	if (request->expect == REQUEST_EXPECT_UNKNOWN)
		return DECISION_EXPECTATION;
	if (request->framing == REQUEST_NO_BODY)
		return DECISION_NO_LENGTH;
	if (request->body_length > DECISION_BODY_MAX)
		return DECISION_TOO_LARGE;
	for (size_t i = 0; i < sizeof(codings) / sizeof(*codings); i++)
		known = known ||
		    strcasecmp(request->content_encoding, codings[i]) == 0;
	return known ? DECISION_REPORT : DECISION_CODING;
}

/*
 * SPA devices report by POST; multiplatform ones by POST or PUT, as
 * HTTP_Report_Method says [MPP-REPORT].  Everything else is got.
 */
static bool
is_method_for(enum request_method method, enum route_kind kind)
{
	bool sends = method == REQUEST_POST || method == REQUEST_PUT;
	bool gets = method == REQUEST_GET || method == REQUEST_HEAD;

	return route_kind_is_report(kind) ? sends : gets;
}

/* May a path that leads nowhere be answered with an empty profile? */
static bool
wants_stub(const struct decision_input *input, const struct device *device)
{
	const char *path = input->request->path;
	const char *value;

	if (!text_ends(path, ".cfg") && !text_ends(path, ".xml"))
		return false;
	value = snapshot_variable(input->snapshot, device, device->model,
	    "missing-files");
	return value != NULL && strcmp(value, "stub") == 0;
}

enum decision_reason
decision_judge_path(const struct decision_input *input,
    const struct device *device, struct route_match *route)
{
	if (!routes_match(input->routes, input->request->path, route))
		return wants_stub(input, device) ? DECISION_STUB :
						   DECISION_NO_SUCH_PATH;
	if (route->has_mac && !mac_equal(&route->mac, &device->mac))
		return DECISION_OTHER_DEVICE;
	if (!route_match_is_for(route,
		registry_find_model(device->model, NULL)))
		return DECISION_OTHER_MODEL;
	if (!is_method_for(input->request->method, route->kind))
		return DECISION_METHOD;
	switch (route->kind) {
	case ROUTE_PROFILE:
		return DECISION_OWN_PROFILE;
	case ROUTE_COMMON:
		return DECISION_COMMON_FILE;
	case ROUTE_PUBLIC:
	case ROUTE_PUBLIC_FILE:
		return DECISION_PUBLIC_FILE;
	case ROUTE_REPORT:
	case ROUTE_REPORT_DELTA:
	case ROUTE_REPORT_STATUS:
		return judge_body(input->request);
	case ROUTE_DEVICE_FILE:
		return DECISION_DEVICE_FILE;
	}
	return DECISION_NO_SUCH_PATH;
}

/* A method that no route is for needs no identity to be refused. */
static bool
is_method_known(const struct decision_input *input)
{
	struct route_match route;

	switch (input->request->method) {
	case REQUEST_GET:
	case REQUEST_HEAD:
		return true;
	case REQUEST_POST:
	case REQUEST_PUT:
		return routes_match(input->routes, input->request->path,
			   &route) &&
		    route_kind_is_report(route.kind);
	case REQUEST_OTHER:
		break;
	}
	return false;
}

static enum decision_reason
judge(const struct decision_input *input, struct decision *decision)
{
	enum decision_reason reason;

	if (input->policy->plain)
		return decision_judge_plain(input, decision);
	if (!is_method_known(input))
		return DECISION_METHOD;
	/* Public files are the one thing that needs no identity. */
	if (!input->policy->certificate_required &&
	    routes_match(input->routes, input->request->path,
		&decision->route) &&
	    route_kind_is_public(decision->route.kind))
		return DECISION_PUBLIC_FILE;
	reason = judge_certificate(input);
	if (reason != DECISION_OWN_PROFILE)
		return decision_judge_exceptions(input, decision, reason);
	decision->device = snapshot_find(input->snapshot, &input->peer->mac);
	reason = decision_judge_device(input, decision->device);
	if (reason != DECISION_OWN_PROFILE)
		return reason;
	reason = decision_judge_path(input, decision->device, &decision->route);
	if (reason != DECISION_OWN_PROFILE)
		return reason;
	reason = decision_judge_key(input, decision);
	/* None named: it was reset, or has never had one.  The certificate
	 * suffices, and TLS is the protection. */
	return reason == DECISION_NO_KEY ? DECISION_OWN_PROFILE : reason;
}

void
decision_make(const struct decision_input *input, struct decision *decision)
{
	*decision = (struct decision) { .device = NULL };
	decision->reason = judge(input, decision);
	decision->allow = outcomes[decision->reason].allow;
	decision->status = outcomes[decision->reason].status;
	if (decision->reason == DECISION_REPORT)
		decision->body_max = DECISION_BODY_MAX;
}
