#include "sim/agent.h"

#include <string.h>

/* The text of one {name}; NULL when there is none. */
static const char *
value_of(const struct agent *agent, const char *name, size_t len)
{
	const struct {
		const char *name, *value;
	} values[] = {
		{ "version",
		    agent->version != NULL ? agent->version : "unknown" },
		{ "MAC", agent->mau },
		{ "mac", agent->ma },
		{ "serial", agent->serial },
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		if (strlen(values[i].name) == len &&
		    memcmp(values[i].name, name, len) == 0)
			return values[i].value;
	}
	return NULL;
}

int
agent_write(const struct agent *agent, const char *pattern, struct buf *out)
{
	const char *p = pattern, *end, *value;
	int rc = 0;

	while (*p != '\0' && rc == 0) {
		end = *p == '{' ? strchr(p, '}') : NULL;
		value = end != NULL ?
		    value_of(agent, p + 1, (size_t)(end - p - 1)) :
		    NULL;
		if (value != NULL) {
			rc = buf_append_text(out, value);
			p = end + 1;
		} else {
			rc = buf_append(out, p++, 1);
		}
	}
	return rc;
}
