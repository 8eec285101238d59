#include "provision/plan_cover.h"
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

#define BIT(i) (UINT64_C(1) << (i))

struct search {
	uint64_t *masks; /* each needs a CA of its own */
	size_t count;
	const struct plan_merit *merits;
	uint64_t best; /* 0: none yet */
};

static size_t
first_bit(uint64_t mask)
{
	return (size_t)__builtin_ctzll(mask);
}

static unsigned
bits_of(uint64_t mask)
{
	return (unsigned)__builtin_popcountll(mask);
}

int
plan_merit_compare(const struct plan_merit *a, const struct plan_merit *b)
{
	if (a->held != b->held)
		return a->held ? -1 : 1;
	if (a->signs != b->signs)
		return a->signs ? -1 : 1;
	if (a->kept != b->kept)
		return a->kept ? -1 : 1;
	return (a->life < b->life) - (a->life > b->life);
}

size_t
plan_best(uint64_t mask, const struct plan_merit *merits)
{
	size_t best = first_bit(mask);

	for (; mask != 0; mask &= mask - 1) {
		size_t i = first_bit(mask);

		if (plan_merit_compare(&merits[i], &merits[best]) < 0)
			best = i;
	}
	return best;
}

/* ------------------------------------------------------------ reduction */

/* Drop masks within which another lies: who serves that one serves both. */
static void
drop_implied(struct search *search)
{
	size_t kept = 0;

	for (size_t i = 0; i < search->count; i++) {
		uint64_t mask = search->masks[i];
		bool implied = false;

		for (size_t j = 0; j < search->count && !implied; j++) {
			uint64_t other = search->masks[j];

			implied = other != mask && (other & mask) == other;
		}
		if (!implied)
			search->masks[kept++] = mask;
	}
	search->count = kept;
}

static int
compare_masks(const void *one, const void *other)
{
	uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;

	return (a > b) - (a < b);
}

/* Fleets have many kinds of devices, but few different masks. */
static void
drop_equal(struct search *search)
{
	size_t kept = 0;

	qsort(search->masks, search->count, sizeof(*search->masks),
	    compare_masks);
	for (size_t i = 0; i < search->count; i++)
		if (kept == 0 || search->masks[kept - 1] != search->masks[i])
			search->masks[kept++] = search->masks[i];
	search->count = kept;
}

/*
 * May CA a go because of b?  When b serves all that a serves and is no worse:
 * in a set with a, b could stand in its place, and the set would be better.
 * Where that is not sure (an equal set whose order decides), both stay.
 */
static bool
is_dominated(const struct search *search, size_t a, size_t b)
{
	const struct plan_merit *one = &search->merits[a];
	const struct plan_merit *other = &search->merits[b];

	if (one->held > other->held || one->signs > other->signs ||
	    one->kept > other->kept || one->life > other->life)
		return false;
	for (size_t i = 0; i < search->count; i++)
		if ((search->masks[i] & BIT(a)) != 0 &&
		    (search->masks[i] & BIT(b)) == 0)
			return false;
	return b < a || one->held < other->held || one->signs < other->signs ||
	    one->kept < other->kept;
}

static void
drop_dominated(struct search *search, size_t count)
{
	uint64_t gone = 0;

	for (size_t a = 0; a < count; a++)
		for (size_t b = 0; b < count; b++)
			if (a != b && (gone & (BIT(a) | BIT(b))) == 0 &&
			    is_dominated(search, a, b))
				gone |= BIT(a);
	for (size_t i = 0; i < search->count; i++)
		search->masks[i] &= ~gone;
}

/* --------------------------------------------------------------- search */

struct sum {
	unsigned held, signs, kept;
	time_t life; /* of the one that ends first */
};

static struct sum
sum_up(uint64_t set, const struct plan_merit *merits)
{
	struct sum sum = { 0, 0, 0, merits[first_bit(set)].life };

	for (; set != 0; set &= set - 1) {
		const struct plan_merit *merit = &merits[first_bit(set)];

		sum.held += merit->held;
		sum.signs += merit->signs;
		sum.kept += merit->kept;
		if (merit->life < sum.life)
			sum.life = merit->life;
	}
	return sum;
}

/* Of two sets of one size. */
static bool
is_better(uint64_t set, uint64_t than, const struct plan_merit *merits)
{
	struct sum a = sum_up(set, merits), b = sum_up(than, merits);
	uint64_t differ = set ^ than;

	if (a.held != b.held)
		return a.held > b.held;
	if (a.signs != b.signs)
		return a.signs > b.signs;
	if (a.kept != b.kept)
		return a.kept > b.kept;
	if (a.life != b.life)
		return a.life > b.life;
	return differ != 0 && (set & differ & -differ) != 0;
}

/* The mask without a CA in set that leaves the fewest choices; 0: none. */
static uint64_t
hardest(const struct search *search, uint64_t set)
{
	uint64_t found = 0;

	for (size_t i = 0; i < search->count; i++) {
		uint64_t mask = search->masks[i];

		if ((mask & set) == 0 &&
		    (found == 0 || bits_of(mask) < bits_of(found)))
			found = mask;
	}
	return found;
}

static void
extend(struct search *search, uint64_t set, unsigned more)
{
	uint64_t open = hardest(search, set);

	if (open == 0) {
		if (search->best == 0 ||
		    is_better(set, search->best, search->merits))
			search->best = set;
		return;
	}
	for (; more > 0 && open != 0; open &= open - 1)
		extend(search, set | BIT(first_bit(open)), more - 1);
}

uint64_t
plan_cover(const uint64_t *accepted, size_t accepted_count,
    const struct plan_merit *merits, size_t count)
{
	struct search search = { .count = accepted_count, .merits = merits };

	assert(count <= PLAN_CAS_MAX);
	if (accepted_count == 0)
		return 0;
	search.masks = xcalloc(accepted_count, sizeof(*search.masks));
	for (size_t i = 0; i < accepted_count; i++)
		search.masks[i] = accepted[i];
	drop_equal(&search);
	drop_implied(&search);
	drop_dominated(&search, count);
	drop_equal(&search);
	drop_implied(&search);
	for (unsigned size = 1; search.best == 0 && size <= count; size++)
		extend(&search, 0, size);
	free(search.masks);
	return search.best;
}
