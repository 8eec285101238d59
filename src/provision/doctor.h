/*
 * doctor.h -- many diagnoses become few groups: what fails, how many devices it
 * concerns, since when, and whether it still does.
 *
 * A device is known by its MAC address or, where that is not known, by the
 * address that it came from and its ClientHello class.  One that was served
 * after it failed has recovered.  Clones and storms are seen here, because no
 * single event shows them.
 */
#ifndef PROVISION_DOCTOR_H
#define PROVISION_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "provision/diagnose.h"

/* Groups that are told apart; what is beyond them goes into the last one. */
#define DOCTOR_GROUPS_MAX 1000
/* Models that a group names. */
#define DOCTOR_MODELS_MAX 16

struct doctor_model {
	const struct model *model; /* NULL: not known */
	size_t devices;
};

struct doctor_group {
	struct diagnosis last; /* of its last event: text, evidence, fix */
	char listener[EVENT_NAME_MAX + 1];
	char source[EVENT_NAME_MAX + 1]; /* of its last event */
	enum confidence confidence;	 /* the best of all */
	size_t devices;			 /* that failed so */
	size_t recovered;		 /* of them; were served since */
	uint64_t events;
	time_t first_at, last_at;
	size_t model_count;
	struct doctor_model models[DOCTOR_MODELS_MAX];
};

struct doctor;

void doctor_free(struct doctor *doctor);
struct doctor *doctor_new(void) FREED_BY(doctor_free);

/* Add an event, in the order of time, and what was made of it. */
void doctor_add(struct doctor *doctor, const struct event *event,
    const struct diagnosis *diagnosis);

/*
 * The same of a device that was served and is known by its certificate: who it
 * is needs no diagnosis then.  False: it does, and nothing was added.
 */
bool doctor_add_served(struct doctor *doctor, const struct event *event);

/* How many events and devices there were, and how many devices were served. */
struct doctor_totals {
	uint64_t events;
	size_t devices, served, failing; /* failing: and not served since */
};

/*
 * After the last event: the groups, those first of which most devices fail
 * still; borrowed until doctor_free.
 */
const struct doctor_group *doctor_groups(struct doctor *doctor, size_t *count,
    struct doctor_totals *totals);

#endif
