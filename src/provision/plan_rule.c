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
#include "provision/plan_shape.h"
#include "spa/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CUTS_MAX 64		 /* versions that the chain may use */
#define COMFORTABLE_LENGTH 1024	 /* of a rule; one field of [MPP-PROV] has it */
#define TEXT_MAX (1024UL * 1024) /* of a rule that is too long, to say so */

/* One alternative: "$PN" eq model (unless NULL) and $SWVER op version. */
struct alternative {
	const struct model *model;
	const char *op; /* "lt", "ge", or NULL: no version */
	const struct firmware *version;
	size_t listener;
};

struct universal {
	const struct plan *plan;
	struct plan_shape *shapes;
	size_t shape_count;
	struct firmware cuts[CUTS_MAX]; /* between the intervals */
	size_t cut_count;
	size_t chain[CUTS_MAX + 1]; /* listener of each interval */
	struct alternative *alternatives;
	size_t alternative_count;
};

/* ------------------------------------------------------------ intervals */

static void
add_cut(struct universal *u, const struct firmware *version)
{
	size_t i = 0;

	while (i < u->cut_count && firmware_compare(&u->cuts[i], version) < 0)
		i++;
	if (u->cut_count == CUTS_MAX ||
	    (i < u->cut_count && firmware_compare(&u->cuts[i], version) == 0))
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

	while (i < u->cut_count && firmware_compare(&u->cuts[i], firmware) <= 0)
		i++;
	return i;
}

/* Put points into intervals, and those of one segment and interval together. */
static void
sort_into_intervals(const struct universal *u, struct plan_shape *shape)
{
	size_t kept = 0;

	for (size_t i = 0; i < shape->point_count; i++) {
		struct plan_point point = shape->points[i];
		struct plan_point *last = kept > 0 ? &shape->points[kept - 1] :
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
find_cuts(struct universal *u)
{
	for (size_t i = 0; i < u->shape_count; i++)
		for (size_t j = 1; j < u->shapes[i].segment_count; j++)
			add_cut(u, &u->shapes[i].segments[j].from);
	for (size_t i = 0; i < u->shape_count; i++)
		sort_into_intervals(u, &u->shapes[i]);
}

/* ---------------------------------------------------------- alternatives */

static void
add_alternative(struct universal *u, const struct model *model, const char *op,
    const struct firmware *version, size_t listener)
{
	u->alternatives[u->alternative_count++] = (struct alternative) {
		.model = model,
		.op = op,
		.version = version,
		.listener = listener
	};
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
find_strays(const struct universal *u, const struct plan_shape *shape,
    size_t *first, size_t *last)
{
	bool found = false;

	/* No version, no comparison. */
	if (shape->any_version &&
	    (!chain_is_constant(u) ||
		(shape->point_count == 0 && u->chain[0] != shape->listener))) {
		*first = 0;
		*last = shape->segment_count - 1;
		return true;
	}
	for (size_t i = 0; i < shape->point_count; i++) {
		const struct plan_point *point = &shape->points[i];

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
add_shape(struct universal *u, const struct plan_shape *shape)
{
	size_t first, last, count = shape->segment_count;
	const struct plan_segment *segments = shape->segments;

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
			len += (size_t)snprintf(text + len, 128 - len, "%s%lu",
			    dot ? "." : "", part->number);
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
	size_t len = strlen(u->plan->listeners[alternative->listener].rule);

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
	    alternative->model->product :
	    NULL;
	char version[128] = "";

	if (alternative->op != NULL)
		format_version(alternative->version, version);
	if (product != NULL && alternative->op != NULL)
		return buf_printf(out,
		    "(\"$PN\" eq \"%s\" and $SWVER %s "
		    "%s)? %s",
		    product, alternative->op, version, url);
	if (product != NULL)
		return buf_printf(out, "(\"$PN\" eq \"%s\")? %s", product, url);
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

char *
plan_universal_rule(const struct plan *plan, const struct plan_options *options,
    const struct knowledge *knowledge, struct error *err)
{
	struct universal u = { .plan = plan };
	size_t max = CUTS_MAX + 1;
	char *rule;

	u.shapes = plan_shapes(plan, options, knowledge, &u.shape_count);
	find_cuts(&u);
	for (size_t i = 0; i < u.shape_count; i++)
		max += u.shapes[i].segment_count;
	u.alternatives = xcalloc(max, sizeof(*u.alternatives));
	find_chain(&u);
	(void)compose(&u);
	rule = write_rule(&u, err);
	plan_shapes_free(u.shapes, u.shape_count);
	free(u.alternatives);
	return rule;
}
