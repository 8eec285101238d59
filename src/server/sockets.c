#include "server/sockets.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/config.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* sd_listen_fds(3): the first descriptor passed. */
#define LISTEN_FDS_START 3

static struct listening *
append(struct sockets *sockets)
{
	sockets->list = xrealloc(sockets->list,
	    (sockets->count + 1) * sizeof(*sockets->list));
	return &sockets->list[sockets->count++];
}

/* How many were passed to this very process. */
static int
passed_count(void)
{
	const char *pid_text = getenv("LISTEN_PID");
	const char *count_text = getenv("LISTEN_FDS");
	struct error ignored;
	uint64_t pid, count;

	if (pid_text == NULL || count_text == NULL ||
	    text_parse_number(pid_text, 1, INT32_MAX, &pid, &ignored) != 0 ||
	    (pid_t)pid != getpid() ||
	    text_parse_number(count_text, 1, 1024, &count, &ignored) != 0)
		return 0;
	return (int)count;
}

void
sockets_inherit(struct sockets *sockets)
{
	int end = LISTEN_FDS_START + passed_count();

	*sockets = (struct sockets) { 0 };
	for (int fd = LISTEN_FDS_START; fd < end; fd++) {
		struct listening found = { .fd = fd };

		found.address.len = sizeof(found.address.sockaddr);
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
		if (getsockname(fd, (struct sockaddr *)&found.address.sockaddr,
			&found.address.len) != 0)
			continue;
		(void)fcntl(fd, F_SETFL, O_NONBLOCK);
		*append(sockets) = found;
	}
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
}

int
sockets_bind(const struct addr *address, struct error *err)
{
	static const int one = 1;
	char text[ADDR_TEXT_BYTES];
	int fd;

	addr_format(address, text);
	fd = socket(address->sockaddr.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_errno(err, "cannot make a socket for %s", text);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* [::] is IPv6 only, so that 0.0.0.0 may stand beside it. */
	if (address->sockaddr.ss_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one,
		    sizeof(one));
	if (bind(fd, (const struct sockaddr *)&address->sockaddr,
		address->len) != 0 ||
	    listen(fd, SOMAXCONN) != 0) {
		(void)error_errno(err, "cannot listen on %s%s", text,
		    errno == EACCES ? " (ports below 1024 need root or "
				      "CAP_NET_BIND_SERVICE)" :
				      "");
		(void)close(fd);
		return -1;
	}
	return fd;
}

static const struct listening *
find(const struct sockets *sockets, const struct addr *address)
{
	for (size_t i = 0; i < sockets->count; i++)
		if (addr_equal(&sockets->list[i].address, address))
			return &sockets->list[i];
	return NULL;
}

static int
open_listener(struct sockets *fresh, const struct sockets *old,
    const struct config *config, size_t index, struct errors *errors)
{
	const struct config_listener *listener = &config->listeners[index];
	struct error err;
	int rc = 0;

	for (size_t i = 0; i < listener->address_count; i++) {
		const struct addr *address = &listener->addresses[i];
		const struct listening *before = find(old, address);
		int fd = before != NULL ? before->fd :
					  sockets_bind(address, &err);

		if (fd < 0) {
			errors_add(errors, "%s:%u:%u: %s", config->path,
			    listener->address_places[i].line,
			    listener->address_places[i].column, err.text);
			rc = -1;
			continue;
		}
		*append(fresh) = (struct listening) {
			.fd = fd, .address = *address, .listener = index
		};
	}
	return rc;
}

int
sockets_open(struct sockets *fresh, const struct sockets *old,
    const struct config *config, struct errors *errors)
{
	int rc = 0;

	*fresh = (struct sockets) { 0 };
	for (size_t i = 0; i < config->listener_count; i++)
		if (open_listener(fresh, old, config, i, errors) != 0)
			rc = -1;
	if (rc != 0)
		sockets_close(fresh, old);
	return rc;
}

void
sockets_close(struct sockets *sockets, const struct sockets *kept)
{
	for (size_t i = 0; i < sockets->count; i++) {
		bool keep = false;

		for (size_t j = 0; kept != NULL && j < kept->count; j++)
			keep |= kept->list[j].fd == sockets->list[i].fd;
		if (!keep)
			(void)close(sockets->list[i].fd);
	}
	free(sockets->list);
	*sockets = (struct sockets) { 0 };
}
