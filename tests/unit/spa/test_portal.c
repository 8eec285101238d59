#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "spa/knowledge.h"
#include "spa/portal.h"
#include "spa/registry.h"

static void
test_products(void **state)
{
	(void)state;
	assert_int_equal(portal_product_count, 3);
	/* The default is the one whose CA still signs. */
	assert_int_equal(portal_ca(&portal_products[0])->signing,
	    CA_SIGNING_YES);
	for (size_t i = 0; i < portal_product_count; i++) {
		const struct portal_product *product = &portal_products[i];

		assert_non_null(portal_ca(product));
		assert_ptr_equal(portal_find(product->id), product);
		assert_ptr_equal(portal_find(product->ca), product);
		for (const char *const *family = product->families;
		     *family != NULL; family++) {
			bool known = false;

			for (size_t j = 0; j < registry_model_count; j++)
				known |= strcmp(*family,
					     registry_models[j].family) == 0;
			assert_true(known);
		}
	}
	assert_ptr_equal(portal_find("SIPURA"), portal_find("sipura"));
	assert_null(portal_find(""));
	assert_null(portal_find("ciscosb-1"));
	assert_null(portal_find("ciscosb-prov-1"));
}

static const struct {
	const char *product, *model;
	bool named;
	const char *from; /* "": any; NULL: not known to trust it */
} cases[] = {
	{ "ciscosb-2", "SPA504G", true, "7.5.6" },
	{ "ciscosb-2", "SPA112", true, "1.3.3" },
	{ "ciscosb-2", "SPA232D", true, "1.3.3" },
	{ "ciscosb-2", "CP-8841-3PCC", true, "" },
	{ "ciscosb-2", "CP-6841-3PCC", false, "" },
	{ "ciscosb-2", "ATA192-MPP", false, "" },
	{ "ciscosb-2", "SPA301", false, "7.5.6" },
	{ "ciscosb-2", "SPA942", false, NULL },
	{ "ciscosb-2", "PAP2", false, NULL },
	{ "sipura", "SPA942", true, "" },
	{ "sipura", "SPA504G", true, "" },
	{ "sipura", "PAP2T", true, "" },
	{ "sipura", "PAP2", false, NULL },
	{ "linksys", "PAP2", true, "" },
	{ "linksys", "WRTP", true, "" },
	{ "linksys", "SPA962", false, "6.1.5(a)" },
};

static void
test_models(void **state)
{
	struct knowledge *knowledge = knowledge_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct portal_product *product =
		    portal_find(cases[i].product);
		const struct model *model = registry_find_model(cases[i].model,
		    NULL);
		struct firmware from = { .text = "" };
		bool any = false, found;

		assert_non_null(model);
		assert_int_equal(portal_names(product, model), cases[i].named);
		found = portal_first_firmware(knowledge, model,
		    portal_ca(product), &any, &from);
		assert_int_equal(found, cases[i].from != NULL);
		if (!found)
			continue;
		assert_int_equal(any, *cases[i].from == '\0');
		if (!any)
			assert_string_equal(from.text, cases[i].from);
	}
	knowledge_free(knowledge);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_products),
		cmocka_unit_test(test_models),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
