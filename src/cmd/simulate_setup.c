#include "cmd/simulate_setup.h"
#include "lab/lab.h"
#include "pki/chain.h"
#include "server/firmware.h"
#include "spa/identify.h"
#include "spa/trust.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static size_t
resolve(void *arg, const char *host, struct addr *list, size_t max)
{
	const struct simulate_arguments *arguments = arg;
	size_t count = 0;

	for (size_t i = 0; i < arguments->resolve_count && count < max; i++) {
		const struct simulate_resolve *entry = &arguments->resolve[i];

		if (strlen(host) == entry->host_len &&
		    strncasecmp(host, entry->host, entry->host_len) == 0)
			list[count++] = entry->address;
	}
	return count;
}

static int
read_cas(struct anchors *all, const struct simulate_arguments *arguments,
    struct error *err)
{
	struct stat st;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < arguments->ca_paths.count; i++) {
		const char *path = arguments->ca_paths.text[i];

		if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			rc = anchors_add_directory(all, path, err);
		else
			rc = anchors_add_file(all, path, err);
	}
	return rc;
}

void
simulate_say_nothing_trusted(const struct simulate_setup *setup,
    const struct simulate_arguments *arguments)
{
	if (setup->cas_given == 0)
		cmd_error("no CA certificates were given, so %s trusts no "
			  "server; name some with --ca",
		    arguments->as);
	else
		cmd_error("of the %zu CA certificates given, %s is not known "
			  "to trust any",
		    setup->cas_given, arguments->as);
}

/* Of the CAs at hand the device trusts those that its claims say. */
static int
choose_cas(struct simulate_setup *setup,
    const struct simulate_arguments *arguments, struct error *err)
{
	const struct ca *custom = registry_find_ca("custom-ca");
	struct anchors *all = anchors_new();
	int rc = read_cas(all, arguments, err);

	setup->trusted = anchors_new();
	for (size_t i = 0; rc == 0 && i < anchors_count(all); i++) {
		const struct ca *ca = identify_ca(anchors_get(all, i)).ca;

		if (trust_resolve(setup->model,
			setup->has_firmware ? &setup->firmware : NULL,
			ca != NULL ? ca : custom)
			.verdict == VERDICT_TRUSTED)
			anchors_add(setup->trusted, anchors_get(all, i));
	}
	setup->cas_given = anchors_count(all);
	anchors_free(all);
	return rc;
}

int
simulate_make_device(struct simulate_setup *setup,
    const struct simulate_arguments *arguments, struct error *err)
{
	struct sim_device_options options = {
		.model = setup->model,
		.firmware = setup->has_firmware ? &setup->firmware : NULL,
		.mac = { { 0x02, 0, 0, 0, 0, 1 } },
		.serial = arguments->serial != NULL ? arguments->serial :
						      "00000000001",
		.ikm = arguments->ikm_text,
		.identity = setup->identity,
	};

	if (arguments->mac != NULL &&
	    mac_parse(&options.mac, arguments->mac, err) != 0)
		return -1;
	sim_device_free(setup->own);
	setup->own = NULL;
	anchors_free(setup->trusted);
	if (choose_cas(setup, arguments, err) != 0)
		return -1;
	options.trusted = setup->trusted;
	setup->own = sim_device_new(&options, err);
	setup->device = setup->own;
	return setup->own != NULL ? 0 : -1;
}

static int
read_images(struct simulate_setup *setup, const char *folder, struct error *err)
{
	struct errors errors = { 0 };
	int rc = firmware_read_manifest(folder, &setup->images, &errors);

	if (rc != 0)
		rc = error_set(err, ERROR_INPUT, "%s", errors.text[0]);
	else if (setup->images.count == 0)
		rc = error_set(err, ERROR_NOT_FOUND,
		    "%s/%s names no image: add some with sprov firmware add",
		    folder, IMAGES_MANIFEST);
	errors_clear(&errors);
	return rc;
}

static int
set_up_device(struct simulate_setup *setup,
    const struct simulate_arguments *arguments, struct error *err)
{
	if (arguments->upgrade != NULL &&
	    read_images(setup, arguments->upgrade, err) != 0)
		return -1;
	if (arguments->certificate != NULL) {
		setup->identity = chain_load(arguments->certificate,
		    arguments->key, err);
		if (setup->identity == NULL)
			return -1;
	}
	setup->rule = arguments->rule != NULL ? arguments->rule :
						setup->model->default_rule;
	return simulate_make_device(setup, arguments, err);
}

static int
set_up_from_lab(struct simulate_setup *setup,
    const struct simulate_arguments *arguments, struct error *err)
{
	const struct lab_device *found = NULL;

	setup->fleet = lab_fleet_read(arguments->lab, err);
	if (setup->fleet == NULL)
		return -1;
	for (size_t i = 0; found == NULL && i < setup->fleet->count; i++) {
		const struct lab_device *device = &setup->fleet->devices[i];

		if (device->model == setup->model &&
		    (!setup->has_firmware ||
			(device->has_firmware &&
			    firmware_compare(&device->firmware,
				&setup->firmware) == 0)))
			found = device;
	}
	if (found == NULL)
		return error_set(err, ERROR_NOT_FOUND,
		    "%s has no %s: see %s/fleet.tsv", arguments->lab,
		    arguments->as, arguments->lab);
	setup->device = found->sim;
	setup->rule = arguments->rule != NULL ? arguments->rule : found->rule;
	if (setup->rule == NULL)
		return error_set(err, ERROR_NOT_FOUND,
		    "%s is led to no listener: no CA is known to work; name "
		    "a URL",
		    found->label);
	setup->network = lab_network;
	return 0;
}

int
simulate_set_up(struct simulate_setup *setup,
    struct simulate_arguments *arguments, struct error *err)
{
	setup->network = (struct sim_network) {
		.resolve = arguments->resolve_count > 0 ? resolve : NULL,
		.arg = arguments,
		.timeout_ms = (unsigned)arguments->timeout_s * 1000,
		.dhcp_server = arguments->dhcp_server,
		.tftp_block = (unsigned)arguments->tftp_block,
	};
	(void)snprintf(setup->label, sizeof(setup->label), "%s", arguments->as);
	if (trust_parse_device(arguments->as, &setup->model, &setup->firmware,
		&setup->has_firmware, err) != 0)
		return -1;
	return arguments->lab != NULL ? set_up_from_lab(setup, arguments, err) :
					set_up_device(setup, arguments, err);
}

void
simulate_clear(struct simulate_setup *setup)
{
	sim_device_free(setup->own);
	chain_free(setup->identity);
	anchors_free(setup->trusted);
	lab_fleet_free(setup->fleet);
	images_clear(&setup->images);
}
