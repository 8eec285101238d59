/*
 * packet.h -- the packets of TFTP: bytes in, bytes out, no sockets.
 *
 * Sources: RFC 1350 (the protocol), RFC 2347 (options), RFC 2348 (blksize),
 * RFC 2349 (timeout, tsize).  Unknown options are left out of the answer, as
 * RFC 2347 says; known ones with an impossible value are, too.
 */
#ifndef TFTP_PACKET_H
#define TFTP_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

#define TFTP_PORT 69
#define TFTP_NAME_MAX 255
#define TFTP_REQUEST_MAX 512 /* RFC 2347 */
#define TFTP_BLOCK_DEFAULT 512
#define TFTP_BLOCK_MIN 8
#define TFTP_BLOCK_MAX 65464
#define TFTP_HEAD_BYTES 4 /* of a data packet */

enum tftp_opcode {
	TFTP_READ = 1,
	TFTP_WRITE = 2,
	TFTP_DATA = 3,
	TFTP_ACK = 4,
	TFTP_ERROR = 5,
	TFTP_OACK = 6,
};

enum tftp_error {
	TFTP_ERROR_TEXT = 0, /* see the message */
	TFTP_ERROR_NOT_FOUND = 1,
	TFTP_ERROR_ACCESS = 2,
	TFTP_ERROR_OPERATION = 4,
	TFTP_ERROR_TID = 5,
	TFTP_ERROR_OPTIONS = 8,
};

struct tftp_options {
	unsigned block_bytes; /* 0: not asked for */
	unsigned timeout_s;   /* ditto; 1..255 */
	bool has_size;	      /* tsize */
	uint64_t size;	      /* 0 in a request to read */
};

struct tftp_packet {
	enum tftp_opcode opcode;
	char name[TFTP_NAME_MAX + 1]; /* of a request, as sent */
	bool is_octet;		      /* mode of a request; else another */
	struct tftp_options options;  /* of a request, or of an OACK */
	uint16_t block;		      /* of data and acks */
	const uint8_t *data;	      /* of data; borrowed */
	size_t len;
	uint16_t code;	   /* of an error */
	char message[128]; /* ditto; cut, escaped */
};

/* Read one packet; -1 with ERROR_INPUT says why it is none. */
int tftp_parse(struct tftp_packet *packet, const uint8_t *data, size_t len,
    struct error *err) MUST_CHECK;

/* Append one; -1 when out is full.  Of options those that are set. */
int tftp_put_read(struct buf *out, const char *name,
    const struct tftp_options *options) MUST_CHECK;
int
tftp_put_oack(struct buf *out, const struct tftp_options *options) MUST_CHECK;
int tftp_put_ack(struct buf *out, uint16_t block) MUST_CHECK;
/* The head only: the block's bytes are the caller's to append. */
int tftp_put_data(struct buf *out, uint16_t block) MUST_CHECK;
int tftp_put_error(struct buf *out, enum tftp_error code,
    const char *message) MUST_CHECK;

#endif
