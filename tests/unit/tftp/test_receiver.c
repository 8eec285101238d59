#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tftp/receiver.h"
#include "tftp/sender.h"

static uint8_t zeros[TFTP_BLOCK_MAX + 1];

static struct tftp_packet
data(uint16_t block, size_t len)
{
	return (struct tftp_packet) {
		.opcode = TFTP_DATA, .block = block, .data = zeros, .len = len
	};
}

/* Hand in a packet of which all is well; whether it brought a piece. */
static enum receiver_next
take(struct receiver *receiver, struct tftp_packet packet, bool *piece)
{
	enum tftp_error code;
	struct error err = { 0 };

	return receiver_take(receiver, &packet, piece, &code, &err);
}

static void
assert_refuses(struct receiver receiver, struct tftp_packet packet,
    enum tftp_error wanted, enum error_kind kind)
{
	enum tftp_error code;
	struct error err = { 0 };
	bool piece;

	assert_int_equal(receiver_take(&receiver, &packet, &piece, &code, &err),
	    RECEIVER_FAIL);
	assert_int_equal(code, wanted);
	assert_int_equal(err.kind, kind);
}

/* The two sides with each other, some packets lost. */
static uint64_t
run(uint64_t size, const struct tftp_options *asked, unsigned lose)
{
	enum receiver_next next = RECEIVER_WAIT;
	struct receiver receiver;
	struct sender sender;
	uint64_t moved = 0, offset;
	unsigned count = 0;
	bool piece;
	size_t len;

	sender_init(&sender, asked, size);
	receiver_init(&receiver, asked);
	while (next != RECEIVER_DONE) {
		struct tftp_packet packet = { .opcode = TFTP_OACK,
			.options = sender.answer };

		sender_piece(&sender, &offset, &len);
		if (!sender.in_oack)
			packet = data((uint16_t)sender.block, len);
		if (lose != 0 && ++count % lose == 0)
			continue; /* this one: the sender sends it again */
		next = take(&receiver, packet, &piece);
		assert_true(next == RECEIVER_SEND || next == RECEIVER_DONE);
		moved += piece ? len : 0;
		if (lose != 0 && ++count % lose == 0)
			continue; /* its ack: ditto */
		(void)sender_ack(&sender, (uint16_t)receiver.block);
	}
	assert_int_equal(moved, size);
	return receiver.block;
}

static void
test_sizes(void **state)
{
	const struct tftp_options none = { 0 };
	const struct tftp_options small = { .block_bytes = 8,
		.has_size = true };

	(void)state;
	assert_int_equal(run(0, &none, 0), 1);
	assert_int_equal(run(512, &none, 0), 2);
	assert_int_equal(run(100000, &none, 3), 196);
	/* Past the 16 bits of a block number. */
	assert_int_equal(run(8 * 70000 + 1, &small, 0), 70001);
	assert_int_equal(run(8 * 70000 + 1, &small, 7), 70001);
}

/* The packet at hand: the request until something came. */
static void
test_packets(void **state)
{
	const struct tftp_options asked = { .block_bytes = 1024 };
	struct receiver receiver;
	struct buf out;
	bool piece;

	(void)state;
	buf_init(&out, TFTP_REQUEST_MAX);
	receiver_init(&receiver, &asked);
	assert_int_equal(receiver_packet(&receiver, "x", &out), 0);
	assert_memory_equal(out.data, "\0\1x\0octet\0blksize\0001024", out.len);
	buf_clear(&out);
	/* A server without options: blocks of 512 bytes. */
	assert_int_equal(take(&receiver, data(1, 512), &piece), RECEIVER_SEND);
	assert_true(piece);
	assert_int_equal(receiver_packet(&receiver, "x", &out), 0);
	assert_memory_equal(out.data, "\0\4\0\1", 4);
	buf_clear(&out);
	/* Once more: an ack, and nothing new. */
	assert_int_equal(take(&receiver, data(1, 512), &piece), RECEIVER_SEND);
	assert_false(piece);
	/* One from later or from before says nothing. */
	assert_int_equal(take(&receiver, data(3, 512), &piece), RECEIVER_WAIT);
	assert_int_equal(take(&receiver, data(0, 512), &piece), RECEIVER_WAIT);
	assert_int_equal(take(&receiver,
			     (struct tftp_packet) {
				 .opcode = TFTP_ACK, .block = 2 },
			     &piece),
	    RECEIVER_WAIT);
	assert_int_equal(take(&receiver, data(2, 3), &piece), RECEIVER_DONE);
	assert_int_equal(receiver.received, 515);
}

static void
test_refusals(void **state)
{
	const struct tftp_options none = { 0 };
	const struct tftp_options asked = { .block_bytes = 1024,
		.has_size = true };
	struct tftp_packet packet = { .opcode = TFTP_OACK };
	struct receiver receiver;
	bool piece;

	(void)state;
	receiver_init(&receiver, &asked);
	packet.options.block_bytes = 1025;
	assert_refuses(receiver, packet, TFTP_ERROR_OPTIONS, ERROR_INPUT);
	packet.options = (struct tftp_options) { .timeout_s = 3 };
	assert_refuses(receiver, packet, TFTP_ERROR_OPTIONS, ERROR_INPUT);
	assert_refuses(receiver, data(1, 513), TFTP_ERROR_OPERATION,
	    ERROR_INPUT);
	receiver_init(&receiver, &none);
	packet.options = (struct tftp_options) { .has_size = true };
	assert_refuses(receiver, packet, TFTP_ERROR_OPTIONS, ERROR_INPUT);
	/* Not what was announced. */
	receiver_init(&receiver, &asked);
	packet.options.size = 11;
	assert_int_equal(take(&receiver, packet, &piece), RECEIVER_SEND);
	assert_refuses(receiver, data(1, 10), TFTP_ERROR_OPERATION,
	    ERROR_INPUT);
	/* The server's refusals are not answered. */
	packet = (struct tftp_packet) { .opcode = TFTP_ERROR,
		.code = TFTP_ERROR_NOT_FOUND };
	assert_refuses(receiver, packet, TFTP_ERROR_TEXT, ERROR_NOT_FOUND);
	packet.code = TFTP_ERROR_ACCESS;
	assert_refuses(receiver, packet, TFTP_ERROR_TEXT, ERROR_DENIED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
