#include "notice/said.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[64];

static void
put(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
test_memory(void **state)
{
	struct error err = { 0 };
	struct said *said = said_load(path, &err);

	(void)state;
	assert_int_equal(err.kind, ERROR_NONE); /* there is no file yet */
	assert_false(said_is(said, "noc", "a", 1000));
	assert_false(said_forget(said, 1000));
	said_add(said, "noc", "a", NULL, 1000);
	said_add(said, "noc", "b", NULL, 1000);
	assert_true(said_is(said, "noc", "a", 1010));
	assert_false(said_is(said, "pager", "a", 1010));
	assert_true(said_forget(said, 1010));
	assert_int_equal(said_save(said, path, &err), 0);
	assert_false(said_forget(said, 1010));
	/* a is still so, b is not: it is forgotten, and news again. */
	assert_true(said_is(said, "noc", "a", 1000 + SAID_KEEP_S));
	assert_true(said_forget(said, 1001 + SAID_KEEP_S));
	assert_true(said_is(said, "noc", "a", 1001 + SAID_KEEP_S));
	assert_false(said_is(said, "noc", "b", 1001 + SAID_KEEP_S));
	assert_int_equal(said_save(said, path, &err), 0);
	said_free(said);
	said = said_load(path, &err);
	assert_int_equal(err.kind, ERROR_NONE);
	assert_true(said_is(said, "noc", "a", 1002 + SAID_KEEP_S));
	assert_false(said_is(said, "noc", "b", 1002 + SAID_KEEP_S));
	said_free(said);
	assert_int_equal(unlink(path), 0);
}

static void
note(const char *key, const char *text, time_t at, void *arg)
{
	char *list = arg;
	size_t len = strlen(list);

	(void)snprintf(list + len, 4096 - len, "%s=%s@%lld ", key, text,
	    (long long)at);
}

/* What is to be told of when it is over is not forgotten before. */
static void
test_texts(void **state)
{
	char list[4096] = "", longest[SAID_TEXT_MAX + 10];
	struct error err = { 0 };
	struct said *said = said_load(path, &err);

	(void)state;
	said_each(said, "noc", note, list);
	assert_string_equal(list, "");
	said_add(said, "noc", "a", "what", 1000);
	said_add(said, "noc", "b", NULL, 1000);
	said_add(said, "pager", "c", "other", 1000);
	said_each(said, "noc", note, list);
	assert_string_equal(list, "a=what@1000 ");
	assert_true(said_is(said, "noc", "a", 2000));
	assert_int_equal(said_save(said, path, &err), 0);
	said_free(said);
	said = said_load(path, &err);
	assert_int_equal(err.kind, ERROR_NONE);
	(void)said_forget(said, 2000 + SAID_KEEP_S);
	*list = '\0';
	said_each(said, "noc", note, list);
	assert_string_equal(list, "a=what@2000 ");
	said_drop(said, "noc", "a");
	said_drop(said, "noc", "a"); /* once more does nothing */
	said_drop(said, "nobody", "a");
	assert_true(said_forget(said, 2000));
	assert_false(said_is(said, "noc", "a", 2000));

	/* It ends between two characters, and within a week. */
	memset(longest, 'x', sizeof(longest));
	memcpy(longest + SAID_TEXT_MAX - 1, "\xc3\xbc", 3);
	said_add(said, "noc", "d", longest, 3000);
	assert_int_equal(said_save(said, path, &err), 0);
	said_free(said);
	said = said_load(path, &err);
	assert_int_equal(err.kind, ERROR_NONE);
	*list = '\0';
	said_each(said, "noc", note, list);
	assert_int_equal(strlen(list), SAID_TEXT_MAX - 1 + strlen("d=@3000 "));
	(void)said_forget(said, 3001 + SAID_OVER_KEEP_S);
	*list = '\0';
	said_each(said, "noc", note, list);
	assert_string_equal(list, "");
	said_free(said);
	assert_int_equal(unlink(path), 0);
}

/* One that cannot be written is not taken for written. */
static void
test_no_place(void **state)
{
	struct error err = { 0 };
	struct said *said = said_load("/nowhere/notices.json", &err);

	(void)state;
	said_add(said, "noc", "a", NULL, 1);
	assert_int_equal(said_save(said, "/nowhere/notices.json", &err), -1);
	assert_true(said_forget(said, 1));
	said_free(said);
}

static const char *const damaged[] = {
	"",
	"{",
	"[]",
	"{}",
	"{\"said\": []}",
	"{\"said\": {\"noc\": []}}",
	"{\"said\": {\"noc\": {\"a\": \"b\"}}}",
	"{\"said\": {\"noc\": {\"a\": {}}}}",
	"{\"said\": {\"noc\": {\"a\": {\"at\": 1}}}}",
	"{\"said\": {\"noc\": {\"a\": {\"text\": \"b\"}}}}",
	"{\"said\": {\"noc\": {\"a\": {\"at\": \"1\", \"text\": \"b\"}}}}",
	"{\"said\": {\"noc\": {\"a\": {\"at\": 1, \"text\": 2}}}}",
	"{\"said\": {\"noc\": {\"a\": 1}}} x",
};

static void
test_damaged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(damaged) / sizeof(*damaged); i++) {
		struct error err = { 0 };
		struct said *said;

		put(damaged[i]);
		said = said_load(path, &err);
		assert_int_equal(err.kind, ERROR_INPUT);
		assert_non_null(strstr(err.text, "is damaged"));
		assert_false(said_is(said, "noc", "a", 1));
		said_add(said, "noc", "a", NULL, 1);
		assert_int_equal(said_save(said, path, &err), 0);
		said_free(said);
	}
	assert_int_equal(unlink(path), 0);
}

static void
test_bound(void **state)
{
	struct error err = { 0 };
	struct said *said = said_load(path, &err);
	char key[32];

	(void)state;
	for (int i = 0; i < SAID_KEYS_MAX + 10; i++) {
		(void)snprintf(key, sizeof(key), "%d", i);
		said_add(said, "noc", key, NULL, 1);
	}
	assert_true(said_is(said, "noc", "3999", 1));
	assert_false(said_is(said, "noc", "4000", 1));
	said_free(said);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_no_place),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_bound),
	};

	(void)snprintf(path, sizeof(path), "/tmp/sprov-test-said-%ld",
	    (long)getpid());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
