#include "provision/starter.h"
#include "provision/template.h"
#include "spa/parameter.h"

#include <string.h>

#define CLOCK "ntp_server time_zone"

const struct starter starters[] = {
	{ "spa-ata.xml", PARAMETER_ADAPTER, CLOCK, starter_spa_ata },
	{ "spa-phone.xml", PARAMETER_PHONE, CLOCK, starter_spa_phone },
	{ "spa525.xml", PARAMETER_SPA525, CLOCK, starter_spa525 },
	{ "spa1xx.xml", PARAMETER_SPA1XX, "ntp_server", starter_spa1xx },
	{ "ata19x.xml", PARAMETER_ATA19X, "ntp_server", starter_ata19x },
	{ "mpp.xml", PARAMETER_MPP, CLOCK, starter_mpp },
	/* For devices whose model the registry does not know (any more). */
	{ "generic.xml", 0, "", starter_generic },
};
const size_t starter_count = sizeof(starters) / sizeof(*starters);

const struct starter *
starter_for(const struct model *model)
{
	unsigned family = model != NULL ? parameter_family(model) : 0;
	size_t i = 0;

	while (i < starter_count - 1 && (starters[i].families & family) == 0)
		i++;
	return &starters[i];
}

int
starters_add(struct templates *templates, struct error *err)
{
	for (size_t i = 0; i < starter_count; i++)
		if (!templates_has(templates, starters[i].name) &&
		    templates_add(templates, starters[i].name, starters[i].text,
			strlen(starters[i].text), err) != 0)
			return -1;
	return 0;
}
