#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "../../lib/certs.h"
#include "pki/request.h"

#define LABEL_63 \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static EVP_PKEY *key;

static int
setup(void **state)
{
	(void)state;
	key = test_key(1024);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	return 0;
}

static const struct {
	const char *host;
	const char *refused; /* a part of the message; NULL: accepted */
} hosts[] = {
	{ "prov.example.net", NULL },
	{ "PROV.Example.NET", NULL },
	{ "a.b", NULL },
	{ "1.example.net", NULL },
	{ "xn--bcher-kva.example.net", NULL },
	{ "", "is empty" },
	{ "*.example.net", "is a wildcard" },
	{ "prov.*", "is a wildcard" },
	{ "192.0.2.1", "is an IP address" },
	{ "2001:db8::1", "is an IP address" },
	{ "[2001:db8::1]", "is an IP address" },
	{ "192.0.2.300", "ends like an IP address" },
	{ "192.0.2.1.5", "ends like an IP address" },
	{ "https://prov.example.net", "without \"https://\"" },
	{ "prov.example.net:443", "without a port" },
	{ "prov.example.net/info", "is the suffix" },
	{ "prov", "no fully qualified name" },
	{ "localhost", "no fully qualified name" },
	{ "prov.example.net.", "a dot at its beginning" },
	{ ".example.net", "a dot at its beginning" },
	{ "prov..example.net", "a dot at its beginning" },
	{ ".", "a dot at its beginning" },
	{ "-prov.example.net", "begins or ends with \"-\"" },
	{ "prov-.example.net", "begins or ends with \"-\"" },
	{ "prov_1.example.net", "holds \"_\"" },
	{ "prov 1.example.net", "holds \" \"" },
	{ "prov\n.example.net", "holds \"\\x0a\"" },
	{ "b\xc3\xbc"
	  "cher.example.net",
	    "other than ASCII" },
	{ LABEL_63 "a.example.net", "a common name has at most 64" },
	{ LABEL_63 "a", "64 characters between two dots" },
	{ LABEL_63 ".", "a dot at its beginning" },
};

static void
test_hosts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
		struct error err = { 0 };
		int rc = csr_check_host(hosts[i].host, &err);

		if (hosts[i].refused == NULL) {
			assert_int_equal(rc, 0);
			continue;
		}
		assert_int_equal(rc, -1);
		assert_int_equal(err.kind, ERROR_INPUT);
		if (strstr(err.text, hosts[i].refused) == NULL)
			fail_msg("%s: %s", hosts[i].host, err.text);
	}
}

static const struct {
	struct csr csr;
	const char *refused;
} fields[] = {
	{ { .host = "prov.example.net", .email = "info@example.net" }, NULL },
	{ { .host = "prov.example.net",
	      .email = "a.b+c@x.example.net",
	      .suffix = "mailto:admin@example.net",
	      .organization = "Example",
	      .unit = "Phones",
	      .country = "DE",
	      .state = "Berlin",
	      .locality = "Berlin",
	      .san = true },
	    NULL },
	{ { .host = "prov.example.net",
	      .email = "info@example.net",
	      .organization = "B\xc3\xbc"
			      "cher \xe2\x82\xac" },
	    NULL },
	{ { .host = "prov.example.net",
	      .suffix = "",
	      .email = "info@example.net" },
	    NULL },
	/* 64 characters, the suffix included, and one more. */
	{ { .host = "prov.example.net",
	      .email = "info@example.net",
	      .suffix = "12345678901234567890123456789012345678901234567" },
	    NULL },
	{ { .host = "prov.example.net",
	      .email = "info@example.net",
	      .suffix = "123456789012345678901234567890123456789012345678" },
	    "has 65 characters: a common name has at most 64, the suffix" },
	{ { .host = "prov.example.net" }, "an e-mail address is missing" },
	{ { .host = "prov.example.net", .email = "" },
	    "an e-mail address is missing" },
	{ { .host = "prov.example.net", .email = "info" }, "no e-mail" },
	{ { .host = "prov.example.net", .email = "@example.net" },
	    "no e-mail" },
	{ { .host = "prov.example.net", .email = "info@" }, "no e-mail" },
	{ { .host = "prov.example.net", .email = "info@localhost" },
	    "no e-mail" },
	{ { .host = "prov.example.net", .email = "a@b@example.net" },
	    "no e-mail" },
	{ { .host = "prov.example.net", .email = "a b@example.net" },
	    "no e-mail" },
	{ { .host = "prov.example.net", .email = "\xc3\xbc@example.net" },
	    "no e-mail" },
	{ { .host = "prov.example.net",
	      .email = "info@example.net",
	      .suffix = "a b" },
	    "the suffix" },
	{ { .host = "prov.example.net",
	      .email = "info@example.net",
	      .suffix = "\xc3\xbc" },
	    "other than ASCII" },
	{ { .host = "prov.example.net",
	      .email = "info@example.net",
	      .country = "Germany" },
	    "two capital letters" },
	{ { .host = "prov.example.net",
	      .email = "info@example.net",
	      .country = "de" },
	    "two capital letters" },
	{ { .host = "prov.example.net",
	      .email = "info@example.net",
	      .country = "D" },
	    "two capital letters" },
	{ { .host = "prov.example.net",
	      .email = "info@example.net",
	      .country = "" },
	    "two capital letters" },
	{ { .host = "prov.example.net",
	      .email = "info@example.net",
	      .organization = "" },
	    "the organization is empty" },
	{ { .host = "prov.example.net",
	      .email = "info@example.net",
	      .unit = LABEL_63 "ab" },
	    "the unit has 65 characters" },
	{ { .host = "prov.example.net",
	      .email = "info@example.net",
	      .locality = "a\nb" },
	    "the locality \"a\\x0ab\" is no UTF-8" },
	{ { .host = "prov.example.net",
	      .email = "info@example.net",
	      .state = "\xff" },
	    "the state \"\\xff\" is no UTF-8" },
	{ { .host = "*.example.net", .email = "info@example.net" },
	    "is a wildcard" },
};

/* What is refused gives no request either. */
static void
test_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		struct error err = { 0 };
		char *pem = NULL;
		int rc = csr_make(&fields[i].csr, key, &pem, &err);

		assert_int_equal(csr_check(&fields[i].csr, &err), rc);
		if (fields[i].refused == NULL) {
			assert_int_equal(rc, 0);
			assert_non_null(pem);
		} else {
			assert_int_equal(rc, -1);
			assert_null(pem);
			if (strstr(err.text, fields[i].refused) == NULL)
				fail_msg("%zu: %s", i, err.text);
		}
		free(pem);
	}
}

static void
test_long_email(void **state)
{
	struct csr csr = { .host = "prov.example.net" };
	struct error err;
	char *email = xmalloc(300);

	(void)state;
	memset(email, 'a', 299);
	memcpy(email + 299 - strlen("@example.net"), "@example.net",
	    strlen("@example.net"));
	email[299] = '\0';
	csr.email = email;
	assert_int_equal(csr_check(&csr, &err), -1);
	assert_non_null(strstr(err.text, "299 characters, at most 255"));
	free(email);
}

static X509_REQ *
read_request(const char *pem)
{
	BIO *mem = BIO_new_mem_buf(pem, -1);
	X509_REQ *request = PEM_read_bio_X509_REQ(mem, NULL, NULL, NULL);

	BIO_free(mem);
	assert_non_null(request);
	return request;
}

static X509_REQ *
make(const struct csr *csr)
{
	struct error err;
	char *pem;
	X509_REQ *request;

	if (csr_make(csr, key, &pem, &err) != 0)
		fail_msg("%s", err.text);
	request = read_request(pem);
	free(pem);
	return request;
}

/* Every attribute in its place, with the type of string it must have. */
static void
test_subject(void **state)
{
	static const struct csr csr = { .host = "PROV.example.net",
		.suffix = "info@example.net",
		.email = "info@example.net",
		.organization = "Example, Ltd.",
		.unit = "R&D",
		.country = "US",
		.state = "California",
		.locality = "Z\xc3\xbcrich" };
	static const struct {
		int nid, type;
		const char *value;
	} wanted[] = {
		{ NID_countryName, V_ASN1_PRINTABLESTRING, "US" },
		{ NID_stateOrProvinceName, V_ASN1_PRINTABLESTRING,
		    "California" },
		{ NID_localityName, V_ASN1_UTF8STRING, "Z\xc3\xbcrich" },
		{ NID_organizationName, V_ASN1_PRINTABLESTRING,
		    "Example, Ltd." },
		{ NID_organizationalUnitName, V_ASN1_UTF8STRING, "R&D" },
		{ NID_commonName, V_ASN1_UTF8STRING,
		    "prov.example.net/info@example.net" },
		{ NID_pkcs9_emailAddress, V_ASN1_IA5STRING,
		    "info@example.net" },
	};
	X509_REQ *request = make(&csr);
	X509_NAME *name = X509_REQ_get_subject_name(request);

	(void)state;
	assert_int_equal(X509_NAME_entry_count(name), 7);
	for (int i = 0; i < 7; i++) {
		X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
		ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);

		assert_int_equal(OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)),
		    wanted[i].nid);
		assert_int_equal(ASN1_STRING_type(value), wanted[i].type);
		assert_int_equal(ASN1_STRING_length(value),
		    strlen(wanted[i].value));
		assert_memory_equal(ASN1_STRING_get0_data(value),
		    wanted[i].value, strlen(wanted[i].value));
	}
	/* No extension and no challenge password. */
	assert_int_equal(X509_REQ_get_attr_count(request), 0);
	assert_int_equal(X509_REQ_verify(request, key), 1);
	assert_int_equal(X509_REQ_get_signature_nid(request),
	    NID_sha256WithRSAEncryption);
	assert_int_equal(X509_REQ_get_version(request), X509_REQ_VERSION_1);
	X509_REQ_free(request);
}

/* A suffix that PrintableString can hold does not change the type. */
static void
test_common_name_type(void **state)
{
	static const struct {
		const char *suffix;
		int type;
	} table[] = {
		{ NULL, V_ASN1_PRINTABLESTRING },
		{ "telco", V_ASN1_PRINTABLESTRING },
		{ "info@example.net", V_ASN1_UTF8STRING },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		X509_REQ *request = make(&(struct csr) {
		    .host = "prov.example.net",
		    .suffix = table[i].suffix,
		    .email = "info@example.net" });
		X509_NAME *name = X509_REQ_get_subject_name(request);
		int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);

		assert_int_equal(X509_NAME_entry_count(name), 2);
		assert_int_equal(ASN1_STRING_type(X509_NAME_ENTRY_get_data(
				     X509_NAME_get_entry(name, at))),
		    table[i].type);
		X509_REQ_free(request);
	}
}

static void
test_san(void **state)
{
	X509_REQ *request = make(&(struct csr) { .host = "Prov.example.net",
	    .email = "info@example.net",
	    .san = true });
	STACK_OF(X509_EXTENSION) *list = X509_REQ_get_extensions(request);
	GENERAL_NAMES *names = X509V3_get_d2i(list, NID_subject_alt_name, NULL,
	    NULL);
	const ASN1_IA5STRING *dns;

	(void)state;
	assert_int_equal(sk_X509_EXTENSION_num(list), 1);
	assert_int_equal(sk_GENERAL_NAME_num(names), 1);
	dns = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, 0), NULL);
	assert_memory_equal(ASN1_STRING_get0_data(dns), "prov.example.net",
	    strlen("prov.example.net"));
	GENERAL_NAMES_free(names);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	X509_REQ_free(request);
}

static void
test_keys(void **state)
{
	EVP_PKEY *ec = EVP_EC_gen("P-256"), *small = EVP_RSA_gen(768);
	EVP_PKEY *large = EVP_RSA_gen(4104);
	const struct csr csr = { .host = "prov.example.net",
		.email = "info@example.net" };
	char *pem = NULL;
	struct error err;

	(void)state;
	assert_int_equal(csr_check_key(key, &err), 0);
	assert_int_equal(csr_key_bits(key), 1024);
	assert_int_equal(csr_make(&csr, ec, &pem, &err), -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_string_equal(err.text,
	    "the key is of type EC: devices and "
	    "the signing know RSA only");
	assert_int_equal(csr_make(&csr, small, &pem, &err), -1);
	assert_string_equal(err.text,
	    "an RSA key of 768 bits: wanted 1024 to 4096");
	assert_int_equal(csr_make(&csr, large, &pem, &err), -1);
	assert_string_equal(err.text,
	    "an RSA key of 4104 bits: wanted 1024 to 4096");
	assert_null(pem);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(small);
	EVP_PKEY_free(large);
}

/* Property: whatever the bytes, what csr_check_host takes is a plain FQDN. */
static void
test_host_property(void **state)
{
	static const char alphabet[] = "ab1.-_*/: \xc3[";
	uint32_t random = 1;

	(void)state;
	for (int n = 0; n < 200000; n++) {
		char host[12];
		struct error err;
		size_t len;

		random = random * 1664525 + 1013904223;
		len = (random >> 16) % sizeof(host);
		for (size_t i = 0; i < len; i++) {
			random = random * 1664525 + 1013904223;
			host[i] =
			    alphabet[(random >> 16) % (sizeof(alphabet) - 1)];
		}
		host[len] = '\0';
		if (csr_check_host(host, &err) != 0)
			continue;
		assert_int_equal(strspn(host, "ab1.-"), len);
		assert_non_null(strchr(host, '.'));
		assert_null(strstr(host, ".."));
		assert_null(strstr(host, ".-"));
		assert_null(strstr(host, "-."));
		assert_true(host[0] != '.' && host[0] != '-');
		assert_true(host[len - 1] != '.' && host[len - 1] != '-');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_long_email),
		cmocka_unit_test(test_subject),
		cmocka_unit_test(test_common_name_type),
		cmocka_unit_test(test_san),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_host_property),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
