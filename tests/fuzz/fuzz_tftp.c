/* TFTP packets: what is read lies within its limits, and a receiver that is
 * given all of them in turn never takes more than a block at a time. */
#include <assert.h>
#include <string.h>

#include "tftp/packet.h"
#include "tftp/receiver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct tftp_packet *packet, const uint8_t *data, size_t size)
{
	assert(packet->opcode >= TFTP_READ && packet->opcode <= TFTP_OACK);
	assert(strlen(packet->name) <= TFTP_NAME_MAX);
	assert(packet->len == 0 || packet->data + packet->len == data + size);
	assert(packet->options.block_bytes == 0 ||
	    (packet->options.block_bytes >= TFTP_BLOCK_MIN &&
		packet->options.block_bytes <= TFTP_BLOCK_MAX));
	assert(packet->options.timeout_s <= 255);
}

/* Bytes as packets, each behind its length; the receiver's state goes on. */
static void
run(const uint8_t *data, size_t size)
{
	const struct tftp_options asked = { .block_bytes = 16,
		.has_size = true };
	struct receiver receiver;
	enum receiver_next next = RECEIVER_WAIT;

	receiver_init(&receiver, &asked);
	while (size > 0 && next != RECEIVER_DONE && next != RECEIVER_FAIL) {
		size_t len = data[0] < size ? data[0] : size - 1;
		uint64_t before = receiver.received;
		struct tftp_packet packet;
		enum tftp_error code;
		struct error err;
		bool piece = false;

		if (tftp_parse(&packet, data + 1, len, &err) == 0)
			next = receiver_take(&receiver, &packet, &piece, &code,
			    &err);
		assert(receiver.block_bytes <= TFTP_BLOCK_DEFAULT);
		assert(receiver.received - before <= receiver.block_bytes);
		assert(piece || receiver.received == before);
		data += len + 1;
		size -= len + 1;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tftp_packet packet;
	struct error err;

	run(data, size);
	if (tftp_parse(&packet, data, size, &err) == 0)
		check(&packet, data, size);
	return 0;
}
