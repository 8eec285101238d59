/*
 * tftp_transfer.h -- the transfers of the TFTP service, each on a socket of its
 * own; for tftp.c.
 */
#ifndef SERVER_TFTP_TRANSFER_H
#define SERVER_TFTP_TRANSFER_H

#include <stdbool.h>

#include <uv.h>

#include "base/addr.h"
#include "tftp/packet.h"

struct service;
struct snapshot;

struct tftp_transfer;

/* The thread's, with all transfers. */
struct tftp_host {
	uv_loop_t loop;
	struct service *service;   /* the newest */
	struct snapshot *snapshot; /* ditto */
	struct tftp_transfer *first;
	size_t count;
};

/*
 * Answer a request that came from client to local (which has no port) with a
 * transfer, or with an error; one line in the log either way.
 */
void
tftp_transfer_start(struct tftp_host *host, const struct tftp_packet *request,
    const struct addr *client, const struct addr *local);

/* End all of them. */
void tftp_transfers_end(struct tftp_host *host);

#endif
