/*
 * finder.h -- finding devices by what people know of them, among a million.
 *
 * Built from a snapshot, immutable to who asks, counted by references.  What is searched
 * lies in a few flat arrays (about 60 bytes a device), so that looking at all
 * devices takes some milliseconds: no list of words has to be kept up to date,
 * and any part of a MAC address or serial number finds its device.
 */
#ifndef INVENTORY_FINDER_H
#define INVENTORY_FINDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "inventory/inventory.h"

struct finder;
struct resyncs;
struct snapshot;

/* Keeps a reference of the snapshot.  Without FREED_BY: the compiler would take
 * the first release for the last one. */
void finder_release(struct finder *finder); /* NULL is fine */
struct finder *finder_new(struct snapshot *snapshot) MUST_CHECK;
struct finder *finder_retain(struct finder *finder);

/* Of the same snapshot, with all that the one before has seen: costs little. */
struct finder *finder_again(const struct finder *before) MUST_CHECK;

/* Before others see it: when each device was answered last, and how; from what
 * was recorded of answers at since or later. */
int finder_see(struct finder *finder, struct resyncs *resyncs, time_t since,
    struct error *err) MUST_CHECK;

uint64_t finder_change_number(const struct finder *finder);

enum finder_standing {
	STANDING_ANY,
	STANDING_NEVER,	  /* no answer on record */
	STANDING_SERVED,  /* the last one was no refusal */
	STANDING_FAILING, /* the last one was a refusal */
};
const char *finder_standing_name(enum finder_standing standing);
/* -1 when text is none ("never", "served", "failing"). */
int finder_standing_parse(const char *text, enum finder_standing *standing);

#define FINDER_TEXT_MAX 63

struct finder_query {
	/* A part of the MAC address (any spelling), the serial number, or the
	 * name of model or group, in any case; "" or NULL: all. */
	const char *text;
	const char *model,
	    *group;	   /* exactly, "below" for the latter; NULL: any */
	const char *below; /* in that group or below it, too; NULL: any */
	int state;	   /* enum device_state; -1: any */
	enum finder_standing standing;
	const struct mac
	    *after; /* only behind that one; NULL: from the first */
	size_t limit;
};

struct finder_match {
	const struct device *device; /* borrowed while the finder is held */
	enum finder_standing standing;
	int status;		    /* of the last answer; 0: none */
	time_t last_at, profile_at; /* 0: never */
};

/* Fill at most query->limit of list, by MAC; *total is how many match in all,
 * before query->after too.  Returns how many were filled in. */
size_t finder_find(const struct finder *finder,
    const struct finder_query *query, struct finder_match *list, size_t *total);

/* One device, as in the list; false when there is none. */
bool finder_get(const struct finder *finder, const struct mac *mac,
    struct finder_match *match);

/* How many there are, retired ones apart, below a group (NULL: all of them). */
struct finder_totals {
	size_t devices, retired;
	size_t never, served, failing; /* of those that are not retired */
	size_t today; /* got their profile at since or later; ditto */
};
void finder_totals(struct finder *finder, const char *below, time_t since,
    struct finder_totals *totals);

/* How many devices are in exactly that group, or of that model: visited in no
 * order, "" for none. */
typedef void finder_visit_name(const char *name, size_t count, void *arg);
void finder_each_group(const struct finder *finder, finder_visit_name *visit,
    void *arg);
void finder_each_model(const struct finder *finder, const char *below,
    finder_visit_name *visit, void *arg);

#endif
