/*
 * The audit log: who changed what, newest first, or what came after one entry.
 */
#include "admin/call.h"
#include "admin/handlers.h"
#include "admin/noting.h"
#include "inventory/snapshot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_DEFAULT 100
#define PAGE_MAX 1000
/* What is wanted is picked out of all: so many are looked at. */
#define LOOKED_AT_MAX 50000
#define RECORD "audit"

struct page {
	struct call *call;
	const char *who, *action, *object; /* NULL: all */
	json_t *list;
	uint64_t limit, looked_at;
	int64_t last, shown; /* ids: of the last one that was looked at, and of
			      * the last one in the list */
};

static bool
is_wanted(const json_t *entry, const char *key, const char *wanted)
{
	const char *text = json_string_value(json_object_get(entry, key));

	return wanted == NULL || (text != NULL && strcmp(text, wanted) == 0);
}

/* Who is limited to a group sees what was done by those who are, too. */
static bool
is_seen_by(const struct call *call, const json_t *entry)
{
	const char *tenant = json_string_value(json_object_get(entry,
	    "tenant"));

	return *call->caller.tenant == '\0' ||
	    (tenant != NULL && call_may_see_group(call, tenant));
}

/* Where it stands in the chain would tell how much others change. */
static json_t *
shown_entry(const struct call *call, int64_t id, json_t *entry)
{
	if (*call->caller.tenant == '\0')
		return json_incref(entry);
	entry = json_copy(entry);
	(void)json_object_set_new(entry, "id",
	    json_integer((json_int_t)call_position(call, RECORD, id)));
	(void)json_object_del(entry, "previous");
	return entry;
}

static int
add_entry(int64_t id, json_t *entry, void *arg)
{
	struct page *page = arg;

	page->last = id;
	if (is_seen_by(page->call, entry) &&
	    is_wanted(entry, "who", page->who) &&
	    is_wanted(entry, "action", page->action) &&
	    is_wanted(entry, "object", page->object)) {
		(void)json_array_append_new(page->list,
		    shown_entry(page->call, id, entry));
		page->shown = id;
	}
	return json_array_size(page->list) == page->limit ||
	    ++page->looked_at == LOOKED_AT_MAX;
}

static void
answer(struct page *page, int64_t after, int64_t before, bool newest_first)
{
	char *path = noting_path(page->call);
	struct error err = { 0 };
	struct audit *audit = audit_open(path, true, &err);
	int64_t last;
	int rc = 0;

	page->list = json_array();
	if (audit != NULL)
		rc = audit_each(audit, after, before, newest_first, add_entry,
		    page, &err);
	else if (err.kind != ERROR_NOT_FOUND) /* nothing was changed yet */
		rc = -1;
	audit_close(audit);
	free(path);
	if (rc < 0) {
		json_decref(page->list);
		call_error(page->call, &err);
		return;
	}
	/* More may follow where the visit was cut short.  Else a tenant learns
	 * of no entry that it does not see. */
	if (rc == 0 && *page->call->caller.tenant != '\0')
		page->last = page->shown;
	last = call_position(page->call, RECORD,
	    page->last != 0 ? page->last : after);
	call_json(page->call, 200,
	    json_pack("{so so sI}", "entries", page->list, "cursor",
		rc > 0 ? json_integer((json_int_t)last) : json_null(), "last",
		(json_int_t)last));
}

void
api_audit(struct call *call, const char *text)
{
	struct page page = { .call = call };
	bool newest_first = call_parameter(call, "after") == NULL;
	int64_t after, before;

	(void)text;
	page.who = call_parameter(call, "who");
	page.action = call_parameter(call, "action");
	page.object = call_parameter(call, "object");
	if (!call_number(call, "limit", 1, PAGE_MAX, PAGE_DEFAULT,
		&page.limit) ||
	    !call_read_position(call, "after", 0, RECORD, &after) ||
	    !call_read_position(call, "before", 1, RECORD, &before) ||
	    !call_no_others(call))
		return;
	answer(&page, after, before, newest_first);
}
