/*
 * standing.h -- how the server is doing, as its main thread sees it; any thread
 * may read.
 *
 * Times are wall clock, 0: not yet.
 */
#ifndef SERVER_STANDING_H
#define SERVER_STANDING_H

#include <stdatomic.h>
#include <stdbool.h>

struct standing {
	atomic_bool accepting;	    /* all listeners are open; false while it
					* starts, and once it stops */
	atomic_bool reload_refused; /* the last one was */
	atomic_llong configured_at; /* the configuration in use was read */
	atomic_llong inventory_at;  /* the snapshot in use was loaded */
	atomic_llong inventory_asked_at; /* the store last said that there is
					  * nothing newer */
	/* Attempts to tell people something (src/notice/): it was taken, or
	 * not. */
	atomic_ullong notices_taken, notices_refused;
};

#endif
