#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "provision/plan.h"
#include "provision/plan_parts.h"
#include "spa/knowledge.h"
#include "spa/trust.h"

#define NOW ((time_t)1795392000) /* 2026-11-23 */
#define YEAR ((time_t)31557600)
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct knowledge *knowledge;

static int
set_up(void **state)
{
	(void)state;
	knowledge = knowledge_new();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	knowledge_free(knowledge);
	return 0;
}

static struct plan_group
group(const char *device, uint64_t count)
{
	struct plan_group made = { .count = count };
	struct error err;

	assert_int_equal(trust_parse_device(device, &made.model, &made.firmware,
			     &made.has_firmware, &err),
	    0);
	return made;
}

static struct plan *
plan_of(const struct plan_group *groups, size_t count,
    const struct plan_options *options)
{
	struct error err = { 0 };
	struct plan *plan = plan_make(groups, count, options, knowledge, &err);

	assert_string_equal(err.text, "");
	assert_non_null(plan);
	return plan;
}

static const struct plan_options plain = { .at = NOW };

/* ------------------------------------------------------------- listeners */

static void
test_fewest(void **state)
{
	const struct plan_group groups[] = {
		group("SPA504G@7.5.2b", 40),  /* Sipura 1, Linksys 1, SB 1 */
		group("SPA504G@7.6.2f", 100), /* and SB 2 */
		group("SPA962@6.1.5(a)", 12), /* Sipura 1, Linksys 1 */
	};
	struct plan *plan = plan_of(groups, 3, &plain);

	(void)state;
	/* One does for all, however long it signs no more. */
	assert_int_equal(plan->listener_count, 1);
	assert_string_equal(plan->listeners[0].name, "sipura-prov-1");
	assert_int_equal(plan->listeners[0].supply, PLAN_GONE);
	assert_true(plan->listeners[0].legacy);
	assert_int_equal(plan->listeners[0].devices, 152);
	assert_int_equal(plan->unsupplied, 152);
	assert_string_equal(plan->universal_rule, plan->listeners[0].rule);
	plan_free(plan);
	plan_free(NULL);
}

/* With what can be had, more CAs serve fewer. */
static void
test_without_gone(void **state)
{
	const struct plan_group groups[] = { group("SPA504G@7.5.2b", 40),
		group("SPA504G@7.6.2f", 100), group("SPA962@6.1.5(a)", 12) };
	const struct plan_options options = { .at = NOW, .without_gone = true };
	struct plan *plan = plan_of(groups, 3, &options);

	(void)state;
	assert_int_equal(plan->listener_count, 1);
	assert_string_equal(plan->listeners[0].name, "ciscosb-prov-2");
	assert_int_equal(plan->unsupplied, 0);
	assert_int_equal(plan->left_out, 52);
	assert_int_equal(plan->assignments[0].reason, PLAN_LACKS_SUPPLY);
	assert_string_equal(plan->assignments[0].ca->id, "ciscosb-prov-1");
	assert_int_equal(plan->assignments[0].ways[0].kind, PLAN_UPGRADE);
	assert_int_equal(plan->assignments[1].reason, PLAN_COVERED);
	plan_free(plan);
}

static void
test_preferences(void **state)
{
	const struct ca *sb1 = registry_find_ca("ciscosb-prov-1");
	const struct ca *sb2 = registry_find_ca("ciscosb-prov-2");
	const struct plan_group groups[] = { group("SPA504G@7.6.2f", 1) };
	struct plan_certificate held = { .ca = sb1, .not_after = NOW + 9 };
	struct plan_options options = plain;
	struct plan *plan = plan_of(groups, 1, &options);

	(void)state;
	assert_ptr_equal(plan->listeners[0].ca, sb2); /* it signs */
	assert_int_equal(plan->listeners[0].supply, PLAN_SIGNS);
	assert_null(plan->listeners[0].certificate);
	assert_int_equal(plan->unsupplied, 0);
	assert_int_equal(plan->assignments[0].reason, PLAN_COVERED);
	assert_int_equal(plan->assignments[0].claim->basis, BASIS_VENDOR);
	plan_free(plan);

	options.certificates = &held;
	options.certificate_count = 1;
	plan = plan_of(groups, 1, &options);
	assert_ptr_equal(plan->listeners[0].ca, sb1); /* we have it */
	assert_int_equal(plan->listeners[0].supply, PLAN_HELD);
	assert_ptr_equal(plan->listeners[0].certificate, &held);
	plan_free(plan);

	options.at = NOW + 10; /* it is over */
	plan = plan_of(groups, 1, &options);
	assert_ptr_equal(plan->listeners[0].ca, sb2);
	plan_free(plan);

	options.without = &sb2;
	options.without_count = 1;
	plan = plan_of(groups, 1, &options);
	/* Better than nothing: this phone does not look at dates. */
	assert_ptr_equal(plan->listeners[0].ca, sb1);
	assert_int_equal(plan->listeners[0].supply, PLAN_OVERDUE);
	assert_int_equal(plan->unsupplied, 0);
	plan_free(plan);
}

static void
test_supply(void **state)
{
	const struct ca *sb2 = registry_find_ca("ciscosb-prov-2");
	const struct plan_certificate held[] = {
		{ .ca = sb2, .not_after = NOW - 1 },
		{ .ca = sb2, .not_before = NOW + 5, .not_after = NOW + 50 },
		{ .ca = sb2, .not_after = NOW + 10 },
		{ .ca = sb2, .not_after = NOW + 20 },
		{ .ca = sb2, .not_after = NOW + 15 },
	};
	struct plan_options options = {
		.at = NOW, .certificates = held, .certificate_count = 5
	};
	const struct plan_certificate *one = NULL;

	(void)state;
	assert_int_equal(plan_supply(&options, sb2, &one), PLAN_HELD);
	assert_ptr_equal(one, &held[3]); /* the last to end */
	options.certificate_count = 2;
	assert_int_equal(plan_supply(&options, sb2, &one), PLAN_SIGNS);
	assert_null(one); /* it can have another */
	assert_int_equal(plan_supply(&options,
			     registry_find_ca("verisign-c3-pca-g5"), NULL),
	    PLAN_DOUBTFUL);
	assert_int_equal(plan_supply(&options,
			     registry_find_ca("linksys-prov-1"), NULL),
	    PLAN_GONE);
	assert_false(plan_can_be_had(PLAN_DOUBTFUL));
	assert_false(plan_can_be_had(PLAN_GONE));
	assert_true(plan_can_be_had(PLAN_OVERDUE));
}

static void
test_may_use(void **state)
{
	struct plan_options options = plain;
	static const char *const never[] = { "verisign-c3-any", "custom-ca",
		"public-ca-bundle", "cmca", "sipura-client-1" };

	(void)state;
	for (size_t i = 0; i < COUNT(never); i++)
		assert_false(plan_may_use(&options,
		    registry_find_ca(never[i])));
	assert_true(plan_may_use(&options,
	    registry_find_ca("cisco-root-2048")));
	options.allow_custom = options.allow_public = true;
	assert_true(plan_may_use(&options, registry_find_ca("custom-ca")));
	assert_true(plan_may_use(&options,
	    registry_find_ca("public-ca-bundle")));
	assert_false(plan_may_use(&options,
	    registry_find_ca("verisign-c3-any")));
}

/* ------------------------------------------- what a device makes of a CA */

static const struct {
	const char *device, *ca;
	time_t at;
	int drop_tls;
	enum plan_expectation expectation;
} expectations[] = {
	{ "SPA504G@7.6.2f", "ciscosb-prov-2", NOW, 0, PLAN_ACCEPTS },
	{ "SPA504G@7.6.2f", "ciscosb-prov-2", NOW, 0x0301, PLAN_TLS },
	{ "SPA504G@7.5.2b", "ciscosb-prov-2", NOW, 0, PLAN_REFUSES },
	{ "SPA504G@7.6.2f", "isrg-root-x1", NOW, 0, PLAN_UNKNOWN },
	/* Expired in 2015; the one looks at dates, the other does not. */
	{ "PAP2", "linksys-prov-1", NOW, 0, PLAN_ACCEPTS },
	{ "CP-6841-3PCC@12.0(3)", "linksys-prov-1", NOW, 0, PLAN_EXPIRED },
	{ "CP-6841-3PCC@12.0(3)", "linksys-prov-1", NOW - 12 * YEAR, 0,
	    PLAN_ACCEPTS },
	{ "CP-6841-3PCC@12.0(3)", "linksys-prov-1", NOW - 30 * YEAR, 0,
	    PLAN_EXPIRED }, /* not begun */
	{ "CP-8841-3PCC@12.0(3)", "ciscosb-prov-2", NOW, 0x0301, PLAN_ACCEPTS },
	{ "CP-6841-3PCC@12.0(3)", "sipura-prov-1", NOW, 0x0301, PLAN_WEAK },
	/* A root of one's own signs as the phone needs it. */
	{ "SPA504G@7.5.2b", "custom-ca", NOW, 0, PLAN_ACCEPTS },
};

static void
test_expectations(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(expectations); i++) {
		struct plan_group one = group(expectations[i].device, 1);
		const struct plan_options options = { .at = expectations[i].at,
			.drop_tls = expectations[i].drop_tls };

		assert_int_equal(plan_expect(&options, knowledge, one.model,
				     one.has_firmware ? &one.firmware : NULL,
				     registry_find_ca(expectations[i].ca),
				     NULL),
		    expectations[i].expectation);
	}
}

/* What depends on the certificate that we have. */
static void
test_certificates(void **state)
{
	const struct ca *sb2 = registry_find_ca("ciscosb-prov-2");
	const struct ca *own = registry_find_ca("custom-ca");
	struct plan_certificate held = { .ca = sb2, .is_sha2 = true };
	struct plan_options options = {
		.at = NOW, .certificates = &held, .certificate_count = 1
	};
	struct plan_group ata = group("ATA191-MPP@11.3(1)", 1);
	struct plan_group old = group("SPA504G@7.5.2b", 1);
	struct plan_group mpp = group("CP-6841-3PCC@12.0(3)", 1);

	(void)state;
	assert_int_equal(plan_expect(&options, knowledge, ata.model,
			     &ata.firmware, sb2, NULL),
	    PLAN_NAME); /* it wants a SAN */
	held.has_san = true;
	assert_int_equal(plan_expect(&options, knowledge, ata.model,
			     &ata.firmware, sb2, NULL),
	    PLAN_ACCEPTS);
	held.ca = own;
	assert_int_equal(plan_expect(&options, knowledge, old.model,
			     &old.firmware, own, NULL),
	    PLAN_DIGEST);
	held.is_sha2 = false;
	assert_int_equal(plan_expect(&options, knowledge, old.model,
			     &old.firmware, own, NULL),
	    PLAN_ACCEPTS);
	held.ca = registry_find_ca("sipura-prov-1");
	held.not_after = NOW - 1;
	assert_int_equal(plan_expect(&options, knowledge, mpp.model,
			     &mpp.firmware, held.ca, NULL),
	    PLAN_EXPIRED);
	assert_int_equal(plan_expect(&options, knowledge, old.model,
			     &old.firmware, held.ca, NULL),
	    PLAN_ACCEPTS);
}

/* ------------------------------------------------------ reasons and ways */

static const struct {
	const char *device, *without;
	int drop_tls;
	enum plan_reason reason;
	const char *ca;
	const char *ways; /* "kind:ca@firmware", as numbers of the enum */
} stories[] = {
	{ "SPA504G@7.5.2b", "", 0, PLAN_LACKS_SUPPLY, "ciscosb-prov-1",
	    "0:ciscosb-prov-2@7.5.6 2:custom-ca 5 6" },
	{ "SPA504G@7.5.4", "", 0, PLAN_LACKS_SUPPLY, "ciscosb-prov-1",
	    "0:ciscosb-prov-2@7.5.6 2:custom-ca@7.6.2f 5 6" },
	{ "SPA122", "", 0, PLAN_LACKS_SUPPLY, "ciscosb-prov-1",
	    "1:ciscosb-prov-2@1.3.3 2:custom-ca@1.4.1 5 6" },
	{ "PAP2", "", 0, PLAN_LACKS_SUPPLY, "linksys-prov-1", "5 6" },
	{ "PAP2", "linksys-prov-1", 0, PLAN_LACKS_WITHOUT, "linksys-prov-1",
	    "5 6" },
	{ "DP-9841@5.0.1", "", 0, PLAN_LACKS_ALLOW, "custom-ca",
	    "2:custom-ca 5 6" },
	{ "SPA8000@6.1.12", "", 0, PLAN_LACKS_CLAIM, "", "4 5 6" },
	{ "SPA504G@7.6.2f", "", 0x0301, PLAN_LACKS_TLS, "isrg-root-x1", "5 6" },
	{ "CP-7841-3PCC@12.0(3)", "ciscosb-prov-2", 0x0301, PLAN_LACKS_WITHOUT,
	    "ciscosb-prov-2", "2:custom-ca 5 6" },
	{ "CP-6841-3PCC@12.0(3)", "ciscosb-prov-2", 0x0301, PLAN_LACKS_WITHOUT,
	    "ciscosb-prov-2", "2:custom-ca 3:public-ca-bundle 5 6" },
};

static void
format_ways(const struct plan_assignment *one, char text[static 512])
{
	size_t len = 0;

	*text = '\0';
	for (size_t i = 0; i < one->way_count; i++)
		len += (size_t)snprintf(text + len, 512 - len, "%s%d%s%s%s%s",
		    i > 0 ? " " : "", (int)one->ways[i].kind,
		    one->ways[i].ca != NULL ? ":" : "",
		    one->ways[i].ca != NULL ? one->ways[i].ca->id : "",
		    one->ways[i].firmware.part_count > 0 ? "@" : "",
		    one->ways[i].firmware.text);
}

static void
test_stories(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(stories); i++) {
		const struct ca *without = registry_find_ca(stories[i].without);
		const struct plan_options options = { .at = NOW,
			.drop_tls = stories[i].drop_tls,
			.without = &without,
			.without_count = without != NULL };
		const struct plan_group groups[] = { group(stories[i].device,
		    3) };
		struct plan *plan = plan_of(groups, 1, &options);
		const struct plan_assignment *one = &plan->assignments[0];
		char ways[512];

		format_ways(one, ways);
		assert_int_equal(one->reason, stories[i].reason);
		if (one->reason != PLAN_LACKS_TLS)
			assert_string_equal(one->ca != NULL ? one->ca->id : "",
			    stories[i].ca);
		assert_string_equal(ways, stories[i].ways);
		assert_int_equal(one->listener == PLAN_LEFT_OUT,
		    one->reason != PLAN_LACKS_SUPPLY);
		plan_free(plan);
	}
}

/* The fewest CAs may be ones that cannot be had, where others would do. */
static void
test_switch(void **state)
{
	const struct plan_options options = { .at = NOW };
	const struct plan_group groups[] = { group("SPA504G@7.5.6", 3),
		group("SPA962@6.1.5(a)", 1) };
	struct plan *plan = plan_of(groups, 2, &options);
	const struct plan_assignment *one = &plan->assignments[0];

	(void)state;
	assert_int_equal(plan->listener_count, 1);
	assert_string_equal(plan->listeners[0].ca->id, "sipura-prov-1");
	assert_int_equal(one->reason, PLAN_LACKS_SUPPLY);
	assert_int_equal(one->ways[0].kind, PLAN_SWITCH);
	assert_string_equal(one->ways[0].ca->id, "ciscosb-prov-2");
	plan_free(plan);
}

/* Reasons that need a certificate of a certain kind, or a time. */
static void
test_more_reasons(void **state)
{
	const struct ca *sb2 = registry_find_ca("ciscosb-prov-2");
	const struct plan_certificate no_san = { .ca = sb2, .is_sha2 = true };
	struct plan_options options = {
		.at = NOW, .certificates = &no_san, .certificate_count = 1
	};
	const struct plan_group ata[] = { group("ATA191-MPP@11.3(1)", 1) };
	const struct plan_group mpp[] = { group("CP-6841-3PCC@12.0(3)", 1) };
	struct plan *plan = plan_of(ata, 1, &options);

	(void)state;
	assert_int_equal(plan->assignments[0].reason, PLAN_LACKS_SAN);
	plan_free(plan);

	/* The only certificates there are need old TLS. */
	options.drop_tls = 0x0301;
	plan = plan_of(mpp, 1, &options);
	assert_int_equal(plan->assignments[0].reason, PLAN_LACKS_STRENGTH);
	plan_free(plan);
}

static void
test_expired_reason(void **state)
{
	const struct ca *without[] = { registry_find_ca("ciscosb-prov-2"),
		registry_find_ca("ciscosb-prov-1") };
	const struct plan_options options = {
		.at = NOW + 40 * YEAR, .without = without, .without_count = 2
	};
	const struct plan_group groups[] = { group("CP-8831-3PCC@9.3(4)", 2) };
	struct plan *plan = plan_of(groups, 1, &options);

	(void)state;
	assert_int_equal(plan->assignments[0].listener, PLAN_LEFT_OUT);
	assert_int_equal(plan->assignments[0].reason, PLAN_LACKS_TIME);
	assert_int_equal(plan->left_out, 2);
	assert_int_equal(plan->listener_count, 0);
	assert_null(plan->universal_rule);
	plan_free(plan);
}

/* ---------------------------------------------------------------- layout */

/* Three CAs: SB 2, SB 1, Linksys 1, in this order. */
static const char *const three[] = { "CP-8841-3PCC@12.0(7)SR2", "SRP521",
	"PAP2" };

static void
format_layout(const struct plan *plan, char text[static 1024])
{
	size_t len = 0;

	*text = '\0';
	for (size_t i = 0; i < plan->listener_count; i++)
		len += (size_t)snprintf(text + len, 1024 - len,
		    "%s%s=%s:%u/%zu", i > 0 ? " " : "", plan->listeners[i].host,
		    plan->listeners[i].address, plan->listeners[i].port,
		    plan->listeners[i].machine);
}

static const char *const addresses[] = { "198.51.100.7", "198.51.100.8" };
static const uint16_t ports[] = { 8443, 9443 };

static const struct {
	struct plan_options options;
	const char *layout; /* or the error */
} layouts[] = {
	{ { .at = NOW },
	    "prov.example.net=192.0.2.1:443/0 "
	    "prov.example.net=192.0.2.1:3443/0 "
	    "prov.example.net=192.0.2.1:4443/0" },
	{ { .at = NOW,
	      .host = "voice",
	      .domain = "example.org",
	      .addresses = addresses,
	      .address_count = 2 },
	    "voice.example.org=198.51.100.7:443/0 "
	    "voice.example.org=198.51.100.7:3443/0 "
	    "voice.example.org=198.51.100.7:4443/0" },
	{ { .at = NOW, .layout = PLAN_ADDRESSES },
	    "ciscosb-prov-2.example.net=192.0.2.1:443/0 "
	    "ciscosb-prov-1.example.net=192.0.2.2:443/0 "
	    "linksys-prov-1.example.net=192.0.2.3:443/0" },
	{ { .at = NOW, .layout = PLAN_HOSTS, .ports = ports, .port_count = 2 },
	    "ciscosb-prov-2.example.net=192.0.2.1:8443/0 "
	    "ciscosb-prov-1.example.net=192.0.2.2:8443/1 "
	    "linksys-prov-1.example.net=192.0.2.3:8443/2" },
	{ { .at = NOW,
	      .layout = PLAN_HOSTS,
	      .mix_ports = true,
	      .addresses = addresses,
	      .address_count = 2,
	      .host = "prov.voice.example.org" },
	    "prov-1.voice.example.org=198.51.100.7:443/0 "
	    "prov-2.voice.example.org=198.51.100.8:443/1 "
	    "prov-1.voice.example.org=198.51.100.7:3443/0" },
	{ { .at = NOW,
	      .layout = PLAN_ADDRESSES,
	      .mix_ports = true,
	      .addresses = addresses,
	      .address_count = 1 },
	    "prov.example.net=198.51.100.7:443/0 "
	    "prov.example.net=198.51.100.7:3443/0 "
	    "prov.example.net=198.51.100.7:4443/0" },
	{ { .at = NOW, .ports = ports, .port_count = 2 },
	    "3 listeners need a port each, and 2 are given: name more with "
	    "--port" },
	{ { .at = NOW,
	      .ports = ports,
	      .port_count = 1,
	      .layout = PLAN_ADDRESSES,
	      .mix_ports = true,
	      .addresses = addresses,
	      .address_count = 2 },
	    "3 listeners need an address and port each, and 2 by 1 are "
	    "given: name more with --address or --port" },
	{ { .at = NOW,
	      .layout = PLAN_ADDRESSES,
	      .addresses = addresses,
	      .address_count = 2 },
	    "3 listeners need an address each, and 2 "
	    "are given: name more with --address, or mix with ports as in "
	    "--layout addresses,ports" },
	{ { .at = NOW,
	      .domain = "a-name-that-is-rather-long-but-not-absurd."
			"voice.department.example.net" },
	    "the name prov.a-name-that-is-"
	    "rather-long-but-not-absurd.voice.department.example.net is 75 "
	    "characters long: the CN of a certificate has at most 64" },
};

static void
test_layouts(void **state)
{
	struct plan_group groups[3];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		groups[i] = group(three[i], 1);
	for (size_t i = 0; i < COUNT(layouts); i++) {
		struct error err = { 0 };
		struct plan *plan = plan_make(groups, 3, &layouts[i].options,
		    knowledge, &err);
		char text[1024];

		if (plan == NULL) {
			assert_string_equal(err.text, layouts[i].layout);
			continue;
		}
		format_layout(plan, text);
		assert_string_equal(text, layouts[i].layout);
		plan_free(plan);
	}
}

/* The names in certificates that we have are given. */
static void
test_given_names(void **state)
{
	const struct plan_certificate held[] = {
		{ .ca = registry_find_ca("ciscosb-prov-1"),
		    .host = "old.example.org" },
		{ .ca = registry_find_ca("linksys-prov-1"),
		    .host = "OLD.example.org" },
	};
	struct plan_options options = {
		.at = NOW, .certificates = held, .certificate_count = 2
	};
	struct plan_group groups[3];
	struct error err = { 0 };
	struct plan *plan;
	char text[1024];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		groups[i] = group(three[i], 1);
	plan = plan_of(groups, 3, &options);
	format_layout(plan, text);
	assert_string_equal(text,
	    "old.example.org=192.0.2.1:443/0 "
	    "OLD.example.org=192.0.2.1:3443/0 "
	    "prov.example.net=192.0.2.1:4443/0");
	plan_free(plan);
	options.layout = PLAN_ADDRESSES;
	assert_null(plan_make(groups, 3, &options, knowledge, &err));
	assert_string_equal(err.text,
	    "the listeners ciscosb-prov-1 and "
	    "linksys-prov-1 have the name old.example.org, so they need one "
	    "address: plan with --layout ports");
}

static void
test_empty(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_null(plan_make(NULL, 0, &plain, knowledge, &err));
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_string_equal(err.text, "there is no device");
}

/* ----------------------------------------------------------------- rules */

static const struct {
	const char *devices[8];
	const char *rule; /* with A, B, C ... for the listeners' URLs */
} rules[] = {
	{ { "SPA504G@7.6.2f", "SPA122@1.4.1(SR5)" }, "A" },
	/* The version is that of the claim, not that of the fleet. */
	{ { "CP-8841-3PCC@12.0(3)", "SPA504G@7.5.2b", "SPA504G@7.6.2f" },
	    "(\"$PN\" eq \"SPA504G\" and $SWVER lt 7.5.6)? B | A" },
	{ { "CP-8841-3PCC@12.0(3)", "SRP521", "SPA504G@7.6.2f" },
	    "(\"$PN\" eq \"SRP521\")? B | A" },
	/* Whatever the version is that we do not know. */
	{ { "CP-8841-3PCC", "SPA122", "SPA122@1.4.1 SR5" },
	    "(\"$PN\" eq \"SPA122\" and $SWVER lt 1.3.3)? B | A" },
	{ { "CP-8841-3PCC", "SPA122" }, "(\"$PN\" eq \"SPA122\")? B | A" },
};

static void
test_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rules); i++) {
		const struct ca *without[] = {
			registry_find_ca("sipura-prov-1"),
			registry_find_ca("linksys-prov-1")
		};
		const struct plan_options options = {
			.at = NOW, .without = without, .without_count = 2
		};
		struct plan_group groups[8];
		char expected[2048] = "";
		size_t count = 0;
		struct plan *plan;

		while (rules[i].devices[count] != NULL) {
			groups[count] = group(rules[i].devices[count], 1);
			count++;
		}
		plan = plan_of(groups, count, &options);
		for (const char *p = rules[i].rule; *p != '\0'; p++) {
			size_t len = strlen(expected);

			if ((*p == 'A' || *p == 'B') &&
			    (p[1] == '\0' || p[1] == ' '))
				(void)snprintf(expected + len,
				    sizeof(expected) - len, "%s",
				    plan->listeners[*p - 'A'].rule);
			else
				(void)snprintf(expected + len,
				    sizeof(expected) - len, "%c", *p);
		}
		assert_non_null(plan->universal_rule);
		assert_string_equal(plan->universal_rule, expected);
		plan_free(plan);
	}
}

/* A plan made by hand, of two listeners. */
static void
test_spelling_and_length(void **state)
{
	static char first[] = "https://a/", second[] = "https://b/";
	char *endless = xcalloc(1, 5001);
	const struct plan_group groups[] = { group("SPA8000@6.1.4", 1),
		group("SPA8000@6.1.5 SR1", 1) };
	struct plan_listener listeners[] = {
		{ .ca = registry_find_ca("sipura-prov-1"), .rule = first },
		{ .ca = registry_find_ca("linksys-prov-1"), .rule = second }
	};
	struct plan_assignment assignments[] = { { .group = &groups[0],
						     .listener = 0 },
		{ .group = &groups[1], .listener = 1 } };
	struct plan plan = { .listeners = listeners,
		.listener_count = 2,
		.assignments = assignments,
		.assignment_count = 2 };
	struct error err = { 0 };
	char *rule;

	(void)state;
	/* The registry knows no version between, so it is the fleet's, without
	 * the blank: operands have none. */
	rule = plan_universal_rule(&plan, &plain, knowledge, &err);
	assert_string_equal(rule,
	    "($SWVER lt 6.1.5sr1)? https://a/ | "
	    "https://b/");
	assert_int_equal(plan_check_rule(&plan, &plain, knowledge, rule, &err),
	    0);
	free(rule);
	memset(endless, 'x', 5000);
	listeners[1].rule = endless;
	assert_null(plan_universal_rule(&plan, &plain, knowledge, &err));
	assert_string_equal(err.text,
	    "one rule for all would take 5035 bytes "
	    "in 2 alternatives, and 4096 bytes in 64 are the most: use the "
	    "rules of the listeners");
	free(endless);
}

/* The check finds a rule that leads astray. */
static void
test_check(void **state)
{
	const struct ca *without[] = { registry_find_ca("sipura-prov-1") };
	const struct plan_options options = {
		.at = NOW, .without = without, .without_count = 1
	};
	const struct plan_group groups[] = { group("SPA504G@7.5.2b", 1),
		group("SPA504G@7.6.2f", 1), group("SRP521", 1),
		group("SPA122", 1) };
	struct plan *plan = plan_of(groups, 4, &options);
	struct error err = { 0 };
	static const struct {
		const char *rule, *error;
	} bad[] = {
		{ "https://prov.example.net:3443/spa$MA.cfg",
		    "the rule leads a SRP521 to ciscosb-prov-2, which is not "
		    "where it belongs" },
		{ "https://prov.example.net:9443/spa$MA.cfg",
		    "the rule leads a SPA504G with firmware 7.5.2b to no "
		    "listener, which is not where it belongs" },
		{ "($SWVER lt banana)? /x | /y",
		    "column 2: cannot compare "
		    "$SWVER with banana: they must both be integers, versions "
		    "or texts" },
		{ "(",
		    "column 1: expected \"(condition)?\", then "
		    "\"(assignments)!\", each at most once" },
	};

	(void)state;
	assert_int_equal(plan->listener_count, 1);
	assert_int_equal(plan_check_rule(plan, &options, knowledge,
			     plan->listeners[0].rule, &err),
	    0);
	for (size_t i = 1; i < COUNT(bad); i++) {
		assert_int_equal(plan_check_rule(plan, &options, knowledge,
				     bad[i].rule, &err),
		    -1);
		assert_string_equal(err.text, bad[i].error);
	}
	plan_free(plan);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fewest),
		cmocka_unit_test(test_without_gone),
		cmocka_unit_test(test_preferences),
		cmocka_unit_test(test_supply),
		cmocka_unit_test(test_may_use),
		cmocka_unit_test(test_expectations),
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_stories),
		cmocka_unit_test(test_switch),
		cmocka_unit_test(test_more_reasons),
		cmocka_unit_test(test_expired_reason),
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_given_names),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_spelling_and_length),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
