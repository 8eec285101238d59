/*
 * One rule for a whole fleet.
 *
 *     ("$PN" eq "SPA-962")? URL-1 | ($SWVER lt 7.5.6)? URL-2 | URL-3
 *
 * Conditions know "and" but no "or", so a list of models would take an
 * alternative for each.  Therefore the rule ends in a chain of versions for
 * all models together, whose last alternative has no condition; before it
 * stand those models whose devices the chain would lead astray.  The chain is
 * the one that makes the whole shortest: tried from one listener for all, each
 * time with the change that saves most.
 *
 * The versions of the chain are those at which some model changes listeners,
 * and these are first versions of claims wherever there is one: so a device
 * that is upgraded later still finds its listener.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "provision/plan_parts.h"
#include "spa/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CUTS_MAX 64 /* versions that the chain may use */
#define COMFORTABLE_LENGTH 1024 /* of a rule; one field of [MPP-PROV] has it */
#define TEXT_MAX (1024 * 1024) /* of a rule that is too long, to say so */

/* Devices of one model at one version (or several that fare alike). */
struct point {
	const struct firmware *firmware;
	uint64_t allowed; /* a bit for each listener */
	size_t segment;	  /* of the model */
	size_t interval;  /* of the chain */
};

/* A run of versions of one model that go to one listener. */
struct segment {
	struct firmware from; /* unless it is the first */
	size_t listener;
};

struct shape {
	const struct model *model;
	bool any_version; /* some of its devices' firmware is not known */
	size_t listener;  /* of those */
	struct firmware *versions; /* of those, what they may be */
	struct point *points;
	size_t point_count;
	struct segment *segments; /* at least one */
	size_t segment_count;
};

/* One alternative: "$PN" eq model (unless NULL) and $SWVER op version. */
struct alternative {
	const struct model *model;
	const char *op; /* "lt", "ge", or NULL: no version */
	const struct firmware *version;
	size_t listener;
};

struct universal {
	const struct plan *plan;
	const struct plan_options *options;
	const struct knowledge *knowledge;
	struct shape *shapes;
	size_t shape_count;
	struct firmware cuts[CUTS_MAX]; /* between the intervals */
	size_t cut_count;
	size_t chain[CUTS_MAX + 1]; /* listener of each interval */
	struct alternative *alternatives;
	size_t alternative_count;
};

static bool
accepts(const struct universal *u, const struct model *model,
    const struct firmware *firmware, size_t listener)
{
	return plan_expect(u->options, u->knowledge, model, firmware,
	    u->plan->listeners[listener].ca, NULL) == PLAN_ACCEPTS;
}

/* --------------------------------------------------------- the devices */

static struct shape *
shape_of(struct universal *u, const struct model *model)
{
	struct shape *shape;

	for (size_t i = 0; i < u->shape_count; i++)
		if (u->shapes[i].model == model)
			return &u->shapes[i];
	shape = &u->shapes[u->shape_count++];
	shape->model = model;
	return shape;
}

static void
add_point(struct shape *shape, const struct firmware *firmware,
    uint64_t allowed)
{
	shape->points = xrealloc(shape->points,
	    (shape->point_count + 1) * sizeof(*shape->points));
	shape->points[shape->point_count++] = (struct point) {
		.firmware = firmware, .allowed = allowed };
}

/* Devices whose version is not known may be of any: at each, a listener that
 * is accepted there. */
static void
add_possible_points(const struct universal *u, struct shape *shape)
{
	size_t count;

	shape->versions = xcalloc(PLAN_VERSIONS_MAX,
	    sizeof(*shape->versions));
	count = plan_versions(shape->model, shape->versions,
	    PLAN_VERSIONS_MAX);
	for (size_t i = 0; i < count; i++) {
		uint64_t allowed = 0;

		for (size_t j = 0; j < u->plan->listener_count; j++)
			if (accepts(u, shape->model, &shape->versions[i], j))
				allowed |= UINT64_C(1) << j;
		if (allowed != 0)
			add_point(shape, &shape->versions[i], allowed);
	}
}

static int
compare_points(const void *one, const void *other)
{
	const struct point *a = one, *b = other;

	return firmware_compare(a->firmware, b->firmware);
}

static void
collect_shapes(struct universal *u)
{
	const struct plan *plan = u->plan;

	u->shapes = xcalloc(registry_model_count, sizeof(*u->shapes));
	for (size_t i = 0; i < plan->assignment_count; i++) {
		const struct plan_assignment *one = &plan->assignments[i];
		struct shape *shape;

		if (one->listener == PLAN_LEFT_OUT)
			continue;
		shape = shape_of(u, one->group->model);
		if (one->group->has_firmware) {
			add_point(shape, &one->group->firmware,
			    UINT64_C(1) << one->listener);
		} else {
			shape->any_version = true;
			shape->listener = one->listener;
			add_possible_points(u, shape);
		}
	}
	for (size_t i = 0; i < u->shape_count; i++)
		if (u->shapes[i].point_count > 0)
			qsort(u->shapes[i].points, u->shapes[i].point_count,
			    sizeof(*u->shapes[i].points), compare_points);
}

/* ------------------------------------------------------------ segments */

/*
 * Where devices begin to go to the listener: at the version to, or already at
 * an earlier one after from, when all in between that the registry knows
 * accept it.
 */
static struct firmware
find_cut(const struct universal *u, const struct model *model,
    const struct firmware *from, const struct firmware *to, size_t listener)
{
	struct firmware list[PLAN_VERSIONS_MAX], cut = *to;
	size_t count = plan_versions(model, list, PLAN_VERSIONS_MAX);

	while (count-- > 0) {
		if (firmware_compare(&list[count], to) > 0)
			continue;
		if (firmware_compare(&list[count], from) <= 0 ||
		    !accepts(u, model, &list[count], listener))
			break;
		cut = list[count];
	}
	return cut;
}

/* Of what all devices of a segment accept: the listener of those whose version
 * is not known, when it is among them, else the best. */
static size_t
choose(const struct shape *shape, uint64_t allowed)
{
	if (shape->any_version &&
	    (allowed & (UINT64_C(1) << shape->listener)) != 0)
		return shape->listener;
	return (size_t)__builtin_ctzll(allowed);
}

/* The segment whose lowest point is that one; segments come from the highest
 * version down. */
static void
close_segment(const struct universal *u, struct shape *shape, size_t lowest,
    uint64_t allowed)
{
	struct segment segment = { .listener = choose(shape, allowed) };

	if (lowest > 0)
		segment.from = find_cut(u, shape->model,
		    shape->points[lowest - 1].firmware,
		    shape->points[lowest].firmware, segment.listener);
	shape->segments = xrealloc(shape->segments,
	    (shape->segment_count + 1) * sizeof(segment));
	shape->segments[shape->segment_count++] = segment;
}

static void
reverse_segments(struct shape *shape)
{
	size_t count = shape->segment_count;

	for (size_t i = 0; i < count / 2; i++) {
		struct segment swapped = shape->segments[i];

		shape->segments[i] = shape->segments[count - 1 - i];
		shape->segments[count - 1 - i] = swapped;
	}
	for (size_t i = 0; i < shape->point_count; i++)
		shape->points[i].segment = count - 1 -
		    shape->points[i].segment;
}

/*
 * As few segments as can be: each goes on while one listener suits all.  From
 * the highest version down, so that newer CAs serve as many versions as they
 * can.
 */
static void
cut_shape(const struct universal *u, struct shape *shape)
{
	uint64_t allowed = UINT64_MAX;

	if (shape->point_count == 0)
		allowed = UINT64_C(1) << shape->listener;
	for (size_t i = shape->point_count; i-- > 0;) {
		struct point *point = &shape->points[i];

		if ((allowed & point->allowed) == 0) {
			close_segment(u, shape, i + 1, allowed);
			allowed = UINT64_MAX;
		}
		allowed &= point->allowed;
		point->segment = shape->segment_count;
	}
	close_segment(u, shape, 0, allowed);
	reverse_segments(shape);
}

static void
add_cut(struct universal *u, const struct firmware *version)
{
	size_t i = 0;

	while (i < u->cut_count && firmware_compare(&u->cuts[i], version) < 0)
		i++;
	if (u->cut_count == CUTS_MAX || (i < u->cut_count &&
	    firmware_compare(&u->cuts[i], version) == 0))
		return;
	memmove(&u->cuts[i + 1], &u->cuts[i],
	    (u->cut_count - i) * sizeof(*u->cuts));
	u->cuts[i] = *version;
	u->cut_count++;
}

static size_t
interval_of(const struct universal *u, const struct firmware *firmware)
{
	size_t i = 0;

	while (i < u->cut_count &&
	    firmware_compare(&u->cuts[i], firmware) <= 0)
		i++;
	return i;
}

/* Put points into intervals, and those of one segment and interval together. */
static void
sort_into_intervals(const struct universal *u, struct shape *shape)
{
	size_t kept = 0;

	for (size_t i = 0; i < shape->point_count; i++) {
		struct point point = shape->points[i];
		struct point *last = kept > 0 ? &shape->points[kept - 1] :
		    NULL;

		point.interval = interval_of(u, point.firmware);
		if (last != NULL && last->interval == point.interval &&
		    last->segment == point.segment)
			last->allowed &= point.allowed;
		else
			shape->points[kept++] = point;
	}
	shape->point_count = kept;
}

static void
cut_shapes(struct universal *u)
{
	for (size_t i = 0; i < u->shape_count; i++) {
		cut_shape(u, &u->shapes[i]);
		for (size_t j = 1; j < u->shapes[i].segment_count; j++)
			add_cut(u, &u->shapes[i].segments[j].from);
	}
	for (size_t i = 0; i < u->shape_count; i++)
		sort_into_intervals(u, &u->shapes[i]);
}

/* ---------------------------------------------------------- alternatives */

static void
add_alternative(struct universal *u, const struct model *model,
    const char *op, const struct firmware *version, size_t listener)
{
	u->alternatives[u->alternative_count++] = (struct alternative) {
		.model = model, .op = op, .version = version,
		.listener = listener };
}

static bool
chain_is_constant(const struct universal *u)
{
	for (size_t i = 1; i <= u->cut_count; i++)
		if (u->chain[i] != u->chain[0])
			return false;
	return true;
}

/* Which segments the chain would lead astray: the first and the last of them;
 * false when none. */
static bool
find_strays(const struct universal *u, const struct shape *shape,
    size_t *first, size_t *last)
{
	bool found = false;

	/* No version, no comparison. */
	if (shape->any_version && (!chain_is_constant(u) ||
	    (shape->point_count == 0 && u->chain[0] != shape->listener))) {
		*first = 0;
		*last = shape->segment_count - 1;
		return true;
	}
	for (size_t i = 0; i < shape->point_count; i++) {
		const struct point *point = &shape->points[i];

		if ((point->allowed >> u->chain[point->interval] & 1) != 0)
			continue;
		if (!found)
			*first = point->segment;
		*last = point->segment;
		found = true;
	}
	return found;
}

/*
 * From the lowest version up to the last stray, or from the highest down to
 * the first, whichever takes fewer alternatives: the rest is left to the chain.
 */
static void
add_shape(struct universal *u, const struct shape *shape)
{
	size_t first, last, count = shape->segment_count;
	const struct segment *segments = shape->segments;

	if (!find_strays(u, shape, &first, &last))
		return;
	if (last + 1 <= count - first) {
		for (size_t i = 0; i <= last; i++)
			add_alternative(u, shape->model,
			    i + 1 < count ? "lt" : NULL,
			    i + 1 < count ? &segments[i + 1].from : NULL,
			    segments[i].listener);
		return;
	}
	for (size_t i = count; i-- > first;)
		add_alternative(u, shape->model, i > 0 ? "ge" : NULL,
		    i > 0 ? &segments[i].from : NULL, segments[i].listener);
}

static void
add_chain(struct universal *u)
{
	for (size_t i = 0; i < u->cut_count; i++)
		if (u->chain[i] != u->chain[i + 1])
			add_alternative(u, NULL, "lt", &u->cuts[i],
			    u->chain[i]);
	add_alternative(u, NULL, NULL, NULL, u->chain[u->cut_count]);
}

/* Spelled without blanks, as operands of a rule are. */
static void
format_version(const struct firmware *version, char text[static 128])
{
	size_t len = 0;

	if (strchr(version->text, ' ') == NULL) {
		(void)snprintf(text, 128, "%s", version->text);
		return;
	}
	for (size_t i = 0; i < version->part_count && len < 100; i++) {
		const struct firmware_part *part = &version->part[i];
		bool word = part->word[0] != '\0';
		bool dot = i > 0 && !word &&
		    version->part[i - 1].word[0] == '\0';

		if (word)
			len += (size_t)snprintf(text + len, 128 - len, "%s",
			    part->word);
		else
			len += (size_t)snprintf(text + len, 128 - len,
			    "%s%lu", dot ? "." : "", part->number);
	}
}

static size_t
version_length(const struct firmware *version)
{
	char text[128];

	if (strchr(version->text, ' ') == NULL)
		return strlen(version->text);
	format_version(version, text);
	return strlen(text);
}

/* What write_alternative() writes. */
static size_t
alternative_length(const struct universal *u,
    const struct alternative *alternative)
{
	size_t len =
	    strlen(u->plan->listeners[alternative->listener].rule);

	if (alternative->model != NULL)
		len += strlen("\"$PN\" eq \"\"") +
		    strlen(alternative->model->product);
	if (alternative->op != NULL)
		len += strlen("$SWVER lt ") +
		    version_length(alternative->version);
	if (alternative->model != NULL && alternative->op != NULL)
		len += strlen(" and ");
	if (alternative->model != NULL || alternative->op != NULL)
		len += strlen("()? ");
	return len;
}

static int
write_alternative(const struct universal *u,
    const struct alternative *alternative, struct buf *out)
{
	const char *url = u->plan->listeners[alternative->listener].rule;
	const char *product = alternative->model != NULL ?
	    alternative->model->product : NULL;
	char version[128] = "";

	if (alternative->op != NULL)
		format_version(alternative->version, version);
	if (product != NULL && alternative->op != NULL)
		return buf_printf(out, "(\"$PN\" eq \"%s\" and $SWVER %s "
		    "%s)? %s", product, alternative->op, version, url);
	if (product != NULL)
		return buf_printf(out, "(\"$PN\" eq \"%s\")? %s", product,
		    url);
	if (alternative->op != NULL)
		return buf_printf(out, "($SWVER %s %s)? %s", alternative->op,
		    version, url);
	return buf_append_text(out, url);
}

/* ------------------------------------------------------------ the chain */

/* Make the alternatives for the chain as it is; returns the rule's length. */
static size_t
compose(struct universal *u)
{
	size_t len = 0;

	u->alternative_count = 0;
	for (size_t i = 0; i < u->shape_count; i++)
		add_shape(u, &u->shapes[i]);
	add_chain(u);
	for (size_t i = 0; i < u->alternative_count; i++)
		len += alternative_length(u, &u->alternatives[i]) +
		    (i > 0 ? strlen(" | ") : 0);
	return len;
}

static void
fill(struct universal *u, size_t first, size_t last, size_t listener)
{
	for (size_t i = first; i <= last; i++)
		u->chain[i] = listener;
}

/* The change of one run of intervals that saves most; false when none does. */
static bool
improve(struct universal *u, size_t *best_len)
{
	size_t before[CUTS_MAX + 1], best[CUTS_MAX + 1];
	bool improved = false;

	memcpy(before, u->chain, sizeof(before));
	for (size_t i = 0; i <= u->cut_count; i++)
		for (size_t j = i; j <= u->cut_count; j++)
			for (size_t k = 0; k < u->plan->listener_count; k++) {
				size_t len;

				fill(u, i, j, k);
				len = compose(u);
				if (len < *best_len) {
					*best_len = len;
					improved = true;
					memcpy(best, u->chain, sizeof(best));
				}
				memcpy(u->chain, before, sizeof(before));
			}
	if (improved)
		memcpy(u->chain, best, sizeof(best));
	return improved;
}

/* Are there multiplatform phones and others?  The former count from 10 on, and
 * spell versions in another way [MPP-PROV]. */
static bool
counts_differ(const struct universal *u)
{
	bool low = false, high = false;

	for (size_t i = 0; i < u->shape_count; i++)
		for (size_t j = 0; j < u->shapes[i].point_count; j++) {
			unsigned long first =
			    u->shapes[i].points[j].firmware->part[0].number;

			low |= first < 10;
			high |= first >= 10;
		}
	return low && high;
}

/*
 * How a phone compares a version of its own kind with one of the other is
 * stated nowhere: a chain of versions over both only when the rule would be
 * long without it.
 */
static void
find_chain(struct universal *u)
{
	size_t best_len = SIZE_MAX, best = 0;

	for (size_t k = 0; k < u->plan->listener_count; k++) {
		size_t len;

		fill(u, 0, u->cut_count, k);
		len = compose(u);
		if (len < best_len) {
			best_len = len;
			best = k;
		}
	}
	fill(u, 0, u->cut_count, best);
	if (counts_differ(u) && best_len <= COMFORTABLE_LENGTH)
		return;
	while (improve(u, &best_len))
		; /* until nothing shortens it */
}

/* ------------------------------------------------------------- the text */

static char *
write_rule(const struct universal *u, struct error *err)
{
	struct buf text;
	int rc = 0;

	buf_init(&text, TEXT_MAX);
	for (size_t i = 0; rc == 0 && i < u->alternative_count; i++) {
		if (i > 0)
			rc = buf_append_text(&text, " | ");
		if (rc == 0)
			rc = write_alternative(u, &u->alternatives[i], &text);
	}
	if (rc == 0 && text.len <= RULE_TEXT_MAX &&
	    u->alternative_count <= RULE_ALTERNATIVES_MAX)
		return buf_take(&text);
	(void)error_set(err, ERROR_INPUT,
	    "one rule for all would take %zu bytes in %zu alternatives, and "
	    "%d bytes in %d are the most: use the rules of the listeners",
	    text.len, u->alternative_count, RULE_TEXT_MAX,
	    RULE_ALTERNATIVES_MAX);
	buf_clear(&text);
	return NULL;
}

static void
clear(struct universal *u)
{
	for (size_t i = 0; i < u->shape_count; i++) {
		free(u->shapes[i].versions);
		free(u->shapes[i].points);
		free(u->shapes[i].segments);
	}
	free(u->shapes);
	free(u->alternatives);
}

char *
plan_universal_rule(const struct plan *plan,
    const struct plan_options *options, const struct knowledge *knowledge,
    struct error *err)
{
	struct universal u = { .plan = plan, .options = options,
		.knowledge = knowledge };
	size_t max = CUTS_MAX + 1;
	char *rule;

	collect_shapes(&u);
	cut_shapes(&u);
	for (size_t i = 0; i < u.shape_count; i++)
		max += u.shapes[i].segment_count;
	u.alternatives = xcalloc(max, sizeof(*u.alternatives));
	find_chain(&u);
	(void)compose(&u);
	rule = write_rule(&u, err);
	clear(&u);
	return rule;
}
