#include "server/accept.h"
#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/config.h"
#include "server/service.h"
#include "server/sockets.h"
#include "server/worker.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPT_BATCH 64	    /* sockets taken per turn of the loop */
#define ACCEPT_PAUSE_MS 100 /* when there are no descriptors left */
#define WARN_EVERY_MS 1000

struct acceptor {
	struct acceptor *next;
	struct acceptors *all;
	uv_poll_t poll;
	int fd;
	size_t listener;
};

struct acceptors {
	uv_loop_t *loop;
	struct worker **workers;
	size_t worker_count;
	struct acceptor *list; /* one per socket */
	struct service *service;
	uv_timer_t pause_timer;
	uint64_t warned_ms;
};

/* Once a second at most: a flood must not fill the log as well. */
static void
warn(struct acceptors *acceptors, enum log_level level, const char *event,
    const char *text)
{
	uint64_t now_ms = clock_monotonic_ms();

	if (now_ms - acceptors->warned_ms < WARN_EVERY_MS)
		return;
	acceptors->warned_ms = now_ms;
	log_message(level, event, "%s", text);
}

static struct worker *
least_busy(const struct acceptors *acceptors, size_t *total)
{
	struct worker *best = NULL;
	size_t fewest = SIZE_MAX;

	*total = 0;
	for (size_t i = 0; i < acceptors->worker_count; i++) {
		size_t n = worker_connection_count(acceptors->workers[i]);

		*total += n;
		if (n < fewest) {
			fewest = n;
			best = acceptors->workers[i];
		}
	}
	return best;
}

/* Whose connections have not all begun; any one when all have. */
static struct worker *
most_waiting(const struct acceptors *acceptors)
{
	struct worker *best = acceptors->workers[0];
	size_t most = 0;

	for (size_t i = 0; i < acceptors->worker_count; i++) {
		size_t n = worker_waiting_count(acceptors->workers[i]);

		if (n > most) {
			most = n;
			best = acceptors->workers[i];
		}
	}
	return best;
}

static void
give_to_worker(struct acceptors *acceptors, int fd, const struct addr *source,
    size_t listener)
{
	static const int one = 1;
	struct worker *worker;
	size_t total;
	bool full;

	worker = least_busy(acceptors, &total);
	full = total >= service_config(acceptors->service)->connections_max;
	if (full) {
		warn(acceptors, LOG_LEVEL_WARN, "connections-full",
		    "as many connections are open as \"connections\" allows: "
		    "closing the oldest that ask for nothing, or new ones");
		worker = most_waiting(acceptors);
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	worker_give(worker, fd, source, acceptors->service, listener, full);
}

static void on_acceptable(uv_poll_t *poll, int status, int events);

static void
on_pause_end(uv_timer_t *timer)
{
	struct acceptors *acceptors = timer->data;

	for (struct acceptor *a = acceptors->list; a != NULL; a = a->next)
		(void)uv_poll_start(&a->poll, UV_READABLE, on_acceptable);
}

static void
pause_accepting(struct acceptors *acceptors)
{
	warn(acceptors, LOG_LEVEL_ERROR, "accept-failed", strerror(errno));
	for (struct acceptor *a = acceptors->list; a != NULL; a = a->next)
		(void)uv_poll_stop(&a->poll);
	(void)uv_timer_start(&acceptors->pause_timer, on_pause_end,
	    ACCEPT_PAUSE_MS, 0);
}

static void
on_acceptable(uv_poll_t *poll, int status, int events)
{
	struct acceptor *acceptor = poll->data;

	(void)status;
	(void)events;
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		struct addr source = { .len = sizeof(source.sockaddr) };
		int fd = accept4(acceptor->fd,
		    (struct sockaddr *)&source.sockaddr, &source.len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			give_to_worker(acceptor->all, fd, &source,
			    acceptor->listener);
			continue;
		}
		if (errno == EAGAIN)
			return;
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM) {
			pause_accepting(acceptor->all);
			return;
		}
		/* Else: that one client gave up; there may be others. */
	}
}

struct acceptors *
acceptors_new(uv_loop_t *loop, struct worker **workers, size_t worker_count)
{
	struct acceptors *acceptors = xcalloc(1, sizeof(*acceptors));

	acceptors->loop = loop;
	acceptors->workers = workers;
	acceptors->worker_count = worker_count;
	(void)uv_timer_init(loop, &acceptors->pause_timer); /* cannot fail */
	acceptors->pause_timer.data = acceptors;
	return acceptors;
}

void
acceptors_start(struct acceptors *acceptors, const struct sockets *sockets,
    struct service *service)
{
	acceptors->service = service;
	for (size_t i = 0; i < sockets->count; i++) {
		struct acceptor *acceptor = xcalloc(1, sizeof(*acceptor));

		acceptor->all = acceptors;
		acceptor->fd = sockets->list[i].fd;
		acceptor->listener = sockets->list[i].listener;
		acceptor->poll.data = acceptor;
		if (uv_poll_init(acceptors->loop, &acceptor->poll,
			acceptor->fd) != 0) {
			log_message(LOG_LEVEL_ERROR, "listen-failed",
			    "cannot poll a listening socket");
			free(acceptor);
			continue;
		}
		acceptor->next = acceptors->list;
		acceptors->list = acceptor;
		(void)uv_poll_start(&acceptor->poll, UV_READABLE,
		    on_acceptable);
	}
}

static void
on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void
acceptors_stop(struct acceptors *acceptors)
{
	struct acceptor *next;

	(void)uv_timer_stop(&acceptors->pause_timer);
	for (struct acceptor *a = acceptors->list; a != NULL; a = next) {
		next = a->next;
		uv_close((uv_handle_t *)&a->poll, on_closed);
	}
	acceptors->list = NULL;
}

void
acceptors_free(struct acceptors *acceptors)
{
	acceptors_stop(acceptors);
	uv_close((uv_handle_t *)&acceptors->pause_timer, on_closed);
}
