#include "provision/waves.h"
#include "base/mem.h"
#include "inventory/inventory.h"
#include "inventory/resyncs.h"
#include "provision/waves_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a step works with. */
struct work {
	struct inventory *inventory;
	struct resyncs *resyncs;
	time_t now;
	struct migration *migration;
	struct migration_member *members;
	enum member_progress *progress; /* of each member */
	size_t count;
	struct waves_count tally;
};

/* ------------------------------------------------------------- counting */

static int
count_members(struct work *work, struct error *err)
{
	for (size_t i = 0; i < work->count; i++) {
		const struct migration_member *member = &work->members[i];
		struct member_answers answers = { 0 };

		work->progress[i] = PROGRESS_ABSENT;
		if (member->state == MEMBER_TRIAL ||
		    member->state == MEMBER_MOVED) {
			if (waves_ask(work->resyncs, work->migration,
				&member->mac, &answers, err) != 0)
				return -1;
			work->progress[i] = member_progress(member, &answers);
		}
		if (member->wave < 1 ||
		    member->wave > work->migration->wave_count)
			return error_set(err, ERROR_SYSTEM,
			    "the inventory is damaged: a member of migration "
			    "%lld is in no wave",
			    (long long)work->migration->id);
		wave_tally_add(&work->tally.wave[member->wave - 1], member,
		    work->progress[i]);
		wave_tally_add(&work->tally.all, member, work->progress[i]);
	}
	return 0;
}

static int
load_members(struct work *work, struct error *err)
{
	if (migration_store_members(work->inventory, work->migration->id,
		&work->members, &work->count, err) != 0)
		return -1;
	work->progress = xcalloc(work->count + 1, sizeof(*work->progress));
	return count_members(work, err);
}

static void
work_clear(struct work *work)
{
	migration_members_free(work->members, work->count);
	free(work->progress);
}

/* All of the work or nothing, as rc says. */
static int
settle(struct work *work, int rc, struct error *err)
{
	if (rc == 0)
		rc = inventory_commit(work->inventory, err);
	else
		inventory_rollback(work->inventory);
	work_clear(work);
	return rc;
}

int
waves_tally(struct inventory *inventory, struct resyncs *resyncs,
    const struct migration *migration, struct waves_count *count,
    struct error *err)
{
	struct migration copy = *migration;
	struct work work = {
		.inventory = inventory, .resyncs = resyncs, .migration = &copy
	};
	int rc = load_members(&work, err);

	*count = work.tally;
	work_clear(&work);
	return rc;
}

/* ------------------------------------------------------------- changing */

/* Members on trial in any wave that got their profile from the new listener
 * and are in one that is done: it is theirs now. */
static int
move_members(struct work *work, size_t *moved, struct error *err)
{
	for (size_t i = 0; i < work->count; i++) {
		struct migration_member *member = &work->members[i];

		if (member->state != MEMBER_TRIAL ||
		    work->progress[i] != PROGRESS_NEW ||
		    work->migration->waves[member->wave - 1].state != WAVE_DONE)
			continue;
		if (waves_change_member(work->inventory, work->migration, NULL,
			member, MEMBER_MOVED, err) != 0)
			return -1;
		*moved += member->state == MEMBER_MOVED;
	}
	return 0;
}

/* All that are on trial; with moved, those that have moved as well. */
static int
put_back_members(struct work *work, bool moved, size_t *put_back,
    struct error *err)
{
	for (size_t i = 0; i < work->count; i++) {
		struct migration_member *member = &work->members[i];

		if (member->state != MEMBER_TRIAL &&
		    !(moved && member->state == MEMBER_MOVED))
			continue;
		if (waves_change_member(work->inventory, work->migration, NULL,
			member, MEMBER_PUT_BACK, err) != 0)
			return -1;
		*put_back += member->state == MEMBER_PUT_BACK;
	}
	return 0;
}

static void
end_migration(struct work *work, enum migration_state state, const char *reason)
{
	struct migration *migration = work->migration;

	migration->state = state;
	migration->ended_at = work->now;
	(void)snprintf(migration->reason, sizeof(migration->reason), "%s",
	    reason);
	for (size_t i = 0; i < migration->wave_count; i++) {
		struct migration_wave *wave = &migration->waves[i];

		if (wave->state == WAVE_TRIAL ||
		    (wave->state == WAVE_DONE &&
			state == MIGRATION_ROLLED_BACK)) {
			wave->state = WAVE_PUT_BACK;
			wave->ended_at = work->now;
		}
	}
}

static int
stop(struct work *work, struct waves_step *step, struct error *err)
{
	if (put_back_members(work, false, &step->put_back, err) != 0)
		return -1;
	step->event = WAVES_STOPPED;
	end_migration(work, MIGRATION_STOPPED, step->reason);
	return 0;
}

static int
advance(struct work *work, size_t wave, struct waves_step *step,
    struct error *err)
{
	struct migration *migration = work->migration;

	migration->waves[wave - 1].state = WAVE_DONE;
	migration->waves[wave - 1].ended_at = work->now;
	step->event = WAVES_ADVANCED;
	if (wave == migration->wave_count)
		return 0;
	return waves_begin(work->inventory, work->resyncs, migration, wave + 1,
	    work->members, work->count, work->now, err);
}

/* The last wave is done: wait for those that still are on trial, but not for
 * ever. */
static int
finish(struct work *work, struct waves_step *step, struct error *err)
{
	size_t trial = 0, moved = 0, all = 0;
	char reason[MIGRATION_REASON_MAX + 1];

	for (size_t i = 0; i < work->count; i++) {
		trial += work->members[i].state == MEMBER_TRIAL;
		moved += work->members[i].state == MEMBER_MOVED;
		all += work->members[i].state != MEMBER_CHANGED;
	}
	if (trial > 0 && !migration_is_over(work->migration, work->now)) {
		(void)snprintf(step->reason, sizeof(step->reason),
		    "%zu of %zu devices moved, waiting for the others", moved,
		    all);
		return 0;
	}
	if (put_back_members(work, false, &step->put_back, err) != 0)
		return -1;
	if (moved == all)
		(void)snprintf(reason, sizeof(reason), "all %zu devices moved",
		    moved);
	else
		(void)snprintf(reason, sizeof(reason),
		    "%zu of %zu devices moved, %zu were put back", moved, all,
		    all - moved);
	step->event = WAVES_FINISHED;
	(void)snprintf(step->reason, sizeof(step->reason), "%s", reason);
	end_migration(work, MIGRATION_DONE, reason);
	return 0;
}

static int
judge(struct work *work, struct waves_step *step, struct error *err)
{
	size_t wave = migration_current_wave(work->migration);
	enum wave_verdict verdict;

	if (wave == 0)
		return 0; /* all are done */
	verdict = wave_judge(work->migration, wave, &work->tally.wave[wave - 1],
	    &work->tally.all, work->now, step->reason);
	switch (verdict) {
	case WAVE_WAIT:
		return 0;
	case WAVE_STOP:
		return stop(work, step, err);
	case WAVE_ADVANCE:
		return advance(work, wave, step, err);
	}
	return 0;
}

/* The newest one, which has to be running, with its members. */
static int
load_running(struct work *work, struct error *err)
{
	struct migration *migration = work->migration;

	if (migration_store_load(work->inventory, 0, migration, err) != 0)
		return -1;
	if (migration->state != MIGRATION_RUNNING)
		return error_set(err, ERROR_NOT_FOUND,
		    "no migration is running: migration %lld is %s",
		    (long long)migration->id,
		    migration_state_name(migration->state));
	return load_members(work, err);
}

static int
write_all(struct work *work, struct error *err)
{
	if (migration_store_update(work->inventory, work->migration, err) != 0)
		return -1;
	return migration_store_update_members(work->inventory,
	    work->migration->id, work->members, work->count, err);
}

/* Within a transaction. */
static int
do_step(struct work *work, struct waves_step *step, struct error *err)
{
	struct migration *migration = work->migration;

	if (load_running(work, err) != 0 || judge(work, step, err) != 0)
		return -1;
	if (migration->state == MIGRATION_RUNNING &&
	    move_members(work, &step->moved, err) != 0)
		return -1;
	if (migration->state == MIGRATION_RUNNING &&
	    migration->waves[migration->wave_count - 1].state == WAVE_DONE &&
	    finish(work, step, err) != 0)
		return -1;
	if (step->event == WAVES_WAITING && step->moved == 0)
		return 0; /* nothing to write */
	return write_all(work, err);
}

int
waves_step(struct inventory *inventory, struct resyncs *resyncs, time_t now,
    struct waves_step *step, struct error *err)
{
	struct work work = { .inventory = inventory,
		.resyncs = resyncs,
		.now = now,
		.migration = &step->migration };
	int rc;

	*step = (struct waves_step) { .event = WAVES_WAITING };
	if (inventory_begin(inventory, err) != 0)
		return -1;
	rc = do_step(&work, step, err);
	step->count = work.tally;
	return settle(&work, rc, err);
}

static int
do_stop(struct work *work, const char *reason, size_t *put_back,
    struct error *err)
{
	if (load_running(work, err) != 0 ||
	    put_back_members(work, false, put_back, err) != 0)
		return -1;
	end_migration(work, MIGRATION_STOPPED, reason);
	return write_all(work, err);
}

int
waves_stop(struct inventory *inventory, time_t now, const char *reason,
    struct migration *migration, size_t *put_back, struct error *err)
{
	struct work work = {
		.inventory = inventory, .now = now, .migration = migration
	};
	int rc;

	*put_back = 0;
	if (inventory_begin(inventory, err) != 0)
		return -1;
	rc = do_stop(&work, reason, put_back, err);
	return settle(&work, rc, err);
}

static int
do_roll_back(struct work *work, size_t *put_back, size_t *changed,
    struct error *err)
{
	struct migration *migration = work->migration;

	if (migration_store_load(work->inventory, 0, migration, err) != 0)
		return -1;
	if (migration->state == MIGRATION_ROLLED_BACK)
		return error_set(err, ERROR_NOT_FOUND,
		    "migration %lld is rolled back already",
		    (long long)migration->id);
	if (load_members(work, err) != 0 ||
	    put_back_members(work, true, put_back, err) != 0)
		return -1;
	for (size_t i = 0; i < work->count; i++)
		*changed += work->members[i].state == MEMBER_CHANGED;
	end_migration(work, MIGRATION_ROLLED_BACK, "taken back by hand");
	return write_all(work, err);
}

int
waves_roll_back(struct inventory *inventory, time_t now,
    struct migration *migration, size_t *put_back, size_t *changed,
    struct error *err)
{
	struct work work = {
		.inventory = inventory, .now = now, .migration = migration
	};
	int rc;

	*put_back = *changed = 0;
	if (inventory_begin(inventory, err) != 0)
		return -1;
	rc = do_roll_back(&work, put_back, changed, err);
	return settle(&work, rc, err);
}
