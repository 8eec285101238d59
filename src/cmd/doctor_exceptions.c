/*
 * The named exceptions: what they were made for, whom they let in, and when
 * they end.
 */
#include "cmd/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "cmd/device_common.h"
#include "cmd/print.h"
#include "inventory/exception_uses.h"
#include "server/config.h"

#define DAY_S 86400

struct loading {
	const struct config *config;
	struct doctor_exception *totals;
};

/* Those of exceptions that are no more in the file are passed over. */
static int
add_use(const struct exception_use *use, void *arg)
{
	struct loading *loading = arg;
	const struct config *config = loading->config;

	for (size_t i = 0; i < config->exception_count; i++) {
		struct doctor_exception *total = &loading->totals[i];

		if (strcmp(config->exceptions[i].name, use->exception) != 0)
			continue;
		total->devices++;
		total->profiles += use->count;
		if (total->first_at == 0 || use->first_at < total->first_at)
			total->first_at = use->first_at;
		if (use->last_at > total->last_at)
			total->last_at = use->last_at;
	}
	return 0;
}

int
doctor_exceptions_load(const struct config *config,
    struct doctor_exception **totals, struct error *err)
{
	struct loading loading = { config,
		xcalloc(config->exception_count + 1, sizeof(**totals)) };
	char *path = file_join(config->state_directory, EXCEPTION_USES_FILE);
	struct exception_uses *uses = config->exception_count > 0 ?
	    exception_uses_open(path, true, err) :
	    NULL;
	int rc = 0;

	if (uses != NULL)
		rc = exception_uses_each(uses, add_use, &loading, err);
	else if (config->exception_count > 0 && err->kind != ERROR_NOT_FOUND)
		rc = -1;
	exception_uses_close(uses);
	free(path);
	if (rc != 0) {
		free(loading.totals);
		return -1;
	}
	*totals = loading.totals;
	return 0;
}

static bool
is_ending(const struct exception *exception, time_t now)
{
	return exception->until - EXCEPTION_SOON_S <= now;
}

bool
doctor_exceptions_end(const struct config *config)
{
	time_t now = clock_wall();

	for (size_t i = 0; i < config->exception_count; i++)
		if (is_ending(&config->exceptions[i], now))
			return true;
	return false;
}

static const char *
state_of(const struct exception *exception, time_t now)
{
	return now >= exception->until ? "lapsed" :
	    is_ending(exception, now)  ? "ends soon" :
					 "in force";
}

/* until is the second after its last day. */
static void
last_day(const struct exception *exception, char text[static CMD_DATE_BYTES])
{
	cmd_date(exception->until - DAY_S, text);
}

static void
print_one(const struct exception *exception,
    const struct doctor_exception *total, time_t now)
{
	char until[CMD_DATE_BYTES], last[CMD_DATE_BYTES];

	last_day(exception, until);
	cmd_date(total->last_at, last);
	(void)cmd_wrapf((size_t)printf("exception %s:", exception->name), 2,
	    "%s, until %s: %s", exception_kind_name(exception->kind), until,
	    state_of(exception, now));
	(void)cmd_wrapf((size_t)printf("\n    why:"), 6, "%s (%s)",
	    exception->reason, exception->who);
	if (total->devices > 0)
		(void)printf("\n    used: %llu profiles for %zu %s, last %s\n",
		    (unsigned long long)total->profiles,
		    DEVICES(total->devices), last);
	else
		(void)printf("\n    used: never\n");
	if (is_ending(exception, now))
		(void)printf("    to do: replace what needs it, or give it "
			     "another date\n");
}

void
doctor_exceptions_print(const struct config *config,
    const struct doctor_exception *totals, bool all)
{
	time_t now = clock_wall();
	bool first = !all;

	for (size_t i = 0; i < config->exception_count; i++) {
		if (!all && !is_ending(&config->exceptions[i], now))
			continue;
		if (first)
			(void)putchar('\n');
		first = false;
		print_one(&config->exceptions[i], &totals[i], now);
	}
	if (all && config->exception_count == 0)
		(void)printf("No exception is configured.\n");
}

json_t *
doctor_exceptions_json(const struct config *config,
    const struct doctor_exception *totals)
{
	json_t *list = json_array();
	time_t now = clock_wall();

	for (size_t i = 0; i < config->exception_count; i++) {
		const struct exception *exception = &config->exceptions[i];
		char until[CMD_DATE_BYTES];

		last_day(exception, until);
		(void)json_array_append_new(list,
		    json_pack("{ss ss ss ss ss ss sI sI so so}", "name",
			exception->name, "allow",
			exception_kind_name(exception->kind), "state",
			state_of(exception, now), "until", until, "reason",
			exception->reason, "who", exception->who, "devices",
			(json_int_t)totals[i].devices, "profiles",
			(json_int_t)totals[i].profiles, "first",
			cmd_json_time(totals[i].first_at), "last",
			cmd_json_time(totals[i].last_at)));
	}
	return list;
}
