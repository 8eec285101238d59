/*
 * The thread that records resyncs.  Also run under ThreadSanitizer.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "inventory/resyncs.h"
#include "server/record.h"

#define THREADS 4
#define PER_THREAD 3000

static int
set_up(void **state)
{
	char *folder = xstrdup("/tmp/sprov-record-XXXXXX");

	assert_non_null(mkdtemp(folder));
	*state = folder;
	return 0;
}

static void
empty(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL)
		(void)unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder != NULL)
		(void)closedir(folder);
}

static int
tear_down(void **state)
{
	char *folder = *state;

	empty(folder);
	(void)rmdir(folder);
	free(folder);
	return 0;
}

static struct record *
start(const char *folder)
{
	struct error err = { 0 };
	struct record *record = record_start(folder, &err);

	if (record == NULL)
		print_error("%s\n", err.text);
	assert_non_null(record);
	return record;
}

static struct resync
resync_of(size_t thread, size_t n)
{
	return (struct resync) { .mac = { { 0x02, 0, 0, (uint8_t)thread,
				     (uint8_t)(n >> 8), (uint8_t)n } },
		.listener = "old",
		.ca = "ciscosb-prov-1",
		.status = 200,
		.at = 1000 };
}

/* How many devices the file in a folder knows; 0 when there is none. */
static size_t
recorded(const char *folder)
{
	char *path = xasprintf("%s/" RESYNCS_FILE, folder);
	struct error err;
	struct resyncs *resyncs = resyncs_open(path, true, &err);
	size_t count = 0;

	if (resyncs != NULL)
		assert_int_equal(resyncs_count(resyncs, "old", 0, &count, &err),
		    0);
	resyncs_close(resyncs);
	free(path);
	return count;
}

static void
wait_until_seen(struct record *record, uint64_t count)
{
	uint64_t deadline = clock_monotonic_ms() + 30000;
	struct writer_counts counts;

	do {
		assert_true(clock_monotonic_ms() < deadline);
		(void)usleep(5000);
		counts = record_counts(record).resyncs;
	} while (counts.written + counts.dropped < count);
}

struct adder {
	struct record *record;
	size_t thread;
};

static void *
add_many(void *arg)
{
	const struct adder *adder = arg;

	for (size_t i = 0; i < PER_THREAD; i++) {
		struct resync resync = resync_of(adder->thread, i);

		record_add(adder->record, &resync);
		/* Now and then, as workers do: not faster than a disk. */
		if (i % 500 == 0)
			(void)usleep(20000);
	}
	return NULL;
}

/* From several threads at once: all are counted, and what is not dropped is
 * in the file after the stop. */
static void
test_many_threads(void **state)
{
	struct record *record = start(*state);
	struct adder adders[THREADS];
	pthread_t threads[THREADS];
	struct writer_counts counts;

	for (size_t i = 0; i < THREADS; i++) {
		adders[i] = (struct adder) { record, i };
		assert_int_equal(pthread_create(&threads[i], NULL, add_many,
				     &adders[i]),
		    0);
	}
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	wait_until_seen(record, THREADS * PER_THREAD);
	counts = record_counts(record).resyncs;
	assert_int_equal(counts.written + counts.dropped, THREADS * PER_THREAD);
	record_stop(record);
	assert_int_equal(recorded(*state), counts.written);
	assert_true(counts.written > 0);
}

/* What is queued when it ends is written first. */
static void
test_stop_writes(void **state)
{
	struct record *record = start(*state);
	struct resync resync = resync_of(0, 1);

	record_add(record, &resync);
	record_stop(record);
	assert_int_equal(recorded(*state), 1);
	/* None at all: no file either. */
	empty(*state);
	record_stop(start(*state));
	assert_int_equal(recorded(*state), 0);
	record_stop(NULL);
	record_add(NULL, &resync);
}

/* More than fits is dropped and counted, and nobody waits. */
static void
test_overflow(void **state)
{
	struct record *record = start(*state);
	uint64_t started_us = clock_monotonic_us(), longest_us = 0;
	struct writer_counts counts;
	size_t total = 10 * RECORD_QUEUE_MAX;

	for (size_t i = 0; i < total; i++) {
		struct resync resync = resync_of(i >> 16, i);
		uint64_t before = clock_monotonic_us(), took;

		record_add(record, &resync);
		took = clock_monotonic_us() - before;
		longest_us = took > longest_us ? took : longest_us;
	}
	print_message("# %zu entries in %llu us, the longest %llu us\n", total,
	    (unsigned long long)(clock_monotonic_us() - started_us),
	    (unsigned long long)longest_us);
	wait_until_seen(record, total);
	counts = record_counts(record).resyncs;
	assert_int_equal(counts.written + counts.dropped, total);
	assert_true(counts.dropped > 0);
	assert_true(counts.written >= RECORD_QUEUE_MAX / 2);
	record_stop(record);
	assert_int_equal(recorded(*state), counts.written);
}

/* A file that cannot be written costs its entries, and nothing else; when it
 * can be written again elsewhere, it is. */
static void
test_unwritable(void **state)
{
	char *missing = xasprintf("%s/missing", (const char *)*state);
	struct record *record = start(missing);
	struct resync resync = resync_of(0, 1);
	struct writer_counts counts;

	record_add(record, &resync);
	wait_until_seen(record, 1);
	counts = record_counts(record).resyncs;
	assert_int_equal(counts.dropped, 1);
	assert_int_equal(counts.written, 0);
	/* Not tried again at once. */
	assert_int_equal(mkdir(missing, 0700), 0);
	record_add(record, &resync);
	wait_until_seen(record, 2);
	assert_int_equal(record_counts(record).resyncs.dropped, 2);
	/* Another folder is: a reload must not wait. */
	record_move(record, *state);
	record_move(record, *state); /* the same again changes nothing */
	record_add(record, &resync);
	wait_until_seen(record, 3);
	assert_int_equal(record_counts(record).resyncs.written, 1);
	assert_int_equal(recorded(*state), 1);
	record_stop(record);
	(void)rmdir(missing);
	free(missing);
}

/* The file is taken by another writer, as when two servers share a folder. */
static void
test_locked(void **state)
{
	struct record *first = start(*state), *second = start(*state);
	struct resync resync = resync_of(0, 1);

	record_add(first, &resync);
	wait_until_seen(first, 1);
	resync = resync_of(0, 2);
	record_add(second, &resync);
	wait_until_seen(second, 1);
	assert_int_equal(record_counts(second).resyncs.dropped, 1);
	record_stop(second);
	record_stop(first);
	assert_int_equal(recorded(*state), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_many_threads),
		TEST(test_stop_writes),
		TEST(test_overflow),
		TEST(test_unwritable),
		TEST(test_locked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
