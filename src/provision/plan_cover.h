/*
 * plan_cover.h -- the smallest set of CAs that covers a fleet, exactly.
 *
 * A set cover over at most PLAN_CAS_MAX CAs as bits: first what cannot matter is
 * taken away, then sets of one, two, three ... CAs are tried until some cover
 * all; of those the best is kept.
 */
#ifndef PROVISION_PLAN_COVER_H
#define PROVISION_PLAN_COVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define PLAN_CAS_MAX 64

/* What makes one CA better than another of the same use, in this order; where
 * all is equal the one that comes first is. */
struct plan_merit {
	bool held;   /* we have a valid certificate from it */
	bool signs;  /* it still signs */
	bool kept;   /* we have one out of its dates, and that serves, too */
	time_t life; /* until when; 0: not known, which is worst */
};

/* Negative when a is better; 0: neither. */
int plan_merit_compare(const struct plan_merit *a, const struct plan_merit *b);

/*
 * The smallest set with a CA of every mask in it.  accepted[] are masks with
 * bit i for merits[i]; each has a bit at least, bits from count up are 0.  Of
 * several smallest sets: the one with most CAs held; then with most that sign;
 * then with most kept; then whose first CA to end does so last; then with the
 * first in order.
 */
uint64_t plan_cover(const uint64_t *accepted, size_t accepted_count,
    const struct plan_merit *merits, size_t count);

/* The best CA of a mask that is not 0: its bit's number. */
size_t plan_best(uint64_t mask, const struct plan_merit *merits);

#endif
