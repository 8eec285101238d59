#include "reading.h"

#include <stdio.h>

#include "importer/tree.h"
#include "spa/registry.h"

static void
test_kinds(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		enum tree_kind kind;
	} cases[] = {
		{ "", 0, TREE_EMPTY },
		{ " \n", 2, TREE_EMPTY },
		{ "Salted__12345678", 16, TREE_SALTED },
		{ "\x1f\x8b\x08", 3, TREE_GZIP },
		{ "A \"1\" ;", 7, TREE_TEXT },
		{ "A\0B", 3, TREE_BINARY },
		{ "\x01", 1, TREE_BINARY },
		{ "\xef\xbb\xbf <flat-profile/>", 19, TREE_XML },
		{ "<a/>", 4, TREE_OTHER_XML },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(tree_kind(cases[i].text, cases[i].len),
		    cases[i].kind);
}

static void
test_macs(void **state)
{
	static const struct {
		const char *name, *mac; /* NULL: none */
	} cases[] = {
		{ "spa000e08aabbcc.cfg", "000e08aabbcc" },
		{ "/spa000E08AABBCC.cfg", "000e08aabbcc" },
		{ "/ata000e08aabbcc.xml", "000e08aabbcc" },
		{ "/a/00-0e-08-aa-bb-cc/spa.cfg", "000e08aabbcc" },
		{ "spa504g_00:0E:08:AA:BB:CC", "000e08aabbcc" },
		{ "/000e08aabbcc/spa000e08aabbcc.cfg", "000e08aabbcc" },
		{ "/000e08aabbcc/spa000e08aabbcd.cfg", NULL },
		{ "spa504G.cfg", NULL },
		{ "0000e08aabbcc.cfg", NULL },
		{ "000e08aabbcc0.cfg", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mac mac, expected;

		assert_int_equal(tree_find_mac(&mac, cases[i].name),
		    cases[i].mac != NULL);
		if (cases[i].mac == NULL)
			continue;
		expected = mac_of(cases[i].mac);
		assert_true(mac_equal(&mac, &expected));
	}
}

static void
test_identify(void **state)
{
	static const struct {
		const char *served, *text, *model, *group;
	} cases[] = {
		{ "/spa504G.cfg", "<flat-profile/>", "SPA504G", "" },
		{ "/SPA504G/000e08aabbcc.xml", "<flat-profile/>", "SPA504G",
		    "" },
		{ "/north/Cisco/CP-8841-3PCC/000e08aabbcc.cfg",
		    "<flat-profile/>", "CP-8841-3PCC", "north" },
		{ "/000e08aabbcc.xml", "<!-- SPA942 -->\n<flat-profile/>",
		    "SPA942", "" },
		{ "/000e08aabbcc.xml",
		    "<flat-profile device=\"SPA112\"><A>SPA504G</A>"
		    "</flat-profile>",
		    "SPA112", "" },
		{ "/000e08aabbcc.xml",
		    "<flat-profile><Product_Name>SPA122</Product_Name>"
		    "</flat-profile>",
		    "SPA122", "" },
		/* RTP is a model, but here it is a word. */
		{ "/000e08aabbcc.xml", "<!-- RTP ports -->\n<flat-profile/>",
		    NULL, "" },
		{ "/000e08aabbcc.xml",
		    "<flat-profile><A>SPA504G</A></flat-profile>", NULL, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char served[64];
		struct error err = { 0 };
		struct tree_file file = { .served = served };

		(void)snprintf(served, sizeof(served), "%s", cases[i].served);
		file.profile = flat_profile_read(cases[i].text,
		    strlen(cases[i].text), &err);
		assert_non_null(file.profile);
		tree_identify(&file, cases[i].text, strlen(cases[i].text));
		assert_string_equal(file.model != NULL ? file.model->name : "",
		    cases[i].model != NULL ? cases[i].model : "");
		assert_string_equal(file.group, cases[i].group);
		flat_profile_free(file.profile);
	}
}

static void
test_secrets(void **state)
{
	(void)state;
	assert_true(tree_is_secret("Password_1_"));
	assert_true(tree_is_secret("Admin_Passwd"));
	assert_true(tree_is_secret("GPP_SA"));
	assert_false(tree_is_secret("GPP_A"));
	assert_false(tree_is_secret("Proxy_1_"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_macs),
		cmocka_unit_test(test_identify),
		cmocka_unit_test(test_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
