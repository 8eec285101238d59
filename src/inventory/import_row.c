#include "inventory/import_parts.h"

#include <string.h>

#include "base/text.h"

#define ESCAPED_BYTES 72 /* of what a message quotes */

/* A short field of the device; kept as it is when the cell is empty. */
static int
set_field(char field[static INVENTORY_NAME_MAX + 1], const char *what,
    const char *cell, struct error *err)
{
	size_t len = strlen(cell);
	char shown[ESCAPED_BYTES];

	if (len == 0)
		return 0;
	if (len > INVENTORY_NAME_MAX) {
		text_escape(cell, len, shown, sizeof(shown));
		return error_set(err, ERROR_INPUT,
		    "the %s \"%s\" is %zu bytes long, at most %d are allowed",
		    what, shown, len, INVENTORY_NAME_MAX);
	}
	memcpy(field, cell, len + 1);
	return 0;
}

/* FNV-1a; only to find a place. */
static struct known_model *
model_place(struct import *import, const char *text)
{
	uint32_t hash = 2166136261;

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619;
	return &import->models[hash % MODELS_KNOWN];
}

static int
set_model(struct import *import, struct device *device, const char *cell,
    struct error *err)
{
	struct known_model *known = model_place(import, cell);

	if (*cell == '\0' && device->model[0] != '\0')
		return 0;
	if (*cell == '\0')
		return error_set(err, ERROR_INPUT, "the model is missing");
	if (strcmp(known->text, cell) != 0) {
		if (import->options->check_model(cell, device->model, err) != 0)
			return -1;
		if (strlen(cell) <= INVENTORY_NAME_MAX) {
			memcpy(known->text, cell, strlen(cell) + 1);
			memcpy(known->name, device->model, sizeof(known->name));
		}
		return 0;
	}
	memcpy(device->model, known->name, sizeof(known->name));
	return 0;
}

static int
set_firmware(struct import *import, struct device *device, const char *cell,
    struct error *err)
{
	if (*cell != '\0' && strcmp(cell, import->firmware) != 0) {
		if (import->options->check_firmware(cell, err) != 0)
			return -1;
		if (strlen(cell) <= INVENTORY_NAME_MAX)
			memcpy(import->firmware, cell, strlen(cell) + 1);
	}
	return set_field(device->firmware, "firmware", cell, err);
}

static int
set_cell(struct import *import, const struct column *column,
    struct device *device, const char *cell, struct error *err)
{
	switch (column->kind) {
	case COLUMN_MAC:
		return 0; /* read before all others */
	case COLUMN_MODEL:
		return set_model(import, device, cell, err);
	case COLUMN_FIRMWARE:
		return set_firmware(import, device, cell, err);
	case COLUMN_SERIAL:
		return set_field(device->serial, "serial number", cell, err);
	case COLUMN_GROUP:
		return set_field(device->group, "group", cell, err);
	case COLUMN_STATE:
		if (*cell == '\0')
			return 0;
		return device_state_parse(cell, &device->state, err);
	case COLUMN_TAGS:
		return *cell != '\0' ? tags_parse(&device->tags, cell, err) : 0;
	case COLUMN_IGNORED:
		return 0;
	case COLUMN_VARIABLE:
		break;
	}
	if (*cell == '\0')
		return 0;
	return variables_set(&device->variables, column->variable, cell, err);
}

static int
read_mac(const struct import *import, struct mac *mac, struct error *err)
{
	size_t i = 0;
	const char *cell;
	char shown[ESCAPED_BYTES];

	while (import->columns[i].kind != COLUMN_MAC)
		i++;
	cell = import->cells[i];
	if (*cell == '\0')
		return error_set(err, ERROR_INPUT, "the MAC is missing");
	if (mac_read(mac, cell, strlen(cell)))
		return 0;
	text_escape(cell, strlen(cell), shown, sizeof(shown));
	return error_set(err, ERROR_INPUT,
	    "\"%s\" is not a MAC address: expected 12 hex digits, bare or in "
	    "pairs split by ':' or '-'",
	    shown);
}

static int
note_mac(struct import *import, const struct mac *mac, struct error *err)
{
	size_t before = seen_note(import->seen, mac, import->row_line);
	char text[MAC_TEXT_BYTES];

	if (before == 0)
		return 0;
	mac_format(mac, text);
	return error_set(err, ERROR_INPUT,
	    "the device %s is in line %zu already", text, before);
}

/* Make the group when it is missing. */
static int
need_group(struct import *import, const char *name, struct error *err)
{
	struct scope scope = { .kind = SCOPE_GROUP };

	if (*name == '\0' || strcmp(name, import->group) == 0)
		return 0;
	if (inventory_get_scope(import->inventory, SCOPE_GROUP, name, &scope,
		err) != 0) {
		if (err->kind != ERROR_NOT_FOUND)
			return -1;
		memcpy(scope.name, name, strlen(name) + 1);
		if (inventory_put_scope(import->inventory, &scope, err) != 0)
			return -1;
	}
	scope_clear(&scope);
	memcpy(import->group, name, strlen(name) + 1);
	return 0;
}

/* The device as it is now; *known says whether it is there at all.  When none
 * may be, the store finds out when it is added. */
static int
find_device(struct import *import, struct device *device, bool *known,
    struct error *err)
{
	struct mac mac = device->mac;

	*known = false;
	if (!import->options->update)
		return 0;
	if (inventory_get_device(import->inventory, &mac, device, err) == 0) {
		*known = true;
		return 0;
	}
	return err->kind == ERROR_NOT_FOUND ? 0 : -1;
}

/* What all rows have that say nothing of it. */
static int
set_defaults(struct import *import, struct device *device, struct error *err)
{
	const struct import_options *options = import->options;

	if (options->model != NULL &&
	    set_model(import, device, options->model, err) != 0)
		return -1;
	if (options->group != NULL &&
	    set_field(device->group, "group", options->group, err) != 0)
		return -1;
	return options->tags != NULL ?
	    tags_parse(&device->tags, options->tags, err) :
	    0;
}

static bool
is_same(const struct device *a, const struct device *b)
{
	if (strcmp(a->model, b->model) != 0 ||
	    strcmp(a->firmware, b->firmware) != 0 ||
	    strcmp(a->serial, b->serial) != 0 ||
	    strcmp(a->group, b->group) != 0 || a->state != b->state ||
	    a->tags.count != b->tags.count ||
	    a->variables.count != b->variables.count)
		return false;
	for (size_t i = 0; i < a->tags.count; i++)
		if (strcmp(a->tags.list[i], b->tags.list[i]) != 0)
			return false;
	for (size_t i = 0; i < a->variables.count; i++)
		if (strcmp(a->variables.list[i].name,
			b->variables.list[i].name) != 0 ||
		    strcmp(a->variables.list[i].value,
			b->variables.list[i].value) != 0)
			return false;
	return true;
}

static int
set_cells(struct import *import, struct device *device, struct error *err)
{
	for (size_t i = 0; i < import->column_count; i++)
		if (set_cell(import, &import->columns[i], device,
			import->cells[i], err) != 0) {
			import->column = i + 1;
			return -1;
		}
	return 0;
}

/* Add it, or update what is there when that is another. */
static int
write_device(struct import *import, struct device *device,
    const struct device *before, enum import_result *result, struct error *err)
{
	if (before == NULL) {
		import->counts.added++;
		*result = IMPORT_ADDED;
		return inventory_add_device(import->inventory, device, err);
	}
	if (is_same(before, device)) {
		import->counts.unchanged++;
		*result = IMPORT_UNCHANGED;
		return 0;
	}
	import->counts.updated++;
	*result = IMPORT_UPDATED;
	return inventory_update_device(import->inventory, device, err);
}

static int
put_device(struct import *import, struct device *device,
    enum import_result *result, struct error *err)
{
	struct device before = { 0 };
	bool known = false;
	int rc = -1;

	if (find_device(import, device, &known, err) != 0)
		return -1;
	if (known)
		device_copy(&before, device);
	if ((known || set_defaults(import, device, err) == 0) &&
	    set_cells(import, device, err) == 0 &&
	    (import->options->check == NULL ||
		import->options->check(import->options->arg,
		    known ? &before : NULL, device, err) == 0) &&
	    need_group(import, device->group, err) == 0)
		rc = write_device(import, device, known ? &before : NULL,
		    result, err);
	device_clear(&before);
	return rc;
}

int
import_read_row(struct import *import, struct error *err)
{
	struct device device = { .state = DEVICE_ACTIVE };
	enum import_result result = IMPORT_ADDED;
	int rc;

	if (import->cell_count != import->column_count)
		return error_set(err, ERROR_INPUT,
		    "%zu cells, expected %zu as in the first row",
		    import->cell_count, import->column_count);
	if (read_mac(import, &device.mac, err) != 0)
		return -1;
	import->mac = device.mac;
	if (note_mac(import, &device.mac, err) != 0)
		return -1;
	rc = put_device(import, &device, &result, err);
	device_clear(&device);
	if (rc == 0 && import->options->row != NULL)
		import->options->row(import->options->arg, result,
		    import->row_line, 0, &import->mac, NULL);
	return rc;
}
