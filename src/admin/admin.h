/*
 * admin.h -- the admin listener: the API, the metrics and the dashboard.
 *
 * A thread with a loop of its own beside the workers, a guest of the server
 * (server/guest.h).  It only speaks HTTP over modern TLS, or without TLS on
 * loopback.  What an answer needs is worked out in libuv's pool, two at a time,
 * so that neither a worker nor another admin request waits for it.
 *
 *     admin.c    the thread, its sockets, what it learns from the server
 *     conn.c     one connection, its requests and answers
 *     desk.c     all of them, and their turns in the pool
 *     call.c     one request on its way: parameters, fields, answer
 *     api.c      which path is answered by what, and who may ask
 *     site.c     what all answers are made from
 *     api_*.c    the answers
 *     writing.c  changing the inventory; replay.c: not twice
 *     noting.c   what is done here, in the audit log
 *     report.c   what the command line knows, as JSON
 */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include "base/error.h"

struct admin;
struct guest;

/* config_path is the configuration that the server runs with; borrowed. */
void admin_free(struct admin *admin); /* after the guest's stop */
struct admin *
admin_new(const char *config_path) MUST_CHECK FREED_BY(admin_free);

/* Does nothing but wait while the configuration has no admin block. */
const struct guest *admin_guest(struct admin *admin);

#endif
