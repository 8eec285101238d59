#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/obj_mac.h>
#include <openssl/x509v3.h>

#include "../../lib/certs.h"

static EVP_PKEY *key1024, *key2048;

static int
setup(void **state)
{
	(void)state;
	key1024 = test_key(1024);
	key2048 = test_key(2048);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(key1024);
	EVP_PKEY_free(key2048);
	return 0;
}

/* Every digest with every key, the signature checked with the issuer's key. */
static void
test_digests(void **state)
{
	static const char *const digests[] = { "md5", "sha1", "sha256" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (int big = 0; big < 2; big++) {
			EVP_PKEY *key = big ? key2048 : key1024;
			X509 *root, *leaf;

			root = test_mint("Root",
			    (struct mint_request) {
				.key = key, .ca = true, .digest = digests[i] });
			leaf = test_mint("leaf",
			    (struct mint_request) { .key = key1024,
				.issuer = root,
				.issuer_key = key,
				.digest = digests[i] });
			assert_int_equal(X509_verify(root, key), 1);
			assert_int_equal(X509_verify(leaf, key), 1);
			assert_int_equal(X509_verify(leaf,
					     big ? key1024 : key2048),
			    0);
			assert_string_equal(cert_signature_digest(leaf),
			    digests[i]);
			assert_int_equal(cert_key_bits(root),
			    big ? 2048 : 1024);
			X509_free(leaf);
			X509_free(root);
		}
	}
}

static void
test_extensions(void **state)
{
	X509 *root, *leaf, *old;
	const ASN1_OCTET_STRING *root_id, *leaf_ref;

	(void)state;
	root = test_mint("Root",
	    (struct mint_request) { .key = key1024,
		.ca = true,
		.path_length = 1,
		.extended_key_usage = "clientAuth",
		.serial_hex = "8B00000000000000000000000000000F" });
	leaf = test_mint("leaf",
	    (struct mint_request) { .key = key2048,
		.issuer = root,
		.issuer_key = key1024,
		.extended_key_usage = "serverAuth",
		.subject_alt_name = "DNS:host.example.net" });
	old = test_mint("Old",
	    (struct mint_request) { .key = key1024,
		.version_1 = true,
		.ca = true,
		.digest = "md5",
		.serial_hex = "00" });

	assert_int_equal(X509_get_version(root), X509_VERSION_3);
	assert_int_equal(X509_get_extension_flags(root) & EXFLAG_CA, EXFLAG_CA);
	assert_int_equal(X509_get_extension_flags(root) &
		(EXFLAG_BCONS_CRITICAL | EXFLAG_CRITICAL),
	    0);
	assert_int_equal(X509_get_pathlen(root), 1);
	assert_int_equal(X509_get_extended_key_usage(root), XKU_SSL_CLIENT);
	assert_int_equal(ASN1_STRING_length(X509_get0_serialNumber(root)), 16);
	assert_int_equal(X509_get_extension_flags(leaf) & EXFLAG_CA, 0);
	assert_int_equal(X509_get_extended_key_usage(leaf), XKU_SSL_SERVER);
	assert_int_equal(X509_check_host(leaf, "host.example.net", 0, 0, NULL),
	    1);
	root_id = X509_get0_subject_key_id(root);
	leaf_ref = X509_get0_authority_key_id(leaf);
	assert_non_null(root_id);
	assert_non_null(leaf_ref);
	assert_int_equal(ASN1_OCTET_STRING_cmp(root_id, leaf_ref), 0);

	assert_int_equal(X509_get_version(old), X509_VERSION_1);
	assert_int_equal(X509_get_ext_count(old), 0);
	assert_int_equal(ASN1_INTEGER_get(X509_get0_serialNumber(old)), 0);
	X509_free(old);
	X509_free(leaf);
	X509_free(root);
}

static void
test_dates(void **state)
{
	static const struct {
		time_t when;
		int type;
	} cases[] = {
		{ 0, V_ASN1_UTCTIME },
		{ 903052140, V_ASN1_UTCTIME },		/* 1998-08-14 */
		{ 2147483648, V_ASN1_UTCTIME },		/* 2038-01-19 */
		{ 2524607999, V_ASN1_UTCTIME },		/* end of 2049 */
		{ 2524608000, V_ASN1_GENERALIZEDTIME }, /* 2050 */
		{ 2540163450, V_ASN1_GENERALIZEDTIME },
		{ 253402300799, V_ASN1_GENERALIZEDTIME }, /* end of 9999 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		X509 *cert = test_mint("x",
		    (struct mint_request) {
			.key = key1024, .not_before = 1, .not_after = 2 });
		struct mint_name_part part = { CERT_COMMON_NAME, "x", 0 };
		struct error err;

		X509_free(cert);
		cert =
		    mint_certificate(&(struct mint_request) { .subject = &part,
					 .subject_count = 1,
					 .key = key1024,
					 .digest = "sha256",
					 .not_before = cases[i].when,
					 .not_after = cases[i].when },
			&err);
		assert_non_null(cert);
		assert_int_equal(X509_get0_notAfter(cert)->type, cases[i].type);
		assert_true(cert_not_before(cert) == cases[i].when);
		assert_true(cert_not_after(cert) == cases[i].when);
		X509_free(cert);
	}
}

static void
test_string_types(void **state)
{
	static const struct {
		enum cert_attribute type;
		const char *value;
		size_t len;
		int string_type;
	} cases[] = {
		{ CERT_COUNTRY, "US", 0, V_ASN1_PRINTABLESTRING },
		{ CERT_COMMON_NAME, "SPA-2000, MAC: 000e08aabbcc", 0,
		    V_ASN1_PRINTABLESTRING },
		{ CERT_COMMON_NAME, "a.example.net/b@example.net", 0,
		    V_ASN1_UTF8STRING },
		{ CERT_EMAIL, "b@example.net", 0, V_ASN1_IA5STRING },
		{ CERT_SERIAL_NUMBER, "PID:X SN:1", 0, V_ASN1_PRINTABLESTRING },
		{ CERT_STATE, "000e08aabbcc\0x", 14, V_ASN1_UTF8STRING },
		{ CERT_LOCALITY, "Gen\xc3\xa8ve", 0, V_ASN1_UTF8STRING },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mint_name_part part = { cases[i].type, cases[i].value,
			cases[i].len };
		X509 *cert = test_mint(NULL,
		    (struct mint_request) {
			.key = key1024, .subject = &part, .subject_count = 1 });
		const ASN1_STRING *value = X509_NAME_ENTRY_get_data(
		    X509_NAME_get_entry(X509_get_subject_name(cert), 0));
		size_t len = cases[i].len != 0 ? cases[i].len :
						 strlen(cases[i].value);

		assert_int_equal(ASN1_STRING_type(value), cases[i].string_type);
		assert_int_equal(ASN1_STRING_length(value), len);
		assert_memory_equal(ASN1_STRING_get0_data(value),
		    cases[i].value, len);
		X509_free(cert);
	}
}

static void
test_refused(void **state)
{
	struct mint_name_part part = { CERT_COMMON_NAME, "x", 0 };
	const struct mint_request good = { .subject = &part,
		.subject_count = 1,
		.key = key1024,
		.digest = "sha256" };
	struct mint_request request;
	struct error err = { 0 };
	X509 *cert;

	(void)state;
	cert = mint_certificate(&good, &err);
	assert_non_null(cert);
	X509_free(cert);

	request = good;
	request.digest = "sha0";
	assert_null(mint_certificate(&request, &err));
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_non_null(strstr(err.text, "sha0"));

	request = good;
	request.serial_hex = "12xy";
	assert_null(mint_certificate(&request, &err));

	request = good;
	request.extended_key_usage = "noSuchUsage";
	assert_null(mint_certificate(&request, &err));

	request = good;
	request.subject_alt_name = "nothing";
	assert_null(mint_certificate(&request, &err));

	request = good;
	part.type = CERT_OTHER;
	assert_null(mint_certificate(&request, &err));
	assert_int_equal(err.kind, ERROR_INPUT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digests),
		cmocka_unit_test(test_extensions),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_string_types),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
