#include "inventory/migration_store.h"
#include "inventory/changes.h"
#include "inventory/internal.h"
#include "inventory/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const char *const migration_states[] = {
	[MIGRATION_RUNNING] = "running",
	[MIGRATION_DONE] = "done",
	[MIGRATION_STOPPED] = "stopped",
	[MIGRATION_ROLLED_BACK] = "rolled-back",
};
static const char *const wave_states[] = {
	[WAVE_PENDING] = "pending",
	[WAVE_TRIAL] = "trial",
	[WAVE_DONE] = "done",
	[WAVE_PUT_BACK] = "put-back",
};
static const char *const member_states[] = {
	[MEMBER_WAITING] = "waiting",
	[MEMBER_TRIAL] = "trial",
	[MEMBER_MOVED] = "moved",
	[MEMBER_PUT_BACK] = "put-back",
	[MEMBER_CHANGED] = "changed",
};

const char *
migration_state_name(enum migration_state state)
{
	return migration_states[state];
}

const char *
wave_state_name(enum wave_state state)
{
	return wave_states[state];
}

const char *
member_state_name(enum member_state state)
{
	return member_states[state];
}

static int
find(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

int
migration_state_find(const char *name)
{
	return find(migration_states, COUNT(migration_states), name);
}

int
wave_state_find(const char *name)
{
	return find(wave_states, COUNT(wave_states), name);
}

int
member_state_find(const char *name)
{
	return find(member_states, COUNT(member_states), name);
}

static const struct inventory_migrations *
find_store(const struct inventory *inventory, void **state, bool *writing,
    struct error *err)
{
	const struct inventory_store *store = inventory_behind(inventory, state,
	    writing);

	if (store->migration == NULL)
		(void)error_set(err, ERROR_INPUT,
		    "this inventory keeps no migrations: they need one in a "
		    "file, sqlite:PATH");
	return store->migration;
}

int
migration_store_add(struct inventory *inventory, struct migration *migration,
    const struct migration_member *members, size_t count, struct error *err)
{
	const struct inventory_migrations *store;
	bool writing;
	void *state;

	store = find_store(inventory, &state, &writing, err);
	assert(store == NULL || writing);
	return store == NULL ?
	    -1 :
	    store->add(state, migration, members, count, err);
}

int
migration_store_update(struct inventory *inventory,
    const struct migration *migration, struct error *err)
{
	const struct inventory_migrations *store;
	bool writing;
	void *state;

	store = find_store(inventory, &state, &writing, err);
	assert(store == NULL || writing);
	if (store == NULL || store->update(state, migration, err) != 0)
		return -1;
	changes_migration(inventory->changes, migration);
	return 0;
}

int
migration_store_update_members(struct inventory *inventory, int64_t id,
    const struct migration_member *members, size_t count, struct error *err)
{
	const struct inventory_migrations *store;
	bool writing;
	void *state;

	store = find_store(inventory, &state, &writing, err);
	assert(store == NULL || writing);
	return store == NULL ?
	    -1 :
	    store->update_members(state, id, members, count, err);
}

int
migration_store_load(struct inventory *inventory, int64_t id,
    struct migration *migration, struct error *err)
{
	const struct inventory_migrations *store;
	bool writing;
	void *state;

	store = find_store(inventory, &state, &writing, err);
	return store == NULL ? -1 : store->load(state, id, migration, err);
}

int
migration_store_members(struct inventory *inventory, int64_t id,
    struct migration_member **members, size_t *count, struct error *err)
{
	const struct inventory_migrations *store;
	bool writing;
	void *state;

	store = find_store(inventory, &state, &writing, err);
	return store == NULL ? -1 :
			       store->members(state, id, members, count, err);
}

void
migration_members_free(struct migration_member *members, size_t count)
{
	for (size_t i = 0; members != NULL && i < count; i++) {
		free(members[i].previous_rule);
		free(members[i].previous_rule_b);
	}
	free(members);
}
