/*
 * Events: what happened on the listeners, newest first, or those that came
 * after one.
 */
#include "admin/call.h"
#include "admin/handlers.h"
#include "base/file.h"
#include "base/text.h"
#include "inventory/events.h"
#include "inventory/inventory.h"
#include "inventory/snapshot.h"
#include "server/config.h"
#include "server/service.h"
#include "tls/conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_DEFAULT 100
#define PAGE_MAX 1000
/* A tenant's events are picked out of everybody's: so many are looked at. */
#define LOOKED_AT_MAX 20000
#define RECORD "events"

static json_t *
version_json(uint16_t version)
{
	return version != 0 ? json_string(tls_version_name(version)) :
			      json_null();
}

static json_t *
alert_json(int alert)
{
	return alert >= 0 ? json_string(tls_alert_name(alert)) : json_null();
}

static json_t *
mac_json(const struct event *event)
{
	char mac[MAC_TEXT_BYTES];

	if (!event->has_mac)
		return json_null();
	mac_format(&event->mac, mac);
	return json_string(mac);
}

static json_t *
certificate_json(const struct event *event)
{
	char sha256[2 * sizeof(event->certificate) + 1];

	if (!event->has_certificate)
		return json_null();
	text_hex(event->certificate, sizeof(event->certificate), sha256);
	return json_pack("{ss ss ss ss ss so so}", "sha256", sha256, "issuer",
	    event->issuer, "anchor", event->anchor, "verify", event->verify,
	    "form", event->form, "not_before", call_time(event->not_before),
	    "not_after", call_time(event->not_after));
}

static json_t *
sent_json(const struct event *event)
{
	char hex[2 * sizeof(event->sent) + 1];

	if (!event->has_sent)
		return json_null();
	text_hex(event->sent, sizeof(event->sent), hex);
	return json_string(hex);
}

static json_t *
event_json(const struct call *call, const struct event *event)
{
	char class[17];

	(void)snprintf(class, sizeof(class), "%016llx",
	    (unsigned long long)event->class);
	return json_pack("{sI so ss ss ss ss sI so ss ss ss so so so ss so so "
			 "ss ss ss si ss sI ss ss so}",
	    "id", (json_int_t)call_position(call, RECORD, event->id), "at",
	    call_time(event->at), "kind", event_kind_name(event->kind),
	    "listener", event->listener, "ca", event->ca, "source",
	    event->source, "microseconds", (json_int_t)event->us, "mac",
	    mac_json(event), "product", event->product, "serial", event->serial,
	    "firmware", event->firmware, "certificate", certificate_json(event),
	    "tls_version", version_json(event->tls_version), "tls_offered",
	    version_json(event->offered_max), "tls_cipher", event->tls_cipher,
	    "alert_sent", alert_json(event->alert_sent), "alert_received",
	    alert_json(event->alert_received), "method", event->method, "path",
	    event->path, "user_agent", event->agent, "status", event->status,
	    "reason", event->reason, "bytes", (json_int_t)event->bytes, "class",
	    class, "choice", event->choice, "sent_sha256", sent_json(event));
}

struct page {
	struct call *call;
	json_t *list;
	uint64_t limit, looked_at;
	int64_t last, shown; /* ids: of the last one that was looked at, and of
			      * the last one in the list */
};

/* Whose events they are is known of devices only. */
static int
is_of_tenant(int64_t id, const struct mac *mac, void *arg)
{
	struct page *page = arg;
	const struct device *device = mac != NULL ?
	    snapshot_find(page->call->snapshot, mac) :
	    NULL;

	page->last = id;
	if (device != NULL && call_may_see_group(page->call, device->group))
		return 1;
	return ++page->looked_at == LOOKED_AT_MAX ? -1 : 0;
}

static int
add_event(const struct event *event, void *arg)
{
	struct page *page = arg;

	page->last = page->shown = event->id;
	(void)json_array_append_new(page->list, event_json(page->call, event));
	return json_array_size(page->list) == page->limit;
}

static void
answer(struct call *call, const struct events_query *query, uint64_t limit)
{
	char *path = file_join(service_config(call->service)->state_directory,
	    EVENTS_FILE);
	struct page page = { call, json_array(), limit, 0, 0, 0 };
	struct error err = { 0 };
	struct events *events = events_open(path, true, &err);
	int64_t last;
	int rc = 0;

	if (events != NULL)
		rc = events_each(events, query, add_event, &page, &err);
	else if (err.kind != ERROR_NOT_FOUND) /* nothing has happened yet */
		rc = -1;
	events_close(events);
	free(path);
	if (rc < 0) {
		json_decref(page.list);
		call_error(call, &err);
		return;
	}
	/* More may follow where the visit was cut short.  Else a tenant learns
	 * of no event that it does not see. */
	if (rc == 0 && *call->caller.tenant != '\0')
		page.last = page.shown;
	last = call_position(call, RECORD,
	    page.last != 0 ? page.last : query->after);
	call_json(call, 200,
	    json_pack("{so so sI}", "events", page.list, "cursor",
		rc > 0 ? json_integer((json_int_t)last) : json_null(), "last",
		(json_int_t)last));
}

static bool
read_kind(struct call *call, struct events_query *query)
{
	const char *text = call_parameter(call, "kind");

	query->kind = -1;
	query->failures = text != NULL && strcmp(text, "failures") == 0;
	if (text == NULL || query->failures)
		return true;
	for (int i = 0; i < EVENT_KINDS; i++)
		if (strcmp(text, event_kind_name((enum event_kind)i)) == 0) {
			query->kind = i;
			return true;
		}
	call_problem(call, 400,
	    "kind: expected served, refused, invalid, no-request, handshake or "
	    "failures");
	return false;
}

static void
answer_events(struct call *call, const struct mac *mac)
{
	struct events_query query = { .mac = mac,
		.filter = *call->caller.tenant != '\0' ? is_of_tenant : NULL };
	uint64_t limit;

	query.listener = call_parameter(call, "listener");
	query.source = call_parameter(call, "source");
	query.newest_first = call_parameter(call, "after") == NULL;
	if (!read_kind(call, &query) ||
	    !call_number(call, "limit", 1, PAGE_MAX, PAGE_DEFAULT, &limit) ||
	    !call_read_position(call, "after", 0, RECORD, &query.after) ||
	    !call_read_position(call, "before", 1, RECORD, &query.before) ||
	    !call_no_others(call))
		return;
	answer(call, &query, limit);
}

void
api_events(struct call *call, const char *text)
{
	const char *mac_text = call_parameter(call, "mac");
	struct error err;
	struct mac mac;

	(void)text;
	if (mac_text != NULL && mac_parse(&mac, mac_text, &err) != 0) {
		call_problem(call, 400, "mac: %s", err.text);
		return;
	}
	answer_events(call, mac_text != NULL ? &mac : NULL);
}

/* Also of one that is not in the inventory, for who may see all. */
void
api_device_events(struct call *call, const char *text)
{
	struct error err;
	struct mac mac;

	if (mac_parse(&mac, text, &err) != 0)
		call_problem(call, 404, "there is no such device");
	else
		answer_events(call, &mac);
}
