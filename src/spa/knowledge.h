/*
 * knowledge.h -- the registry's claims and the operator's own, weighed as one.
 *
 * Without own claims this is trust.h with an index by model, so that asking
 * for every device of a large fleet is cheap.  Own claims come from a local
 * file in the form of the registry's claims.tsv; they are "observed" or
 * "tested" and so outrank documents (trust.h says how claims are weighed).
 */
#ifndef SPA_KNOWLEDGE_H
#define SPA_KNOWLEDGE_H

#include <stddef.h>

#include "base/error.h"
#include "spa/trust.h"

#define KNOWLEDGE_TEXT_MAX (4 * 1024 * 1024) /* bytes of a file of claims */

struct knowledge;

/* The registry alone. */
void knowledge_free(struct knowledge *knowledge);
struct knowledge *knowledge_new(void) MUST_CHECK FREED_BY(knowledge_free);

/*
 * Add the claims of a local file, whose text this is; name is for messages.
 * Either all go in, or none does and errors holds one "name:line: ..." per
 * bad row.
 */
int knowledge_add(struct knowledge *knowledge, const char *name,
    const char *text, size_t len, struct errors *errors) MUST_CHECK;

/* As trust_resolve(), over all claims; borrowed while knowledge lives. */
struct trust knowledge_resolve(const struct knowledge *knowledge,
    const struct model *model, const struct firmware *firmware,
    const struct ca *ca);

#endif
