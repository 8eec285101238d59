/*
 * Marks of keys while the server runs.  Also run under ThreadSanitizer.
 * SPROV_TEST_KEYS says how many devices test_many has.
 */
#include <malloc.h>
#include <pthread.h>
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
#include "inventory/key_marks.h"
#include "provision/keyring.h"
#include "server/keystate.h"

#define THREADS 4
#define PER_THREAD 300
#define BOTH (KEY_DELIVERED | KEY_SEEN)

struct folders {
	char *a, *b;
};

static char *
make_folder(void)
{
	char *folder = xstrdup("/tmp/sprov-keystate-XXXXXX");

	assert_non_null(mkdtemp(folder));
	return folder;
}

static int
set_up(void **state)
{
	struct folders *folders = xcalloc(1, sizeof(*folders));

	folders->a = make_folder();
	folders->b = make_folder();
	*state = folders;
	return 0;
}

static void
remove_folder(char *folder)
{
	static const char *const ends[] = { "", "-wal", "-shm", ".lock" };
	static const char *const files[] = { KEY_MARKS_FILE,
		EXCEPTION_USES_FILE };

	for (size_t i = 0; i < 8; i++) {
		char *path = xasprintf("%s/%s%s", folder, files[i / 4],
		    ends[i % 4]);

		(void)unlink(path);
		free(path);
	}
	assert_int_equal(rmdir(folder), 0);
	free(folder);
}

static int
tear_down(void **state)
{
	struct folders *folders = *state;

	remove_folder(folders->a);
	remove_folder(folders->b);
	free(folders);
	return 0;
}

static struct keystate *
start(const char *folder)
{
	struct error err = { 0 };
	struct keystate *keys = keystate_start(folder, &err);

	if (keys == NULL)
		print_error("%s\n", err.text);
	assert_non_null(keys);
	return keys;
}

static struct mac
mac_of(size_t n)
{
	return (struct mac) { { 2, 0, (uint8_t)(n >> 24), (uint8_t)(n >> 16),
	    (uint8_t)(n >> 8), (uint8_t)n } };
}

/* Spread as those that are random; never 0. */
static uint64_t
id_of(size_t n)
{
	return (n + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
}

/* Ask, and wait as an answer does. */
static void
mark(struct keystate *keys, size_t device, uint64_t delivered, uint64_t seen)
{
	const struct keystate_wish wish = {
		.mac = mac_of(device), .delivered = delivered, .seen = seen
	};
	uint64_t end = clock_monotonic_ms() + 30000;

	keystate_ask(keys, &wish);
	while (!keystate_has(keys, &wish)) {
		assert_true(clock_monotonic_ms() < end);
		(void)usleep(1000);
	}
}

static unsigned
marks(struct keystate *keys, size_t device, uint64_t id)
{
	const struct mac mac = mac_of(device);

	return keystate_marks(keys, &mac, id);
}

/* What the file of a folder says of a key. */
static unsigned
in_file(const char *folder, size_t device, uint64_t id)
{
	char *path = file_join(folder, KEY_MARKS_FILE);
	const struct mac mac = mac_of(device);
	struct error err = { 0 };
	struct key_marks *file = key_marks_open(path, true, &err);
	struct key_mark found;

	assert_non_null(file);
	assert_int_equal(key_marks_get(file, &mac, id, &found, &err), 0);
	key_marks_close(file);
	free(path);
	return (found.delivered_at != 0 ? KEY_DELIVERED : 0u) |
	    (found.seen_at != 0 ? KEY_SEEN : 0u);
}

static void
test_marks(void **state)
{
	const struct folders *folders = *state;
	struct keystate *keys = start(folders->a);
	const struct keystate_wish none = { .mac = mac_of(1) };

	assert_int_equal(marks(keys, 1, id_of(1)), 0);
	assert_true(keystate_has(keys, &none));
	mark(keys, 1, id_of(1), 0);
	assert_int_equal(marks(keys, 1, id_of(1)), KEY_DELIVERED);
	/* What is in memory is on the disk. */
	assert_int_equal(in_file(folders->a, 1, id_of(1)), KEY_DELIVERED);
	mark(keys, 1, id_of(2), id_of(1));
	assert_int_equal(marks(keys, 1, id_of(1)), BOTH);
	assert_int_equal(marks(keys, 1, id_of(2)), KEY_DELIVERED);
	/* Of this device, not of one that has the same key. */
	assert_int_equal(marks(keys, 2, id_of(1)), 0);
	keystate_stop(keys);
	keys = start(folders->a);
	assert_int_equal(marks(keys, 1, id_of(1)), BOTH);
	assert_int_equal(marks(keys, 1, id_of(2)), KEY_DELIVERED);
	keystate_stop(keys);
}

static void
test_none(void **state)
{
	const struct keystate_wish wish = { .mac = mac_of(1), .seen = 1 };

	(void)state;
	keystate_ask(NULL, &wish);
	assert_false(keystate_has(NULL, &wish));
	assert_int_equal(marks(NULL, 1, 1), 0);
	keystate_stop(NULL);
	keystate_file_free(NULL);
}

/* What either file knows is known, at once; and then to the new file. */
static void
test_move(void **state)
{
	const struct folders *folders = *state;
	struct keystate *keys = start(folders->b);
	struct keystate_file *file;
	uint64_t end;

	mark(keys, 1, id_of(1), 0);
	mark(keys, 7, id_of(7), id_of(7));
	keystate_stop(keys);
	keys = start(folders->a);
	mark(keys, 2, id_of(2), 0);
	mark(keys, 7, id_of(7), 0);
	mark(keys, 1, 0, id_of(1));
	assert_null(keystate_read(keys, folders->a));
	file = keystate_read(keys, folders->b);
	assert_non_null(file);
	assert_int_equal(marks(keys, 7, id_of(7)), KEY_DELIVERED);
	keystate_move(keys, file);
	assert_int_equal(marks(keys, 1, id_of(1)), BOTH);
	assert_int_equal(marks(keys, 2, id_of(2)), KEY_DELIVERED);
	assert_int_equal(marks(keys, 7, id_of(7)), BOTH);
	end = clock_monotonic_ms() + 30000;
	while (in_file(folders->b, 2, id_of(2)) == 0) {
		assert_true(clock_monotonic_ms() < end);
		(void)usleep(1000);
	}
	mark(keys, 3, id_of(3), 0);
	assert_int_equal(in_file(folders->b, 1, id_of(1)), BOTH);
	assert_int_equal(in_file(folders->b, 3, id_of(3)), KEY_DELIVERED);
	assert_int_equal(in_file(folders->a, 3, id_of(3)), 0);
	/* The same once more: nothing to do; and back. */
	assert_null(keystate_read(keys, folders->b));
	keystate_move(keys, NULL);
	keystate_move(keys, keystate_read(keys, folders->a));
	mark(keys, 4, id_of(4), 0);
	assert_int_equal(in_file(folders->a, 3, id_of(3)), KEY_DELIVERED);
	keystate_stop(keys);
	keys = start(folders->b);
	assert_int_equal(marks(keys, 2, id_of(2)), KEY_DELIVERED);
	assert_int_equal(marks(keys, 4, id_of(4)), 0);
	keystate_stop(keys);
}

/* A file that is none: what is known stays known. */
static void
test_move_to_no_file(void **state)
{
	const struct folders *folders = *state;
	char *path = file_join(folders->b, KEY_MARKS_FILE);
	struct keystate *keys = start(folders->a);
	struct error err;

	mark(keys, 1, id_of(1), 0);
	assert_int_equal(file_create(path, 0600, "no database at all", 18,
			     &err),
	    0);
	keystate_move(keys, keystate_read(keys, folders->b));
	assert_int_equal(marks(keys, 1, id_of(1)), KEY_DELIVERED);
	keystate_stop(keys);
	free(path);
}

/* However often a device's key is changed, it does not take more memory. */
static void
test_rotated_often(void **state)
{
	const struct folders *folders = *state;
	struct keystate *keys = start(folders->a);
	const size_t count = 3000;
	size_t known = 0;

	mark(keys, 2, id_of(0), 0);
	for (size_t i = 0; i < count; i++) {
		const struct keystate_wish wish = { .mac = mac_of(1),
			.delivered = id_of(i) };

		keystate_ask(keys, &wish);
		if (i % 500 == 499)
			mark(keys, 1, id_of(i), 0);
	}
	for (size_t i = 0; i < count; i++)
		known += marks(keys, 1, id_of(i)) != 0;
	/* Of a table for 768. */
	assert_in_range(known, KEY_MARKS_KEEP, 768);
	assert_int_equal(marks(keys, 1, id_of(count - 1)), KEY_DELIVERED);
	assert_int_equal(marks(keys, 2, id_of(0)), KEY_DELIVERED);
	keystate_stop(keys);
}

struct worker {
	struct keystate *keys;
	size_t number;
};

static void *
ask_and_look(void *arg)
{
	const struct worker *worker = arg;

	for (size_t i = 0; i < PER_THREAD; i++) {
		const struct keystate_wish wish = {
			.mac = mac_of(worker->number),
			.delivered = id_of(i),
			.seen = i > 0 ? id_of(i - 1) : 0
		};

		keystate_ask(worker->keys, &wish);
		(void)keystate_has(worker->keys, &wish);
		(void)marks(worker->keys, (worker->number + 1) % THREADS,
		    id_of(i));
		if (i % 100 == 99)
			mark(worker->keys, worker->number, id_of(i), 0);
	}
	return NULL;
}

/* From many threads, while the file moves to and fro. */
static void
test_threads(void **state)
{
	const struct folders *folders = *state;
	struct keystate *keys = start(folders->a);
	struct worker workers[THREADS];
	pthread_t threads[THREADS];

	for (size_t i = 0; i < THREADS; i++) {
		workers[i] = (struct worker) { keys, i };
		assert_int_equal(pthread_create(&threads[i], NULL, ask_and_look,
				     &workers[i]),
		    0);
	}
	for (size_t i = 0; i < 9; i++) {
		keystate_move(keys,
		    keystate_read(keys, i % 2 == 0 ? folders->b : folders->a));
		(void)usleep(3000);
	}
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (size_t i = 0; i < THREADS; i++) {
		mark(keys, i, 0, id_of(PER_THREAD - 1));
		assert_int_equal(marks(keys, i, id_of(PER_THREAD - 1)), BOTH);
	}
	keystate_stop(keys);
	/* It ended in b: all of it is there. */
	keys = start(folders->b);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(marks(keys, i, id_of(PER_THREAD - 1)), BOTH);
	keystate_stop(keys);
}

static void
fill(const char *folder, size_t count)
{
	char *path = file_join(folder, KEY_MARKS_FILE);
	struct key_mark *list = xcalloc(count, sizeof(*list));
	struct error err = { 0 };
	struct key_marks *file = key_marks_open(path, false, &err);

	assert_non_null(file);
	for (size_t i = 0; i < count; i++)
		list[i] = (struct key_mark) { mac_of(i), id_of(i), 100, 200 };
	assert_int_equal(key_marks_put(file, list, count, &err), 0);
	key_marks_close(file);
	free(list);
	free(path);
}

static void
test_many(void **state)
{
	const struct folders *folders = *state;
	const char *wanted = getenv("SPROV_TEST_KEYS");
	size_t count = wanted != NULL ? strtoul(wanted, NULL, 10) : 20000;
	size_t before, bytes;
	struct keystate *keys;
	uint64_t us;

	fill(folders->a, count);
	/* The tables only: 64 keys or so are in use for all else. */
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	us = clock_monotonic_us();
	keys = start(folders->a);
	us = clock_monotonic_us() - us;
	bytes = mallinfo2().uordblks + mallinfo2().hblkhd - before;
	for (size_t i = 0; i < count; i += 97)
		assert_int_equal(marks(keys, i, id_of(i)), BOTH);
	assert_int_equal(marks(keys, count, id_of(count)), 0);
	print_message("# %zu keys read in %llu ms, %zu KB\n", count,
	    (unsigned long long)us / 1000, bytes / 1024);
	/* 16 bytes in a table between three eighths and three quarters full, and
	 * the writer's queues. */
	assert_true(bytes < count * 43 + 4 * 1024 * 1024);
	keystate_stop(keys);
}

#define WITH_FOLDERS(test) \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDERS(test_marks),
		WITH_FOLDERS(test_none),
		WITH_FOLDERS(test_move),
		WITH_FOLDERS(test_move_to_no_file),
		WITH_FOLDERS(test_rotated_often),
		WITH_FOLDERS(test_threads),
		WITH_FOLDERS(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
