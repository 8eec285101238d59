/*
 * sender.h -- one file sent by TFTP: which packet is next, and when to give up.
 *
 * Pure: it neither sends nor waits.  The caller sends what sender_packet()
 * writes, hands in acks, and calls sender_timeout() when nothing came within
 * sender->timeout_ms.
 *
 * A request's source address may be forged, and the answer is larger than it:
 * until the first ack has proved that somebody is there, the first packet is
 * sent SENDER_BLIND_TRIES times only.  A duplicate ack is not answered, or
 * both sides would double each packet from then on (RFC 1123 4.2.3.1).
 * Block numbers go on at 0 after 65535, so that images past 32 MB can be sent.
 */
#ifndef TFTP_SENDER_H
#define TFTP_SENDER_H

#include "tftp/packet.h"

#define SENDER_BLIND_TRIES 3 /* in all, before anything came back */
#define SENDER_TRIES 6	     /* of each later packet */
#define SENDER_TIMEOUT_MS 1000
#define SENDER_TIMEOUT_MAX_MS \
	10000		      /* what a client may ask for, and the
				     * longest wait after many */
#define SENDER_BLOCK_MAX 1428 /* no fragments, over IPv6 and tunnels too */

struct sender {
	uint64_t size;
	unsigned block_bytes;
	unsigned timeout_ms, first_timeout_ms;
	struct tftp_options answer; /* what is agreed, for the OACK */
	bool in_oack;		    /* the next packet is that */
	bool heard;		    /* something came back */
	unsigned tries;
	uint64_t block; /* which is being sent, from 1; 0: the OACK */
};

enum sender_next {
	SENDER_SEND, /* send the packet, and wait for timeout_ms */
	SENDER_WAIT, /* nothing to send: go on waiting */
	SENDER_DONE, /* all of it has arrived */
	SENDER_GIVE_UP,
};

/* Begin, for a request to read a file of size bytes; send at once. */
void sender_init(struct sender *sender, const struct tftp_options *asked,
    uint64_t size);

/* Where the bytes of the packet at hand are in the file; len 0: it has none. */
void sender_piece(const struct sender *sender, uint64_t *offset, size_t *len);

/* Append the packet at hand; piece is what sender_piece() asked for. */
int sender_packet(const struct sender *sender, const void *piece, size_t len,
    struct buf *out) MUST_CHECK;

enum sender_next sender_ack(struct sender *sender, uint16_t block);
enum sender_next sender_timeout(struct sender *sender);

#endif
