/*
 * sockets.h -- the listening sockets: bound, kept over a reload, or inherited
 * from a service manager (LISTEN_FDS, sd_listen_fds(3)).
 */
#ifndef SERVER_SOCKETS_H
#define SERVER_SOCKETS_H

#include <stddef.h>

#include "base/addr.h"
#include "base/error.h"

struct config;

struct listening {
	int fd;
	struct addr address;
	size_t listener; /* index in the configuration */
};

struct sockets {
	struct listening *list;
	size_t count;
};

/* A listening, non-blocking socket, or -1. */
int sockets_bind(const struct addr *address, struct error *err) MUST_CHECK;

/* Take over what the service manager passed; leaves sockets empty when that is
 * nothing.  The environment variables are removed. */
void sockets_inherit(struct sockets *sockets);

/*
 * Bring fresh to what config asks for: sockets of old for the same address are
 * shared (same fd), the others are bound anew.  On failure fresh holds nothing
 * and every problem is in errors.
 */
int sockets_open(struct sockets *fresh, const struct sockets *old,
    const struct config *config, struct errors *errors) MUST_CHECK;

/* Close those of sockets whose fd is not among kept (may be NULL), and forget
 * all. */
void sockets_close(struct sockets *sockets, const struct sockets *kept);

#endif
