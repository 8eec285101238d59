#include "provision/upgrade.h"
#include "base/text.h"
#include "inventory/snapshot.h"
#include "provision/ladder.h"
#include "spa/registry.h"
#include "spa/trust.h"
#include "spa/useragent.h"

#include <string.h>

const char *
upgrade_rule(const struct ladders *ladders, const struct snapshot *snapshot,
    const struct device *device, const struct model *model)
{
	const char *name;

	if (ladders == NULL || device == NULL || model == NULL)
		return NULL;
	name = snapshot_variable(snapshot, device, model->name,
	    UPGRADE_LADDER_VARIABLE);
	return name != NULL ? ladders_rule(ladders, name, model) : NULL;
}

/* Is firmware too old for what the variable says? */
static bool
is_too_old(const char *when, const struct model *model,
    const struct firmware *now, upgrade_listener_ca *listener_ca,
    const void *arg)
{
	struct firmware least;
	struct error ignored;
	const struct ca *ca;

	if (text_starts(when, "below "))
		return firmware_parse(&least, when + strlen("below "),
			   &ignored) == 0 &&
		    firmware_compare(now, &least) < 0;
	if (!text_starts(when, "for "))
		return false;
	ca = listener_ca(arg, when + strlen("for "));
	return ca != NULL &&
	    trust_resolve(model, now, ca).verdict != VERDICT_TRUSTED;
}

bool
upgrade_is_due(const struct ladders *ladders, const struct snapshot *snapshot,
    const struct device *device, const struct firmware *now,
    upgrade_listener_ca *listener_ca, const void *arg)
{
	const struct model *model = registry_find_model(device->model, NULL);
	const char *when, *ladder;

	if (ladders == NULL || model == NULL || now == NULL)
		return false;
	when = snapshot_variable(snapshot, device, model->name,
	    UPGRADE_ONLY_VARIABLE);
	ladder = snapshot_variable(snapshot, device, model->name,
	    UPGRADE_LADDER_VARIABLE);
	return when != NULL && ladder != NULL &&
	    is_too_old(when, model, now, listener_ca, arg) &&
	    ladders_leads_on(ladders, ladder, model, now);
}

bool
upgrade_firmware(const struct device *device, const char *user_agent,
    struct firmware *now)
{
	struct useragent ua;
	struct error ignored;

	if (useragent_parse(&ua, user_agent) && ua.model != NULL &&
	    strcmp(ua.model->name, device->model) == 0 &&
	    firmware_parse(now, ua.version, &ignored) == 0)
		return true;
	return firmware_parse(now, device->firmware, &ignored) == 0;
}

bool
upgrade_by_https(const struct model *model)
{
	static const char *const families[] = { "ATA19x", "CP-68xx", "CP-78xx",
		"CP-88xx", "CP-8831" };

	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
		if (strcmp(model->family, families[i]) == 0)
			return true;
	return false;
}
