#include "spa/knowledge.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "spa/knowledge_read.h"

struct knowledge {
	char **texts; /* what own claims point into */
	size_t text_count;
	struct claim *own;
	size_t own_count;
	/* All claims, those about registry_models[i] from first[i] up to
	 * first[i + 1]; own ones first, so that they win where all else is
	 * equal. */
	struct claim *claims;
	bool *is_own; /* of each */
	size_t *first;
};

/* ---------------------------------------------------------- the index */

static size_t
index_of(const struct model *model)
{
	return (size_t)(model - registry_models);
}

/* The place of a claim's model; compile.py sees that there is one. */
static size_t
model_of(const struct claim *claim)
{
	size_t i = 0;

	while (strcmp(registry_models[i].name, claim->model) != 0) {
		i++;
		assert(i < registry_model_count);
	}
	return i;
}

static void
place(struct knowledge *knowledge, size_t *next, const struct claim *claim,
    size_t model, bool own)
{
	size_t at = next[model]++;

	knowledge->claims[at] = *claim;
	knowledge->is_own[at] = own;
}

/* A counting sort by model, which keeps the order within one. */
static void
build_index(struct knowledge *knowledge)
{
	size_t total = knowledge->own_count + registry_claim_count;
	size_t *models = xcalloc(total, sizeof(*models));
	size_t *next = xcalloc(registry_model_count + 1, sizeof(*next));

	for (size_t i = 0; i < total; i++) {
		models[i] = model_of(i < knowledge->own_count ?
			&knowledge->own[i] :
			&registry_claims[i - knowledge->own_count]);
		next[models[i] + 1]++;
	}
	for (size_t i = 0; i < registry_model_count; i++)
		next[i + 1] += next[i];
	free(knowledge->claims);
	free(knowledge->is_own);
	knowledge->claims = xcalloc(total, sizeof(*knowledge->claims));
	knowledge->is_own = xcalloc(total, sizeof(*knowledge->is_own));
	memcpy(knowledge->first, next,
	    (registry_model_count + 1) * sizeof(*next));
	for (size_t i = 0; i < total; i++) {
		bool own = i < knowledge->own_count;

		place(knowledge, next,
		    own ? &knowledge->own[i] :
			  &registry_claims[i - knowledge->own_count],
		    models[i], own);
	}
	free(models);
	free(next);
}

struct knowledge *
knowledge_new(void)
{
	struct knowledge *knowledge = xcalloc(1, sizeof(*knowledge));

	knowledge->first = xcalloc(registry_model_count + 1,
	    sizeof(*knowledge->first));
	build_index(knowledge);
	return knowledge;
}

void
knowledge_free(struct knowledge *knowledge)
{
	if (knowledge == NULL)
		return;
	for (size_t i = 0; i < knowledge->text_count; i++)
		free(knowledge->texts[i]);
	free(knowledge->texts);
	free(knowledge->own);
	free(knowledge->claims);
	free(knowledge->is_own);
	free(knowledge->first);
	free(knowledge);
}

int
knowledge_add(struct knowledge *knowledge, const char *name, const char *text,
    size_t len, struct errors *errors)
{
	struct claim *claims = NULL;
	size_t count = 0;
	char *copy;

	if (len > KNOWLEDGE_TEXT_MAX) {
		errors_add(errors,
		    "%s: %zu bytes long: at most %d are "
		    "allowed",
		    name, len, KNOWLEDGE_TEXT_MAX);
		return -1;
	}
	copy = xmalloc(len + 1);
	if (len > 0)
		memcpy(copy, text, len);
	copy[len] = '\0';
	if (knowledge_read(name, copy, len, &claims, &count, errors) != 0) {
		free(copy);
		return -1;
	}
	knowledge->texts = xrealloc(knowledge->texts,
	    (knowledge->text_count + 1) * sizeof(*knowledge->texts));
	knowledge->texts[knowledge->text_count++] = copy;
	if (count > 0) {
		knowledge->own = xrealloc(knowledge->own,
		    (knowledge->own_count + count) * sizeof(*claims));
		memcpy(knowledge->own + knowledge->own_count, claims,
		    count * sizeof(*claims));
		knowledge->own_count += count;
		build_index(knowledge);
	}
	free(claims);
	return 0;
}

const struct claim *
knowledge_claims(const struct knowledge *knowledge, const struct model *model,
    size_t *count)
{
	size_t i = index_of(model);

	assert(i < registry_model_count);
	*count = knowledge->first[i + 1] - knowledge->first[i];
	return knowledge->claims + knowledge->first[i];
}

const struct claim *
knowledge_own(const struct knowledge *knowledge, size_t *count)
{
	*count = knowledge->own_count;
	return knowledge->own;
}

bool
knowledge_is_own(const struct knowledge *knowledge, const struct claim *claim)
{
	uintptr_t from = (uintptr_t)knowledge->claims;
	uintptr_t to = (uintptr_t)(knowledge->claims +
	    knowledge->first[registry_model_count]);
	uintptr_t at = (uintptr_t)claim;

	return at >= from && at < to &&
	    knowledge->is_own[claim - knowledge->claims];
}

struct trust
knowledge_resolve(const struct knowledge *knowledge, const struct model *model,
    const struct firmware *firmware, const struct ca *ca)
{
	size_t count;
	const struct claim *claims = knowledge_claims(knowledge, model, &count);

	return trust_weigh(claims, count, model, firmware, ca);
}

/* ----------------------------------------------------------- the spans */

static void
add_bound(struct firmware *bounds, size_t *count, const char *text)
{
	struct error err;
	size_t i = *count;
	struct firmware bound;
	int rc;

	if (text == NULL)
		return;
	rc = firmware_parse(&bound, text, &err);
	assert(rc == 0); /* bounds are checked when a claim is read */
	(void)rc;
	for (size_t j = 0; j < *count; j++)
		if (firmware_compare(&bounds[j], &bound) == 0)
			return;
	for (; i > 0 && firmware_compare(&bound, &bounds[i - 1]) < 0; i--)
		bounds[i] = bounds[i - 1];
	bounds[i] = bound;
	++*count;
}

/* All bounds of the claims about the CA, in order. */
static struct firmware *
find_bounds(const struct claim *claims, size_t claim_count, const struct ca *ca,
    size_t *count)
{
	struct firmware *bounds = xcalloc(2 * claim_count + 1, sizeof(*bounds));

	*count = 0;
	for (size_t i = 0; i < claim_count; i++) {
		if (strcmp(claims[i].ca, "*") != 0 &&
		    strcmp(claims[i].ca, ca->id) != 0)
			continue;
		add_bound(bounds, count, claims[i].firmware_min);
		add_bound(bounds, count, claims[i].firmware_max);
	}
	return bounds;
}

static void
add_also(struct knowledge_span *span, const struct claim *claim)
{
	for (size_t i = 0; i < span->also_count; i++)
		if (span->also[i] == claim)
			return;
	if (claim != NULL && span->also_count < KNOWLEDGE_ALSO_MAX)
		span->also[span->also_count++] = claim;
}

static void
add_contradiction(struct trust *trust, const struct claim *claim)
{
	for (size_t i = 0; i < trust->contradiction_count; i++)
		if (trust->contradiction[i] == claim)
			return;
	if (trust->contradiction_count < TRUST_CONTRADICTIONS_MAX)
		trust->contradiction[trust->contradiction_count++] = claim;
}

/* The span goes on with what holds at its next place. */
static void
extend_span(struct knowledge_span *span, struct trust trust)
{
	const struct claim *before = span->trust.decided_by;

	for (size_t i = 0; i < span->trust.contradiction_count; i++)
		add_contradiction(&trust, span->trust.contradiction[i]);
	span->trust = trust;
	if (before != trust.decided_by)
		add_also(span, before);
	for (size_t i = 0; i < span->also_count; i++)
		if (span->also[i] == trust.decided_by)
			span->also[i--] = span->also[--span->also_count];
}

/*
 * Places in order: below bound 0, bound 0, above it, bound 1, above it ...
 * The gap below a bound is the one above the bound before it.
 */
struct knowledge_span *
knowledge_spans(const struct knowledge *knowledge, const struct model *model,
    const struct ca *ca, size_t *count)
{
	size_t claim_count, bound_count, n = 0;
	const struct claim *claims = knowledge_claims(knowledge, model,
	    &claim_count);
	struct firmware *bounds = find_bounds(claims, claim_count, ca,
	    &bound_count);
	struct knowledge_span *spans = xcalloc(2 * bound_count + 1,
	    sizeof(*spans));

	spans[n++].trust = bound_count == 0 ?
	    trust_weigh(claims, claim_count, model, NULL, ca) :
	    trust_weigh_beside(claims, claim_count, model, &bounds[0], -1, ca);
	for (size_t i = 0; i < 2 * bound_count; i++) {
		const struct firmware *bound = &bounds[i / 2];
		int side = i % 2 == 0 ? 0 : 1;
		struct trust trust = trust_weigh_beside(claims, claim_count,
		    model, bound, side, ca);
		struct knowledge_span *last = &spans[n - 1];

		if (trust.verdict == last->trust.verdict) {
			extend_span(last, trust);
			continue;
		}
		last->has_to = true;
		last->to = *bound;
		last->to_exclusive = side == 0;
		spans[n++] = (struct knowledge_span) { .has_from = true,
			.from = *bound,
			.from_exclusive = side == 1,
			.trust = trust };
	}
	free(bounds);
	*count = n;
	return spans;
}

void
knowledge_range_text(const struct knowledge_span *span,
    char text[static KNOWLEDGE_RANGE_BYTES])
{
	const char *from = span->from.text, *to = span->to.text;

	if (!span->has_from && !span->has_to)
		(void)snprintf(text, KNOWLEDGE_RANGE_BYTES, "any firmware");
	else if (!span->has_to)
		(void)snprintf(text, KNOWLEDGE_RANGE_BYTES,
		    span->from_exclusive ? "after %s" : "%s and later", from);
	else if (!span->has_from)
		(void)snprintf(text, KNOWLEDGE_RANGE_BYTES,
		    span->to_exclusive ? "before %s" : "%s and earlier", to);
	else if (firmware_compare(&span->from, &span->to) == 0)
		(void)snprintf(text, KNOWLEDGE_RANGE_BYTES, "%s only", from);
	else
		(void)snprintf(text, KNOWLEDGE_RANGE_BYTES, "%s%s%s%s",
		    span->from_exclusive ? "after " : "", from,
		    span->to_exclusive ? ", before " : " to ", to);
}
