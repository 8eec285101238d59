#include "provision/migration.h"
#include "base/text.h"
#include "inventory/resyncs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_OK 200

/* --------------------------------------------------- who is in which wave */

static int
bad_shares(const char *text, const char *why, struct error *err)
{
	char shown[64];

	text_escape(text, strlen(text), shown, sizeof(shown));
	return error_set(err, ERROR_INPUT,
	    "\"%s\": %s; expected rising "
	    "shares such as 1%%,10%%,50%%,100%%",
	    shown, why);
}

int
wave_shares_parse(struct wave_shares *shares, const char *text,
    struct error *err)
{
	struct wave_shares read = { 0 };
	const char *p = text;
	unsigned last = 0;

	for (;;) {
		char *end;
		long percent = *p >= '0' && *p <= '9' ? strtol(p, &end, 10) :
							-1;

		if (percent < 0 || *end != '%')
			return bad_shares(text, "no list of percentages", err);
		if (percent <= (long)last || percent > 100)
			return bad_shares(text,
			    "each share has to be above "
			    "the one before, and none above 100%",
			    err);
		if (read.count == MIGRATION_WAVES_MAX - 1)
			return bad_shares(text, "too many waves", err);
		last = (unsigned)percent;
		read.percent[read.count++] = last;
		if (end[1] == '\0')
			break;
		if (end[1] != ',')
			return bad_shares(text, "no list of percentages", err);
		p = end + 2;
	}
	if (last != 100)
		return bad_shares(text, "the last share has to be 100%", err);
	*shares = read;
	return 0;
}

size_t
waves_cut(const struct wave_shares *shares, size_t canary, size_t count,
    size_t ends[static MIGRATION_WAVES_MAX])
{
	size_t waves = 0, before = 0;

	if (canary > 0)
		before = ends[waves++] = canary < count ? canary : count;
	for (size_t i = 0; i < shares->count; i++) {
		/* Rounded up: 1 % of 5 devices is one. */
		size_t end = (count * shares->percent[i] + 99) / 100;

		if (end > before)
			before = ends[waves++] = end;
	}
	return waves;
}

uint64_t
wave_rank(const struct mac *mac)
{
	uint64_t x = 0;

	for (size_t i = 0; i < MAC_OCTETS; i++)
		x = x << 8 | mac->octet[i];
	/* The finalizer of splitmix64: every bit depends on every other. */
	x += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

/* ------------------------------------------------ how a device is doing */

static bool
is_end(const struct migration_end *end, const struct resync *resync)
{
	return strcmp(end->name, end->is_ca ? resync->ca : resync->listener) ==
	    0;
}

void
member_answers_add(struct member_answers *answers,
    const struct migration *migration, const struct resync_summary *summary)
{
	if (is_end(&migration->to, &summary->last)) {
		answers->new_answers += summary->answers;
		answers->new_profiles += summary->profiles;
		if (summary->last.at >= answers->new_at) {
			answers->new_at = summary->last.at;
			answers->new_status = summary->last.status;
		}
	} else if (is_end(&migration->from, &summary->last)) {
		answers->old_answers += summary->answers;
		if (summary->last.at > answers->old_at)
			answers->old_at = summary->last.at;
	}
}

enum member_progress
member_progress(const struct migration_member *member,
    const struct member_answers *answers)
{
	/* Counts never fall, unless the record was removed and made anew. */
	bool anew = answers->old_answers < member->old_answers ||
	    answers->new_answers < member->new_answers ||
	    answers->new_profiles < member->new_profiles;
	uint64_t old = answers->old_answers - (anew ? 0 : member->old_answers);

	if (answers->new_answers > (anew ? 0 : member->new_answers) &&
	    answers->new_status != STATUS_OK)
		return PROGRESS_FAILING;
	if (answers->new_profiles > (anew ? 0 : member->new_profiles))
		return PROGRESS_NEW;
	if (old >= MEMBER_OLD_ANSWERS &&
	    answers->old_at >= member->trial_at + MEMBER_OLD_AFTER_S)
		return PROGRESS_FAILING;
	return old > 0 ? PROGRESS_OLD : PROGRESS_ABSENT;
}

static void
add_progress(struct wave_tally *tally, enum member_progress progress)
{
	switch (progress) {
	case PROGRESS_ABSENT:
		tally->absent++;
		break;
	case PROGRESS_OLD:
		tally->old++;
		break;
	case PROGRESS_NEW:
		tally->new ++;
		break;
	case PROGRESS_FAILING:
		tally->failing++;
		break;
	}
}

void
wave_tally_add(struct wave_tally *tally, const struct migration_member *member,
    enum member_progress progress)
{
	tally->members += member->state != MEMBER_CHANGED;
	switch (member->state) {
	case MEMBER_WAITING:
		tally->waiting++;
		break;
	case MEMBER_TRIAL:
		add_progress(tally, progress);
		break;
	case MEMBER_MOVED:
		tally->moved++;
		tally->moved_failing += progress == PROGRESS_FAILING;
		break;
	case MEMBER_PUT_BACK:
		tally->put_back++;
		break;
	case MEMBER_CHANGED:
		tally->changed++;
		break;
	}
}

/* ---------------------------------------------- how a wave is doing */

#define SAY(reason, ...) \
	(void)snprintf((reason), MIGRATION_REASON_MAX + 1, __VA_ARGS__)

/* Is part, of all, more than the threshold leaves room for? */
static bool
is_too_many(const struct migration *migration, size_t part, size_t all)
{
	return part * 100 > (100 - migration->threshold) * all;
}

static bool
is_enough(const struct migration *migration, size_t part, size_t all)
{
	return part * 100 >= migration->threshold * all;
}

/* The minimal wait is over. */
static enum wave_verdict
judge_late(const struct migration *migration, size_t wave,
    const struct wave_tally *tally, char *reason)
{
	size_t good = tally->new + tally->moved;
	size_t heard = good + tally->old + tally->failing;

	if (heard == 0) {
		SAY(reason, "none of the %zu devices of wave %zu was heard of",
		    tally->members, wave);
		return WAVE_STOP;
	}
	SAY(reason,
	    "of the %zu devices of wave %zu, %zu were heard of, and "
	    "%zu of these got their profile from %s",
	    tally->members, wave, heard, good, migration->to.name);
	return is_enough(migration, good, heard) ? WAVE_ADVANCE : WAVE_STOP;
}

enum wave_verdict
wave_judge(const struct migration *migration, size_t wave,
    const struct wave_tally *tally, const struct wave_tally *all, time_t now,
    char reason[static MIGRATION_REASON_MAX + 1])
{
	const char *to = migration->to.name;
	size_t good = tally->new + tally->moved;

	if (all->moved_failing > 0 &&
	    is_too_many(migration, all->moved_failing, all->moved)) {
		SAY(reason,
		    "%s refuses %zu of the %zu devices that were moved "
		    "to it",
		    to, all->moved_failing, all->moved);
		return WAVE_STOP;
	}
	SAY(reason,
	    "%zu of the %zu devices of wave %zu got their profile "
	    "from %s",
	    good, tally->members, wave, to);
	if (is_enough(migration, good, tally->members))
		return WAVE_ADVANCE;
	if (is_too_many(migration, tally->failing, tally->members)) {
		SAY(reason,
		    "%zu of the %zu devices of wave %zu are refused by "
		    "%s or do not accept it",
		    tally->failing, tally->members, wave, to);
		return WAVE_STOP;
	}
	if (now - migration->waves[wave - 1].started_at >=
	    (time_t)migration->min_wait_s)
		return judge_late(migration, wave, tally, reason);
	return WAVE_WAIT;
}

size_t
migration_current_wave(const struct migration *migration)
{
	for (size_t i = 0; i < migration->wave_count; i++)
		if (migration->waves[i].state == WAVE_TRIAL)
			return i + 1;
	return 0;
}

bool
migration_is_over(const struct migration *migration, time_t now)
{
	const struct migration_wave *last =
	    &migration->waves[migration->wave_count - 1];

	return last->state == WAVE_DONE &&
	    now - last->ended_at >= (time_t)migration->min_wait_s;
}
