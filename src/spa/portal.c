#include "spa/portal.h"

#include <string.h>
#include <strings.h>

#include "spa/knowledge.h"
#include "spa/registry.h"

#define DISTINCT_MAX 32

static const char *const small_business[] = { "SPA1xx", "SPA2xxD", "SPA5xx",
	"CP-78xx", "CP-88xx", NULL };
static const char *const sipura[] = { "PAP2T", "WRP", "SPA2xxx", "SPA3xxx",
	"SPA9xx", "SPA3xx", "SPA5xx", NULL };
static const char *const linksys[] = { "PAP2", NULL };

/* The one that is wanted when nobody says comes first. */
const struct portal_product portal_products[] = {
	{ "ciscosb-2",
	    "SPA1xx 1.3.3+, SPA232D 1.3.3+, SPA5xx 7.5.6+, "
	    "CP-78xx-3PCC, CP-88xx-3PCC",
	    "ciscosb-prov-2", small_business, "CDA-SIGN" },
	{ "sipura", "PAP2T/WRP400/SPA2xxx/SPA3xxx/SPA9xx/SPA3xx/SPA5xx",
	    "sipura-prov-1", sipura, "SPA-CLIENT-THREAD+SPA-LIST" },
	{ "linksys", "PAP2/WRTP/RTP", "linksys-prov-1", linksys,
	    "SPA-CLIENT-THREAD+SPA-LIST" },
};
const size_t portal_product_count = sizeof(portal_products) /
    sizeof(*portal_products);

const struct portal_product *
portal_find(const char *text)
{
	for (size_t i = 0; i < portal_product_count; i++)
		if (strcasecmp(text, portal_products[i].id) == 0 ||
		    strcasecmp(text, portal_products[i].ca) == 0)
			return &portal_products[i];
	return NULL;
}

const struct ca *
portal_ca(const struct portal_product *product)
{
	return registry_find_ca(product->ca);
}

bool
portal_names(const struct portal_product *product, const struct model *model)
{
	for (const char *const *family = product->families; *family != NULL;
	     family++)
		if (strcmp(*family, model->family) == 0)
			return true;
	return false;
}

bool
portal_first_firmware(const struct knowledge *knowledge,
    const struct model *model, const struct ca *ca, bool *any,
    struct firmware *from)
{
	struct firmware list[DISTINCT_MAX];
	size_t count;

	*any = knowledge_resolve(knowledge, model, NULL, ca).verdict ==
	    VERDICT_TRUSTED;
	if (*any)
		return true;
	count = trust_distinct_firmware(model, list, DISTINCT_MAX);
	for (size_t i = 0; i < count; i++)
		if (knowledge_resolve(knowledge, model, &list[i], ca).verdict ==
		    VERDICT_TRUSTED) {
			*from = list[i];
			return true;
		}
	return false;
}
