/*
 * tftp.h -- the TFTP service: read-only, and only what is public.
 *
 * A thread of its own with its own loop, so that it may wait for a disk.  What
 * it serves is what route_kind_is_public() says, nothing else: there are no
 * identities here.  It is for devices that come from the factory and know
 * nothing but DHCP option 66.
 */
#ifndef SERVER_TFTP_H
#define SERVER_TFTP_H

#include <stddef.h>

#include "base/addr.h"
#include "base/error.h"

struct config;
struct service;
struct snapshot;
struct tftp;

struct tftp_sockets {
	struct tftp_socket {
		int fd;
		struct addr address;
	} * list;
	size_t count;
};

/*
 * Bring fresh to what config asks for, sharing those of old for the same
 * address (same fd).  On failure fresh holds nothing, what was opened is closed
 * and every problem is in errors.
 */
int
tftp_sockets_open(struct tftp_sockets *fresh, const struct tftp_sockets *old,
    const struct config *config, struct errors *errors) MUST_CHECK;

/* Close those of sockets that are not among kept (may be NULL), forget all. */
void tftp_sockets_close(struct tftp_sockets *sockets,
    const struct tftp_sockets *kept);

/* Start the thread, which serves nothing yet. */
struct tftp *tftp_start(struct error *err) MUST_CHECK;

/*
 * Serve with these from now on; NULL leaves what it has.  Transfers go on as
 * they began.  The thread polls the sockets and leaves those that are not
 * among them; it is done with these when the function returns, so that the
 * caller may close them.
 */
void tftp_update(struct tftp *tftp, const struct tftp_sockets *sockets,
    struct service *service, struct snapshot *snapshot);

/* End all transfers and the thread; NULL is fine. */
void tftp_stop(struct tftp *tftp);

#endif
