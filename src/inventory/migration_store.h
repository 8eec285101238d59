/*
 * migration_store.h -- migrations from one CA's listener to another's, as the
 * inventory keeps them.
 *
 * A migration has waves, and a member for each of its devices, with the values
 * that the device had before.  What the states lead to is decided elsewhere
 * (provision/migration.h); here they are only kept, in the same transactions
 * as the devices' variables.  Migrations are never removed; members go with
 * their devices.
 *
 * Writing needs inventory_begin(); a write that fails leaves nothing to do but
 * inventory_rollback().  An inventory in memory keeps no migrations: all of
 * this then fails with ERROR_INPUT.
 */
#ifndef INVENTORY_MIGRATION_STORE_H
#define INVENTORY_MIGRATION_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "base/mac.h"
#include "inventory/inventory.h"

#define MIGRATION_WAVES_MAX 16
#define MIGRATION_REASON_MAX 255

enum migration_state {
	MIGRATION_RUNNING,
	MIGRATION_DONE,
	MIGRATION_STOPPED, /* by itself; devices of earlier waves stay */
	MIGRATION_ROLLED_BACK,
};

enum wave_state {
	WAVE_PENDING,
	WAVE_TRIAL, /* its devices try the new listener after the old one */
	WAVE_DONE,  /* enough of them were answered there */
	WAVE_PUT_BACK,
};

enum member_state {
	MEMBER_WAITING, /* for its wave */
	MEMBER_TRIAL,
	MEMBER_MOVED,	 /* answered by the new listener, now led there alone */
	MEMBER_PUT_BACK, /* it has its previous values again */
	MEMBER_CHANGED,	 /* somebody set its rules meanwhile: left alone */
};

/* What --from and --to name. */
struct migration_end {
	bool is_ca; /* else a listener */
	char name[INVENTORY_NAME_MAX + 1];
};

struct migration_wave {
	enum wave_state state;
	time_t started_at, ended_at; /* 0: not yet */
};

struct migration {
	int64_t id;
	struct migration_end from, to;
	char rule[INVENTORY_VALUE_MAX + 1];
	bool has_old_rule; /* else each device keeps the one it has */
	char old_rule[INVENTORY_VALUE_MAX + 1];
	unsigned threshold; /* percent */
	unsigned min_wait_s;
	enum migration_state state;
	char reason[MIGRATION_REASON_MAX + 1]; /* why it is in that state */
	time_t started_at, ended_at;
	size_t wave_count;
	struct migration_wave waves[MIGRATION_WAVES_MAX];
};

struct migration_member {
	struct mac mac;
	unsigned wave; /* from 1 */
	enum member_state state;
	char *previous_rule; /* the device's own values; NULL: it had none */
	char *previous_rule_b;
	time_t trial_at; /* 0: not yet */
	/* Answers by the old and the new listener before the trial, and of the
	 * latter the profiles. */
	uint64_t old_answers, new_answers, new_profiles;
};

/* "running", "rolled-back" ... */
const char *migration_state_name(enum migration_state state);
const char *wave_state_name(enum wave_state state);
const char *member_state_name(enum member_state state);

/* Keep a new one; migration->id is set.  ERROR_INPUT when one is running. */
int migration_store_add(struct inventory *inventory,
    struct migration *migration, const struct migration_member *members,
    size_t count, struct error *err) MUST_CHECK;

/* State, reason, end, and those of the waves. */
int migration_store_update(struct inventory *inventory,
    const struct migration *migration, struct error *err) MUST_CHECK;

/* State, previous values, times and answers of some of its members. */
int migration_store_update_members(struct inventory *inventory, int64_t id,
    const struct migration_member *members, size_t count,
    struct error *err) MUST_CHECK;

/* Load one; id 0 is the newest.  Ids count from 1 without a gap.
 * ERROR_NOT_FOUND. */
int migration_store_load(struct inventory *inventory, int64_t id,
    struct migration *migration, struct error *err) MUST_CHECK;

/* Its members by wave and MAC; the caller's migration_members_free(). */
int migration_store_members(struct inventory *inventory, int64_t id,
    struct migration_member **members, size_t *count,
    struct error *err) MUST_CHECK;
void migration_members_free(struct migration_member *members, size_t count);

#endif
