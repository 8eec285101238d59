#include "inventory/seen.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"

struct entry {
	uint64_t mac;
	size_t line; /* 0: free */
};

/* Open addressing; at most half full. */
struct seen {
	struct entry *entries;
	size_t size, count; /* size is a power of two */
};

struct seen *
seen_new(void)
{
	struct seen *seen = xcalloc(1, sizeof(*seen));

	seen->size = 1024;
	seen->entries = xcalloc(seen->size, sizeof(*seen->entries));
	return seen;
}

void
seen_free(struct seen *seen)
{
	if (seen == NULL)
		return;
	free(seen->entries);
	free(seen);
}

/* Where the address is, or would be. */
static struct entry *
find(const struct seen *seen, uint64_t mac)
{
	/* Fibonacci hashing: neighbours, as fleets have them, are spread. */
	size_t i = (size_t)(mac * 0x9e3779b97f4a7c15 >> 20);

	for (;; i++) {
		struct entry *entry = &seen->entries[i & (seen->size - 1)];

		if (entry->line == 0 || entry->mac == mac)
			return entry;
	}
}

static void
grow(struct seen *seen)
{
	struct seen larger = { NULL, 2 * seen->size, seen->count };

	larger.entries = xcalloc(larger.size, sizeof(*larger.entries));
	for (size_t i = 0; i < seen->size; i++)
		if (seen->entries[i].line != 0)
			*find(&larger, seen->entries[i].mac) = seen->entries[i];
	free(seen->entries);
	*seen = larger;
}

size_t
seen_note(struct seen *seen, const struct mac *mac, size_t line)
{
	uint64_t number = 0;
	struct entry *entry;

	for (size_t i = 0; i < MAC_OCTETS; i++)
		number = number << 8 | mac->octet[i];
	entry = find(seen, number);
	if (entry->line != 0)
		return entry->line;
	*entry = (struct entry) { number, line };
	if (2 * ++seen->count > seen->size)
		grow(seen);
	return 0;
}
