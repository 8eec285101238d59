#include "provision/plan_macs.h"
#include "base/mac.h"
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>

#define SIZE_MIN 1024 /* a power of two, as all sizes */

/* Open addressing: a table of its own, because a node for each address in a
 * general hash table takes five times as much. */
struct plan_macs {
	uint64_t *keys;	 /* 0: free; the address plus one */
	uint32_t *lines; /* as keys; the largest for all that are beyond */
	size_t size, count;
};

struct plan_macs *
plan_macs_new(void)
{
	struct plan_macs *macs = xcalloc(1, sizeof(*macs));

	macs->size = SIZE_MIN;
	macs->keys = xcalloc(macs->size, sizeof(*macs->keys));
	macs->lines = xcalloc(macs->size, sizeof(*macs->lines));
	return macs;
}

void
plan_macs_free(struct plan_macs *macs)
{
	if (macs == NULL)
		return;
	free(macs->keys);
	free(macs->lines);
	free(macs);
}

/* Where key is, or may be put.  Addresses of one maker count up, so the bits
 * are stirred (by the fraction of the golden ratio). */
static size_t
find_slot(const struct plan_macs *macs, uint64_t key)
{
	size_t slot = (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 24) &
	    (macs->size - 1);

	while (macs->keys[slot] != 0 && macs->keys[slot] != key)
		slot = (slot + 1) & (macs->size - 1);
	return slot;
}

static void
grow(struct plan_macs *macs)
{
	struct plan_macs larger = { .size = 2 * macs->size,
		.count = macs->count };

	larger.keys = xcalloc(larger.size, sizeof(*larger.keys));
	larger.lines = xcalloc(larger.size, sizeof(*larger.lines));
	for (size_t i = 0; i < macs->size; i++) {
		size_t slot;

		if (macs->keys[i] == 0)
			continue;
		slot = find_slot(&larger, macs->keys[i]);
		larger.keys[slot] = macs->keys[i];
		larger.lines[slot] = macs->lines[i];
	}
	free(macs->keys);
	free(macs->lines);
	*macs = larger;
}

size_t
plan_macs_add(struct plan_macs *macs, const struct mac *mac, size_t line)
{
	uint64_t key = 0;
	size_t slot;

	for (size_t i = 0; i < MAC_OCTETS; i++)
		key = key << 8 | mac->octet[i];
	key++;
	slot = find_slot(macs, key);
	if (macs->keys[slot] != 0)
		return macs->lines[slot];
	macs->keys[slot] = key;
	macs->lines[slot] = line < UINT32_MAX ? (uint32_t)line : UINT32_MAX;
	if (++macs->count > macs->size / 4 * 3)
		grow(macs);
	return 0;
}
