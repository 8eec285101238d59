#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include <openssl/pem.h>

#include "../../lib/certs.h"
#include "base/file.h"
#include "base/text.h"

static EVP_PKEY *key, *other_key;
static char *folder;

static int
setup(void **state)
{
	(void)state;
	key = test_key(1024);
	other_key = test_key(1024);
	folder = test_folder();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	test_remove_folder(folder);
	return 0;
}

static void
test_parse(void **state)
{
	X509 *cert = test_mint("x", (struct mint_request) { .key = key });
	X509 *again;
	struct error err = { 0 };
	uint8_t *der, *longer;
	size_t len;

	(void)state;
	assert_int_equal(cert_encode(cert, &der, &len, &err), 0);
	again = cert_parse(der, len, &err);
	assert_non_null(again);
	assert_int_equal(X509_cmp(cert, again), 0);
	X509_free(again);

	assert_null(cert_parse(der, len - 1, &err));
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_null(cert_parse(der, 0, &err));
	longer = xcalloc(1, CERT_DER_MAX + 1);
	memcpy(longer, der, len);
	assert_null(cert_parse(longer, len + 1, &err));
	assert_non_null(strstr(err.text, "1 bytes follow"));
	assert_null(cert_parse(longer, CERT_DER_MAX + 1, &err));
	assert_non_null(strstr(err.text, "at most"));
	free(longer);
	free(der);
	X509_free(cert);
}

static void
test_names(void **state)
{
	static const struct mint_name_part parts[] = {
		{ CERT_COUNTRY, "US", 0 },
		{ CERT_STATE, "000E08AABBCC", 0 },
		{ CERT_LOCALITY, "CBT000000X1", 0 },
		{ CERT_ORGANIZATION, "Example, Inc.", 0 },
		{ CERT_UNIT, "first", 0 },
		{ CERT_UNIT, "a\0b", 3 },
		{ CERT_COMMON_NAME,
		    "SPA-525G2, MAC: 000E08AABBCC, Serial: CBT000000X1", 0 },
		{ CERT_SERIAL_NUMBER, "PID:CP-8841 SN:X1", 0 },
		{ CERT_EMAIL, "x@example.net", 0 },
	};
	X509 *cert = test_mint(NULL,
	    (struct mint_request) {
		.key = key, .subject = parts, .subject_count = 9 });
	struct cert_name name, issuer;
	const struct cert_name_part *part;
	char *text;

	(void)state;
	cert_subject(cert, &name);
	cert_issuer(cert, &issuer);
	assert_int_equal(name.count, 9);
	assert_int_equal(issuer.count, 9);
	assert_false(name.overflow);
	for (size_t i = 0; i < 9; i++) {
		assert_int_equal(name.part[i].type, parts[i].type);
		assert_false(name.part[i].truncated);
		assert_false(name.part[i].wide);
	}
	part = cert_name_find(&name, CERT_UNIT); /* the last one */
	assert_int_equal(part->len, 3);
	assert_memory_equal(part->value, "a\0b", 4);
	assert_null(cert_name_find(&name, CERT_OTHER));

	text = cert_subject_text(cert);
	assert_string_equal(text,
	    "emailAddress=x@example.net,"
	    "serialNumber=PID:CP-8841 SN:X1,"
	    "CN=SPA-525G2\\, MAC: 000E08AABBCC\\, Serial: CBT000000X1,"
	    "OU=a\\00b,OU=first,O=Example\\, Inc.,L=CBT000000X1,"
	    "ST=000E08AABBCC,C=US");
	free(text);
	text = cert_issuer_text(cert);
	assert_true(text_starts(text, "emailAddress="));
	free(text);
	X509_free(cert);
}

/* Names past our bounds are cut and say so. */
static void
test_long_names(void **state)
{
	struct mint_name_part parts[CERT_NAME_PARTS_MAX + 1];
	char value[CERT_VALUE_MAX + 2];
	struct cert_name name;
	X509 *cert;

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (size_t i = 0; i < CERT_NAME_PARTS_MAX + 1; i++)
		parts[i] = (struct mint_name_part) { CERT_UNIT, value,
			CERT_VALUE_MAX };
	parts[0].len = CERT_VALUE_MAX + 1;
	cert = test_mint(NULL,
	    (struct mint_request) { .key = key,
		.subject = parts,
		.subject_count = CERT_NAME_PARTS_MAX + 1 });
	cert_subject(cert, &name);
	assert_true(name.overflow);
	assert_int_equal(name.count, CERT_NAME_PARTS_MAX);
	assert_true(name.part[0].truncated);
	assert_int_equal(name.part[0].len, CERT_VALUE_MAX);
	assert_false(name.part[1].truncated);
	assert_int_equal(name.part[1].value[CERT_VALUE_MAX], '\0');
	X509_free(cert);
}

static void
test_wide_and_other(void **state)
{
	static const unsigned char bmp[] = { 0, 'a', 0, 'b' };
	X509_NAME *subject = X509_NAME_new();
	struct cert_name name;
	X509 *cert = X509_new();
	char host[CERT_VALUE_MAX + 1];

	(void)state;
	assert_int_equal(X509_NAME_add_entry_by_txt(subject, "GN", MBSTRING_ASC,
			     (const unsigned char *)"given", -1, -1, 0),
	    1);
	assert_int_equal(X509_NAME_add_entry_by_NID(subject, NID_commonName,
			     V_ASN1_BMPSTRING, bmp, 4, -1, 0),
	    1);
	assert_int_equal(X509_set_subject_name(cert, subject), 1);
	cert_subject(cert, &name);
	assert_int_equal(name.count, 2);
	assert_int_equal(name.part[0].type, CERT_OTHER);
	assert_false(name.part[0].wide);
	assert_true(name.part[1].wide);
	assert_false(cert_common_host(cert, host));
	/* An empty certificate: no key, no dates, no algorithm. */
	assert_int_equal(cert_key_bits(cert), 0);
	assert_false(cert_is_rsa(cert));
	assert_false(cert_matches_key(cert, key));
	assert_string_equal(cert_signature_digest(cert), "unknown");
	assert_int_equal(cert_not_after(cert), 0);
	X509_NAME_free(subject);
	X509_free(cert);
}

static void
test_facts(void **state)
{
	X509 *a = test_mint("a", (struct mint_request) { .key = key });
	X509 *b = test_mint("b", (struct mint_request) { .key = key });
	X509 *c = test_mint("a", (struct mint_request) { .key = other_key });
	EVP_PKEY *ec = EVP_EC_gen("P-256");
	X509 *d = test_mint("d", (struct mint_request) { .key = ec });
	uint8_t x[CERT_DIGEST_BYTES], y[CERT_DIGEST_BYTES];

	(void)state;
	cert_sha256(a, x);
	cert_sha256(b, y);
	assert_memory_not_equal(x, y, sizeof(x));
	cert_key_sha256(a, x);
	cert_key_sha256(b, y);
	assert_memory_equal(x, y, sizeof(x));
	cert_key_sha256(c, y);
	assert_memory_not_equal(x, y, sizeof(x));
	assert_true(cert_matches_key(a, key));
	assert_false(cert_matches_key(a, other_key));
	assert_false(cert_matches_key(a, ec));
	assert_true(cert_is_rsa(a));
	assert_false(cert_is_rsa(d));
	assert_int_equal(cert_key_bits(d), 256);
	X509_free(a);
	X509_free(b);
	X509_free(c);
	X509_free(d);
	EVP_PKEY_free(ec);
}

static void
test_files(void **state)
{
	char *path = file_join(folder, "certs.pem");
	char *data, *text;
	X509 *made[2], **certs;
	struct error err = { 0 };
	size_t count, len;
	uint8_t *der;

	(void)state;
	made[0] = test_mint("a", (struct mint_request) { .key = key });
	made[1] = test_mint("b", (struct mint_request) { .key = key });
	assert_int_equal(cert_write_file(path, made, 2, &err), 0);
	assert_int_equal(cert_read_file(path, &certs, &count, &err), 0);
	assert_int_equal(count, 2);
	assert_int_equal(X509_cmp(certs[0], made[0]), 0);
	assert_int_equal(X509_cmp(certs[1], made[1]), 0);
	cert_free_all(certs, count);

	/* Text and other blocks around them. */
	assert_int_equal(file_read(path, 65536, &data, &len, &err), 0);
	text = xasprintf("hello\n-----BEGIN X509 CRL-----\nAAAA\n"
			 "-----END X509 CRL-----\n%sbye\n",
	    data);
	test_write(path, text, strlen(text));
	assert_int_equal(cert_read_file(path, &certs, &count, &err), 0);
	assert_int_equal(count, 2);
	cert_free_all(certs, count);
	free(text);

	/* A broken second block, on the line where it begins. */
	text = xasprintf("%s\n-----BEGIN CERTIFICATE-----\n!!!!\n"
			 "-----END CERTIFICATE-----\n",
	    "one\ntwo\nthree");
	test_write(path, text, strlen(text));
	assert_int_equal(cert_read_file(path, &certs, &count, &err), -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_non_null(strstr(err.text, "certs.pem:4: "));
	free(text);
	text = xasprintf("%s-----BEGIN CERTIFICATE-----\nAAAA\n"
			 "-----END CERTIFICATE-----\n",
	    data);
	test_write(path, text, strlen(text));
	assert_int_equal(cert_read_file(path, &certs, &count, &err), -1);
	assert_non_null(strstr(err.text, "not a certificate"));
	free(text);
	/* Cut off in the middle. */
	test_write(path, data, len - 40);
	assert_int_equal(cert_read_file(path, &certs, &count, &err), -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	free(data);

	text = xstrdup("-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n"
		       "-----END TRUSTED CERTIFICATE-----\n");
	test_write(path, text, strlen(text));
	assert_int_equal(cert_read_file(path, &certs, &count, &err), -1);
	assert_non_null(strstr(err.text, "TRUSTED"));
	free(text);

	test_write(path, "nothing\n", 8);
	assert_int_equal(cert_read_file(path, &certs, &count, &err), -1);
	assert_non_null(strstr(err.text, "holds no certificate"));
	assert_int_equal(remove(path), 0);
	assert_int_equal(cert_read_file(path, &certs, &count, &err), -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);

	/* DER, alone; anything after it is refused. */
	assert_int_equal(cert_encode(made[0], &der, &len, &err), 0);
	test_write(path, der, len);
	assert_int_equal(cert_read_file(path, &certs, &count, &err), 0);
	assert_int_equal(count, 1);
	cert_free_all(certs, count);
	test_write(path, der, len - 1);
	assert_int_equal(cert_read_file(path, &certs, &count, &err), -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	free(der);
	X509_free(made[0]);
	X509_free(made[1]);
	free(path);
}

static void
test_too_many(void **state)
{
	char *path = file_join(folder, "many.pem");
	X509 *made[CERT_FILE_CERTS_MAX + 1], **certs;
	struct error err = { 0 };
	size_t count;

	(void)state;
	for (size_t i = 0; i < CERT_FILE_CERTS_MAX + 1; i++)
		made[i] = i == 0 ?
		    test_mint("a", (struct mint_request) { .key = key }) :
		    made[0];
	assert_int_equal(cert_write_file(path, made, CERT_FILE_CERTS_MAX, &err),
	    0);
	assert_int_equal(cert_read_file(path, &certs, &count, &err), 0);
	assert_int_equal(count, CERT_FILE_CERTS_MAX);
	cert_free_all(certs, count);
	assert_int_equal(cert_write_file(path, made, CERT_FILE_CERTS_MAX + 1,
			     &err),
	    0);
	assert_int_equal(cert_read_file(path, &certs, &count, &err), -1);
	assert_non_null(strstr(err.text, "more than 64"));
	X509_free(made[0]);
	free(path);
}

static const struct {
	const char *common_name, *san;
	const char *host;
	bool by_either, by_san;
} hosts[] = {
	{ "p.example.net", NULL, "p.example.net", true, false },
	{ "p.example.net", NULL, "P.Example.NET", true, false },
	{ "p.example.net", NULL, "q.example.net", false, false },
	{ "p.example.net/info@example.net", NULL, "p.example.net", true,
	    false },
	{ "p.example.net/info@example.net", NULL, "info@example.net", false,
	    false },
	{ "/p.example.net", NULL, "p.example.net", false, false },
	{ "p.example.net", "DNS:s.example.net", "s.example.net", true, true },
	{ "p.example.net", "DNS:s.example.net", "p.example.net", false,
	    false }, /* RFC 6125 6.4.4: a SAN is there, the CN is not read */
	{ "p.example.net/x", "DNS:s.example.net", "p.example.net", false,
	    false },
	{ "x", "IP:192.0.2.1", "192.0.2.1", true, true },
	{ "x", "IP:192.0.2.1", "192.0.2.2", false, false },
	{ "x", "DNS:*.example.net", "a.example.net", true, true },
	{ "x", "DNS:*.example.net", "a.b.example.net", false, false },
};

static void
test_hosts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
		X509 *cert = test_mint(hosts[i].common_name,
		    (struct mint_request) {
			.key = key, .subject_alt_name = hosts[i].san });

		assert_int_equal(cert_matches_host(cert, hosts[i].host, false),
		    hosts[i].by_either);
		assert_int_equal(cert_matches_host(cert, hosts[i].host, true),
		    hosts[i].by_san);
		X509_free(cert);
	}
}

static void
test_common_host(void **state)
{
	static const struct {
		struct mint_name_part part;
		const char *host; /* NULL: none */
	} cases[] = {
		{ { CERT_COMMON_NAME, "p.example.net", 0 }, "p.example.net" },
		{ { CERT_COMMON_NAME, "p.example.net/a/b", 0 },
		    "p.example.net" },
		{ { CERT_COMMON_NAME, "p.example.net\0.example.com", 26 },
		    NULL },
		{ { CERT_COMMON_NAME, "/", 0 }, NULL },
		{ { CERT_UNIT, "p.example.net", 0 }, NULL },
	};
	char host[CERT_VALUE_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		X509 *cert = test_mint(NULL,
		    (struct mint_request) { .key = key,
			.subject = &cases[i].part,
			.subject_count = 1 });

		assert_int_equal(cert_common_host(cert, host),
		    cases[i].host != NULL);
		assert_string_equal(host,
		    cases[i].host != NULL ? cases[i].host : "");
		X509_free(cert);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_wide_and_other),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_common_host),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
