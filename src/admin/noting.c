#include "admin/noting.h"
#include "admin/call.h"
#include "admin/refusals.h"
#include "admin/site.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "server/config.h"
#include "server/service.h"

#include <stdlib.h>
#include <string.h>

struct audit_act
noting_act(const struct call *call, const char *action, const char *object,
    char address[static ADDR_TEXT_BYTES])
{
	const struct caller *caller = &call->caller;
	size_t skipped = caller->by_token ? strlen("token ") : 0;

	addr_format_host(&call->source, address);
	return (struct audit_act) {
		.by = caller->by_token ? AUDIT_TOKEN : AUDIT_ACCOUNT,
		.who = caller->name + skipped,
		.from = address,
		.tenant = *caller->tenant != '\0' ? caller->tenant : NULL,
		.action = action,
		.object = object,
	};
}

static char *
log_of(const struct service *service)
{
	const struct config *config = service_config(service);

	return audit_path(config->inventory, config->state_directory);
}

char *
noting_path(const struct call *call)
{
	return log_of(call->service);
}

/* detail is taken. */
static void
add(const struct service *service, const struct audit_act *act, time_t at,
    json_t *detail)
{
	char *path = log_of(service);
	struct error err;

	if (audit_add_to(path, act, at, detail, NULL, &err) != 0)
		log_message(LOG_LEVEL_WARN, "audit-not-written", "%s",
		    err.text);
	free(path);
}

void
noting_add(const struct call *call, const struct audit_act *act)
{
	add(call->service, act, call->now, NULL);
}

/* Why, where the words are ours: what was sent is not repeated, since somebody
 * may have put a secret where none is expected. */
static json_t *
why(const struct call *call)
{
	json_t *problem = NULL, *detail;

	if (call->status == 403)
		problem = json_loadb(buf_text(&call->out), call->out.len, 0,
		    NULL);
	detail = json_pack("{si sO*}", "status", call->status, "reason",
	    json_object_get(problem, "detail"));
	json_decref(problem);
	return detail;
}

void
noting_refused(const struct call *call, const char *action, const char *object)
{
	char address[ADDR_TEXT_BYTES];
	struct audit_act act = noting_act(call, action, object, address);
	struct refusals_rest rest;
	bool noted;

	act.refused = true;
	noted = refusals_add(site_refusals(call->site), &act, call->now, &rest);
	if (rest.count > 0)
		noting_rest(call->site, &rest, call->now);
	if (noted)
		add(call->service, &act, call->now, why(call));
}

void
noting_rest(struct site *site, const struct refusals_rest *rest, time_t now)
{
	struct service *service = site_service(site);
	const struct audit_act act = {
		.by = rest->by,
		.who = rest->who,
		.tenant = *rest->tenant != '\0' ? rest->tenant : NULL,
		.action = "several",
		.refused = true,
	};
	char since[CLOCK_TEXT_BYTES];

	clock_format(rest->since, since);
	add(service, &act, now,
	    json_pack("{sI ss}", "more", (json_int_t)rest->count, "since",
		since));
	service_release(service);
}
