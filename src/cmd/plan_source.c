#include "cmd/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/device_common.h"
#include "inventory/inventory.h"
#include "provision/plan_csv.h"

#define CHUNK_BYTES 65536

static int
read_stream(struct plan_csv *csv, FILE *stream, const char *name,
    struct errors *errors)
{
	char *chunk = xmalloc(CHUNK_BYTES);
	struct error err;
	size_t n;
	int rc = 0;

	while (rc == 0 && (n = fread(chunk, 1, CHUNK_BYTES, stream)) > 0)
		rc = plan_csv_read(csv, chunk, n);
	free(chunk);
	if (rc == 0 && ferror(stream)) {
		(void)error_errno(&err, "%s", name);
		errors_add(errors, "%s", err.text);
		return -1;
	}
	return plan_csv_end(csv);
}

int
plan_read_csv(struct plan_fleet *fleet, const char *path)
{
	bool is_stdin = strcmp(path, "-") == 0;
	const char *name = is_stdin ? "standard input" : path;
	FILE *stream = is_stdin ? stdin : fopen(path, "re");
	struct errors errors = { 0 };
	struct plan_csv *csv;
	struct error err;
	int rc;

	if (stream == NULL) {
		(void)error_errno(&err, "%s", path);
		return cmd_fail(&err);
	}
	csv = plan_csv_new(fleet, name, &errors);
	rc = read_stream(csv, stream, name, &errors) == 0 ?
	    -1 :
	    cmd_fail_all(&errors);
	plan_csv_free(csv);
	errors_clear(&errors);
	if (!is_stdin)
		(void)fclose(stream);
	return rc;
}

struct visit {
	struct plan_fleet *fleet;
	struct errors errors;
	bool bad; /* there is a device that cannot be planned */
};

static int
visit_kind(const struct device_kind *kind, void *arg)
{
	struct visit *visit = arg;
	bool bad_firmware;
	struct error ignored;

	if (kind->state != DEVICE_RETIRED &&
	    plan_fleet_add(visit->fleet, kind->model, strlen(kind->model),
		kind->firmware, strlen(kind->firmware), (uint64_t)kind->count,
		&bad_firmware, &ignored) != 0)
		visit->bad = true;
	return 0;
}

/* Only then: which devices they are. */
static int
visit_device(const struct device *device, void *arg)
{
	struct visit *visit = arg;
	char mac[MAC_TEXT_BYTES];
	bool bad_firmware;
	struct error err;

	if (device->state == DEVICE_RETIRED ||
	    plan_fleet_add(visit->fleet, device->model, strlen(device->model),
		device->firmware, strlen(device->firmware), 1, &bad_firmware,
		&err) == 0)
		return 0;
	mac_format(&device->mac, mac);
	errors_add(&visit->errors,
	    "%s: %s; \"sprov device set %s %s=...\" "
	    "mends it",
	    mac, err.text, mac, bad_firmware ? "firmware" : "model");
	return 0;
}

int
plan_read_inventory(struct plan_fleet *fleet, const char *uri)
{
	struct inventory *inventory = device_open(uri, NULL);
	struct visit visit = { .fleet = fleet };
	struct error err = { 0 };
	int rc = -1;

	if (inventory == NULL)
		return CMD_FAILED;
	if (inventory_each_kind(inventory, visit_kind, &visit, &err) != 0 ||
	    (visit.bad &&
		inventory_each_device(inventory, visit_device, &visit, &err) !=
		    0))
		rc = cmd_fail(&err);
	else if (visit.errors.count > 0)
		rc = cmd_fail_all(&visit.errors);
	inventory_close(inventory);
	errors_clear(&visit.errors);
	return rc;
}
