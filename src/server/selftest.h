/*
 * selftest.h -- when and how the server looks at its own listeners: after the
 * start and after each reload, in libuv's pool, while the workers serve.
 *
 * What to look for is the caller's: see struct selftest_plan.  Nothing that
 * comes out stops the server; it is logged as an error.
 */
#ifndef SERVER_SELFTEST_H
#define SERVER_SELFTEST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "base/addr.h"
#include "base/error.h"

struct config;
struct service;
struct sockets;
struct visits;

struct selftest_place {
	size_t listener; /* index in the service */
	struct addr address;
};

/* What there is to look at.  Whoever connects tells visits (may be NULL) from
 * where; once *stop is set, it ends soon. */
struct selftest_plan {
	const struct service *service;
	const struct selftest_place *places;
	size_t count;
	struct visits *visits;
	const atomic_bool *stop;
};

/* Look; what is not as it should be goes to errors.  Returns how many looks it
 * took.  Called in a thread of the pool. */
typedef size_t
selftest_run(const struct selftest_plan *plan, struct errors *errors);

struct selftest;

/* ended is called on the loop's thread with what was found; NULL: that is
 * logged. */
typedef void selftest_ended(void *arg, const struct errors *errors);
void selftest_free(struct selftest *selftest); /* NULL is fine */
struct selftest *selftest_new(uv_loop_t *loop, selftest_run *run,
    struct visits *visits, selftest_ended *ended, void *arg);

/* Begin; a service reference is taken for the time.  While one runs, the newest
 * is begun when it has ended. */
void selftest_start(struct selftest *selftest, struct service *service,
    const struct sockets *sockets);

/* Make a configuration one that serves nobody: on loopback, at ports that are
 * free, without devices. */
void selftest_rehearse(struct config *config);

/* Ask it to end; the loop goes on until it has. */
void selftest_stop(struct selftest *selftest);

#endif
