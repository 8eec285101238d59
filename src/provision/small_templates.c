#include "provision/small_templates.h"
#include "provision/template.h"

#include <string.h>

/*
 * Parameters and their meaning: [LINKSYS-PROV] p. 64-65.  No Profile_Rule: the
 * device comes back to where it is, each hour and after the upgrade, until it
 * can be sent on.
 */
static const char upgrade[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<flat-profile>\n"
    "  <Provision_Enable>Yes</Provision_Enable>\n"
    "  <Resync_On_Reset>Yes</Resync_On_Reset>\n"
    "  <Resync_Periodic>3600</Resync_Periodic>\n"
    "  <Resync_After_Upgrade_Attempt>Yes</Resync_After_Upgrade_Attempt>\n"
    "  <Upgrade_Enable>Yes</Upgrade_Enable>\n"
    "  <Upgrade_Rule>{{upgrade_rule}}</Upgrade_Rule>\n"
    "</flat-profile>\n";

static const char empty[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			    "<flat-profile>\n"
			    "</flat-profile>\n";

int
templates_add_small(struct templates *templates, struct error *err)
{
	static const struct {
		const char *name, *text;
	} list[] = {
		{ TEMPLATE_EMPTY, empty },
		{ TEMPLATE_UPGRADE, upgrade },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++)
		if (!templates_has(templates, list[i].name) &&
		    templates_add(templates, list[i].name, list[i].text,
			strlen(list[i].text), err) != 0)
			return -1;
	return 0;
}
