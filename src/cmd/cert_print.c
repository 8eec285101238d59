#include "cmd/cert_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libsmartcols/libsmartcols.h>

#include "base/clock.h"
#include "base/mem.h"
#include "pki/certdir.h"
#include "spa/registry.h"
#include "cmd/print.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

void
cert_print_wrapped(const char *text, size_t indent)
{
	(void)cmd_wrap(indent, indent, text);
	(void)putchar('\n');
}

void
cert_view_print_findings(const struct cert_view *view)
{
	for (size_t i = 0; i < view->finding_count; i++) {
		const struct cert_finding *finding = &view->findings[i];
		char *text = xasprintf("%s: %s%s", view->name,
		    finding->kind >= CERT_FINDING_LAB ? "note: " : "",
		    finding->text);

		cert_print_wrapped(text, 4);
		free(text);
	}
}

const char *
cert_view_state(const struct cert_view *view)
{
	if (cert_view_has(view, CERT_FINDING_EXPIRED))
		return "expired";
	for (size_t i = 0; i < view->finding_count; i++)
		if (view->findings[i].kind < CERT_FINDING_LAB &&
		    view->findings[i].kind != CERT_FINDING_SOON)
			return "problem";
	if (cert_view_has(view, CERT_FINDING_SOON))
		return view->days < CERT_URGENT_DAYS ? "urgent" : "soon";
	return "good";
}

const char *
cert_view_ca(const struct cert_view *view, char *text, size_t size)
{
	if (view->issuer.ca == NULL)
		return view->certs == NULL ? "" : "unknown";
	(void)snprintf(text, size, "%s%s",
	    view->issuer.lab ? IDENTIFY_LAB_PREFIX : "", view->issuer.ca->name);
	return text;
}

/* --------------------------------------------------------------- the table */

static const struct {
	const char *title;
	int flags;
	bool about_devices;
} columns[] = {
	{ NULL, SCOLS_FL_TRUNC, false }, /* as the caller says */
	{ "HOST", SCOLS_FL_TRUNC, false },
	{ "CA", SCOLS_FL_TRUNC, false },
	{ "UNTIL", 0, false },
	{ "DAYS", SCOLS_FL_RIGHT, false },
	{ "DEVICES", SCOLS_FL_RIGHT, true },
	{ "ALONE", SCOLS_FL_RIGHT, true },
	{ "STATE", 0, false },
};

static struct libscols_table *
new_table(const char *title, bool devices)
{
	struct libscols_table *table = scols_new_table();

	for (size_t i = 0; table != NULL && i < LENGTH(columns); i++) {
		if (columns[i].about_devices && !devices)
			continue;
		if (scols_table_new_column(table,
			i == 0 ? title : columns[i].title, 0.1,
			columns[i].flags) == NULL) {
			scols_unref_table(table);
			return NULL;
		}
	}
	return table;
}

static int
add_row(struct libscols_table *table, const struct cert_view *view,
    bool devices)
{
	char until[CLOCK_TEXT_BYTES] = "", days[24] = "", fits[24] = "";
	char alone[24] = "", ca[64];
	const char *const cells[] = { view->name, view->host,
		cert_view_ca(view, ca, sizeof(ca)), until, days, fits, alone,
		cert_view_state(view) };
	struct libscols_line *line = scols_table_new_line(table, NULL);
	size_t column = 0;

	if (view->certs != NULL) {
		clock_format(view->not_after, until);
		until[strcspn(until, "T")] = '\0';
		(void)snprintf(days, sizeof(days), "%ld", view->days);
		(void)snprintf(fits, sizeof(fits), "%zu", view->fits);
		(void)snprintf(alone, sizeof(alone), "%zu", view->alone);
	}
	for (size_t i = 0; line != NULL && i < LENGTH(cells); i++) {
		if (columns[i].about_devices && !devices)
			continue;
		if (scols_line_set_data(line, column++, cells[i]) != 0)
			return -1;
	}
	return line != NULL ? 0 : -1;
}

int
cert_print_table(const struct cert_view *views, size_t count, const char *title,
    const struct cert_fleet *fleet)
{
	struct libscols_table *table = new_table(title, fleet->known);
	int rc = table != NULL ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = add_row(table, &views[i], fleet->known);
	if (rc == 0 && count > 0)
		rc = scols_print_table(table);
	scols_unref_table(table);
	if (rc != 0)
		cmd_error("cannot print the table");
	return rc;
}

/* ------------------------------------------------------------------- JSON */

static const char *
kind_name(enum cert_finding_kind kind)
{
	switch (kind) {
	case CERT_FINDING_UNREADABLE:
		return "unreadable";
	case CERT_FINDING_EXPIRED:
		return "expired";
	case CERT_FINDING_NOT_YET:
		return "not-yet-valid";
	case CERT_FINDING_SOON:
		return "ends-soon";
	case CERT_FINDING_NAME:
		return "name";
	case CERT_FINDING_UNKNOWN_CA:
		return "unknown-ca";
	case CERT_FINDING_DIGEST:
		return "digest";
	case CERT_FINDING_SAN:
		return "no-san";
	case CERT_FINDING_ADDRESS:
		return "address";
	case CERT_FINDING_LAB:
		return "lab";
	case CERT_FINDING_NOTE:
		break;
	}
	return "note";
}

static json_t *
findings_json(const struct cert_view *view)
{
	json_t *list = json_array();

	for (size_t i = 0; i < view->finding_count; i++)
		(void)json_array_append_new(list,
		    json_pack("{s:s, s:s, s:b}", "kind",
			kind_name(view->findings[i].kind), "text",
			view->findings[i].text, "attention",
			view->findings[i].kind < CERT_FINDING_LAB));
	return list;
}

json_t *
cert_view_json(const struct cert_view *view, const struct cert_fleet *fleet)
{
	const struct ca *ca = view->issuer.ca;
	char from[CLOCK_TEXT_BYTES], until[CLOCK_TEXT_BYTES];
	json_t *object = json_pack("{s:s, s:s, s:s, s:b, s:o}", "name",
	    view->name, "path", view->path, "state", cert_view_state(view),
	    "attention", cert_view_needs_attention(view), "findings",
	    findings_json(view));

	if (view->certs == NULL)
		return object;
	clock_format(view->not_before, from);
	clock_format(view->not_after, until);
	(void)json_object_update_new(object,
	    json_pack("{s:s, s:s?, s:s, s:b, s:s, s:s, s:I, s:s, s:i, s:b, "
		      "s:I}",
		"host", view->host, "ca", ca != NULL ? ca->id : NULL,
		"recognised", identify_basis_name(view->issuer.basis), "lab",
		view->issuer.lab, "not_before", from, "not_after", until,
		"days", (json_int_t)view->days, "digest", view->digest, "bits",
		view->bits, "san", view->has_san, "chain",
		(json_int_t)view->count));
	if (fleet->known)
		(void)json_object_update_new(object,
		    json_pack("{s:{s:I, s:I, s:I, s:I, s:I, s:I}}", "devices",
			"accept", (json_int_t)view->fits, "alone",
			(json_int_t)view->alone, "alone_checking_dates",
			(json_int_t)view->alone_dated, "digest_too_new",
			(json_int_t)view->too_old, "want_san",
			(json_int_t)view->want_san, "unknown",
			(json_int_t)view->unknown));
	return object;
}

int
cert_print_json(json_t *json)
{
	int rc = json_dumpf(json, stdout, JSON_INDENT(1));

	json_decref(json);
	if (rc != 0) {
		cmd_error("cannot write JSON");
		return CMD_FAILED;
	}
	(void)putchar('\n');
	return CMD_DONE;
}
