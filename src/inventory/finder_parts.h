/*
 * finder_parts.h -- what a finder is made of.
 *
 * For finder.c, which builds and counts, and finder_search.c only.
 */
#ifndef INVENTORY_FINDER_PARTS_H
#define INVENTORY_FINDER_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inventory/finder.h"

/* Distinct names, numbered in the order in which they came. */
struct finder_names {
	const char **list;
	size_t *count; /* devices that have it */
	uint32_t used, room;
	uint32_t *slots;   /* number + 1; 0: free */
	size_t slot_count; /* a power of two, at least twice used */
};

struct finder_seen {
	uint32_t last_at, profile_at; /* seconds since 1970, until 2106 */
	uint16_t status;
	bool retired; /* is of the device, and finds room here */
};

/* What finders of one snapshot share. */
struct finder_fleet {
	atomic_size_t references;
	struct snapshot *snapshot;
	size_t count;
	const struct device **devices;
	uint64_t *macs;
	char *serials;	     /* in lower case, a NUL after each */
	uint32_t *serial_at; /* one more than there are devices */
	size_t serial_room;
	uint32_t *model, *group; /* numbers of names */
	struct finder_names models, groups;
};

struct finder {
	atomic_size_t references;
	struct finder_fleet *fleet;
	struct finder_seen *seen;
	pthread_mutex_t mutex;	      /* of what follows */
	struct finder_totals *totals; /* of each group; NULL: not asked yet */
	time_t totals_since;
};

uint64_t finder_mac_number(const struct mac *mac);

/* The first device that is not before that address. */
size_t finder_find_mac(const struct finder *finder, uint64_t mac);

enum finder_standing finder_standing_of(const struct finder_seen *seen);

/* Which groups are in both of them, or below; either may be NULL for any.  To be
 * freed; NULL: all are. */
bool *finder_groups_in(const struct finder *finder, const char *below,
    const char *group);

#endif
