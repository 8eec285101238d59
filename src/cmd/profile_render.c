/*
 * The profile of one device, as the server would send it, or with what is
 * nobody's business masked.
 */
#include "cmd/profile_common.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/file.h"
#include "cmd/cmd.h"
#include "cmd/device_common.h"
#include "provision/render.h"
#include "spa/profile.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

struct arguments {
	const char *config, *inventory, *output;
	bool json, secrets;
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
	rc = arguments->secrets ? render_profile(site->templates,
				      site->snapshot, device, &profile, err) :
				  render_profile_masked(site->templates,
				      site->snapshot, device, &profile, err);
	if (rc == 0 && arguments->json)
		rc = format_json(site, device, &profile, &json, err);
	if (rc == 0)
		rc = write_out(arguments->json ? &json : &profile,
		    arguments->output, err);
	if (profile.data != NULL)
		explicit_bzero(profile.data, profile.len);
	if (json.data != NULL)
		explicit_bzero(json.data, json.len);
	buf_clear(&json);
	buf_clear(&profile);
	return rc;
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
		{ .name = "json",
		    .letter = 'j',
		    .help = "as JSON",
		    .flag = &arguments.json },
		{ .name = "secrets",
		    .help = "with passwords, keys and PINs as they are",
		    .flag = &arguments.secrets },
	};
	const struct cmd_syntax syntax = { "sprov profile render", "MAC",
		"Print the profile that the server would send to a device.  "
		"Passwords, keys and\nPINs are masked.\n",
		options, LENGTH(options), 1, 1 };
	struct profile_site site;
	struct error err = { 0 };
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status >= 0)
		return status;
	if (profile_site_open(&site, arguments.config) != 0)
		return CMD_FAILED;
	if (profile_site_load(&site, arguments.inventory) != 0)
		status = CMD_FAILED;
	else if (render_and_write(&arguments, &site, argv[first], &err) != 0)
		status = cmd_fail(&err);
	else
		status = CMD_DONE;
	profile_site_close(&site);
	return status;
}
