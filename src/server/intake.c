#include "server/intake.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/request.h"
#include "inventory/snapshot.h"
#include "provision/decision.h"
#include "server/answer.h"
#include "spa/profile.h"

#include <stdlib.h>

struct intake {
	struct mac mac;
	enum route_kind kind;
	const char *data; /* borrowed */
	size_t len;
	bool good;
	struct error err; /* why it is not */
};

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
	intake->mac = decision.device->mac;
	intake->kind = decision.route.kind;
	intake->data = data;
	intake->len = len;
	return intake;
}

void
intake_free(struct intake *intake)
{
	free(intake);
}

void
intake_work(struct intake *intake)
{
	intake->good = profile_check(intake->data, intake->len, &intake->err) ==
	    0;
}

/* What was wrong is for the operator; the device learns the status. */
static void
log_refusal(const struct intake *intake)
{
	char mac[MAC_TEXT_BYTES];
	struct log_line line;

	mac_format(&intake->mac, mac);
	log_begin(&line, LOG_LEVEL_WARN, "report-refused");
	log_text(&line, "mac", mac);
	log_number(&line, "bytes", (long long)intake->len);
	log_text(&line, "message", intake->err.text);
	log_end(&line);
}

void
intake_answer(struct intake *intake, const struct exchange *exchange,
    const struct request *request, bool keep_alive, struct buf *out)
{
	if (!intake->good)
		log_refusal(intake);
	answer_plain(exchange, request, intake->good ? 200 : 400,
	    intake->good ? "report" : "bad-report", keep_alive, out);
}
