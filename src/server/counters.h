/*
 * counters.h -- what became of connections: one set per worker.
 *
 * Each connection that is accepted ends in exactly one of the ways below, or
 * is still open, so that sums can be checked against what clients saw:
 *
 *     accepted = refused-full + dropped-full + closed-early + silent + gone
 *              + late + failed + timed-out + completed
 *              + those still before that
 *
 * Any thread may read them while the worker counts on.
 */
#ifndef SERVER_COUNTERS_H
#define SERVER_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

enum counter {
	COUNT_ACCEPTED,	    /* handed to the worker */
	COUNT_REFUSED_FULL, /* no room, and all others have begun */
	COUNT_DROPPED_FULL, /* had not begun, made room for a newer one */
	COUNT_CLOSED_EARLY, /* closed by the server before it had begun: at the
			     * end of the server */
	COUNT_SILENT,	    /* no whole ClientHello before time was up */
	COUNT_GONE,	    /* the client left before its turn, or before the
			 * expensive step */
	COUNT_LATE,	    /* waited for its turn for too long */
	COUNT_BEGUN,	    /* handshakes */
	COUNT_FAILED,	    /* ditto, refused, broken or left by the client */
	COUNT_TIMED_OUT,
	COUNT_COMPLETED,  /* handshakes */
	COUNT_RESUMED,	  /* ditto, of those: of an earlier session */
	COUNT_REMEMBERED, /* ditto, of those: a chain verified before */
	COUNT_UNASKED,	  /* completed, and then no request came */
	COUNT_ANSWERED,	  /* requests, answer sent as far as the kernel */
	COUNT_CUT,	  /* requests, answer not sent whole */
	COUNTERS,
};

struct counters {
	atomic_uint_least64_t count[COUNTERS];
};

/* Only the worker itself counts. */
static inline void
counters_add(struct counters *counters, enum counter which)
{
	atomic_fetch_add_explicit(&counters->count[which], 1,
	    memory_order_relaxed);
}

static inline uint64_t
counters_get(const struct counters *counters, enum counter which)
{
	return atomic_load_explicit(&counters->count[which],
	    memory_order_relaxed);
}

/* "accepted", "dropped-full", ... */
const char *counters_name(enum counter which);

#endif
