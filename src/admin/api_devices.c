/*
 * Devices: the list with its search, and one of them.
 */
#include "admin/call.h"
#include "admin/handlers.h"
#include "admin/writing.h"
#include "base/file.h"
#include "base/mem.h"
#include "inventory/finder.h"
#include "inventory/resyncs.h"
#include "server/config.h"
#include "server/service.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_DEFAULT 50
#define PAGE_MAX 500

static json_t *
tags_json(const struct tags *tags)
{
	json_t *list = json_array();

	for (size_t i = 0; i < tags->count; i++)
		(void)json_array_append_new(list, json_string(tags->list[i]));
	return list;
}

static json_t *
device_json(const struct finder_match *match)
{
	const struct device *device = match->device;
	char mac[MAC_TEXT_BYTES];

	mac_format(&device->mac, mac);
	return json_pack("{ss ss ss ss ss ss so ss si so so}", "mac", mac,
	    "model", device->model, "firmware", device->firmware, "serial",
	    device->serial, "group", device->group, "state",
	    device_state_name(device->state), "tags", tags_json(&device->tags),
	    "standing", finder_standing_name(match->standing), "last_status",
	    match->status, "last_at", call_time(match->last_at), "profile_at",
	    call_time(match->profile_at));
}

/* ------------------------------------------------------------------- list */

/* False: a problem is the answer. */
static bool
read_filters(struct call *call, struct finder_query *query, struct mac *after)
{
	const char *state = call_parameter(call, "state");
	const char *standing = call_parameter(call, "standing");
	const char *cursor = call_parameter(call, "cursor");
	enum device_state wanted;
	struct error err;
	uint64_t limit;

	query->text = call_parameter(call, "search");
	query->model = call_parameter(call, "model");
	query->group = call_parameter(call, "group");
	query->below = *call->caller.tenant != '\0' ? call->caller.tenant :
						      NULL;
	query->state = -1;
	if (!call_number(call, "limit", 1, PAGE_MAX, PAGE_DEFAULT, &limit))
		return false;
	query->limit = limit;
	if (query->text != NULL && strlen(query->text) > FINDER_TEXT_MAX) {
		call_problem(call, 400, "search: expected at most %d bytes",
		    FINDER_TEXT_MAX);
		return false;
	}
	if (state != NULL) {
		if (device_state_parse(state, &wanted, &err) != 0) {
			call_problem(call, 400, "state: %s", err.text);
			return false;
		}
		query->state = (int)wanted;
	}
	if (standing != NULL &&
	    finder_standing_parse(standing, &query->standing) != 0) {
		call_problem(call, 400,
		    "standing: expected never, served or failing");
		return false;
	}
	if (cursor != NULL) {
		if (mac_parse(after, cursor, &err) != 0) {
			call_problem(call, 400,
			    "cursor: expected one that an answer had");
			return false;
		}
		query->after = after;
	}
	return call_no_others(call);
}

static void
answer_page(struct call *call, const struct finder_match *list, size_t count,
    size_t limit, size_t total)
{
	json_t *devices = json_array(), *cursor = json_null();
	char mac[MAC_TEXT_BYTES];

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(devices, device_json(&list[i]));
	/* A full page may be the last one: the next is empty then. */
	if (count == limit) {
		mac_format(&list[count - 1].device->mac, mac);
		cursor = json_string(mac);
	}
	call_json(call, 200,
	    json_pack("{so so sI}", "devices", devices, "cursor", cursor,
		"total", (json_int_t)total));
}

void
api_devices(struct call *call, const char *text)
{
	struct finder_query query = { .state = -1 };
	struct finder_match *list;
	struct mac after;
	size_t count, total;

	(void)text;
	if (!read_filters(call, &query, &after))
		return;
	list = xcalloc(query.limit, sizeof(*list));
	count = finder_find(call_finder(call), &query, list, &total);
	answer_page(call, list, count, query.limit, total);
	free(list);
}

/* -------------------------------------------------------------------- one */

static int
add_resync(const struct resync_summary *summary, void *list)
{
	(void)json_array_append_new(list,
	    json_pack("{ss ss si so so so sI sI}", "listener",
		summary->last.listener, "ca", summary->last.ca, "last_status",
		summary->last.status, "last_at", call_time(summary->last.at),
		"first_at", call_time(summary->first_at), "profile_at",
		call_time(summary->profile_at), "answers",
		(json_int_t)summary->answers, "profiles",
		(json_int_t)summary->profiles));
	return 0;
}

/* By listener; without a record of them there are none yet. */
static json_t *
resyncs_json(struct call *call, const struct mac *mac)
{
	char *path = file_join(service_config(call->service)->state_directory,
	    RESYNCS_FILE);
	struct error err;
	struct resyncs *resyncs = resyncs_open(path, true, &err);
	json_t *list = json_array();

	if (resyncs != NULL)
		(void)!resyncs_each(resyncs, mac, add_resync, list, &err);
	resyncs_close(resyncs);
	free(path);
	return list;
}

static void
answer_device(struct call *call, struct inventory *inventory,
    const struct device *device)
{
	struct finder_match match = { .device = NULL };
	json_t *json;

	if (!writing_may(call, inventory, device->group)) {
		call_problem(call, 404, "there is no such device");
		return;
	}
	/* Fields are those of now; the index may be a little behind. */
	if (!finder_get(call_finder(call), &device->mac, &match))
		match.standing = STANDING_NEVER;
	match.device = device;
	json = device_json(&match);
	writing_show_variables(json, inventory, &device->variables);
	(void)json_object_set_new(json, "resyncs",
	    resyncs_json(call, &device->mac));
	writing_tag_device(call, device, call->version);
	call_json(call, 200, json);
}

/* From the store itself, so that a change is seen by who made it. */
void
api_device(struct call *call, const char *text)
{
	struct inventory *inventory;
	struct device device;
	struct error err;
	struct mac mac;

	if (!call_no_others(call))
		return;
	if (mac_parse(&mac, text, &err) != 0) {
		call_problem(call, 404, "there is no such device");
		return;
	}
	inventory = writing_read(call);
	if (inventory == NULL)
		return;
	if (inventory_get_device(inventory, &mac, &device, &err) == 0) {
		answer_device(call, inventory, &device);
		device_clear(&device);
	} else if (err.kind == ERROR_NOT_FOUND) {
		call_problem(call, 404, "there is no such device");
	} else {
		call_error(call, &err);
	}
	inventory_close(inventory);
}
