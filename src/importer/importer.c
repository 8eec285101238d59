#include "importer/importer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "spa/registry.h"

const struct importer importers[] = {
	{ "json", "all that \"sprov device export --format json\" writes",
	    import_export },
	{ "fusionpbx", "the CSV of FusionPBX's device export",
	    import_fusionpbx },
	{ "wazo", "devices and configs of wazo-provd, as JSON", import_wazo },
	{ "phoneprov", "the folder of Asterisk's phoneprov.conf",
	    import_phoneprov },
	{ "tree", "a folder of profiles that devices fetch by TFTP or HTTP",
	    import_tree },
};

const size_t importer_count = sizeof(importers) / sizeof(*importers);

const struct importer *
importer_find(const char *name)
{
	for (size_t i = 0; i < importer_count; i++)
		if (strcmp(importers[i].name, name) == 0)
			return &importers[i];
	return NULL;
}

bool
importer_read_file(struct fleet *fleet, const char *path, size_t max,
    char **text, size_t *len, mode_t *mode)
{
	struct error err = { 0 };
	struct stat status;

	if (file_read(path, max, text, len, &err) != 0) {
		fleet_say(fleet, FLEET_ERROR, "%s", err.text);
		return false;
	}
	*mode = stat(path, &status) == 0 ? status.st_mode & 07777 : 0;
	return true;
}

bool
importer_finish_device(struct fleet *fleet, struct device *device,
    const struct importer_options *options, const char *place)
{
	if (device->model[0] == '\0' && options->model == NULL) {
		fleet_say(fleet, FLEET_ERROR,
		    "%s: nothing tells the model of the device: give it with "
		    "--model",
		    place);
		return false;
	}
	if (device->model[0] == '\0')
		(void)snprintf(device->model, sizeof(device->model), "%s",
		    options->model->name);
	if (device->group[0] == '\0' && options->group != NULL) {
		(void)snprintf(device->group, sizeof(device->group), "%s",
		    options->group);
		(void)fleet_scope(fleet, SCOPE_GROUP, options->group);
	}
	return true;
}
