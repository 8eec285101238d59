#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "inventory/documents.h"
#include "pki/seal.h"

#define TEXT "<flat-profile><Password_1_>geheim</Password_1_></flat-profile>"

static const struct mac phone = { { 0x00, 0x0e, 0x08, 0xaa, 0xbb, 0xcc } };
static const struct mac other = { { 0x00, 0x0e, 0x08, 0xaa, 0xbb, 0xcd } };

static int
set_up(void **state)
{
	char *folder = xstrdup("/tmp/sprov-documents-XXXXXX");

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
key_of(uint8_t byte)
{
	uint8_t bytes[SEAL_KEY_BYTES];
	struct error err;
	struct seal_key *key;

	memset(bytes, byte, sizeof(bytes));
	key = seal_key_new(bytes, &err);
	assert_non_null(key);
	return key;
}

static struct documents *
open_in(const char *folder, bool read_only, uint8_t key_byte)
{
	char *path = file_join(folder, DOCUMENTS_FILE);
	struct seal_key *key = key_byte != 0 ? key_of(key_byte) : NULL;
	struct error err = { 0 };
	struct documents *documents = documents_open(path, read_only, key,
	    &err);

	if (documents == NULL)
		print_error("%s\n", err.text);
	assert_non_null(documents);
	seal_key_release(key);
	free(path);
	return documents;
}

static struct document
document_of(const struct mac *mac, enum document_kind kind,
    enum document_form form)
{
	struct document document = { .mac = *mac,
		.kind = kind,
		.at = 1234,
		.listener = "csb",
		.template = "device.xml",
		.protection = "gzip+aes",
		.status = 200,
		.bytes = strlen(TEXT),
		.parameters = 1,
		.form = form };

	document_hash(TEXT, strlen(TEXT), document.clear_sha256);
	return document;
}

static void
put(struct documents *documents, const struct mac *mac, enum document_kind kind,
    enum document_form form)
{
	const struct document document = document_of(mac, kind, form);
	struct error err;

	assert_int_equal(documents_put(documents, &document, TEXT, strlen(TEXT),
			     &err),
	    0);
}

/* The text, or NULL; -1 is no answer. */
static char *
get(struct documents *documents, const struct mac *mac, enum document_kind kind,
    int wanted)
{
	struct document document = { 0 };
	struct error err = { 0 };
	char *text = NULL;
	int rc = documents_get(documents, mac, kind, &document, &text, &err);

	if (rc != wanted)
		fail_msg("%d: %s", rc, err.text);
	if (rc == 1) {
		const struct document same = document_of(mac, kind,
		    document.form);

		assert_memory_equal(&document, &same, sizeof(same));
	}
	return text;
}

static void
test_forms(void **state)
{
	struct documents *d = open_in(*state, false, 7);
	char *text;

	put(d, &phone, DOCUMENT_SERVED, DOCUMENT_SEALED);
	put(d, &phone, DOCUMENT_REPORT, DOCUMENT_REDACTED);
	put(d, &phone, DOCUMENT_DELTA, DOCUMENT_ABSENT);
	text = get(d, &phone, DOCUMENT_SERVED, 1);
	assert_string_equal(text, TEXT);
	seal_wipe(text);
	text = get(d, &phone, DOCUMENT_REPORT, 1);
	assert_string_equal(text, TEXT);
	seal_wipe(text);
	assert_null(get(d, &phone, DOCUMENT_DELTA, 1));
	assert_null(get(d, &phone, DOCUMENT_STATUS, 0));
	assert_null(get(d, &other, DOCUMENT_SERVED, 0));
	documents_close(d);
	/* Without the key: what is known, but not the text. */
	d = open_in(*state, true, 0);
	assert_null(get(d, &phone, DOCUMENT_SERVED, 1));
	documents_close(d);
}

static void
test_other_key(void **state)
{
	struct documents *d = open_in(*state, false, 7);
	struct document document;
	struct error err;
	char *text = NULL;

	put(d, &phone, DOCUMENT_SERVED, DOCUMENT_SEALED);
	documents_close(d);
	d = open_in(*state, true, 8);
	assert_int_equal(documents_get(d, &phone, DOCUMENT_SERVED, &document,
			     &text, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_DENIED);
	assert_null(text);
	documents_close(d);
}

static void
test_replace_and_remove(void **state)
{
	struct documents *d = open_in(*state, false, 7);
	struct error err;

	put(d, &phone, DOCUMENT_SERVED, DOCUMENT_ABSENT);
	put(d, &phone, DOCUMENT_SERVED, DOCUMENT_SEALED);
	seal_wipe(get(d, &phone, DOCUMENT_SERVED, 1));
	assert_int_equal(documents_remove(d, &phone, DOCUMENT_SERVED, &err), 1);
	assert_int_equal(documents_remove(d, &phone, DOCUMENT_SERVED, &err), 0);
	assert_null(get(d, &phone, DOCUMENT_SERVED, 0));
	/* A transaction that does not happen */
	assert_int_equal(documents_begin(d, &err), 0);
	put(d, &phone, DOCUMENT_SERVED, DOCUMENT_SEALED);
	documents_rollback(d);
	assert_null(get(d, &phone, DOCUMENT_SERVED, 0));
	documents_close(d);
}

static void
test_limits(void **state)
{
	const struct document document = document_of(&phone, DOCUMENT_REPORT,
	    DOCUMENT_SEALED);
	struct documents *d = open_in(*state, false, 7);
	char *large = malloc(DOCUMENT_TEXT_MAX + 1);
	uint32_t seed = 1;
	struct error err;
	char *text;

	assert_non_null(large);
	memset(large, 'x', DOCUMENT_TEXT_MAX + 1);
	assert_int_equal(documents_put(d, &document, large,
			     DOCUMENT_TEXT_MAX + 1, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_null(get(d, &phone, DOCUMENT_REPORT, 0));
	assert_int_equal(documents_put(d, &document, large, DOCUMENT_TEXT_MAX,
			     &err),
	    0);
	/* Text, but of the kind that hardly compresses */
	for (size_t i = 0; i < DOCUMENT_TEXT_MAX; i++) {
		seed = seed * 1664525 + 1013904223;
		large[i] = (char)(32 + (seed >> 24) % 95);
	}
	if (documents_put(d, &document, large, DOCUMENT_TEXT_MAX, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(documents_get(d, &phone, DOCUMENT_REPORT,
			     &(struct document) { .at = 0 }, &text, &err),
	    1);
	assert_memory_equal(text, large, DOCUMENT_TEXT_MAX);
	seal_wipe(text);
	free(large);
	documents_close(d);
}

/* What the file holds is no one's password. */
static void
test_nothing_in_clear(void **state)
{
	struct documents *d = open_in(*state, false, 7);
	static const char *const names[] = { DOCUMENTS_FILE,
		DOCUMENTS_FILE "-wal" };

	put(d, &phone, DOCUMENT_SERVED, DOCUMENT_SEALED);
	for (size_t i = 0; i < 2; i++) {
		char *path = file_join(*state, names[i]), *data = NULL;
		struct error err;
		size_t len = 0;

		if (file_read(path, 1 << 24, &data, &len, &err) == 0) {
			assert_null(memmem(data, len, "geheim", 6));
			/* Nor is it compressed only. */
			assert_null(memmem(data, len, "\x1f\x8b\x08", 3));
		}
		free(data);
		free(path);
	}
	documents_close(d);
}

/* A writer that is killed leaves whole transactions. */
static void
test_kill(void **state)
{
	struct documents *d;
	int pipes[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct error err;

		d = open_in(*state, false, 7);
		for (;;) {
			if (documents_begin(d, &err) != 0)
				_exit(1);
			put(d, &phone, DOCUMENT_SERVED, DOCUMENT_SEALED);
			put(d, &other, DOCUMENT_SERVED, DOCUMENT_SEALED);
			if (documents_commit(d, &err) != 0 ||
			    write(pipes[1], "x", 1) != 1)
				_exit(1);
		}
	}
	for (int i = 0; i < 20; i++)
		assert_int_equal(read(pipes[0], &byte, 1), 1);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	d = open_in(*state, false, 7);
	seal_wipe(get(d, &phone, DOCUMENT_SERVED, 1));
	seal_wipe(get(d, &other, DOCUMENT_SERVED, 1));
	put(d, &phone, DOCUMENT_SERVED, DOCUMENT_SEALED);
	documents_close(d);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_forms),
		TEST(test_other_key),
		TEST(test_replace_and_remove),
		TEST(test_limits),
		TEST(test_nothing_in_clear),
		TEST(test_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
