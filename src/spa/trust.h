/*
 * trust.h -- does MODEL@FIRMWARE trust a CA?
 *
 * All claims about the model and the CA whose firmware range holds the
 * firmware are weighed: one that says something before one that says
 * "unknown"; then by basis; then the narrower range; then by confidence.
 * Absence of a claim is unknown, never "not".
 */
#ifndef SPA_TRUST_H
#define SPA_TRUST_H

#include <stdbool.h>
#include <stddef.h>

#include "spa/registry.h"

#define TRUST_CONTRADICTIONS_MAX 8

struct trust {
	enum verdict verdict;
	const struct claim *decided_by; /* NULL: no claim at all */
	/* Claims of the other verdict (trusted against not), strongest first. */
	size_t contradiction_count;
	const struct claim *contradiction[TRUST_CONTRADICTIONS_MAX];
	/*
	 * Without a firmware: true when claims with a firmware range exist and
	 * would decide otherwise for some versions.  The verdict is then that
	 * of the claims about all versions.
	 */
	bool depends_on_firmware;
};

/* firmware may be NULL: not known. */
struct trust trust_resolve(const struct model *model,
    const struct firmware *firmware, const struct ca *ca);

/*
 * The same over other claims, such as the registry's and an operator's own
 * together.  The firmware bounds of every claim must parse.
 */
struct trust
trust_weigh(const struct claim *claims, size_t count, const struct model *model,
    const struct firmware *firmware, const struct ca *ca);

/*
 * As trust_weigh(), for the versions just below firmware (side -1), it itself
 * (0), or those just above it (1): between two neighbouring bounds of claims
 * no verdict changes.
 */
struct trust trust_weigh_beside(const struct claim *claims, size_t count,
    const struct model *model, const struct firmware *firmware, int side,
    const struct ca *ca);

/* "MODEL@FIRMWARE" or "MODEL"; has_firmware tells which.  -1 with ERROR_INPUT
 * and the nearest model's name when the model is unknown. */
int trust_parse_device(const char *text, const struct model **model,
    struct firmware *firmware, bool *has_firmware,
    struct error *err) MUST_CHECK;

/*
 * The firmware versions of a model between which the registry (claims and
 * stacks) distinguishes: exact versions that claims name, first versions of
 * ranges, and one known release below each.  Claims that say "unknown" do not
 * distinguish.  Where nothing does, the newest known release.  In order, at
 * most max (the lowest); returns how many.  0: nothing distinguishes any
 * version and none is known.
 */
size_t trust_distinct_firmware(const struct model *model, struct firmware *list,
    size_t max);

#endif
