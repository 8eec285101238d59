/*
 * What would change for a device since it was last served, parameter by
 * parameter.
 */
#include "cmd/profile_common.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "cmd/cmd.h"
#include "cmd/device_common.h"
#include "cmd/documents_site.h"
#include "cmd/print.h"
#include "provision/drift.h"
#include "provision/render.h"
#include "spa/flat_profile.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

struct arguments {
	struct documents_site_options site;
	bool json, secrets;
};

static const char *
shown(const struct change *change, const char *value, bool secrets)
{
	return change->is_secret && !secrets && *value != '\0' ? RENDER_MASK :
								 value;
}

static void
print_line(char sign, const char *colour, const char *value)
{
	(void)printf("    %s%c ", colour, sign);
	documents_print_value(value);
	(void)printf("%s\n", *colour != '\0' ? "\033[0m" : "");
}

/* Which is which is told by '+' and '-'; colour only helps. */
static void
print_change(const struct change *change, bool secrets)
{
	bool colour = documents_use_colour();

	(void)printf("  %s%s%s: %s\n", change->path,
	    *change->path != '\0' ? "/" : "", change->name,
	    change_kind_name(change->kind));
	if (change->kind == CHANGE_ACCESS)
		return;
	if (change->old_value != NULL)
		print_line('-', colour ? "\033[31m" : "",
		    shown(change, change->old_value, secrets));
	if (change->new_value != NULL)
		print_line('+', colour ? "\033[32m" : "",
		    shown(change, change->new_value, secrets));
	if (change->kind == CHANGE_VALUE && change->is_secret && !secrets)
		(void)puts("    (masked; --secrets shows it)");
}

/* What the list of changes does not say by itself. */
static const char *
note_of(const struct served *served, const struct changes *changes)
{
	switch (served->knowledge) {
	case SERVED_NEVER:
		return "It was never served: all of it would be new.";
	case SERVED_HASH:
		return served->document.form == DOCUMENT_SEALED ?
		    "It would change. What it was served is sealed: "
		    "--secrets-key opens it." :
		    "It would change. What it was served is not kept, only "
		    "its hash.";
	case SERVED_REDACTED:
		return changes->count == 0 ?
		    "It would change, but in nothing that is kept: secrets "
		    "are not, without a secrets key." :
		    "Secrets are not compared: without a secrets key they are "
		    "not kept.";
	case SERVED_WHOLE:
		break;
	}
	return changes->count == 0 && !served->is_same ?
	    "Only its layout would change, no parameter." :
	    NULL;
}

static void
print_text(const struct device *device, const struct served *served,
    const struct changes *changes, bool secrets)
{
	const struct document *document = &served->document;
	const char *note = note_of(served, changes);
	char mac[MAC_TEXT_BYTES], when[DOCUMENTS_TIME_BYTES];

	mac_format(&device->mac, mac);
	documents_time(document->at, when);
	if (served->knowledge == SERVED_NEVER)
		(void)printf("%s %s\n", mac, device->model);
	else
		(void)printf("%s %s, served so since %s\n  by listener %s, "
			     "template %s, protection %s\n",
		    mac, device->model, when, document->listener,
		    document->template, document->protection);
	for (size_t i = 0; i < changes->count; i++)
		print_change(&changes->list[i], secrets);
	if (note != NULL) {
		(void)cmd_wrap(0, 2, note);
		(void)putchar('\n');
	} else if (changes->count == 0) {
		(void)puts("  nothing would change");
	}
}

static json_t *
change_json(const struct change *change, bool secrets)
{
	const char *old = change->old_value, *fresh = change->new_value;

	return json_pack("{ss ss ss ss? ss? sb}", "path", change->path,
	    "parameter", change->name, "change", change_kind_word(change->kind),
	    "served", old != NULL ? shown(change, old, secrets) : NULL, "now",
	    fresh != NULL ? shown(change, fresh, secrets) : NULL, "secret",
	    change->is_secret);
}

static int
print_json(const struct device *device, const struct served *served,
    const struct changes *changes, bool secrets)
{
	static const char *const names[] = { "never-served", "whole",
		"redacted", "hash" };
	json_t *list = json_array(), *object;
	char mac[MAC_TEXT_BYTES];
	int rc;

	mac_format(&device->mac, mac);
	for (size_t i = 0; i < changes->count; i++)
		(void)json_array_append_new(list,
		    change_json(&changes->list[i], secrets));
	object = json_pack("{ss ss so ss? ss? ss? sb so}", "mac", mac, "model",
	    device->model, "served_since", cmd_json_time(served->document.at),
	    "listener",
	    *served->document.listener ? served->document.listener : NULL,
	    "template",
	    *served->document.template ? served->document.template : NULL,
	    "known", names[served->knowledge], "same", served->is_same,
	    "changes", list);
	rc = object != NULL ? json_dumpf(object, stdout, JSON_INDENT(2)) : -1;
	json_decref(object);
	(void)putchar('\n');
	return rc == 0 ? 0 : (cmd_error("cannot write JSON"), -1);
}

/* Layout alone is no change: the device does the same. */
static bool
would_change(const struct served *served, const struct changes *changes)
{
	return changes->count > 0 ||
	    (!served->is_same && served->knowledge != SERVED_WHOLE);
}

static int
diff(const struct documents_site *site, const struct arguments *arguments,
    const char *text)
{
	struct flat_profile *nothing = flat_profile_new();
	struct changes changes = { .list = NULL };
	struct served served = { .knowledge = SERVED_NEVER };
	struct error err = { 0 };
	const struct device *device;
	int status = CMD_FAILED;

	device = profile_find_device(&site->site, text, &err);
	if (device == NULL || served_find(site, device, &served, &err) != 0) {
		status = cmd_fail(&err);
		goto out;
	}
	if (served.knowledge != SERVED_HASH)
		changes_between(served.profile != NULL ? served.profile :
							 nothing,
		    served.now, &changes);
	if (!arguments->json)
		print_text(device, &served, &changes, arguments->secrets);
	else if (print_json(device, &served, &changes, arguments->secrets) != 0)
		goto out;
	status = would_change(&served, &changes) ? CMD_PROBLEM : CMD_DONE;
out:
	changes_clear(&changes);
	served_clear(&served);
	flat_profile_free(nothing);
	return status;
}

int
profile_diff(int argc, char **argv)
{
	struct arguments arguments = { .json = false };
	const struct cmd_option options[] = {
		DEVICE_INVENTORY_OPTION(&arguments.site.inventory),
		PROFILE_CONFIG_OPTION(&arguments.site.config),
		DOCUMENTS_KEY_OPTION(&arguments.site.secrets_key),
		{ .name = "json",
		    .letter = 'j',
		    .help = "as JSON",
		    .flag = &arguments.json },
		{ .name = "secrets",
		    .help = "with passwords, keys and PINs as they are",
		    .flag = &arguments.secrets },
	};
	const struct cmd_syntax syntax = { "sprov profile diff", "MAC",
		"Print what would change for a device since it was last "
		"served.\nExit status: 0 nothing, 3 something.\n",
		options, LENGTH(options), 1, 1 };
	struct documents_site site;
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status >= 0)
		return status;
	if (documents_site_open(&site, &arguments.site) != 0)
		return CMD_FAILED;
	status = diff(&site, &arguments, argv[first]);
	documents_site_close(&site);
	return status;
}
