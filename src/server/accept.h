/*
 * accept.h -- taking connections from the listening sockets.
 *
 * The workers share the sockets out among them: each polls its own ones and keeps
 * what it accepts, so that no thread is woken in vain or between the kernel and
 * the handshake.  Only when another worker has clearly fewer connections is it
 * given one.  One socket for all works with sockets of a service manager, too, and
 * a connection that nobody has accepted is not lost with one worker's share of
 * them (SO_REUSEPORT).
 */
#ifndef SERVER_ACCEPT_H
#define SERVER_ACCEPT_H

#include <stdatomic.h>
#include <stddef.h>

#include <uv.h>

struct acceptor;
struct service;
struct sockets;
struct worker;

/* The workers among whom connections are divided. */
struct crew {
	struct worker *const *workers;
	size_t count;
	atomic_uint_least64_t warned_ms; /* of all of them together */
};

/*
 * From now on they accept on these sockets, for that service, and on no others;
 * NULL: on none.  Returns when that is so, which takes as long as the
 * longest turn of a worker's loop: what is polled no more can be closed then,
 * and nobody else can connect to it.  What waits in the kernel for a socket
 * that is kept goes on waiting.  The sockets have to stay open until the next
 * call, and crew until the workers end; the last call has to be one with NULL,
 * before any of them is told to stop.
 *
 * No more than the service's limit of connections are open at once: a new one
 * takes the place of the oldest that has not begun its handshake, or is closed
 * when all have; a warning says so, once a second at most.
 */
void crew_listen(struct crew *crew, const struct sockets *sockets,
    struct service *service);

/* ------------------------------------------------- for the worker, on its loop */

struct acceptor *acceptor_open(uv_loop_t *loop, struct worker *worker);

/* Its part of what crew_listen() was told; sockets NULL: accept no more. */
void acceptor_listen(struct acceptor *acceptor, struct crew *crew,
    const struct sockets *sockets, struct service *service);

/* Stops first; the memory goes when the loop has turned once more. */
void acceptor_close(struct acceptor *acceptor);

#endif
