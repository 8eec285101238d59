#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tls/conn.h"
#include "tls/hello.h"

#define RANDOM \
	1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, \
	    8, 1, 2, 3, 4, 5, 6, 7, 8

/* TLS 1.0, two suites and the SCSV, no extension block. */
static const uint8_t plain[] = {
	1,
	0,
	0,
	45,
	3,
	1,
	RANDOM,
	0,
	0,
	6,
	0x00,
	0x35,
	0x00,
	0x2f,
	0x00,
	0xff,
	1,
	0,
};

/* With server_name, an unknown extension and supported_versions. */
static const uint8_t full[] = {
	1,
	0,
	0,
	74,
	3,
	3,
	RANDOM,
	2,
	9,
	9,
	0,
	2,
	0x13,
	0x01,
	1,
	0,
	0,
	29,
	0,
	0,
	0,
	8,
	0,
	6,
	0,
	0,
	3,
	'a',
	'.',
	'b',
	0x5a,
	0x5a,
	0,
	0,
	0,
	43,
	0,
	9,
	8,
	0x8a,
	0x8a,
	0x7f,
	0x17,
	3,
	3,
	3,
	4,
};

static const uint8_t old[] = {
	1,
	3,
	1,
	0,
	9,
	0,
	0,
	0,
	4,
	0,
	0,
	0x2f,
	7,
	0,
	0xc0,
	0,
	0,
	0x35,
	1,
	2,
	3,
	4,
};

static void
test_plain(void **state)
{
	struct tls_hello hello;

	(void)state;
	assert_true(tls_hello_parse(&hello, false, plain, sizeof(plain)));
	assert_true(hello.seen);
	assert_false(hello.sslv2_format);
	assert_int_equal(hello.version, 0x0301);
	assert_int_equal(hello.max_version, 0x0301);
	assert_int_equal(hello.cipher_count, 3);
	assert_int_equal(hello.cipher[0], 0x35);
	assert_int_equal(hello.cipher[2], 0xff);
	assert_int_equal(hello.extension_count, 0);
	assert_string_equal(hello.sni, "");
}

static void
test_full(void **state)
{
	struct tls_hello hello;

	(void)state;
	assert_true(tls_hello_parse(&hello, false, full, sizeof(full)));
	assert_int_equal(hello.version, 0x0303);
	assert_int_equal(hello.max_version, 0x0304);
	assert_int_equal(hello.extension_count, 3);
	assert_int_equal(hello.extension[1], 0x5a5a);
	assert_int_equal(hello.extension[2], 43);
	assert_string_equal(hello.sni, "a.b");
}

static void
test_sslv2(void **state)
{
	struct tls_hello hello;

	(void)state;
	assert_true(tls_hello_parse(&hello, true, old, sizeof(old)));
	assert_true(hello.sslv2_format);
	assert_int_equal(hello.version, 0x0301);
	assert_int_equal(hello.cipher_count, 2);
	assert_int_equal(hello.cipher[1], 0x35);
}

/* Cut at each place: never complete, never past the end, seen from byte 6. */
static void
test_cut(void **state)
{
	struct tls_hello hello;

	(void)state;
	for (size_t len = 0; len < sizeof(full); len++) {
		uint8_t copy[sizeof(full)];

		memcpy(copy, full, len);
		assert_false(tls_hello_parse(&hello, false, copy, len));
		/* The outer length is wrong: nothing is believed. */
		assert_false(hello.seen);
		if (len < 4)
			continue;
		copy[3] = (uint8_t)(len - 4);
		/* Whole again where the extension block could be absent. */
		assert_int_equal(tls_hello_parse(&hello, false, copy, len),
		    len == 47);
		assert_int_equal(hello.seen, len >= 6);
	}
	for (size_t len = 0; len < sizeof(old); len++) {
		assert_false(tls_hello_parse(&hello, true, old, len));
		assert_int_equal(hello.seen, len >= 3);
	}
}

static void
test_trailing(void **state)
{
	uint8_t longer[sizeof(full) + 1];
	struct tls_hello hello;

	(void)state;
	memcpy(longer, full, sizeof(full));
	longer[sizeof(full)] = 0;
	assert_false(tls_hello_parse(&hello, false, longer, sizeof(longer)));
	longer[3]++;
	assert_false(tls_hello_parse(&hello, false, longer, sizeof(longer)));
	assert_true(hello.seen);
	longer[0] = 2; /* a ServerHello */
	assert_false(tls_hello_parse(&hello, false, longer, sizeof(longer)));
	assert_false(hello.seen);
}

/* More than is kept: counted, and the first ones kept. */
static void
test_many(void **state)
{
	uint8_t data[4 + 2 + 32 + 1 + 2 + 2 * 100 + 2 + 2 + 4 * 40] = { 1 };
	struct tls_hello hello;
	size_t n = 4;

	(void)state;
	data[2] = (uint8_t)((sizeof(data) - 4) >> 8);
	data[3] = (uint8_t)((sizeof(data) - 4) & 0xff);
	data[n] = 3;
	data[n + 1] = 3;
	n += 2 + 32 + 1;
	data[n + 1] = 200;
	n += 2;
	for (size_t i = 0; i < 100; i++, n += 2)
		data[n + 1] = (uint8_t)i;
	data[n] = 1;
	n += 2;
	data[n + 1] = 160;
	n += 2;
	for (size_t i = 0; i < 40; i++, n += 4)
		data[n + 1] = (uint8_t)(100 + i);
	assert_int_equal(n, sizeof(data));
	assert_true(tls_hello_parse(&hello, false, data, sizeof(data)));
	assert_int_equal(hello.cipher_count, 100);
	assert_int_equal(hello.cipher[TLS_HELLO_CIPHERS_MAX - 1],
	    TLS_HELLO_CIPHERS_MAX - 1);
	assert_int_equal(hello.extension_count, 40);
	assert_int_equal(hello.extension[TLS_HELLO_EXTENSIONS_MAX - 1], 131);
}

static void
test_names(void **state)
{
	(void)state;
	assert_string_equal(tls_alert_name(48), "unknown_ca");
	assert_string_equal(tls_alert_name(70), "protocol_version");
	assert_string_equal(tls_alert_name(0), "close_notify");
	assert_string_equal(tls_alert_name(200), "alert_200");
	assert_string_equal(tls_alert_name(-1), "alert_-1");
	assert_string_equal(tls_version_name(0x0301), "TLS1.0");
	assert_string_equal(tls_version_name(0x0304), "TLS1.3");
	assert_string_equal(tls_version_name(0x0002), "SSL2.0");
	assert_string_equal(tls_version_name(0x7f1c), "0x7f1c");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_sslv2),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_trailing),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
