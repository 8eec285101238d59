#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "spa/trust.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define Y VERDICT_TRUSTED
#define N VERDICT_NOT
#define U VERDICT_UNKNOWN

static struct firmware
parsed(const char *text)
{
	struct firmware firmware;
	struct error err = { 0 };

	if (firmware_parse(&firmware, text, &err) == -1)
		fail_msg("%s", err.text);
	return firmware;
}

static struct trust
resolve(const char *device, const char *ca)
{
	const struct model *model;
	struct firmware firmware;
	struct error err = { 0 };
	bool has_firmware;

	if (trust_parse_device(device, &model, &firmware, &has_firmware,
		&err) == -1)
		fail_msg("%s", err.text);
	assert_non_null(registry_find_ca(ca));
	return trust_resolve(model, has_firmware ? &firmware : NULL,
	    registry_find_ca(ca));
}

/* The cross table that a user tested on devices [SPA-LIST-TEST]. */
static void
test_tested_table(void **state)
{
	static const struct {
		const char *device;
		enum verdict linksys, sipura, ciscosb, verisign;
	} rows[] = {
		{ "SPA112@1.3.1(003)", Y, Y, Y, N },
		{ "SPA232D@1.3.1(003_240)", Y, Y, Y, N },
		{ "SPA962@6.1.5(a)", Y, Y, N, U },
		{ "SPA525G2@7.5.4", Y, Y, Y, Y },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct {
			const char *ca;
			enum verdict wanted;
		} cells[] = {
			{ "linksys-prov-1", rows[i].linksys },
			{ "sipura-prov-1", rows[i].sipura },
			{ "ciscosb-prov-1", rows[i].ciscosb },
			{ "verisign-c3-any", rows[i].verisign },
		};

		for (size_t j = 0; j < COUNT(cells); j++) {
			struct trust trust = resolve(rows[i].device,
			    cells[j].ca);

			if (trust.verdict != cells[j].wanted)
				fail_msg("%s %s: %s", rows[i].device,
				    cells[j].ca, verdict_name(trust.verdict));
			assert_non_null(trust.decided_by);
			assert_int_equal(trust.decided_by->basis,
			    cells[j].wanted == U ? BASIS_NONE : BASIS_TESTED);
			assert_int_equal(trust.contradiction_count, 0);
			assert_false(trust.depends_on_firmware);
		}
	}
}

/* The summary of what devices trust, a column after the other. */
static void
test_summary(void **state)
{
	static const struct {
		const char *device;
		enum verdict sipura, linksys, csb1, csb2, g5, bundle, custom;
	} rows[] = {
		{ "PAP2", U, Y, N, N, U, U, U },
		{ "WRTP", U, Y, N, N, U, U, U },
		{ "RTP", U, Y, N, N, U, U, U },
		{ "PAP2T", Y, U, N, N, U, U, U },
		{ "WRP400", Y, U, U, N, U, U, U },
		{ "SPA2000@2.0", Y, U, N, N, U, U, U },
		{ "SPA2000@1.0.33", U, U, N, N, U, U, U },
		{ "SPA2102@2.0.5", Y, U, N, N, U, U, U },
		{ "SPA2102@3.3.6", Y, Y, N, N, U, U, U },
		{ "SPA3000", Y, U, N, N, U, U, U },
		{ "SPA3102", Y, U, N, N, U, U, U },
		{ "SPA901", Y, U, N, N, U, U, U },
		{ "SPA942@6.1.5(a)", Y, U, N, N, U, U, U },
		{ "SPA962@6.1.5(a)", Y, Y, N, N, U, U, U },
		{ "SPA962@5.1.8", Y, U, U, N, U, U, U },
		{ "SPA301@7.5.2b", Y, Y, Y, N, Y, N, Y },
		{ "SPA303@7.5.6", Y, U, Y, Y, U, U, U },
		{ "SPA301@7.6.2g", Y, U, Y, Y, Y, U, U },
		{ "SPA301@7.6.2f", Y, U, Y, Y, U, U, Y },
		{ "SPA501G@7.5.2b", Y, Y, Y, N, Y, N, Y },
		{ "SPA504G@7.5.2b", Y, Y, Y, N, Y, N, Y },
		{ "SPA504G@7.5.2(b)", Y, Y, Y, N, Y, N, Y },
		{ "SPA509G@7.5.2b", Y, Y, Y, N, Y, N, Y },
		{ "SPA504G@7.4.9c", Y, U, Y, N, U, U, U },
		{ "SPA504G@7.5.2", Y, U, Y, N, U, U, U },
		{ "SPA504G@7.5.4", Y, U, Y, N, U, U, U },
		{ "SPA504G@7.5.6", Y, U, Y, Y, U, U, U },
		{ "SPA504G@7.5.6a", Y, U, Y, Y, U, U, U },
		{ "SPA504G@7.6.2f", Y, U, Y, Y, U, U, Y },
		/* "does not mention" is no evidence */
		{ "SPA504G@7.6.2g", Y, U, Y, Y, Y, U, U },
		{ "SPA504G@7.6.2SR7", Y, U, Y, Y, Y, U, U },
		{ "SPA512G@7.5.4", Y, U, Y, N, U, U, U },
		{ "SPA514G@7.5.6", Y, U, Y, Y, U, U, U },
		{ "SPA512G@7.5.7", Y, U, Y, Y, U, U, Y },
		{ "SPA525G@7.5.4", Y, U, Y, N, U, U, U },
		{ "SPA525G2@7.5.4", Y, Y, Y, N, U, U, U },
		{ "SPA525G2@7.5.6", Y, U, Y, Y, U, U, U },
		{ "SPA525G2@7.5.7", Y, U, Y, Y, U, U, Y },
		{ "SPA112@1.3.1(003)", Y, Y, Y, N, U, N, U },
		{ "SPA122@1.3.1(003)", Y, Y, Y, N, U, N, U },
		{ "SPA112@1.3.2", U, U, Y, N, U, N, U },
		{ "SPA112@1.3.3", Y, U, Y, Y, U, N, U },
		{ "SPA122@1.4.1(SR5)", Y, U, Y, Y, U, N, Y },
		{ "SPA232D@1.3.1(003_240)", Y, Y, Y, N, U, U, U },
		{ "SPA232D@1.3.3", Y, U, Y, Y, U, U, U },
		{ "SRP521", U, U, Y, U, U, U, U },
		{ "SRP541", U, U, Y, U, U, U, U },
		{ "CP-6841-3PCC", Y, Y, Y, Y, U, Y, Y },
		{ "CP-7841-3PCC", Y, Y, Y, Y, U, U, Y },
		{ "CP-8841-3PCC", Y, U, U, Y, U, U, Y },
		{ "CP-8831-3PCC", Y, U, U, U, U, Y, U },
		{ "ATA191-MPP", U, U, U, Y, U, U, Y },
		{ "ATA192", U, U, U, Y, U, U, Y },
		{ "DBS-110-3PC@5.1.3", U, U, U, U, U, U, U },
		{ "DP-9841", U, U, U, U, U, U, Y },
		/* Nothing is known of these. */
		{ "SPA1001", U, U, U, U, U, U, U },
		{ "SPA8000@1.3.3", U, U, U, U, U, U, U },
		{ "SPA302D@7.5.6", U, U, U, U, U, U, U },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct {
			const char *ca;
			enum verdict wanted;
		} cells[] = {
			{ "sipura-prov-1", rows[i].sipura },
			{ "linksys-prov-1", rows[i].linksys },
			{ "ciscosb-prov-1", rows[i].csb1 },
			{ "ciscosb-prov-2", rows[i].csb2 },
			{ "verisign-c3-pca-g5", rows[i].g5 },
			{ "public-ca-bundle", rows[i].bundle },
			{ "custom-ca", rows[i].custom },
		};

		for (size_t j = 0; j < COUNT(cells); j++) {
			struct trust trust = resolve(rows[i].device,
			    cells[j].ca);

			if (trust.verdict != cells[j].wanted)
				fail_msg("%s %s: %s, wanted %s", rows[i].device,
				    cells[j].ca, verdict_name(trust.verdict),
				    verdict_name(cells[j].wanted));
		}
	}
}

static void
test_other_cells(void **state)
{
	static const struct {
		const char *device, *ca;
		enum verdict wanted;
		enum basis basis;
	} cells[] = {
		{ "SPA504G@7.5.2b", "verisign-c3-pca-g1", N, BASIS_FIRMWARE },
		{ "SPA504G@7.5.2b", "verisign-c3-ssca-g3", Y, BASIS_FIRMWARE },
		{ "SPA504G@7.5.2b", "linksys-voice-test", Y, BASIS_FIRMWARE },
		{ "SPA504G@7.5.2b", "gte-cybertrust-root", Y, BASIS_FIRMWARE },
		{ "SPA504G@7.5.2b", "isrg-root-x1", N, BASIS_FIRMWARE },
		{ "SPA504G@7.5.2b", "cisco-root-2048", N, BASIS_FIRMWARE },
		{ "SPA504G@7.6.2g", "cisco-root-2048", Y, BASIS_COMMUNITY },
		{ "SPA504G@7.6.2g", "digicert-global-root", Y,
		    BASIS_COMMUNITY },
		{ "SPA504G@7.5.0", "verisign-c3-pca-g1", U, BASIS_NONE },
		{ "SPA525G2@7.5.4", "verisign-c3-pca-g5", U, BASIS_TESTED },
		{ "SPA504G@7.6.2g", "ciscosb-prov-1", Y, BASIS_VENDOR },
		{ "SPA504G@7.6.2g", "ciscosb-prov-2", Y, BASIS_VENDOR },
		{ "SPA504G@7.5.2b", "ciscosb-prov-1", Y, BASIS_FIRMWARE },
		{ "SPA504G@7.5.4", "ciscosb-prov-2", N, BASIS_INFERRED },
		{ "SPA303@7.5.6", "ciscosb-prov-2", Y, BASIS_INFERRED },
		{ "DBS-210-3PC@5.1.3", "isrg-root-x1", Y, BASIS_COMMUNITY },
		{ "SPA9000", "sipura-prov-1", U, BASIS_NONE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cells); i++) {
		struct trust trust = resolve(cells[i].device, cells[i].ca);

		if (trust.verdict != cells[i].wanted)
			fail_msg("%s %s", cells[i].device, cells[i].ca);
		assert_non_null(trust.decided_by);
		assert_int_equal(trust.decided_by->basis, cells[i].basis);
	}
	/* No claim at all. */
	assert_null(resolve("DP-9841", "sipura-prov-1").decided_by);
}

static void
test_without_firmware(void **state)
{
	static const struct {
		const char *model, *ca;
		enum verdict wanted;
		bool depends;
	} cells[] = {
		{ "SPA112", "ciscosb-prov-1", Y, false },
		{ "SPA112", "ciscosb-prov-2", U, true },
		{ "SPA112", "sipura-prov-1", U, true },
		{ "SPA112", "linksys-prov-1", U, true },
		{ "SPA112", "public-ca-bundle", N, false },
		{ "SPA962", "ciscosb-prov-1", U, true },
		{ "SPA962", "sipura-prov-1", Y, false },
		{ "SPA962", "verisign-c3-any", U, false },
		{ "SPA504G", "ciscosb-prov-1", Y, false },
		{ "SPA504G", "ciscosb-prov-2", U, true },
		{ "SPA512G", "verisign-c3-pca-g1", U, false },
		{ "PAP2", "linksys-prov-1", Y, false },
		{ "SPA1001", "linksys-prov-1", U, false },
		{ "CP-8841-3PCC", "custom-ca", Y, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cells); i++) {
		struct trust trust = resolve(cells[i].model, cells[i].ca);

		if (trust.verdict != cells[i].wanted ||
		    trust.depends_on_firmware != cells[i].depends)
			fail_msg("%s %s: %s, %d", cells[i].model, cells[i].ca,
			    verdict_name(trust.verdict),
			    trust.depends_on_firmware);
	}
}

/* Claims of one model and CA made up here, to see each rule at work. */
#define CLAIM(min, max, exclusive, verdict, basis, confidence) \
	{ \
		"custom-ca", "SPA504G", min, max, exclusive, verdict, basis, \
		    confidence, "made up", "ASSUMED" \
	}

static struct trust
weigh(const struct claim *claims, size_t count, const char *text)
{
	const struct model *model = registry_find_model("SPA504G", NULL);
	const struct ca *ca = registry_find_ca("custom-ca");
	struct firmware firmware;

	if (text == NULL)
		return trust_weigh(claims, count, model, NULL, ca);
	firmware = parsed(text);
	return trust_weigh(claims, count, model, &firmware, ca);
}

static void
test_weights(void **state)
{
	/* In each pair the first outweighs the second, in either order. */
	static const struct claim pairs[][2] = {
		{ /* something before unknown, however weak */
		    CLAIM(NULL, NULL, false, Y, BASIS_INFERRED, CONFIDENCE_LOW),
		    CLAIM("7.5.4", "7.5.4", false, U, BASIS_TESTED,
			CONFIDENCE_HIGH) },
		{ /* observed before tested */
		    CLAIM(NULL, NULL, false, N, BASIS_OBSERVED, CONFIDENCE_LOW),
		    CLAIM("7.5.4", "7.5.4", false, Y, BASIS_TESTED,
			CONFIDENCE_HIGH) },
		{ /* basis before range */
		    CLAIM(NULL, NULL, false, Y, BASIS_VENDOR, CONFIDENCE_LOW),
		    CLAIM("7.5.4", "7.5.4", false, N, BASIS_COMMUNITY,
			CONFIDENCE_HIGH) },
		{ /* one version before a range, before confidence */
		    CLAIM("7.5.4", "7.5.4", false, Y, BASIS_VENDOR,
			CONFIDENCE_LOW),
		    CLAIM("7.5", "7.6", false, N, BASIS_VENDOR,
			CONFIDENCE_HIGH) },
		{ /* two ends before one */
		    CLAIM("7.5", "7.6", false, N, BASIS_VENDOR, CONFIDENCE_LOW),
		    CLAIM("7.5", NULL, false, Y, BASIS_VENDOR,
			CONFIDENCE_HIGH) },
		{ /* one end before none */
		    CLAIM(NULL, "7.5.6", true, N, BASIS_VENDOR, CONFIDENCE_LOW),
		    CLAIM(NULL, NULL, false, Y, BASIS_VENDOR,
			CONFIDENCE_HIGH) },
		{ /* the later beginning */
		    CLAIM("7.5", NULL, false, N, BASIS_VENDOR, CONFIDENCE_LOW),
		    CLAIM("7.0", NULL, false, Y, BASIS_VENDOR,
			CONFIDENCE_HIGH) },
		{ /* the earlier end */
		    CLAIM(NULL, "7.5.6", false, N, BASIS_VENDOR,
			CONFIDENCE_LOW),
		    CLAIM(NULL, "7.6", false, Y, BASIS_VENDOR,
			CONFIDENCE_HIGH) },
		{ /* an end that is left out */
		    CLAIM(NULL, "7.5.6", true, N, BASIS_VENDOR, CONFIDENCE_LOW),
		    CLAIM(NULL, "7.5.6", false, Y, BASIS_VENDOR,
			CONFIDENCE_HIGH) },
		{ /* a beginning before an end */
		    CLAIM("7.0", NULL, false, N, BASIS_VENDOR, CONFIDENCE_LOW),
		    CLAIM(NULL, "7.6", false, Y, BASIS_VENDOR,
			CONFIDENCE_HIGH) },
		{ /* confidence last */
		    CLAIM(NULL, NULL, false, N, BASIS_VENDOR, CONFIDENCE_HIGH),
		    CLAIM(NULL, NULL, false, Y, BASIS_VENDOR,
			CONFIDENCE_MEDIUM) },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		const struct claim turned[2] = { pairs[i][1], pairs[i][0] };
		struct trust trust = weigh(pairs[i], 2, "7.5.4");
		bool contradicted = pairs[i][1].verdict != U;

		assert_ptr_equal(trust.decided_by, &pairs[i][0]);
		assert_int_equal(trust.verdict, pairs[i][0].verdict);
		assert_int_equal(trust.contradiction_count, contradicted);
		if (contradicted)
			assert_ptr_equal(trust.contradiction[0], &pairs[i][1]);
		trust = weigh(turned, 2, "7.5.4");
		assert_ptr_equal(trust.decided_by, &turned[1]);
	}
}

static void
test_equal_weights(void **state)
{
	static const struct claim equal[] = {
		CLAIM(NULL, NULL, false, N, BASIS_VENDOR, CONFIDENCE_HIGH),
		CLAIM(NULL, NULL, false, Y, BASIS_VENDOR, CONFIDENCE_HIGH),
	};
	struct trust trust = weigh(equal, 2, "7.5.4");

	(void)state;
	assert_ptr_equal(trust.decided_by, &equal[0]);
	assert_int_equal(trust.contradiction_count, 1);
	assert_ptr_equal(trust.contradiction[0], &equal[1]);
}

static void
test_bounds(void **state)
{
	static const struct {
		const char *min, *max;
		bool exclusive;
		const char *firmware;
		bool holds;
	} cases[] = {
		{ "7.5.6", NULL, false, "7.5.6", true },
		{ "7.5.6", NULL, false, "7.5.6a", true },
		{ "7.5.6", NULL, false, "7.10", true },
		{ "7.5.6", NULL, false, "7.5.4", false },
		{ NULL, "7.5.6", true, "7.5.6", false },
		{ NULL, "7.5.6", true, "7.5.4z", true },
		{ NULL, "7.5.6", true, "7.5.6a", false },
		{ NULL, "7.5.6", false, "7.5.6", true },
		{ NULL, "7.5.6", false, "7.5.6a", false },
		{ "7.5.2b", "7.5.2b", false, "7.5.2b", true },
		{ "7.5.2b", "7.5.2b", false, "7.5.2(b)", true },
		{ "7.5.2b", "7.5.2b", false, "7.5.2", false },
		{ "7.5.2b", "7.5.2b", false, "7.5.2c", false },
		{ "7.0", "7.5.1", false, "7.0", true },
		{ "7.0", "7.5.1", false, "7.5.1", true },
		{ "7.0", "7.5.1", false, "7.5.2", false },
		{ "7.0", "7.5.1", false, "6.9", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct claim claim = CLAIM(cases[i].min, cases[i].max,
		    cases[i].exclusive, Y, BASIS_TESTED, CONFIDENCE_HIGH);
		struct trust trust = weigh(&claim, 1, cases[i].firmware);

		if ((trust.decided_by != NULL) != cases[i].holds)
			fail_msg("%s at %s",
			    cases[i].min == NULL ? "*" : cases[i].min,
			    cases[i].firmware);
		/* Something is decided for some versions, not for all. */
		trust = weigh(&claim, 1, NULL);
		assert_int_equal(trust.verdict, U);
		assert_true(trust.depends_on_firmware);
	}
}

static void
test_depends_on_firmware(void **state)
{
	/* Ranges that together say what the claim about all says. */
	static const struct claim same[] = {
		CLAIM(NULL, "7.5.6", true, Y, BASIS_TESTED, CONFIDENCE_HIGH),
		CLAIM("7.5.6", NULL, false, Y, BASIS_TESTED, CONFIDENCE_HIGH),
		CLAIM(NULL, NULL, false, Y, BASIS_INFERRED, CONFIDENCE_HIGH),
		/* Says otherwise, but is outweighed everywhere. */
		CLAIM("7.6", "7.7", false, N, BASIS_INFERRED, CONFIDENCE_HIGH),
	};
	/* One version between them is left to the claim about all. */
	static const struct claim gap[] = {
		CLAIM(NULL, "7.5.6", true, Y, BASIS_TESTED, CONFIDENCE_HIGH),
		CLAIM("7.5.6", "7.5.6", false, N, BASIS_TESTED,
		    CONFIDENCE_HIGH),
		CLAIM(NULL, NULL, false, Y, BASIS_INFERRED, CONFIDENCE_HIGH),
	};
	/* Only below every bound, only above every bound. */
	static const struct claim below[] = {
		CLAIM(NULL, "7.6", false, N, BASIS_VENDOR, CONFIDENCE_HIGH),
		CLAIM("7.5", "7.7", false, Y, BASIS_TESTED, CONFIDENCE_HIGH),
		CLAIM(NULL, NULL, false, Y, BASIS_INFERRED, CONFIDENCE_HIGH),
	};
	static const struct claim above[] = {
		CLAIM("7.5", NULL, false, N, BASIS_VENDOR, CONFIDENCE_HIGH),
		CLAIM("7.4", "7.6", false, Y, BASIS_TESTED, CONFIDENCE_HIGH),
		CLAIM(NULL, NULL, false, Y, BASIS_INFERRED, CONFIDENCE_HIGH),
	};
	struct trust trust = weigh(same, COUNT(same), NULL);

	(void)state;
	assert_int_equal(trust.verdict, Y);
	assert_false(trust.depends_on_firmware);
	trust = weigh(gap, COUNT(gap), NULL);
	assert_int_equal(trust.verdict, Y);
	assert_true(trust.depends_on_firmware);
	assert_ptr_equal(trust.decided_by, &gap[2]);
	assert_true(weigh(below, COUNT(below), NULL).depends_on_firmware);
	assert_true(weigh(above, COUNT(above), NULL).depends_on_firmware);
}

static void
test_contradictions(void **state)
{
	struct claim claims[TRUST_CONTRADICTIONS_MAX + 4];
	const size_t count = COUNT(claims);
	struct trust trust;

	(void)state;
	/* The weakest first; one trusted among those that deny. */
	for (size_t i = 0; i < count; i++) {
		const struct claim claim = CLAIM(NULL, NULL, false, N,
		    i < 4 ? BASIS_INFERRED : BASIS_COMMUNITY,
		    i % 2 == 0 ? CONFIDENCE_LOW : CONFIDENCE_HIGH);

		claims[i] = claim;
	}
	claims[5].verdict = Y;
	claims[5].basis = BASIS_TESTED;
	claims[6].verdict = U;
	claims[7].model = "SPA508G";
	claims[8].ca = "isrg-root-x1";
	trust = weigh(claims, count, "7.5.4");
	assert_ptr_equal(trust.decided_by, &claims[5]);
	assert_int_equal(trust.contradiction_count, TRUST_CONTRADICTIONS_MAX);
	assert_ptr_equal(trust.contradiction[0], &claims[9]);
	assert_ptr_equal(trust.contradiction[1], &claims[11]);
	assert_ptr_equal(trust.contradiction[2], &claims[4]);
	assert_ptr_equal(trust.contradiction[3], &claims[10]);
	assert_ptr_equal(trust.contradiction[4], &claims[1]);
	/* More than there is room for: the strongest stay. */
	claims[6].verdict = N;
	claims[6].basis = BASIS_FIRMWARE;
	claims[7].model = "SPA504G";
	claims[8].ca = "custom-ca";
	claims[11].basis = BASIS_VENDOR;
	trust = weigh(claims, count, "7.5.4");
	assert_int_equal(trust.contradiction_count, TRUST_CONTRADICTIONS_MAX);
	assert_ptr_equal(trust.contradiction[0], &claims[6]);
	assert_ptr_equal(trust.contradiction[1], &claims[11]);
	assert_ptr_equal(trust.contradiction[7], &claims[1]);
	/* Equal ones: those that come first in the table. */
	for (size_t i = 1; i < count; i++)
		claims[i] = claims[0];
	claims[0].verdict = Y;
	claims[0].basis = BASIS_TESTED;
	trust = weigh(claims, count, "7.5.4");
	for (size_t i = 0; i < TRUST_CONTRADICTIONS_MAX; i++)
		assert_ptr_equal(trust.contradiction[i], &claims[i + 1]);
}

static void
test_parse_device(void **state)
{
	static const struct {
		const char *text, *model, *firmware; /* model NULL: refused */
		const char *says;		     /* part of the refusal */
	} cases[] = {
		{ "SPA504G@7.5.2b", "SPA504G", "7.5.2b", NULL },
		{ "spa-504g@7.5.2b", "SPA504G", "7.5.2b", NULL },
		{ "SPA504G", "SPA504G", NULL, NULL },
		{ "SPA112@1.4.1 SR5", "SPA112", "1.4.1 SR5", NULL },
		{ "CP-8841-3PCC@12.0(7)SR2", "CP-8841-3PCC", "12.0(7)SR2",
		    NULL },
		{ "SPA504", NULL, NULL, "did you mean SPA504G" },
		{ "SPA505G@7.5.2", NULL, NULL, "did you mean SPA50" },
		{ "toaster-oven-9000-x", NULL, NULL, "is not known" },
		{ "SPA504G@", NULL, NULL, "a part is missing" },
		{ "SPA504G@latest", NULL, NULL, "a number is wanted" },
		{ "SPA504G@7.5.2@7", NULL, NULL, "character" },
		{ "@7.5.2", NULL, NULL, "MODEL@FIRMWARE" },
		{ "", NULL, NULL, "MODEL@FIRMWARE" },
		{ "a\x01", NULL, NULL, "\\x01" },
		{ "0123456789012345678901234567890123456789012345678901234567"
		  "8901234",
		    NULL, NULL, "MODEL@FIRMWARE" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct model *model = NULL;
		struct firmware firmware = { .text = "untouched" };
		struct error err = { 0 };
		bool has_firmware = true;
		int rc = trust_parse_device(cases[i].text, &model, &firmware,
		    &has_firmware, &err);

		if (cases[i].model == NULL) {
			assert_int_equal(rc, -1);
			assert_int_equal(err.kind, ERROR_INPUT);
			if (strstr(err.text, cases[i].says) == NULL)
				fail_msg("%s", err.text);
			assert_null(model);
			assert_string_equal(firmware.text, "untouched");
			continue;
		}
		assert_int_equal(rc, 0);
		assert_string_equal(model->name, cases[i].model);
		assert_int_equal(has_firmware, cases[i].firmware != NULL);
		if (has_firmware)
			assert_string_equal(firmware.text, cases[i].firmware);
	}
}

#define DISTINCT_MAX 16

static void
test_distinct_firmware(void **state)
{
	static const struct {
		const char *model;
		const char *versions[DISTINCT_MAX];
	} cases[] = {
		{ "SPA112", { "1.3.1(003)", "1.3.3", "1.4.1" } },
		{ "SPA122", { "1.3.1(003)", "1.3.3", "1.4.1" } },
		{ "SPA232D", { "1.3.1(003_240)", "1.3.3" } },
		{ "SPA962", { "5.1.8", "6.1.5(a)" } },
		{ "SPA942", { "6.1.5(a)" } }, /* the newest that is known */
		{ "SPA2102", { "2.0", "2.0.5", "3" } },
		{ "SPA2000", { "2.0" } },
		{ "WRP400", { "2.00.26" } },
		{ "SPA525G2",
		    { "7.5.2b", "7.5.4", "7.5.6", "7.5.7", "7.6.1",
			"7.6.2f" } },
		{ "SPA504G",
		    { "7.4.9c", "7.5.2b", "7.5.4", "7.5.6", "7.6.1", "7.6.2f",
			"7.6.2g" } },
		{ "SPA301", { "7.5.2b", "7.5.6", "7.6.2f", "7.6.2g" } },
		{ "ATA191-MPP",
		    { "11.1(0)MSR2", "11.1(0)MSR4", "11.2(4)", "11.3(1)" } },
		{ "CP-8841-3PCC", { "12.0(3)", "12.0(7)SR2" } },
		{ "CP-8832-3PCC", { "12.0(3)", "12.0(7)SR2", "12.0(7)SR3" } },
		{ "DBS-110-3PC", { "5.1.3" } },
		{ "PAP2", { NULL } },
		{ "SPA1001", { NULL } },
	};
	struct firmware list[DISTINCT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t
		    wanted = 0,
		    count =
			trust_distinct_firmware(registry_find_model(cases[i]
									.model,
						    NULL),
			    list, DISTINCT_MAX);

		while (cases[i].versions[wanted] != NULL)
			wanted++;
		for (size_t j = 0; j < count && j < wanted; j++)
			assert_string_equal(list[j].text, cases[i].versions[j]);
		if (count != wanted)
			fail_msg("%s: %zu versions", cases[i].model, count);
	}
}

static void
test_distinct_firmware_room(void **state)
{
	const struct model *model = registry_find_model("SPA504G", NULL);
	struct firmware all[DISTINCT_MAX], few[DISTINCT_MAX];
	size_t count = trust_distinct_firmware(model, all, DISTINCT_MAX);

	(void)state;
	for (size_t max = 0; max <= count; max++) {
		assert_int_equal(trust_distinct_firmware(model, few, max), max);
		for (size_t i = 0; i < max; i++)
			assert_string_equal(few[i].text, all[i].text);
	}
}

/*
 * Between two neighbours of the list nothing changes: every version of the
 * registry has the verdicts and the stack of the last listed one below it,
 * where that one is not an exact version that stands alone.
 */
static void
test_distinct_firmware_is_enough(void **state)
{
	(void)state;
	for (size_t i = 0; i < registry_model_count; i++) {
		const struct model *model = &registry_models[i];
		struct firmware list[DISTINCT_MAX];
		size_t count = trust_distinct_firmware(model, list,
		    DISTINCT_MAX);

		assert_true(count < DISTINCT_MAX);
		for (size_t j = 1; j < count; j++)
			assert_true(firmware_compare(&list[j - 1], &list[j]) <
			    0);
		for (size_t r = 0; r < registry_release_count; r++) {
			struct firmware version;
			bool alike = false;

			if (strcmp(registry_releases[r].family,
				model->family) != 0)
				continue;
			version = parsed(registry_releases[r].version);
			for (size_t j = 0; j < count && !alike; j++) {
				alike = registry_find_stack(model, &list[j]) ==
				    registry_find_stack(model, &version);
				for (size_t c = 0; c < registry_ca_count; c++)
					alike = alike &&
					    trust_resolve(model, &list[j],
						&registry_cas[c])
						    .verdict ==
						trust_resolve(model, &version,
						    &registry_cas[c])
						    .verdict;
			}
			if (!alike)
				fail_msg("%s@%s is like none that is listed",
				    model->name, version.text);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tested_table),
		cmocka_unit_test(test_summary),
		cmocka_unit_test(test_other_cells),
		cmocka_unit_test(test_without_firmware),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_equal_weights),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_depends_on_firmware),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_parse_device),
		cmocka_unit_test(test_distinct_firmware),
		cmocka_unit_test(test_distinct_firmware_room),
		cmocka_unit_test(test_distinct_firmware_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
