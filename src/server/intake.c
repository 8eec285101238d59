#include "server/intake.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/request.h"
#include "inventory/snapshot.h"
#include "pki/seal.h"
#include "provision/decision.h"
#include "provision/keyring.h"
#include "provision/report.h"
#include "server/answer.h"
#include "server/keep.h"
#include "server/record.h"
#include "server/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The variable with the key of Report_Rule: its --key, or the IKM.  A rule may
 * as well have a key that the device's profiles are encrypted with. */
#define REPORT_KEY "report_key"
#define KEYS_MAX (1 + KEYRING_KEYS_MAX)

struct intake {
	struct document document;
	const char *data; /* borrowed */
	size_t len;
	char *coding;
	char *keys[KEYS_MAX];
	size_t key_count;
	bool good;
	struct report report;
	struct error err; /* why it is not good */
};

static enum document_kind
kind_of(enum route_kind kind)
{
	return kind == ROUTE_REPORT_DELTA ? DOCUMENT_DELTA :
	    kind == ROUTE_REPORT_STATUS	  ? DOCUMENT_STATUS :
					    DOCUMENT_REPORT;
}

/* The snapshot may be gone before the pool looks at the report. */
static void
copy_keys(struct intake *intake, const struct exchange *exchange,
    const struct device *device)
{
	const char *key = snapshot_variable(exchange->snapshot, device,
	    device->model, REPORT_KEY);
	struct keyring ring;
	struct error ignored;

	if (key != NULL && *key != '\0')
		intake->keys[intake->key_count++] = xstrdup(key);
	key = variables_get(&device->variables, KEYRING_VARIABLE);
	if (key == NULL || keyring_parse(key, &ring, &ignored) != 0)
		return;
	for (size_t i = 0; i < ring.count; i++)
		intake->keys[intake->key_count++] = xstrdup(ring.key[i].text);
	keyring_wipe(&ring);
}

struct intake *
intake_new(const struct exchange *exchange, const struct request *request,
    const char *data, size_t len)
{
	struct decision decision;
	struct intake *intake;

	answer_decide(exchange, request, &decision);
	if (decision.body_max == 0)
		return NULL;
	intake = xcalloc(1, sizeof(*intake));
	intake->document = (struct document) {
		.mac = decision.device->mac,
		.kind = kind_of(decision.route.kind),
		.at = clock_wall(),
		.status = 200,
	};
	(void)snprintf(intake->document.listener,
	    sizeof(intake->document.listener), "%s", exchange->listener->name);
	document_hash(data, len, intake->document.sent_sha256);
	intake->data = data;
	intake->len = len;
	intake->coding = xstrdup(request->content_encoding);
	copy_keys(intake, exchange, decision.device);
	return intake;
}

void
intake_free(struct intake *intake)
{
	if (intake == NULL)
		return;
	for (size_t i = 0; i < intake->key_count; i++)
		seal_wipe(intake->keys[i]);
	report_clear(&intake->report);
	free(intake->coding);
	free(intake);
}

void
intake_work(struct intake *intake)
{
	const char *keys[KEYS_MAX] = { NULL };
	const struct report_input input = {
		.kind = intake->document.kind,
		.coding = intake->coding,
		.keys = keys,
		.key_count = intake->key_count,
		.data = intake->data,
		.len = intake->len,
	};
	struct report *report = &intake->report;

	for (size_t i = 0; i < intake->key_count; i++)
		keys[i] = intake->keys[i];
	intake->good = report_read(&input, report, &intake->err) == 0;
	if (!intake->good)
		return;
	intake->document.parameters = report->parameters;
	(void)snprintf(intake->document.protection,
	    sizeof(intake->document.protection), "%s", report->protection);
	document_hash(report->text.data, report->text.len,
	    intake->document.clear_sha256);
}

/* What was wrong is for the operator; the device learns the status. */
static void
log_report(const struct intake *intake, bool kept)
{
	static const char *const kinds[] = { "", "full", "delta", "status" };
	char mac[MAC_TEXT_BYTES];
	struct log_line line;

	mac_format(&intake->document.mac, mac);
	log_begin(&line, kept ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
	    kept ? "report" : "report-refused");
	log_text(&line, "mac", mac);
	log_text(&line, "kind", kinds[intake->document.kind]);
	log_number(&line, "bytes", (long long)intake->len);
	if (kept) {
		log_text(&line, "protection", intake->document.protection);
		log_number(&line, "parameters",
		    (long long)intake->document.parameters);
	} else {
		log_text(&line, "message", intake->err.text);
	}
	log_end(&line);
}

void
intake_answer(struct intake *intake, const struct exchange *exchange,
    const struct request *request, bool keep_alive, struct buf *out)
{
	const struct report *report = &intake->report;
	bool kept = intake->good &&
	    keep_report(record_keep(exchange->record), &intake->document,
		buf_text(&report->text), report->text.len, &intake->err) == 0;

	log_report(intake, kept);
	if (kept)
		answer_plain(exchange, request, 200, "report", keep_alive, out);
	else if (intake->good)
		answer_plain(exchange, request, 503, "too-many-reports", false,
		    out);
	else
		answer_plain(exchange, request, 400, "bad-report", keep_alive,
		    out);
}
