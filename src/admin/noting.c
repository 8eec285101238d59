#include "admin/noting.h"
#include "admin/call.h"
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

char *
noting_path(const struct call *call)
{
	const struct config *config = service_config(call->service);

	return audit_path(config->inventory, config->state_directory);
}

void
noting_add(const struct call *call, const struct audit_act *act)
{
	char *path = noting_path(call);
	struct error err;

	if (audit_add_to(path, act, call->now, NULL, NULL, &err) != 0)
		log_message(LOG_LEVEL_WARN, "audit-not-written", "%s",
		    err.text);
	free(path);
}
