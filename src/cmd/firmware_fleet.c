#include "cmd/firmware_fleet.h"
#include "base/file.h"
#include "base/text.h"
#include "inventory/inventory.h"
#include "provision/upgrade.h"
#include "server/config.h"
#include "spa/registry.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OWNER_BYTES (INVENTORY_NAME_MAX + 16)
#define CANDIDATES_MAX CONFIG_LISTENERS_MAX

struct look {
	const struct config *config;
	struct errors *problems;
};

static void
add(const struct look *look, const char *owner, const char *variable,
    const char *value, const char *what, const char *nearest)
{
	errors_add(look->problems, "%s: %s \"%s\": %s%s%s%s", owner, variable,
	    value, what, nearest != NULL ? "; did you mean \"" : "",
	    nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
}

static const struct config_ladder *
find_ladder(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->ladder_count; i++)
		if (strcmp(config->ladders[i].name, name) == 0)
			return &config->ladders[i];
	return NULL;
}

/* model NULL: of a scope, which may have devices of all kinds. */
static void
look_at_ladder(const struct look *look, const char *owner, const char *value,
    const struct model *model)
{
	const struct config_ladder *ladder = find_ladder(look->config, value);
	const char *names[CONFIG_LADDERS_MAX];
	char what[128];

	if (ladder == NULL) {
		for (size_t i = 0; i < look->config->ladder_count; i++)
			names[i] = look->config->ladders[i].name;
		add(look, owner, UPGRADE_LADDER_VARIABLE, value,
		    "there is no such ladder",
		    text_nearest(value, names, look->config->ladder_count));
		return;
	}
	for (size_t i = 0; model != NULL && i < ladder->model_count; i++)
		if (ladder->models[i] == model)
			return;
	if (model == NULL)
		return;
	(void)snprintf(what, sizeof(what), "that ladder is not for a %s",
	    model->name);
	add(look, owner, UPGRADE_LADDER_VARIABLE, value, what, NULL);
}

static void
look_at_upgrade(const struct look *look, const char *owner, const char *value)
{
	const char *names[CANDIDATES_MAX];
	const char *name;
	struct firmware firmware;
	struct error err;

	if (text_starts(value, "below ")) {
		if (firmware_parse(&firmware, value + strlen("below "), &err) !=
		    0)
			add(look, owner, UPGRADE_ONLY_VARIABLE, value, err.text,
			    NULL);
		return;
	}
	if (!text_starts(value, "for "))
		return;
	name = value + strlen("for ");
	for (size_t i = 0; i < look->config->listener_count; i++) {
		names[i] = look->config->listeners[i].name;
		if (strcmp(names[i], name) == 0)
			return;
	}
	add(look, owner, UPGRADE_ONLY_VARIABLE, value,
	    "there is no such listener",
	    text_nearest(name, names, look->config->listener_count));
}

static void
look_at(const struct look *look, const char *owner,
    const struct variables *variables, const struct model *model)
{
	const char *ladder = variables_get(variables, UPGRADE_LADDER_VARIABLE);
	const char *upgrade = variables_get(variables, UPGRADE_ONLY_VARIABLE);

	if (ladder != NULL && *ladder != '\0')
		look_at_ladder(look, owner, ladder, model);
	if (upgrade != NULL && *upgrade != '\0')
		look_at_upgrade(look, owner, upgrade);
}

static int
visit_device(const struct device *device, void *arg)
{
	char owner[MAC_TEXT_BYTES];

	mac_format(&device->mac, owner);
	look_at(arg, owner, &device->variables,
	    registry_find_model(device->model, NULL));
	return 0;
}

static int
visit_scope(const struct scope *scope, void *arg)
{
	static const char *const kinds[] = { [SCOPE_DEFAULT] = "the defaults",
		[SCOPE_MODEL] = "model ",
		[SCOPE_GROUP] = "group ",
		[SCOPE_TAG] = "tag " };
	char owner[OWNER_BYTES];

	(void)snprintf(owner, sizeof(owner), "%s%s", kinds[scope->kind],
	    scope->name);
	look_at(arg, owner, &scope->variables, NULL);
	return 0;
}

int
firmware_fleet_check(const struct config *config, struct errors *problems,
    struct error *err)
{
	struct look look = { config, problems };
	struct inventory *inventory;
	int rc;

	if (text_starts(config->inventory, "sqlite:") &&
	    access(config->inventory + strlen("sqlite:"), F_OK) != 0)
		return 0;
	inventory = inventory_open(config->inventory, true, err);
	if (inventory == NULL)
		return -1;
	rc = inventory_each_scope(inventory, visit_scope, &look, err);
	if (rc == 0)
		rc = inventory_each_device(inventory, visit_device, &look, err);
	inventory_close(inventory);
	return rc;
}
