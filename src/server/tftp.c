#include "server/tftp.h"
#include "base/log.h"
#include "base/mem.h"
#include "inventory/snapshot.h"
#include "server/config.h"
#include "server/service.h"
#include "server/tftp_transfer.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---------------------------------------------------------------- sockets */

static int
bind_address(const struct addr *address, struct error *err)
{
	static const int one = 1;
	int family = address->sockaddr.ss_family;
	char text[ADDR_TEXT_BYTES];
	int fd;

	addr_format(address, text);
	fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_errno(err, "cannot make a socket for %s", text);
	/* Answers have to come from the address that was asked. */
	if (family == AF_INET6) {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one,
		    sizeof(one));
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one,
		    sizeof(one));
	} else {
		(void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one));
	}
	if (bind(fd, (const struct sockaddr *)&address->sockaddr,
		address->len) != 0) {
		(void)error_errno(err, "cannot serve TFTP on %s%s", text,
		    errno == EACCES ? " (ports below 1024 need root or "
				      "CAP_NET_BIND_SERVICE)" :
				      "");
		(void)close(fd);
		return -1;
	}
	return fd;
}

static int
find_fd(const struct tftp_sockets *sockets, const struct addr *address)
{
	for (size_t i = 0; i < sockets->count; i++)
		if (addr_equal(&sockets->list[i].address, address))
			return sockets->list[i].fd;
	return -1;
}

int
tftp_sockets_open(struct tftp_sockets *fresh, const struct tftp_sockets *old,
    const struct config *config, struct errors *errors)
{
	const struct config_tftp *tftp = &config->tftp;
	struct error err;
	int rc = 0;

	*fresh = (struct tftp_sockets) { .list = NULL };
	fresh->list = xcalloc(tftp->address_count + 1, sizeof(*fresh->list));
	for (size_t i = 0; i < tftp->address_count; i++) {
		int fd = find_fd(old, &tftp->addresses[i]);

		if (fd < 0)
			fd = bind_address(&tftp->addresses[i], &err);
		if (fd < 0) {
			errors_add(errors, "%s:%u:%u: %s", config->path,
			    tftp->address_places[i].line,
			    tftp->address_places[i].column, err.text);
			rc = -1;
			continue;
		}
		fresh->list[fresh->count++] = (struct tftp_socket) { fd,
			tftp->addresses[i] };
	}
	if (rc != 0)
		tftp_sockets_close(fresh, old);
	return rc;
}

static bool
has_fd(const struct tftp_sockets *sockets, int fd)
{
	for (size_t i = 0; sockets != NULL && i < sockets->count; i++)
		if (sockets->list[i].fd == fd)
			return true;
	return false;
}

void
tftp_sockets_close(struct tftp_sockets *sockets,
    const struct tftp_sockets *kept)
{
	for (size_t i = 0; i < sockets->count; i++)
		if (!has_fd(kept, sockets->list[i].fd))
			(void)close(sockets->list[i].fd);
	free(sockets->list);
	*sockets = (struct tftp_sockets) { .list = NULL };
}

/* ----------------------------------------------------------------- thread */

/* A socket that is polled. */
struct door {
	uv_poll_t poll;
	struct tftp *tftp;
	struct door *next;
	int fd;
};

struct tftp {
	struct tftp_host host;
	struct door *doors;
	pthread_t thread;
	uv_async_t wake;
	pthread_mutex_t mutex;
	pthread_cond_t done;
	/* Under the mutex: what the main thread wants. */
	bool wanted;
	const struct tftp_sockets *sockets; /* NULL: as they are */
	struct service *service;
	struct snapshot *snapshot;
	bool stop;
};

/* To which of our addresses did it come?  False: not to one of ours alone. */
static bool
read_local(struct msghdr *message, const struct addr *client,
    struct addr *local)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&local->sockaddr;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&local->sockaddr;

	*local = (struct addr) { .len = client->len };
	local->sockaddr.ss_family = client->sockaddr.ss_family;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL;
	     c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			v4->sin_addr = info.ipi_spec_dst;
			/* Else it was to everybody: no answer. */
			return info.ipi_spec_dst.s_addr == info.ipi_addr.s_addr;
		}
		if (c->cmsg_level == IPPROTO_IPV6 &&
		    c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			v6->sin6_addr = info.ipi6_addr;
			if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
				v6->sin6_scope_id = info.ipi6_ifindex;
			return !IN6_IS_ADDR_MULTICAST(&info.ipi6_addr);
		}
	}
	return false;
}

/* One request; false when there is none. */
static bool
take_request(struct door *door)
{
	uint8_t data[TFTP_REQUEST_MAX + 1];
	union {
		char bytes[256];
		struct cmsghdr align;
	} control;
	struct iovec vector = { data, sizeof(data) };
	struct addr client = { .len = sizeof(client.sockaddr) }, local;
	struct msghdr message = {
		.msg_name = &client.sockaddr,
		.msg_namelen = client.len,
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct tftp_packet packet;
	struct error err;
	ssize_t n = recvmsg(door->fd, &message, 0);

	if (n < 0)
		return false;
	client.len = message.msg_namelen;
	if (addr_port(&client) == 0 || !read_local(&message, &client, &local))
		return true;
	/* No answer to what is no request: it may be an answer itself. */
	if (tftp_parse(&packet, data, (size_t)n, &err) == 0 &&
	    (packet.opcode == TFTP_READ || packet.opcode == TFTP_WRITE))
		tftp_transfer_start(&door->tftp->host, &packet, &client,
		    &local);
	return true;
}

static void
on_request(uv_poll_t *poll, int status, int events)
{
	struct door *door = poll->data;

	(void)status;
	(void)events;
	/* Some at a time: transfers are not to wait for a flood to end. */
	for (int i = 0; i < 16 && take_request(door); i++)
		;
}

static void
on_door_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void
use_sockets(struct tftp *tftp, const struct tftp_sockets *sockets)
{
	struct door **link = &tftp->doors, *door;

	while ((door = *link) != NULL) {
		if (has_fd(sockets, door->fd)) {
			link = &door->next;
			continue;
		}
		*link = door->next;
		(void)uv_poll_stop(&door->poll);
		uv_close((uv_handle_t *)&door->poll, on_door_closed);
	}
	for (size_t i = 0; i < sockets->count; i++) {
		int fd = sockets->list[i].fd;

		for (door = tftp->doors; door != NULL && door->fd != fd;
		     door = door->next)
			;
		if (door != NULL)
			continue;
		door = xcalloc(1, sizeof(*door));
		*door = (struct door) {
			.tftp = tftp, .next = tftp->doors, .fd = fd
		};
		tftp->doors = door;
		(void)uv_poll_init(&tftp->host.loop, &door->poll, fd);
		door->poll.data = door;
		(void)uv_poll_start(&door->poll, UV_READABLE, on_request);
	}
}

static void
on_wake(uv_async_t *wake)
{
	static const struct tftp_sockets none = { .list = NULL };
	struct tftp *tftp = wake->data;

	(void)pthread_mutex_lock(&tftp->mutex);
	if (tftp->service != NULL) {
		service_release(tftp->host.service);
		tftp->host.service = tftp->service;
	}
	if (tftp->snapshot != NULL) {
		snapshot_release(tftp->host.snapshot);
		tftp->host.snapshot = tftp->snapshot;
	}
	if (tftp->sockets != NULL)
		use_sockets(tftp, tftp->sockets);
	tftp->service = NULL;
	tftp->snapshot = NULL;
	tftp->sockets = NULL;
	tftp->wanted = false;
	(void)pthread_cond_signal(&tftp->done);
	if (tftp->stop && !uv_is_closing((uv_handle_t *)wake)) {
		use_sockets(tftp, &none);
		tftp_transfers_end(&tftp->host);
		uv_close((uv_handle_t *)wake, NULL);
	}
	(void)pthread_mutex_unlock(&tftp->mutex);
}

static void *
tftp_main(void *arg)
{
	struct tftp *tftp = arg;

	(void)uv_run(&tftp->host.loop, UV_RUN_DEFAULT);
	return NULL;
}

struct tftp *
tftp_start(struct error *err)
{
	struct tftp *tftp = xcalloc(1, sizeof(*tftp));
	sigset_t all, old;
	int rc;

	(void)uv_loop_init(&tftp->host.loop);
	(void)uv_async_init(&tftp->host.loop, &tftp->wake, on_wake);
	tftp->wake.data = tftp;
	(void)pthread_mutex_init(&tftp->mutex, NULL);
	(void)pthread_cond_init(&tftp->done, NULL);
	/* Signals are the main thread's. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&tftp->thread, NULL, tftp_main, tftp);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc == 0)
		return tftp;
	(void)error_set(err, ERROR_SYSTEM, "cannot start the TFTP thread");
	uv_close((uv_handle_t *)&tftp->wake, NULL);
	(void)uv_run(&tftp->host.loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&tftp->host.loop);
	free(tftp);
	return NULL;
}

void
tftp_update(struct tftp *tftp, const struct tftp_sockets *sockets,
    struct service *service, struct snapshot *snapshot)
{
	(void)pthread_mutex_lock(&tftp->mutex);
	tftp->sockets = sockets;
	tftp->service = service != NULL ? service_retain(service) : NULL;
	tftp->snapshot = snapshot != NULL ? snapshot_retain(snapshot) : NULL;
	tftp->wanted = true;
	(void)uv_async_send(&tftp->wake);
	while (tftp->wanted)
		(void)pthread_cond_wait(&tftp->done, &tftp->mutex);
	(void)pthread_mutex_unlock(&tftp->mutex);
}

void
tftp_stop(struct tftp *tftp)
{
	if (tftp == NULL)
		return;
	(void)pthread_mutex_lock(&tftp->mutex);
	tftp->stop = true;
	(void)uv_async_send(&tftp->wake);
	(void)pthread_mutex_unlock(&tftp->mutex);
	(void)pthread_join(tftp->thread, NULL);
	(void)uv_loop_close(&tftp->host.loop);
	service_release(tftp->host.service);
	snapshot_release(tftp->host.snapshot);
	(void)pthread_cond_destroy(&tftp->done);
	(void)pthread_mutex_destroy(&tftp->mutex);
	free(tftp);
}
