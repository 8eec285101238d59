#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "admin/session.h"

#define NOW 1000000

static void
begin(struct sessions *sessions, const char *name, time_t now,
    char text[static SESSION_TEXT_BYTES])
{
	struct admin_account account = { .password = "$y$one" };
	struct error err;

	(void)snprintf(account.name, sizeof(account.name), "%s", name);
	assert_int_equal(sessions_begin(sessions, &account, now, text, &err),
	    0);
}

static void
test_life(void **state)
{
	struct sessions *sessions = sessions_new();
	char text[SESSION_TEXT_BYTES], other[SESSION_TEXT_BYTES];
	char name[ADMINS_NAME_MAX + 1];
	struct admin_account account = { .password = "$y$one" };
	time_t now = NOW;

	(void)state;
	begin(sessions, "noc", now, text);
	begin(sessions, "ada", now, other);
	assert_string_not_equal(text, other);
	assert_true(sessions_find(sessions, text, now, name));
	assert_string_equal(name, "noc");
	assert_true(sessions_is_of(sessions, text, &account));
	(void)snprintf(account.password, sizeof(account.password), "$y$two");
	assert_false(sessions_is_of(sessions, text, &account));
	assert_false(sessions_find(sessions, "", now, name));
	text[0] = text[0] == '0' ? '1' : '0';
	assert_false(sessions_find(sessions, text, now, name));
	/* Used, it lives on; but not for ever. */
	while (now + SESSION_IDLE_S - 1 < NOW + SESSION_LIFE_S) {
		now += SESSION_IDLE_S - 1;
		assert_true(sessions_find(sessions, other, now, name));
	}
	assert_false(sessions_find(sessions, other, NOW + SESSION_LIFE_S,
	    name));
	begin(sessions, "noc", NOW, text);
	assert_false(sessions_find(sessions, text, NOW + SESSION_IDLE_S, name));
	sessions_free(sessions);
}

static void
test_end(void **state)
{
	struct sessions *sessions = sessions_new();
	char text[SESSION_TEXT_BYTES], other[SESSION_TEXT_BYTES];
	char name[ADMINS_NAME_MAX + 1];

	(void)state;
	begin(sessions, "noc", NOW, text);
	begin(sessions, "noc", NOW, other);
	sessions_end(sessions, text);
	sessions_end(sessions, "nothing");
	assert_false(sessions_find(sessions, text, NOW, name));
	assert_true(sessions_find(sessions, other, NOW, name));
	sessions_free(sessions);
}

/* Who was away longest makes room. */
static void
test_full(void **state)
{
	struct sessions *sessions = sessions_new();
	char first[SESSION_TEXT_BYTES], second[SESSION_TEXT_BYTES],
	    text[SESSION_TEXT_BYTES];
	char name[ADMINS_NAME_MAX + 1];

	(void)state;
	begin(sessions, "first", NOW, first);
	begin(sessions, "second", NOW + 1, second);
	for (int i = 2; i < SESSIONS_MAX; i++)
		begin(sessions, "more", NOW + 2, text);
	assert_true(sessions_find(sessions, first, NOW + 3, name));
	begin(sessions, "one too many", NOW + 4, text);
	assert_true(sessions_find(sessions, first, NOW + 4, name));
	assert_false(sessions_find(sessions, second, NOW + 4, name));
	sessions_free(sessions);
}

static void
test_tries(void **state)
{
	struct sessions *sessions = sessions_new();
	char key[32];
	unsigned wait = 0;
	time_t now = NOW;

	(void)state;
	for (int i = 0; i < TRIES_FREE; i++) {
		assert_int_equal(sessions_must_wait(sessions, "noc", now), 0);
		sessions_tried(sessions, "noc", false, now);
	}
	for (int i = 0; i < 10; i++) {
		unsigned next = sessions_must_wait(sessions, "noc", now);

		assert_true(next > wait || next == TRIES_WAIT_MAX_S);
		wait = next;
		assert_int_equal(sessions_must_wait(sessions, "ada", now), 0);
		now += wait;
		assert_int_equal(sessions_must_wait(sessions, "noc", now), 0);
		sessions_tried(sessions, "noc", false, now);
	}
	assert_int_equal(wait, TRIES_WAIT_MAX_S);
	assert_true(sessions_must_wait(sessions, "noc", now - 1000000) <=
	    TRIES_WAIT_MAX_S);
	sessions_tried(sessions, "noc", true, now);
	assert_int_equal(sessions_must_wait(sessions, "noc", now), 0);
	/* Others push out who was there first, and memory does not grow. */
	for (int i = 0; i < 2 * TRIES_KEPT; i++) {
		(void)snprintf(key, sizeof(key), "192.0.2.%d", i);
		sessions_tried(sessions, key, false, now + i);
	}
	sessions_free(sessions);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_tries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
