#include "server/admission.h"
#include "base/addr.h"
#include "base/mem.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Addresses that are remembered, by the lowest bits of their key. */
#define SOURCES 8192
#define SOURCE_HALF_LIFE_MS 10000

/* An address is suspect after so many wasted connections, if they are more
 * than twice as many as the good ones. */
#define WASTED_MAX 16

/* Who hangs up after so long has lost patience with us: a site whose devices
 * do is not to wait behind others for it. */
#define LEFT_LATE_MS 1000

/* Of four turns, the ones for who is likely to be cheap. */
#define TURNS 4
#define TURNS_RETURN 3

/* The newest are first once the oldest has waited for this part of what it may
 * wait for. */
#define PATIENCE_PARTS 5

struct list {
	struct waiting *oldest, *newest;
	size_t count;
};

struct source {
	uint64_t key; /* 0: free */
	uint64_t since_ms;
	uint32_t proved, wasted; /* halved every SOURCE_HALF_LIFE_MS */
};

struct admission {
	struct list lists[WAITING_PLACES];
	atomic_size_t waiting;
	unsigned turn;
	struct source sources[SOURCES];
};

struct admission *
admission_new(void)
{
	return xcalloc(1, sizeof(struct admission));
}

void
admission_free(struct admission *admission)
{
	free(admission);
}

static void
list_remove(struct list *list, struct waiting *waiting)
{
	if (waiting->older != NULL)
		waiting->older->newer = waiting->newer;
	else
		list->oldest = waiting->newer;
	if (waiting->newer != NULL)
		waiting->newer->older = waiting->older;
	else
		list->newest = waiting->older;
	list->count--;
}

static void
list_append(struct list *list, struct waiting *waiting)
{
	waiting->newer = NULL;
	waiting->older = list->newest;
	if (list->newest != NULL)
		list->newest->newer = waiting;
	else
		list->oldest = waiting;
	list->newest = waiting;
	list->count++;
}

/* Before its handshake? */
static bool
is_waiting(enum waiting_place place)
{
	return place != WAITING_NOWHERE && place != WAITING_BEGUN;
}

static void
move(struct admission *admission, struct waiting *waiting,
    enum waiting_place place)
{
	if (waiting->place != WAITING_NOWHERE)
		list_remove(&admission->lists[waiting->place], waiting);
	if (is_waiting(waiting->place) && !is_waiting(place))
		atomic_fetch_sub(&admission->waiting, 1);
	if (!is_waiting(waiting->place) && is_waiting(place))
		atomic_fetch_add(&admission->waiting, 1);
	waiting->place = place;
	if (place != WAITING_NOWHERE)
		list_append(&admission->lists[place], waiting);
}

/* ---------------------------------------------------------------- addresses */

/* A site has a /64 of IPv6, or a part of one; what comes of it is one source.
 * Never 0. */
static uint64_t
source_key(const struct addr *addr)
{
	const struct sockaddr *sockaddr = (const void *)&addr->sockaddr;
	const struct sockaddr_in *v4 = (const void *)sockaddr;
	const struct sockaddr_in6 *v6 = (const void *)sockaddr;
	uint64_t key = 0;

	if (sockaddr->sa_family == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		memcpy(&key, &v6->sin6_addr.s6_addr[12], 4);
	else if (sockaddr->sa_family == AF_INET6)
		memcpy(&key, &v6->sin6_addr, sizeof(key));
	else if (sockaddr->sa_family == AF_INET)
		memcpy(&key, &v4->sin_addr, sizeof(v4->sin_addr));
	key *= UINT64_C(0x9e3779b97f4a7c15); /* spread over the low bits */
	key ^= key >> 32;
	return key | 1;
}

static struct source *
source_of(struct admission *admission, uint64_t key)
{
	return &admission->sources[(key >> 1) % SOURCES];
}

/* Count an end.  Who shares the place of another address takes it over, once
 * that one has nothing left to be remembered for. */
static void
judge(struct admission *admission, uint64_t key, bool proved, uint64_t now_ms)
{
	struct source *source = source_of(admission, key);

	while (source->key != 0 &&
	    now_ms - source->since_ms >= SOURCE_HALF_LIFE_MS) {
		source->proved /= 2;
		source->wasted /= 2;
		source->since_ms += SOURCE_HALF_LIFE_MS;
		if (source->proved == 0 && source->wasted == 0)
			source->key = 0;
	}
	if (source->key == 0)
		*source = (struct source) { .key = key, .since_ms = now_ms };
	if (source->key != key)
		return;
	if (proved)
		source->proved++;
	else
		source->wasted++;
}

static enum waiting_place
place_of(struct admission *admission, uint64_t key, bool resumes)
{
	const struct source *source = source_of(admission, key);

	if (source->key != key)
		return resumes ? WAITING_RETURN : WAITING_NEW;
	if (source->wasted > WASTED_MAX && source->wasted / 2 > source->proved)
		return WAITING_SUSPECT;
	return resumes || source->proved > 0 ? WAITING_RETURN : WAITING_NEW;
}

/* ------------------------------------------------------------------- turns */

void
admission_arrive(struct admission *admission, struct waiting *waiting,
    const struct addr *source, uint64_t now_ms)
{
	waiting->since_ms = now_ms;
	waiting->source = source_key(source);
	move(admission, waiting, WAITING_HELLO);
}

void
admission_queue(struct admission *admission, struct waiting *waiting,
    bool resumes)
{
	move(admission, waiting, place_of(admission, waiting->source, resumes));
}

/* Which of the lists has the next turn; NULL when all are empty. */
static struct list *
choose(struct admission *admission)
{
	struct list *returning = &admission->lists[WAITING_RETURN];
	struct list *fresh = &admission->lists[WAITING_NEW];
	struct list *suspect = &admission->lists[WAITING_SUSPECT];
	bool prefer = admission->turn++ % TURNS < TURNS_RETURN;

	if (returning->count > 0 && (prefer || fresh->count == 0))
		return returning;
	if (fresh->count > 0)
		return fresh;
	return suspect->count > 0 ? suspect : NULL;
}

struct waiting *
admission_next(struct admission *admission,
    const struct admission_limits *limits)
{
	struct waiting *chosen;
	struct list *list;

	if (admission->lists[WAITING_BEGUN].count >= limits->handshakes_max ||
	    (list = choose(admission)) == NULL)
		return NULL;
	chosen = list->oldest;
	if (list->newest->since_ms - chosen->since_ms >
	    limits->patience_ms / PATIENCE_PARTS)
		chosen = list->newest;
	move(admission, chosen, WAITING_BEGUN);
	return chosen;
}

struct waiting *
admission_late(struct admission *admission,
    const struct admission_limits *limits, uint64_t now_ms)
{
	for (int place = WAITING_RETURN; place <= WAITING_SUSPECT; place++) {
		struct waiting *oldest = admission->lists[place].oldest;

		if (oldest != NULL &&
		    now_ms - oldest->since_ms > limits->patience_ms)
			return oldest;
	}
	return NULL;
}

bool
admission_is_behind(const struct admission *admission,
    const struct admission_limits *limits, uint64_t now_ms)
{
	for (int place = WAITING_RETURN; place <= WAITING_NEW; place++) {
		const struct waiting *oldest = admission->lists[place].oldest;

		if (oldest != NULL &&
		    now_ms - oldest->since_ms >
			limits->patience_ms / PATIENCE_PARTS)
			return true;
	}
	return false;
}

struct waiting *
admission_oldest(const struct admission *admission)
{
	static const enum waiting_place order[] = { WAITING_HELLO,
		WAITING_SUSPECT, WAITING_NEW, WAITING_RETURN };

	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		if (admission->lists[order[i]].oldest != NULL)
			return admission->lists[order[i]].oldest;
	return NULL;
}

/* Does an end that proves nothing speak against the address? */
static bool
is_waste(const struct waiting *waiting, enum admission_end end, uint64_t now_ms)
{
	switch (end) {
	case ADMISSION_WASTED:
		return true;
	case ADMISSION_LEFT:
		return now_ms - waiting->since_ms < LEFT_LATE_MS;
	case ADMISSION_ROOM:
		return waiting->place == WAITING_HELLO;
	case ADMISSION_PROVED:
	case ADMISSION_OURS:
		break;
	}
	return false;
}

void
admission_leave(struct admission *admission, struct waiting *waiting,
    enum admission_end end, uint64_t now_ms)
{
	if (waiting->place == WAITING_NOWHERE)
		return;
	if (end == ADMISSION_PROVED || is_waste(waiting, end, now_ms))
		judge(admission, waiting->source, end == ADMISSION_PROVED,
		    now_ms);
	move(admission, waiting, WAITING_NOWHERE);
}

size_t
admission_count(const struct admission *admission, enum waiting_place place)
{
	return admission->lists[place].count;
}

size_t
admission_waiting(const struct admission *admission)
{
	return atomic_load(&admission->waiting);
}
