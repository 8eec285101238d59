#include "admin/admin.h"
#include "admin/conn.h"
#include "admin/dependents.h"
#include "admin/noting.h"
#include "admin/refusals.h"
#include "admin/site.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "pki/anchors.h"
#include "pki/chain.h"
#include "server/config.h"
#include "server/guest.h"
#include "server/service.h"
#include "server/sockets.h"
#include "tls/context.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uv.h>

#define TICK_MS 1000
#define BACKLOG_AT_ONCE 16

/* A listening socket that is polled. */
struct door {
	uv_poll_t poll;
	struct admin *admin;
	struct door *next;
	int fd;
};

struct admin {
	struct guest guest;
	struct site *site;
	/* Of the main thread: what is open, and what was prepared. */
	struct sockets sockets, fresh;
	struct front *fresh_front;
	/* Of the thread. */
	uv_loop_t loop;
	uv_async_t wake;
	uv_timer_t tick;
	uv_work_t refresh, counting, noting;
	bool refreshing, is_counting, is_noting, ending;
	struct refusals_rest rest; /* that is being noted */
	struct door *doors;
	struct front *front;
	struct desk desk;
	pthread_t thread;
	bool started;
	pthread_mutex_t mutex;
	pthread_cond_t done;
	/* Under the mutex: what the main thread wants. */
	bool wanted;
	struct sockets wanted_sockets;
	struct front *wanted_front;
	bool stop;
};

/* ----------------------------------------------------------------- thread */

static void
on_connection(uv_poll_t *poll, int status, int events)
{
	struct door *door = poll->data;
	struct addr source;

	(void)status;
	(void)events;
	for (int i = 0; i < BACKLOG_AT_ONCE; i++) {
		int fd;

		source.len = sizeof(source.sockaddr);
		fd = accept4(door->fd, (struct sockaddr *)&source.sockaddr,
		    &source.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		person_start(&door->admin->desk, door->admin->front, fd,
		    &source);
	}
}

static void
on_door_closed(uv_handle_t *handle)
{
	struct door *door = handle->data;

	(void)close(door->fd);
	free(door);
}

static bool
has_fd(const struct sockets *sockets, int fd)
{
	assert(sockets->list != NULL || sockets->count == 0);
	for (size_t i = 0; i < sockets->count; i++)
		if (sockets->list[i].fd == fd)
			return true;
	return false;
}

static void
close_doors(struct admin *admin, const struct sockets *kept)
{
	struct door **link = &admin->doors, *door;

	while ((door = *link) != NULL) {
		if (has_fd(kept, door->fd)) {
			link = &door->next;
			continue;
		}
		*link = door->next;
		uv_close((uv_handle_t *)&door->poll, on_door_closed);
	}
}

static void
open_doors(struct admin *admin, const struct sockets *sockets)
{
	for (size_t i = 0; i < sockets->count; i++) {
		int fd = sockets->list[i].fd;
		struct door *door = admin->doors;

		while (door != NULL && door->fd != fd)
			door = door->next;
		if (door != NULL)
			continue;
		door = xcalloc(1, sizeof(*door));
		*door = (struct door) {
			.admin = admin, .next = admin->doors, .fd = fd
		};
		admin->doors = door;
		(void)uv_poll_init(&admin->loop, &door->poll, fd);
		door->poll.data = door;
		(void)uv_poll_start(&door->poll, UV_READABLE, on_connection);
	}
}

/* In the pool. */
static void
work_refresh(uv_work_t *work)
{
	struct admin *admin = work->data;

	site_refresh(admin->site);
}

static void
after_refresh(uv_work_t *work, int status)
{
	struct admin *admin = work->data;

	(void)status;
	admin->refreshing = false;
}

/* In the pool. */
static void
work_count(uv_work_t *work)
{
	struct admin *admin = work->data;

	dependents_refresh(site_dependents(admin->site), admin->site);
}

static void
after_count(uv_work_t *work, int status)
{
	struct admin *admin = work->data;

	(void)status;
	admin->is_counting = false;
}

static void
count_fleet(struct admin *admin)
{
	if (admin->front == NULL || admin->is_counting ||
	    !dependents_is_stale(site_dependents(admin->site)))
		return;
	admin->is_counting = true;
	admin->counting.data = admin;
	(void)uv_queue_work(&admin->loop, &admin->counting, work_count,
	    after_count);
}

/* In the pool. */
static void
work_note(uv_work_t *work)
{
	struct admin *admin = work->data;

	noting_rest(admin->site, &admin->rest, clock_wall());
}

static void
after_note(uv_work_t *work, int status)
{
	struct admin *admin = work->data;

	(void)status;
	admin->is_noting = false;
}

/* Of minutes that are over, one at a time. */
static void
note_refusals(struct admin *admin)
{
	if (admin->is_noting ||
	    !refusals_end(site_refusals(admin->site), clock_wall(), false,
		&admin->rest))
		return;
	admin->is_noting = true;
	admin->noting.data = admin;
	(void)uv_queue_work(&admin->loop, &admin->noting, work_note,
	    after_note);
}

static void
on_tick(uv_timer_t *tick)
{
	struct admin *admin = tick->data;

	site_sample(admin->site);
	count_fleet(admin);
	note_refusals(admin);
	if (admin->front == NULL || admin->refreshing ||
	    !site_is_stale(admin->site))
		return;
	admin->refreshing = true;
	admin->refresh.data = admin;
	(void)uv_queue_work(&admin->loop, &admin->refresh, work_refresh,
	    after_refresh);
}

static void
end(struct admin *admin)
{
	static const struct sockets none = { .list = NULL };

	if (admin->ending)
		return;
	admin->ending = true;
	close_doors(admin, &none);
	desk_close(&admin->desk);
	uv_close((uv_handle_t *)&admin->tick, NULL);
	uv_close((uv_handle_t *)&admin->wake, NULL);
}

static void
on_wake(uv_async_t *wake)
{
	struct admin *admin = wake->data;

	(void)pthread_mutex_lock(&admin->mutex);
	if (admin->wanted) {
		close_doors(admin, &admin->wanted_sockets);
		open_doors(admin, &admin->wanted_sockets);
		front_release(admin->front);
		admin->front = admin->wanted_front;
		admin->wanted_front = NULL;
		admin->wanted = false;
		(void)pthread_cond_signal(&admin->done);
	}
	if (admin->stop)
		end(admin);
	(void)pthread_mutex_unlock(&admin->mutex);
}

static void *
admin_main(void *arg)
{
	struct admin *admin = arg;

	(void)uv_run(&admin->loop, UV_RUN_DEFAULT);
	return NULL;
}

/* ------------------------------------------------------ of the main thread */

static void
complain(struct errors *errors, const struct config *config,
    struct config_place place, const struct error *err)
{
	errors_add(errors, "%s:%u:%u: %s", config->path, place.line,
	    place.column, err->text);
}

static int
load_anchors(struct front *front, const struct config *config,
    struct errors *errors)
{
	const struct config_admin *from = &config->admin;
	struct error err;

	if (from->anchors == NULL)
		return 0;
	front->anchors = anchors_new();
	if (anchors_add_file(front->anchors, from->anchors, &err) == 0)
		return 0;
	complain(errors, config, from->anchors_place, &err);
	return -1;
}

static struct front *
load_front(const struct config *config, struct errors *errors)
{
	const struct config_admin *from = &config->admin;
	struct front *front = xcalloc(1, sizeof(*front));
	struct tls_server_options options = {
		.policy = TLS_MODERN,
		.all_algorithms = true, /* of browsers nobody knows which */
	};
	struct error err;

	front->references = 1;
	if (from->plain)
		return front;
	front->chain = chain_load(from->certificate.path,
	    from->certificate.key_path, &err);
	if (front->chain == NULL) {
		complain(errors, config, from->certificate.place, &err);
		goto fail;
	}
	if (load_anchors(front, config, errors) != 0)
		goto fail;
	options.chain = front->chain;
	options.anchors = front->anchors;
	front->tls = tls_context_new_server(&options, &err);
	if (front->tls != NULL)
		return front;
	complain(errors, config, from->certificate.place, &err);
fail:
	front_release(front);
	return NULL;
}

static int
find_fd(const struct sockets *sockets, const struct addr *address)
{
	for (size_t i = 0; i < sockets->count; i++)
		if (addr_equal(&sockets->list[i].address, address))
			return sockets->list[i].fd;
	return -1;
}

static int
open_sockets(struct sockets *fresh, const struct sockets *old,
    const struct config *config, struct errors *errors)
{
	const struct config_admin *from = &config->admin;
	struct error err;
	int rc = 0;

	*fresh = (struct sockets) { .list = NULL };
	fresh->list = xcalloc(from->address_count + 1, sizeof(*fresh->list));
	for (size_t i = 0; i < from->address_count; i++) {
		int fd = find_fd(old, &from->addresses[i]);

		if (fd < 0)
			fd = sockets_bind(&from->addresses[i], &err);
		if (fd < 0) {
			complain(errors, config, from->address_places[i], &err);
			rc = -1;
			continue;
		}
		fresh->list[fresh->count++] = (struct listening) { .fd = fd,
			.address = from->addresses[i] };
	}
	if (rc != 0)
		sockets_close(fresh, old);
	return rc;
}

static int
prepare(void *arg, struct service *service, struct errors *errors)
{
	const struct config *config = service_config(service);
	struct admin *admin = arg;

	if (config->admin.address_count > 0) {
		admin->fresh_front = load_front(config, errors);
		if (admin->fresh_front == NULL)
			return -1;
	}
	if (open_sockets(&admin->fresh, &admin->sockets, config, errors) == 0)
		return 0;
	front_release(admin->fresh_front);
	admin->fresh_front = NULL;
	return -1;
}

static int
start(void *arg, const struct guest_view *view, struct error *err)
{
	struct admin *admin = arg;
	sigset_t all, old;
	int rc;

	site_view(admin->site, view);
	/* Signals are the main thread's. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&admin->thread, NULL, admin_main, admin);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0)
		return error_set(err, ERROR_SYSTEM,
		    "cannot start the admin thread");
	admin->started = true;
	return 0;
}

static void
log_doors(const struct sockets *sockets, bool plain)
{
	char address[ADDR_TEXT_BYTES];
	struct log_line line;

	for (size_t i = 0; i < sockets->count; i++) {
		addr_format(&sockets->list[i].address, address);
		log_begin(&line, LOG_LEVEL_INFO, "listening");
		log_text(&line, "listener", "admin");
		log_text(&line, "address", address);
		log_text(&line, "tls", plain ? "none" : "modern");
		log_end(&line);
	}
}

/* The thread closes what is among its doors no more. */
static void
use(void *arg, struct service *service)
{
	struct admin *admin = arg;

	site_use_service(admin->site, service);
	(void)pthread_mutex_lock(&admin->mutex);
	admin->wanted_sockets = admin->fresh;
	admin->wanted_front = admin->fresh_front;
	admin->fresh_front = NULL;
	admin->wanted = true;
	(void)uv_async_send(&admin->wake);
	while (admin->wanted)
		(void)pthread_cond_wait(&admin->done, &admin->mutex);
	(void)pthread_mutex_unlock(&admin->mutex);
	free(admin->sockets.list);
	admin->sockets = admin->fresh;
	admin->fresh = (struct sockets) { .list = NULL };
	log_doors(&admin->sockets, service_config(service)->admin.plain);
}

static void
update(void *arg, struct snapshot *snapshot)
{
	struct admin *admin = arg;

	site_use_snapshot(admin->site, snapshot);
}

static void
stop(void *arg)
{
	struct admin *admin = arg;
	struct refusals_rest rest;

	if (!admin->started) {
		sockets_close(&admin->fresh, NULL);
		return;
	}
	(void)pthread_mutex_lock(&admin->mutex);
	admin->stop = true;
	(void)uv_async_send(&admin->wake);
	(void)pthread_mutex_unlock(&admin->mutex);
	(void)pthread_join(admin->thread, NULL);
	admin->started = false;
	while (refusals_end(site_refusals(admin->site), clock_wall(), true,
	    &rest))
		noting_rest(admin->site, &rest, clock_wall());
	free(admin->sockets.list); /* their doors have closed them */
	admin->sockets = (struct sockets) { .list = NULL };
}

struct admin *
admin_new(const char *config_path)
{
	struct admin *admin = xcalloc(1, sizeof(*admin));

	admin->guest = (struct guest) { admin, prepare, start, use, update,
		stop };
	admin->site = site_new(config_path);
	(void)pthread_mutex_init(&admin->mutex, NULL);
	(void)pthread_cond_init(&admin->done, NULL);
	(void)uv_loop_init(&admin->loop);
	(void)uv_async_init(&admin->loop, &admin->wake, on_wake);
	(void)uv_timer_init(&admin->loop, &admin->tick);
	admin->wake.data = admin;
	admin->tick.data = admin;
	(void)uv_timer_start(&admin->tick, on_tick, TICK_MS, TICK_MS);
	desk_init(&admin->desk, &admin->loop, admin->site);
	return admin;
}

const struct guest *
admin_guest(struct admin *admin)
{
	return &admin->guest;
}

void
admin_free(struct admin *admin)
{
	if (admin == NULL)
		return;
	end(admin); /* unless the thread has */
	(void)uv_run(&admin->loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&admin->loop);
	front_release(admin->front);
	front_release(admin->fresh_front);
	site_free(admin->site);
	(void)pthread_cond_destroy(&admin->done);
	(void)pthread_mutex_destroy(&admin->mutex);
	free(admin);
}
