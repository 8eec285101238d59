#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "admin/password.h"

static void
test_check(void **state)
{
	char text[PASSWORD_MAX + 2];
	struct error err;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[PASSWORD_MIN - 1] = '\0';
	assert_int_equal(password_check(text, &err), -1);
	text[PASSWORD_MIN - 1] = 'x';
	text[PASSWORD_MIN] = '\0';
	assert_int_equal(password_check(text, &err), 0);
	text[PASSWORD_MIN] = 'x';
	text[PASSWORD_MAX + 1] = '\0';
	assert_int_equal(password_check(text, &err), -1);
}

static void
test_hash(void **state)
{
	char one[ADMINS_PASSWORD_HASH_MAX + 1], two[sizeof(one)];
	struct error err;

	(void)state;
	assert_int_equal(password_hash("correct horse", one, &err), 0);
	assert_int_equal(password_hash("correct horse", two, &err), 0);
	assert_memory_equal(one, "$y$", 3);
	assert_string_not_equal(one, two); /* salted */
	assert_true(password_matches("correct horse", one));
	assert_true(password_matches("correct horse", two));
	assert_false(password_matches("correct horsf", one));
	assert_false(password_matches("", one));
	assert_false(password_matches("correct horse", ""));
	assert_false(password_matches("correct horse", "x"));
	assert_false(password_matches("", ""));
}

/* Time does not tell whether there is such an account. */
static void
test_nobody(void **state)
{
	char hash[ADMINS_PASSWORD_HASH_MAX + 1];
	struct error err;
	clock_t began, real, nobody;

	(void)state;
	assert_int_equal(password_hash("correct horse", hash, &err), 0);
	began = clock();
	for (int i = 0; i < 5; i++)
		assert_false(password_matches("x", hash));
	real = clock() - began;
	began = clock();
	for (int i = 0; i < 5; i++)
		assert_false(password_matches("x", ""));
	nobody = clock() - began;
	assert_true(nobody > real / 2);
	assert_true(nobody < real * 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
