/*
 * Keys, and what they open where there is no TLS.
 */
#include "provision/decision_parts.h"
#include "http/request.h"
#include "inventory/snapshot.h"
#include "provision/render_key.h"
#include "spa/registry.h"

enum decision_reason
decision_judge_key(const struct decision_input *input,
    struct decision *decision)
{
	const struct device *device = decision->device;
	const struct key_request request =
	    keyring_read_query(input->request->query);
	enum decision_reason reason = DECISION_UNKNOWN_KEY;
	struct keyring ring = { .count = 0 };
	struct error ignored;
	size_t index = 0;

	if (request.kind == KEY_REQUEST_NONE)
		return DECISION_NO_KEY;
	if (request.kind == KEY_REQUEST_BAD)
		return DECISION_BAD_KEY;
	/* A ring that is damaged holds no key; rendering will say so. */
	if (render_keyring(device, &ring, &ignored) != 0)
		ring.count = 0;
	switch (keyring_judge(&ring, request.id, &device->mac, input->marks,
	    input->marks_arg, &index)) {
	case KEY_UNKNOWN:
		break;
	case KEY_RETIRED:
		reason = DECISION_RETIRED_KEY;
		break;
	case KEY_NOT_DELIVERED:
	case KEY_GOOD:
		reason = DECISION_OWN_PROFILE;
		if (input->policy->plain &&
		    (input->marks(input->marks_arg, &device->mac, request.id) &
			KEY_DELIVERED) == 0) {
			reason = DECISION_KEY_NOT_DELIVERED;
			break;
		}
		decision->cipher = request.kind == KEY_REQUEST_AES ?
		    CIPHER_AES :
		    CIPHER_AES128GCM;
		decision->key = ring.key[index];
		break;
	}
	keyring_wipe(&ring);
	return reason;
}

/* Who asks is whoever can name the key: so all of this has to hold first. */
static enum decision_reason
judge_plain_device(const struct decision_input *input,
    struct decision *decision)
{
	const struct device *device = snapshot_find(input->snapshot,
	    &decision->route.mac);
	struct protection protection;
	struct error ignored;

	if (device == NULL)
		return DECISION_UNKNOWN_DEVICE;
	if (device->state == DEVICE_RETIRED)
		return DECISION_RETIRED_DEVICE;
	if (!route_match_is_for(&decision->route,
		registry_find_model(device->model, NULL)))
		return DECISION_OTHER_MODEL;
	if (render_protection(input->snapshot, device, &protection, &ignored) !=
		0 ||
	    protection.cipher == CIPHER_NONE)
		return DECISION_UNPROTECTED;
	decision->device = device;
	return decision_judge_key(input, decision);
}

enum decision_reason
decision_judge_plain(const struct decision_input *input,
    struct decision *decision)
{
	enum decision_reason reason;

	if (input->request->method != REQUEST_GET &&
	    input->request->method != REQUEST_HEAD)
		return DECISION_METHOD;
	if (!routes_match(input->routes, input->request->path,
		&decision->route))
		return DECISION_NO_SUCH_PATH;
	if (route_kind_is_public(decision->route.kind))
		return DECISION_PUBLIC_FILE;
	if (decision->route.kind != ROUTE_PROFILE || !decision->route.has_mac)
		return DECISION_NEEDS_TLS;
	reason = judge_plain_device(input, decision);
	/* Nobody has proved to be that device: no record speaks of it. */
	if (reason != DECISION_OWN_PROFILE)
		decision->device = NULL;
	return reason;
}
