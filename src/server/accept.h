/*
 * accept.h -- taking connections from the listening sockets and handing each
 * to the worker that has the fewest.
 */
#ifndef SERVER_ACCEPT_H
#define SERVER_ACCEPT_H

#include <stddef.h>

#include <uv.h>

struct acceptors;
struct service;
struct sockets;
struct worker;

/* On that loop, for those workers; all are borrowed. */
struct acceptors *
acceptors_new(uv_loop_t *loop, struct worker **workers, size_t worker_count);

/* Accept on these sockets for that service (borrowed until acceptors_stop()).
 * No more than the service's limit of connections are open at once: a new one
 * takes the place of the oldest that has not begun its handshake, or is closed
 * when all have; a warning says so, once a second at most. */
void acceptors_start(struct acceptors *acceptors, const struct sockets *sockets,
    struct service *service);
void acceptors_stop(struct acceptors *acceptors);

/* Stops first; the memory goes when the loop has turned once more. */
void acceptors_free(struct acceptors *acceptors);

#endif
