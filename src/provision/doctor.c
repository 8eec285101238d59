#include "provision/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define uthash_malloc(size) xmalloc(size)
#include <uthash.h>

/* A certificate at two places: seen at one, at another, and at the first again
 * within this time. */
#define CLONE_S 3600
/* A storm: so many events in a minute, of which a fifth came to nothing for
 * lack of time. */
#define STORM_EVENTS 600
#define STORM_SHARE 5

/* How a device is known. */
struct key {
	uint8_t mac[8];			 /* zero when not known ... */
	char source[EVENT_NAME_MAX + 1]; /* ... and then these two */
	uint64_t class;
};

struct patient {
	struct key key;
	uint64_t served, failed; /* number of the last such event; 0: none */
	/* The last places where its certificate was proven. */
	char place[2][EVENT_NAME_MAX + 1];
	time_t place_at[2];
	UT_hash_handle hh;
};

/* A device that is in a group. */
struct membership {
	struct {
		const struct patient *patient;
		size_t group;
	} key;
	uint64_t last; /* number of its last event */
	UT_hash_handle hh;
};

/* What is the same for all of a group. */
struct group_key {
	enum diagnose_cause cause;
	char listener[EVENT_NAME_MAX + 1];
	char text[DIAGNOSE_TEXT_MAX];
};

struct group_index {
	struct group_key key;
	size_t group;
	UT_hash_handle hh;
};

struct doctor {
	struct patient *patients;
	struct membership *memberships;
	struct group_index *index;
	struct doctor_group *groups;
	size_t group_count;
	struct doctor_totals totals;
	time_t minute; /* that is being counted, for storms */
	uint64_t minute_events, minute_lost;
};

struct doctor *
doctor_new(void)
{
	struct doctor *doctor = xcalloc(1, sizeof(*doctor));

	doctor->groups = xcalloc(DOCTOR_GROUPS_MAX, sizeof(*doctor->groups));
	return doctor;
}

void
doctor_free(struct doctor *doctor)
{
	struct patient *patient, *next_patient;
	struct membership *membership, *next_membership;
	struct group_index *index, *next_index;

	if (doctor == NULL)
		return;
	HASH_ITER (hh, doctor->patients, patient, next_patient) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): of uthash */
		HASH_DEL(doctor->patients, patient);
		free(patient);
	}
	HASH_ITER (hh, doctor->memberships, membership, next_membership) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): of uthash */
		HASH_DEL(doctor->memberships, membership);
		free(membership);
	}
	HASH_ITER (hh, doctor->index, index, next_index) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): of uthash */
		HASH_DEL(doctor->index, index);
		free(index);
	}
	free(doctor->groups);
	free(doctor);
}

static struct patient *
get_patient(struct doctor *doctor, const struct key *key)
{
	struct patient *patient;

	HASH_FIND(hh, doctor->patients, key, sizeof(*key), patient);
	if (patient != NULL)
		return patient;
	patient = xcalloc(1, sizeof(*patient));
	patient->key = *key;
	HASH_ADD(hh, doctor->patients, key, sizeof(*key), patient);
	return patient;
}

static struct key
key_of_mac(const struct mac *mac)
{
	struct key key;

	memset(&key, 0, sizeof(key)); /* also what is between the members */
	memcpy(key.mac, mac->octet, sizeof(mac->octet));
	key.mac[7] = 1;
	return key;
}

static struct patient *
find_patient(struct doctor *doctor, const struct event *event,
    const struct diagnose_who *who)
{
	struct key key = key_of_mac(&who->mac);

	if (!who->has_mac) {
		memset(&key, 0, sizeof(key));
		memcpy(key.source, event->source, strlen(event->source));
		key.class = event->class;
	}
	return get_patient(doctor, &key);
}

/* The group of a diagnosis; the last one when there are too many. */
static size_t
find_group(struct doctor *doctor, const char *listener,
    const struct diagnosis *diagnosis)
{
	struct group_index *index;
	struct group_key key;

	memset(&key, 0, sizeof(key));
	key.cause = diagnosis->cause;
	memcpy(key.listener, listener, strlen(listener));
	memcpy(key.text, diagnosis->text, strlen(diagnosis->text));
	HASH_FIND(hh, doctor->index, &key, sizeof(key), index);
	if (index != NULL)
		return index->group;
	if (doctor->group_count == DOCTOR_GROUPS_MAX)
		return DOCTOR_GROUPS_MAX - 1;
	index = xcalloc(1, sizeof(*index));
	index->key = key;
	index->group = doctor->group_count++;
	HASH_ADD(hh, doctor->index, key, sizeof(key), index);
	doctor->groups[index->group].confidence = CONFIDENCE_NONE;
	return index->group;
}

static void
count_model(struct doctor_group *group, const struct model *model)
{
	for (size_t i = 0; i < group->model_count; i++)
		if (group->models[i].model == model) {
			group->models[i].devices++;
			return;
		}
	if (group->model_count < DOCTOR_MODELS_MAX)
		group->models[group->model_count++] = (struct doctor_model) {
			model, 1
		};
}

static void
join(struct doctor *doctor, const struct patient *patient, size_t group,
    const struct diagnosis *diagnosis)
{
	struct membership *membership, wanted;

	memset(&wanted, 0, sizeof(wanted));
	wanted.key.patient = patient;
	wanted.key.group = group;
	HASH_FIND(hh, doctor->memberships, &wanted.key, sizeof(wanted.key),
	    membership);
	if (membership == NULL) {
		membership = xcalloc(1, sizeof(*membership));
		memcpy(&membership->key, &wanted.key, sizeof(wanted.key));
		HASH_ADD(hh, doctor->memberships, key, sizeof(wanted.key),
		    membership);
		doctor->groups[group].devices++;
		count_model(&doctor->groups[group], diagnosis->who.model);
	}
	membership->last = doctor->totals.events;
}

static void
add_to_group(struct doctor *doctor, const struct patient *patient,
    const struct event *event, const struct diagnosis *diagnosis)
{
	size_t number = find_group(doctor, event->listener, diagnosis);
	struct doctor_group *group = &doctor->groups[number];

	if (group->events++ == 0)
		group->first_at = event->at;
	group->last_at = event->at;
	group->last = *diagnosis;
	if (diagnosis->confidence < group->confidence)
		group->confidence = diagnosis->confidence;
	(void)snprintf(group->listener, sizeof(group->listener), "%s",
	    event->listener);
	(void)snprintf(group->source, sizeof(group->source), "%s",
	    event->source);
	join(doctor, patient, number, diagnosis);
}

/* ------------------------------------------------------ clones and storms */

/* Back where it was before the place that it was seen at last? */
static bool
is_clone(const struct patient *patient, const struct event *event)
{
	return strcmp(patient->place[0], event->source) != 0 &&
	    *patient->place[1] != '\0' &&
	    strcmp(patient->place[1], event->source) == 0 &&
	    event->at - patient->place_at[1] < CLONE_S;
}

/* A, B and A again: it is at two places, and has not just moved. */
static void
look_for_clone(struct doctor *doctor, struct patient *patient,
    const struct event *event, const struct diagnosis *diagnosis)
{
	struct diagnosis clone = { .cause = DIAGNOSE_CLONE,
		.confidence = CONFIDENCE_MEDIUM,
		.who = diagnosis->who,
		.source = "" };

	if (strcmp(patient->place[0], event->source) == 0) {
		patient->place_at[0] = event->at;
		return;
	}
	if (is_clone(patient, event)) {
		(void)snprintf(clone.text, sizeof(clone.text),
		    "one certificate is used at two places at the same time");
		(void)snprintf(clone.evidence, sizeof(clone.evidence),
		    "at %s, at %s and at the first again within the hour",
		    patient->place[1], patient->place[0]);
		(void)snprintf(clone.fix, sizeof(clone.fix),
		    "retire the device until it is known who has its key; a "
		    "site with two uplinks looks the same");
		add_to_group(doctor, patient, event, &clone);
	}
	memcpy(patient->place[1], patient->place[0], sizeof(patient->place[1]));
	patient->place_at[1] = patient->place_at[0];
	(void)snprintf(patient->place[0], sizeof(patient->place[0]), "%s",
	    event->source);
	patient->place_at[0] = event->at;
}

static bool
is_for_lack_of_time(enum diagnose_cause cause)
{
	return cause == DIAGNOSE_SILENT || cause == DIAGNOSE_SLOW ||
	    cause == DIAGNOSE_LEFT || cause == DIAGNOSE_OVERLOAD;
}

static void
look_for_storm(struct doctor *doctor, const struct patient *patient,
    const struct event *event, const struct diagnosis *diagnosis)
{
	struct diagnosis storm = { .cause = DIAGNOSE_STORM,
		.confidence = CONFIDENCE_MEDIUM,
		.source = "MPP-PROV" };

	if (event->at / 60 != doctor->minute) {
		doctor->minute = event->at / 60;
		doctor->minute_events = doctor->minute_lost = 0;
	}
	doctor->minute_events++;
	doctor->minute_lost += is_for_lack_of_time(diagnosis->cause);
	if (doctor->minute_events < STORM_EVENTS ||
	    doctor->minute_lost * STORM_SHARE < doctor->minute_events ||
	    !is_for_lack_of_time(diagnosis->cause))
		return;
	(void)snprintf(storm.text, sizeof(storm.text),
	    "more devices came at once than could be served");
	(void)snprintf(storm.evidence, sizeof(storm.evidence),
	    "%llu events in a minute, %llu of them without an answer in time",
	    (unsigned long long)doctor->minute_events,
	    (unsigned long long)doctor->minute_lost);
	(void)snprintf(storm.fix, sizeof(storm.fix),
	    "raise Resync_Random_Delay (units of 20 s), and give "
	    "Resync_Periodic a jitter (\"+600\")");
	add_to_group(doctor, patient, event, &storm);
}

/* ------------------------------------------------------------------ events */

bool
doctor_add_served(struct doctor *doctor, const struct event *event)
{
	const struct diagnosis none = { .cause = DIAGNOSE_NONE, .source = "" };
	struct patient *patient;
	struct key key;

	if (event->kind != EVENT_SERVED || !event->has_mac)
		return false;
	key = key_of_mac(&event->mac);
	patient = get_patient(doctor, &key);
	if (*event->verify == '\0' && is_clone(patient, event))
		return false;
	doctor->totals.events++;
	if (*event->verify == '\0')
		look_for_clone(doctor, patient, event, &none);
	look_for_storm(doctor, patient, event, &none);
	patient->served = doctor->totals.events;
	return true;
}

void
doctor_add(struct doctor *doctor, const struct event *event,
    const struct diagnosis *diagnosis)
{
	struct patient *patient = find_patient(doctor, event, &diagnosis->who);

	doctor->totals.events++;
	if (event->has_mac && *event->verify == '\0' &&
	    event->kind != EVENT_HANDSHAKE)
		look_for_clone(doctor, patient, event, diagnosis);
	look_for_storm(doctor, patient, event, diagnosis);
	if (diagnosis->cause == DIAGNOSE_NONE) {
		patient->served = doctor->totals.events;
	} else {
		patient->failed = doctor->totals.events;
		add_to_group(doctor, patient, event, diagnosis);
	}
}

static size_t
failing(const struct doctor_group *group)
{
	return group->devices - group->recovered;
}

static int
by_failing(const void *a, const void *b)
{
	const struct doctor_group *one = a, *other = b;

	if (failing(one) != failing(other))
		return failing(one) < failing(other) ? 1 : -1;
	if (one->devices != other->devices)
		return one->devices < other->devices ? 1 : -1;
	return one->last_at < other->last_at ? 1 : -1;
}

const struct doctor_group *
doctor_groups(struct doctor *doctor, size_t *count,
    struct doctor_totals *totals)
{
	struct membership *membership, *next;
	struct patient *patient, *next_patient;

	for (size_t i = 0; i < doctor->group_count; i++)
		doctor->groups[i].recovered = 0;
	HASH_ITER (hh, doctor->memberships, membership, next)
		if (membership->key.patient->served > membership->last)
			doctor->groups[membership->key.group].recovered++;
	doctor->totals.devices = HASH_COUNT(doctor->patients);
	doctor->totals.served = doctor->totals.failing = 0;
	HASH_ITER (hh, doctor->patients, patient, next_patient) {
		/* cppcheck-suppress uninitvar -- the macro sets it */
		doctor->totals.served += patient->served != 0;
		doctor->totals.failing += patient->failed != 0 &&
		    patient->served <= patient->failed;
	}
	if (doctor->group_count > 0)
		qsort(doctor->groups, doctor->group_count,
		    sizeof(*doctor->groups), by_failing);
	*count = doctor->group_count;
	*totals = doctor->totals;
	return doctor->groups;
}
