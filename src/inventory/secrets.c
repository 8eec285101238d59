/*
 * Secrets at rest: sealed on the way to a store, opened on the way back.
 */
#include "inventory/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pki/seal.h"

_Static_assert(INVENTORY_KEY_ID_BYTES == SEAL_ID_TEXT_BYTES,
    "an id has room for what seal.h writes");

#define CONTEXT_BYTES (OWNER_TEXT_BYTES + INVENTORY_NAME_MAX + 16)

void
inventory_device_owner(const struct mac *mac,
    char owner[static OWNER_TEXT_BYTES])
{
	char text[MAC_TEXT_BYTES];

	mac_format(mac, text);
	(void)snprintf(owner, OWNER_TEXT_BYTES, "device %s", text);
}

void
inventory_scope_owner(enum scope_kind kind, const char *name,
    char owner[static OWNER_TEXT_BYTES])
{
	static const char *const kinds[] = { "default", "model", "group",
		"tag" };

	(void)snprintf(owner, OWNER_TEXT_BYTES, "%s %.*s", kinds[kind],
	    INVENTORY_NAME_MAX, name);
}

/* A sealed value opens only for this owner and name. */
static void
make_context(const char *owner, const char *name,
    char context[static CONTEXT_BYTES])
{
	(void)snprintf(context, CONTEXT_BYTES, "inventory %s %s", owner, name);
}

int
inventory_use_key(struct inventory *inventory, struct seal_key *key,
    struct error *err)
{
	char id[SEAL_ID_TEXT_BYTES];

	if (inventory->store->get_key_id(inventory->state, inventory->key_id,
		err) != 0)
		return -1;
	seal_key_id(key, id);
	if (key != NULL && inventory->key_id[0] != '\0' &&
	    strcmp(inventory->key_id, id) != 0)
		return error_set(err, ERROR_DENIED,
		    "the secrets of the inventory are sealed with the key %s, "
		    "the one given is %s",
		    inventory->key_id, id);
	(void)seal_key_retain(key);
	seal_key_release(inventory->key);
	inventory->key = key;
	return 0;
}

bool
inventory_has_key(const struct inventory *inventory)
{
	return inventory->key != NULL;
}

size_t
inventory_clear_writes(const struct inventory *inventory)
{
	return inventory->clear_writes;
}

static bool
is_secret(struct inventory *inventory, const char *name)
{
	return types_is_secret(&inventory->types, name);
}

bool
inventory_is_secret(struct inventory *inventory, const char *name)
{
	struct error ignored;

	if (inventory_types(inventory, &ignored) == NULL)
		return variable_is_secret(name);
	return is_secret(inventory, name);
}

/* Is there anything to seal? */
static bool
has_clear_secret(struct inventory *inventory, const struct variables *variables)
{
	for (size_t i = 0; i < variables->count; i++)
		if (!variables->list[i].sealed &&
		    is_secret(inventory, variables->list[i].name))
			return true;
	return false;
}

/* A secret is to be written and there is no key: only where none was ever
 * used. */
static int
allow_clear(struct inventory *inventory, const char *owner, struct error *err)
{
	if (inventory->key_id[0] == '\0') {
		inventory->clear_writes++;
		return 0;
	}
	return error_set(err, ERROR_DENIED,
	    "a secret of %s cannot be kept in clear: those of the inventory "
	    "are sealed with the key %s; name its file with --secrets-key or "
	    "$SPROV_SECRETS_KEY",
	    owner, inventory->key_id);
}

/* The first use of a key for writing. */
static int
note_key(struct inventory *inventory, struct error *err)
{
	if (inventory->key_id[0] != '\0')
		return 0;
	seal_key_id(inventory->key, inventory->key_id);
	return inventory->writing ?
	    inventory->store->set_key_id(inventory->state, inventory->key_id,
		err) :
	    0;
}

static int
seal_variable(const struct inventory *inventory, const char *owner,
    struct variable *variable, struct error *err)
{
	char context[CONTEXT_BYTES];
	char *sealed;

	make_context(owner, variable->name, context);
	if (seal_text(inventory->key, context, variable->value, &sealed, err) !=
	    0)
		return error_prefix(err, "%s: %s: ", owner, variable->name);
	variable_replace(variable, sealed, true);
	return 0;
}

int
inventory_protect(struct inventory *inventory, const char *owner,
    const struct variables *variables, struct variables *copy,
    const struct variables **kept, struct error *err)
{
	*kept = variables;
	if (inventory_types(inventory, err) == NULL)
		return -1;
	if (!has_clear_secret(inventory, variables))
		return 0;
	if (inventory->key == NULL)
		return allow_clear(inventory, owner, err);
	if (note_key(inventory, err) != 0)
		return -1;
	(void)variables_copy(copy, variables);
	for (size_t i = 0; i < copy->count; i++)
		if (!copy->list[i].sealed &&
		    is_secret(inventory, copy->list[i].name) &&
		    seal_variable(inventory, owner, &copy->list[i], err) != 0)
			return -1;
	*kept = copy;
	return 0;
}

int
inventory_reveal(const struct inventory *inventory, const char *owner,
    struct variables *variables, struct error *err)
{
	char context[CONTEXT_BYTES];
	char *plain;

	for (size_t i = 0; inventory->key != NULL && i < variables->count;
	     i++) {
		struct variable *variable = &variables->list[i];

		if (!variable->sealed)
			continue;
		make_context(owner, variable->name, context);
		if (seal_open_text(inventory->key, context, variable->value,
			&plain, err) != 0)
			return error_prefix(err, "%s: %s: ", owner,
			    variable->name);
		variable_replace(variable, plain, false);
	}
	return 0;
}

/* Everything that has secrets. */
struct holders {
	struct inventory *inventory;
	struct inventory_secrets secrets;
	struct mac *macs;
	size_t mac_count, mac_room;
	struct scope *scopes; /* without their variables */
	size_t scope_count;
};

/* How many secrets there are; counts those in clear and the sealed ones. */
static size_t
count_values(struct holders *holders, const struct variables *variables)
{
	size_t count = 0;

	for (size_t i = 0; i < variables->count; i++) {
		const struct variable *variable = &variables->list[i];

		if (!variable->sealed &&
		    !is_secret(holders->inventory, variable->name))
			continue;
		count++;
		if (variable->sealed)
			holders->secrets.sealed++;
		else
			holders->secrets.clear++;
	}
	return count;
}

static int
hold_device(const struct device *device, void *arg)
{
	struct holders *holders = arg;

	if (count_values(holders, &device->variables) == 0)
		return 0;
	if (holders->mac_count == holders->mac_room) {
		holders->mac_room = holders->mac_room * 2 + 64;
		holders->macs = xrealloc(holders->macs,
		    holders->mac_room * sizeof(*holders->macs));
	}
	holders->macs[holders->mac_count++] = device->mac;
	return 0;
}

static int
hold_scope(const struct scope *scope, void *arg)
{
	struct holders *holders = arg;

	if (count_values(holders, &scope->variables) == 0)
		return 0;
	holders->scopes = xrealloc(holders->scopes,
	    (holders->scope_count + 1) * sizeof(*holders->scopes));
	holders->scopes[holders->scope_count] = *scope;
	holders->scopes[holders->scope_count++].variables = (struct variables) {
		0
	};
	return 0;
}

/* As the store has them: nothing is opened. */
static int
find_holders(struct inventory *inventory, struct holders *holders,
    struct error *err)
{
	const struct inventory_store *store = inventory->store;

	*holders = (struct holders) { .inventory = inventory };
	if (inventory_types(inventory, err) == NULL ||
	    store->each_scope(inventory->state, hold_scope, holders, err) !=
		0 ||
	    store->each_device(inventory->state, hold_device, holders, err) !=
		0)
		return -1;
	return 0;
}

static void
holders_clear(struct holders *holders)
{
	free(holders->macs);
	free(holders->scopes);
}

int
inventory_count_secrets(struct inventory *inventory,
    struct inventory_secrets *secrets, struct error *err)
{
	struct holders holders = { 0 };
	int rc;

	rc = inventory_begin_read(inventory, err);
	if (rc == 0) {
		rc = find_holders(inventory, &holders, err);
		inventory_end_read(inventory);
	}
	if (rc == 0) {
		*secrets = holders.secrets;
		rc = inventory->store->get_key_id(inventory->state,
		    secrets->key_id, err);
	}
	holders_clear(&holders);
	return rc;
}

/* Read one with the key of before and write it with the new one. */
static int
reseal_device(struct inventory *inventory, const struct mac *mac,
    struct seal_key *key, struct error *err)
{
	struct seal_key *before = inventory->key;
	struct device device;
	int rc;

	if (inventory_get_device(inventory, mac, &device, err) != 0)
		return -1;
	inventory->key = key;
	rc = inventory_update_device(inventory, &device, err);
	inventory->key = before;
	device_clear(&device);
	return rc;
}

static int
reseal_scope(struct inventory *inventory, const struct scope *holder,
    struct seal_key *key, struct error *err)
{
	struct seal_key *before = inventory->key;
	struct scope scope;
	int rc;

	if (inventory_get_scope(inventory, holder->kind, holder->name, &scope,
		err) != 0)
		return -1;
	inventory->key = key;
	rc = inventory_put_scope(inventory, &scope, err);
	inventory->key = before;
	scope_clear(&scope);
	return rc;
}

/* Within a transaction. */
static int
reseal_all(struct inventory *inventory, const struct holders *holders,
    struct seal_key *key, struct error *err)
{
	seal_key_id(key, inventory->key_id);
	if (inventory->store->set_key_id(inventory->state, inventory->key_id,
		err) != 0)
		return -1;
	for (size_t i = 0; i < holders->scope_count; i++)
		if (reseal_scope(inventory, &holders->scopes[i], key, err) != 0)
			return -1;
	for (size_t i = 0; i < holders->mac_count; i++)
		if (reseal_device(inventory, &holders->macs[i], key, err) != 0)
			return -1;
	inventory->changed = true;
	return 0;
}

/* What is sealed can only be resealed when it can be read. */
static int
check_readable(const struct inventory *inventory, struct error *err)
{
	if (inventory->key != NULL || inventory->key_id[0] == '\0')
		return 0;
	return error_set(err, ERROR_DENIED,
	    "the secrets of the inventory are sealed with the key %s, which "
	    "was not given: name its file with --secrets-key or "
	    "$SPROV_SECRETS_KEY",
	    inventory->key_id);
}

int
inventory_reseal(struct inventory *inventory, struct seal_key *key,
    size_t *resealed, struct error *err)
{
	struct holders holders = { 0 };
	int rc = -1;

	if (check_readable(inventory, err) != 0 ||
	    inventory_begin(inventory, err) != 0)
		return -1;
	if (find_holders(inventory, &holders, err) == 0 &&
	    reseal_all(inventory, &holders, key, err) == 0 &&
	    inventory_commit(inventory, err) == 0)
		rc = inventory->store->scrub(inventory->state, err);
	inventory_rollback(inventory);
	if (rc == 0) {
		*resealed = holders.secrets.sealed + holders.secrets.clear;
		rc = inventory_use_key(inventory, key, err);
	}
	holders_clear(&holders);
	return rc;
}
