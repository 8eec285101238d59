/*
 * migration.h -- the decisions of a migration from one CA's listener to
 * another's: who is in which wave, and when one has gone well.
 *
 * How a device tries the new listener without being lost when it does not
 * accept it:
 *
 *   - The rules of a resync run in order, Profile_Rule first, then B:
 *     [ATA-AG] p. 59, [ATA19X-PROV].  The first that fails ends the resync, and
 *     the retry begins with the first again: [MPP-PROV].  So Profile_Rule_B is
 *     no fallback: behind a Profile_Rule that fails it is never reached.
 *   - Therefore the old rule stays first while a device is on trial, and the
 *     new rule is its Profile_Rule_B.  Every resync begins with a profile from
 *     the old listener, whatever the new one does, and each profile that the
 *     new one hands out shows that this device accepts it.
 *   - Only a device that the new listener has answered with its profile is
 *     moved: the new rule becomes its Profile_Rule, and B is cleared.
 *   - A device that does not know Profile_Rule_B is never seen at the new
 *     listener, and so stays where it is.
 *
 * ASSUMED: the sources describe the order for SPA1xx and ATA19x and the abort
 * for multiplatform phones only; all families are taken to do the same.  One
 * that went on after a failure would lose nothing here.  ASSUMED: the profile
 * of the first rule is in force although a later rule fails.
 *
 * All of this is pure: times and answers are arguments.
 */
#ifndef PROVISION_MIGRATION_H
#define PROVISION_MIGRATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "base/mac.h"
#include "inventory/migration_store.h"

struct resync_summary;

/* The shares of the waves, as asked for. */
struct wave_shares {
	size_t count;
	unsigned percent[MIGRATION_WAVES_MAX]; /* rising; the last is 100 */
};

/* Read "1%,10%,50%,100%": rising, the last one 100 %. */
int wave_shares_parse(struct wave_shares *shares, const char *text,
    struct error *err) MUST_CHECK;

/*
 * How many of count devices are in the waves up to each: ends[i] for wave
 * i + 1.  canary, when not 0, makes a first wave of so many.  A wave that would
 * get no device is left out; the last one ends at count, which is at least 1.
 * Returns the number of waves.
 */
size_t waves_cut(const struct wave_shares *shares, size_t canary, size_t count,
    size_t ends[static MIGRATION_WAVES_MAX]);

/* Devices go in the order of this number: the same every time, and unrelated to
 * how addresses are given out.  Those with the same number go by address. */
uint64_t wave_rank(const struct mac *mac);

/* What the old and the new listener have answered a device, ever. */
struct member_answers {
	uint64_t old_answers, new_answers, new_profiles;
	time_t old_at; /* the last one; 0: none */
	time_t new_at;
	int new_status; /* ditto; 0: none */
};

/* Add what is known of the device at one listener, if it is one of the two. */
void member_answers_add(struct member_answers *answers,
    const struct migration *migration, const struct resync_summary *summary);

enum member_progress {
	PROGRESS_ABSENT,  /* not heard of since its trial began */
	PROGRESS_OLD,	  /* only by the old listener so far */
	PROGRESS_NEW,	  /* it got its profile from the new one */
	PROGRESS_FAILING, /* refused by the new one, or again and again at the
			   * old one only: it does not accept the new one */
};

/* Answers at the old listener alone that make a device one that fails, and how
 * long the last of them has to be after the start of the trial: the first
 * brings the rule, the next ones come from devices that have tried it. */
#define MEMBER_OLD_ANSWERS 3
#define MEMBER_OLD_AFTER_S 600

/* Of a member on trial, or one that is moved; counts that went backwards (the
 * record was removed) are taken as new. */
enum member_progress member_progress(const struct migration_member *member,
    const struct member_answers *answers);

/* Members by state and, of those on trial, by progress. */
struct wave_tally {
	size_t members; /* without those that somebody else has changed */
	size_t waiting, absent, old, new, failing;
	size_t moved, moved_failing; /* the latter are among the former */
	size_t put_back, changed;
};
void wave_tally_add(struct wave_tally *tally,
    const struct migration_member *member, enum member_progress progress);

enum wave_verdict { WAVE_WAIT, WAVE_ADVANCE, WAVE_STOP };

/*
 * Look at the wave on trial, numbered from 1, and at all waves together.
 * Advance: enough of its devices were answered by the new listener; or, after
 * the minimal wait, enough of those that were heard of at all.  Stop: so many
 * fail that it cannot come to that any more, in this wave or among the devices
 * moved before; or the minimal wait is over.  reason says why, in words, also
 * for WAVE_WAIT.
 */
enum wave_verdict wave_judge(const struct migration *migration, size_t wave,
    const struct wave_tally *tally, const struct wave_tally *all, time_t now,
    char reason[static MIGRATION_REASON_MAX + 1]);

/* The wave on trial, from 1; 0: none. */
size_t migration_current_wave(const struct migration *migration);

/* Is it time to give up on those that are still on trial after the last wave
 * was done? */
bool migration_is_over(const struct migration *migration, time_t now);

#endif
