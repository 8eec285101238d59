#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/gzip.h"
#include "base/mem.h"

/* printf '<flat-profile/>' | gzip -n */
static const uint8_t known[] = { 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x03, 0xb3, 0x49, 0xcb, 0x49, 0x2c, 0xd1, 0x2d, 0x28, 0xca, 0x4f,
	0xcb, 0xcc, 0x49, 0xd5, 0xb7, 0x03, 0x00, 0x67, 0xd1, 0x4e, 0x3c, 0x0f,
	0x00, 0x00, 0x00 };
static const char text[] = "<flat-profile/>";

static void
test_known(void **state)
{
	struct error err = { 0 };
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(buf_append_text(&out, "before "), 0);
	if (gzip_expand(known, sizeof(known), &out, &err) != 0)
		fail_msg("%s", err.text);
	assert_string_equal(buf_text(&out), "before <flat-profile/>");
	buf_clear(&out);
	assert_true(gzip_begins(known, sizeof(known)));
	assert_false(gzip_begins(known, 2));
	assert_false(gzip_begins(text, strlen(text)));
}

static void
round_trip(size_t len, bool random)
{
	char *data = xmalloc(len + 1);
	struct buf packed, out;
	struct error err;

	for (size_t i = 0; i < len; i++)
		data[i] = random ? (char)rand() : (char)('a' + i % 7);
	buf_init(&packed, len * 2 + 100);
	buf_init(&out, len); /* exactly as much as there is */
	assert_int_equal(gzip_compress(data, len, &packed, &err), 0);
	if (gzip_expand(packed.data, packed.len, &out, &err) != 0)
		fail_msg("%zu bytes: %s", len, err.text);
	assert_int_equal(out.len, len);
	assert_memory_equal(buf_text(&out), data, len);
	/* No name and no time: the same again. */
	buf_clear(&out);
	out.limit = packed.len;
	assert_int_equal(gzip_compress(data, len, &out, &err), 0);
	assert_memory_equal(out.data, packed.data, packed.len);
	buf_clear(&packed);
	buf_clear(&out);
	free(data);
}

static void
test_round_trip(void **state)
{
	static const size_t lengths[] = { 1, 2, 100, 16383, 16384, 16385, 32768,
		70000, 1000000 };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		round_trip(lengths[i], false);
		round_trip(lengths[i], true);
	}
}

/* Every prefix, every changed byte that counts: refused, and out untouched. */
static void
test_refused(void **state)
{
	uint8_t copy[sizeof(known) + 1];
	struct buf out;
	struct error err;

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(buf_append_text(&out, "x"), 0);
	for (size_t len = 0; len < sizeof(known); len++) {
		assert_int_equal(gzip_expand(known, len, &out, &err), -1);
		assert_int_equal(err.kind, ERROR_INPUT);
		assert_string_equal(buf_text(&out), "x");
	}
	assert_non_null(strstr(err.text, "cut off"));
	memcpy(copy, known, sizeof(known));
	copy[sizeof(known)] = 0; /* something after the end */
	assert_int_equal(gzip_expand(copy, sizeof(copy), &out, &err), -1);
	assert_non_null(strstr(err.text, "1 bytes after the end"));
	for (size_t i = sizeof(known) - 8; i < sizeof(known); i++) {
		memcpy(copy, known, sizeof(known));
		copy[i] ^= 1; /* checksum and length */
		assert_int_equal(gzip_expand(copy, sizeof(known), &out, &err),
		    -1);
		assert_string_equal(buf_text(&out), "x");
	}
	assert_int_equal(gzip_expand(text, strlen(text), &out, &err), -1);
	assert_non_null(strstr(err.text, "1f 8b 08"));
	buf_clear(&out);
}

/* A gigabyte of zeros in one megabyte: the limit decides, and little more than
 * the limit is ever held. */
static void
test_bomb(void **state)
{
	const size_t len = 64 * 1024 * 1024;
	char *zeros = xcalloc(1, len);
	struct buf packed, out;
	struct error err;

	(void)state;
	buf_init(&packed, 1024 * 1024);
	assert_int_equal(gzip_compress(zeros, len, &packed, &err), 0);
	assert_true(packed.len < len / 900);
	buf_init(&out, 100000);
	assert_int_equal(gzip_expand(packed.data, packed.len, &out, &err), -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_non_null(strstr(err.text, "100000 bytes"));
	assert_int_equal(out.len, 0);
	assert_true(out.size <= 100001);
	buf_clear(&out);
	out.limit = 100; /* no room for what compress makes */
	assert_int_equal(gzip_compress(packed.data, packed.len, &out, &err),
	    -1);
	assert_int_equal(out.len, 0);
	buf_clear(&out);
	buf_clear(&packed);
	free(zeros);
}

/* One after another, each on its own: nothing of one gets into the next. */
static void
test_packer(void **state)
{
	struct error err = { 0 };
	struct gzip_packer *packer = gzip_packer_new(&err);
	struct buf first, packed, out;

	(void)state;
	assert_non_null(packer);
	buf_init(&first, 100);
	buf_init(&packed, 100);
	buf_init(&out, 100);
	assert_int_equal(gzip_packer_run(packer, text, strlen(text), &first,
			     &err),
	    0);
	assert_int_equal(gzip_packer_run(packer, "other", 5, &packed, &err), 0);
	buf_clear(&packed);
	packed.limit = 10; /* no room: the next one is as good as ever */
	assert_int_equal(gzip_packer_run(packer, text, strlen(text), &packed,
			     &err),
	    -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_int_equal(packed.len, 0);
	packed.limit = 100;
	assert_int_equal(gzip_packer_run(packer, text, strlen(text), &packed,
			     &err),
	    0);
	assert_int_equal(packed.len, first.len);
	assert_memory_equal(packed.data, first.data, first.len);
	assert_int_equal(gzip_expand(packed.data, packed.len, &out, &err), 0);
	assert_string_equal(buf_text(&out), text);
	buf_clear(&out);
	buf_clear(&packed);
	buf_clear(&first);
	gzip_packer_free(packer);
	gzip_packer_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bomb),
		cmocka_unit_test(test_packer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
