/*
 * advice.h -- how devices should spread themselves, for a fleet of that size
 * and a server of that capacity.
 *
 * After a power cut all devices come back at once.  What spreads them is
 * Resync_Random_Delay, and after a failure Resync_Error_Retry_Delay with its
 * jitter.  The factory's values (40 seconds, one hour without jitter) bring a
 * large fleet back as one wave, and again as one wave an hour later.
 * Sources: spa/schedule.h.
 */
#ifndef PROVISION_ADVICE_H
#define PROVISION_ADVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of the capacity; the rest is for what else goes on, and for chance. */
#define ADVICE_LOAD_PERCENT 80

/* ASSUMED, when nobody says how many resyncs a second the servers can do: what
 * one core of a modest machine does (docs/benchmarks.md). */
#define ADVICE_CAPACITY 1000

#define ADVICE_RETRY_BYTES 96

struct advice {
	unsigned capacity_per_s;
	double factory_per_s;  /* arrivals with the factory's random delay */
	bool factory_suffices; /* that is within the load above */
	unsigned random_units; /* Resync_Random_Delay, in units of 20 s */
	uint32_t random_s;     /* the same in seconds */
	uint32_t jitter_s;     /* of each retry */
	char retry[ADVICE_RETRY_BYTES]; /* Resync_Error_Retry_Delay */
	double arrivals_per_s;		/* with the advice */
	uint32_t served_by_s; /* all are provisioned then, if all goes well */
};

/* devices: 1 to 100 million; capacity_per_s: resyncs, 1 to a million; 0:
 * ADVICE_CAPACITY. */
void
advice_make(struct advice *advice, size_t devices, unsigned capacity_per_s);

#endif
