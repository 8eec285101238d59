#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "spa/knowledge.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define HEADS KNOWLEDGE_HEADS "\n"
#define ROW \
	"ciscosb-prov-2\tSPA504G\t7.5.2b\t7.5.2b\ttrusted\ttested\t" \
	"high\ttried\town\n"

static struct firmware
parsed(const char *text)
{
	struct firmware firmware;
	struct error err = { 0 };

	if (firmware_parse(&firmware, text, &err) == -1)
		fail_msg("%s", err.text);
	return firmware;
}

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

static struct knowledge *
knowing(const char *text)
{
	struct knowledge *knowledge = knowledge_new();
	struct errors errors = { 0 };

	if (knowledge_add(knowledge, "claims.tsv", text, strlen(text),
		&errors) != 0)
		fail_msg("%s", errors.text[0]);
	assert_int_equal(errors.count, 0);
	errors_clear(&errors);
	return knowledge;
}

static bool
same_claim(const struct claim *a, const struct claim *b)
{
	return (a == NULL) == (b == NULL) &&
	    (a == NULL ||
		(strcmp(a->ca, b->ca) == 0 && strcmp(a->model, b->model) == 0 &&
		    a->reason == b->reason && a->basis == b->basis));
}

/* Without own claims: the same answer as the registry alone, for all. */
static void
test_as_trust(void **state)
{
	static const char *const versions[] = { NULL, "1.3.1(003)", "1.3.3",
		"6.1.5(a)", "7.5.2b", "7.5.6", "7.6.2g", "12-0-3MPP0001-87" };
	struct knowledge *knowledge = knowledge_new();

	(void)state;
	for (size_t m = 0; m < registry_model_count; m++) {
		for (size_t c = 0; c < registry_ca_count; c++) {
			for (size_t v = 0; v < COUNT(versions); v++) {
				struct firmware firmware, *at = NULL;
				struct trust a, b;

				if (versions[v] != NULL) {
					firmware = parsed(versions[v]);
					at = &firmware;
				}
				a = trust_resolve(&registry_models[m], at,
				    &registry_cas[c]);
				b = knowledge_resolve(knowledge,
				    &registry_models[m], at, &registry_cas[c]);
				assert_int_equal(a.verdict, b.verdict);
				assert_true(same_claim(a.decided_by,
				    b.decided_by));
				assert_int_equal(a.contradiction_count,
				    b.contradiction_count);
				assert_int_equal(a.depends_on_firmware,
				    b.depends_on_firmware);
			}
		}
	}
	knowledge_free(knowledge);
	knowledge_free(NULL);
}

/* An own test outranks the firmware image, which is then told. */
static void
test_own_claims(void **state)
{
	struct knowledge *knowledge = knowing(HEADS
	    "# a comment\n\n" ROW
	    "linksys-prov-1\tSPA-962\t*\t<6.1.5(a)\tnot\tobserved\thigh\t"
	    "refused with unknown_ca\tserver\n"
	    "*\tSPA901\t*\t*\tunknown\tnone\tnone\tnobody tried\town\n"
	    /* the last line needs no newline */
	    "sipura-prov-1\tSPA962\t6.1.5(a)\t6.1.5(a)\tnot\ttested\thigh\t"
	    "my unit refuses\town");
	struct firmware firmware = parsed("7.5.2b");
	const struct claim *own;
	struct trust trust;
	size_t count;

	(void)state;
	trust = knowledge_resolve(knowledge, model_named("SPA504G"), &firmware,
	    ca_named("ciscosb-prov-2"));
	assert_int_equal(trust.verdict, VERDICT_TRUSTED);
	assert_int_equal(trust.decided_by->basis, BASIS_TESTED);
	assert_string_equal(trust.decided_by->reason, "tried");
	assert_true(knowledge_is_own(knowledge, trust.decided_by));
	assert_true(trust.contradiction_count >= 1);
	assert_int_equal(trust.contradiction[0]->basis, BASIS_FIRMWARE);
	assert_false(knowledge_is_own(knowledge, trust.contradiction[0]));
	assert_false(knowledge_is_own(knowledge, &registry_claims[0]));

	/* Equal in all else: the own test before the registry's. */
	firmware = parsed("6.1.5(a)");
	trust = knowledge_resolve(knowledge, model_named("SPA962"), &firmware,
	    ca_named("sipura-prov-1"));
	assert_int_equal(trust.verdict, VERDICT_NOT);
	assert_true(knowledge_is_own(knowledge, trust.decided_by));

	firmware = parsed("5.1");
	trust = knowledge_resolve(knowledge, model_named("SPA962"), &firmware,
	    ca_named("linksys-prov-1"));
	assert_int_equal(trust.verdict, VERDICT_NOT);
	assert_int_equal(trust.decided_by->basis, BASIS_OBSERVED);

	own = knowledge_own(knowledge, &count);
	assert_int_equal(count, 4);
	assert_string_equal(own[1].model, "SPA962");
	assert_true(own[1].max_exclusive);
	assert_null(own[1].firmware_min);
	assert_string_equal(own[2].ca, "*");
	assert_string_equal(own[3].source, "own");
	knowledge_free(knowledge);
}

static void
test_empty(void **state)
{
	static const char *const texts[] = { "", HEADS, KNOWLEDGE_HEADS,
		HEADS "# nothing\n\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct knowledge *knowledge = knowing(texts[i]);
		size_t count;

		(void)knowledge_own(knowledge, &count);
		assert_int_equal(count, 0);
		knowledge_free(knowledge);
	}
}

static const struct {
	const char *text;
	const char *errors; /* all of them, a newline after each */
} refused[] = {
	{ "what\n",
	    "f:1: column heads: wanted ca model firmware_min "
	    "firmware_max verdict basis confidence reason source, with tabs "
	    "between them\n" },
	{ HEADS "a\tb\n", "f:2: 2 columns: wanted 9\n" },
	{ HEADS "ciscosb-prov-3\tSPA504X\t*\t*\ttrusted\ttested\thigh\tr\ts\n",
	    "f:2: ca \"ciscosb-prov-3\": is unknown; did you mean "
	    "ciscosb-prov-1?\n"
	    "f:2: model \"SPA504X\": is unknown; did you mean SPA504G?\n" },
	{ HEADS "xyzzyxyzzyxyzzy\txyzzyxyzzyxyzzy\t*\t*\ttrusted\ttested\t"
		"high\tr\ts\n",
	    "f:2: ca \"xyzzyxyzzyxyzzy\": is unknown; see \"sprov ca list\"\n"
	    "f:2: model \"xyzzyxyzzyxyzzy\": is unknown\n" },
	{ HEADS "cmca\tSPA504G\t*\t*\ttrusted\ttested\thigh\tr\ts\n",
	    "f:2: ca \"cmca\": is no server CA\n" },
	{ HEADS "*\tSPA504G\t*\t*\tnot\ttested\thigh\tr\ts\n",
	    "f:2: ca \"*\" is for the verdict unknown\n" },
	{ HEADS "sipura-prov-1\tSPA504G\t7.6\t7.5\tnot\ttested\thigh\tr\ts\n",
	    "f:2: no firmware is in 7.6 to 7.5\n" },
	{ HEADS "sipura-prov-1\tSPA504G\t7.6\t<7.6\tnot\ttested\thigh\tr\ts\n",
	    "f:2: no firmware is in 7.6 to <7.6\n" },
	{ HEADS "sipura-prov-1\tSPA504G\t*\t<*\tnot\ttested\thigh\tr\ts\n",
	    "f:2: firmware_max \"<*\": \"<\" needs a version\n" },
	{ HEADS "sipura-prov-1\tSPA504G\t*\t*\tyes\tseen\tsure\tr\ts\n",
	    "f:2: verdict \"yes\": wanted one of unknown, not, trusted\n"
	    "f:2: basis \"seen\": wanted one of observed, tested, firmware, "
	    "vendor, community, inferred, none\n"
	    "f:2: confidence \"sure\": wanted one of high, medium, low, "
	    "none\n" },
	{ HEADS "sipura-prov-1\tSPA504G\t*\t*\tnot\tnone\tnone\tr\ts\n",
	    "f:2: without a basis, verdict is unknown and confidence none\n" },
	{ HEADS "sipura-prov-1\tSPA504G\t*\t*\tnot\ttested\tnone\tr\ts\n",
	    "f:2: a basis needs a confidence\n" },
	{ HEADS "sipura-prov-1\tSPA504G\t*\t*\tnot\ttested\thigh\t-\t-\n",
	    "f:2: reason is empty\nf:2: no source\n" },
	{ HEADS "sipura-prov-1\tSPA504G\t*\t*\tnot\ttested\thigh\tr\t\n",
	    "f:2: an empty cell, or one with blanks around it: wanted \"-\" "
	    "where there is nothing\n" },
	{ HEADS "sipura-prov-1\tSPA504G\t*\t*\tnot\ttested\thigh\t r\ts\n",
	    "f:2: an empty cell, or one with blanks around it: wanted \"-\" "
	    "where there is nothing\n" },
	{ HEADS "sipura-prov-1\tSPA504G\t*\t*\tnot\ttested\thigh\tr \ts\n",
	    "f:2: an empty cell, or one with blanks around it: wanted \"-\" "
	    "where there is nothing\n" },
	{ HEADS "sipura-prov-1\tSPA504G\t*\t*\tnot\ttested\thigh\tr\ts\r\n",
	    "f:2: a character outside printable ASCII\n" },
	{ HEADS "sipura-prov-1\tSPA504G\t*\t*\tnot\ttested\thigh\tgepr\xc3\xbc"
		"ft\ts\n",
	    "f:2: a character outside printable ASCII\n" },
	{ HEADS ROW "# between\n" ROW ROW,
	    "f:4: this claim stands in line 2 already\n"
	    "f:5: this claim stands in line 2 already\n" },
	/* The same by another spelling. */
	{ HEADS
	    "custom-ca\tSPA122\t1.4.1(SR5)\t*\tnot\ttested\thigh\tr\ts\n"
	    "custom-ca\tSPA-122\t1.4.1 SR5\t*\ttrusted\ttested\thigh\tr\ts\n",
	    "f:3: this claim stands in line 2 already\n" },
};

static void
test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct knowledge *knowledge = knowing(HEADS ROW);
		struct errors errors = { 0 };
		char all[2048] = "";
		size_t count;

		assert_int_equal(knowledge_add(knowledge, "f", refused[i].text,
				     strlen(refused[i].text), &errors),
		    -1);
		for (size_t j = 0; j < errors.kept; j++) {
			(void)strncat(all, errors.text[j],
			    sizeof(all) - strlen(all) - 1);
			(void)strncat(all, "\n", sizeof(all) - strlen(all) - 1);
		}
		assert_string_equal(all, refused[i].errors);
		errors_clear(&errors);
		/* None went in. */
		(void)knowledge_own(knowledge, &count);
		assert_int_equal(count, 1);
		knowledge_free(knowledge);
	}
}

/* What is said of a version is up to firmware.c. */
static void
test_bad_version(void **state)
{
	static const char text[] = HEADS
	    "sipura-prov-1\tSPA504G\t7..5\t<x\tnot\ttested\thigh\tr\ts\n";
	struct knowledge *knowledge = knowledge_new();
	struct errors errors = { 0 };

	(void)state;
	assert_int_equal(knowledge_add(knowledge, "f", text, strlen(text),
			     &errors),
	    -1);
	assert_int_equal(errors.count, 2);
	assert_memory_equal(errors.text[0], "f:2: firmware_min \"7..5\": ", 26);
	assert_memory_equal(errors.text[1], "f:2: firmware_max \"<x\": ", 24);
	errors_clear(&errors);
	knowledge_free(knowledge);
}

static void
test_limits(void **state)
{
	struct knowledge *knowledge = knowledge_new();
	struct errors errors = { 0 };
	size_t used, size = KNOWLEDGE_TEXT_MAX + 1;
	char *text = xcalloc(1, size + 1);

	(void)state;
	assert_int_equal(knowledge_add(knowledge, "f", text, size, &errors),
	    -1);
	assert_string_equal(errors.text[0],
	    "f: 4194305 bytes long: at most "
	    "4194304 are allowed");
	errors_clear(&errors);
	(void)snprintf(text, size, "%s", HEADS);
	used = strlen(text);
	for (int i = 0; i < KNOWLEDGE_OWN_MAX + 1; i++)
		used += (size_t)snprintf(text + used, size - used,
		    "custom-ca\tSPA122\t9.%d\t*\tnot\ttested\thigh\tr\ts\n", i);
	assert_int_equal(knowledge_add(knowledge, "f", text, used, &errors),
	    -1);
	assert_int_equal(errors.count, 1);
	assert_string_equal(errors.text[0], "f:20002: more than 20000 claims");
	errors_clear(&errors);
	free(text);
	knowledge_free(knowledge);
}

/* ---------------------------------------------------------------- spans */

static const struct {
	const char *model, *ca;
	const char *words; /* "range verdict; ..." */
} span_cases[] = {
	{ "SPA122", "ciscosb-prov-2",
	    "before 1.3.3 not; "
	    "1.3.3 and later trusted; " },
	{ "SPA122", "ciscosb-prov-1", "any firmware trusted; " },
	{ "SPA122", "sipura-prov-1",
	    "before 1.3.1(003) unknown; "
	    "1.3.1(003) only trusted; after 1.3.1(003), before 1.3.3 unknown; "
	    "1.3.3 and later trusted; " },
	{ "SPA962", "ciscosb-prov-1",
	    "before 6.1.5(a) unknown; "
	    "6.1.5(a) only not; after 6.1.5(a) unknown; " },
	{ "SPA504G", "verisign-c3-pca-g1",
	    "before 7.5.2b unknown; "
	    "7.5.2b only not; after 7.5.2b unknown; " },
	{ "SPA504G", "isrg-root-x1",
	    "before 7.5.2b unknown; "
	    "7.5.2b only not; after 7.5.2b unknown; " },
	{ "SPA962", "linksys-voice-test", "any firmware unknown; " },
};

static void
test_spans(void **state)
{
	struct knowledge *knowledge = knowledge_new();

	(void)state;
	for (size_t i = 0; i < COUNT(span_cases); i++) {
		char words[512] = "", range[KNOWLEDGE_RANGE_BYTES];
		size_t count;
		struct knowledge_span *spans = knowledge_spans(knowledge,
		    model_named(span_cases[i].model),
		    ca_named(span_cases[i].ca), &count);

		for (size_t j = 0; j < count; j++) {
			size_t used = strlen(words);

			knowledge_range_text(&spans[j], range);
			(void)snprintf(words + used, sizeof(words) - used,
			    "%s %s; ", range,
			    verdict_name(spans[j].trust.verdict));
		}
		assert_string_equal(words, span_cases[i].words);
		free(spans);
	}
	knowledge_free(knowledge);
}

/* Closed ranges of own claims, and what is told beside the newest claim. */
static void
test_span_words(void **state)
{
	struct knowledge *knowledge = knowing(HEADS
	    "custom-ca\tSPA962\t5.1\t5.2\ttrusted\ttested\thigh\tone\town\n"
	    "custom-ca\tSPA962\t5.2\t<6.0\ttrusted\ttested\thigh\ttwo\town\n"
	    "custom-ca\tSPA962\t*\t4.0\tnot\ttested\thigh\tthree\town\n"
	    "custom-ca\tSPA962\t5.1.5\t5.1.5\tnot\tvendor\thigh\tfour\tdoc\n");
	char range[KNOWLEDGE_RANGE_BYTES];
	struct knowledge_span *spans;
	size_t count;

	(void)state;
	spans = knowledge_spans(knowledge, model_named("SPA962"),
	    ca_named("custom-ca"), &count);
	assert_int_equal(count, 4);
	knowledge_range_text(&spans[0], range);
	assert_string_equal(range, "4.0 and earlier");
	knowledge_range_text(&spans[1], range);
	assert_string_equal(range, "after 4.0, before 5.1");
	knowledge_range_text(&spans[2], range);
	assert_string_equal(range, "5.1, before 6.0");
	assert_string_equal(spans[2].trust.decided_by->reason, "two");
	assert_int_equal(spans[2].also_count, 1);
	assert_string_equal(spans[2].also[0]->reason, "one");
	assert_int_equal(spans[2].trust.contradiction_count, 1);
	assert_string_equal(spans[2].trust.contradiction[0]->reason, "four");
	knowledge_range_text(&spans[3], range);
	assert_string_equal(range, "6.0 and later");
	free(spans);
	knowledge_free(knowledge);
}

/* Each span says what the resolver says of every version in it. */
static void
test_spans_agree(void **state)
{
	struct knowledge *knowledge = knowledge_new();
	struct firmware list[32];

	(void)state;
	for (size_t m = 0; m < registry_model_count; m++) {
		const struct model *model = &registry_models[m];
		size_t n = trust_distinct_firmware(model, list, COUNT(list));

		for (size_t c = 0; c < registry_ca_count; c++) {
			size_t count, s = 0;
			struct knowledge_span *spans =
			    knowledge_spans(knowledge, model, &registry_cas[c],
				&count);

			assert_false(spans[0].has_from);
			assert_false(spans[count - 1].has_to);
			for (size_t v = 0; v < n; v++) {
				int order;

				while (spans[s].has_to &&
				    ((order = firmware_compare(&list[v],
					  &spans[s].to)) > 0 ||
					(order == 0 && spans[s].to_exclusive)))
					s++;
				assert_int_equal(spans[s].trust.verdict,
				    knowledge_resolve(knowledge, model,
					&list[v], &registry_cas[c])
					.verdict);
			}
			free(spans);
		}
	}
	knowledge_free(knowledge);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_trust),
		cmocka_unit_test(test_own_claims),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bad_version),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_span_words),
		cmocka_unit_test(test_spans_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
