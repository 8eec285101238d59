#include "tftp/sender.h"

static bool
has_options(const struct tftp_options *options)
{
	return options->block_bytes != 0 || options->timeout_s != 0 ||
	    options->has_size;
}

void
sender_init(struct sender *sender, const struct tftp_options *asked,
    uint64_t size)
{
	*sender = (struct sender) {
		.size = size,
		.block_bytes = TFTP_BLOCK_DEFAULT,
		.first_timeout_ms = SENDER_TIMEOUT_MS,
		.tries = 1,
	};
	if (asked->block_bytes != 0) {
		/* RFC 2348: a smaller one may be answered. */
		sender->block_bytes = asked->block_bytes < SENDER_BLOCK_MAX ?
		    asked->block_bytes :
		    SENDER_BLOCK_MAX;
		sender->answer.block_bytes = sender->block_bytes;
	}
	/* RFC 2349: the value itself, or the option is not acknowledged. */
	if (asked->timeout_s != 0 &&
	    asked->timeout_s * 1000 <= SENDER_TIMEOUT_MAX_MS) {
		sender->first_timeout_ms = asked->timeout_s * 1000;
		sender->answer.timeout_s = asked->timeout_s;
	}
	sender->answer.has_size = asked->has_size;
	sender->answer.size = size;
	sender->timeout_ms = sender->first_timeout_ms;
	sender->in_oack = has_options(&sender->answer);
	sender->block = sender->in_oack ? 0 : 1;
}

void
sender_piece(const struct sender *sender, uint64_t *offset, size_t *len)
{
	*offset = 0;
	*len = 0;
	if (sender->in_oack)
		return;
	*offset = (sender->block - 1) * sender->block_bytes;
	*len = sender->size - *offset < sender->block_bytes ?
	    (size_t)(sender->size - *offset) :
	    sender->block_bytes;
}

int
sender_packet(const struct sender *sender, const void *piece, size_t len,
    struct buf *out)
{
	if (sender->in_oack)
		return tftp_put_oack(out, &sender->answer);
	return tftp_put_data(out, (uint16_t)sender->block) == 0 ?
	    buf_append(out, piece, len) :
	    -1;
}

/* The last block is shorter than the others, be it empty: RFC 1350 6. */
static bool
is_last(const struct sender *sender)
{
	return sender->block > sender->size / sender->block_bytes;
}

enum sender_next
sender_ack(struct sender *sender, uint16_t block)
{
	if (block != (uint16_t)sender->block)
		return SENDER_WAIT;
	sender->heard = true;
	if (!sender->in_oack && is_last(sender))
		return SENDER_DONE;
	sender->in_oack = false;
	sender->block++;
	sender->tries = 1;
	sender->timeout_ms = sender->first_timeout_ms;
	return SENDER_SEND;
}

enum sender_next
sender_timeout(struct sender *sender)
{
	if (sender->tries >=
	    (sender->heard ? SENDER_TRIES : SENDER_BLIND_TRIES))
		return SENDER_GIVE_UP;
	sender->tries++;
	sender->timeout_ms *= 2;
	if (sender->timeout_ms > SENDER_TIMEOUT_MAX_MS)
		sender->timeout_ms = SENDER_TIMEOUT_MAX_MS;
	return SENDER_SEND;
}
