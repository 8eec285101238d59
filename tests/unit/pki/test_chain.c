#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../../lib/certs.h"
#include "base/file.h"

static EVP_PKEY *key, *ca_key;
static X509 *root, *middle, *leaf, *fake_middle;
static char *folder, *cert_path, *key_path;

static int
setup(void **state)
{
	struct error err;

	(void)state;
	folder = test_folder();
	cert_path = file_join(folder, "c.pem");
	key_path = file_join(folder, "c.key");
	key = test_key(1024);
	ca_key = test_key(1024);
	root = test_mint("Root",
	    (struct mint_request) { .key = ca_key, .ca = true });
	middle = test_mint("Middle",
	    (struct mint_request) { .key = ca_key,
		.ca = true,
		.issuer = root,
		.issuer_key = ca_key });
	leaf = test_mint("leaf",
	    (struct mint_request) {
		.key = key, .issuer = middle, .issuer_key = ca_key });
	/* Middle's name over another key. */
	fake_middle = test_mint("Middle",
	    (struct mint_request) { .key = key, .ca = true });
	return key_write(key_path, key, &err);
}

static int
teardown(void **state)
{
	(void)state;
	X509_free(root);
	X509_free(middle);
	X509_free(leaf);
	X509_free(fake_middle);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
	free(cert_path);
	free(key_path);
	test_remove_folder(folder);
	return 0;
}

static struct chain *
load(X509 *a, X509 *b, X509 *c, struct error *err)
{
	X509 *certs[] = { a, b, c };
	size_t count = c != NULL ? 3 : b != NULL ? 2 : 1;

	assert_int_equal(cert_write_file(cert_path, certs, count, err), 0);
	return chain_load(cert_path, key_path, err);
}

static void
test_good(void **state)
{
	struct error err = { 0 };
	struct chain *chain;

	(void)state;
	chain = load(leaf, NULL, NULL, &err);
	assert_non_null(chain);
	assert_int_equal(chain_length(chain), 1);
	chain_free(chain);
	chain = load(leaf, middle, root, &err);
	assert_non_null(chain);
	assert_int_equal(chain_length(chain), 3);
	assert_int_equal(X509_cmp(chain_certificate(chain, 0), leaf), 0);
	assert_int_equal(X509_cmp(chain_certificate(chain, 2), root), 0);
	assert_int_equal(EVP_PKEY_eq(chain_key(chain), key), 1);
	chain_free(chain);
	chain_free(NULL);
}

static void
test_refused(void **state)
{
	X509 *stranger = test_mint("stranger",
	    (struct mint_request) { .key = ca_key });
	const struct {
		X509 *a, *b, *c;
		const char *says;
	} cases[] = {
		{ leaf, root, NULL,
		    "is not issued by certificate 2 (CN=Root)" },
		{ leaf, root, middle, "is not issued by" },
		{ middle, leaf, NULL,
		    "stands behind certificate 1 "
		    "(CN=Middle): put the leaf first" },
		{ root, middle, leaf, "put the leaf first" },
		{ leaf, fake_middle, NULL, "is not signed by" },
		{ leaf, middle, middle, "repeats" },
		{ leaf, leaf, NULL, "repeats" },
		{ fake_middle, NULL, NULL, "RFC 5280 4.2.1.9" },
		{ middle, root, NULL, "RFC 5280 4.2.1.9" },
		{ stranger, NULL, NULL, "c.key: the key does not belong to" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct error err = { 0 };

		assert_null(load(cases[i].a, cases[i].b, cases[i].c, &err));
		assert_int_equal(err.kind, ERROR_INPUT);
		if (strstr(err.text, cases[i].says) == NULL)
			fail_msg("case %zu: %s", i, err.text);
	}
	X509_free(stranger);
}

static void
test_files(void **state)
{
	struct error err = { 0 };
	struct chain *chain;

	(void)state;
	chain = load(leaf, NULL, NULL, &err);
	assert_non_null(chain);
	chain_free(chain);
	assert_null(chain_load("/nonexistent.crt", key_path, &err));
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_null(chain_load(cert_path, "/nonexistent.key", &err));
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_int_equal(chmod(key_path, 0644), 0);
	assert_null(chain_load(cert_path, key_path, &err));
	assert_int_equal(err.kind, ERROR_DENIED);
	assert_int_equal(chmod(key_path, 0600), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
