/*
 * knowledge.h -- the registry's claims and the operator's own, weighed as one.
 *
 * Without own claims this is trust.h with an index by model, so that asking
 * for every device of a large fleet is cheap.  Own claims come from a local
 * file in the form of the registry's claims.tsv; they are "observed" or
 * "tested" and so outrank documents (trust.h says how claims are weighed).
 * Where an own claim and one of the registry weigh the same, the own one
 * counts.
 */
#ifndef SPA_KNOWLEDGE_H
#define SPA_KNOWLEDGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "spa/trust.h"

#define KNOWLEDGE_TEXT_MAX 4194304 /* bytes of a file of claims: 4 MiB */
#define KNOWLEDGE_OWN_MAX 20000	   /* claims of one file */

/* The first line of every file of claims, without its newline. */
#define KNOWLEDGE_HEADS \
	"ca\tmodel\tfirmware_min\tfirmware_max\tverdict\t" \
	"basis\tconfidence\treason\tsource"

struct knowledge;

/* The registry alone. */
void knowledge_free(struct knowledge *knowledge);
struct knowledge *knowledge_new(void) MUST_CHECK FREED_BY(knowledge_free);

/*
 * Add the claims of a local file, whose text this is; name is for messages.
 * Either all go in, or none does and errors holds one "name:line: ..." per
 * bad row.  An empty text holds no claims.  What the registry's compiler
 * refuses is refused here too, with three differences: the basis may be
 * "observed", a model may be spelled as registry_find_model() reads it, and
 * the source is free text.
 */
int knowledge_add(struct knowledge *knowledge, const char *name,
    const char *text, size_t len, struct errors *errors) MUST_CHECK;

/* As trust_resolve(), over all claims; borrowed while knowledge lives and
 * nothing is added. */
struct trust
knowledge_resolve(const struct knowledge *knowledge, const struct model *model,
    const struct firmware *firmware, const struct ca *ca);

/* All claims about a model, own ones first; borrowed in the same way. */
const struct claim *knowledge_claims(const struct knowledge *knowledge,
    const struct model *model, size_t *count);

/* The own claims in the order in which they were added; borrowed. */
const struct claim *
knowledge_own(const struct knowledge *knowledge, size_t *count);

/* Is this one of the claims that knowledge lent an own one? */
bool
knowledge_is_own(const struct knowledge *knowledge, const struct claim *claim);

/*
 * Versions next to each other at which a model gives the same answer about a
 * CA.  decided_by and contradiction of trust: that at the newest of them, and
 * the contradictions of all.  also: what else decided within the span.
 */
#define KNOWLEDGE_ALSO_MAX 4
struct knowledge_span {
	bool has_from, has_to;
	bool from_exclusive, to_exclusive;
	struct firmware from, to;
	struct trust trust;
	size_t also_count;
	const struct claim *also[KNOWLEDGE_ALSO_MAX];
};

/* All versions there may be, oldest first, as *count spans of which no two
 * neighbours have the same verdict; free() them. */
struct knowledge_span *knowledge_spans(const struct knowledge *knowledge,
    const struct model *model, const struct ca *ca, size_t *count) MUST_CHECK;

/* "any firmware", "7.5.6 and later", "before 1.3.3", "7.5.2b only",
 * "after 7.5.2b, before 7.5.6" */
#define KNOWLEDGE_RANGE_BYTES (2 * FIRMWARE_TEXT_MAX + 24)
void knowledge_range_text(const struct knowledge_span *span,
    char text[static KNOWLEDGE_RANGE_BYTES]);

#endif
