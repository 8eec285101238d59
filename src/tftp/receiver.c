#include "tftp/receiver.h"

#include <inttypes.h>

void
receiver_init(struct receiver *receiver, const struct tftp_options *asked)
{
	*receiver = (struct receiver) {
		.asked = *asked,
		.block_bytes = TFTP_BLOCK_DEFAULT,
	};
}

int
receiver_packet(const struct receiver *receiver, const char *name,
    struct buf *out)
{
	return receiver->begun ? tftp_put_ack(out, (uint16_t)receiver->block) :
				 tftp_put_read(out, name, &receiver->asked);
}

static enum receiver_next
refused(const struct tftp_packet *packet, struct error *err)
{
	(void)error_set(err,
	    packet->code == TFTP_ERROR_NOT_FOUND ? ERROR_NOT_FOUND :
						   ERROR_DENIED,
	    "the server answered with error %u%s%s", packet->code,
	    *packet->message != '\0' ? ": " : "", packet->message);
	return RECEIVER_FAIL;
}

/* RFC 2347: only what was asked for; RFC 2348: a block at most as big. */
static bool
is_agreeable(const struct tftp_options *asked,
    const struct tftp_options *answer)
{
	return answer->block_bytes <= asked->block_bytes &&
	    (answer->timeout_s == 0 || answer->timeout_s == asked->timeout_s) &&
	    (!answer->has_size || asked->has_size);
}

static enum receiver_next
take_options(struct receiver *receiver, const struct tftp_packet *packet,
    enum tftp_error *code, struct error *err)
{
	/* Once more, because our answer to it was lost. */
	if (receiver->begun)
		return receiver->block == 0 ? RECEIVER_SEND : RECEIVER_WAIT;
	if (!is_agreeable(&receiver->asked, &packet->options)) {
		*code = TFTP_ERROR_OPTIONS;
		(void)error_set(err, ERROR_INPUT,
		    "the server answers options that were not asked for");
		return RECEIVER_FAIL;
	}
	if (packet->options.block_bytes != 0)
		receiver->block_bytes = packet->options.block_bytes;
	receiver->has_size = packet->options.has_size;
	receiver->size = packet->options.size;
	receiver->begun = true;
	return RECEIVER_SEND;
}

static enum receiver_next
take_data(struct receiver *receiver, const struct tftp_packet *packet,
    bool *piece, enum tftp_error *code, struct error *err)
{
	*code = TFTP_ERROR_OPERATION;
	if (receiver->begun && receiver->block > 0 &&
	    packet->block == (uint16_t)receiver->block)
		return RECEIVER_SEND; /* our ack was lost */
	if (packet->block != (uint16_t)(receiver->block + 1))
		return RECEIVER_WAIT;
	if (packet->len > receiver->block_bytes) {
		(void)error_set(err, ERROR_INPUT,
		    "a block of %zu bytes: expected at most %u", packet->len,
		    receiver->block_bytes);
		return RECEIVER_FAIL;
	}
	receiver->begun = true;
	receiver->block++;
	receiver->received += packet->len;
	*piece = true;
	if (packet->len == receiver->block_bytes)
		return RECEIVER_SEND;
	if (!receiver->has_size || receiver->size == receiver->received)
		return RECEIVER_DONE;
	(void)error_set(err, ERROR_INPUT,
	    "%" PRIu64 " bytes came: the server announced %" PRIu64,
	    receiver->received, receiver->size);
	return RECEIVER_FAIL;
}

enum receiver_next
receiver_take(struct receiver *receiver, const struct tftp_packet *packet,
    bool *piece, enum tftp_error *code, struct error *err)
{
	*piece = false;
	*code = TFTP_ERROR_TEXT;
	switch (packet->opcode) {
	case TFTP_ERROR:
		return refused(packet, err);
	case TFTP_OACK:
		return take_options(receiver, packet, code, err);
	case TFTP_DATA:
		return take_data(receiver, packet, piece, code, err);
	case TFTP_READ:
	case TFTP_WRITE:
	case TFTP_ACK:
		break;
	}
	return RECEIVER_WAIT;
}
