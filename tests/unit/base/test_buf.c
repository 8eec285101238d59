#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static void
test_empty(void **state)
{
	struct buf buf;
	char *text;

	(void)state;
	buf_init(&buf, 0);
	assert_string_equal(buf_text(&buf), "");
	assert_int_equal(buf_append(&buf, "x", 1), -1);
	assert_int_equal(buf_append(&buf, NULL, 0), 0);
	assert_string_equal(buf_text(&buf), "");
	buf_consume(&buf, 0);
	text = buf_take(&buf);
	assert_string_equal(text, "");
	free(text);
	text = buf_take(&buf); /* now without any storage */
	assert_string_equal(text, "");
	free(text);
	buf_clear(&buf);
}

static void
test_limit(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 8);
	assert_int_equal(buf_append_text(&buf, "12345"), 0);
	assert_int_equal(buf_append_text(&buf, "6789"), -1);
	assert_string_equal(buf_text(&buf), "12345");
	assert_int_equal(buf_printf(&buf, "%s", "6789"), -1);
	assert_null(buf_reserve(&buf, 4));
	assert_null(buf_reserve(&buf, SIZE_MAX));
	assert_string_equal(buf_text(&buf), "12345");
	assert_int_equal(buf_printf(&buf, "%d", 678), 0);
	assert_string_equal(buf_text(&buf), "12345678");
	assert_int_equal(buf.len, 8);
	assert_int_equal(buf_append(&buf, "", 1), -1);
	buf_clear(&buf);
	assert_int_equal(buf.limit, 8);
	assert_int_equal(buf.len, 0);
	assert_null(buf.data);
}

static void
test_no_limit(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, SIZE_MAX);
	assert_int_equal(buf_append_text(&buf, "a"), 0);
	assert_null(buf_reserve(&buf, SIZE_MAX));
	assert_null(buf_reserve(&buf, SIZE_MAX / 2));
	assert_string_equal(buf_text(&buf), "a");
	buf_clear(&buf);
}

static void
test_reserve(void **state)
{
	struct buf buf;
	char *end;

	(void)state;
	buf_init(&buf, 1000);
	assert_int_equal(buf_append_text(&buf, "a"), 0);
	end = buf_reserve(&buf, 999);
	assert_non_null(end);
	assert_ptr_equal(end, buf.data + 1);
	assert_string_equal(buf_text(&buf), "a");
	memset(end, 'b', 999);
	buf.len += 999;
	buf.data[buf.len] = '\0';
	assert_int_equal(strlen(buf_text(&buf)), 1000);
	buf_clear(&buf);
}

static void
test_consume(void **state)
{
	struct buf buf;
	char *text;

	(void)state;
	buf_init(&buf, 100);
	assert_int_equal(buf_append(&buf, "ab\0cd", 5), 0);
	assert_int_equal(buf.len, 5);
	buf_consume(&buf, 3);
	assert_string_equal(buf_text(&buf), "cd");
	buf_consume(&buf, 2);
	assert_string_equal(buf_text(&buf), "");
	assert_int_equal(buf_append_text(&buf, "again"), 0);
	text = buf_take(&buf);
	assert_string_equal(text, "again");
	free(text);
	assert_int_equal(buf.len, 0);
	assert_int_equal(buf.limit, 100);
	assert_int_equal(buf_append_text(&buf, "new"), 0);
	buf_clear(&buf);
}

/* Whatever the steps, the bytes are those that a plain array would hold. */
static void
test_property(void **state)
{
	static char model[5000];
	size_t len = 0;
	uint32_t seed = 12345;
	struct buf buf;

	(void)state;
	buf_init(&buf, sizeof(model));
	for (int i = 0; i < 20000; i++) {
		char piece[97];
		size_t n;

		seed = seed * 1664525 + 1013904223;
		n = (seed >> 8) % sizeof(piece);
		memset(piece, (int)(seed >> 24), sizeof(piece));
		if (seed >> 31 != 0 && n <= len) {
			memmove(model, model + n, len - n);
			len -= n;
			buf_consume(&buf, n);
		} else if (n <= sizeof(model) - len) {
			memcpy(model + len, piece, n);
			len += n;
			assert_int_equal(buf_append(&buf, piece, n), 0);
		} else {
			assert_int_equal(buf_append(&buf, piece, n), -1);
		}
		assert_int_equal(buf.len, len);
		assert_memory_equal(buf_text(&buf), model, len);
		assert_int_equal(buf_text(&buf)[len], 0);
	}
	buf_clear(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_no_limit),
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_consume),
		cmocka_unit_test(test_property),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
