/*
 * What a named exception makes of a refusal.
 */
#include "provision/decision_parts.h"
#include "http/request.h"
#include "inventory/snapshot.h"
#include "spa/defective.h"
#include "tls/conn.h"

#include <openssl/crypto.h>

/* Which exceptions may make up for this refusal? */
static bool
find_kind(const struct decision_input *input, enum decision_reason refusal,
    enum exception_kind *kind)
{
	const struct peer *peer = input->peer;

	switch (refusal) {
	case DECISION_EXPIRED:
		*kind = EXCEPTION_EXPIRED;
		return input->tls_peer->verify_depth == 0 &&
		    !decision_is_generic(input) && peer->form != PEER_INVALID &&
		    peer->has_mac;
	case DECISION_GENERIC:
		*kind = EXCEPTION_GENERIC;
		return true;
	case DECISION_UNTRUSTED:
	case DECISION_CONTRADICTORY:
		*kind = EXCEPTION_DEFECTIVE;
		return true;
	default:
		return false;
	}
}

/*
 * The device that an exception would be for; NULL when there is none.  Where
 * the certificate proves nobody it is the one that the path names, and what
 * the inventory and the certificate say must not speak against it.
 */
static const struct device *
find_excepted(const struct decision_input *input, enum exception_kind kind,
    struct route_match *route)
{
	const struct peer *peer = input->peer;
	bool proves = exception_kind_proves(kind);
	const struct device *device;

	if (!routes_match(input->routes, input->request->path, route) ||
	    route->kind != ROUTE_PROFILE || (!proves && !route->has_mac))
		return NULL;
	device = snapshot_find(input->snapshot,
	    proves ? &peer->mac : &route->mac);
	if (device == NULL || device->state == DEVICE_RETIRED ||
	    (peer->has_mac && !mac_equal(&peer->mac, &device->mac)))
		return NULL;
	if (proves &&
	    decision_judge_device(input, device) != DECISION_OWN_PROFILE)
		return NULL;
	if (kind == EXCEPTION_DEFECTIVE && !defective_serial(device->serial))
		return NULL;
	return decision_judge_path(input, device, route) ==
		DECISION_OWN_PROFILE ?
	    device :
	    NULL;
}

static const enum decision_reason exception_reasons[] = {
	[EXCEPTION_ALLOWS] = DECISION_OWN_PROFILE,
	[EXCEPTION_HAS_LAPSED] = DECISION_EXCEPTION_LAPSED,
	[EXCEPTION_WANTS_SOURCE] = DECISION_EXCEPTION_SOURCE,
	[EXCEPTION_WANTS_ENCRYPTION] = DECISION_EXCEPTION_UNENCRYPTED,
	[EXCEPTION_IS_USED_UP] = DECISION_EXCEPTION_USED_UP,
};

/* The first one that lets it in; else what the last one that is for it says. */
static enum decision_reason
ask_exceptions(const struct decision_input *input,
    const struct exception_case *is, enum decision_reason refusal,
    const struct exception **found)
{
	for (size_t i = 0; i < input->exception_count; i++) {
		const struct exception *exception = &input->exceptions[i];
		enum exception_answer answer = exception_judge(exception, is);

		if (answer == EXCEPTION_IS_NOT_FOR_IT)
			continue;
		refusal = exception_reasons[answer];
		if (answer != EXCEPTION_ALLOWS)
			continue;
		*found = exception;
		break;
	}
	return refusal;
}

enum decision_reason
decision_judge_exceptions(const struct decision_input *input,
    struct decision *decision, enum decision_reason refusal)
{
	struct exception_case is = {
		.snapshot = input->snapshot,
		.listener = input->listener,
		.source = input->source,
		.now = input->now,
		.first_use = input->first_use,
		.first_use_arg = input->first_use_arg,
	};
	struct decision found = { .device = NULL };
	enum decision_reason reason, key;

	if (input->exception_count == 0 || !find_kind(input, refusal, &is.kind))
		return refusal;
	found.device = find_excepted(input, is.kind, &found.route);
	if (found.device == NULL)
		return refusal;
	key = decision_judge_key(input, &found);
	is.device = found.device;
	is.encrypted = found.cipher != CIPHER_NONE;
	reason = ask_exceptions(input, &is, refusal, &found.exception);
	if (reason == DECISION_OWN_PROFILE && key != DECISION_NO_KEY)
		reason = key;
	/* Else nobody has proved to be that device: no record speaks of it. */
	if (reason == DECISION_OWN_PROFILE)
		*decision = found;
	OPENSSL_cleanse(&found.key, sizeof(found.key));
	return reason;
}
