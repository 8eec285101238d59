#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/error.h"

static void
test_set(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(error_set(&err, ERROR_DENIED, "%s: no", "x"), -1);
	assert_int_equal(err.kind, ERROR_DENIED);
	assert_string_equal(err.text, "x: no");
}

static void
test_set_cuts(void **state)
{
	struct error err;
	char text[2 * sizeof(err.text)];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(error_set(&err, ERROR_INPUT, "%s", text), -1);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	/* Nothing fits behind it, and nothing breaks. */
	errno = ENOENT;
	assert_int_equal(error_errno(&err, "%s", text), -1);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void
test_errno(void **state)
{
	struct error err;

	(void)state;
	errno = ENOENT;
	assert_int_equal(error_errno(&err, "file %d", 7), -1);
	assert_int_equal(err.kind, ERROR_SYSTEM);
	assert_string_equal(err.text, "file 7: No such file or directory");
}

static void
test_openssl(void **state)
{
	struct error err;

	(void)state;
	ERR_clear_error();
	assert_int_equal(error_openssl(&err, "cannot %s", "sign"), -1);
	assert_int_equal(err.kind, ERROR_SYSTEM);
	assert_string_equal(err.text, "cannot sign");

	ERR_raise(ERR_LIB_EVP, EVP_R_BAD_DECRYPT);
	ERR_raise(ERR_LIB_EVP, EVP_R_INITIALIZATION_ERROR);
	assert_int_equal(error_openssl(&err, "cannot read"), -1);
	assert_string_equal(err.text, "cannot read: bad decrypt");
	assert_int_equal(ERR_peek_error(), 0);

	/* The library and the reason are unknown to OpenSSL. */
	ERR_raise(200, 250);
	assert_int_equal(error_openssl(&err, "cannot read"), -1);
	assert_string_equal(err.text, "cannot read: OpenSSL error");
	assert_int_equal(ERR_peek_error(), 0);
}

static void
test_openssl_system(void **state)
{
	struct error err;

	(void)state;
	ERR_raise(ERR_LIB_SYS, ENOENT);
	assert_int_equal(error_openssl(&err, "key.pem"), -1);
	assert_string_equal(err.text, "key.pem: No such file or directory");
}

static void
test_prefix(void **state)
{
	struct error err;
	char text[sizeof(err.text)];

	(void)state;
	(void)error_set(&err, ERROR_NOT_FOUND, "no such model");
	assert_int_equal(error_prefix(&err, "%s:%d: ", "phones.csv", 12), -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_string_equal(err.text, "phones.csv:12: no such model");

	memset(text, 'p', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)error_prefix(&err, "%s", text);
	assert_string_equal(err.text, text);
}

static void
test_errors(void **state)
{
	struct errors errors = { 0 };
	char longer[2048], expected[16];

	(void)state;
	errors_clear(&errors); /* an empty one too */
	for (int i = 0; i < ERRORS_MAX + 5; i++)
		errors_add(&errors, "error %d", i);
	assert_int_equal(errors.count, ERRORS_MAX + 5);
	assert_int_equal(errors.kept, ERRORS_MAX);
	for (int i = 0; i < ERRORS_MAX; i++) {
		(void)snprintf(expected, sizeof(expected), "error %d", i);
		assert_string_equal(errors.text[i], expected);
	}
	errors_clear(&errors);
	assert_int_equal(errors.count, 0);
	assert_int_equal(errors.kept, 0);
	assert_null(errors.text);

	memset(longer, 'e', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	errors_add(&errors, "%s", longer);
	assert_int_equal(strlen(errors.text[0]), 1023);
	errors_clear(&errors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_set_cuts),
		cmocka_unit_test(test_errno),
		cmocka_unit_test(test_openssl),
		cmocka_unit_test(test_openssl_system),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
