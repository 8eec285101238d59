#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct {
	const char *given;
	uint64_t min, max;
	bool good;
	uint64_t value;
} numbers[] = {
	{ "0", 0, 9, true, 0 },
	{ "007", 0, 9, true, 7 },
	{ "65535", 1, 65535, true, 65535 },
	{ "18446744073709551615", 0, UINT64_MAX, true, UINT64_MAX },
	{ "18446744073709551616", 0, UINT64_MAX, false, 0 },
	{ "99999999999999999999999", 0, UINT64_MAX, false, 0 },
	{ "0", 1, 9, false, 0 },
	{ "10", 1, 9, false, 0 },
	{ "", 0, 9, false, 0 },
	{ "-1", 0, 9, false, 0 },
	{ "+1", 0, 9, false, 0 },
	{ " 1", 0, 9, false, 0 },
	{ "1 ", 0, 9, false, 0 },
	{ "1x", 0, 9, false, 0 },
	{ "0x1", 0, 9, false, 0 },
};

static void
test_number(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		struct error err = { 0 };
		uint64_t value = 42;
		int rc = text_parse_number(numbers[i].given, numbers[i].min,
		    numbers[i].max, &value, &err);

		assert_int_equal(rc, numbers[i].good ? 0 : -1);
		assert_int_equal(value,
		    numbers[i].good ? numbers[i].value : 42);
		assert_int_equal(err.kind,
		    numbers[i].good ? ERROR_NONE : ERROR_INPUT);
	}
}

static void
test_number_message(void **state)
{
	struct error err;
	uint64_t value;

	(void)state;
	assert_int_equal(text_parse_number("12a", 1, 256, &value, &err), -1);
	assert_string_equal(err.text,
	    "\"12a\": expected a number from 1 to 256");
}

static const char *const candidates[] = { "address", "certificate", "tls",
	"client-certificate", "client-anchors" };

static const struct {
	const char *given;
	const char *nearest;
} near[] = {
	{ "address", "address" },
	{ "adress", "address" },
	{ "ADDRESS", "address" },
	{ "addresses", "address" },
	{ "tsl", "tls" },
	{ "certifcate", "certificate" },
	{ "client-anchor", "client-anchors" },
	{ "client_certificate", "client-certificate" },
	{ "workers", NULL },
	{ "", NULL },
	{ "zzzzzzzzzzzzzzz", NULL },
};

static void
test_nearest(void **state)
{
	char longest[400];
	const char *found;

	(void)state;
	for (size_t i = 0; i < COUNT(near); i++) {
		found = text_nearest(near[i].given, candidates,
		    COUNT(candidates));
		if (near[i].nearest == NULL)
			assert_null(found);
		else
			assert_string_equal(found, near[i].nearest);
	}
	assert_null(text_nearest("tls", candidates, 0));
	/* However long the text: what is not near is not named. */
	memset(longest, 'x', sizeof(longest));
	for (size_t len = 0; len < sizeof(longest); len++) {
		longest[len] = '\0';
		assert_null(text_nearest(longest, candidates,
		    COUNT(candidates)));
		longest[len] = 'x';
	}
}

static const struct {
	const char *given;
	size_t size;
	const char *expected;
} escapes[] = {
	{ "", 8, "" },
	{ "abcdefg", 8, "abcdefg" }, /* just fits */
	{ "abcdefgh", 8, "abcd..." },
	{ "abc\n", 8, "abc\\x0a" },
	{ "abcd\n", 8, "abcd..." },
	{ "\n\n", 8, "\\x0a..." },
	{ "\n\n", 9, "\\x0a\\x0a" },
	{ "\n\n\n", 9, "\\x0a..." },
	{ "say \"hi\"\\", 64, "say \\x22hi\\x22\\x5c" },
	{ "\xc3\xa4\x7f ~", 64, "\\xc3\\xa4\\x7f ~" },
};

static void
test_escape(void **state)
{
	char out[64];

	(void)state;
	for (size_t i = 0; i < COUNT(escapes); i++) {
		memset(out, '#', sizeof(out));
		text_escape(escapes[i].given, strlen(escapes[i].given), out,
		    escapes[i].size);
		assert_string_equal(out, escapes[i].expected);
		for (size_t j = escapes[i].size; j < sizeof(out); j++)
			assert_int_equal(out[j], '#');
	}
	text_escape("a\0b", 3, out, sizeof(out));
	assert_string_equal(out, "a\\x00b");
}

/* Bounded, printable, ended; and whole whenever the whole fits. */
static void
test_escape_property(void **state)
{
	uint32_t seed = 1;
	char whole[200], out[64];
	uint8_t data[40];

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t len, size;

		for (size_t i = 0; i < sizeof(data); i++) {
			seed = seed * 1664525 + 1013904223;
			data[i] = (uint8_t)(seed >> 24);
			if (round % 2 == 0)
				data[i] = (uint8_t)('a' + data[i] % 26);
		}
		len = (seed >> 16) % sizeof(data);
		size = 8 + (seed >> 8) % (sizeof(out) - 8);
		text_escape(data, len, whole, sizeof(whole));
		memset(out, '#', sizeof(out));
		text_escape(data, len, out, size);
		assert_true(strlen(out) < size);
		for (const char *p = out; *p != '\0'; p++)
			assert_true(*p >= 0x20 && *p <= 0x7e && *p != '"');
		if (strlen(whole) < size)
			assert_string_equal(out, whole);
		else
			assert_true(text_ends(out, "...") &&
			    strncmp(out, whole, strlen(out) - 3) == 0);
	}
}

static void
test_hex(void **state)
{
	const uint8_t bytes[] = { 0x00, 0x0e, 0xff, 0xa5 };
	uint8_t back[4] = { 0 };
	char text[2 * sizeof(bytes) + 1];

	(void)state;
	text_hex(bytes, sizeof(bytes), text);
	assert_string_equal(text, "000effa5");
	assert_true(text_unhex(text, back, sizeof(back)));
	assert_memory_equal(back, bytes, sizeof(bytes));
	assert_true(text_unhex("000EFFA5", back, sizeof(back)));
	assert_memory_equal(back, bytes, sizeof(bytes));
	text_hex(bytes, 0, text);
	assert_string_equal(text, "");
	assert_true(text_unhex("", back, 0));
	assert_false(text_unhex("000effa", back, 4));
	assert_false(text_unhex("000effa5a", back, 4));
	assert_false(text_unhex("000effag", back, 4));
	assert_false(text_unhex("0x00ffa5", back, 4));
	assert_false(text_unhex("00 eff 5", back, 4));
}

static void
test_ends(void **state)
{
	(void)state;
	assert_true(text_starts("sqlite:x", "sqlite:"));
	assert_true(text_starts("x", ""));
	assert_false(text_starts("sqlite", "sqlite:"));
	assert_false(text_starts("", "s"));
	assert_true(text_ends("a.xml", ".xml"));
	assert_true(text_ends("a", ""));
	assert_false(text_ends("xml", ".xml"));
	assert_false(text_ends("a.XML", ".xml"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_number_message),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_escape_property),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
