/*
 * doctor.h -- what the parts of "sprov doctor" share.
 */
#ifndef CMD_DOCTOR_H
#define CMD_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <jansson.h>

#include "base/error.h"
#include "provision/doctor.h"

struct config;
struct events;

/* What diagnoses need to know of this server; all of it is its own. */
struct doctor_world {
	struct diagnose_world world;
	struct diagnose_listener *listeners;
	char (*addresses)[ADDR_TEXT_BYTES]; /* of the listeners */
	struct knowledge *knowledge;
	struct inventory *inventory; /* NULL: there is none */
};

/*
 * Read the certificates of the listeners and open the inventory.  What cannot
 * be read is said and passed over, so that the doctor can answer as far as it
 * goes; -1 only for own claims that are wrong.
 */
int doctor_world_load(struct doctor_world *world, const struct config *config,
    const char *claims, bool resolve) MUST_CHECK;
/* The same without the inventory. */
int doctor_world_look(struct doctor_world *world, const struct config *config,
    const char *claims, bool resolve) MUST_CHECK;
void doctor_world_clear(struct doctor_world *world);

/* Diagnose one event, with what the record knows of its address and class;
 * -1 with err when the record cannot be read. */
struct doctor_hints; /* remembered between events */
struct doctor_hints *doctor_hints_new(struct events *events);
void doctor_hints_free(struct doctor_hints *hints);
int doctor_diagnose(struct doctor_hints *hints,
    const struct doctor_world *world, const struct event *event,
    struct diagnosis *diagnosis, struct error *err) MUST_CHECK;

/* ------------------------------------------------------------ other views */

/* When certificates end, and which ClientHello classes were learned; events may
 * be NULL: nothing was recorded yet.  Exit statuses. */
int
doctor_expiry(struct events *events, const struct config *config, bool json);
int doctor_classes(struct events *events, bool json);

/*
 * The named exceptions: whom they let in, and when they end.  totals is an array
 * of one for each exception of the configuration; free() it.
 */
struct doctor_exception {
	size_t devices;
	uint64_t profiles;
	time_t first_at, last_at; /* 0: never used */
};
int doctor_exceptions_load(const struct config *config,
    struct doctor_exception **totals, struct error *err) MUST_CHECK;

/* Has any lapsed, or is about to? */
bool doctor_exceptions_end(const struct config *config);

/* all: each of them; else those that end. */
void doctor_exceptions_print(const struct config *config,
    const struct doctor_exception *totals, bool all);
json_t *doctor_exceptions_json(const struct config *config,
    const struct doctor_exception *totals);

/* What the events say about who trusts which CA; add: into the own claims. */
struct doctor_observed_options {
	bool json, add;
	const char *claims; /* the file; NULL: as ca_claims_path() */
};
int doctor_observed(struct events *events, const struct doctor_world *world,
    const struct events_query *query,
    const struct doctor_observed_options *how);

/* Print what devices send to this address by syslog, with the events that belong
 * to it, until SIGINT or SIGTERM.  Exit statuses. */
int doctor_syslog(const struct config *config, const struct doctor_world *world,
    const char *address, bool json);

/* ------------------------------------------------------------- printing */

/* Groups with the totals; all: also what has recovered. */
void doctor_print(const struct doctor_group *groups, size_t count,
    const struct doctor_totals *totals, bool all);
/* exceptions is taken. */
int doctor_print_json(const struct doctor_group *groups, size_t count,
    const struct doctor_totals *totals, json_t *exceptions);

/* One event with its diagnosis, for --events and --device. */
void doctor_print_event(const struct event *event,
    const struct diagnosis *diagnosis);

#endif
