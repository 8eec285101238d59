/*
 * server.h -- the daemon: from a configuration file to the last connection.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "base/error.h"

struct guest;

/*
 * Serve what the file at path says until SIGTERM or SIGINT; SIGHUP reads it
 * again and goes on with the new or, when anything in it is wrong, the old.
 * Mistakes found at the start go to errors and -1 is returned; 0 after an
 * orderly stop.  Blocks; uses this thread, one per worker and libuv's pool.
 * guest (NULL: none) runs beside the workers.
 */
int server_run(const char *path, const struct guest *guest,
    struct errors *errors) MUST_CHECK;

#endif
