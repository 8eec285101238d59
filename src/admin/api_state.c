/*
 * What the server itself knows at this moment: figures, listeners, groups.
 */
#include "admin/call.h"
#include "admin/handlers.h"
#include "admin/pulse.h"
#include "admin/site.h"
#include "base/mem.h"
#include "inventory/admins.h"
#include "inventory/finder.h"
#include "inventory/snapshot.h"
#include "pki/anchors.h"
#include "pki/cert.h"
#include "pki/chain.h"
#include "server/config.h"
#include "server/counters.h"
#include "server/record.h"
#include "server/service.h"
#include "server/worker.h"
#include "spa/registry.h"

#include <stdlib.h>
#include <string.h>

#define DAY_S 86400

void
api_session(struct call *call, const char *text)
{
	char scopes[ADMIN_SCOPES_BYTES];

	(void)text;
	if (!call_no_others(call))
		return;
	admin_scopes_format(call->caller.scopes, scopes);
	call_json(call, 200,
	    json_pack("{ss ss ss so}", "name", call->caller.name, "scopes",
		scopes, "tenant", call->caller.tenant, "now",
		call_time(call->now)));
}

/* --------------------------------------------------------------- overview */

static json_t *
counters_json(const struct guest_view *view)
{
	json_t *json = json_object();

	for (int which = 0; which < COUNTERS; which++) {
		uint64_t total = 0;

		for (size_t i = 0; i < view->worker_count; i++)
			total += counters_get(worker_counters(view->workers[i]),
			    (enum counter)which);
		(void)json_object_set_new(json,
		    counters_name((enum counter)which),
		    json_integer((json_int_t)total));
	}
	return json;
}

static json_t *
connections_json(const struct guest_view *view)
{
	size_t open = 0, waiting = 0;

	for (size_t i = 0; i < view->worker_count; i++) {
		open += worker_connection_count(view->workers[i]);
		waiting += worker_waiting_count(view->workers[i]);
	}
	return json_pack("{sI sI}", "open", (json_int_t)open, "waiting",
	    (json_int_t)waiting);
}

static json_t *
rates_json(struct site *site)
{
	struct pulse_rates rates = pulse_rates(site_pulse(site));

	return json_pack("{sf sf sf sf sf}", "seconds", rates.seconds,
	    "accepted", rates.accepted, "handshakes", rates.completed,
	    "failed_handshakes", rates.failed, "answers", rates.answered);
}

static json_t *
totals_json(struct call *call)
{
	const char *tenant = call->caller.tenant;
	struct finder_totals totals;

	finder_totals(call_finder(call), *tenant != '\0' ? tenant : NULL,
	    call->now - call->now % DAY_S, &totals);
	return json_pack("{sI sI sI sI sI sI}", "total",
	    (json_int_t)totals.devices, "retired", (json_int_t)totals.retired,
	    "provisioned_today", (json_int_t)totals.today, "served",
	    (json_int_t)totals.served, "failing", (json_int_t)totals.failing,
	    "never_seen", (json_int_t)totals.never);
}

/* What workers and inventory count for all tenants together: whose a handshake
 * that failed would have been, nobody knows. */
static void
add_shared(struct call *call, json_t *json)
{
	const struct guest_view *view = site_guest_view(call->site);

	(void)json_object_set_new(json, "change",
	    json_integer((json_int_t)snapshot_change_number(call->snapshot)));
	(void)json_object_set_new(json, "rates", rates_json(call->site));
	(void)json_object_set_new(json, "connections", connections_json(view));
	(void)json_object_set_new(json, "counters", counters_json(view));
}

void
api_overview(struct call *call, const char *text)
{
	json_t *json;

	(void)text;
	if (!call_no_others(call))
		return;
	json = json_pack("{ss so so so}", "version", SPROV_VERSION,
	    "started_at", call_time(site_started_at(call->site)), "now",
	    call_time(call->now), "devices", totals_json(call));
	if (*call->caller.tenant == '\0')
		add_shared(call, json);
	call_json(call, 200, json);
}

void
api_rates(struct call *call, const char *text)
{
	uint64_t after;

	(void)text;
	if (call_sees_all(call) &&
	    call_number(call, "after", 0, INT64_MAX, 0, &after) &&
	    call_no_others(call))
		call_json(call, 200,
		    pulse_json(site_pulse(call->site), (time_t)after));
}

/* -------------------------------------------------------------- listeners */

static json_t *
certificate_json(const struct service_listener *listener)
{
	const struct ca *ca = listener->issuer.ca;
	const X509 *leaf = chain_certificate(listener->chain, 0);
	char *subject = cert_subject_text(leaf);
	json_t *json = json_pack("{ss* ss* sb ss so so si}", "ca",
	    ca != NULL ? ca->id : NULL, "ca_name", ca != NULL ? ca->name : NULL,
	    "lab", listener->issuer.lab, "subject", subject, "not_before",
	    call_time(cert_not_before(leaf)), "not_after",
	    call_time(cert_not_after(leaf)), "key_bits", cert_key_bits(leaf));

	free(subject);
	return json;
}

static json_t *
certificates_json(const struct service_listener *listener)
{
	json_t *list = json_array();

	if (listener->chain == NULL)
		return list;
	if (listener->alternative_count == 0)
		(void)json_array_append_new(list, certificate_json(listener));
	for (size_t i = 0; i < listener->alternative_count; i++)
		(void)json_array_append_new(list,
		    certificate_json(&listener->alternatives[i]));
	return list;
}

static json_t *
listener_json(const struct service_listener *listener,
    const struct config_listener *from)
{
	json_t *addresses = json_array();
	char text[ADDR_TEXT_BYTES];

	for (size_t i = 0; i < from->address_count; i++) {
		addr_format(&from->addresses[i], text);
		(void)json_array_append_new(addresses, json_string(text));
	}
	return json_pack("{ss so ss sb sI so}", "name", from->name, "addresses",
	    addresses, "tls",
	    from->plain			   ? "none" :
		from->policy == TLS_LEGACY ? "legacy" :
					     "modern",
	    "client_certificate_required", from->certificate_required,
	    "client_anchors",
	    (json_int_t)(listener->anchors != NULL ?
		    anchors_count(listener->anchors) :
		    0),
	    "certificates", certificates_json(listener));
}

void
api_listeners(struct call *call, const char *text)
{
	const struct config *config = service_config(call->service);
	json_t *list = json_array();

	(void)text;
	if (!call_no_others(call)) {
		json_decref(list);
		return;
	}
	for (size_t i = 0; i < service_listener_count(call->service); i++)
		(void)json_array_append_new(list,
		    listener_json(service_listener(call->service, i),
			&config->listeners[i]));
	call_json(call, 200, json_pack("{so}", "listeners", list));
}

/* ----------------------------------------------------------------- groups */

struct listing {
	struct call *call;
	json_t *list;	/* of the groups that may be seen */
	json_t *counts; /* by name: devices of the group itself */
};

static void
count_group(const char *name, size_t count, void *arg)
{
	struct listing *listing = arg;

	(void)json_object_set_new(listing->counts, name,
	    json_integer((json_int_t)count));
}

static int
add_group(const struct scope *scope, void *arg)
{
	struct listing *listing = arg;
	json_t *count;

	if (scope->kind != SCOPE_GROUP ||
	    !call_may_see_group(listing->call, scope->name))
		return 0;
	count = json_object_get(listing->counts, scope->name);
	(void)json_array_append_new(listing->list,
	    json_pack("{ss ss ss sI sI}", "name", scope->name, "kind",
		group_kind_name(scope->group_kind), "parent", scope->parent,
		"devices", count != NULL ? json_integer_value(count) : 0,
		"variables", (json_int_t)scope->variables.count));
	return 0;
}

void
api_groups(struct call *call, const char *text)
{
	struct listing listing = { call, NULL, NULL };

	(void)text;
	if (!call_no_others(call))
		return;
	listing.list = json_array();
	listing.counts = json_object();
	finder_each_group(call_finder(call), count_group, &listing);
	(void)snapshot_each_scope(call->snapshot, add_group, &listing);
	json_decref(listing.counts);
	call_json(call, 200, json_pack("{so}", "groups", listing.list));
}
