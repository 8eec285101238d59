#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ssl.h>

#include "base/text.h"
#include "spa/registry.h"

static struct firmware
parsed(const char *text)
{
	struct firmware firmware;
	struct error err = { 0 };

	if (firmware_parse(&firmware, text, &err) == -1)
		fail_msg("%s", err.text);
	return firmware;
}

static void
test_models_by_spelling(void **state)
{
	static const struct {
		const char *given;
		const char *name; /* NULL: not a model */
	} cases[] = {
		{ "SPA504G", "SPA504G" },
		{ "spa504g", "SPA504G" },
		{ "SPA-504G", "SPA504G" },
		{ "SPA-525G2", "SPA525G2" },
		{ "SPA525G", "SPA525G" },
		{ "SPA-962", "SPA962" },
		{ "SPA962", "SPA962" },
		{ "SPA2102", "SPA2102" },
		{ "SPA-2102", "SPA2102" },
		{ "SPA1001", "SPA1001" },
		{ "SPA301", "SPA301" },
		{ "SPA3000", "SPA3000" },
		{ "PAP2", "PAP2" },
		{ "PAP2T", "PAP2T" },
		{ "ATA191", "ATA191-MPP" },
		{ "ata191-mpp", "ATA191-MPP" },
		{ "CP-8841-3PCC", "CP-8841-3PCC" },
		/* Never by prefix, never a family. */
		{ "SPA1xx", NULL },
		{ "SPA3xx", NULL },
		{ "SPA3xxx", NULL },
		{ "SPA30", NULL },
		{ "SPA300", NULL },
		{ "SPA30000", NULL },
		{ "SPA504", NULL },
		{ "SPA504GG", NULL },
		{ "SPA100", NULL },
		{ "SPA", NULL },
		{ "SPA-", NULL },
		{ "S-PA504G", NULL },
		{ "PAP", NULL },
		{ "PAP-2", NULL }, /* only SPA names lose their hyphen */
		{ "CP8841-3PCC", NULL },
		{ "CP-8841", NULL }, /* the sibling without 3PCC */
		{ "ATA190", NULL },
		{ "504G", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct model *model = registry_find_model(cases[i].given,
		    NULL);

		if (cases[i].name == NULL) {
			if (model != NULL)
				fail_msg("\"%s\" gave %s", cases[i].given,
				    model->name);
			continue;
		}
		assert_non_null(model);
		assert_string_equal(model->name, cases[i].name);
	}
}

static void
test_nearest_model(void **state)
{
	const struct model *nearest;

	(void)state;
	assert_null(registry_find_model("SPA505G", &nearest));
	assert_non_null(nearest);
	assert_null(registry_find_model("toaster-oven-9000-x", &nearest));
	assert_null(nearest);
	assert_non_null(registry_find_model("SPA504G", &nearest));
	assert_null(nearest);
}

static void
test_cas(void **state)
{
	static const char *const both[] = { "cisco-root-2048" };
	const struct ca *ca;
	char hex[65];

	(void)state;
	ca = registry_find_ca("ciscosb-prov-1");
	assert_non_null(ca);
	text_hex(ca->sha256, 32, hex);
	assert_string_equal(hex,
	    "d2358cf65519d8e74cb71ed5a4b3f60db4fad1ba"
	    "f09d5c4ae5e8c7edb4448aa2");
	/* 2050-06-30T00:57:30Z: past a signed 32-bit time. */
	assert_int_equal(ca->not_after, 2540163450);
	assert_int_equal(ca->signing, CA_SIGNING_NO);
	assert_string_equal(ca->signing_until, "2022-12-01");
	assert_string_equal(ca->key_type, "RSA-1024");
	assert_string_equal(ca->digest, "sha1");
	assert_true(registry_is_server_ca(ca));

	ca = registry_find_ca("linksys-client-1");
	assert_true(ca->version_1);
	assert_string_equal(ca->common_name,
	    "Cisco Linksys Client Root Authority 1");
	assert_false(registry_is_server_ca(ca));

	ca = registry_find_ca("cmca");
	assert_int_equal(ca->exponent, 3);
	assert_string_equal(ca->issuer_id, "cisco-root-2048");
	assert_false(registry_is_server_ca(ca));

	ca = registry_find_ca("ciscosb-prov-2");
	assert_null(ca->sha256);
	assert_null(ca->key_sha256);
	assert_int_equal(ca->not_after, 0);
	assert_int_equal(ca->signing, CA_SIGNING_YES);

	for (size_t i = 0; i < sizeof(both) / sizeof(*both); i++) {
		ca = registry_find_ca(both[i]);
		assert_int_equal(ca->role, CA_CLIENT_ANCHOR);
		assert_true(registry_is_server_ca(ca));
	}
	assert_true(registry_is_server_ca(registry_find_ca("custom-ca")));
	assert_true(registry_is_server_ca(registry_find_ca("verisign-c3-ssca-"
							   "g3")));
	/* Two client roots share a serial number and are still two. */
	assert_string_equal(registry_find_ca("ciscosb-client-1")->serial_hex,
	    registry_find_ca("ciscosb-client-2")->serial_hex);
	assert_memory_not_equal(registry_find_ca("ciscosb-client-1")->sha256,
	    registry_find_ca("ciscosb-client-2")->sha256, 32);
	assert_null(registry_find_ca("ciscosb-prov"));
	assert_null(registry_find_ca("*"));
}

static void
test_denied(void **state)
{
	uint8_t sha256[32], key[32], other[32] = { 1 };

	(void)state;
	assert_true(text_unhex("86071fee0d0196e561717661356b36e89780e871bff69ae"
			       "0"
			       "fe9dd79de482d68d",
	    sha256, 32));
	assert_true(text_unhex("dc2e6a25dfa4741a93da61e4af14375bb04208009500adc"
			       "e"
			       "37ddf6a208476c12",
	    key, 32));
	assert_non_null(registry_find_denied(sha256, other));
	assert_non_null(registry_find_denied(other, key));
	assert_non_null(registry_find_denied(sha256, NULL));
	assert_non_null(registry_find_denied(NULL, key));
	assert_null(registry_find_denied(other, other));
	assert_null(registry_find_denied(key, sha256));
	assert_null(registry_find_denied(NULL, NULL));
}

static void
test_stacks(void **state)
{
	static const struct {
		const char *model, *firmware, *stack;
	} cases[] = {
		{ "PAP2", NULL, "spa-classic" },
		{ "SPA962", "6.1.5(a)", "spa-classic" },
		{ "SPA504G", NULL, "spa5xx-7.5.2" },
		{ "SPA504G", "7.5.2b", "spa5xx-7.5.2" },
		{ "SPA504G", "7.5.4", "spa5xx-7.5.2" },
		{ "SPA504G", "7.5.6", "spa5xx-7.5.6" },
		{ "SPA504G", "7.6.2e", "spa5xx-7.5.6" },
		{ "SPA504G", "7.6.2f", "spa5xx-7.6.2" },
		{ "SPA112", "1.3.1(003)", "spa1xx" },
		{ "SPA112", "1.3.3", "spa1xx-1.3.3" },
		{ "ATA191-MPP", "11.1(0)MSR2", "ata19x-old" },
		{ "ATA191-MPP", "11-1-0-MSR4", "ata19x-new" },
		{ "ATA191-MPP", "11.3(1)", "ata19x-11.3" },
		{ "CP-8841-3PCC", NULL, "mpp-11" },
		{ "CP-8841-3PCC", "12.0(7)", "mpp-11" },
		{ "CP-8841-3PCC", "12.0(7)SR2", "mpp-12" },
		{ "CP-8841-3PCC", "12.0(7)SR3", "mpp-12" },
		{ "CP-8832-3PCC", "12.0(7)SR2", "mpp-12" },
		{ "CP-8832-3PCC", "12.0(7)SR3", "mpp-12-tls13" },
		{ "CP-7832-3PCC", "12.0(7)SR3", "mpp-12-tls13" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct firmware firmware;

		if (cases[i].firmware != NULL)
			firmware = parsed(cases[i].firmware);
		assert_string_equal(
		    registry_find_stack(registry_find_model(cases[i].model,
					    NULL),
			cases[i].firmware == NULL ? NULL : &firmware)
			->id,
		    cases[i].stack);
	}
	for (size_t i = 0; i < registry_model_count; i++)
		assert_non_null(registry_find_stack(&registry_models[i], NULL));
}

/* OpenSSL must know every cipher of a list: it drops unknown ones silently. */
static void
test_ciphers(void **state)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	(void)state;
	assert_non_null(ctx);
	SSL_CTX_set_security_level(ctx, 0);
	for (size_t i = 0; i < registry_stack_count; i++) {
		const char *at = registry_stacks[i].ciphers;
		char name[64];

		while (*at != '\0') {
			size_t len = strcspn(at, ":");

			assert_true(len < sizeof(name));
			memcpy(name, at, len);
			name[len] = '\0';
			if (SSL_CTX_set_cipher_list(ctx, name) != 1)
				fail_msg("%s: no cipher %s",
				    registry_stacks[i].id, name);
			at += len + (at[len] == ':');
		}
	}
	SSL_CTX_free(ctx);
}

static void
test_every_model(void **state)
{
	(void)state;
	assert_int_equal(registry_model_count, 72);
	for (size_t i = 0; i < registry_model_count; i++) {
		const struct model *model = &registry_models[i];
		const struct ca *anchor =
		    registry_find_ca(model->client_anchor);

		assert_non_null(anchor);
		assert_ptr_equal(registry_find_model(model->name, NULL), model);
		assert_ptr_equal(registry_find_model(model->product, NULL),
		    model);
		assert_ptr_equal(registry_find_model(model->certificate_product,
				     NULL),
		    model);
		assert_true(anchor->role == CA_CLIENT_ANCHOR ||
		    anchor->role == CA_CLIENT_INTERMEDIATE);
		assert_non_null(strstr(model->user_agent, "{version}"));
	}
}

static void
test_words(void **state)
{
	(void)state;
	assert_string_equal(verdict_name(VERDICT_TRUSTED), "trusted");
	assert_string_equal(verdict_name(VERDICT_NOT), "not");
	assert_string_equal(verdict_name(VERDICT_UNKNOWN), "unknown");
	assert_string_equal(basis_name(BASIS_OBSERVED), "observed");
	assert_string_equal(basis_name(BASIS_TESTED), "tested");
	assert_string_equal(basis_name(BASIS_FIRMWARE), "firmware");
	assert_string_equal(basis_name(BASIS_VENDOR), "vendor");
	assert_string_equal(basis_name(BASIS_COMMUNITY), "community");
	assert_string_equal(basis_name(BASIS_INFERRED), "inferred");
	assert_string_equal(basis_name(BASIS_NONE), "none");
	assert_string_equal(confidence_name(CONFIDENCE_HIGH), "high");
	assert_string_equal(confidence_name(CONFIDENCE_MEDIUM), "medium");
	assert_string_equal(confidence_name(CONFIDENCE_LOW), "low");
	assert_string_equal(confidence_name(CONFIDENCE_NONE), "none");
}

/* Every key that a claim or a CA carries has a title. */
static void
test_sources(void **state)
{
	const struct source *source = registry_find_source("SPA-LIST+X", 8);

	(void)state;
	assert_non_null(source);
	assert_string_equal(source->key, "SPA-LIST");
	assert_null(registry_find_source("SPA-LISTS", 9));
	assert_null(registry_find_source("SPA-LIST", 7));
	for (size_t i = 0; i < registry_source_count; i++) {
		assert_true(*registry_sources[i].title != '\0');
		assert_null(strchr(registry_sources[i].title, '\n'));
	}
	source = registry_find_source("NOT-FOUND", 9);
	assert_non_null(source);
	assert_string_equal(source->title,
	    "the documents of this page were "
	    "searched for the model and the CA, and say nothing");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_models_by_spelling),
		cmocka_unit_test(test_nearest_model),
		cmocka_unit_test(test_cas),
		cmocka_unit_test(test_denied),
		cmocka_unit_test(test_stacks),
		cmocka_unit_test(test_ciphers),
		cmocka_unit_test(test_every_model),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
