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

/*
 * Connections taken from a socket in one turn of the loop.  That is half a
 * millisecond, about one handshake, of which a turn begins a few.  More than
 * those, because the kernel's queue has no order but that of arrival: what is
 * out of it can be put in order, or dropped, by admission.h.
 */
#define ACCEPT_BATCH 64
#define ACCEPT_PAUSE_MS 100 /* when there are no descriptors left */
#define WARN_EVERY_MS 1000

/* Another worker gets a connection when it has fewer by more than that, or by
 * more than this part of what it has. */
#define SLACK 8
#define SLACK_PART 4

/* A socket that is polled. */
struct door {
	struct door *next;
	struct acceptor *acceptor;
	uv_poll_t poll;
	int fd;
	size_t listener;
};

struct acceptor {
	uv_loop_t *loop;
	struct worker *worker; /* whose loop that is */
	struct crew *crew;
	struct service *service; /* whose listeners the doors name */
	struct door *doors;
	uv_timer_t pause_timer;
};

/* Once a second at most: a flood must not fill the log as well. */
static void
warn(struct crew *crew, enum log_level level, const char *event,
    const char *text)
{
	uint64_t now_ms = clock_monotonic_ms();
	uint64_t before_ms = atomic_load(&crew->warned_ms);

	/* Who has seen another one's warning leaves it at that. */
	if (now_ms - before_ms >= WARN_EVERY_MS &&
	    atomic_compare_exchange_strong(&crew->warned_ms, &before_ms,
		now_ms))
		log_message(level, event, "%s", text);
}

static struct worker *
least_busy(const struct crew *crew, size_t *fewest, size_t *total)
{
	struct worker *best = NULL;

	*fewest = SIZE_MAX;
	*total = 0;
	for (size_t i = 0; i < crew->count; i++) {
		size_t n = worker_connection_count(crew->workers[i]);

		*total += n;
		if (n < *fewest) {
			*fewest = n;
			best = crew->workers[i];
		}
	}
	return best;
}

/* Whose connections have not all begun; else as was. */
static struct worker *
most_waiting(const struct crew *crew, struct worker *worker)
{
	size_t most = 0;

	for (size_t i = 0; i < crew->count; i++) {
		size_t n = worker_waiting_count(crew->workers[i]);

		if (n > most) {
			most = n;
			worker = crew->workers[i];
		}
	}
	return worker;
}

static bool
is_clearly_more(size_t count, size_t fewest)
{
	size_t slack = fewest / SLACK_PART;

	return count > fewest + (slack > SLACK ? slack : SLACK);
}

/* Who gets it. */
static struct worker *
choose(const struct acceptor *acceptor, bool *full)
{
	struct crew *crew = acceptor->crew;
	struct worker *own = acceptor->worker;
	size_t fewest, total;
	struct worker *other = least_busy(crew, &fewest, &total);

	*full = total > service_config(acceptor->service)->connections_max;
	if (*full) {
		warn(crew, LOG_LEVEL_WARN, "connections-full",
		    "as many connections are open as \"connections\" allows: "
		    "closing the oldest that ask for nothing, or new ones");
		return most_waiting(crew, own);
	}
	return is_clearly_more(worker_connection_count(own), fewest) ? other :
								       own;
}

static void
let_in(const struct acceptor *acceptor, int fd, const struct addr *source,
    size_t listener)
{
	static const int one = 1;
	struct worker *own = acceptor->worker, *worker;
	bool full;

	/* Counted before the others are asked: else workers that accept in the
	 * same moment would pass the limit together. */
	worker_expect(own);
	worker = choose(acceptor, &full);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (worker == own) {
		worker_take(own, fd, source, acceptor->service, listener, full);
		return;
	}
	worker_give(worker, fd, source, acceptor->service, listener, full);
	worker_expect_not(own);
}

static void on_acceptable(uv_poll_t *poll, int status, int events);

static void
on_pause_end(uv_timer_t *timer)
{
	struct acceptor *acceptor = timer->data;

	for (struct door *d = acceptor->doors; d != NULL; d = d->next)
		(void)uv_poll_start(&d->poll, UV_READABLE, on_acceptable);
}

static void
pause_accepting(struct acceptor *acceptor)
{
	warn(acceptor->crew, LOG_LEVEL_ERROR, "accept-failed", strerror(errno));
	for (struct door *d = acceptor->doors; d != NULL; d = d->next)
		(void)uv_poll_stop(&d->poll);
	(void)uv_timer_start(&acceptor->pause_timer, on_pause_end,
	    ACCEPT_PAUSE_MS, 0);
}

static void
on_acceptable(uv_poll_t *poll, int status, int events)
{
	struct door *door = poll->data;

	(void)status;
	(void)events;
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		struct addr source = { .len = sizeof(source.sockaddr) };
		int fd = accept4(door->fd, (struct sockaddr *)&source.sockaddr,
		    &source.len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			let_in(door->acceptor, fd, &source, door->listener);
			continue;
		}
		if (errno == EAGAIN)
			return;
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM) {
			pause_accepting(door->acceptor);
			return;
		}
		/* Else: that one client gave up; there may be others. */
	}
}

static void
open_door(struct acceptor *acceptor, int fd, size_t listener)
{
	struct door *door = xcalloc(1, sizeof(*door));

	door->acceptor = acceptor;
	door->fd = fd;
	door->listener = listener;
	door->poll.data = door;
	if (uv_poll_init(acceptor->loop, &door->poll, fd) != 0) {
		log_message(LOG_LEVEL_ERROR, "listen-failed",
		    "cannot poll a listening socket");
		free(door);
		return;
	}
	door->next = acceptor->doors;
	acceptor->doors = door;
	(void)uv_poll_start(&door->poll, UV_READABLE, on_acceptable);
}

static void
on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* libuv takes the descriptor out of what is polled at once; only the memory
 * has to stay for a turn. */
static void
close_doors(struct acceptor *acceptor)
{
	struct door *next;

	(void)uv_timer_stop(&acceptor->pause_timer);
	for (struct door *d = acceptor->doors; d != NULL; d = next) {
		next = d->next;
		uv_close((uv_handle_t *)&d->poll, on_closed);
	}
	acceptor->doors = NULL;
	service_release(acceptor->service);
	acceptor->service = NULL;
}

struct acceptor *
acceptor_open(uv_loop_t *loop, struct worker *worker)
{
	struct acceptor *acceptor = xcalloc(1, sizeof(*acceptor));

	acceptor->loop = loop;
	acceptor->worker = worker;
	(void)uv_timer_init(loop, &acceptor->pause_timer); /* cannot fail */
	acceptor->pause_timer.data = acceptor;
	return acceptor;
}

void
acceptor_listen(struct acceptor *acceptor, struct crew *crew,
    const struct sockets *sockets, struct service *service)
{
	close_doors(acceptor);
	if (sockets == NULL)
		return;
	acceptor->crew = crew;
	acceptor->service = service_retain(service);
	for (size_t i = 0; i < sockets->count; i++)
		if (crew->workers[i % crew->count] == acceptor->worker)
			open_door(acceptor, sockets->list[i].fd,
			    sockets->list[i].listener);
}

void
acceptor_close(struct acceptor *acceptor)
{
	close_doors(acceptor);
	uv_close((uv_handle_t *)&acceptor->pause_timer, on_closed);
}

void
crew_listen(struct crew *crew, const struct sockets *sockets,
    struct service *service)
{
	uv_sem_t done;

	if (uv_sem_init(&done, 0) != 0)
		abort(); /* it makes nothing but a number */
	for (size_t i = 0; i < crew->count; i++)
		worker_listen(crew->workers[i], crew, sockets, service, &done);
	for (size_t i = 0; i < crew->count; i++)
		uv_sem_wait(&done);
	uv_sem_destroy(&done);
}
