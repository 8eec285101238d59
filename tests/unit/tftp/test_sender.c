#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tftp/sender.h"

/* All of a file, acked block by block; returns how many there were. */
static uint64_t
run(uint64_t size, const struct tftp_options *asked)
{
	enum sender_next next = SENDER_SEND;
	struct sender sender;
	uint64_t moved = 0, blocks = 0, offset;
	size_t len;

	sender_init(&sender, asked, size);
	while (next == SENDER_SEND) {
		sender_piece(&sender, &offset, &len);
		if (!sender.in_oack) {
			assert_int_equal(offset, moved);
			moved += len;
			blocks++;
		}
		next = sender_ack(&sender, (uint16_t)sender.block);
	}
	assert_int_equal(next, SENDER_DONE);
	assert_int_equal(moved, size);
	return blocks;
}

/* The number of the block is of 16 bits, the image may be bigger. */
static void
test_sizes(void **state)
{
	const struct tftp_options none = { 0 }, small = { .block_bytes = 8 };

	(void)state;
	assert_int_equal(run(0, &none), 1);
	assert_int_equal(run(511, &none), 1);
	assert_int_equal(run(512, &none), 2);
	assert_int_equal(run(513, &none), 2);
	assert_int_equal(run(UINT64_C(512) * 200000 + 1, &none), 200001);
	assert_int_equal(run(8 * 65536, &small), 65537);
}

static void
test_acks(void **state)
{
	const struct tftp_options none = { 0 };
	struct sender sender;

	(void)state;
	sender_init(&sender, &none, 2000);
	assert_int_equal(sender_ack(&sender, 0), SENDER_WAIT);
	assert_int_equal(sender_ack(&sender, 2), SENDER_WAIT);
	assert_int_equal(sender_ack(&sender, 1), SENDER_SEND);
	assert_int_equal(sender_ack(&sender, 1), SENDER_WAIT);
	assert_int_equal(sender_ack(&sender, 2), SENDER_SEND);
}

/* Few packets to who never spoke, more to who did. */
static void
test_giving_up(void **state)
{
	const struct tftp_options none = { 0 };
	struct sender sender;
	int sent = 1;

	(void)state;
	sender_init(&sender, &none, 2000);
	while (sender_timeout(&sender) == SENDER_SEND)
		sent++;
	assert_int_equal(sent, SENDER_BLIND_TRIES);
	sender_init(&sender, &none, 2000);
	assert_int_equal(sender_ack(&sender, 1), SENDER_SEND);
	for (sent = 1; sender_timeout(&sender) == SENDER_SEND; sent++)
		assert_true(sender.timeout_ms <= SENDER_TIMEOUT_MAX_MS);
	assert_int_equal(sent, SENDER_TRIES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_acks),
		cmocka_unit_test(test_giving_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
