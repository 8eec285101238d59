#include "cmd/profile_common.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/device_common.h"
#include "inventory/inventory.h"
#include "inventory/snapshot.h"
#include "provision/template.h"
#include "server/config.h"
#include "server/template_folder.h"

void
profile_site_close(struct profile_site *site)
{
	templates_free(site->templates);
	snapshot_release(site->snapshot);
	config_free(site->config);
	*site = (struct profile_site) { 0 };
}

/* Of the inventories that may be meant, the one named nearest. */
const char *
profile_site_uri(const struct profile_site *site, const char *given)
{
	const struct config *config = site->config;
	const char *environment = getenv("SPROV_INVENTORY");

	if (given != NULL)
		return given;
	if (config == NULL || (environment != NULL && *environment != '\0'))
		return NULL;
	return config->inventory;
}

int
profile_site_open(struct profile_site *site, const char *path)
{
	struct errors errors = { 0 };
	bool known;
	int rc = 0;

	*site = (struct profile_site) { 0 };
	if (path == NULL && access(CONFIG_DEFAULT_PATH, F_OK) == 0)
		path = CONFIG_DEFAULT_PATH;
	if (path != NULL)
		site->config = config_load(path, &errors);
	/* Without a configuration, and none named, the built-in ones do. */
	if (errors.count == 0)
		site->templates = template_folder_load(site->config, &known,
		    &errors);
	if (errors.count != 0) {
		(void)cmd_fail_all(&errors);
		profile_site_close(site);
		rc = -1;
	}
	errors_clear(&errors);
	return rc;
}

const char *
profile_site_key(const struct profile_site *site)
{
	if (site->secrets_key != NULL || site->config == NULL)
		return site->secrets_key;
	return site->config->secrets_key;
}

int
profile_site_load(struct profile_site *site, const char *uri)
{
	struct inventory *inventory = device_open_with(profile_site_uri(site,
							   uri),
	    profile_site_key(site), NULL);
	struct error err = { 0 };

	if (inventory == NULL)
		return -1;
	site->snapshot = snapshot_load(inventory, &err);
	inventory_close(inventory);
	if (site->snapshot != NULL)
		return 0;
	(void)cmd_fail(&err);
	return -1;
}

const struct device *
profile_find_device(const struct profile_site *site, const char *text,
    struct error *err)
{
	const struct device *device;
	struct mac mac;
	char shown[64];

	if (mac_parse(&mac, text, err) != 0)
		return NULL;
	device = snapshot_find(site->snapshot, &mac);
	if (device != NULL)
		return device;
	text_escape(text, strlen(text), shown, sizeof(shown));
	(void)error_set(err, ERROR_NOT_FOUND,
	    "there is no device %s; \"sprov device list\" says what is there",
	    shown);
	return NULL;
}
