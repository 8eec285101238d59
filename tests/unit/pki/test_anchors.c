#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include <openssl/x509_vfy.h>

#include "../../lib/certs.h"
#include "base/file.h"
#include "pki/anchors.h"

#define SERIAL "8B00000000000000000000000000000F"

static EVP_PKEY *key;
static X509 *first, *second, *old;
static char *folder;

static int
setup(void **state)
{
	(void)state;
	folder = test_folder();
	key = test_key(1024);
	first = test_mint("Client Root 1",
	    (struct mint_request) {
		.key = key, .ca = true, .serial_hex = SERIAL });
	second = test_mint("Client Root 2",
	    (struct mint_request) {
		.key = key, .ca = true, .serial_hex = SERIAL });
	old = test_mint("Old Client Root",
	    (struct mint_request) { .key = key,
		.version_1 = true,
		.digest = "md5",
		.not_before = 1000,
		.not_after = 2000 });
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	X509_free(first);
	X509_free(second);
	X509_free(old);
	EVP_PKEY_free(key);
	test_remove_folder(folder);
	return 0;
}

static void
test_file(void **state)
{
	char *path = file_join(folder, "all.pem");
	X509 *certs[] = { first, second, old, first };
	struct anchors *anchors = anchors_new();
	struct error err = { 0 };
	X509 *copy;

	(void)state;
	assert_int_equal(cert_write_file(path, certs, 4, &err), 0);
	assert_int_equal(anchors_add_file(anchors, path, &err), 0);
	assert_int_equal(anchors_count(anchors), 3); /* one serial number */
	assert_int_equal(anchors_add_file(anchors, path, &err), 0);
	assert_int_equal(anchors_count(anchors), 3);
	copy = X509_dup(second);
	anchors_add(anchors, copy);
	X509_free(copy);
	assert_int_equal(anchors_count(anchors), 3);
	assert_int_equal(X509_cmp(anchors_get(anchors, 1), second), 0);
	assert_int_equal(anchors_add_file(anchors, "/nonexistent", &err), -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	anchors_free(anchors);
	anchors_free(NULL);
	assert_int_equal(remove(path), 0);
	free(path);
}

static void
test_expired(void **state)
{
	struct anchors *anchors = anchors_new();
	struct error err = { 0 };

	(void)state;
	anchors_add(anchors, first);
	anchors_add(anchors, second);
	anchors_add(anchors, old);
	assert_false(anchors_is_allowed_expired(anchors, old));
	assert_int_equal(anchors_allow_expired(anchors, "Old Client Rot", &err),
	    -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_non_null(strstr(err.text, "mean \"Old Client Root\""));
	assert_int_equal(anchors_allow_expired(anchors, "zzzzzzzzzzzzzzzzzzz",
			     &err),
	    -1);
	assert_non_null(strstr(err.text, "CN of one of the 3 anchors"));
	assert_false(anchors_is_allowed_expired(anchors, old));
	assert_int_equal(anchors_allow_expired(anchors, "Old Client Root",
			     &err),
	    0);
	assert_true(anchors_is_allowed_expired(anchors, old));
	assert_false(anchors_is_allowed_expired(anchors, first));
	anchors_free(anchors);
}

static void
test_directory(void **state)
{
	char *path = file_join(folder, "dir"), *file;
	struct anchors *anchors = anchors_new();
	struct error err = { 0 };
	uint8_t *der;
	size_t len;

	(void)state;
	assert_int_equal(anchors_add_directory(anchors, path, &err), -1);
	assert_int_equal(err.kind, ERROR_SYSTEM);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(anchors_add_directory(anchors, path, &err), -1);
	assert_non_null(strstr(err.text, "holds no certificate"));

	file = file_join(path, "b.pem");
	assert_int_equal(cert_write_file(file, &first, 1, &err), 0);
	free(file);
	file = file_join(path, "a.CRT");
	assert_int_equal(cert_write_file(file, &old, 1, &err), 0);
	free(file);
	file = file_join(path, "c.cer");
	assert_int_equal(cert_encode(second, &der, &len, &err), 0);
	test_write(file, der, len);
	free(der);
	free(file);
	file = file_join(path, "README");
	test_write(file, "not one", 7);
	free(file);
	assert_int_equal(anchors_add_directory(anchors, path, &err), 0);
	assert_int_equal(anchors_count(anchors), 3);
	assert_int_equal(X509_cmp(anchors_get(anchors, 0), old), 0);
	assert_int_equal(X509_cmp(anchors_get(anchors, 1), first), 0);
	assert_int_equal(X509_cmp(anchors_get(anchors, 2), second), 0);

	file = file_join(path, "d.pem");
	test_write(file, "broken", 6);
	assert_int_equal(anchors_add_directory(anchors, path, &err), -1);
	assert_non_null(strstr(err.text, "d.pem"));
	free(file);
	anchors_free(anchors);
	free(path);
}

static void
test_limit(void **state)
{
	char *path = file_join(folder, "many.pem");
	X509 *certs[CERT_FILE_CERTS_MAX];
	struct anchors *anchors = anchors_new();
	struct error err = { 0 };
	int rc = 0, files;

	(void)state;
	for (files = 0; rc == 0; files++) {
		for (size_t i = 0; i < CERT_FILE_CERTS_MAX; i++)
			certs[i] = test_mint("x",
			    (struct mint_request) { .key = key });
		assert_int_equal(cert_write_file(path, certs,
				     CERT_FILE_CERTS_MAX, &err),
		    0);
		for (size_t i = 0; i < CERT_FILE_CERTS_MAX; i++)
			X509_free(certs[i]);
		rc = anchors_add_file(anchors, path, &err);
	}
	assert_int_equal(files, ANCHORS_MAX / CERT_FILE_CERTS_MAX + 1);
	assert_int_equal(anchors_count(anchors), ANCHORS_MAX);
	assert_int_equal(err.kind, ERROR_INPUT);
	anchors_free(anchors);
	free(path);
}

/* A v1 root and two roots with one serial number each verify their own. */
static void
test_store(void **state)
{
	X509 *issuers[3];
	struct anchors *anchors = anchors_new();

	(void)state;
	issuers[0] = first;
	issuers[1] = second;
	issuers[2] = old;
	for (size_t i = 0; i < 3; i++)
		anchors_add(anchors, issuers[i]);
	for (size_t i = 0; i < 3; i++) {
		X509 *leaf = test_mint("leaf",
		    (struct mint_request) {
			.key = key, .issuer = issuers[i], .issuer_key = key });
		X509_STORE_CTX *ctx = X509_STORE_CTX_new();

		assert_int_equal(X509_STORE_CTX_init(ctx,
				     anchors_store(anchors), leaf, NULL),
		    1);
		X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(ctx),
		    0);
		assert_int_equal(X509_verify_cert(ctx), i < 2);
		assert_int_equal(X509_STORE_CTX_get_error(ctx),
		    i < 2 ? X509_V_OK : X509_V_ERR_CERT_HAS_EXPIRED);
		X509_STORE_CTX_free(ctx);
		X509_free(leaf);
	}
	anchors_free(anchors);
}

/* The vendor's own bundle, where the facts about it are at hand. */
static void
test_real_bundle(void **state)
{
	const char *reference = getenv("SPROV_REFERENCE");
	const char *source = getenv("SPROV_SOURCE");
	struct anchors *anchors = anchors_new();
	struct error err = { 0 };
	time_t latest = 0;
	char *folder_path, *path;

	(void)state;
	folder_path = reference != NULL ?
	    xstrdup(reference) :
	    xasprintf("%s/../shared/reference", source != NULL ? source : ".");
	path = xasprintf("%s/ca/client-bundle/combinedca.crt", folder_path);
	if (access(path, R_OK) != 0) {
		/* Not skip(): cmocka 1.1.5 writes that as "not ok" in TAP. */
		print_message("# no %s\n", path);
		free(path);
		free(folder_path);
		anchors_free(anchors);
		return;
	}
	assert_int_equal(anchors_add_file(anchors, path, &err), 0);
	assert_int_equal(anchors_count(anchors), 8);
	assert_int_equal(anchors_allow_expired(anchors,
			     "Cisco Linksys Client Root Authority 1", &err),
	    0);
	for (size_t i = 0; i < 8; i++) {
		X509 *cert = anchors_get(anchors, i);

		if (cert_not_after(cert) > latest)
			latest = cert_not_after(cert);
		assert_int_equal(anchors_is_allowed_expired(anchors, cert),
		    X509_get_version(cert) == X509_VERSION_1);
	}
	assert_true(latest > 2540000000); /* 2050 */
	free(path);
	path = xasprintf("%s/ca", folder_path);
	assert_int_equal(anchors_add_directory(anchors, path, &err), 0);
	assert_true(anchors_count(anchors) > 8);
	free(path);
	free(folder_path);
	anchors_free(anchors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_expired),
		cmocka_unit_test(test_directory),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_store),
		cmocka_unit_test(test_real_bundle),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
