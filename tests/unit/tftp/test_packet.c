#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tftp/packet.h"

/* A literal with its bytes, without the final NUL. */
#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

static void
test_read(void **state)
{
	struct tftp_packet packet;
	struct error err;

	(void)state;
	assert_int_equal(tftp_parse(&packet,
			     BYTES("\0\1/spa504G.cfg\0OcTeT\0TSIZE\0"
				   "0\0"
				   "blksize\0"
				   "1428\0timeout\0"
				   "5\0"),
			     &err),
	    0);
	assert_int_equal(packet.opcode, TFTP_READ);
	assert_string_equal(packet.name, "/spa504G.cfg");
	assert_true(packet.is_octet);
	assert_true(packet.options.has_size);
	assert_int_equal(packet.options.size, 0);
	assert_int_equal(packet.options.block_bytes, 1428);
	assert_int_equal(packet.options.timeout_s, 5);
	assert_int_equal(tftp_parse(&packet, BYTES("\0\2x\0netascii\0"), &err),
	    0);
	assert_int_equal(packet.opcode, TFTP_WRITE);
	assert_false(packet.is_octet);
}

/* A known option with an impossible value is as one that is not known. */
static void
test_options(void **state)
{
	static const struct {
		const char *data;
		size_t len;
	} cases[] = {
#define OPTION(text) { "\0\6" text, sizeof("\0\6" text) - 1 }
		OPTION("blksize\0"
		       "7\0"),
		OPTION("blksize\0"
		       "65465\0"),
		OPTION("blksize\0"
		       "-1\0"),
		OPTION("blksize\0"
		       "0x200\0"),
		OPTION("blksize\0\0"),
		OPTION("timeout\0"
		       "0\0"),
		OPTION("timeout\0"
		       "256\0"),
		OPTION("tsize\0x\0"),
		OPTION("tsize\0"
		       "99999999999999999999\0"),
		OPTION("windowsize\0"
		       "8\0"),
		OPTION("\0\0"),
		OPTION(""),
	};
	struct tftp_packet packet;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(tftp_parse(&packet,
				     (const uint8_t *)cases[i].data,
				     cases[i].len, &err),
		    0);
		assert_int_equal(packet.options.block_bytes, 0);
		assert_int_equal(packet.options.timeout_s, 0);
		assert_false(packet.options.has_size);
	}
}

static void
test_others(void **state)
{
	struct tftp_packet packet;
	struct error err;

	(void)state;
	assert_int_equal(tftp_parse(&packet, BYTES("\0\3\xff\xffxyz"), &err),
	    0);
	assert_int_equal(packet.block, 65535);
	assert_int_equal(packet.len, 3);
	assert_memory_equal(packet.data, "xyz", 3);
	assert_int_equal(tftp_parse(&packet, BYTES("\0\3\0\1"), &err), 0);
	assert_int_equal(packet.len, 0);
	assert_int_equal(tftp_parse(&packet, BYTES("\0\4\1\2"), &err), 0);
	assert_int_equal(packet.block, 258);
	/* Text of others is escaped, and need not end. */
	assert_int_equal(tftp_parse(&packet, BYTES("\0\5\0\1no\nfile"), &err),
	    0);
	assert_int_equal(packet.code, 1);
	assert_null(strchr(packet.message, '\n'));
	assert_non_null(strstr(packet.message, "file"));
}

static void
test_refusals(void **state)
{
	static const struct {
		const char *data;
		size_t len;
	} cases[] = {
#define PACKET(text) { text, sizeof(text) - 1 }
		PACKET(""),
		PACKET("\0"),
		PACKET("\0\0"),
		PACKET("\0\7"),
		PACKET("\1\1x\0octet\0"),
		PACKET("\0\1"),
		PACKET("\0\1name"),
		PACKET("\0\1name\0"),
		PACKET("\0\1name\0octet"),
		PACKET("\0\1name\0octet\0blksize"),
		PACKET("\0\1name\0octet\0blksize\0"),
		PACKET("\0\1name\0octet\0blksize\0"
		       "512"),
		PACKET("\0\3\0"),
		PACKET("\0\4"),
		PACKET("\0\5\0"),
		PACKET("\0\6tsize"),
	};
	uint8_t request[TFTP_REQUEST_MAX + 1] = "\0\1";
	struct tftp_packet packet;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		err.kind = ERROR_NONE;
		assert_int_equal(tftp_parse(&packet,
				     (const uint8_t *)cases[i].data,
				     cases[i].len, &err),
		    -1);
		assert_int_equal(err.kind, ERROR_INPUT);
	}
	/* The longest name, one that is longer, and a request that is. */
	memset(request + 2, 'x', TFTP_NAME_MAX);
	memcpy(request + 2 + TFTP_NAME_MAX, "\0octet", 7);
	assert_int_equal(tftp_parse(&packet, request, TFTP_NAME_MAX + 9, &err),
	    0);
	request[2 + TFTP_NAME_MAX] = 'x';
	memcpy(request + 3 + TFTP_NAME_MAX, "\0octet", 7);
	assert_int_equal(tftp_parse(&packet, request, TFTP_NAME_MAX + 10, &err),
	    -1);
	assert_int_equal(tftp_parse(&packet, request, sizeof(request), &err),
	    -1);
}

/* What is written is what is read. */
static void
test_round_trip(void **state)
{
	const struct tftp_options options = { .block_bytes = 1024,
		.timeout_s = 3,
		.has_size = true,
		.size = UINT64_C(5000000000) };
	struct tftp_packet packet;
	struct error err;
	struct buf out;

	(void)state;
	buf_init(&out, TFTP_REQUEST_MAX);
	assert_int_equal(tftp_put_read(&out, "a.bin", &options), 0);
	assert_int_equal(tftp_parse(&packet, (const uint8_t *)out.data, out.len,
			     &err),
	    0);
	assert_string_equal(packet.name, "a.bin");
	assert_memory_equal(&packet.options.size, &options.size,
	    sizeof(options.size));
	buf_clear(&out);
	assert_int_equal(tftp_put_oack(&out, &options), 0);
	assert_int_equal(tftp_parse(&packet, (const uint8_t *)out.data, out.len,
			     &err),
	    0);
	assert_int_equal(packet.options.block_bytes, 1024);
	buf_clear(&out);
	assert_int_equal(tftp_put_error(&out, TFTP_ERROR_TID, "who?"), 0);
	assert_int_equal(tftp_parse(&packet, (const uint8_t *)out.data, out.len,
			     &err),
	    0);
	assert_int_equal(packet.code, TFTP_ERROR_TID);
	assert_string_equal(packet.message, "who?");
	buf_clear(&out);
	/* No room. */
	buf_init(&out, 8);
	assert_int_equal(tftp_put_read(&out, "a.bin", &options), -1);
	buf_clear(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
