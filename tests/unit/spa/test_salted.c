#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "spa/salted.h"

static const char text[] = "<flat-profile/>";
static const char key[] = "SecretPhrase1234";
static const uint8_t salt[SALTED_SALT_BYTES] = { 1, 2, 3, 4, 5, 6, 7, 8 };

/* printf '<flat-profile/>' |
 * openssl enc -aes-256-cbc OPTION -k SecretPhrase1234 -S 0102030405060708 */
static const char *const made[SALTED_DIGESTS] = {
	[SALTED_MD5] = "0b3706a4fe5eeb28231f3639ef5dde04",
	[SALTED_SHA256] = "3aea87bec1f95e7f201e005f413f72ac",
	[SALTED_PBKDF2] = "7b840e998e482f34c81d3e43baef0459",
};

static void
test_known(void **state)
{
	(void)state;
	for (int i = 0; i < SALTED_DIGESTS; i++) {
		uint8_t file[32] = "Salted__";
		struct error err = { 0 };
		struct buf out;

		memcpy(file + 8, salt, sizeof(salt));
		assert_true(text_unhex(made[i], file + 16, 16));
		buf_init(&out, 100);
		if (salted_decrypt(key, (enum salted_digest)i, file,
			sizeof(file), &out, &err) != 0)
			fail_msg("%s: %s",
			    salted_digest_option((enum salted_digest)i),
			    err.text);
		assert_string_equal(buf_text(&out), text);
		buf_clear(&out);
		if (i != SALTED_MD5)
			continue;
		assert_int_equal(salted_encrypt(key, salt, text, strlen(text),
				     &out, &err),
		    0);
		assert_int_equal(out.len, sizeof(file));
		assert_memory_equal(out.data, file, sizeof(file));
		buf_clear(&out);
	}
}

/* The command line that the vendor's manual names has the last word. */
static void
test_openssl_command(void **state)
{
	static const size_t lengths[] = { 0, 1, 15, 16, 17, 31, 32, 5000 };
	char in[] = "/tmp/test_salted.XXXXXX";
	int fd = mkstemp(in);

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		char *command, *data = xmalloc(lengths[i] + 1), *got;
		struct error err = { 0 };
		struct buf out, back;
		size_t len;

		for (size_t j = 0; j < lengths[i]; j++)
			data[j] = (char)rand();
		buf_init(&out, 10000);
		buf_init(&back, 10000);
		assert_int_equal(salted_encrypt(key, salt, data, lengths[i],
				     &out, &err),
		    0);
		assert_int_equal(salted_decrypt(key, SALTED_MD5, out.data,
				     out.len, &back, &err),
		    0);
		assert_int_equal(back.len, lengths[i]);
		assert_memory_equal(buf_text(&back), data, lengths[i]);
		assert_int_equal(file_replace(in, 0600, out.data, out.len,
				     &err),
		    0);
		command = xasprintf("openssl enc -d -aes-256-cbc -md md5 "
				    "-k %s -in %s -out %s.out 2>/dev/null",
		    key, in, in);
		assert_int_equal(system(command), 0);
		free(command);
		command = xasprintf("%s.out", in);
		assert_int_equal(file_read(command, 10000, &got, &len, &err),
		    0);
		assert_int_equal(len, lengths[i]);
		assert_memory_equal(got, data, len);
		(void)unlink(command);
		free(command);
		free(got);
		free(data);
		buf_clear(&out);
		buf_clear(&back);
	}
	(void)unlink(in);
}

static void
refused(const char *with, const void *data, size_t len, enum error_kind kind,
    const char *word)
{
	struct error err = { 0 };
	struct buf out;

	buf_init(&out, 200);
	assert_int_equal(buf_append_text(&out, "x"), 0);
	assert_int_equal(salted_decrypt(with, SALTED_MD5, data, len, &out,
			     &err),
	    -1);
	assert_int_equal(err.kind, kind);
	if (strstr(err.text, word) == NULL)
		fail_msg("%s: expected \"%s\"", err.text, word);
	assert_string_equal(buf_text(&out), "x");
	buf_clear(&out);
}

static void
test_refused(void **state)
{
	char long_key[SALTED_KEY_MAX + 2];
	struct error err;
	struct buf file;

	(void)state;
	memset(long_key, 'k', sizeof(long_key) - 1);
	long_key[sizeof(long_key) - 1] = '\0';
	buf_init(&file, 100);
	assert_int_equal(salted_encrypt("", salt, text, 1, &file, &err), -1);
	assert_int_equal(salted_encrypt(long_key, salt, text, 1, &file, &err),
	    -1);
	assert_int_equal(file.len, 0);
	assert_int_equal(salted_encrypt(key, salt, text, strlen(text), &file,
			     &err),
	    0);
	refused("", file.data, file.len, ERROR_INPUT, "0 bytes");
	refused(long_key, file.data, file.len, ERROR_INPUT, "256 bytes");
	refused(key, file.data, 7, ERROR_INPUT, "Salted__");
	refused(key, text, strlen(text), ERROR_INPUT, "Salted__");
	for (size_t len = 8; len < file.len; len++)
		refused(key, file.data, len, ERROR_INPUT, "cut off");
	refused("SecretPhrase1235", file.data, file.len, ERROR_DENIED,
	    "padding");
	file.data[file.len - 17] ^= 1; /* salt: another key */
	refused(key, file.data, file.len, ERROR_DENIED, "padding");
	buf_clear(&file);
	file.limit = 40; /* 16 + 16 fit, but not with the room asked for */
	assert_int_equal(salted_encrypt(key, salt, text, strlen(text), &file,
			     &err),
	    -1);
	assert_non_null(strstr(err.text, "40 bytes"));
	buf_clear(&file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_openssl_command),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
