/*
 * check_parts.h -- what check.c and check_certificate.c know of each other.
 */
#ifndef PROVISION_CHECK_PARTS_H
#define PROVISION_CHECK_PARTS_H

#include "base/error.h"
#include "provision/check.h"

/* Add a finding; the strings fix and source are constant. */
void check_find(struct check_verdict *verdict, enum check_cause cause,
    enum check_weight weight, const char *fix, const char *source,
    const char *fmt, ...) PRINTF_LIKE(6, 7);

/* The certificates that were shown: CA, chain, dates, name, digest, key. */
void check_judge_certificate(const struct check_view *view,
    const struct model *model, const struct firmware *firmware,
    const struct knowledge *knowledge, time_t now,
    struct check_verdict *verdict);

#endif
