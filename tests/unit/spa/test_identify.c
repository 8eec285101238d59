#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../lib/certs.h"
#include "spa/identify.h"
#include "spa/registry.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static EVP_PKEY *key;

static int
setup(void **state)
{
	(void)state;
	key = test_key(2048);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	return 0;
}

/* A CA of that name (NULL: organization only), and what it signed. */
static X509 *
mint_ca(const char *name, size_t len)
{
	struct mint_name_part part = { CERT_COMMON_NAME, name, len };

	if (name == NULL)
		part = (struct mint_name_part) { CERT_ORGANIZATION,
			"Cisco Small Business", 0 };
	return test_mint("ca",
	    (struct mint_request) {
		.subject = &part, .subject_count = 1, .key = key, .ca = true });
}

static X509 *
mint_leaf(X509 *ca)
{
	return test_mint("prov.example.net",
	    (struct mint_request) {
		.key = key, .issuer = ca, .issuer_key = key });
}

static void
check(const char *what, struct identified found, const char *id,
    enum identify_basis basis, bool lab)
{
	const char *got = found.ca != NULL ? found.ca->id : NULL;

	if ((id == NULL) != (got == NULL) ||
	    (id != NULL && strcmp(id, got) != 0))
		fail_msg("%s: %s, wanted %s", what, got, id);
	assert_int_equal(found.basis, basis);
	assert_int_equal(found.lab, lab);
}

static const struct {
	const char *name;
	size_t len;	/* 0: all of it */
	const char *id; /* NULL: not known */
	bool lab;
} names[] = {
	{ "Cisco Small Business Provisioning Root Authority 2", 0,
	    "ciscosb-prov-2", false },
	{ "Cisco Linksys Provisioning Root Authority 1", 0, "linksys-prov-1",
	    false },
	{ "Cybertrust SureServer Standard Validation CA", 0,
	    "cybertrust-sureserver-sv", false },
	/* Held as server anchor, too, by some */
	{ "Cisco Root CA 2048", 0, "cisco-root-2048", false },
	/* The lab's copies */
	{ "LAB Cisco Small Business Provisioning Root Authority 2", 0,
	    "ciscosb-prov-2", true },
	{ "LAB VeriSign Class 3 Public Primary Certification Authority - G5", 0,
	    "verisign-c3-pca-g5", true },
	/* ... of classes, which have no subject, by their short names */
	{ "LAB custom CA", 0, "custom-ca", true },
	{ "LAB public bundle", 0, "public-ca-bundle", true },
	{ "LAB VeriSign class 3", 0, "verisign-c3-any", true },
	{ "custom CA", 0, NULL, false },
	{ "public bundle", 0, NULL, false },
	/* The short name of one that has a common name is not its name. */
	{ "LAB Cisco SB 2", 0, NULL, true },
	/* Exactly, or not at all */
	{ "cisco small business provisioning root authority 2", 0, NULL,
	    false },
	{ "Cisco Small Business Provisioning Root Authority 3", 0, NULL,
	    false },
	{ "Cisco Small Business Provisioning Root Authority", 0, NULL, false },
	{ "Cisco Small Business Provisioning Root Authority 2 ", 0, NULL,
	    false },
	{ "LABCisco Small Business Provisioning Root Authority 2", 0, NULL,
	    false },
	{ "lab Cisco Small Business Provisioning Root Authority 2", 0, NULL,
	    false },
	{ "LAB LAB custom CA", 0, NULL, true },
	{ "LAB", 0, NULL, false },
	{ "LAB ", 0, NULL, true },
	{ "Some Root", 0, NULL, false },
	/* The id is ours, not a name; "-" is how the tables say "none". */
	{ "ciscosb-prov-2", 0, NULL, false },
	{ "-", 0, NULL, false },
	/* A NUL ends no name. */
	{ "Cisco Root CA 2048\0.example.net", 31, NULL, false },
	/* Those that sign devices stand above no server. */
	{ "Cisco Linksys Client Root Authority 1", 0, NULL, false },
	{ "LAB Cisco Linksys Client Root Authority 1", 0, NULL, true },
	{ "Cisco Manufacturing CA", 0, NULL, false },
};

static void
test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		X509 *ca = mint_ca(names[i].name, names[i].len);
		X509 *leaf = mint_leaf(ca);
		enum identify_basis basis = names[i].id != NULL ?
		    IDENTIFY_NAME :
		    IDENTIFY_NONE;

		/* With the issuer's certificate at hand, and without */
		check(names[i].name, identify_issuer(leaf, ca), names[i].id,
		    basis, names[i].lab);
		check(names[i].name, identify_issuer(leaf, NULL), names[i].id,
		    basis, names[i].lab);
		check(names[i].name, identify_ca(ca), names[i].id, basis,
		    names[i].lab);
		X509_free(leaf);
		X509_free(ca);
	}
}

static void
test_without_common_name(void **state)
{
	X509 *ca = mint_ca(NULL, 0), *leaf = mint_leaf(ca);

	(void)state;
	check("no CN", identify_issuer(leaf, NULL), NULL, IDENTIFY_NONE, false);
	check("no CN", identify_ca(ca), NULL, IDENTIFY_NONE, false);
	/* The name counts of the issuer, not of the leaf. */
	X509_free(leaf);
	leaf = test_mint("Cisco Root CA 2048",
	    (struct mint_request) {
		.key = key, .issuer = ca, .issuer_key = key });
	check("leaf", identify_issuer(leaf, NULL), NULL, IDENTIFY_NONE, false);
	X509_free(leaf);
	X509_free(ca);
}

/* Every name of the registry is found, and by that row or one of its name. */
static void
test_every_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < registry_ca_count; i++) {
		const struct ca *ca = &registry_cas[i];
		struct identified found;
		char *name;
		X509 *copy;

		if (!registry_is_server_ca(ca))
			continue;
		name = xasprintf(IDENTIFY_LAB_PREFIX "%s",
		    *ca->common_name != '\0' ? ca->common_name : ca->name);
		if (strlen(name) > 64) { /* more than RFC 5280 lets in */
			free(name);
			continue;
		}
		copy = mint_ca(name, 0);
		found = identify_ca(copy);
		check(name, found, ca->id, IDENTIFY_NAME, true);
		X509_free(copy);
		free(name);
	}
}

/* Two device roots share one serial number: it says nothing about identity. */
static void
test_serial_number(void **state)
{
	size_t tried = 0;

	(void)state;
	for (size_t i = 0; i < registry_ca_count; i++) {
		X509 *cert;

		if (*registry_cas[i].serial_hex == '\0')
			continue;
		cert = test_mint("Some Root",
		    (struct mint_request) { .key = key,
			.ca = true,
			.serial_hex = registry_cas[i].serial_hex });
		check(registry_cas[i].id, identify_ca(cert), NULL,
		    IDENTIFY_NONE, false);
		X509_free(cert);
		tried++;
	}
	assert_true(tried > 5);
}

static X509 *
read_reference(const char *name)
{
	const char *reference = getenv("SPROV_REFERENCE");
	const char *source = getenv("SPROV_SOURCE");
	char *path = reference != NULL ?
	    xasprintf("%s/ca/%s.pem", reference, name) :
	    xasprintf("%s/../shared/reference/ca/%s.pem",
		source != NULL ? source : ".", name);
	X509 **certs, *cert = NULL;
	struct error err;
	size_t count;

	if (cert_read_file(path, &certs, &count, &err) == 0) {
		cert = certs[0];
		assert_int_equal(X509_up_ref(cert), 1);
		cert_free_all(certs, count);
	}
	free(path);
	return cert;
}

static const struct {
	const char *file;
	const char *id; /* NULL: none that servers are signed by */
} originals[] = {
	{ "cisco-sb-provisioning-root-authority-1", "ciscosb-prov-1" },
	{ "linksys-provisioning-root-authority-1", "linksys-prov-1" },
	{ "linksys-voice-test-ca", "linksys-voice-test" },
	{ "sipura-provisioning-root-authority-1", "sipura-prov-1" },
	{ "gte-cybertrust-global-root", "gte-cybertrust-root" },
	{ "cybertrust-sureserver-standard-validation-ca",
	    "cybertrust-sureserver-sv" },
	{ "verisign-class3-pca-g5", "verisign-c3-pca-g5" },
	{ "verisign-class3-secure-server-ca-g3", "verisign-c3-ssca-g3" },
	{ "cisco-root-ca-2048", "cisco-root-2048" },
	{ "cisco-manufacturing-ca", NULL },
	{ "cisco-manufacturing-ca-sha2", NULL },
	{ "cisco-act2-sudi-ca", NULL },
	{ "cisco-root-ca-m1", NULL },
	{ "cisco-root-ca-m2", NULL },
	{ "sipura-generic-client-cert", NULL },
};

static void
test_originals(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(originals); i++) {
		X509 *original = read_reference(originals[i].file);
		const char *id = originals[i].id;
		X509 *leaf, *renewed;

		if (original == NULL) {
			assert_int_equal(i, 0);
			return; /* cannot be tried here */
		}
		check(originals[i].file, identify_ca(original), id,
		    id != NULL ? IDENTIFY_CERTIFICATE : IDENTIFY_NONE, false);
		/* The certificate counts before the name in the leaf. */
		renewed = mint_ca("Some Root", 0);
		leaf = mint_leaf(renewed);
		check(originals[i].file, identify_issuer(leaf, original), id,
		    id != NULL ? IDENTIFY_CERTIFICATE : IDENTIFY_NONE, false);
		X509_free(leaf);
		X509_free(renewed);
		/* The same key under another name, in another certificate */
		renewed = test_mint("Renewed Root",
		    (struct mint_request) { .key = X509_get0_pubkey(original),
			.issuer = original,
			.issuer_key = key,
			.ca = true });
		check(originals[i].file, identify_ca(renewed), id,
		    id != NULL ? IDENTIFY_KEY : IDENTIFY_NONE, false);
		X509_free(renewed);
		X509_free(original);
	}
}

static void
test_basis_names(void **state)
{
	(void)state;
	assert_string_equal(identify_basis_name(IDENTIFY_CERTIFICATE),
	    "by certificate");
	assert_string_equal(identify_basis_name(IDENTIFY_KEY), "by key");
	assert_string_equal(identify_basis_name(IDENTIFY_NAME), "by name");
	assert_string_equal(identify_basis_name(IDENTIFY_NONE),
	    "not recognised");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_without_common_name),
		cmocka_unit_test(test_every_name),
		cmocka_unit_test(test_serial_number),
		cmocka_unit_test(test_originals),
		cmocka_unit_test(test_basis_names),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
