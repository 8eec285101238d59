/*
 * server.h -- the daemon: from a configuration file to the last connection.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include <stdbool.h>

#include "base/error.h"
#include "server/selftest.h"

struct guest;

struct server_options {
	const struct guest *guest; /* runs beside the workers; NULL: none */
	/* How to look at the listeners from outside, after the start and each
	 * reload; NULL: not at all. */
	selftest_run *self_test;
	/*
	 * Nothing but that: the listeners are opened on loopback, at ports that
	 * are free, and nothing is served, written or given up.  What is found
	 * goes to errors.
	 */
	bool rehearsal;
};

/*
 * Serve what the file at path says until SIGTERM or SIGINT; SIGHUP reads it
 * again and goes on with the new or, when anything in it is wrong, the old.
 * Mistakes found at the start go to errors and -1 is returned; 0 after an
 * orderly stop.  Blocks; uses this thread, one per worker and libuv's pool.
 */
int server_run(const char *path, const struct server_options *options,
    struct errors *errors) MUST_CHECK;

#endif
