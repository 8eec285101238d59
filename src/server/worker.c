#include "server/worker.h"
#include "base/mem.h"
#include "inventory/snapshot.h"
#include "server/accept.h"
#include "server/conn.h"
#include "server/counters.h"
#include "server/gate.h"
#include "server/key_turn.h"
#include "server/metrics.h"
#include "server/service.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum message_kind {
	MESSAGE_LISTEN,
	MESSAGE_SOCKET,
	MESSAGE_UPDATE,
	MESSAGE_STOP,
	MESSAGE_ABORT
};

struct message {
	struct message *next;
	enum message_kind kind;
	int fd;
	struct addr source;
	size_t listener;
	bool replace; /* another one of its connections */
	struct service *service;
	struct snapshot *snapshot;
	/* Of MESSAGE_LISTEN; the sender waits for done. */
	struct crew *crew;
	const struct sockets *sockets;
	uv_sem_t *done;
};

struct worker {
	struct conn_host host; /* first: conn.c hands back its address */
	uv_loop_t loop;
	uv_async_t wake;
	struct acceptor *acceptor;
	pthread_t thread;
	pthread_mutex_t mutex; /* of the queue */
	struct message *head, **tail;
	bool handling; /* there may be more to come from the queue */
	atomic_size_t connections;
	struct counters counters;
};

/* Let the loop end. */
static void
end(struct worker *worker)
{
	if (uv_is_closing((uv_handle_t *)&worker->wake))
		return;
	uv_close((uv_handle_t *)&worker->wake, NULL);
	acceptor_close(worker->acceptor);
	gate_close(worker->host.gate);
	key_turn_close(worker->host.key_turn);
}

/*
 * Where no connection is left, and none can come: one that was taken from the
 * queue together with the order to stop still can.
 */
static void
end_if_done(struct worker *worker)
{
	if (worker->host.stopping && worker->host.first == NULL &&
	    !worker->handling)
		end(worker);
}

static void
ended(struct conn_host *host)
{
	struct worker *worker = (struct worker *)host;

	atomic_fetch_sub(&worker->connections, 1);
	end_if_done(worker);
}

static void
stop(struct worker *worker, bool abort)
{
	worker->host.stopping = true;
	conn_host_sweep(&worker->host, abort);
}

static void
update(struct worker *worker, const struct message *message)
{
	if (message->snapshot != NULL) {
		snapshot_release(worker->host.snapshot);
		worker->host.snapshot = message->snapshot;
	}
	if (message->service != NULL) {
		service_release(worker->host.service);
		worker->host.service = message->service;
		conn_host_sweep(&worker->host, false);
	}
}

static void
refuse(struct worker *worker, int fd)
{
	counters_add(&worker->counters, COUNT_ACCEPTED);
	counters_add(&worker->counters, COUNT_REFUSED_FULL);
	(void)close(fd);
	ended(&worker->host);
}

void
worker_take(struct worker *worker, int fd, const struct addr *source,
    struct service *service, size_t listener, bool replace)
{
	/* All may have begun since somebody looked. */
	if (replace && !conn_host_make_room(&worker->host))
		refuse(worker, fd);
	else
		conn_start(&worker->host, fd, source, service_retain(service),
		    listener);
}

static void
handle(struct worker *worker, const struct message *message)
{
	switch (message->kind) {
	case MESSAGE_LISTEN:
		acceptor_listen(worker->acceptor, message->crew,
		    message->sockets, message->service);
		service_release(message->service);
		uv_sem_post(message->done);
		break;
	case MESSAGE_SOCKET:
		worker_take(worker, message->fd, &message->source,
		    message->service, message->listener, message->replace);
		service_release(message->service);
		break;
	case MESSAGE_UPDATE:
		update(worker, message);
		break;
	case MESSAGE_STOP:
		stop(worker, false);
		break;
	case MESSAGE_ABORT:
		stop(worker, true);
		break;
	}
}

static void
on_wake(uv_async_t *wake)
{
	struct worker *worker = wake->data;
	struct message *message, *next;

	(void)pthread_mutex_lock(&worker->mutex);
	message = worker->head;
	worker->head = NULL;
	worker->tail = &worker->head;
	(void)pthread_mutex_unlock(&worker->mutex);
	worker->handling = true;
	for (; message != NULL; message = next) {
		next = message->next;
		handle(worker, message);
		free(message);
	}
	worker->handling = false;
	end_if_done(worker);
}

static void
send_message(struct worker *worker, const struct message *content)
{
	struct message *message = xmalloc(sizeof(*message));

	*message = *content;
	message->next = NULL;
	(void)pthread_mutex_lock(&worker->mutex);
	*worker->tail = message;
	worker->tail = &message->next;
	(void)pthread_mutex_unlock(&worker->mutex);
	(void)uv_async_send(&worker->wake);
}

static void *
worker_main(void *arg)
{
	struct worker *worker = arg;

	key_turn_use(worker->host.key_turn);
	(void)uv_run(&worker->loop, UV_RUN_DEFAULT);
	return NULL;
}

static int
start_thread(struct worker *worker, struct error *err)
{
	sigset_t all, old;
	int rc;

	/* Signals are the main thread's. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&worker->thread, NULL, worker_main, worker);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0)
		return error_set(err, ERROR_SYSTEM, "cannot start a worker");
	return 0;
}

static void
worker_free(struct worker *worker)
{
	snapshot_release(worker->host.snapshot);
	service_release(worker->host.service);
	metrics_free(worker->host.metrics);
	(void)pthread_mutex_destroy(&worker->mutex);
	free(worker);
}

struct worker *
worker_start(struct service *service, struct snapshot *snapshot,
    struct error *err)
{
	struct worker *worker = xcalloc(1, sizeof(*worker));
	int rc;

	(void)pthread_mutex_init(&worker->mutex, NULL);
	worker->tail = &worker->head;
	worker->host.loop = &worker->loop;
	worker->host.ended = ended;
	worker->host.counters = &worker->counters;
	worker->host.metrics = metrics_new();
	worker->host.service = service_retain(service);
	worker->host.snapshot = snapshot_retain(snapshot);
	rc = uv_loop_init(&worker->loop);
	if (rc != 0) {
		(void)error_set(err, ERROR_SYSTEM,
		    "cannot make an event loop: %s", uv_strerror(rc));
		worker_free(worker);
		return NULL;
	}
	rc = uv_async_init(&worker->loop, &worker->wake, on_wake);
	assert(rc == 0);
	worker->wake.data = worker;
	worker->host.gate = gate_open(&worker->loop, &conn_gate_actions);
	worker->host.key_turn = key_turn_open(&worker->loop);
	worker->acceptor = acceptor_open(&worker->loop, worker);
	if (start_thread(worker, err) != 0) {
		end(worker);
		(void)uv_run(&worker->loop, UV_RUN_DEFAULT);
		(void)uv_loop_close(&worker->loop);
		worker_free(worker);
		return NULL;
	}
	return worker;
}

/* Its thread looks at this only when it has a connection, and that comes
 * through the queue, or after the order to listen did: its mutex orders the
 * two. */
void
worker_use_record(struct worker *worker, struct record *record)
{
	worker->host.record = record;
}

void
worker_use_keys(struct worker *worker, struct keystate *keys,
    struct profile_cache *cache)
{
	worker->host.keys = keys;
	worker->host.cache = cache;
}

void
worker_listen(struct worker *worker, struct crew *crew,
    const struct sockets *sockets, struct service *service, uv_sem_t *done)
{
	const struct message message = {
		.kind = MESSAGE_LISTEN,
		.crew = crew,
		.sockets = sockets,
		.service = service != NULL ? service_retain(service) : NULL,
		.done = done,
	};

	send_message(worker, &message);
}

void
worker_expect(struct worker *worker)
{
	atomic_fetch_add(&worker->connections, 1);
}

void
worker_expect_not(struct worker *worker)
{
	atomic_fetch_sub(&worker->connections, 1);
}

void
worker_give(struct worker *worker, int fd, const struct addr *source,
    struct service *service, size_t listener, bool replace)
{
	const struct message message = {
		.kind = MESSAGE_SOCKET,
		.replace = replace,
		.fd = fd,
		.source = *source,
		.service = service_retain(service),
		.listener = listener,
	};

	worker_expect(worker);
	send_message(worker, &message);
}

void
worker_update(struct worker *worker, struct service *service,
    struct snapshot *snapshot)
{
	const struct message message = {
		.kind = MESSAGE_UPDATE,
		.service = service != NULL ? service_retain(service) : NULL,
		.snapshot = snapshot != NULL ? snapshot_retain(snapshot) : NULL,
	};

	send_message(worker, &message);
}

void
worker_stop(struct worker *worker)
{
	send_message(worker, &(struct message) { .kind = MESSAGE_STOP });
}

void
worker_abort(struct worker *worker)
{
	send_message(worker, &(struct message) { .kind = MESSAGE_ABORT });
}

void
worker_join(struct worker *worker)
{
	struct message *next;
	int rc;

	(void)pthread_join(worker->thread, NULL);
	/* What came after the loop had ended. */
	for (struct message *m = worker->head; m != NULL; m = next) {
		next = m->next;
		if (m->kind == MESSAGE_SOCKET)
			(void)close(m->fd);
		snapshot_release(m->snapshot);
		service_release(m->service);
		free(m);
	}
	rc = uv_loop_close(&worker->loop);
	assert(rc == 0);
	worker_free(worker);
}

size_t
worker_connection_count(const struct worker *worker)
{
	return atomic_load(&worker->connections);
}

size_t
worker_waiting_count(const struct worker *worker)
{
	return admission_waiting(gate_admission(worker->host.gate));
}

const struct counters *
worker_counters(const struct worker *worker)
{
	return &worker->counters;
}

const struct metrics *
worker_metrics(const struct worker *worker)
{
	return worker->host.metrics;
}
