#include "inventory/finder.h"
#include "inventory/resyncs.h"
#include "inventory/snapshot.h"

#include <ctype.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define REFUSED 400 /* an HTTP status from here on is a refusal */

/* Distinct names, numbered in the order in which they came. */
struct names {
	const char **list;
	size_t *count; /* devices that have it */
	uint32_t used, room;
	uint32_t *slots;   /* number + 1; 0: free */
	size_t slot_count; /* a power of two, at least twice used */
};

struct seen {
	uint32_t last_at, profile_at; /* seconds since 1970, until 2106 */
	uint16_t status;
	bool retired; /* is of the device, and finds room here */
};

/* What finders of one snapshot share. */
struct fleet {
	atomic_size_t references;
	struct snapshot *snapshot;
	size_t count;
	const struct device **devices;
	uint64_t *macs;
	char *serials;	     /* in lower case, a NUL after each */
	uint32_t *serial_at; /* one more than there are devices */
	size_t serial_room;
	uint32_t *model, *group; /* numbers of names */
	struct names models, groups;
};

struct finder {
	atomic_size_t references;
	struct fleet *fleet;
	struct seen *seen;
	pthread_mutex_t mutex;	      /* of what follows */
	struct finder_totals *totals; /* of each group; NULL: not asked yet */
	time_t totals_since;
};

/* ------------------------------------------------------------------ names */

static size_t
hash(const char *name)
{
	uint64_t h = 14695981039346656037U; /* FNV-1a */

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 1099511628211U;
	return (size_t)(h ^ h >> 32);
}

static void
grow(struct names *names)
{
	names->room = 2 * names->room + 64;
	names->list = xrealloc(names->list, names->room * sizeof(*names->list));
	names->count = xrealloc(names->count,
	    names->room * sizeof(*names->count));
	free(names->slots);
	for (names->slot_count = 64; names->slot_count < 2 * names->room;)
		names->slot_count *= 2;
	names->slots = xcalloc(names->slot_count, sizeof(*names->slots));
	for (uint32_t i = 0; i < names->used; i++) {
		size_t at = hash(names->list[i]) & (names->slot_count - 1);

		while (names->slots[at] != 0)
			at = (at + 1) & (names->slot_count - 1);
		names->slots[at] = i + 1;
	}
}

/* Where it is, or the free slot where it would be. */
static size_t
find_slot(const struct names *names, const char *name)
{
	size_t at = hash(name) & (names->slot_count - 1);

	while (names->slots[at] != 0 &&
	    strcmp(names->list[names->slots[at] - 1], name) != 0)
		at = (at + 1) & (names->slot_count - 1);
	return at;
}

static uint32_t
number(struct names *names, const char *name)
{
	size_t at;

	if (names->used == names->room)
		grow(names);
	at = find_slot(names, name);
	if (names->slots[at] == 0) {
		names->list[names->used] = name;
		names->count[names->used] = 0;
		names->slots[at] = ++names->used;
	}
	names->count[names->slots[at] - 1]++;
	return names->slots[at] - 1;
}

static void
names_clear(struct names *names)
{
	free(names->list);
	free(names->count);
	free(names->slots);
}

/* --------------------------------------------------------------- building */

static uint64_t
mac_number(const struct mac *mac)
{
	uint64_t n = 0;

	for (size_t i = 0; i < MAC_OCTETS; i++)
		n = n << 8 | mac->octet[i];
	return n;
}

static void
add_serial(struct fleet *fleet, const char *serial)
{
	size_t len = strlen(serial) + 1;
	uint32_t at = fleet->serial_at[fleet->count];

	if (at + len > fleet->serial_room) {
		fleet->serial_room += fleet->serial_room / 2 + 65536;
		fleet->serials = xrealloc(fleet->serials, fleet->serial_room);
	}
	for (size_t i = 0; i < len; i++)
		fleet->serials[at + i] = (char)
		    tolower((unsigned char)serial[i]);
	fleet->serial_at[fleet->count + 1] = at + (uint32_t)len;
}

static int
add_device(const struct device *device, void *arg)
{
	struct finder *finder = arg;
	struct fleet *fleet = finder->fleet;
	size_t i = fleet->count;

	fleet->devices[i] = device;
	fleet->macs[i] = mac_number(&device->mac);
	fleet->model[i] = number(&fleet->models, device->model);
	fleet->group[i] = number(&fleet->groups, device->group);
	finder->seen[i].retired = device->state == DEVICE_RETIRED;
	add_serial(fleet, device->serial);
	fleet->count++;
	return 0;
}

static struct fleet *
fleet_new(struct snapshot *snapshot)
{
	size_t room = snapshot_device_count(snapshot) + 1;
	struct fleet *fleet = xcalloc(1, sizeof(*fleet));

	atomic_init(&fleet->references, 1);
	fleet->snapshot = snapshot_retain(snapshot);
	fleet->devices = xcalloc(room, sizeof(*fleet->devices));
	fleet->macs = xcalloc(room, sizeof(*fleet->macs));
	fleet->serial_at = xcalloc(room + 1, sizeof(*fleet->serial_at));
	fleet->model = xcalloc(room, sizeof(*fleet->model));
	fleet->group = xcalloc(room, sizeof(*fleet->group));
	return fleet;
}

static void
fleet_release(struct fleet *fleet)
{
	if (atomic_fetch_sub(&fleet->references, 1) > 1)
		return;
	snapshot_release(fleet->snapshot);
	free(fleet->devices);
	free(fleet->macs);
	free(fleet->serials);
	free(fleet->serial_at);
	free(fleet->model);
	free(fleet->group);
	names_clear(&fleet->models);
	names_clear(&fleet->groups);
	free(fleet);
}

/* The fleet is taken. */
static struct finder *
make(struct fleet *fleet, size_t room)
{
	struct finder *finder = xcalloc(1, sizeof(*finder));

	atomic_init(&finder->references, 1);
	finder->fleet = fleet;
	finder->seen = xcalloc(room, sizeof(*finder->seen));
	(void)pthread_mutex_init(&finder->mutex, NULL);
	return finder;
}

struct finder *
finder_new(struct snapshot *snapshot)
{
	struct finder *finder = make(fleet_new(snapshot),
	    snapshot_device_count(snapshot) + 1);

	(void)snapshot_each(snapshot, add_device, finder);
	return finder;
}

struct finder *
finder_again(const struct finder *before)
{
	struct fleet *fleet = before->fleet;
	struct finder *finder = make(fleet, fleet->count + 1);

	atomic_fetch_add(&fleet->references, 1);
	memcpy(finder->seen, before->seen,
	    fleet->count * sizeof(*finder->seen));
	return finder;
}

struct finder *
finder_retain(struct finder *finder)
{
	atomic_fetch_add(&finder->references, 1);
	return finder;
}

void
finder_release(struct finder *finder)
{
	if (finder == NULL || atomic_fetch_sub(&finder->references, 1) > 1)
		return;
	fleet_release(finder->fleet);
	free(finder->seen);
	free(finder->totals);
	(void)pthread_mutex_destroy(&finder->mutex);
	free(finder);
}

uint64_t
finder_change_number(const struct finder *finder)
{
	return snapshot_change_number(finder->fleet->snapshot);
}

/* ------------------------------------------------------------------- seen */

/* The first device that is not before that address. */
static size_t
find_mac(const struct finder *finder, uint64_t mac)
{
	size_t low = 0, high = finder->fleet->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (finder->fleet->macs[middle] < mac)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct seeing {
	struct finder *finder;
	size_t at; /* rows come by MAC, too */
};

static int
see(const struct resync_summary *summary, void *arg)
{
	struct seeing *seeing = arg;
	struct finder *finder = seeing->finder;
	uint64_t mac = mac_number(&summary->last.mac);
	struct seen *seen;

	if (seeing->at < finder->fleet->count &&
	    finder->fleet->macs[seeing->at] < mac)
		seeing->at++;
	if (seeing->at < finder->fleet->count &&
	    finder->fleet->macs[seeing->at] < mac)
		seeing->at = find_mac(finder, mac);
	if (seeing->at == finder->fleet->count ||
	    finder->fleet->macs[seeing->at] != mac)
		return 0;
	seen = &finder->seen[seeing->at];
	if ((uint32_t)summary->last.at >= seen->last_at) {
		seen->last_at = (uint32_t)summary->last.at;
		seen->status = (uint16_t)summary->last.status;
	}
	if ((uint32_t)summary->profile_at > seen->profile_at)
		seen->profile_at = (uint32_t)summary->profile_at;
	return 0;
}

int
finder_see(struct finder *finder, struct resyncs *resyncs, time_t since,
    struct error *err)
{
	struct seeing seeing = { finder, 0 };

	return resyncs_each_since(resyncs, since, see, &seeing, err);
}

static enum finder_standing
standing_of(const struct seen *seen)
{
	if (seen->status == 0)
		return STANDING_NEVER;
	return seen->status < REFUSED ? STANDING_SERVED : STANDING_FAILING;
}

static const char *const standing_names[] = { "any", "never", "served",
	"failing" };

const char *
finder_standing_name(enum finder_standing standing)
{
	return standing_names[standing];
}

int
finder_standing_parse(const char *text, enum finder_standing *standing)
{
	for (size_t i = STANDING_NEVER; i <= STANDING_FAILING; i++)
		if (strcmp(text, standing_names[i]) == 0) {
			*standing = (enum finder_standing)i;
			return 0;
		}
	return -1;
}

/* -------------------------------------------------------------- searching */

/* A query, prepared: one bit for each name and each serial number. */
struct search {
	const struct finder *finder;
	const struct finder_query *query;
	char text[FINDER_TEXT_MAX + 1]; /* in lower case */
	uint64_t digits;
	unsigned digit_count; /* of a part of a MAC address; 0: it is none */
	bool *model_text, *group_text; /* has the text in it */
	bool *group_in;		       /* is among those that are asked for */
	bool *serial;
};

static void
lower(char *to, size_t size, const char *from)
{
	size_t i;

	for (i = 0; i + 1 < size && from[i] != '\0'; i++)
		to[i] = (char)tolower((unsigned char)from[i]);
	to[i] = '\0';
}

/* Hex digits, with or without separators between them. */
static void
read_digits(struct search *search)
{
	for (const char *p = search->text; *p != '\0'; p++) {
		const char *digits = "0123456789abcdef";
		const char *digit = strchr(digits, *p);

		if (*p == ':' || *p == '-' || *p == '.')
			continue;
		if (digit == NULL || search->digit_count == 2 * MAC_OCTETS) {
			search->digit_count = 0;
			return;
		}
		search->digits = search->digits << 4 |
		    (uint64_t)(digit - digits);
		search->digit_count++;
	}
}

static bool *
match_names(const struct search *search, const struct names *names)
{
	bool *match = xcalloc(names->used + 1, sizeof(*match));
	char name[INVENTORY_NAME_MAX + 1];

	for (uint32_t i = 0; i < names->used; i++) {
		lower(name, sizeof(name), names->list[i]);
		match[i] = strstr(name, search->text) != NULL;
	}
	return match;
}

/* All serial numbers in one run of memory: look through it once. */
static bool *
match_serials(const struct search *search)
{
	const struct finder *finder = search->finder;
	bool *match = xcalloc(finder->fleet->count + 1, sizeof(*match));
	const char *at = finder->fleet->serials, *end, *hit;
	size_t len = strlen(search->text), i = 0;

	if (at == NULL)
		return match;
	end = at + finder->fleet->serial_at[finder->fleet->count];
	while ((hit = memmem(at, (size_t)(end - at), search->text, len)) !=
	    NULL) {
		while (finder->fleet->serials +
			finder->fleet->serial_at[i + 1] <=
		    hit)
			i++;
		match[i] = true;
		at = finder->fleet->serials + finder->fleet->serial_at[i + 1];
	}
	return match;
}

/* Which groups are asked for; NULL: all of them. */
static bool *
match_groups(const struct finder *finder, const char *below, const char *group)
{
	const struct names *groups = &finder->fleet->groups;
	bool *match;

	if (below == NULL && group == NULL)
		return NULL;
	match = xcalloc(groups->used + 1, sizeof(*match));
	for (uint32_t i = 0; i < groups->used; i++)
		match[i] = (below == NULL ||
			       snapshot_group_is_below(finder->fleet->snapshot,
				   groups->list[i], below)) &&
		    (group == NULL ||
			snapshot_group_is_below(finder->fleet->snapshot,
			    groups->list[i], group));
	return match;
}

static void
prepare(struct search *search, const struct finder *finder,
    const struct finder_query *query)
{
	*search = (struct search) { .finder = finder, .query = query };
	search->group_in = match_groups(finder, query->below, query->group);
	if (query->text == NULL || *query->text == '\0')
		return;
	lower(search->text, sizeof(search->text), query->text);
	read_digits(search);
	search->model_text = match_names(search, &finder->fleet->models);
	search->group_text = match_names(search, &finder->fleet->groups);
	search->serial = match_serials(search);
}

static void
search_clear(struct search *search)
{
	free(search->group_in);
	free(search->model_text);
	free(search->group_text);
	free(search->serial);
}

/* The highest bit of each hex digit of an address that is that one; others may
 * be set above it, too. */
static uint64_t
digits_like(uint64_t mac, uint64_t digit)
{
	uint64_t other = mac ^ digit * 0x111111111111U;

	return (other - 0x111111111111U) & ~other & 0x888888888888U;
}

static bool
mac_has(uint64_t mac, uint64_t digits, unsigned count)
{
	uint64_t mask = ((uint64_t)1 << 4 * count) - 1;

	/* Hardly any has the first two behind each other. */
	if (count > 1 &&
	    (digits_like(mac, digits >> 4 * (count - 1) & 15) &
		digits_like(mac, digits >> 4 * (count - 2) & 15) << 4) == 0)
		return false;
	for (unsigned shift = 0; shift <= 48 - 4 * count; shift += 4)
		if ((mac >> shift & mask) == digits)
			return true;
	return false;
}

static bool
has_text(const struct search *search, size_t i)
{
	const struct finder *finder = search->finder;

	return *search->text == '\0' || search->serial[i] ||
	    search->model_text[finder->fleet->model[i]] ||
	    search->group_text[finder->fleet->group[i]] ||
	    (search->digit_count > 0 &&
		mac_has(finder->fleet->macs[i], search->digits,
		    search->digit_count));
}

/* What is cheap first: text is asked for last. */
static bool
matches(const struct search *search, size_t i, uint32_t model)
{
	const struct finder *finder = search->finder;
	const struct finder_query *query = search->query;

	if (search->group_in != NULL &&
	    !search->group_in[finder->fleet->group[i]])
		return false;
	if (query->model != NULL && finder->fleet->model[i] != model)
		return false;
	if (query->standing != STANDING_ANY &&
	    standing_of(&finder->seen[i]) != query->standing)
		return false;
	if (query->state >= 0 &&
	    finder->seen[i].retired != (query->state == DEVICE_RETIRED))
		return false;
	return has_text(search, i);
}

static void
fill(const struct finder *finder, size_t i, struct finder_match *match)
{
	const struct seen *seen = &finder->seen[i];

	*match = (struct finder_match) {
		.device = finder->fleet->devices[i],
		.standing = standing_of(seen),
		.status = seen->status,
		.last_at = seen->last_at,
		.profile_at = seen->profile_at,
	};
}

static uint32_t
find_model(const struct finder *finder, const char *model)
{
	const struct names *models = &finder->fleet->models;

	for (uint32_t i = 0; model != NULL && i < models->used; i++)
		if (strcasecmp(models->list[i], model) == 0)
			return i;
	return UINT32_MAX;
}

size_t
finder_find(const struct finder *finder, const struct finder_query *query,
    struct finder_match *list, size_t *total)
{
	uint64_t after = query->after != NULL ? mac_number(query->after) : 0;
	uint32_t model = find_model(finder, query->model);
	struct search search;
	size_t filled = 0;

	*total = 0;
	prepare(&search, finder, query);
	for (size_t i = 0; i < finder->fleet->count; i++) {
		if (!matches(&search, i, model))
			continue;
		++*total;
		if (filled < query->limit &&
		    (query->after == NULL || finder->fleet->macs[i] > after))
			fill(finder, i, &list[filled++]);
	}
	search_clear(&search);
	return filled;
}

bool
finder_get(const struct finder *finder, const struct mac *mac,
    struct finder_match *match)
{
	uint64_t n = mac_number(mac);
	size_t i = find_mac(finder, n);

	if (i == finder->fleet->count || finder->fleet->macs[i] != n)
		return false;
	fill(finder, i, match);
	return true;
}

/* --------------------------------------------------------------- counting */

/* All devices are looked at once, not with every question. */
static struct finder_totals *
count_groups(const struct finder *finder, time_t since)
{
	const struct fleet *fleet = finder->fleet;
	struct finder_totals *list = xcalloc(fleet->groups.used + 1,
	    sizeof(*list));

	for (size_t i = 0; i < fleet->count; i++) {
		const struct seen *seen = &finder->seen[i];
		struct finder_totals *totals = &list[fleet->group[i]];
		enum finder_standing standing = standing_of(seen);

		totals->devices++;
		if (seen->retired) {
			totals->retired++;
			continue;
		}
		totals->never += standing == STANDING_NEVER;
		totals->served += standing == STANDING_SERVED;
		totals->failing += standing == STANDING_FAILING;
		totals->today += seen->profile_at > 0 &&
		    (time_t)seen->profile_at >= since;
	}
	return list;
}

static void
add_totals(struct finder_totals *sum, const struct finder_totals *more)
{
	sum->devices += more->devices;
	sum->retired += more->retired;
	sum->never += more->never;
	sum->served += more->served;
	sum->failing += more->failing;
	sum->today += more->today;
}

void
finder_totals(struct finder *finder, const char *below, time_t since,
    struct finder_totals *totals)
{
	bool *in = match_groups(finder, below, NULL);

	*totals = (struct finder_totals) { 0 };
	(void)pthread_mutex_lock(&finder->mutex);
	if (finder->totals == NULL || finder->totals_since != since) {
		free(finder->totals);
		finder->totals = count_groups(finder, since);
		finder->totals_since = since;
	}
	for (uint32_t i = 0; i < finder->fleet->groups.used; i++)
		if (in == NULL || in[i])
			add_totals(totals, &finder->totals[i]);
	(void)pthread_mutex_unlock(&finder->mutex);
	free(in);
}

void
finder_each_group(const struct finder *finder, finder_visit_name *visit,
    void *arg)
{
	for (uint32_t i = 0; i < finder->fleet->groups.used; i++)
		visit(finder->fleet->groups.list[i],
		    finder->fleet->groups.count[i], arg);
}

void
finder_each_model(const struct finder *finder, const char *below,
    finder_visit_name *visit, void *arg)
{
	bool *in = match_groups(finder, below, NULL);
	size_t *counts = xcalloc(finder->fleet->models.used + 1,
	    sizeof(*counts));

	for (size_t i = 0; i < finder->fleet->count; i++)
		counts[finder->fleet->model[i]] += in == NULL ||
		    in[finder->fleet->group[i]];
	for (uint32_t i = 0; i < finder->fleet->models.used; i++)
		if (counts[i] > 0)
			visit(finder->fleet->models.list[i], counts[i], arg);
	free(counts);
	free(in);
}
