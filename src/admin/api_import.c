/*
 * Many devices at once: a CSV file as the body, all of it or nothing.
 */
#include "admin/call.h"
#include "admin/handlers.h"
#include "admin/writing.h"
#include "inventory/import.h"
#include "provision/fields.h"

#include <string.h>
#include <strings.h>

#define ROWS_SHOWN 10000

struct job {
	struct call *call;
	struct inventory *inventory;
	bool all; /* rows are reported, not only those refused */
	json_t *rows;
	size_t left_out; /* of the report */
};

static int
check(void *arg, const struct device *before, const struct device *after,
    struct error *err)
{
	const struct job *job = arg;

	/* That it is another one's is not said. */
	if (before != NULL &&
	    !writing_may(job->call, job->inventory, before->group))
		return error_set(err, ERROR_INPUT,
		    "the device is in the inventory already");
	return writing_check_group(job->call, job->inventory, after->group,
	    err);
}

static void
note_row(void *arg, enum import_result result, size_t line, size_t column,
    const struct mac *mac, const char *text)
{
	static const char *const names[] = { "added", "updated", "unchanged",
		"refused" };
	static const struct mac none;
	struct job *job = arg;
	char address[MAC_TEXT_BYTES];

	if (result != IMPORT_REFUSED && !job->all)
		return;
	if (json_array_size(job->rows) >= ROWS_SHOWN) {
		job->left_out++;
		return;
	}
	mac_format(mac, address);
	(void)json_array_append_new(job->rows,
	    json_pack("{sI sI ss? ss ss?}", "line", (json_int_t)line, "column",
		(json_int_t)column, "mac",
		mac_equal(mac, &none) ? NULL : address, "result", names[result],
		"reason", text));
}

/* "1" and "true", or none.  False: a problem is the answer. */
static bool
read_flag(struct call *call, const char *name, bool *flag)
{
	const char *text = call_parameter(call, name);

	*flag = call_is_set(call, name);
	if (text == NULL || *flag || strcmp(text, "0") == 0 ||
	    strcmp(text, "false") == 0)
		return true;
	call_problem(call, 400, "%s: expected 1 or 0", name);
	return false;
}

static bool
read_words(struct call *call, struct job *job, struct import_options *how)
{
	const char *delimiter = call_parameter(call, "delimiter");
	const char *encoding = call_parameter(call, "encoding");
	const char *report = call_parameter(call, "report");

	if (delimiter != NULL && strcmp(delimiter, "comma") == 0)
		how->delimiter = ',';
	else if (delimiter != NULL && strcmp(delimiter, "semicolon") == 0)
		how->delimiter = ';';
	else if (delimiter != NULL && strcmp(delimiter, "tab") == 0)
		how->delimiter = '\t';
	how->latin1 = encoding != NULL && strcmp(encoding, "latin-1") == 0;
	job->all = report != NULL && strcmp(report, "all") == 0;
	if (delimiter != NULL && how->delimiter == '\0')
		call_problem(call, 400,
		    "delimiter: expected comma, semicolon or tab");
	else if (encoding != NULL && !how->latin1 &&
	    strcmp(encoding, "utf-8") != 0)
		call_problem(call, 400, "encoding: expected utf-8 or latin-1");
	else if (report != NULL && !job->all && strcmp(report, "refused") != 0)
		call_problem(call, 400, "report: expected all or refused");
	else
		return true;
	return false;
}

static bool
is_csv(struct call *call)
{
	static const char type[] = "text/csv";
	const char *given = call->request.content_type;

	if (strncasecmp(given, type, strlen(type)) == 0 &&
	    (given[strlen(type)] == '\0' ||
		strchr("; ", given[strlen(type)]) != NULL))
		return true;
	call_problem(call, 415, "expected a body of %s", type);
	return false;
}

static bool
read_options(struct call *call, struct job *job, struct import_options *how)
{
	*how = (struct import_options) {
		.name = "body",
		.check_model = fields_check_model,
		.check_firmware = fields_check_firmware,
		.check = *call->caller.tenant != '\0' ? check : NULL,
		.model = call_parameter(call, "model"),
		.group = call_parameter(call, "group"),
		.tags = call_parameter(call, "tags"),
		.row = note_row,
		.arg = job,
	};
	return read_flag(call, "dry-run", &how->dry_run) &&
	    read_flag(call, "update", &how->update) &&
	    read_words(call, job, how) && call_no_others(call) && is_csv(call);
}

static void
answer(struct job *job, const struct import_options *how,
    const struct import_counts *counts, const struct errors *errors, bool good)
{
	json_t *json = json_pack("{sb sO sI}", "dry_run", how->dry_run,
	    "report", job->rows, "left_out", (json_int_t)job->left_out);

	if (!good) {
		call_problem_with(job->call, 422, json,
		    "nothing %s imported: %zu errors, the first is %s",
		    how->dry_run ? "would be" : "was", errors->count,
		    errors->kept > 0 ? errors->text[0] : "not known");
		return;
	}
	(void)json_object_update_new(json,
	    json_pack("{sI sI sI sI}", "rows", (json_int_t)counts->rows,
		"added", (json_int_t)counts->added, "updated",
		(json_int_t)counts->updated, "unchanged",
		(json_int_t)counts->unchanged));
	call_json(job->call, 200, json);
}

void
api_device_import(struct call *call, const char *text)
{
	struct job job = { .call = call };
	struct import_counts counts = { 0 };
	struct errors errors = { 0 };
	struct import_options how;
	int rc;

	(void)text;
	if (!read_options(call, &job, &how))
		return;
	job.inventory = writing_open(call, "device import");
	if (job.inventory == NULL)
		return;
	job.rows = json_array();
	rc = import_csv(job.inventory, call->body != NULL ? call->body : "",
	    call->body_len, &how, &counts, &errors);
	answer(&job, &how, &counts, &errors, rc == 0);
	writing_end(call, job.inventory);
	json_decref(job.rows);
	errors_clear(&errors);
}
