#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../lib/certs.h"
#include "spa/bundle.h"

#define NOW 1790000000 /* 2026-09-21 */
#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static const struct model *
model_named(const char *name)
{
	const struct model *model = registry_find_model(name, NULL);

	assert_non_null(model);
	return model;
}

static const struct ca *
ca_named(const char *id)
{
	const struct ca *ca = registry_find_ca(id);

	assert_non_null(ca);
	return ca;
}

static X509 *
anchor(const char *common_name, EVP_PKEY *key, const char *digest,
    time_t not_before, time_t not_after, const char *serial)
{
	return test_mint(common_name,
	    (struct mint_request) { .key = key,
		.digest = digest,
		.ca = true,
		.not_before = not_before,
		.not_after = not_after,
		.serial_hex = serial });
}

static void
test_entries(void **state)
{
	EVP_PKEY *weak = test_key(1024), *strong = test_key(2048);
	X509 *certs[] = {
		/* A name that is on record with another certificate. */
		anchor("Sipura Technology Client Root Authority 1", weak, "md5",
		    NOW - DAY, NOW + DAY, "0A"),
		/* One of which only the name is known. */
		anchor("Cisco Manufacturing CA III", strong, "sha256",
		    NOW - DAY, NOW + DAY, "0A"),
		anchor("LAB Cisco Linksys Client Root Authority 1", weak,
		    "sha1", NOW - 2 * DAY, NOW - DAY, "0B"),
		anchor("Cisco Small Business Provisioning Root Authority 1",
		    strong, "sha256", NOW + DAY, NOW + 2 * DAY, "00"),
		anchor("Example Root", strong, "sha256", NOW - DAY, NOW + DAY,
		    "0C"),
		NULL,
	};
	struct bundle bundle;

	(void)state;
	certs[5] = certs[4];
	bundle_examine(&bundle, certs, LENGTH(certs), NOW);
	assert_int_equal(bundle.count, 6);

	assert_string_equal(bundle.entries[0].known.ca->id, "sipura-client-1");
	assert_int_equal(bundle.entries[0].known.basis, IDENTIFY_NAME);
	assert_false(bundle_is_genuine(&bundle.entries[0]));
	assert_true(bundle.entries[0].weak_key);
	assert_true(bundle.entries[0].weak_digest);
	assert_false(bundle.entries[0].expired);
	assert_false(bundle_has(&bundle, ca_named("sipura-client-1")));

	assert_string_equal(bundle.entries[1].known.ca->id, "cmca3");
	assert_true(bundle_is_genuine(&bundle.entries[1]));
	assert_false(bundle.entries[1].weak_key);
	assert_false(bundle.entries[1].weak_digest);
	assert_int_equal(bundle.entries[1].same_serial, 0);
	assert_int_equal(bundle.entries[1].same_as, 1);
	assert_true(bundle_has(&bundle, ca_named("cmca3")));

	assert_true(bundle.entries[2].known.lab);
	assert_true(bundle_is_genuine(&bundle.entries[2]));
	assert_true(bundle.entries[2].expired);
	assert_true(bundle.entries[2].weak_digest);
	assert_int_equal(bundle.entries[2].same_serial, 2);

	assert_null(bundle.entries[3].known.ca);
	assert_false(bundle_is_genuine(&bundle.entries[3]));
	assert_string_equal(bundle.entries[3].server->id, "ciscosb-prov-1");
	assert_true(bundle.entries[3].not_yet_valid);

	assert_null(bundle.entries[4].known.ca);
	assert_null(bundle.entries[4].server);
	assert_null(bundle.entries[4].denied);
	assert_int_equal(bundle.entries[5].same_as, 4);
	assert_int_equal(bundle.entries[5].same_serial, 5);

	bundle_clear(&bundle);
	for (size_t i = 0; i < 5; i++)
		cert_free(certs[i]);
	key_free(weak);
	key_free(strong);
}

static void
test_empty(void **state)
{
	struct bundle bundle;

	(void)state;
	bundle_examine(&bundle, NULL, 0, NOW);
	for (size_t i = 0; i < registry_ca_count; i++)
		assert_false(bundle_has(&bundle, &registry_cas[i]));
	bundle_clear(&bundle);
}

static const struct {
	const char *ca, *model;
	bool signs;
} signs_cases[] = {
	{ "linksys-client-1", "PAP2", true },
	{ "linksys-client-1", "PAP2T", false },
	{ "sipura-client-1", "SPA962", true },
	{ "sipura-client-1", "SPA504G", false },
	{ "ciscosb-client-1", "SPA504G", true },
	{ "ciscosb-client-2", "SPA504G", true },
	{ "ciscosb-client-2", "SPA962", false },
	{ "cmca", "CP-8841-3PCC", true },
	{ "cmca3", "CP-8841-3PCC", true },
	{ "cbarc2099", "CP-8841-3PCC", true },
	{ "hasudi", "ATA192-MPP", true },
	{ "cisco-root-2099", "ATA192-MPP", true },
	{ "cisco-root-m1", "ATA192-MPP", true },
	{ "act2-sudi", "ATA192-MPP", true },
	{ "cisco-root-2048", "ATA192-MPP", true },
	{ "cmca3", "SPA504G", false },
	{ "cisco-root-m1", "SPA504G", false },
	{ "sipura-client-1", "CP-8841-3PCC", false },
};

static void
test_signs(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(signs_cases); i++)
		assert_int_equal(bundle_ca_signs(ca_named(signs_cases[i].ca),
				     model_named(signs_cases[i].model)),
		    signs_cases[i].signs);
	/* Every model has a CA that is wanted. */
	for (size_t m = 0; m < registry_model_count; m++) {
		bool any = false;

		for (size_t c = 0; c < registry_ca_count; c++)
			any |= bundle_wants(&registry_cas[c]) &&
			    bundle_ca_signs(&registry_cas[c],
				&registry_models[m]);
		assert_true(any);
	}
	assert_false(bundle_wants(ca_named("act2-sudi")));
	assert_false(bundle_wants(ca_named("ciscosb-prov-1")));
	assert_true(bundle_wants(ca_named("hasudi")));
}

/* A server CA is none for clients, and the other way round. */
static void
test_identify_client(void **state)
{
	EVP_PKEY *key = test_key(2048);
	X509 *client = anchor("Cisco Manufacturing CA", key, "sha256", 0, 0,
	    NULL);
	X509 *server = anchor("Linksys Voice Test Certificate Authority", key,
	    "sha256", 0, 0, NULL);

	(void)state;
	assert_string_equal(identify_client_ca(client).ca->id, "cmca");
	assert_null(identify_ca(client).ca);
	assert_null(identify_client_ca(server).ca);
	assert_string_equal(identify_ca(server).ca->id, "linksys-voice-test");
	cert_free(client);
	cert_free(server);
	key_free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_signs),
		cmocka_unit_test(test_identify_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
