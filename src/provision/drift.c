#include "provision/drift.h"
#include "base/mem.h"
#include "provision/report.h"
#include "spa/flat_profile.h"
#include "spa/parameter.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name, *word;
} kinds[] = {
	[CHANGE_ADDED] = { "added", "added" },
	[CHANGE_REMOVED] = { "no longer set", "removed" },
	[CHANGE_VALUE] = { "changed", "changed" },
	[CHANGE_ACCESS] = { "user access changed", "access" },
	[DRIFT_CHANGED] = { "changed on the phone", "changed-on-phone" },
	[DRIFT_NOT_APPLIED] = { "not applied", "not-applied" },
	[DRIFT_UNKNOWN] = { "unknown", "unknown" },
};

const char *
change_kind_name(enum change_kind kind)
{
	return kinds[kind].name;
}

const char *
change_kind_word(enum change_kind kind)
{
	return kinds[kind].word;
}

void
changes_clear(struct changes *changes)
{
	free(changes->list);
	*changes = (struct changes) { .list = NULL };
}

static const char *
value_of(const struct flat_parameter *p)
{
	return p != NULL && p->has_value ? p->value : NULL;
}

/* fresh or old may be NULL, not both. */
static void
add(struct changes *changes, enum change_kind kind,
    const struct flat_parameter *old, const struct flat_parameter *fresh,
    const char *why)
{
	const struct flat_parameter *p = fresh != NULL ? fresh : old;
	struct change change = { .kind = kind,
		.path = p->path,
		.name = p->name,
		.old_value = value_of(old),
		.new_value = value_of(fresh),
		.why = why };

	change.is_secret = report_is_secret(p->path, p->name,
			       old != NULL ? old->value : "") ||
	    report_is_secret(p->path, p->name, p->value);
	/* Room is doubled at each power of two. */
	if ((changes->count & (changes->count + 1)) == 0)
		changes->list = xrealloc(changes->list,
		    2 * (changes->count + 1) * sizeof(*changes->list));
	changes->list[changes->count++] = change;
}

static void
compare(const struct flat_parameter *old, const struct flat_parameter *fresh,
    struct changes *changes)
{
	if (old == NULL || !old->has_value) {
		if (fresh->has_value)
			add(changes, CHANGE_ADDED, old, fresh, "");
		else if (old == NULL || old->access != fresh->access)
			add(changes, CHANGE_ACCESS, old, fresh, "");
	} else if (!fresh->has_value) {
		add(changes, CHANGE_REMOVED, old, fresh, "");
	} else if (strcmp(old->value, fresh->value) != 0) {
		add(changes, CHANGE_VALUE, old, fresh, "");
	} else if (old->access != fresh->access) {
		add(changes, CHANGE_ACCESS, old, fresh, "");
	}
}

void
changes_between(const struct flat_profile *old,
    const struct flat_profile *fresh, struct changes *changes)
{
	const struct flat_parameter *p;

	*changes = (struct changes) { .list = NULL };
	for (size_t i = 0; i < flat_profile_count(fresh); i++) {
		p = flat_profile_at(fresh, i);
		if (p->counts)
			compare(flat_profile_find(old, p->path, p->name), p,
			    changes);
	}
	for (size_t i = 0; i < flat_profile_count(old); i++) {
		p = flat_profile_at(old, i);
		if (p->counts &&
		    flat_profile_find(fresh, p->path, p->name) == NULL)
			add(changes, CHANGE_REMOVED, p, NULL, "");
	}
}

/* "****", "" and the like: a report that hides a value. */
static bool
is_masked(const char *value)
{
	return value[strspn(value, "*")] == '\0';
}

static bool
is_write_only(const char *name)
{
	static const char *const names[] = { "GPP_SA", "GPP_SB", "GPP_SC",
		"GPP_SD", "IKM_HTTP_Encrypt_Content" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* ASSUMED: devices write Yes and No as they like; all else is as given. */
static bool
is_same(const char *a, const char *b)
{
	bool is_word = strcasecmp(a, "yes") == 0 || strcasecmp(a, "no") == 0;

	return is_word ? strcasecmp(a, b) == 0 : strcmp(a, b) == 0;
}

/* Can what is reported be held against what was served at all? */
static bool
can_tell(const struct flat_parameter *served,
    const struct flat_parameter *reported)
{
	if (strcmp(served->value, REPORT_REDACTED) == 0)
		return false;
	return reported == NULL ||
	    (strcmp(reported->value, REPORT_REDACTED) != 0 &&
		!(is_masked(reported->value) &&
		    report_is_secret(served->path, served->name,
			served->value)));
}

static bool
is_default(const struct flat_parameter *reported)
{
	struct parameter_match match;

	parameter_find(&match, PARAMETER_ALL, reported->path, reported->name);
	return match.parameter != NULL &&
	    *match.parameter->default_value != '\0' &&
	    is_same(match.parameter->default_value, reported->value);
}

/*
 * Who is it, the user or the device?  A delta lists what was changed after the
 * resync.  A report that is older than the profile cannot know of it.  A value
 * that is as from the factory was never taken.
 */
static void
judge_difference(const struct drift_input *input,
    const struct flat_parameter *served, const struct flat_parameter *reported,
    bool in_delta, struct changes *changes)
{
	time_t at = in_delta ? input->delta_at : input->report_at;

	if (at < input->served_at)
		add(changes, DRIFT_NOT_APPLIED, served, reported,
		    "reported before it was served");
	else if (!in_delta && is_default(reported))
		add(changes, DRIFT_NOT_APPLIED, served, reported,
		    "as from the factory");
	else
		add(changes, DRIFT_CHANGED, served, reported, "");
}

static const struct flat_parameter *
find_value(const struct flat_profile *profile, const struct flat_parameter *p)
{
	const struct flat_parameter *found = profile != NULL ?
	    flat_profile_find(profile, p->path, p->name) :
	    NULL;

	return found != NULL && found->has_value ? found : NULL;
}

static void
judge_served(const struct drift_input *input,
    const struct flat_parameter *served, struct changes *changes)
{
	const struct flat_parameter *reported = find_value(input->delta,
	    served);
	bool in_delta = reported != NULL;

	if (!in_delta)
		reported = find_value(input->report, served);
	if (is_write_only(served->name) || !can_tell(served, reported) ||
	    (reported == NULL && input->report == NULL)) {
		changes->untold++;
		return;
	}
	changes->compared++;
	if (reported == NULL)
		add(changes, DRIFT_NOT_APPLIED, served, NULL,
		    "the device does not report it");
	else if (!is_same(served->value, reported->value))
		judge_difference(input, served, reported, in_delta, changes);
}

/* What we never set is the device's own business, but a change is news. */
static void
count_unserved(const struct drift_input *input,
    const struct flat_profile *profile, bool is_delta, struct changes *changes)
{
	for (size_t i = 0; profile != NULL && i < flat_profile_count(profile);
	     i++) {
		const struct flat_parameter *p = flat_profile_at(profile, i);

		if (!p->counts || !p->has_value ||
		    find_value(input->served, p) != NULL)
			continue;
		changes->unserved++;
		if (is_delta)
			add(changes, DRIFT_UNKNOWN, NULL, p, "");
	}
}

void
changes_drift(const struct drift_input *input, struct changes *changes)
{
	*changes = (struct changes) { .list = NULL };
	for (size_t i = 0; i < flat_profile_count(input->served); i++) {
		const struct flat_parameter *p = flat_profile_at(input->served,
		    i);

		if (p->counts && p->has_value)
			judge_served(input, p, changes);
	}
	count_unserved(input, input->report, false, changes);
	count_unserved(input, input->delta, true, changes);
}
