/* TFTP packets: what is read lies within its limits. */
#include <assert.h>
#include <string.h>

#include "tftp/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tftp_packet packet;
	struct error err;

	if (tftp_parse(&packet, data, size, &err) != 0)
		return 0;
	assert(packet.opcode >= TFTP_READ && packet.opcode <= TFTP_OACK);
	assert(strlen(packet.name) <= TFTP_NAME_MAX);
	assert(packet.len == 0 || packet.data + packet.len == data + size);
	assert(packet.options.block_bytes == 0 ||
	    (packet.options.block_bytes >= TFTP_BLOCK_MIN &&
		packet.options.block_bytes <= TFTP_BLOCK_MAX));
	assert(packet.options.timeout_s <= 255);
	return 0;
}
