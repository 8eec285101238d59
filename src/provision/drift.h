/*
 * drift.h -- two flat profiles side by side: what a new one would change, and
 * what a device has that we did not give it.
 *
 * A device reports every parameter, a profile sets some: only those are
 * compared.  What a report cannot tell is no drift: values that can be written
 * only (GPP_SA to GPP_SD [ATA19X-PROV]), and secrets that it leaves out or masks.
 */
#ifndef PROVISION_DRIFT_H
#define PROVISION_DRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct flat_profile;

enum change_kind {
	/* Of two profiles */
	CHANGE_ADDED,	/* the new one sets it, the old one did not */
	CHANGE_REMOVED, /* the other way: the device keeps the value it has */
	CHANGE_VALUE,
	CHANGE_ACCESS, /* the attribute ua */
	/* Of a profile and a report */
	DRIFT_CHANGED,	   /* somebody changed it on the device */
	DRIFT_NOT_APPLIED, /* the device did not take it */
	DRIFT_UNKNOWN,	   /* reported as changed, and never served */
};

/* "added", "changed on the phone", ... */
const char *change_kind_name(enum change_kind kind);
/* The same as one word: "added", "changed-on-phone". */
const char *change_kind_word(enum change_kind kind);

struct change {
	enum change_kind kind;
	/* Borrowed from the profiles; a value is NULL where there is none. */
	const char *path, *name;
	const char *old_value; /* or what was served */
	const char *new_value; /* or what was reported */
	bool is_secret;	       /* neither value is for everybody's eyes */
	const char *why;       /* of DRIFT_NOT_APPLIED; a few words, or "" */
};

struct changes {
	struct change *list; /* in the order of the (new or served) profile */
	size_t count;
	/* Of a drift: */
	size_t compared; /* parameters that the report could tell of */
	size_t untold;	 /* served, but no report can or did tell */
	size_t unserved; /* reported, and never served */
};

void changes_clear(struct changes *changes);

/* What changes when fresh comes after old.  Both outlive *changes. */
void changes_between(const struct flat_profile *old,
    const struct flat_profile *fresh, struct changes *changes);

struct drift_input {
	const struct flat_profile *served;
	time_t served_at;
	const struct flat_profile *report; /* all parameters; or NULL */
	time_t report_at;
	const struct flat_profile *delta; /* changed after that; or NULL */
	time_t delta_at;
};

/* What differs; the profiles outlive *changes. */
void changes_drift(const struct drift_input *input, struct changes *changes);

#endif
