/*
 * How long it takes to find a device in a snapshot and to render its profile,
 * in CPU time of one thread; and what the snapshot and a refresh cost.
 *
 *	lookup INVENTORY-URI [PROFILES]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "inventory/inventory.h"
#include "inventory/snapshot.h"
#include "provision/render.h"
#include "provision/starter.h"
#include "provision/template.h"

#define PROFILES 20000

static uint64_t
cpu_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int
compare(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

struct macs {
	struct mac *list;
	size_t count;
};

static int
collect(const struct device *device, void *arg)
{
	struct macs *macs = arg;

	if ((macs->count & (macs->count - 1)) == 0)
		macs->list = xrealloc(macs->list,
		    (2 * macs->count + 1) * sizeof(*macs->list));
	macs->list[macs->count++] = device->mac;
	return 0;
}

static int
measure(const struct snapshot *snapshot, const struct macs *macs, size_t count,
    struct error *err)
{
	struct templates *templates = templates_new();
	uint64_t *times = xcalloc(count, sizeof(*times));
	uint64_t random = 1;
	struct buf profile;
	size_t bytes = 0;
	int rc = starters_add(templates, err);

	buf_init(&profile, 1024 * 1024);
	for (size_t i = 0; i < count && rc == 0; i++) {
		const struct device *device;
		uint64_t start;

		random = random * 6364136223846793005 + 1442695040888963407;
		start = cpu_ns();
		device = snapshot_find(snapshot,
		    &macs->list[(random >> 33) % macs->count]);
		rc = render_profile(templates, snapshot, device, &profile, err);
		times[i] = cpu_ns() - start;
		bytes += profile.len;
		buf_clear(&profile);
	}
	qsort(times, count, sizeof(*times), compare);
	if (rc == 0)
		(void)printf("lookup and render      %8.1f us (median), %.1f "
			     "us (99 %%), %zu bytes each\n",
		    (double)times[count / 2] / 1000,
		    (double)times[count * 99 / 100] / 1000, bytes / count);
	free(times);
	templates_free(templates);
	return rc;
}

int
main(int argc, char **argv)
{
	struct error err = { 0 };
	struct macs macs = { 0 };
	struct inventory *inventory;
	struct snapshot *snapshot;
	int rc = 1;

	if (argc < 2)
		return 2;
	inventory = inventory_open(argv[1], true, &err);
	snapshot = inventory != NULL ? snapshot_load(inventory, &err) : NULL;
	if (snapshot != NULL &&
	    inventory_each_device(inventory, collect, &macs, &err) == 0 &&
	    macs.count > 0 &&
	    measure(snapshot, &macs,
		argc > 2 ? strtoul(argv[2], NULL, 10) : PROFILES, &err) == 0)
		rc = 0;
	if (err.kind != ERROR_NONE)
		(void)fprintf(stderr, "lookup: %s\n", err.text);
	free(macs.list);
	snapshot_release(snapshot);
	inventory_close(inventory);
	return rc;
}
