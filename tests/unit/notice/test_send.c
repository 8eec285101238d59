#include "notice/send.h"

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

static char path[64];

static void
put(const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static const struct {
	const char *text;
	mode_t mode;
	const char *secret, *error; /* one of them */
} secrets[] = {
	{ "0123456789abcdef", 0600, "0123456789abcdef", NULL },
	{ "0123456789abcdef\n", 0640, "0123456789abcdef", NULL },
	{ "0123456789abcde \r\n\n", 0400, "0123456789abcde ", NULL },
	{ "0123456789abcde\n\n\n\n", 0600, NULL, "at least 16 bytes" },
	{ "", 0600, NULL, "at least 16 bytes" },
	{ "0123456789abcdef", 0604, NULL, "mode 0604 lets others read" },
	{ "0123456789abcdef", 0620, NULL, "mode 0620 lets others read" },
};

static void
test_secrets(void **state)
{
	struct secret secret = { NULL, 0 };
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++) {
		int rc;

		put(secrets[i].text, secrets[i].mode);
		rc = secret_load(&secret, path, &err);
		assert_int_equal(rc, secrets[i].secret != NULL ? 0 : -1);
		if (rc != 0) {
			assert_non_null(strstr(err.text, secrets[i].error));
			assert_null(secret.data);
			continue;
		}
		assert_int_equal(secret.len, strlen(secrets[i].secret));
		assert_memory_equal(secret.data, secrets[i].secret, secret.len);
		secret_clear(&secret);
		assert_null(secret.data);
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(secret_load(&secret, path, &err), -1);
}

/* As openssl dgst -sha256 -hmac says it of "1764081234.{}". */
static void
test_signature(void **state)
{
	char key[] = "0123456789abcdef", hex[SEND_SIGNATURE_BYTES];
	const struct secret secret = { key, 16 };
	const struct secret other = { key, 15 };
	char again[SEND_SIGNATURE_BYTES];

	(void)state;
	send_sign(&secret, 1764081234, "{}", hex);
	assert_string_equal(hex,
	    "b8f37bcc1b619889c1665317a820ca2a078256686e8b9084d366a999679f7933");
	send_sign(&other, 1764081234, "{}", again);
	assert_string_not_equal(hex, again);
	send_sign(&secret, 1764081235, "{}", again);
	assert_string_not_equal(hex, again);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_signature),
	};

	(void)snprintf(path, sizeof(path), "/tmp/sprov-test-secret-%ld",
	    (long)getpid());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
