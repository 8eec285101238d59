/*
 * The profile of one device, or of many into a folder, as the server would send
 * it, or with what is nobody's business masked.
 */
#include "cmd/profile_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/device_common.h"
#include "inventory/inventory.h"
#include "inventory/snapshot.h"
#include "provision/render.h"
#include "spa/profile.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define PROGRESS_EVERY 500

struct arguments {
	const char *config, *inventory, *output, *group, *folder;
	bool json, secrets, all;
};

static int
format_json(const struct profile_site *site, const struct device *device,
    const struct buf *profile, struct buf *out, struct error *err)
{
	char mac[MAC_TEXT_BYTES];
	json_t *object;
	char *text = NULL;
	int rc = -1;

	mac_format(&device->mac, mac);
	object = json_pack("{ss ss ss ss}", "mac", mac, "model", device->model,
	    "template",
	    render_template_name(site->templates, site->snapshot, device),
	    "profile", buf_text(profile));
	if (object != NULL)
		text = json_dumps(object, JSON_INDENT(2));
	if (text != NULL && buf_printf(out, "%s\n", text) == 0)
		rc = 0;
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
	json_decref(object);
	return rc == 0 ? 0 : error_set(err, ERROR_SYSTEM, "cannot write JSON");
}

/* A file with passwords is its owner's alone. */
static int
write_out(const struct buf *text, const char *path, struct error *err)
{
	if (path != NULL)
		return file_replace(path, 0600, buf_text(text), text->len, err);
	if (fwrite(buf_text(text), 1, text->len, stdout) != text->len)
		return error_errno(err, "standard output");
	return 0;
}

static int
render(const struct arguments *arguments, const struct profile_site *site,
    const struct device *device, struct buf *profile, struct error *err)
{
	return arguments->secrets ? render_profile(site->templates,
					site->snapshot, device, profile, err) :
				    render_profile_masked(site->templates,
					site->snapshot, device, profile, err);
}

static void
clear_secret(struct buf *text)
{
	if (text->data != NULL)
		explicit_bzero(text->data, text->len);
	buf_clear(text);
}

static int
render_and_write(const struct arguments *arguments,
    const struct profile_site *site, const char *mac, struct error *err)
{
	const struct device *device = profile_find_device(site, mac, err);
	struct buf profile, json;
	int rc;

	if (device == NULL)
		return -1;
	buf_init(&profile, PROFILE_BYTES_MAX);
	/* Escapes in JSON take at most six bytes each. */
	buf_init(&json, 6 * PROFILE_BYTES_MAX + 4096);
	rc = render(arguments, site, device, &profile, err);
	if (rc == 0 && arguments->json)
		rc = format_json(site, device, &profile, &json, err);
	if (rc == 0)
		rc = write_out(arguments->json ? &json : &profile,
		    arguments->output, err);
	clear_secret(&json);
	clear_secret(&profile);
	return rc;
}

/* ------------------------------------------------------------------- many */

struct many {
	const struct arguments *arguments;
	const struct profile_site *site;
	size_t written, failed;
};

static void
progress(const struct many *many, bool end)
{
	size_t done = many->written + many->failed;

	if (isatty(STDERR_FILENO) && (end || done % PROGRESS_EVERY == 0))
		(void)fprintf(stderr, "\r%zu profiles%s", done,
		    end ? "\n" : "");
}

static int
write_one(const struct many *many, const struct device *device,
    struct error *err)
{
	char mac[MAC_TEXT_BYTES], *path;
	struct buf profile;
	int rc;

	mac_format(&device->mac, mac);
	path = xasprintf("%s/%s.xml", many->arguments->folder, mac);
	buf_init(&profile, PROFILE_BYTES_MAX);
	rc = render(many->arguments, many->site, device, &profile, err);
	if (rc != 0)
		(void)error_prefix(err, "%s: ", mac);
	else
		rc = file_replace_lazily(path, 0600, buf_text(&profile),
		    profile.len, err);
	clear_secret(&profile);
	free(path);
	return rc;
}

/* Each device that cannot be rendered is named, and the others go on. */
static int
visit(const struct device *device, void *arg)
{
	struct many *many = arg;
	struct error err = { 0 };

	if (device->state == DEVICE_RETIRED ||
	    (many->arguments->group != NULL &&
		!snapshot_is_below(many->site->snapshot, device,
		    many->arguments->group)))
		return 0;
	if (write_one(many, device, &err) == 0) {
		many->written++;
	} else {
		many->failed++;
		(void)cmd_fail(&err);
		if (err.kind == ERROR_SYSTEM)
			return CMD_FAILED; /* the next would fail alike */
	}
	progress(many, false);
	return 0;
}

static int
render_many(const struct arguments *arguments, const struct profile_site *site)
{
	struct many many = { .arguments = arguments, .site = site };
	struct error err = { 0 };
	int rc;

	if (arguments->group != NULL &&
	    !snapshot_has_group(site->snapshot, arguments->group)) {
		(void)error_set(&err, ERROR_NOT_FOUND,
		    "there is no group \"%.63s\" in the inventory",
		    arguments->group);
		return cmd_fail(&err);
	}
	if (file_make_directory(arguments->folder, 0700, &err) != 0)
		return cmd_fail(&err);
	rc = snapshot_each(site->snapshot, visit, &many);
	progress(&many, true);
	if (arguments->json)
		(void)printf("{\"written\": %zu, \"failed\": %zu}\n",
		    many.written, many.failed);
	else
		(void)printf("%zu %s written, %zu failed\n", many.written,
		    many.written == 1 ? "profile" : "profiles", many.failed);
	return rc != 0 || many.failed > 0 ? CMD_FAILED : CMD_DONE;
}

/* -1: good. */
static int
check_arguments(const struct arguments *arguments, int operands)
{
	bool many = arguments->all || arguments->group != NULL;

	if ((operands > 0) + arguments->all + (arguments->group != NULL) != 1)
		cmd_error("which device? one MAC, or --group, or --all");
	else if (many &&
	    (arguments->folder == NULL || arguments->output != NULL))
		cmd_error("profiles of many devices go to a folder: --write");
	else if (!many && arguments->folder != NULL)
		cmd_error("--write goes with --group or --all");
	else
		return -1;
	return CMD_USAGE;
}

int
profile_render(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	const struct cmd_option options[] = {
		DEVICE_INVENTORY_OPTION(&arguments.inventory),
		PROFILE_CONFIG_OPTION(&arguments.config),
		{ .name = "output",
		    .letter = 'o',
		    .value = "FILE",
		    .help = "write there, readable for you alone",
		    .text = &arguments.output },
		{ .name = "all",
		    .letter = 'a',
		    .help = "all devices that are not retired",
		    .flag = &arguments.all },
		{ .name = "group",
		    .letter = 'g',
		    .value = "NAME",
		    .help = "those of a group and below it",
		    .text = &arguments.group },
		{ .name = "write",
		    .letter = 'w',
		    .value = "DIR",
		    .help = "with --all or --group: to files MAC.xml there",
		    .text = &arguments.folder },
		{ .name = "json",
		    .letter = 'j',
		    .help = "as JSON",
		    .flag = &arguments.json },
		{ .name = "secrets",
		    .help = "with passwords, keys and PINs as they are",
		    .flag = &arguments.secrets },
	};
	const struct cmd_syntax syntax = { "sprov profile render", "[MAC]",
		"Print the profile that the server would send to a device.  "
		"Passwords, keys and\nPINs are masked.\n",
		options, LENGTH(options), 0, 1 };
	struct profile_site site;
	struct error err = { 0 };
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status >= 0)
		return status;
	status = check_arguments(&arguments, argc - first);
	if (status >= 0)
		return status;
	if (profile_site_open(&site, arguments.config) != 0)
		return CMD_FAILED;
	if (profile_site_load(&site, arguments.inventory) != 0)
		status = CMD_FAILED;
	else if (arguments.folder != NULL)
		status = render_many(&arguments, &site);
	else if (render_and_write(&arguments, &site, argv[first], &err) != 0)
		status = cmd_fail(&err);
	else
		status = CMD_DONE;
	profile_site_close(&site);
	return status;
}
