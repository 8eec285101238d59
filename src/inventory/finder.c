#include "inventory/finder.h"
#include "base/mem.h"
#include "inventory/finder_parts.h"
#include "inventory/resyncs.h"
#include "inventory/snapshot.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define REFUSED 400 /* an HTTP status from here on is a refusal */

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
grow(struct finder_names *names)
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
find_slot(const struct finder_names *names, const char *name)
{
	size_t at = hash(name) & (names->slot_count - 1);

	while (names->slots[at] != 0 &&
	    strcmp(names->list[names->slots[at] - 1], name) != 0)
		at = (at + 1) & (names->slot_count - 1);
	return at;
}

static uint32_t
number(struct finder_names *names, const char *name)
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
names_clear(struct finder_names *names)
{
	free(names->list);
	free(names->count);
	free(names->slots);
}

/* --------------------------------------------------------------- building */

uint64_t
finder_mac_number(const struct mac *mac)
{
	uint64_t n = 0;

	for (size_t i = 0; i < MAC_OCTETS; i++)
		n = n << 8 | mac->octet[i];
	return n;
}

static void
add_serial(struct finder_fleet *fleet, const char *serial)
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
	struct finder_fleet *fleet = finder->fleet;
	size_t i = fleet->count;

	fleet->devices[i] = device;
	fleet->macs[i] = finder_mac_number(&device->mac);
	fleet->model[i] = number(&fleet->models, device->model);
	fleet->group[i] = number(&fleet->groups, device->group);
	finder->seen[i].retired = device->state == DEVICE_RETIRED;
	add_serial(fleet, device->serial);
	fleet->count++;
	return 0;
}

static struct finder_fleet *
fleet_new(struct snapshot *snapshot)
{
	size_t room = snapshot_device_count(snapshot) + 1;
	struct finder_fleet *fleet = xcalloc(1, sizeof(*fleet));

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
fleet_release(struct finder_fleet *fleet)
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
make(struct finder_fleet *fleet, size_t room)
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
	struct finder_fleet *fleet = before->fleet;
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

size_t
finder_find_mac(const struct finder *finder, uint64_t mac)
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
	uint64_t mac = finder_mac_number(&summary->last.mac);
	struct finder_seen *seen;

	if (seeing->at < finder->fleet->count &&
	    finder->fleet->macs[seeing->at] < mac)
		seeing->at++;
	if (seeing->at < finder->fleet->count &&
	    finder->fleet->macs[seeing->at] < mac)
		seeing->at = finder_find_mac(finder, mac);
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

enum finder_standing
finder_standing_of(const struct finder_seen *seen)
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

/* --------------------------------------------------------------- counting */

/* All devices are looked at once, not with every question. */
static struct finder_totals *
count_groups(const struct finder *finder, time_t since)
{
	const struct finder_fleet *fleet = finder->fleet;
	struct finder_totals *list = xcalloc(fleet->groups.used + 1,
	    sizeof(*list));

	for (size_t i = 0; i < fleet->count; i++) {
		const struct finder_seen *seen = &finder->seen[i];
		struct finder_totals *totals = &list[fleet->group[i]];
		enum finder_standing standing = finder_standing_of(seen);

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
	bool *in = finder_groups_in(finder, below, NULL);

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
	bool *in = finder_groups_in(finder, below, NULL);
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
