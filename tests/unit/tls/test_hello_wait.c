#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tls/hello_wait.h"

static const struct {
	const char *data;
	size_t len;
	size_t needed; /* 0: whole, or no hello at all */
} cases[] = {
	{ "", 0, 5 },
	{ "\x16", 1, 5 },
	{ "\x16\x03\x01\x00", 4, 5 },
	{ "\x16\x03\x01\x00\x06", 5, 9 },
	{ "\x16\x03\x01\x00\x06\x01\x00", 7, 9 },
	{ "\x16\x03\x01\x00\x06\x01\x00\x00\x02", 9, 11 },
	{ "\x16\x03\x01\x00\x06\x01\x00\x00\x02z", 10, 11 },
	{ "\x16\x03\x01\x00\x06\x01\x00\x00\x02zz", 11, 0 },
	/* The message goes on in another record, */
	{ "\x16\x03\x01\x00\x05\x01\x00\x00\x02z", 10, 15 },
	{ "\x16\x03\x01\x00\x05\x01\x00\x00\x02z\x16\x03\x01\x00\x01", 15, 16 },
	{ "\x16\x03\x01\x00\x05\x01\x00\x00\x02z\x16\x03\x01\x00\x01z", 16, 0 },
	/* or begins in one of a single byte. */
	{ "\x16\x03\x01\x00\x01\x01", 6, 11 },
	{ "\x16\x03\x01\x00\x01\x01\x16\x03\x01\x00\x05\x00", 12, 14 },
	{ "\x16\x03\x01\x00\x01\x01\x16\x03\x01\x00\x05\x00\x00\x02", 14, 16 },
	/* A message of 7000 bytes is waited for, one of 60000 is not. */
	{ "\x16\x03\x01\x20\x00\x01\x00\x1b\x58", 9, 7009 },
	{ "\x16\x03\x01\x40\x00\x01\x00\xea\x60", 9, 0 },
	/* No hello: OpenSSL's to refuse */
	{ "GET / HTTP/1.0", 14, 0 },
	{ "G", 1, 0 },
	{ "\x15\x03\x01\x00\x02\x02\x30", 7, 0 },
	{ "\x16\x02\x01\x00\x06\x01", 6, 0 },
	{ "\x16\x03\x01\x00\x00", 5, 0 },
	{ "\x16\x03\x01\x40\x01", 5, 0 },
	{ "\x16\x03\x01\x00\x06\x02", 6, 0 },
	{ "\x16\x03\x01\x00\x05\x01\x00\x00\x02z\x15\x03\x01\x00\x01z", 16, 0 },
	/* SSLv2's format */
	{ "\x80", 1, 3 },
	{ "\x80\x02\x01", 3, 4 },
	{ "\x80\x06\x01", 3, 8 },
	{ "\x80\x06\x01\x03\x01\x00\x00", 7, 8 },
	{ "\x80\x06\x01\x03\x01\x00\x00\x00", 8, 0 },
	{ "\xff\xff\x01", 3, 0 },
	{ "\x80\x06\x02\x03\x01\x00\x00\x00", 8, 0 },
};

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t needed = 0;
		bool whole = tls_hello_is_whole((const uint8_t *)cases[i].data,
		    cases[i].len, &needed);

		if (whole != (cases[i].needed == 0) ||
		    (!whole && needed != cases[i].needed))
			fail_msg("case %zu: %d, needs %zu", i, whole, needed);
	}
}

/* Byte by byte, any hello is waited for to its end and not longer. */
static void
test_steps(void **state)
{
	uint8_t hello[5 + 4 + 300] = { 0x16, 3, 1, 304 >> 8, 304 & 255, 1, 0,
		300 >> 8, 300 & 255 };
	size_t needed, len = 0, asked = 0;

	(void)state;
	while (!tls_hello_is_whole(hello, len, &needed)) {
		assert_true(needed > len && needed <= sizeof(hello));
		len = needed;
		asked++;
	}
	assert_int_equal(len, sizeof(hello));
	assert_int_equal(asked, 3);
	for (len = 0; len < sizeof(hello); len++)
		assert_false(tls_hello_is_whole(hello, len, &needed));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
