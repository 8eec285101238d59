#include "spa/trust.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

/* A firmware range as it is read from a claim. */
struct range {
	bool has_min, has_max, max_exclusive;
	struct firmware min, max;
};

static bool
read_bound(const char *text, struct firmware *firmware)
{
	struct error err;
	int rc;

	if (text == NULL)
		return false;
	rc = firmware_parse(firmware, text, &err);
	assert(rc == 0); /* bounds are checked when a claim is read */
	(void)rc;
	return true;
}

static void
range_of(const struct claim *claim, struct range *range)
{
	range->has_min = read_bound(claim->firmware_min, &range->min);
	range->has_max = read_bound(claim->firmware_max, &range->max);
	range->max_exclusive = claim->max_exclusive;
}

/*
 * A place in the order of versions: at one, or (side -1, +1) in the gap just
 * below or above it.  Between two neighbouring bounds no verdict changes, so
 * the bounds and the gaps beside them stand for all versions there may be.
 */
struct place {
	const struct firmware *at;
	int side;
};

static bool
range_holds(const struct range *range, const struct place *place)
{
	int order;

	if (range->has_min) {
		order = firmware_compare(place->at, &range->min);
		if (order < 0 || (order == 0 && place->side < 0))
			return false;
	}
	if (range->has_max) {
		int last = range->max_exclusive ? -1 : 0;

		order = firmware_compare(place->at, &range->max);
		if (order > 0 || (order == 0 && place->side > last))
			return false;
	}
	return true;
}

static bool
is_bounded(const struct claim *claim)
{
	return claim->firmware_min != NULL || claim->firmware_max != NULL;
}

static bool
is_about(const struct claim *claim, const struct model *model,
    const struct ca *ca)
{
	return strcmp(claim->model, model->name) == 0 &&
	    (strcmp(claim->ca, "*") == 0 || strcmp(claim->ca, ca->id) == 0);
}

/* Without a place (NULL): the claims about all versions. */
static bool
claim_holds(const struct claim *claim, const struct place *place)
{
	struct range range;

	if (!is_bounded(claim))
		return true;
	if (place == NULL)
		return false;
	range_of(claim, &range);
	return range_holds(&range, place);
}

/* One version, both ends, one end, none. */
static int
range_class(const struct range *range)
{
	if (!range->has_min || !range->has_max)
		return !range->has_min + !range->has_max + 1;
	return firmware_compare(&range->min, &range->max) == 0 ? 0 : 1;
}

/*
 * Negative when a is the narrower range.  A range within another is always
 * narrower; ranges that only overlap are ordered by their beginnings, so that
 * the order is total.
 */
static int
compare_ranges(const struct claim *one, const struct claim *other)
{
	struct range a, b;
	int order;

	range_of(one, &a);
	range_of(other, &b);
	order = range_class(&a) - range_class(&b);
	if (order != 0)
		return order;
	if (a.has_min != b.has_min)
		return a.has_min ? -1 : 1;
	if (a.has_min) {
		order = firmware_compare(&b.min, &a.min);
		if (order != 0)
			return order;
	}
	if (!a.has_max)
		return 0;
	order = firmware_compare(&a.max, &b.max);
	return order != 0 ? order : b.max_exclusive - a.max_exclusive;
}

/* Negative when a weighs more; 0 leaves it to the order of the table. */
static int
compare_weights(const struct claim *a, const struct claim *b)
{
	int order = (a->verdict == VERDICT_UNKNOWN) -
	    (b->verdict == VERDICT_UNKNOWN);

	if (order == 0)
		order = (int)a->basis - (int)b->basis;
	if (order == 0)
		order = compare_ranges(a, b);
	if (order == 0)
		order = (int)a->confidence - (int)b->confidence;
	return order;
}

static void
add_contradiction(struct trust *trust, const struct claim *claim)
{
	size_t i = trust->contradiction_count;

	if (i == TRUST_CONTRADICTIONS_MAX) {
		if (compare_weights(claim, trust->contradiction[i - 1]) >= 0)
			return;
		i--;
	} else {
		trust->contradiction_count++;
	}
	for (; i > 0 && compare_weights(claim, trust->contradiction[i - 1]) < 0;
	     i--)
		trust->contradiction[i] = trust->contradiction[i - 1];
	trust->contradiction[i] = claim;
}

static bool
contradicts(const struct claim *claim, enum verdict verdict)
{
	return claim->verdict != VERDICT_UNKNOWN &&
	    verdict != VERDICT_UNKNOWN && claim->verdict != verdict;
}

static struct trust
weigh_at(const struct claim *claims, size_t count, const struct model *model,
    const struct place *place, const struct ca *ca)
{
	struct trust trust = { .verdict = VERDICT_UNKNOWN };

	for (size_t i = 0; i < count; i++) {
		if (!is_about(&claims[i], model, ca) ||
		    !claim_holds(&claims[i], place))
			continue;
		if (trust.decided_by == NULL ||
		    compare_weights(&claims[i], trust.decided_by) < 0)
			trust.decided_by = &claims[i];
	}
	if (trust.decided_by == NULL)
		return trust;
	trust.verdict = trust.decided_by->verdict;
	for (size_t i = 0; i < count; i++) {
		if (is_about(&claims[i], model, ca) &&
		    claim_holds(&claims[i], place) &&
		    contradicts(&claims[i], trust.verdict))
			add_contradiction(&trust, &claims[i]);
	}
	return trust;
}

/* Is the verdict another one at this version, or just beside it? */
static bool
differs_around(const struct claim *claims, size_t count,
    const struct model *model, const struct ca *ca, const char *bound,
    enum verdict verdict)
{
	struct firmware firmware;

	if (!read_bound(bound, &firmware))
		return false;
	for (int side = -1; side <= 1; side++) {
		const struct place place = { &firmware, side };

		if (weigh_at(claims, count, model, &place, ca).verdict !=
		    verdict)
			return true;
	}
	return false;
}

struct trust
trust_weigh(const struct claim *claims, size_t count, const struct model *model,
    const struct firmware *firmware, const struct ca *ca)
{
	const struct place place = { firmware, 0 };
	struct trust trust;

	if (firmware != NULL)
		return weigh_at(claims, count, model, &place, ca);
	trust = weigh_at(claims, count, model, NULL, ca);
	for (size_t i = 0; i < count && !trust.depends_on_firmware; i++) {
		if (!is_about(&claims[i], model, ca))
			continue;
		trust.depends_on_firmware = differs_around(claims, count, model,
						ca, claims[i].firmware_min,
						trust.verdict) ||
		    differs_around(claims, count, model, ca,
			claims[i].firmware_max, trust.verdict);
	}
	return trust;
}

struct trust
trust_weigh_beside(const struct claim *claims, size_t count,
    const struct model *model, const struct firmware *firmware, int side,
    const struct ca *ca)
{
	const struct place place = { firmware, side };

	return weigh_at(claims, count, model, &place, ca);
}

struct trust
trust_resolve(const struct model *model, const struct firmware *firmware,
    const struct ca *ca)
{
	return trust_weigh(registry_claims, registry_claim_count, model,
	    firmware, ca);
}

#define MODEL_TEXT_MAX 63

int
trust_parse_device(const char *text, const struct model **model,
    struct firmware *firmware, bool *has_firmware, struct error *err)
{
	const char *at = strchrnul(text, '@');
	size_t len = (size_t)(at - text);
	char name[MODEL_TEXT_MAX + 1], shown[4 * MODEL_TEXT_MAX + 8];
	const struct model *found, *nearest;

	text_escape(text, len, shown, sizeof(shown));
	if (len == 0 || len > MODEL_TEXT_MAX)
		return error_set(err, ERROR_INPUT,
		    "device \"%s\": wanted "
		    "MODEL or MODEL@FIRMWARE, such as SPA504G@7.5.6",
		    shown);
	memcpy(name, text, len);
	name[len] = '\0';
	found = registry_find_model(name, &nearest);
	if (found == NULL && nearest != NULL)
		return error_set(err, ERROR_INPUT,
		    "model \"%s\" is not known; did you mean %s?", shown,
		    nearest->name);
	if (found == NULL)
		return error_set(err, ERROR_INPUT, "model \"%s\" is not known",
		    shown);
	if (*at == '@' && firmware_parse(firmware, at + 1, err) == -1)
		return -1;
	*has_firmware = *at == '@';
	*model = found;
	return 0;
}

/* A sorted list of versions that keeps the lowest when it is full. */
struct versions {
	struct firmware *list;
	size_t count, max;
};

static void
add_version(struct versions *versions, const struct firmware *firmware)
{
	size_t i = 0, rest;

	while (i < versions->count &&
	    firmware_compare(&versions->list[i], firmware) < 0)
		i++;
	if (i == versions->max)
		return;
	if (i < versions->count &&
	    firmware_compare(&versions->list[i], firmware) == 0)
		return;
	if (versions->count < versions->max)
		versions->count++;
	rest = versions->count - i - 1;
	memmove(&versions->list[i + 1], &versions->list[i],
	    rest * sizeof(*versions->list));
	versions->list[i] = *firmware;
}

/* The newest release of the model's family, below a version unless NULL. */
static bool
newest_release(const struct model *model, const struct firmware *below,
    struct firmware *newest)
{
	bool found = false;

	for (size_t i = 0; i < registry_release_count; i++) {
		const struct release *release = &registry_releases[i];
		struct firmware version;

		if (strcmp(release->family, model->family) != 0 ||
		    !read_bound(release->version, &version))
			continue;
		if (below != NULL && firmware_compare(&version, below) >= 0)
			continue;
		if (found && firmware_compare(&version, newest) <= 0)
			continue;
		*newest = version;
		found = true;
	}
	return found;
}

static void
add_bound(struct versions *versions, const struct model *model,
    const char *bound)
{
	struct firmware version, below;

	if (!read_bound(bound, &version))
		return;
	add_version(versions, &version);
	if (newest_release(model, &version, &below))
		add_version(versions, &below);
}

size_t
trust_distinct_firmware(const struct model *model, struct firmware *list,
    size_t max)
{
	struct versions versions = { .list = list, .max = max };
	struct firmware newest;

	for (size_t i = 0; i < registry_claim_count; i++) {
		const struct claim *claim = &registry_claims[i];

		if (strcmp(claim->model, model->name) != 0 ||
		    claim->verdict == VERDICT_UNKNOWN)
			continue;
		add_bound(&versions, model, claim->firmware_min);
		add_bound(&versions, model, claim->firmware_max);
	}
	for (size_t i = 0; i < registry_stack_use_count; i++) {
		const struct stack_use *use = &registry_stack_uses[i];

		if (strcmp(use->family, model->family) != 0 ||
		    (use->model != NULL &&
			strcmp(use->model, model->name) != 0))
			continue;
		add_bound(&versions, model, use->firmware_min);
	}
	if (versions.count == 0 && newest_release(model, NULL, &newest))
		add_version(&versions, &newest);
	return versions.count;
}
