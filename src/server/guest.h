/*
 * guest.h -- something beside the workers, in a thread of its own, that learns
 * what they learn: every service and every snapshot, from start to stop.
 *
 * The server does not know what it is (src/admin/ stands above this folder).
 * All functions are called on the main thread; a guest may not hold it up.
 */
#ifndef SERVER_GUEST_H
#define SERVER_GUEST_H

#include <stddef.h>

#include "base/error.h"

struct keystate;
struct profile_cache;
struct record;
struct service;
struct snapshot;
struct standing;
struct worker;

/* What a guest may ask for its figures; borrowed until the stop. */
struct guest_view {
	struct worker *const *workers;
	size_t worker_count;
	struct record *record;
	struct keystate *keys;
	struct profile_cache *cache;
	struct standing *standing; /* guests may count in it */
};

struct guest {
	void *arg;
	/*
	 * Make ready what that service's configuration asks for, beside what
	 * there is: while the server may still be root, and at each reload.
	 * Every problem goes to errors.  Then use() follows, or stop().
	 */
	int (*prepare)(void *arg, struct service *service,
	    struct errors *errors);
	/* The workers run; use() follows at once. */
	int (*start)(void *arg, const struct guest_view *view,
	    struct error *err);
	/* Go on with what was prepared for that service. */
	void (*use)(void *arg, struct service *service);
	/* From now on this is the inventory. */
	void (*update)(void *arg, struct snapshot *snapshot);
	/* The server ends, and answers devices no more; before the workers
	 * and all else of the view go.  Also without a start. */
	void (*stop)(void *arg);
};

#endif
