/*
 * waves.h -- a migration's steps on the inventory: start, step, roll back.
 *
 * Each is one transaction: the devices' rules and what is remembered of them
 * change together or not at all, so a process that is killed leaves the state
 * before or after a step, and the next step goes on from there.  The variables
 * are the devices' own profile_rule and profile_rule_b (migration.h says why).
 * The time is an argument; answers come from the record of resyncs, which may
 * be NULL: nothing is known of any device then.
 */
#ifndef PROVISION_WAVES_H
#define PROVISION_WAVES_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/error.h"
#include "provision/migration.h"

struct ca;
struct inventory;
struct knowledge;
struct resyncs;
struct routes;
struct templates;

/* Why a device is left out at the start. */
enum left_reason {
	LEFT_RETIRED,
	LEFT_REFUSES, /* a claim says that it does not accept the new CA */
	LEFT_UNKNOWN, /* no claim says that it does */
	LEFT_NO_RULE, /* the inventory does not know its rule */
	LEFT_THERE,   /* it has the new rule already */
	LEFT_RULE_B,  /* its Profile_Rule_B is in use */
	LEFT_UNSEEN,  /* the old listener has never answered it */
	LEFT_NO_URL,  /* the new rule gives it no URL of its profile */
	LEFT_REASONS, /* how many there are */
};
const char *left_reason_text(enum left_reason reason);

struct left_out {
	size_t count;
	struct mac example; /* the first of them */
};

struct waves_plan {
	struct migration_end from, to;
	const struct ca *ca; /* of the new listener */
	const char *rule;
	const char *old_rule; /* NULL: each device keeps its own */
	struct wave_shares shares;
	size_t canary;
	unsigned threshold, min_wait_s;
	const char *group, *model; /* NULL: all */
	bool unseen;  /* also devices that the old listener never answered */
	bool dry_run; /* change nothing */
	const struct routes *routes;	   /* of the server */
	const struct templates *templates; /* ditto */
	const struct knowledge *knowledge;
};

struct waves_started {
	struct migration migration;
	size_t devices;
	size_t ends[MIGRATION_WAVES_MAX];
	struct left_out left[LEFT_REASONS];
};

/*
 * Choose the devices and begin the first wave.  started is filled in also when
 * there is no device to move (ERROR_NOT_FOUND).  ERROR_INPUT: a migration is
 * running, the rule is wrong, or a template does not hand on the two rules.
 */
int waves_start(struct inventory *inventory, struct resyncs *resyncs,
    const struct waves_plan *plan, time_t now, struct waves_started *started,
    struct error *err) MUST_CHECK;

/* The members of all waves, counted. */
struct waves_count {
	struct wave_tally all;
	struct wave_tally wave[MIGRATION_WAVES_MAX];
};
int waves_tally(struct inventory *inventory, struct resyncs *resyncs,
    const struct migration *migration, struct waves_count *count,
    struct error *err) MUST_CHECK;

enum waves_event {
	WAVES_WAITING,
	WAVES_ADVANCED, /* the next wave has begun, or the last is done */
	WAVES_FINISHED,
	WAVES_STOPPED,
};

struct waves_step {
	enum waves_event event;
	char reason[MIGRATION_REASON_MAX + 1];
	size_t moved, put_back;	    /* devices, in this step */
	struct migration migration; /* as it is now */
	struct waves_count count;   /* as it was found */
};

/* Look once at the migration that runs, and do what is due.  ERROR_NOT_FOUND
 * when none is running. */
int waves_step(struct inventory *inventory, struct resyncs *resyncs, time_t now,
    struct waves_step *step, struct error *err) MUST_CHECK;

/* End the migration that runs, as it would end itself: devices on trial get
 * their previous rules, those that have moved stay.  ERROR_NOT_FOUND when none
 * is running. */
int waves_stop(struct inventory *inventory, time_t now, const char *reason,
    struct migration *migration, size_t *put_back,
    struct error *err) MUST_CHECK;

/* Give all devices of the newest migration their previous rules.  put_back
 * counts them; changed those whose rules somebody else has set meanwhile. */
int waves_roll_back(struct inventory *inventory, time_t now,
    struct migration *migration, size_t *put_back, size_t *changed,
    struct error *err) MUST_CHECK;

#endif
