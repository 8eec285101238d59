#include "base/mem.h"
#include "inventory/finder.h"
#include "inventory/finder_parts.h"
#include "inventory/snapshot.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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
match_names(const struct search *search, const struct finder_names *names)
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

bool *
finder_groups_in(const struct finder *finder, const char *below,
    const char *group)
{
	const struct finder_names *groups = &finder->fleet->groups;
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
	search->group_in = finder_groups_in(finder, query->below, query->group);
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
	    finder_standing_of(&finder->seen[i]) != query->standing)
		return false;
	if (query->state >= 0 &&
	    finder->seen[i].retired != (query->state == DEVICE_RETIRED))
		return false;
	return has_text(search, i);
}

static void
fill(const struct finder *finder, size_t i, struct finder_match *match)
{
	const struct finder_seen *seen = &finder->seen[i];

	*match = (struct finder_match) {
		.device = finder->fleet->devices[i],
		.standing = finder_standing_of(seen),
		.status = seen->status,
		.last_at = seen->last_at,
		.profile_at = seen->profile_at,
	};
}

static uint32_t
find_model(const struct finder *finder, const char *model)
{
	const struct finder_names *models = &finder->fleet->models;

	for (uint32_t i = 0; model != NULL && i < models->used; i++)
		if (strcasecmp(models->list[i], model) == 0)
			return i;
	return UINT32_MAX;
}

size_t
finder_find(const struct finder *finder, const struct finder_query *query,
    struct finder_match *list, size_t *total)
{
	uint64_t after = query->after != NULL ?
	    finder_mac_number(query->after) :
	    0;
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
	uint64_t n = finder_mac_number(mac);
	size_t i = finder_find_mac(finder, n);

	if (i == finder->fleet->count || finder->fleet->macs[i] != n)
		return false;
	fill(finder, i, match);
	return true;
}
