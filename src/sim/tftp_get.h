/*
 * tftp_get.h -- a simulated device asks a server for a file by TFTP.
 */
#ifndef SIM_TFTP_GET_H
#define SIM_TFTP_GET_H

#include "base/addr.h"
#include "base/buf.h"
#include "base/error.h"

struct tftp_get {
	const struct addr *server;
	const struct addr *source; /* to ask from; NULL: any */
	const char *name;
	unsigned block_bytes; /* to ask for, with the size; 0: no options */
	unsigned timeout_ms;  /* from one packet to the next */
};

/*
 * Append the whole file to out.  ERROR_NOT_FOUND: it has none of that name;
 * ERROR_DENIED: it refuses otherwise; ERROR_INPUT: what it sends cannot be, or
 * out is full; ERROR_SYSTEM: no answer within the time, or no socket.
 */
int tftp_get_file(const struct tftp_get *get, struct buf *out,
    struct error *err) MUST_CHECK;

#endif
