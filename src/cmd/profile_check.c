/*
 * What is wrong with profiles: files, templates, and what devices would get.
 */
#include "cmd/profile_check.h"
#include "cmd/profile_common.h"
#include "cmd/profile_listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/device_common.h"
#include "cmd/print.h"
#include "inventory/snapshot.h"
#include "provision/fields.h"
#include "provision/render.h"
#include "provision/starter.h"
#include "provision/template.h"
#include "server/config.h"
#include "spa/flat_profile.h"
#include "spa/profile.h"
#include "spa/registry.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

struct checking {
	struct profile_site site;
	const char *inventory;
	const struct model *as; /* NULL: not given */
	const char *as_firmware;
	struct profile_listeners *listeners; /* NULL: no configuration */
	const char *group; /* check the devices of it and below it */
	bool all;	   /* check all devices */
};

/* "2:7: mismatched tag" says where it is. */
static void
add_malformed(struct findings *findings, const char *text)
{
	struct finding *finding;
	size_t line = 0, column = 0;
	char *end;

	line = strtoul(text, &end, 10);
	if (*end == ':')
		column = strtoul(end + 1, &end, 10);
	if (line > 0 && strncmp(end, ": ", 2) == 0)
		text = end + 2;
	else
		line = column = 0;
	findings->list = xrealloc(findings->list,
	    (findings->kept + 1) * sizeof(*findings->list));
	finding = &findings->list[findings->kept++];
	findings->count++;
	findings->problems++;
	*finding = (struct finding) { .severity = SEVERITY_FORM,
		.name = xstrdup(""),
		.line = line,
		.column = column,
		.text = xstrdup(text) };
}

/* A first line that says so; [WAZO]: what SPA9xx phones need. */
static bool
is_latin1(const char *text)
{
	size_t len = strcspn(text, "\n");
	char first[128];

	(void)snprintf(first, sizeof(first), "%.*s",
	    (int)(len < sizeof(first) ? len : sizeof(first) - 1), text);
	return strcasestr(first, "ISO-8859-1") != NULL;
}

static void
inspect_text(const struct checking *checking, struct checked *checked,
    const char *text, size_t len, bool names_only)
{
	const struct inspect_options options = { .model = checked->model,
		.firmware = checked->firmware,
		.is_latin1 = is_latin1(text),
		.names_only = names_only };
	struct error err;
	struct flat_profile *profile = flat_profile_read(text, len, &err);

	if (profile == NULL)
		add_malformed(&checked->findings, err.text);
	else
		inspect_profile(profile, &options, &checked->findings);
	if (profile != NULL && checking->listeners != NULL &&
	    checked->model != NULL)
		profile_listeners_inspect(checking->listeners, profile,
		    checked->model, checked->firmware, checked->mac,
		    &checked->findings);
	flat_profile_free(profile);
}

/* Where the element of a parameter begins in a template; 0 when it does not. */
static size_t
find_element(const char *text, const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *p = text;
	size_t len;

	if (slash != NULL)
		name = slash + 1;
	len = strlen(name);
	while ((p = strchr(p, '<')) != NULL) {
		if (strncmp(++p, name, len) == 0 &&
		    strchr(" \t\r\n/>", p[len]) != NULL)
			return (size_t)(p - text);
	}
	return 0;
}

/* What was found in a rendering is at another place in its template. */
static void
place_in_template(struct findings *findings, const char *text)
{
	for (size_t i = 0; i < findings->kept; i++) {
		struct finding *finding = &findings->list[i];
		size_t at = find_element(text, finding->name);

		finding->line = finding->column = 0;
		if (*finding->name == '\0' || at == 0)
			continue; /* it comes from a partial */
		finding->line = 1;
		for (size_t j = 0; j < at; j++) {
			finding->column++;
			if (text[j] == '\n') {
				finding->line++;
				finding->column = 0;
			}
		}
	}
}

static bool
has_finding(const struct findings *findings, const struct finding *finding)
{
	for (size_t i = 0; i < findings->kept; i++)
		if (findings->list[i].severity == finding->severity &&
		    strcmp(findings->list[i].name, finding->name) == 0)
			return true;
	return false;
}

/* Add what one has not; the other is then empty. */
static void
merge(struct findings *one, struct findings *other)
{
	for (size_t i = 0; i < other->kept; i++) {
		struct finding *finding = &other->list[i];

		if (has_finding(one, finding) || one->kept == FINDINGS_MAX) {
			free(finding->name);
			free(finding->text);
			continue;
		}
		one->list = xrealloc(one->list,
		    (one->kept + 1) * sizeof(*one->list));
		one->list[one->kept++] = *finding;
		one->count++;
		one->problems += finding->severity != SEVERITY_NOTE;
	}
	free(other->list);
	*other = (struct findings) { 0 };
}

/* Once with every variable set, once with none: both kinds of sections. */
static void
check_template(const struct checking *checking, struct checked *checked,
    const char *name, const char *text)
{
	for (int filled = 1; filled >= 0; filled--) {
		struct checked pass = { .model = checked->model,
			.firmware = checked->firmware };
		struct error err = { 0 };
		struct buf out;

		buf_init(&out, PROFILE_BYTES_MAX);
		if (render_sample(checking->site.templates, name,
			checked->model, filled != 0, &out, &err) != 0)
			add_malformed(&pass.findings, err.text);
		else
			inspect_text(checking, &pass, buf_text(&out), out.len,
			    filled == 0);
		if (text != NULL)
			place_in_template(&pass.findings, text);
		merge(&checked->findings, &pass.findings);
		buf_clear(&out);
	}
}

/* A file that is a template: beside those that it may include. */
static void
check_template_file(struct checking *checking, struct checked *checked,
    const char *text, size_t len)
{
	struct errors errors = { 0 };
	struct error err = { 0 };
	/* Names of templates have no folder: this one is its own. */
	char *name = xasprintf("./%s", checked->input);

	checked->kind = "template";
	if (templates_add(checking->site.templates, name, text, len, &err) !=
	    0) {
		const char *place = text_starts(err.text, name) ?
		    err.text + strlen(name) + 1 :
		    err.text;

		add_malformed(&checked->findings, place);
	} else if (templates_check(checking->site.templates, &errors) != 0) {
		for (size_t i = 0; i < errors.kept; i++)
			add_malformed(&checked->findings,
			    text_starts(errors.text[i], name) ?
				errors.text[i] + strlen(name) + 1 :
				errors.text[i]);
	} else
		check_template(checking, checked, name, text);
	errors_clear(&errors);
	free(name);
}

/* One of the set: the operator's, or a starter. */
static void
check_named(const struct checking *checking, struct checked *checked)
{
	const struct config *config = checking->site.config;
	const char *starter = NULL;
	char *path, *own = NULL;
	struct error err;
	size_t len;

	for (size_t i = 0; i < starter_count; i++)
		if (strcmp(starters[i].name, checked->input) == 0)
			starter = starters[i].text;
	if (config != NULL && config->templates != NULL) {
		path = file_join(config->templates, checked->input);
		if (file_read(path, TEMPLATE_TEXT_MAX, &own, &len, &err) != 0)
			own = NULL;
		free(path);
	}
	check_template(checking, checked, checked->input,
	    own != NULL ? own : starter);
	free(own);
}

static int
check_file(struct checking *checking, struct checked *checked,
    struct error *err)
{
	char *text = NULL;
	size_t len = 0;

	if (file_read(checked->input, PROFILE_BYTES_MAX, &text, &len, err) != 0)
		return -1;
	checked->kind = "profile";
	if (strstr(text, "{{") != NULL)
		check_template_file(checking, checked, text, len);
	else
		inspect_text(checking, checked, text, len, false);
	explicit_bzero(text, len);
	free(text);
	return 0;
}

/* What a device would get. */
static void
inspect_device(struct checking *checking, struct checked *checked,
    const struct device *device)
{
	struct error err = { 0 };
	struct buf out;

	checked->kind = "device";
	checked->mac = &device->mac;
	if (checking->as == NULL) {
		checked->model = registry_find_model(device->model, NULL);
		checked->firmware = device->firmware;
	}
	buf_init(&out, PROFILE_BYTES_MAX);
	if (render_profile(checking->site.templates, checking->site.snapshot,
		device, &out, &err) != 0)
		add_malformed(&checked->findings, err.text);
	else
		inspect_text(checking, checked, buf_text(&out), out.len, false);
	if (out.data != NULL)
		explicit_bzero(out.data, out.len);
	buf_clear(&out);
}

static int
check_device(struct checking *checking, struct checked *checked,
    struct error *err)
{
	const struct device *device;

	if (checking->site.snapshot == NULL &&
	    profile_site_load(&checking->site, checking->inventory) != 0)
		return error_set(err, ERROR_NONE, "%s", ""); /* it is said */
	device = profile_find_device(&checking->site, checked->input, err);
	if (device == NULL)
		return -1;
	inspect_device(checking, checked, device);
	return 0;
}

static int
check_operand(struct checking *checking, struct checked *checked,
    struct error *err)
{
	const char *input = checked->input;
	struct mac mac;

	checked->model = checking->as;
	checked->firmware = checking->as_firmware;
	if (access(input, F_OK) == 0)
		return check_file(checking, checked, err);
	if (templates_has(checking->site.templates, input)) {
		checked->kind = "template";
		check_named(checking, checked);
		return 0;
	}
	if (mac_read(&mac, input, strlen(input)))
		return check_device(checking, checked, err);
	return error_set(err, ERROR_NOT_FOUND,
	    "%s: neither a file, nor a template, nor the MAC address of a "
	    "device",
	    input);
}

/* "SPA504G@7.6.2". */
static int
read_as(struct checking *checking, char *text, struct error *err)
{
	char *at = strchr(text, '@');
	char name[INVENTORY_NAME_MAX + 1];

	if (at != NULL) {
		*at++ = '\0';
		if (fields_check_firmware(at, err) != 0)
			return -1;
		checking->as_firmware = at;
	}
	if (fields_check_model(text, name, err) != 0)
		return -1;
	checking->as = registry_find_model(name, NULL);
	return 0;
}

/* All operands; the exit status. */
static int
check_all(struct checking *checking, int count, char **operands, bool json)
{
	struct checked *list = xcalloc((size_t)count, sizeof(*list));
	struct error err = { 0 };
	int status = CMD_DONE;
	size_t done = 0;

	for (; done < (size_t)count && status != CMD_FAILED; done++) {
		list[done].input = operands[done];
		if (check_operand(checking, &list[done], &err) != 0)
			status = CMD_FAILED;
		else if (list[done].findings.problems > 0)
			status = CMD_PROBLEM;
		if (!json && status != CMD_FAILED)
			profile_check_print(&list[done]);
	}
	if (json && status != CMD_FAILED &&
	    profile_check_print_json(list, done, &err) != 0)
		status = CMD_FAILED;
	if (status == CMD_FAILED && err.kind != ERROR_NONE)
		(void)cmd_fail(&err);
	for (size_t i = 0; i < done; i++)
		findings_clear(&list[i].findings);
	free(list);
	return status;
}

/* What became of a fleet: of the good ones nothing is said. */
struct fleet_check {
	struct checking *checking;
	struct checked *bad; /* for JSON; each with its input */
	size_t count, devices, problems;
	bool json;
};

static int
visit(const struct device *device, void *arg)
{
	struct fleet_check *fleet = arg;
	struct checking *checking = fleet->checking;
	char mac[MAC_TEXT_BYTES];
	struct checked checked = { .input = mac,
		.model = checking->as,
		.firmware = checking->as_firmware };

	if (device->state == DEVICE_RETIRED ||
	    (checking->group != NULL &&
		!snapshot_is_below(checking->site.snapshot, device,
		    checking->group)))
		return 0;
	mac_format(&device->mac, mac);
	inspect_device(checking, &checked, device);
	fleet->devices++;
	fleet->problems += checked.findings.problems > 0;
	if (checked.findings.count > 0 && !fleet->json)
		profile_check_print(&checked);
	if (checked.findings.count == 0 || !fleet->json) {
		findings_clear(&checked.findings);
		return 0;
	}
	checked.input = xstrdup(mac);
	fleet->bad = xrealloc(fleet->bad,
	    (fleet->count + 1) * sizeof(*fleet->bad));
	fleet->bad[fleet->count++] = checked;
	return 0;
}

static int
check_fleet(struct checking *checking, bool json)
{
	struct fleet_check fleet = { .checking = checking, .json = json };
	struct error err = { 0 };
	int status = CMD_DONE;

	if (profile_site_load(&checking->site, checking->inventory) != 0)
		return CMD_FAILED;
	if (checking->group != NULL &&
	    !snapshot_has_group(checking->site.snapshot, checking->group)) {
		cmd_error("there is no group \"%.63s\" in the inventory",
		    checking->group);
		return CMD_FAILED;
	}
	(void)snapshot_each(checking->site.snapshot, visit, &fleet);
	if (!json)
		(void)printf("%zu %s checked, %zu with problems\n",
		    DEVICES(fleet.devices), fleet.problems);
	else if (profile_check_print_json(fleet.bad, fleet.count, &err) != 0)
		status = cmd_fail(&err);
	for (size_t i = 0; i < fleet.count; i++) {
		findings_clear(&fleet.bad[i].findings);
		free((char *)(uintptr_t)fleet.bad[i].input);
	}
	free(fleet.bad);
	return status == CMD_DONE && fleet.problems > 0 ? CMD_PROBLEM : status;
}

/* Our listeners are looked at where a configuration says what they are. */
static int
look_and_check(struct checking *checking, int count, char **operands, bool json)
{
	int status;

	if (checking->site.config != NULL) {
		checking->listeners =
		    profile_listeners_new(checking->site.config);
		if (checking->listeners == NULL)
			return CMD_FAILED;
	}
	status = checking->all || checking->group != NULL ?
	    check_fleet(checking, json) :
	    check_all(checking, count, operands, json);
	profile_listeners_free(checking->listeners);
	return status;
}

int
profile_check_command(int argc, char **argv)
{
	struct checking checking = { .as_firmware = "" };
	const char *config = NULL, *as = NULL;
	bool json = false;
	const struct cmd_option options[] = {
		DEVICE_INVENTORY_OPTION(&checking.inventory),
		PROFILE_CONFIG_OPTION(&config),
		{ .name = "as",
		    .value = "MODEL[@FIRMWARE]",
		    .help = "check for this model, at this firmware",
		    .text = &as },
		{ .name = "all",
		    .letter = 'a',
		    .help = "all devices; names those with findings",
		    .flag = &checking.all },
		{ .name = "group",
		    .letter = 'g',
		    .value = "NAME",
		    .help = "the same of a group and of those below it",
		    .text = &checking.group },
		{ .name = "json",
		    .letter = 'j',
		    .help = "as JSON",
		    .flag = &json },
	};
	const struct cmd_syntax syntax = { "sprov profile check",
		"[FILE|TEMPLATE|MAC...]",
		"Say what is wrong with profiles, templates, and what devices "
		"would get: names\nthat are not known for the model and its "
		"firmware, values out of range, and\nsettings that stop the "
		"resync or lock the administrator out.\n",
		options, LENGTH(options), 0, -1 };
	struct error err = { 0 };
	char *own = NULL;
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status >= 0)
		return status;
	if ((first < argc) + checking.all + (checking.group != NULL) != 1) {
		cmd_error("what is to be checked? files, templates and MACs, "
			  "or --group, or --all; see sprov profile check "
			  "--help");
		return CMD_USAGE;
	}
	own = as != NULL ? xstrdup(as) : NULL;
	if (own != NULL && read_as(&checking, own, &err) != 0) {
		cmd_error("--as: %s", err.text);
		status = CMD_USAGE;
	} else if (profile_site_open(&checking.site, config) != 0) {
		status = CMD_FAILED;
	} else {
		status = look_and_check(&checking, argc - first, argv + first,
		    json);
		profile_site_close(&checking.site);
	}
	free(own);
	return status;
}
