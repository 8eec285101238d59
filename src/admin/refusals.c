#include "admin/refusals.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct minute {
	struct refusals_rest rest; /* count: of those left out */
	unsigned noted;		   /* 0: it is free */
};

struct refusals {
	pthread_mutex_t mutex;
	struct minute minutes[REFUSALS_KEPT];
};

struct refusals *
refusals_new(void)
{
	struct refusals *refusals = xcalloc(1, sizeof(*refusals));

	(void)pthread_mutex_init(&refusals->mutex, NULL);
	return refusals;
}

void
refusals_free(struct refusals *refusals)
{
	if (refusals == NULL)
		return;
	(void)pthread_mutex_destroy(&refusals->mutex);
	free(refusals);
}

/* A clock that was set back ends a minute, too. */
static bool
is_over(const struct minute *minute, time_t now)
{
	return now < minute->rest.since ||
	    now - minute->rest.since >= REFUSALS_MINUTE_S;
}

static bool
is_of(const struct minute *minute, const struct audit_act *act)
{
	return minute->noted > 0 && minute->rest.by == act->by &&
	    strcmp(minute->rest.who, act->who) == 0;
}

/* His own; else a free one; else the one that began first. */
static struct minute *
find(struct refusals *refusals, const struct audit_act *act)
{
	struct minute *best = &refusals->minutes[0];

	for (size_t i = 0; i < REFUSALS_KEPT; i++) {
		struct minute *minute = &refusals->minutes[i];

		if (is_of(minute, act))
			return minute;
		if (best->noted > 0 &&
		    (minute->noted == 0 ||
			minute->rest.since < best->rest.since))
			best = minute;
	}
	return best;
}

static void
begin(struct minute *minute, const struct audit_act *act, time_t now)
{
	*minute = (struct minute) {
		.rest = { .by = act->by, .since = now },
		.noted = 1,
	};
	(void)snprintf(minute->rest.who, sizeof(minute->rest.who), "%s",
	    act->who);
	(void)snprintf(minute->rest.tenant, sizeof(minute->rest.tenant), "%s",
	    act->tenant != NULL ? act->tenant : "");
}

bool
refusals_add(struct refusals *refusals, const struct audit_act *act, time_t now,
    struct refusals_rest *rest)
{
	struct minute *minute;
	bool noted = true;

	*rest = (struct refusals_rest) { .count = 0 };
	(void)pthread_mutex_lock(&refusals->mutex);
	minute = find(refusals, act);
	if (!is_of(minute, act) || is_over(minute, now)) {
		*rest = minute->rest;
		begin(minute, act, now);
	} else if (minute->noted < REFUSALS_NOTED) {
		minute->noted++;
	} else {
		minute->rest.count++;
		noted = false;
	}
	(void)pthread_mutex_unlock(&refusals->mutex);
	return noted;
}

bool
refusals_end(struct refusals *refusals, time_t now, bool all,
    struct refusals_rest *rest)
{
	bool found = false;

	(void)pthread_mutex_lock(&refusals->mutex);
	for (size_t i = 0; i < REFUSALS_KEPT && !found; i++) {
		struct minute *minute = &refusals->minutes[i];

		if (minute->noted == 0 || (!all && !is_over(minute, now)))
			continue;
		*rest = minute->rest;
		found = minute->rest.count > 0;
		*minute = (struct minute) { .noted = 0 };
	}
	(void)pthread_mutex_unlock(&refusals->mutex);
	return found;
}
