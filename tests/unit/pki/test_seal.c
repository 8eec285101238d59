#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../lib/certs.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/seal.h"

#define HEX32 "000102030405060708090a0b0c0d0e0f"
#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static char *folder;

static int
setup(void **state)
{
	(void)state;
	folder = test_folder();
	(void)unsetenv("CREDENTIALS_DIRECTORY");
	(void)unsetenv("SPROV_SECRETS_KEY");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	test_remove_folder(folder);
	return 0;
}

static struct seal_key *
new_key(uint8_t seed)
{
	struct error err = { 0 };
	uint8_t bytes[SEAL_KEY_BYTES];
	struct seal_key *key;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(seed + i);
	key = seal_key_new(bytes, &err);
	assert_non_null(key);
	return key;
}

static void
test_key_files(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		mode_t mode;
		enum error_kind kind; /* ERROR_NONE: it loads */
	} cases[] = {
		{ HEX32 HEX32, 64, 0600, ERROR_NONE },
		{ HEX32 HEX32 "\n", 65, 0400, ERROR_NONE },
		{ HEX32 HEX32 "\r\n", 66, 0600, ERROR_NONE },
		{ HEX32, 32, 0600, ERROR_NONE }, /* raw */
		{ HEX32 HEX32, 64, 0640, ERROR_DENIED },
		{ HEX32 HEX32, 64, 0604, ERROR_DENIED },
		{ HEX32 HEX32, 63, 0600, ERROR_INPUT },
		{ HEX32 HEX32 "00", 66, 0600, ERROR_INPUT },
		{ HEX32 HEX32 "\n\n\n", 67, 0600, ERROR_INPUT }, /* too long */
		{ HEX32 "g" HEX32, 64, 0600, ERROR_INPUT },
		{ "", 0, 0600, ERROR_INPUT },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		char *path = xasprintf("%s/key%zu", folder, i);
		struct error err = { 0 };
		struct seal_key *key;

		assert_int_equal(file_create(path, cases[i].mode, cases[i].data,
				     cases[i].len, &err),
		    0);
		key = seal_key_load(path, &err);
		assert_int_equal(err.kind, cases[i].kind);
		assert_int_equal(key != NULL, cases[i].kind == ERROR_NONE);
		if (key == NULL)
			assert_non_null(strstr(err.text, path));
		seal_key_release(key);
		free(path);
	}
}

/* The service manager guards its folder, whatever the modes in it. */
static void
test_credential(void **state)
{
	char *path = xasprintf("%s/secrets-key", folder);
	char *other = xasprintf("%s/other", folder);
	struct error err = { 0 };
	struct seal_key *key;
	char *found;

	(void)state;
	assert_null(seal_key_find(NULL));
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
	assert_null(seal_key_find(NULL)); /* it holds none */
	assert_int_equal(file_create(path, 0440, HEX32, 32, &err), 0);
	found = seal_key_find(NULL);
	assert_string_equal(found, path);
	key = seal_key_load(found, &err);
	assert_non_null(key);
	seal_key_release(key);
	free(found);
	assert_int_equal(setenv("SPROV_SECRETS_KEY", other, 1), 0);
	found = seal_key_find(NULL);
	assert_string_equal(found, other);
	free(found);
	found = seal_key_find("given");
	assert_string_equal(found, "given");
	free(found);
	assert_null(seal_key_load(other, &err));
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_int_equal(unsetenv("SPROV_SECRETS_KEY"), 0);
	err = (struct error) { 0 };
	assert_null(seal_key_load(path, &err));
	assert_int_equal(err.kind, ERROR_DENIED);
	free(path);
	free(other);
}

static void
test_text(void **state)
{
	static const char *const secrets[] = { "", "x", "s3cret",
		"a longer one, with \xc3\xa9 and\nnewline" };
	struct seal_key *key = new_key(1);

	(void)state;
	for (size_t i = 0; i < LENGTH(secrets); i++) {
		struct error err = { 0 };
		char *sealed = NULL, *again = NULL, *plain = NULL;
		char id[SEAL_ID_TEXT_BYTES], mine[SEAL_ID_TEXT_BYTES];

		assert_int_equal(seal_text(key, "here", secrets[i], &sealed,
				     &err),
		    0);
		assert_int_equal(seal_text(key, "here", secrets[i], &again,
				     &err),
		    0);
		assert_string_not_equal(sealed, again); /* another nonce */
		assert_true(strlen(sealed) <
		    SEAL_TEXT_BYTES(strlen(secrets[i])));
		assert_true(secrets[i][0] == '\0' || i == 1 ||
		    strstr(sealed, secrets[i]) == NULL);
		assert_true(seal_text_is_sealed(sealed, id));
		seal_key_id(key, mine);
		assert_string_equal(id, mine);
		assert_int_equal(seal_open_text(key, "here", sealed, &plain,
				     &err),
		    0);
		assert_string_equal(plain, secrets[i]);
		seal_wipe(plain);
		plain = NULL;
		assert_int_equal(seal_open_text(key, "there", sealed, &plain,
				     &err),
		    -1);
		assert_int_equal(err.kind, ERROR_INPUT);
		assert_null(plain);
		free(sealed);
		free(again);
	}
	seal_key_release(key);
}

/* Whichever bit changes, nothing opens. */
static void
test_tampering(void **state)
{
	static const char secret[] = "s3cret";
	struct seal_key *key = new_key(1), *other = new_key(2);
	uint8_t sealed[sizeof(secret) + SEAL_OVERHEAD];
	char plain[sizeof(secret)];
	struct error err = { 0 };

	(void)state;
	assert_int_equal(seal_bytes(key, "c", secret, sizeof(secret), sealed,
			     &err),
	    0);
	for (size_t bit = 0; bit < 8 * sizeof(sealed); bit++) {
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		err = (struct error) { 0 };
		assert_int_equal(seal_open_bytes(key, "c", sealed,
				     sizeof(sealed), plain, &err),
		    -1);
		assert_int_equal(err.kind,
		    bit / 8 >= 1 && bit / 8 < 5 ? ERROR_DENIED : ERROR_INPUT);
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t len = 0; len < sizeof(sealed); len++)
		assert_int_equal(seal_open_bytes(key, "c", sealed, len, plain,
				     &err),
		    -1);
	err = (struct error) { 0 };
	assert_int_equal(seal_open_bytes(other, "c", sealed, sizeof(sealed),
			     plain, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_DENIED);
	assert_non_null(strstr(err.text, "sealed with the key"));
	assert_int_equal(seal_open_bytes(key, "c", sealed, sizeof(sealed),
			     plain, &err),
	    0);
	assert_memory_equal(plain, secret, sizeof(secret));
	seal_key_release(key);
	seal_key_release(other);
}

static void
test_no_sealed_text(void **state)
{
	static const char *const texts[] = { "", "sealed1:", "sealed1:AAAA",
		"s3cret", "sealed2:" HEX32 HEX32, "sealed1:" HEX32 HEX32,
		"sealed1:AQ==" HEX32 HEX32, "sealed1:AQAA" HEX32 HEX32 "\n" };
	struct seal_key *key = new_key(1);

	(void)state;
	for (size_t i = 0; i < LENGTH(texts); i++) {
		struct error err = { 0 };
		char *plain = NULL;

		assert_int_equal(seal_open_text(key, "c", texts[i], &plain,
				     &err),
		    -1);
		assert_int_equal(err.kind, ERROR_INPUT);
		assert_false(seal_text_is_sealed(texts[i], NULL));
	}
	seal_key_release(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_files),
		cmocka_unit_test(test_credential),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_tampering),
		cmocka_unit_test(test_no_sealed_text),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
