#include "server/choice.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a, 64 bits. */
#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

/* Counts are halved here, so that what was long ago counts less. */
#define COUNT_MAX 4096
/* Slots that a key may be in. */
#define WAYS 8

struct taken {	     /* of one CA */
	uint64_t ca; /* 0: none */
	uint32_t accepted, refused;
	time_t at;
};

/* What an address with a class, or a class anywhere (source 0), took. */
struct memory {
	uint64_t source, class;
	time_t at;	  /* last used; 0: free */
	uint64_t refused; /* the CA that was refused last, until somebody at
			   * this place takes another one; 0: none */
	struct taken taken[CHOICE_CAS_MAX];
};

struct table {
	struct memory *slots;
	size_t count; /* a power of two */
};

struct choice {
	pthread_mutex_t mutex;
	struct table places, classes;
};

const char *
choice_basis_name(enum choice_basis basis)
{
	static const char *const names[] = {
		[CHOICE_DEFAULT] = "default",
		[CHOICE_SESSION] = "session",
		[CHOICE_SNI] = "sni",
		[CHOICE_ADDRESS] = "address",
		[CHOICE_RETRY] = "retry",
		[CHOICE_CLASS] = "class",
		[CHOICE_REGISTRY] = "registry",
	};

	return names[basis];
}

uint64_t
choice_key(const char *text)
{
	uint64_t hash = FNV_OFFSET;

	while (*text != '\0')
		hash = (hash ^ (uint8_t)*text++) * FNV_PRIME;
	return hash != 0 ? hash : 1;
}

struct choice *
choice_new(void)
{
	struct choice *choice = xcalloc(1, sizeof(*choice));

	(void)pthread_mutex_init(&choice->mutex, NULL);
	choice->places.count = CHOICE_PLACES_MAX;
	choice->classes.count = CHOICE_CLASSES_MAX;
	choice->places.slots = xcalloc(CHOICE_PLACES_MAX,
	    sizeof(struct memory));
	choice->classes.slots = xcalloc(CHOICE_CLASSES_MAX,
	    sizeof(struct memory));
	return choice;
}

void
choice_free(struct choice *choice)
{
	if (choice == NULL)
		return;
	(void)pthread_mutex_destroy(&choice->mutex);
	free(choice->places.slots);
	free(choice->classes.slots);
	free(choice);
}

/* ------------------------------------------------------------------ tables */

static struct memory *
first_slot(const struct table *table, uint64_t source, uint64_t class)
{
	uint64_t hash = (source ^ class * FNV_PRIME) * FNV_PRIME;

	hash ^= hash >> 32;
	return &table->slots[hash & (table->count - 1) & ~(uint64_t)(WAYS - 1)];
}

static struct memory *
find(const struct table *table, uint64_t source, uint64_t class)
{
	struct memory *slots = first_slot(table, source, class);

	for (size_t i = 0; i < WAYS; i++)
		if (slots[i].at != 0 && slots[i].source == source &&
		    slots[i].class == class)
			return &slots[i];
	return NULL;
}

/* Find it, or take the slot that was used longest ago. */
static struct memory *
find_or_make(const struct table *table, uint64_t source, uint64_t class,
    time_t now)
{
	struct memory *found = find(table, source, class);
	struct memory *slots = first_slot(table, source, class);

	if (found == NULL) {
		found = slots;
		for (size_t i = 1; i < WAYS; i++)
			if (slots[i].at < found->at)
				found = &slots[i];
		*found = (struct memory) { .source = source, .class = class };
	}
	found->at = now > 0 ? now : 1;
	return found;
}

static const struct taken *
find_ca(const struct memory *memory, uint64_t ca)
{
	for (size_t i = 0; memory != NULL && i < CHOICE_CAS_MAX; i++)
		if (memory->taken[i].ca == ca)
			return &memory->taken[i];
	return NULL;
}

static struct taken *
find_or_make_ca(struct memory *memory, uint64_t ca)
{
	struct taken *oldest = &memory->taken[0];

	for (size_t i = 0; i < CHOICE_CAS_MAX; i++) {
		struct taken *one = &memory->taken[i];

		if (one->ca == ca)
			return one;
		if (one->at < oldest->at)
			oldest = one;
	}
	*oldest = (struct taken) { .ca = ca };
	return oldest;
}

/* ---------------------------------------------------------------- choosing */

/* Of a hundred, how many take it; -1: nobody has tried. */
static int
share(const struct taken *taken)
{
	uint64_t all;

	if (taken == NULL)
		return -1;
	all = (uint64_t)taken->accepted + taken->refused;
	return all > 0 ? (int)(100 * (uint64_t)taken->accepted / all) : -1;
}

/*
 * By the class: the one that most take.  One that half of them refuse is worse
 * than one that nobody has tried; among those the registry knows best.
 */
static size_t
by_class(const struct choice *choice, const struct choice_question *question,
    uint64_t except, enum choice_basis *basis)
{
	const struct memory *memory = question->class != 0 ?
	    find(&choice->classes, 0, question->class) :
	    NULL;
	size_t best = question->count;
	long best_score = -1;

	for (size_t i = 0; i < question->count; i++) {
		const struct taken *taken = find_ca(memory, question->cas[i]);
		int of_class = share(taken);
		unsigned prior = question->prior != NULL ? question->prior[i] :
							   0;
		long score = of_class >= 50 ? 20000 + of_class :
		    of_class < 0	    ? 10000 + (long)(prior % 10000) :
					      of_class;

		if (question->cas[i] == except || score <= best_score)
			continue;
		best_score = score;
		best = i;
		*basis = of_class >= 0 ? CHOICE_CLASS :
		    prior > 0	       ? CHOICE_REGISTRY :
					 CHOICE_DEFAULT;
	}
	return best < question->count ? best : 0;
}

/* The one that this place took most often; count when it took none. */
static size_t
by_place(const struct memory *place, const struct choice_question *question)
{
	size_t best = question->count;
	uint32_t most = 0;

	for (size_t i = 0; i < question->count; i++) {
		const struct taken *taken = find_ca(place, question->cas[i]);

		if (taken == NULL || taken->accepted <= most)
			continue;
		most = taken->accepted;
		best = i;
	}
	return best;
}

/* Somebody here was refused by one: what else may it be?  First what others
 * here took, or what nobody here has refused, in the order of the class. */
static size_t
after_refusal(const struct choice *choice, const struct memory *place,
    const struct choice_question *question)
{
	struct choice_question rest = *question;
	uint64_t cas[CHOICE_CAS_MAX];
	unsigned prior[CHOICE_CAS_MAX];
	size_t index[CHOICE_CAS_MAX];
	enum choice_basis ignored;

	rest.count = 0;
	for (size_t i = 0; i < question->count; i++) {
		const struct taken *taken = find_ca(place, question->cas[i]);

		if (question->cas[i] == place->refused ||
		    (taken != NULL && taken->accepted == 0 &&
			taken->refused > 0))
			continue;
		index[rest.count] = i;
		cas[rest.count] = question->cas[i];
		prior[rest.count++] = question->prior != NULL ?
		    question->prior[i] :
		    0;
	}
	if (rest.count == 0) /* all were refused: begin again */
		return by_class(choice, question, place->refused, &ignored);
	rest.cas = cas;
	rest.prior = prior;
	return index[by_class(choice, &rest, 0, &ignored)];
}

static size_t
make(struct choice *choice, const struct choice_question *question,
    enum choice_basis *basis)
{
	struct memory *place = question->class != 0 ?
	    find(&choice->places, question->source, question->class) :
	    NULL;
	bool content;
	size_t best;

	if (place == NULL)
		return by_class(choice, question, 0, basis);
	best = by_place(place, question);
	if (best < question->count && place->refused == 0) {
		*basis = CHOICE_ADDRESS;
		return best;
	}
	*basis = CHOICE_RETRY;
	content = best < question->count;
	best = after_refusal(choice, place, question);
	/* One connection only, where others are content. */
	if (content)
		place->refused = 0;
	return best;
}

size_t
choice_make(struct choice *choice, const struct choice_question *question,
    enum choice_basis *basis)
{
	size_t best;

	if (question->sni >= 0) {
		*basis = CHOICE_SNI;
		return (size_t)question->sni;
	}
	(void)pthread_mutex_lock(&choice->mutex);
	best = make(choice, question, basis);
	(void)pthread_mutex_unlock(&choice->mutex);
	return best;
}

/* ---------------------------------------------------------------- learning */

static bool
is_power_of_two(uint32_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

/* True when it is worth writing: seldom, but every change of mind. */
static bool
count(struct memory *memory, uint64_t ca, bool accepted, time_t now,
    struct choice_row *row)
{
	struct taken *taken = find_or_make_ca(memory, ca);
	uint32_t *counter = accepted ? &taken->accepted : &taken->refused;

	if (++*counter > COUNT_MAX) {
		taken->accepted /= 2;
		taken->refused /= 2;
	}
	taken->at = now > 0 ? now : 1;
	*row = (struct choice_row) { memory->source, memory->class, ca,
		taken->accepted, taken->refused, now };
	return !accepted || is_power_of_two(*counter);
}

bool
choice_learn(struct choice *choice, uint64_t ca, uint64_t source,
    uint64_t class, bool accepted, time_t now, struct choice_row *place,
    struct choice_row *of_class)
{
	struct memory *memory;
	bool worth;

	if (class == 0)
		return false;
	(void)pthread_mutex_lock(&choice->mutex);
	memory = find_or_make(&choice->places, source, class, now);
	worth = count(memory, ca, accepted, now, place);
	if (!accepted)
		memory->refused = ca;
	else if (memory->refused != ca)
		memory->refused = 0;
	memory = find_or_make(&choice->classes, 0, class, now);
	worth |= count(memory, ca, accepted, now, of_class);
	(void)pthread_mutex_unlock(&choice->mutex);
	return worth;
}

void
choice_restore(struct choice *choice, const struct choice_row *row)
{
	struct memory *memory;
	struct taken *taken;

	(void)pthread_mutex_lock(&choice->mutex);
	memory = find_or_make(row->source != 0 ? &choice->places :
						 &choice->classes,
	    row->source, row->class, row->at);
	taken = find_or_make_ca(memory, row->ca);
	*taken = (struct taken) { row->ca, row->accepted, row->refused,
		row->at > 0 ? row->at : 1 };
	(void)pthread_mutex_unlock(&choice->mutex);
}
