#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "inventory/key_marks.h"

static char path[64];

static int
setup(void **state)
{
	char folder[] = "/tmp/test_key_marks.XXXXXX";

	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/keys.db", folder);
	return 0;
}

static int
teardown(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm", ".lock" };
	char name[80];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		(void)unlink(name);
	}
	*strrchr(path, '/') = '\0';
	return rmdir(path);
}

static int
count(const struct key_mark *mark, void *arg)
{
	size_t *n = arg;

	assert_true(mark->id != 0);
	(*n)++;
	return 0;
}

static void
test_marks(void **state)
{
	const struct mac mac = { { 0, 0x0e, 8, 0xaa, 0xbb, 0xcc } };
	const struct mac high = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
	struct key_mark list[] = {
		{ mac, UINT64_MAX, 100, 0 },
		{ mac, UINT64_MAX, 0, 200 },
		{ high, 1, 300, 0 },
	};
	struct key_mark mark;
	struct key_marks *marks;
	struct error err = { 0 };
	size_t n = 0;

	(void)state;
	assert_null(key_marks_open(path, true, &err));
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	marks = key_marks_open(path, false, &err);
	if (marks == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(key_marks_put(marks, list, 3, &err), 0);
	assert_int_equal(key_marks_get(marks, &mac, UINT64_MAX, &mark, &err),
	    0);
	assert_int_equal(mark.delivered_at, 100);
	assert_int_equal(mark.seen_at, 200);
	assert_true(mark.id == UINT64_MAX);
	assert_int_equal(key_marks_get(marks, &high, 1, &mark, &err), 0);
	assert_memory_equal(&mark.mac, &high, sizeof(high));
	assert_int_equal(key_marks_get(marks, &mac, 2, &mark, &err), 0);
	assert_int_equal(mark.delivered_at + mark.seen_at, 0);
	for (uint64_t id = 10; id < 60; id++) { /* the oldest go */
		struct key_mark one = { high, id, (time_t)(1000 + id), 0 };

		assert_int_equal(key_marks_put(marks, &one, 1, &err), 0);
	}
	key_marks_close(marks);
	marks = key_marks_open(path, true, &err);
	assert_non_null(marks);
	assert_int_equal(key_marks_each(marks, count, &n, &err), 0);
	assert_int_equal(n, 1 + KEY_MARKS_KEEP);
	assert_int_equal(key_marks_get(marks, &high, 59, &mark, &err), 0);
	assert_int_equal(mark.delivered_at, 1059);
	assert_int_equal(key_marks_put(marks, list, 1, &err), -1);
	key_marks_close(marks);
	key_marks_close(NULL);
}

/* The newest stay, also after the clock was set back, or within a second. */
static void
test_clock(void **state)
{
	const struct mac mac = { { 0, 0x0e, 8, 0xaa, 0xbb, 0xcc } };
	struct key_marks *marks;
	struct key_mark mark;
	struct error err = { 0 };

	(void)state;
	marks = key_marks_open(path, false, &err);
	assert_non_null(marks);
	for (uint64_t id = 1; id <= 3 * KEY_MARKS_KEEP; id++) {
		struct key_mark one = { mac, id,
			id <= KEY_MARKS_KEEP	     ? 2000000000 :
			    id <= 2 * KEY_MARKS_KEEP ? 1000000000 :
						       1000000000 - (time_t)id,
			0 };

		assert_int_equal(key_marks_put(marks, &one, 1, &err), 0);
		for (uint64_t i = 1; i <= id; i++) {
			assert_int_equal(key_marks_get(marks, &mac, i, &mark,
					     &err),
			    0);
			assert_int_equal(mark.delivered_at != 0,
			    i + KEY_MARKS_KEEP > id);
		}
	}
	key_marks_close(marks);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_marks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clock, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
