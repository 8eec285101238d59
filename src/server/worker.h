/*
 * worker.h -- a thread with an event loop and its own connections.
 *
 * It accepts them itself (accept.h).  The main thread talks to it through a
 * queue: where to accept, a new service or snapshot, stop; so do other workers
 * that give it a connection.  Nothing here takes longer than one handshake step.
 */
#ifndef SERVER_WORKER_H
#define SERVER_WORKER_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "base/addr.h"
#include "base/error.h"

struct counters;
struct crew;
struct keystate;
struct metrics;
struct profile_cache;
struct record;
struct service;
struct snapshot;
struct sockets;
struct worker;

/* Start the thread; keeps its own references of service and snapshot. */
struct worker *worker_start(struct service *service, struct snapshot *snapshot,
    struct error *err) MUST_CHECK;

/* Record answers there; before the first connection, and the record has to
 * outlive the worker. */
void worker_use_record(struct worker *worker, struct record *record);

/* Marks of keys and the cache of profiles, which all workers share; before the
 * first connection, and both have to outlive the worker. */
void worker_use_keys(struct worker *worker, struct keystate *keys,
    struct profile_cache *cache);

/* For crew_listen(): accept there, and say so by done.  sockets and done are
 * borrowed until then; after worker_stop() it would never be said. */
void worker_listen(struct worker *worker, struct crew *crew,
    const struct sockets *sockets, struct service *service, uv_sem_t *done);

/* Hand over an accepted, non-blocking socket (taken) of that listener; from any
 * thread.  With replace it takes the place of the oldest one whose handshake
 * has not begun; closed when all have. */
void worker_give(struct worker *worker, int fd, const struct addr *source,
    struct service *service, size_t listener, bool replace);

/* The same on the worker's own thread, without its queue, of a connection that
 * was counted by worker_expect(). */
void worker_take(struct worker *worker, int fd, const struct addr *source,
    struct service *service, size_t listener, bool replace);

/* Count one that it may get, or does not after all. */
void worker_expect(struct worker *worker);
void worker_expect_not(struct worker *worker);

/* From now on use these; NULL leaves what it has. */
void worker_update(struct worker *worker, struct service *service,
    struct snapshot *snapshot);

/*
 * Finish: idle connections are closed at once, the others when their answer is
 * out or, at the latest, when worker_abort() is called.  worker_join() waits
 * for the end and frees the worker.
 */
void worker_stop(struct worker *worker);
void worker_abort(struct worker *worker);
void worker_join(struct worker *worker);

/* Connections it has or is about to get; any thread may ask. */
size_t worker_connection_count(const struct worker *worker);

/* Of these, the ones whose handshake has not begun; ditto.  Not after
 * worker_stop(). */
size_t worker_waiting_count(const struct worker *worker);

/* What became of all that it had; borrowed. */
const struct counters *worker_counters(const struct worker *worker);
const struct metrics *worker_metrics(const struct worker *worker);

#endif
