#include "cmd/lab_print.h"
#include "lab/lab.h"
#include "tls/conn.h"

#include <stdio.h>

#include <jansson.h>

static const char *
expectation_name(enum lab_expectation expected)
{
	switch (expected) {
	case LAB_ACCEPTS:
		return "trusted";
	case LAB_REFUSES:
		return "not";
	case LAB_UNKNOWN:
		return "unknown";
	case LAB_EXPIRED:
		return "trusted-but-expired";
	case LAB_DIGEST:
		return "trusted-but-digest-too-new";
	case LAB_NAME:
		return "trusted-but-name-not-in-san";
	}
	return "?";
}

static json_t *
cell_json(const struct lab_cell *cell)
{
	return json_pack("{s:s, s:b, s:s, s:s*, s:b}", "claims",
	    expectation_name(cell->expected), "accepted",
	    cell->outcome == SIM_PROVISIONED, "outcome",
	    sim_outcome_name(cell->outcome), "alert",
	    cell->alert >= 0 ? tls_alert_name(cell->alert) : NULL,
	    "as_expected", cell->as_expected);
}

static json_t *
device_json(const struct lab_report *report, size_t index)
{
	const struct lab_device *device = &report->fleet->devices[index];
	const struct lab_resync *resync = &report->resyncs[index];
	char mac[MAC_TEXT_BYTES];
	json_t *cas = json_object(), *object;

	mac_format(&device->mac, mac);
	for (size_t i = 0; i < registry_ca_count; i++)
		if (report->port[i] != 0)
			(void)json_object_set_new(cas, registry_cas[i].id,
			    cell_json(&report->cells[index * registry_ca_count +
				i]));
	object = json_pack("{s:s, s:s, s:s*, s:s, s:s, s:o}", "model",
	    device->model->name, "family", device->model->family, "firmware",
	    device->has_firmware ? device->firmware.text : NULL, "mac", mac,
	    "serial", device->serial, "cas", cas);
	if (device->ca != NULL)
		(void)json_object_set_new(object, "resync",
		    json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "ca",
			device->ca->id, "rule", device->rule, "outcome",
			sim_outcome_name(resync->outcome), "tls",
			tls_version_name(resync->tls_version), "cipher",
			resync->cipher, "profile_identical",
			resync->same_bytes));
	return object;
}

static json_t *
refusal_json(const struct lab_refusal *refusal)
{
	static const char *const forms[] = {
		[IDENTITY_DOCUMENTED] = "documented",
		[IDENTITY_OBSERVED] = "observed",
		[IDENTITY_MIC] = "mic",
	};

	return json_pack("{s:s, s:s, s:s, s:i, s:s, s:b, s:b}", "form",
	    forms[refusal->form], "what", refusal->what, "path", refusal->path,
	    "status", refusal->status, "reason", refusal->reason, "leaked",
	    refusal->leaked, "as_expected", refusal->as_expected);
}

static json_t *
summary_json(const struct lab_report *report)
{
	return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
			 "s:I, s:b, s:f}",
	    "passed", report->passed, "models", (json_int_t)report->model_count,
	    "models_with_ca", (json_int_t)report->models_with_ca,
	    "models_provisioned", (json_int_t)report->models_provisioned,
	    "devices", (json_int_t)report->fleet->count, "devices_with_ca",
	    (json_int_t)report->devices_with_ca, "devices_provisioned",
	    (json_int_t)report->devices_provisioned, "handshakes",
	    (json_int_t)report->handshakes, "handshakes_as_expected",
	    (json_int_t)report->handshakes_as_expected, "refusals",
	    (json_int_t)report->refusal_count, "refusals_as_expected",
	    (json_int_t)report->refusals_as_expected, "orderly_stop",
	    report->orderly_stop, "seconds", report->seconds);
}

void
lab_print_json(const struct lab_report *report)
{
	json_t *devices = json_array(), *refusals = json_array();
	json_t *listeners = json_object(), *all;

	for (size_t i = 0; i < report->fleet->count; i++)
		(void)json_array_append_new(devices, device_json(report, i));
	for (size_t i = 0; i < report->refusal_count; i++)
		(void)json_array_append_new(refusals,
		    refusal_json(&report->refusals[i]));
	for (size_t i = 0; i < registry_ca_count; i++)
		if (report->port[i] != 0)
			(void)json_object_set_new(listeners, registry_cas[i].id,
			    json_integer(report->port[i]));
	all = json_pack("{s:o, s:s, s:o, s:o, s:o}", "summary",
	    summary_json(report), "directory", report->directory, "ports",
	    listeners, "devices", devices, "refusals", refusals);
	if (report->server_pid > 0)
		(void)json_object_set_new(all, "server_pid",
		    json_integer(report->server_pid));
	if (report->server_pid > 0 && report->admin_port != 0)
		(void)json_object_set_new(all, "admin",
		    json_pack("{s:i, s:s, s:s}", "port", report->admin_port,
			"name", LAB_ACCOUNT, "code", report->admin_code));
	(void)json_dumpf(all, stdout, JSON_INDENT(1));
	(void)printf("\n");
	json_decref(all);
}
