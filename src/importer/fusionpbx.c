/*
 * The CSV of FusionPBX: its device export, and what its device import takes.
 *
 * A row is a device with the columns of the tables devices, device_lines and
 * device_settings.  The export joins one line to each device; a file made for
 * the import may repeat the columns of a line, each time for the next one; and
 * rows of one MAC with different line numbers are lines of one device.  The
 * address is kept as hex digits in lower case, and read with anything between
 * them.  Source: [FUSIONPBX], pages of device import and export.
 */
#include "importer/importer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "base/mem.h"
#include "base/text.h"
#include "importer/csv_rows.h"
#include "spa/registry.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define SHOWN_BYTES 72

enum kind {
	KIND_NOT_TAKEN, /* known, and of no use here */
	KIND_UNKNOWN,
	KIND_MAC,
	KIND_VENDOR,
	KIND_MODEL,
	KIND_ENABLED,
	KIND_VARIABLE,
	KIND_LINE_NUMBER,
	KIND_LINE_ENABLED,
	KIND_LINE, /* a variable of a line */
	KIND_SETTING_NAME,
	KIND_SETTING_VALUE,
	KIND_SETTING_ENABLED,
};

static const struct name {
	const char *column;
	enum kind kind;
	const char *variable;
	bool secret;
} names[] = {
	{ "device_mac_address", KIND_MAC, NULL, false },
	{ "device_address", KIND_MAC, NULL, false }, /* later releases */
	{ "device_vendor", KIND_VENDOR, NULL, false },
	{ "device_template", KIND_MODEL, NULL, false },
	{ "device_model", KIND_MODEL, NULL, false },
	{ "device_enabled", KIND_ENABLED, NULL, false },
	{ "device_label", KIND_VARIABLE, "label", false },
	{ "device_description", KIND_VARIABLE, "description", false },
	{ "line_number", KIND_LINE_NUMBER, NULL, false },
	{ "enabled", KIND_LINE_ENABLED, NULL, false },
	{ "server_address", KIND_LINE, "proxy", false },
	{ "server_address_primary", KIND_LINE, "proxy_primary", false },
	{ "server_address_secondary", KIND_LINE, "proxy_secondary", false },
	{ "outbound_proxy_primary", KIND_LINE, "outbound_proxy", false },
	{ "outbound_proxy_secondary", KIND_LINE, "outbound_proxy_secondary",
	    false },
	{ "display_name", KIND_LINE, "display_name", false },
	{ "user_id", KIND_LINE, "user_id", false },
	{ "auth_id", KIND_LINE, "auth_id", false },
	{ "password", KIND_LINE, "password", true },
	{ "sip_port", KIND_LINE, "sip_port", false },
	{ "sip_transport", KIND_LINE, "sip_transport", false },
	{ "register_expires", KIND_LINE, "register_expires", false },
	{ "shared_line", KIND_LINE, "shared_line", false },
	{ "device_setting_subcategory", KIND_SETTING_NAME, NULL, false },
	{ "device_setting_value", KIND_SETTING_VALUE, NULL, true },
	{ "device_setting_enabled", KIND_SETTING_ENABLED, NULL, false },
	{ "device_password", KIND_NOT_TAKEN, NULL, true },
	{ "device_username", KIND_NOT_TAKEN, NULL, false },
	{ "device_uuid", KIND_NOT_TAKEN, NULL, false },
	{ "device_profile_uuid", KIND_NOT_TAKEN, NULL, false },
	{ "device_uuid_alternate", KIND_NOT_TAKEN, NULL, false },
	{ "device_line_uuid", KIND_NOT_TAKEN, NULL, false },
	{ "device_enabled_date", KIND_NOT_TAKEN, NULL, false },
	{ "device_provisioned_date", KIND_NOT_TAKEN, NULL, false },
	{ "device_provisioned_method", KIND_NOT_TAKEN, NULL, false },
	{ "device_provisioned_ip", KIND_NOT_TAKEN, NULL, false },
};

struct column {
	struct name name;
	unsigned block; /* the how manieth of its name, from 0 */
	bool used;	/* a row had something in it that is not taken */
};

struct reading {
	struct fleet *fleet;
	const struct importer_options *options;
	const char *file;
	mode_t mode;
	struct column columns[CSV_COLUMNS_MAX];
	char *headers[CSV_COLUMNS_MAX];
	size_t column_count;
	unsigned blocks;     /* lines in a row */
	size_t with_secrets; /* devices */
	char place[FLEET_PLACE_MAX];
	const char *const *cells; /* of the row */
};

static void
say(struct reading *reading, enum fleet_remark kind, size_t i, const char *text)
{
	char shown[SHOWN_BYTES];

	text_escape(reading->cells[i], strlen(reading->cells[i]), shown,
	    sizeof(shown));
	fleet_say(reading->fleet, kind, "%s, column %zu (%s): \"%s\" %s",
	    reading->place, i + 1, reading->headers[i], shown, text);
}

static struct name
find_name(const char *header)
{
	for (size_t i = 0; i < LENGTH(names); i++)
		if (strcasecmp(header, names[i].column) == 0)
			return names[i];
	return (struct name) { .kind = KIND_UNKNOWN };
}

static int
take_header(struct reading *reading, size_t count)
{
	bool has_mac = false;

	for (size_t i = 0; i < count; i++) {
		struct column *column = &reading->columns[i];
		char shown[SHOWN_BYTES];

		text_escape(reading->cells[i], strlen(reading->cells[i]), shown,
		    sizeof(shown));
		reading->headers[i] = xstrdup(shown);
		column->name = find_name(reading->cells[i]);
		for (size_t j = 0; j < i; j++)
			if (strcasecmp(reading->headers[j], shown) == 0)
				column->block++;
		has_mac |= column->name.kind == KIND_MAC;
		if (column->block >= reading->blocks)
			reading->blocks = column->block + 1;
	}
	reading->column_count = count;
	if (has_mac && reading->blocks <= FLEET_LINES_MAX)
		return 0;
	fleet_say(reading->fleet, FLEET_ERROR,
	    has_mac ? "%s:1: a column is repeated more often than a device has "
		      "lines" :
		      "%s:1: there is no column \"device_mac_address\" or "
		      "\"device_address\": is it FusionPBX's device export?",
	    reading->file);
	return -1;
}

/* The cell of the first column of that kind and block that holds something. */
static const char *
cell(const struct reading *reading, enum kind kind, unsigned block)
{
	for (size_t i = 0; i < reading->column_count; i++)
		if (reading->columns[i].name.kind == kind &&
		    reading->columns[i].block == block &&
		    reading->cells[i][0] != '\0')
			return reading->cells[i];
	return NULL;
}

/* PostgreSQL and forms spell it in several ways. */
static bool
is_false(const char *text)
{
	return text != NULL &&
	    (strcasecmp(text, "false") == 0 || strcasecmp(text, "f") == 0 ||
		strcmp(text, "0") == 0 || strcasecmp(text, "no") == 0);
}

static size_t
column_of(const struct reading *reading, enum kind kind)
{
	size_t i = 0;

	while (reading->columns[i].name.kind != kind ||
	    reading->cells[i][0] == '\0')
		i++;
	return i;
}

/* Ours, or a maker's whose devices nobody provisions with sprov? */
static const struct model *
find_model(struct reading *reading, bool *skip)
{
	static const char *const makers[] = { "cisco", "linksys", "sipura" };
	const char *vendor = cell(reading, KIND_VENDOR, 0);
	const char *text = cell(reading, KIND_MODEL, 0);
	const struct model *model = text != NULL ? fleet_find_model(text) :
						   NULL;
	bool ours = vendor == NULL;

	for (size_t i = 0; !ours && i < LENGTH(makers); i++)
		ours = strcasecmp(vendor, makers[i]) == 0;
	*skip = false;
	if (!ours && model == NULL) {
		say(reading, FLEET_LEFT_OUT, column_of(reading, KIND_VENDOR),
		    "is another maker");
		*skip = true;
	} else if (text != NULL && model == NULL &&
	    reading->options->model == NULL) {
		say(reading, FLEET_LEFT_OUT, column_of(reading, KIND_MODEL),
		    "is no model that is known");
		*skip = true;
	}
	return model;
}

static bool
line_number(struct reading *reading, unsigned block, unsigned *line)
{
	const char *text = cell(reading, KIND_LINE_NUMBER, block);
	uint64_t number = block + 1;
	struct error err = { 0 };

	if (text != NULL &&
	    text_parse_number(text, 1, FLEET_LINES_MAX, &number, &err) != 0) {
		fleet_say(reading->fleet, FLEET_ERROR,
		    "%s: column line_number: %s", reading->place, err.text);
		return false;
	}
	*line = (unsigned)number;
	return true;
}

static void
take_line(struct reading *reading, struct device *device, unsigned block)
{
	struct variables *variables = &device->variables;
	unsigned line = 0;
	char name[32];

	if (cell(reading, KIND_LINE, block) == NULL ||
	    is_false(cell(reading, KIND_LINE_ENABLED, block)) ||
	    !line_number(reading, block, &line))
		return;
	(void)snprintf(name, sizeof(name), line == 1 ? "user_id" : "user_id_%u",
	    line);
	if (variables_get(variables, name) != NULL) {
		fleet_say(reading->fleet, FLEET_ERROR,
		    "%s: the device has line %u already, at %s", reading->place,
		    line, fleet_place(reading->fleet, &device->mac));
		return;
	}
	for (size_t i = 0; i < reading->column_count; i++) {
		const struct column *column = &reading->columns[i];

		if (column->name.kind == KIND_LINE && column->block == block &&
		    reading->cells[i][0] != '\0')
			fleet_set_line(reading->fleet, variables,
			    column->name.variable, line, reading->cells[i],
			    reading->place);
	}
	/* Where a line names no server, its first choice is the one. */
	(void)snprintf(name, sizeof(name), line == 1 ? "proxy" : "proxy_%u",
	    line);
	if (variables_get(variables, name) == NULL) {
		char primary[40];
		const char *value;

		(void)snprintf(primary, sizeof(primary),
		    line == 1 ? "proxy_primary" : "proxy_primary_%u", line);
		value = variables_get(variables, primary);
		if (value != NULL)
			fleet_set(reading->fleet, variables, name, value,
			    reading->place);
	}
}

static void
take_setting(struct reading *reading, struct device *device, unsigned block)
{
	const char *name = cell(reading, KIND_SETTING_NAME, block);
	const char *value = cell(reading, KIND_SETTING_VALUE, block);

	if (name != NULL && value != NULL &&
	    !is_false(cell(reading, KIND_SETTING_ENABLED, block)))
		fleet_set(reading->fleet, &device->variables, name, value,
		    reading->place);
}

static bool
has_secrets(const struct reading *reading)
{
	for (size_t i = 0; i < reading->column_count; i++)
		if (reading->columns[i].name.secret &&
		    reading->cells[i][0] != '\0')
			return true;
	return false;
}

static void
take_device(struct reading *reading, const struct mac *mac,
    const struct model *model)
{
	struct fleet *fleet = reading->fleet;
	struct device *device = fleet_find(fleet, mac);
	bool more_lines = device != NULL;

	if (more_lines && cell(reading, KIND_LINE_NUMBER, 0) == NULL) {
		fleet_say(fleet, FLEET_ERROR,
		    "%s: the device is at %s already; more lines of it need a "
		    "column \"line_number\"",
		    reading->place, fleet_place(fleet, mac));
		return;
	}
	if (device == NULL)
		device = fleet_add(fleet, mac, reading->place);
	if (device == NULL)
		return;
	if (model != NULL)
		memcpy(device->model, model->name, strlen(model->name) + 1);
	if (is_false(cell(reading, KIND_ENABLED, 0)))
		device->state = DEVICE_RETIRED;
	for (size_t i = 0; i < reading->column_count; i++)
		if (reading->columns[i].name.kind == KIND_VARIABLE &&
		    reading->cells[i][0] != '\0')
			fleet_set(fleet, &device->variables,
			    reading->columns[i].name.variable,
			    reading->cells[i], reading->place);
	for (unsigned block = 0; block < reading->blocks; block++) {
		take_line(reading, device, block);
		take_setting(reading, device, block);
	}
	if (!more_lines && has_secrets(reading))
		reading->with_secrets++;
	(void)importer_finish_device(fleet, device, reading->options,
	    reading->place);
}

static int
take_row(const char *const *cells, size_t count, size_t line, void *arg)
{
	struct reading *reading = arg;
	const struct model *model;
	struct mac mac;
	bool skip = false;
	size_t at;

	reading->cells = cells;
	(void)snprintf(reading->place, sizeof(reading->place), "%s:%zu",
	    reading->file, line);
	if (reading->column_count == 0)
		return take_header(reading, count);
	if (count != reading->column_count) {
		fleet_say(reading->fleet, FLEET_ERROR,
		    "%s: %zu cells, the first row has %zu", reading->place,
		    count, reading->column_count);
		return 0;
	}
	for (size_t i = 0; i < count; i++)
		reading->columns[i].used |= cells[i][0] != '\0';
	if (cell(reading, KIND_MAC, 0) == NULL) {
		fleet_say(reading->fleet, FLEET_ERROR,
		    "%s: the MAC address is missing", reading->place);
		return 0;
	}
	at = column_of(reading, KIND_MAC);
	model = find_model(reading, &skip);
	if (skip)
		return 0;
	if (!fleet_read_mac(&mac, cells[at]))
		say(reading, FLEET_ERROR, at,
		    "is no MAC address: expected 12 hex digits");
	else
		take_device(reading, &mac, model);
	return 0;
}

/* What the file holds and the inventory does not. */
static void
say_columns(struct reading *reading)
{
	/* Room for the name of each, were all in use. */
	char old[LENGTH(names) * 32];
	size_t old_len = 0;

	for (size_t i = 0; i < reading->column_count; i++) {
		const struct column *column = &reading->columns[i];

		if (!column->used || column->block > 0)
			continue;
		if (column->name.kind == KIND_UNKNOWN)
			fleet_say(reading->fleet, FLEET_LEFT_OUT,
			    "%s:1: column %zu (%s) is not taken: its meaning "
			    "is not known",
			    reading->file, i + 1, reading->headers[i]);
		else if (column->name.kind == KIND_NOT_TAKEN)
			old_len += (size_t)snprintf(old + old_len,
			    sizeof(old) - old_len, "%s%s",
			    old_len > 0 ? ", " : "", column->name.column);
		if (column->name.secret && reading->with_secrets > 0)
			fleet_leak(reading->fleet, reading->file, reading->mode,
			    reading->headers[i], reading->with_secrets,
			    "chmod 600 it, and delete it after the import");
	}
	if (old_len > 0)
		fleet_say(reading->fleet, FLEET_NOTE,
		    "%s:1: of the old server only: %s", reading->file, old);
}

void
import_fusionpbx_text(struct fleet *fleet, const char *name, mode_t mode,
    const char *text, size_t len, const struct importer_options *options)
{
	struct reading *reading = xcalloc(1, sizeof(*reading));

	reading->fleet = fleet;
	reading->options = options;
	reading->file = name;
	reading->mode = mode;
	csv_rows(fleet, name, text, len, take_row, reading);
	if (reading->column_count == 0 && fleet_count(fleet, FLEET_ERROR) == 0)
		fleet_say(fleet, FLEET_ERROR,
		    "%s:1: the file is empty: the first row has to name the "
		    "columns",
		    name);
	say_columns(reading);
	for (size_t i = 0; i < CSV_COLUMNS_MAX; i++)
		free(reading->headers[i]);
	free(reading);
}

void
import_fusionpbx(struct fleet *fleet, const char *path,
    const struct importer_options *options)
{
	char *text = NULL;
	size_t len = 0;
	mode_t mode = 0;

	if (!importer_read_file(fleet, path, IMPORTER_FILE_MAX, &text, &len,
		&mode))
		return;
	import_fusionpbx_text(fleet, path, mode, text, len, options);
	OPENSSL_cleanse(text, len);
	free(text);
}
