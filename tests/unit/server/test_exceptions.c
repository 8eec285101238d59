/*
 * The uses of exceptions: counted once, for ever.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "inventory/exception_uses.h"
#include "server/exceptions.h"

static const struct mac one = { { 0, 0x0e, 8, 0xaa, 0xbb, 1 } };
static const struct mac two = { { 0, 0x0e, 8, 0xaa, 0xbb, 2 } };

static int
set_up(void **state)
{
	char *folder = xstrdup("/tmp/sprov-exceptions-XXXXXX");

	assert_non_null(mkdtemp(folder));
	*state = folder;
	return 0;
}

static int
tear_down(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm", ".lock" };

	for (size_t i = 0; i < 4; i++) {
		char *path = xasprintf("%s/" EXCEPTION_USES_FILE "%s",
		    (char *)*state, ends[i]);

		(void)unlink(path);
		free(path);
	}
	assert_int_equal(rmdir(*state), 0);
	free(*state);
	return 0;
}

static struct exceptions *
start(const char *folder)
{
	struct error err = { 0 };
	struct exceptions *exceptions = exceptions_start(folder, &err);

	if (exceptions == NULL)
		print_error("%s\n", err.text);
	assert_non_null(exceptions);
	return exceptions;
}

static int
copy(const struct exception_use *use, void *arg)
{
	struct exception_use *list = arg;

	while (list->count != 0)
		list++;
	*list = *use;
	return 0;
}

static void
test_restart(void **state)
{
	struct exception_use found[4] = { { .count = 0 } };
	char *path = xasprintf("%s/" EXCEPTION_USES_FILE, (char *)*state);
	struct exceptions *exceptions = start(*state);
	struct exception_uses *uses;
	struct error err;

	assert_int_equal(exceptions_first_use(exceptions, "a", &one), 0);
	exceptions_count(exceptions, "a", &one, 1000);
	exceptions_count(exceptions, "a", &one, 1500);
	exceptions_count(exceptions, "b", &two, 2000);
	exceptions_stop(exceptions); /* what is queued is written */
	exceptions = start(*state);
	assert_int_equal(exceptions_first_use(exceptions, "a", &one), 1000);
	assert_int_equal(exceptions_first_use(exceptions, "b", &two), 2000);
	assert_int_equal(exceptions_first_use(exceptions, "a", &two), 0);
	assert_int_equal(exceptions_first_use(exceptions, "b", &one), 0);
	exceptions_count(exceptions, "a", &one, 3000);
	exceptions_stop(exceptions);
	uses = exception_uses_open(path, true, &err);
	assert_non_null(uses);
	assert_int_equal(exception_uses_each(uses, copy, found, &err), 0);
	exception_uses_close(uses);
	assert_string_equal(found[0].exception, "a");
	assert_true(mac_equal(&found[0].mac, &one));
	assert_int_equal(found[0].first_at, 1000);
	assert_int_equal(found[0].last_at, 3000);
	assert_int_equal(found[0].count, 3);
	assert_string_equal(found[1].exception, "b");
	assert_int_equal(found[1].count, 1);
	assert_int_equal(found[2].count, 0);
	free(path);
}

/* It becomes visible when it is on the disk, while the server runs. */
static void
test_visible(void **state)
{
	struct exceptions *exceptions = start(*state);
	uint64_t end = clock_monotonic_ms() + 30000;

	exceptions_count(exceptions, "a", &one, 1000);
	while (exceptions_first_use(exceptions, "a", &one) == 0)
		assert_true(clock_monotonic_ms() < end);
	exceptions_stop(exceptions);
}

/* A file that is none: everything counts as used, for nobody knows. */
static void
test_unreadable(void **state)
{
	char *path = xasprintf("%s/" EXCEPTION_USES_FILE, (char *)*state);
	struct exceptions *exceptions;
	struct error err;

	assert_int_equal(file_replace(path, 0600, "no database at all", 18,
			     &err),
	    0);
	exceptions = start(*state);
	assert_int_not_equal(exceptions_first_use(exceptions, "a", &one), 0);
	exceptions_stop(exceptions);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_restart, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_visible, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_unreadable, set_up,
		    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
