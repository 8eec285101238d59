#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mac.h"
#include "provision/route.h"
#include "spa/registry.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct routes *
one_route(const char *pattern)
{
	struct routes *routes = routes_new();
	struct error err;

	if (routes_add(routes, ROUTE_COMMON, pattern, "t.xml", &err) != 0)
		fail_msg("%s", err.text);
	return routes;
}

#define A "000e08aabbcc"
static const struct {
	const char *pattern, *path;
	bool matches;
	const char *mac;	      /* NULL: the path names none */
	const char *product, *series; /* ditto */
} cases[] = {
	/* No macro */
	{ "/", "/", true, NULL, NULL, NULL },
	{ "/", "/a", false, NULL, NULL, NULL },
	{ "/init.cfg", "/init.cfg", true, NULL, NULL, NULL },
	{ "/init.cfg", "/Init.cfg", false, NULL, NULL, NULL },
	{ "/init.cfg", "/init.cf", false, NULL, NULL, NULL },
	{ "/init.cfg", "/init.cfgx", false, NULL, NULL, NULL },
	{ "/init.cfg", "", false, NULL, NULL, NULL },
	/* Every macro of a MAC takes every spelling. */
	{ "/$MA", "/" A, true, A, NULL, NULL },
	{ "/$MA", "/000E08AABBCC", true, A, NULL, NULL },
	{ "/$MA", "/000e08AABBcc", true, A, NULL, NULL },
	{ "/$MA", "/00:0e:08:aa:bb:cc", true, A, NULL, NULL },
	{ "/$MA", "/00-0E-08-AA-BB-CC", true, A, NULL, NULL },
	{ "/$MAU", "/" A, true, A, NULL, NULL },
	{ "/$MAU", "/000E08AABBCC", true, A, NULL, NULL },
	{ "/$MAC", "/" A, true, A, NULL, NULL },
	{ "/$MAC", "/00:0e:08:aa:bb:cc", true, A, NULL, NULL },
	{ "/$MAX", "/" A "X", true, A, NULL, NULL },
	{ "/$MACs", "/" A "s", true, A, NULL, NULL },
	{ "/$MAUC", "/" A "C", true, A, NULL, NULL },
	{ "/$MA", "/000e08aabbc", false, NULL, NULL, NULL },
	{ "/$MA", "/000e08aabbccd", false, NULL, NULL, NULL },
	{ "/$MA", "/000e08aabbcg", false, NULL, NULL, NULL },
	{ "/$MA", "/00:0e-08:aa:bb:cc", false, NULL, NULL, NULL },
	{ "/$MA", "/00:0e:08:aa:bb:c", false, NULL, NULL, NULL },
	{ "/$MA", "/", false, NULL, NULL, NULL },
	{ "/$MA", "/$MA", false, NULL, NULL, NULL },
	/* With text around it */
	{ "/spa$MA.cfg", "/spa" A ".cfg", true, A, NULL, NULL },
	{ "/spa$MA.cfg", "/spa000E08AABBCC.cfg", true, A, NULL, NULL },
	{ "/spa$MA.cfg", "/SPA" A ".cfg", false, NULL, NULL, NULL },
	{ "/spa$MA.cfg", "/spa" A ".CFG", false, NULL, NULL, NULL },
	{ "/spa$MA.cfg", "/spa" A ".cfg.cfg", false, NULL, NULL, NULL },
	{ "/spa$MA.cfg", "/spa" A, false, NULL, NULL, NULL },
	{ "/spa$MA.cfg", "/spa.cfg", false, NULL, NULL, NULL },
	{ "/spa$MA.cfg", "/spa", false, NULL, NULL, NULL },
	{ "/spa$MA.cfg", "/a/spa" A ".cfg", false, NULL, NULL, NULL },
	/* Text that may stand in a MAC, too */
	{ "/$MA-x.cfg", "/00-0e-08-aa-bb-cc-x.cfg", true, A, NULL, NULL },
	{ "/$MA:8", "/00:0e:08:aa:bb:cc:8", true, A, NULL, NULL },
	{ "/$MA-1", "/" A "-1", true, A, NULL, NULL },
	{ "/$MA0", "/000e080aabb00", true, "000e080aabb0", NULL, NULL },
	{ "/0$MA", "/0" A, true, A, NULL, NULL },
	/* The same MAC twice */
	{ "/$MA/$MAU.cfg", "/" A "/000E08AABBCC.cfg", true, A, NULL, NULL },
	{ "/$MA/$MAC.cfg", "/" A "/00:0e:08:aa:bb:cc.cfg", true, A, NULL,
	    NULL },
	{ "/$MA/$MA.cfg", "/" A "/000e08aabbcd.cfg", false, NULL, NULL, NULL },
	{ "/$MA/$MA.cfg", "/" A "/.cfg", false, NULL, NULL, NULL },
	/* Products and series, in the case in which devices write them */
	{ "/$PN.cfg", "/SPA504G.cfg", true, NULL, "SPA504G", NULL },
	{ "/$PN.cfg", "/spa504g.cfg", false, NULL, NULL, NULL },
	{ "/$PN.cfg", "/SPA-504G.cfg", false, NULL, NULL, NULL },
	{ "/$PN.cfg", "/SPA-962.cfg", true, NULL, "SPA-962", NULL },
	{ "/$PN.cfg", "/SPA962.cfg", false, NULL, NULL, NULL },
	{ "/$PN.cfg", "/SPA5.cfg", false, NULL, NULL, NULL },
	{ "/$PN.cfg", "/SPA504G2.cfg", false, NULL, NULL, NULL },
	{ "/$PN.cfg", "/.cfg", false, NULL, NULL, NULL },
	{ "/$PN.cfg", "/504G.cfg", false, NULL, NULL, NULL },
	{ "/$PN", "/SPA525G2", true, NULL, "SPA525G2", NULL },
	{ "/$PN", "/SPA525G", true, NULL, "SPA525G", NULL },
	{ "/$PN2", "/SPA525G2", true, NULL, "SPA525G", NULL },
	{ "/$PNx", "/SPA504Gx", true, NULL, "SPA504G", NULL },
	{ "/spa$PSN.cfg", "/spa504G.cfg", true, NULL, NULL, "504G" },
	{ "/spa$PSN.cfg", "/spa504g.cfg", false, NULL, NULL, NULL },
	{ "/spa$PSN.cfg", "/spaSPA504G.cfg", false, NULL, NULL, NULL },
	{ "/$PSN.xml", "/8841-3PCC.xml", true, NULL, NULL, "8841-3PCC" },
	{ "/$PN/$PSN", "/SPA504G/504G", true, NULL, "SPA504G", "504G" },
	{ "/$PSN/$PN", "/504G/SPA504G", true, NULL, "SPA504G", "504G" },
	{ "/$PN/$PSN", "/SPA504G/502G", false, NULL, NULL, NULL },
	{ "/$PN/$PN", "/SPA504G/SPA504G", true, NULL, "SPA504G", NULL },
	{ "/$PN/$PN", "/SPA504G/SPA502G", false, NULL, NULL, NULL },
	/* Two models of one series */
	{ "/$PSN.cfg", "/400.cfg", true, NULL, NULL, "400" },
	{ "/$PSN/$PN", "/400/SPA400", true, NULL, "SPA400", "400" },
	{ "/$PSN/$PN", "/400/WRP400", true, NULL, "WRP400", "400" },
	{ "/$PN/$PSN", "/SPA400/400", true, NULL, "SPA400", "400" },
	/* Both, and names that hold the text between them */
	{ "/Cisco/$PN/$MA.cfg", "/Cisco/SPA504G/" A ".cfg", true, A, "SPA504G",
	    NULL },
	{ "/Cisco/$PN/$MA.cfg", "/Cisco//" A ".cfg", false, NULL, NULL, NULL },
	{ "/Cisco/$PN/$MA.cfg", "/cisco/SPA504G/" A ".cfg", false, NULL, NULL,
	    NULL },
	{ "/$PN-$MA.cfg", "/CP-8841-3PCC-" A ".cfg", true, A, "CP-8841-3PCC",
	    NULL },
	{ "/$PN-$MAC.cfg", "/SPA-962-00-0e-08-aa-bb-cc.cfg", true, A, "SPA-962",
	    NULL },
	{ "/$MA-$PSN-x", "/" A "-8841-3PCC-x", true, A, NULL, "8841-3PCC" },
};

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
test_match(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct routes *routes = one_route(cases[i].pattern);
		struct route_match match;
		char mac[MAC_TEXT_BYTES] = "";

		if (routes_match(routes, cases[i].path, &match) !=
		    cases[i].matches)
			fail_msg("%s %s: wanted %d", cases[i].pattern,
			    cases[i].path, cases[i].matches);
		if (cases[i].matches) {
			assert_int_equal(match.kind, ROUTE_COMMON);
			assert_string_equal(match.template, "t.xml");
			assert_int_equal(match.has_mac, cases[i].mac != NULL);
			mac_format(&match.mac, mac);
			if (match.has_mac)
				assert_string_equal(mac, cases[i].mac);
			if (!same(match.product, cases[i].product) ||
			    !same(match.series, cases[i].series))
				fail_msg("%s: %s, %s", cases[i].path,
				    match.product, match.series);
		}
		routes_free(routes);
	}
}

static const struct {
	enum route_kind kind;
	const char *pattern;
	const char *says; /* NULL: it is taken */
} patterns[] = {
	{ ROUTE_PROFILE, "/$MA", NULL },
	{ ROUTE_PROFILE, "/$PN/x.cfg", NULL },
	{ ROUTE_COMMON, "/x.cfg", NULL },
	{ ROUTE_PUBLIC, "/", NULL },
	{ ROUTE_PROFILE, "", "\"\": a path begins with '/'" },
	{ ROUTE_PROFILE, "$MA.cfg", "\"$MA.cfg\": a path begins with '/'" },
	{ ROUTE_COMMON, "a/b", "\"a/b\": a path begins with '/'" },
	{ ROUTE_PROFILE, "/x.cfg",
	    "\"/x.cfg\": a profile's path needs a "
	    "macro such as $MA" },
	{ ROUTE_REPORT, "/report/$MAU.xml", NULL },
	{ ROUTE_REPORT_DELTA, "/$PN/$MAC.xml", NULL },
	{ ROUTE_REPORT, "/report.xml",
	    "\"/report.xml\": a report's path needs the device's address: "
	    "$MA, $MAU or $MAC" },
	{ ROUTE_REPORT_STATUS, "/report/$PN.xml",
	    "\"/report/$PN.xml\": a report's path needs" },
	{ ROUTE_PROFILE, "/$MB.cfg",
	    "\"/$MB.cfg\": unknown macro at "
	    "\"$MB.cfg\": expected $MA, $MAU, $MAC, $PN or $PSN" },
	{ ROUTE_COMMON, "/$ma", "unknown macro at \"$ma\"" },
	{ ROUTE_COMMON, "/$SN", "unknown macro at \"$SN\"" },
	{ ROUTE_COMMON, "/a$", "unknown macro at \"$\"" },
	{ ROUTE_COMMON, "/$$", "unknown macro at \"$$\"" },
	{ ROUTE_COMMON, "/$M", "unknown macro" },
	{ ROUTE_COMMON, "/$P", "unknown macro" },
	{ ROUTE_COMMON, "/$(MA)", "unknown macro" },
	{ ROUTE_PROFILE, "/$MA$PN",
	    "\"/$MA$PN\": two macros need text "
	    "between them" },
	{ ROUTE_PROFILE, "/$MA$MA", "two macros need text" },
};

static void
test_patterns(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(patterns); i++) {
		struct routes *routes = routes_new();
		struct error err = { 0 };
		struct route_match match;
		int rc = routes_add(routes, patterns[i].kind,
		    patterns[i].pattern, NULL, &err);

		if (rc != (patterns[i].says == NULL ? 0 : -1))
			fail_msg("%s: %d %s", patterns[i].pattern, rc,
			    err.text);
		if (patterns[i].says != NULL) {
			assert_int_equal(err.kind, ERROR_INPUT);
			if (strstr(err.text, patterns[i].says) == NULL)
				fail_msg("%s: %s", patterns[i].pattern,
				    err.text);
			/* Nothing of it is left behind. */
			assert_false(routes_match(routes, patterns[i].pattern,
			    &match));
		}
		routes_free(routes);
	}
}

static void
test_first_counts(void **state)
{
	static const struct {
		enum route_kind kind;
		const char *pattern, *template;
	} list[] = {
		{ ROUTE_PUBLIC, "/" A ".xml", "one.xml" },
		{ ROUTE_PROFILE, "/$MA.xml", NULL },
		{ ROUTE_COMMON, "/$MAU.xml", "never.xml" },
		{ ROUTE_COMMON, "/$PN.xml", "model.xml" },
	};
	struct routes *routes = routes_new();
	struct route_match match;
	struct error err;
	char template[] = "copied.xml";

	(void)state;
	for (size_t i = 0; i < COUNT(list); i++)
		assert_int_equal(routes_add(routes, list[i].kind,
				     list[i].pattern, list[i].template, &err),
		    0);
	assert_true(routes_match(routes, "/" A ".xml", &match));
	assert_int_equal(match.kind, ROUTE_PUBLIC);
	assert_string_equal(match.template, "one.xml");
	assert_false(match.has_mac);
	/* What one pattern read does not show in the match of another. */
	assert_true(routes_match(routes, "/000e08aabbcd.xml", &match));
	assert_int_equal(match.kind, ROUTE_PROFILE);
	assert_null(match.template);
	assert_true(routes_match(routes, "/SPA504G.xml", &match));
	assert_int_equal(match.kind, ROUTE_COMMON);
	assert_string_equal(match.template, "model.xml");
	assert_false(match.has_mac);
	assert_false(routes_match(routes, "/none.xml", &match));
	assert_int_equal(routes_add(routes, ROUTE_PUBLIC, "/p", template, &err),
	    0);
	memset(template, 'x', sizeof(template) - 1);
	assert_true(routes_match(routes, "/p", &match));
	assert_string_equal(match.template, "copied.xml");
	routes_free(routes);
	routes_free(NULL);
}

static void
test_nothing_matches_nothing(void **state)
{
	struct routes *routes = routes_new();
	struct route_match match;

	(void)state;
	assert_false(routes_match(routes, "/", &match));
	routes_free(routes);
}

/* For whom is a path that names a model?  For all models of that name. */
static void
test_is_for(void **state)
{
	static const struct {
		const char *pattern, *path, *model;
		bool is_for;
	} list[] = {
		{ "/spa$PSN.cfg", "/spa400.cfg", "SPA400", true },
		{ "/spa$PSN.cfg", "/spa400.cfg", "WRP400", true },
		{ "/spa$PSN.cfg", "/spa400.cfg", "SPA504G", false },
		{ "/$PN.cfg", "/SPA400.cfg", "SPA400", true },
		{ "/$PN.cfg", "/SPA400.cfg", "WRP400", false },
		{ "/$PN/$PSN", "/SPA400/400", "SPA400", true },
		{ "/$PN/$PSN", "/SPA400/400", "WRP400", false },
		{ "/any.cfg", "/any.cfg", "WRP400", true },
		/* A model that the registry does not know (any more) */
		{ "/any.cfg", "/any.cfg", "XYZ1", true },
		{ "/$PN.cfg", "/SPA400.cfg", "XYZ1", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(list); i++) {
		struct routes *routes = one_route(list[i].pattern);
		struct route_match match;

		assert_true(routes_match(routes, list[i].path, &match));
		if (route_match_is_for(&match,
			registry_find_model(list[i].model, NULL)) !=
		    list[i].is_for)
			fail_msg("%s for %s", list[i].path, list[i].model);
		routes_free(routes);
	}
}

static void
expand(struct buf *path, const char *from, const struct model *model)
{
	int rc = 0;

	buf_init(path, 256);
	for (; *from != '\0'; from++)
		rc |= *from == 'P' ? buf_append_text(path, model->product) :
		    *from == 'S'   ? buf_append_text(path, model->series) :
				     buf_append(path, from, 1);
	assert_int_equal(rc, 0);
}

/* Each model finds the path that its own macros expand to. */
static void
test_every_model(void **state)
{
	/* P and S stand for product and series. */
	static const struct {
		const char *pattern, *path;
	} list[] = {
		{ "/x-$PN-$MAC-$PSN.y", "/x-P-00-0e-08-aa-bb-cc-S.y" },
		{ "/$PSN/$PN", "/S/P" },
		{ "/$PSN-$MA-z", "/S-" A "-z" },
		{ "/Cisco/$PN/$MA.cfg", "/Cisco/P/" A ".cfg" },
	};

	(void)state;
	for (size_t i = 0; i < registry_model_count; i++) {
		const struct model *model = &registry_models[i];

		for (size_t j = 0; j < COUNT(list); j++) {
			struct routes *routes = one_route(list[j].pattern);
			struct route_match match;
			struct buf path;

			expand(&path, list[j].path, model);
			if (!routes_match(routes, buf_text(&path), &match) ||
			    !route_match_is_for(&match, model))
				fail_msg("%s %s", list[j].pattern,
				    buf_text(&path));
			buf_clear(&path);
			routes_free(routes);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_first_counts),
		cmocka_unit_test(test_nothing_matches_nothing),
		cmocka_unit_test(test_is_for),
		cmocka_unit_test(test_every_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
