/*
 * receiver.h -- one file received by TFTP: what to answer, and when it is
 * whole.  The other side of sender.h, and as pure: it neither sends nor waits.
 *
 * The caller sends what receiver_packet() writes, at first the request, hands
 * in what comes from the server's port, and sends again when nothing came.
 * A server that knows no options answers with the first block: then blocks
 * are of 512 bytes, whatever was asked (RFC 2347).  Block numbers go on at 0
 * after 65535.
 */
#ifndef TFTP_RECEIVER_H
#define TFTP_RECEIVER_H

#include "tftp/packet.h"

struct receiver {
	struct tftp_options asked;
	unsigned block_bytes;
	bool begun; /* something came: no longer the request is sent */
	bool has_size;
	uint64_t size;	   /* as announced */
	uint64_t block;	   /* the last one that came */
	uint64_t received; /* bytes in all */
};

enum receiver_next {
	RECEIVER_SEND, /* the packet at hand, and wait */
	RECEIVER_WAIT, /* that was nothing new */
	RECEIVER_DONE, /* send the packet at hand: the file is whole */
	RECEIVER_FAIL, /* err says why; *code is what to tell the server */
};

void receiver_init(struct receiver *receiver, const struct tftp_options *asked);

/* Append the packet at hand: the request for name, or an ack. */
int receiver_packet(const struct receiver *receiver, const char *name,
    struct buf *out) MUST_CHECK;

/*
 * A packet has come.  *piece: its data are the next of the file.  On failure
 * err is ERROR_NOT_FOUND or ERROR_DENIED when the server refuses (*code is 0:
 * an error is not answered), ERROR_INPUT when what it sends cannot be.
 */
enum receiver_next
receiver_take(struct receiver *receiver, const struct tftp_packet *packet,
    bool *piece, enum tftp_error *code, struct error *err);

#endif
