/*
 * The stop button of a migration, and the way back.
 */
#include "admin/call.h"
#include "admin/handlers.h"
#include "admin/writing.h"
#include "inventory/migration_store.h"
#include "provision/waves.h"

#include <stdio.h>

static void
answer(struct call *call, const struct migration *migration, size_t put_back,
    size_t changed)
{
	call_json(call, 200,
	    json_pack("{sI ss ss sI sI}", "id", (json_int_t)migration->id,
		"state", migration_state_name(migration->state), "reason",
		migration->reason, "put_back", (json_int_t)put_back,
		"left_alone", (json_int_t)changed));
}

/* A migration moves devices of all tenants.  NULL: a problem is the answer. */
static struct inventory *
open_inventory(struct call *call, const char *action)
{
	if (!call_no_others(call) || !call_sees_all(call))
		return NULL;
	return writing_open(call, action);
}

/* None runs, or it is taken back already: that is what it is, not how it was
 * asked for. */
static void
fail(struct call *call, const struct error *err)
{
	if (err->kind == ERROR_NOT_FOUND)
		call_problem(call, 409, "%s", err->text);
	else
		call_error(call, err);
}

void
api_migration_stop(struct call *call, const char *text)
{
	struct inventory *inventory = open_inventory(call, "migrate stop");
	char reason[MIGRATION_REASON_MAX + 1];
	struct migration migration;
	struct error err;
	size_t put_back;

	(void)text;
	if (inventory == NULL)
		return;
	(void)snprintf(reason, sizeof(reason), "stopped by %s",
	    call->caller.name);
	if (waves_stop(inventory, call->now, reason, &migration, &put_back,
		&err) != 0)
		fail(call, &err);
	else
		answer(call, &migration, put_back, 0);
	writing_end(call, inventory);
}

void
api_migration_rollback(struct call *call, const char *text)
{
	struct inventory *inventory = open_inventory(call, "migrate rollback");
	struct migration migration;
	size_t put_back, changed;
	struct error err;

	(void)text;
	if (inventory == NULL)
		return;
	if (waves_roll_back(inventory, call->now, &migration, &put_back,
		&changed, &err) != 0)
		fail(call, &err);
	else
		answer(call, &migration, put_back, changed);
	writing_end(call, inventory);
}
