#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../lib/certs.h"

static X509 *
root(EVP_PKEY *key, const char *name)
{
	return test_mint(name,
	    (struct mint_request) { .key = key, .ca = true });
}

static void
test_issued_by(void **state)
{
	EVP_PKEY *key = test_key(2048), *other_key = test_key(2048);
	X509 *issuer = root(key, "Root"), *other = root(other_key, "Other");
	X509 *namesake = root(other_key, "Root");
	X509 *leaf = test_mint("leaf",
	    (struct mint_request) {
		.key = other_key, .issuer = issuer, .issuer_key = key });
	X509 *md5 = test_mint("leaf",
	    (struct mint_request) { .key = other_key,
		.issuer = issuer,
		.issuer_key = key,
		.digest = "md5" });

	(void)state;
	assert_true(cert_is_issued_by(leaf, issuer));
	assert_true(cert_is_issued_by(md5, issuer));
	assert_true(cert_is_issued_by(issuer, issuer));
	assert_false(cert_is_issued_by(leaf, other));	 /* name and key */
	assert_false(cert_is_issued_by(leaf, namesake)); /* the key */
	assert_false(cert_is_issued_by(issuer, leaf));
	cert_free(issuer);
	cert_free(other);
	cert_free(namesake);
	cert_free(leaf);
	cert_free(md5);
	key_free(key);
	key_free(other_key);
}

static void
test_serial(void **state)
{
	static const char *const serials[][2] = {
		{ "00", "00" },
		{ "01A5", "01A5" },
		/* The top bit is set: 17 bytes in DER, 16 here. */
		{ "8BCBC07A0768C1EB78E6C5C93C0C2FF0",
		    "8BCBC07A0768C1EB78E6C5C93C0C2FF0" },
		{ "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
		    "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF" },
	};
	EVP_PKEY *key = test_key(1024);

	(void)state;
	for (size_t i = 0; i < sizeof(serials) / sizeof(*serials); i++) {
		X509 *cert = test_mint("x",
		    (struct mint_request) {
			.key = key, .serial_hex = serials[i][0] });
		char hex[CERT_SERIAL_BYTES];

		cert_serial(cert, hex);
		assert_string_equal(hex, serials[i][1]);
		cert_free(cert);
	}
	key_free(key);
}

/* Longer than RFC 5280 allows, or negative: none. */
static void
test_bad_serial(void **state)
{
	EVP_PKEY *key = test_key(1024);
	X509 *cert = test_mint("x", (struct mint_request) { .key = key });
	ASN1_INTEGER *serial = X509_get_serialNumber(cert);
	char hex[CERT_SERIAL_BYTES];
	uint8_t bytes[21] = { 0x7f };

	(void)state;
	assert_int_equal(ASN1_STRING_set(serial, bytes, sizeof(bytes)), 1);
	cert_serial(cert, hex);
	assert_string_equal(hex, "");
	assert_int_equal(ASN1_INTEGER_set(serial, -5), 1);
	cert_serial(cert, hex);
	assert_string_equal(hex, "");
	cert_free(cert);
	key_free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_issued_by),
		cmocka_unit_test(test_serial),
		cmocka_unit_test(test_bad_serial),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
