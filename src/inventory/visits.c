#include "inventory/internal.h"

/* Who visits what the store yields, with the secrets opened. */
struct visit {
	struct inventory *inventory;
	inventory_visit_device *device;
	inventory_visit_scope *scope;
	void *arg;
	struct error *err;
};

static int
visit_device(const struct device *device, void *arg)
{
	const struct visit *visit = arg;
	struct device view = *device; /* not cleared: its parts are not ours */
	char owner[OWNER_TEXT_BYTES];

	if (visit->inventory->key != NULL) {
		inventory_device_owner(&device->mac, owner);
		if (inventory_reveal(visit->inventory, owner, &view.variables,
			visit->err) != 0)
			return -1;
	}
	return visit->device(&view, visit->arg);
}

static int
visit_scope(const struct scope *scope, void *arg)
{
	const struct visit *visit = arg;
	struct scope view = *scope;
	char owner[OWNER_TEXT_BYTES];

	if (visit->inventory->key != NULL) {
		inventory_scope_owner(scope->kind, scope->name, owner);
		if (inventory_reveal(visit->inventory, owner, &view.variables,
			visit->err) != 0)
			return -1;
	}
	return visit->scope(&view, visit->arg);
}

int
inventory_each_device(struct inventory *inventory,
    inventory_visit_device *device, void *arg, struct error *err)
{
	struct visit visit = { inventory, device, NULL, arg, err };
	int rc;

	inventory->visits++;
	rc = inventory->store->each_device(inventory->state, visit_device,
	    &visit, err);
	inventory->visits--;
	return rc;
}

int
inventory_each_kind(struct inventory *inventory, inventory_visit_kind *visit,
    void *arg, struct error *err)
{
	int rc;

	inventory->visits++;
	rc = inventory->store->each_kind(inventory->state, visit, arg, err);
	inventory->visits--;
	return rc;
}

int
inventory_each_scope(struct inventory *inventory, inventory_visit_scope *scope,
    void *arg, struct error *err)
{
	struct visit visit = { inventory, NULL, scope, arg, err };
	int rc;

	inventory->visits++;
	rc = inventory->store->each_scope(inventory->state, visit_scope, &visit,
	    err);
	inventory->visits--;
	return rc;
}

int
inventory_each_changed(struct inventory *inventory, uint64_t since,
    inventory_visit_changed *visit, void *arg, bool *known, bool *scopes,
    struct error *err)
{
	return inventory->store->each_changed(inventory->state, since, visit,
	    arg, known, scopes, err);
}
