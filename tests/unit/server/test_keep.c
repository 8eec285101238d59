/*
 * Documents on their way to the file.  Also run under ThreadSanitizer.
 */
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

#include "../../lib/stock.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "pki/seal.h"
#include "server/keep.h"
#include "server/prune.h"

#define TEXT "<flat-profile><A>1</A><Password_1_>x</Password_1_></flat-profile>"
#define THREADS 4
#define PER_THREAD 200

static int
set_up(void **state)
{
	char *folder = xstrdup("/tmp/sprov-keep-XXXXXX");

	assert_non_null(mkdtemp(folder));
	*state = folder;
	return 0;
}

static int
tear_down(void **state)
{
	static const char *const names[] = { "", "-wal", "-shm", ".lock" };

	for (size_t i = 0; i < 4; i++) {
		char *path = xasprintf("%s/" DOCUMENTS_FILE "%s",
		    (char *)*state, names[i]);

		(void)unlink(path);
		free(path);
	}
	(void)rmdir(*state);
	free(*state);
	return 0;
}

static struct seal_key *
make_key(void)
{
	static const uint8_t bytes[SEAL_KEY_BYTES] = { 7 };
	struct error err;
	struct seal_key *key = seal_key_new(bytes, &err);

	assert_non_null(key);
	return key;
}

static struct keep *
start(const char *folder)
{
	struct error err = { 0 };
	struct keep *keep = keep_start(folder, &err);

	if (keep == NULL)
		print_error("%s\n", err.text);
	assert_non_null(keep);
	return keep;
}

static struct document
document_of(size_t thread, size_t n, enum document_kind kind, const char *text)
{
	struct document document = { .mac = { { 2, 0, 0, (uint8_t)thread,
					 (uint8_t)(n >> 8), (uint8_t)n } },
		.kind = kind,
		.at = 1000,
		.listener = "one",
		.protection = "none",
		.status = 200 };

	document_hash(text, strlen(text), document.clear_sha256);
	document_hash(text, strlen(text), document.sent_sha256);
	return document;
}

static void
serve(struct keep *keep, size_t thread, size_t n, const char *text)
{
	struct document document = document_of(thread, n, DOCUMENT_SERVED,
	    text);

	assert_true(keep_served(keep, &document, text, strlen(text)));
}

static void
wait_for(struct keep *keep, uint64_t written)
{
	uint64_t deadline = clock_monotonic_ms() + 30000;

	while (keep_counts(keep).written < written) {
		assert_true(clock_monotonic_ms() < deadline);
		(void)usleep(5000);
	}
}

/* The text of that kind in the file, or NULL. */
static char *
read_back(const char *folder, size_t thread, size_t n, enum document_kind kind,
    struct document *document)
{
	char *path = file_join(folder, DOCUMENTS_FILE), *text = NULL;
	const struct document wanted = document_of(thread, n, kind, "");
	struct seal_key *key = make_key();
	struct documents *documents;
	struct error err = { 0 };

	documents = documents_open(path, true, key, &err);
	assert_non_null(documents);
	(void)!documents_get(documents, &wanted.mac, kind, document, &text,
	    &err);
	documents_close(documents);
	seal_key_release(key);
	free(path);
	return text;
}

struct adder {
	struct keep *keep;
	size_t thread;
};

static void *
add_many(void *arg)
{
	const struct adder *adder = arg;

	for (size_t i = 0; i < 2 * PER_THREAD; i++)
		serve(adder->keep, adder->thread, i / 2, TEXT);
	return NULL;
}

static void
test_threads(void **state)
{
	struct keep *keep = start(*state);
	struct seal_key *key = make_key();
	pthread_t threads[THREADS];
	struct adder adders[THREADS];
	struct document document;

	keep_use_key(keep, key);
	for (size_t i = 0; i < THREADS; i++) {
		adders[i] = (struct adder) { keep, i };
		assert_int_equal(pthread_create(&threads[i], NULL, add_many,
				     &adders[i]),
		    0);
	}
	keep_use_key(keep, key); /* as a reload does, at any time */
	for (size_t i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	keep_stop(keep);
	for (size_t i = 0; i < THREADS; i++)
		for (size_t n = 0; n < PER_THREAD; n++) {
			char *text = read_back(*state, i, n, DOCUMENT_SERVED,
			    &document);

			assert_string_equal(text, TEXT);
			assert_int_equal(document.form, DOCUMENT_SEALED);
			seal_wipe(text);
		}
	seal_key_release(key);
}

/* What is in the file already does not come again. */
static void
test_unchanged(void **state)
{
	struct keep *keep = start(*state);
	uint64_t written;

	serve(keep, 1, 1, TEXT);
	wait_for(keep, 1);
	for (int i = 0; i < 100; i++)
		serve(keep, 1, 1, TEXT);
	serve(keep, 1, 2, TEXT);
	wait_for(keep, 2);
	assert_int_equal(keep_counts(keep).written, 2);
	serve(keep, 1, 1, "<flat-profile><A>2</A></flat-profile>");
	wait_for(keep, 3);
	written = keep_counts(keep).written;
	/* After a start it comes once, and leaves the row as it was. */
	keep_stop(keep);
	assert_int_equal(written, 3);
}

static void
test_without_key(void **state)
{
	struct keep *keep = start(*state);
	struct document document = document_of(1, 1, DOCUMENT_STATUS, TEXT);
	struct error err;
	char *text;

	serve(keep, 1, 1, TEXT);
	assert_int_equal(keep_report(keep, &document, TEXT, strlen(TEXT), &err),
	    0);
	keep_stop(keep);
	text = read_back(*state, 1, 1, DOCUMENT_SERVED, &document);
	assert_int_equal(document.form, DOCUMENT_REDACTED);
	assert_non_null(strstr(text, "<A>1</A>"));
	assert_null(strstr(text, ">x<"));
	seal_wipe(text);
	/* What has no parameters cannot be told from secrets. */
	assert_null(read_back(*state, 1, 1, DOCUMENT_STATUS, &document));
	assert_int_equal(document.form, DOCUMENT_ABSENT);
}

static void
test_bound(void **state)
{
	const struct document document = document_of(1, 1, DOCUMENT_REPORT,
	    TEXT);
	size_t len = DOCUMENT_TEXT_MAX, taken = 0;
	struct keep *keep = start(*state);
	char *text = malloc(len + 1);
	struct error err = { 0 };

	assert_non_null(text);
	memset(text, 'x', len);
	text[len] = '\0';
	/* The thread may write some of them meanwhile, not all. */
	for (int i = 0; i < 3 * KEEP_BYTES_MAX / DOCUMENT_TEXT_MAX; i++)
		taken += keep_report(keep, &document, text, len, &err) == 0;
	assert_true(taken >= KEEP_BYTES_MAX / DOCUMENT_TEXT_MAX);
	assert_true(taken < 3 * KEEP_BYTES_MAX / DOCUMENT_TEXT_MAX);
	assert_int_equal(err.kind, ERROR_SYSTEM);
	assert_int_equal(keep_report(NULL, &document, text, 1, &err), -1);
	assert_true(keep_served(NULL, &document, text, 1));
	taken = 0;
	for (int i = 0; i < 3 * KEEP_BYTES_MAX / DOCUMENT_TEXT_MAX; i++)
		taken += keep_served(keep, &document, text, len);
	assert_true(taken < 3 * KEEP_BYTES_MAX / DOCUMENT_TEXT_MAX);
	free(text);
	keep_stop(keep);
	keep_stop(NULL);
}

/* Devices (1, 0) to (1, count - 1). */
static struct snapshot *
snapshot_of(size_t count)
{
	struct stock_device *devices = xcalloc(count + 1, sizeof(*devices));
	char(*macs)[MAC_TEXT_BYTES] = xcalloc(count + 1, sizeof(*macs));
	struct snapshot *snapshot;

	for (size_t i = 0; i < count; i++) {
		const struct document one = document_of(1, i, DOCUMENT_SERVED,
		    "");

		mac_format(&one.mac, macs[i]);
		devices[i] = (struct stock_device) { .mac = macs[i],
			.model = "SPA504G",
			.state = DEVICE_ACTIVE };
	}
	snapshot = stock_snapshot(devices, count, NULL, 0);
	free(macs);
	free(devices);
	return snapshot;
}

static void
use(struct keep *keep, size_t count)
{
	struct snapshot *snapshot = snapshot_of(count);

	keep_use_snapshot(keep, snapshot);
	snapshot_release(snapshot);
}

/* How many devices have something in the file. */
static size_t
count_devices(const char *folder)
{
	char *path = file_join(folder, DOCUMENTS_FILE);
	struct error err = { 0 };
	struct documents *documents = documents_open(path, true, NULL, &err);
	struct mac mac;
	size_t count = 0;

	/* The thread may not have made it yet. */
	while (documents != NULL &&
	    documents_next(documents, count > 0 ? &mac : NULL, &mac, &err) == 1)
		count++;
	documents_close(documents);
	free(path);
	return count;
}

static void
wait_for_devices(const char *folder, size_t count)
{
	uint64_t deadline = clock_monotonic_ms() + 30000;

	while (count_devices(folder) != count) {
		assert_true(clock_monotonic_ms() < deadline);
		(void)usleep(5000);
	}
}

/* What went while the server did not run, and while it does. */
static void
test_removed(void **state)
{
	struct document report = document_of(1, 1, DOCUMENT_REPORT, TEXT);
	struct keep *keep = start(*state);
	struct error err;
	struct document document;

	for (size_t i = 0; i < 5; i++)
		serve(keep, 1, i, TEXT);
	assert_int_equal(keep_report(keep, &report, TEXT, strlen(TEXT), &err),
	    0);
	wait_for_devices(*state, 5);
	/* An empty inventory is more likely the wrong one. */
	use(keep, 0);
	serve(keep, 1, 5, TEXT);
	wait_for_devices(*state, 6);
	keep_stop(keep);
	keep = start(*state);
	use(keep, 4);
	wait_for_devices(*state, 4);
	use(keep, 1);
	wait_for_devices(*state, 1);
	assert_null(read_back(*state, 1, 1, DOCUMENT_REPORT, &document));
	/* One that comes again is recorded again, though it is the same. */
	serve(keep, 1, 1, TEXT);
	wait_for_devices(*state, 2);
	use(keep, 2);
	use(keep, 1);
	wait_for_devices(*state, 1);
	use(keep, 2);
	serve(keep, 1, 1, TEXT);
	wait_for_devices(*state, 2);
	keep_stop(keep);
	keep_use_snapshot(NULL, NULL);
}

/* More than one step's worth, and others in between. */
static void
test_many_removed(void **state)
{
	const size_t count = 2 * PRUNE_STEP + 700;
	char *path = file_join(*state, DOCUMENTS_FILE);
	struct error err = { 0 };
	struct documents *documents = documents_open(path, false, NULL, &err);
	struct keep *keep;

	assert_non_null(documents);
	assert_int_equal(documents_begin(documents, &err), 0);
	for (size_t i = 0; i < count; i++) {
		const struct document one = document_of(1, i, DOCUMENT_REPORT,
		    TEXT);

		assert_int_equal(documents_put(documents, &one, "", 0, &err),
		    0);
	}
	assert_int_equal(documents_commit(documents, &err), 0);
	documents_close(documents);
	free(path);
	assert_int_equal(count_devices(*state), count);
	keep = start(*state);
	use(keep, 3);
	serve(keep, 1, 1, TEXT);
	use(keep, 4); /* of which one was looked at with the others */
	wait_for_devices(*state, 4);
	keep_stop(keep);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_threads),
		TEST(test_unchanged),
		TEST(test_without_key),
		TEST(test_bound),
		TEST(test_removed),
		TEST(test_many_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
