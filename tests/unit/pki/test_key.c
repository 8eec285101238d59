#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "../../lib/certs.h"
#include "base/file.h"
#include "pki/key.h"

static char *folder;

static int
setup(void **state)
{
	(void)state;
	folder = test_folder();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	test_remove_folder(folder);
	return 0;
}

static void
test_generate(void **state)
{
	static const struct {
		unsigned bits, exponent;
		bool good;
	} cases[] = {
		{ 1024, 3, true },
		{ 1024, 65537, true },
		{ 2048, 3, true },
		{ 1023, 65537, false },
		{ 4097, 65537, false },
		{ 1024, 17, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct error err = { 0 };
		EVP_PKEY *key = key_generate(cases[i].bits, cases[i].exponent,
		    &err);
		BIGNUM *e = NULL;

		assert_int_equal(key != NULL, cases[i].good);
		if (key == NULL) {
			assert_int_equal(err.kind, ERROR_INPUT);
			continue;
		}
		assert_int_equal(EVP_PKEY_get_bits(key), cases[i].bits);
		assert_int_equal(EVP_PKEY_get_bn_param(key,
				     OSSL_PKEY_PARAM_RSA_E, &e),
		    1);
		assert_int_equal(BN_get_word(e), cases[i].exponent);
		BN_free(e);
		EVP_PKEY_free(key);
	}
}

static void
test_write_and_load(void **state)
{
	char *path = file_join(folder, "a.key");
	struct error err = { 0 };
	EVP_PKEY *key = test_key(1024), *loaded;
	struct stat st;

	(void)state;
	assert_int_equal(key_write(path, key, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(key_write(path, key, &err), -1); /* never replaces */

	loaded = key_load(path, &err);
	assert_non_null(loaded);
	assert_int_equal(EVP_PKEY_eq(loaded, key), 1);
	EVP_PKEY_free(loaded);
	EVP_PKEY_free(key);
	free(path);
}

static void
test_permissions(void **state)
{
	static const struct {
		mode_t mode;
		bool good;
	} cases[] = {
		{ 0600, true },
		{ 0640, true },
		{ 0400, true },
		{ 0440, true },
		{ 0644, false },
		{ 0660, false },
		{ 0602, false },
		{ 0604, false },
		{ 0777, false },
	};
	char *path = file_join(folder, "mode.key");
	struct error err = { 0 };
	EVP_PKEY *key = test_key(1024);

	(void)state;
	assert_int_equal(key_write(path, key, &err), 0);
	EVP_PKEY_free(key);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		EVP_PKEY *loaded;

		assert_int_equal(chmod(path, cases[i].mode), 0);
		loaded = key_load(path, &err);
		assert_int_equal(loaded != NULL, cases[i].good);
		if (!cases[i].good) {
			assert_int_equal(err.kind, ERROR_DENIED);
			assert_non_null(strstr(err.text, "mode 0"));
		}
		EVP_PKEY_free(loaded);
	}
	free(path);
}

/* An encrypted key in each of its file forms: refused, and nobody is asked. */
static void
test_encrypted(void **state)
{
	char *path = file_join(folder, "secret.key");
	struct error err = { 0 };
	EVP_PKEY *key = test_key(1024);
	char word[] = "secret";

	(void)state;
	for (int form = 0; form < 3; form++) {
		BIO *file = BIO_new_file(path, "wb");

		if (form == 0)
			assert_int_equal(PEM_write_bio_PKCS8PrivateKey(file,
					     key, EVP_aes_128_cbc(), word, 6,
					     NULL, NULL),
			    1);
		else if (form == 1)
			assert_int_equal(
			    PEM_write_bio_PrivateKey_traditional(file, key,
				EVP_aes_128_cbc(), NULL, 0, NULL, word),
			    1);
		else
			assert_int_equal(i2d_PKCS8PrivateKey_bio(file, key,
					     EVP_aes_128_cbc(), word, 6, NULL,
					     NULL),
			    1);
		BIO_free(file);
		assert_int_equal(chmod(path, 0600), 0);
		assert_null(key_load(path, &err));
		assert_int_equal(err.kind, ERROR_INPUT);
		assert_non_null(strstr(err.text, "encrypted"));
		assert_int_equal(remove(path), 0);
	}
	EVP_PKEY_free(key);
	free(path);
}

static void
test_forms(void **state)
{
	char *path = file_join(folder, "form.key");
	struct error err = { 0 };
	EVP_PKEY *key = test_key(1024), *loaded;

	(void)state;
	for (int form = 0; form < 3; form++) {
		BIO *file = BIO_new_file(path, "wb");
		X509 *cert;

		if (form == 0)
			assert_int_equal(
			    PEM_write_bio_PrivateKey_traditional(file, key,
				NULL, NULL, 0, NULL, NULL),
			    1);
		else if (form == 1)
			assert_int_equal(i2d_PKCS8PrivateKey_bio(file, key,
					     NULL, NULL, 0, NULL, NULL),
			    1);
		else {
			/* Behind its certificate, as combined files are. */
			cert = test_mint("host.example.net",
			    (struct mint_request) { .key = key });
			assert_int_equal(PEM_write_bio_X509(file, cert), 1);
			assert_int_equal(PEM_write_bio_PKCS8PrivateKey(file,
					     key, NULL, NULL, 0, NULL, NULL),
			    1);
			X509_free(cert);
		}
		BIO_free(file);
		assert_int_equal(chmod(path, 0600), 0);
		loaded = key_load(path, &err);
		assert_non_null(loaded);
		assert_int_equal(EVP_PKEY_eq(loaded, key), 1);
		EVP_PKEY_free(loaded);
	}
	EVP_PKEY_free(key);
	free(path);
}

static void
test_refused(void **state)
{
	char *path = file_join(folder, "bad.key");
	char *big = xcalloc(1, 65 * 1024);
	struct error err = { 0 };

	(void)state;
	assert_null(key_load(path, &err));
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_null(key_load(folder, &err));
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_non_null(strstr(err.text, "not a file"));

	test_write(path, "no key at all\n", 14);
	assert_int_equal(chmod(path, 0600), 0);
	assert_null(key_load(path, &err));
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_non_null(strstr(err.text, "no private key"));

	test_write(path, "", 0);
	assert_null(key_load(path, &err));
	assert_int_equal(err.kind, ERROR_INPUT);

	test_write(path, big, 65 * 1024);
	assert_null(key_load(path, &err));
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_non_null(strstr(err.text, "too long"));
	free(big);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_generate),
		cmocka_unit_test(test_write_and_load),
		cmocka_unit_test(test_permissions),
		cmocka_unit_test(test_encrypted),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
