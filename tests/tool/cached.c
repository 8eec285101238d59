/*
 * What a profile costs, in CPU time of one thread: rendered, packed, and out of
 * the server's cache, where the device is looked up and the bytes are copied.
 *
 *	cached INVENTORY-URI TEMPLATE
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "inventory/inventory.h"
#include "inventory/snapshot.h"
#include "provision/render.h"
#include "provision/template.h"
#include "server/profile_cache.h"
#include "spa/profile.h"
#include "spa/protection.h"

#define PROFILES 4000
#define ROUNDS 2000
#define BATCH 16 /* of what takes about as long as to ask for the time */
#define KEY "abcdefghijklmnopqrstuvwxyz012345"

struct bench {
	struct templates *templates;
	struct snapshot *snapshot;
	struct profile_cache *cache;
	struct mac macs[PROFILES];
	size_t count;
	uint64_t random;
	uint64_t render[PROFILES], pack[PROFILES], cached[ROUNDS];
	size_t clear_bytes, packed_bytes;
};

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

static double
median_us(uint64_t *list, size_t count)
{
	qsort(list, count, sizeof(*list), compare);
	return (double)list[count / 2] / 1000;
}

/* Spread over all devices. */
static int
collect(const struct device *device, void *arg)
{
	struct bench *bench = arg;
	size_t step = snapshot_device_count(bench->snapshot) / PROFILES + 1;

	if (bench->count < PROFILES * step && bench->count % step == 0)
		bench->macs[bench->count / step] = device->mac;
	bench->count++;
	return 0;
}

static struct profile_cache_name
name_of(const struct mac *mac, const struct protection *protection)
{
	struct profile_cache_name name;

	memset(&name, 0, sizeof(name)); /* padding counts */
	name.change = 1;
	name.mac = *mac;
	name.cipher = (uint32_t)protection->cipher;
	return name;
}

static int
make_one(struct bench *bench, size_t i, const struct protection *protection,
    struct error *err)
{
	static const uint8_t random[PROTECTION_RANDOM_BYTES] = { 1 };
	struct profile_cache_name name = name_of(&bench->macs[i], protection);
	struct buf text, packed;
	uint64_t start = cpu_ns();
	int rc;

	buf_init(&text, PROFILE_BYTES_MAX);
	buf_init(&packed, 2 * PROFILE_BYTES_MAX);
	rc = render_profile(bench->templates, bench->snapshot,
	    snapshot_find(bench->snapshot, &bench->macs[i]), &text, err);
	bench->render[i] = cpu_ns() - start;
	if (rc == 0)
		rc = protection_encode(protection, KEY, "0123456789abcdef",
		    random, buf_text(&text), text.len, &packed, err);
	bench->pack[i] = cpu_ns() - start - bench->render[i];
	if (rc == 0)
		profile_cache_put(bench->cache, &name, buf_text(&packed),
		    packed.len, &(struct profile_cache_note) { false, { 0 } });
	bench->clear_bytes += text.len;
	bench->packed_bytes += packed.len;
	buf_clear(&packed);
	buf_clear(&text);
	return rc;
}

static int
get_one(struct bench *bench, const struct protection *protection)
{
	struct profile_cache_name name;
	const struct device *device;
	struct buf body;
	struct profile_cache_note note;
	bool found;

	bench->random = bench->random * 6364136223846793005 +
	    1442695040888963407;
	device = snapshot_find(bench->snapshot,
	    &bench->macs[(bench->random >> 33) % bench->count]);
	name = name_of(&device->mac, protection);
	buf_init(&body, 2 * PROFILE_BYTES_MAX);
	found = profile_cache_get(bench->cache, &name, &body, &note);
	buf_clear(&body);
	return found ? 0 : -1;
}

static int
measure(struct bench *bench, const char *how, struct error *err)
{
	struct protection protection;
	int rc = protection_parse(how, &protection, err);

	bench->clear_bytes = bench->packed_bytes = 0;
	for (size_t i = 0; rc == 0 && i < bench->count; i++)
		rc = make_one(bench, i, &protection, err);
	for (size_t i = 0; rc == 0 && i < ROUNDS; i++) {
		uint64_t start = cpu_ns();

		for (size_t k = 0; rc == 0 && k < BATCH; k++)
			if (get_one(bench, &protection) != 0)
				rc = error_set(err, ERROR_SYSTEM,
				    "it was not in the cache");
		bench->cached[i] = (cpu_ns() - start) / BATCH;
	}
	if (rc == 0)
		(void)printf("%-16s %7zu %7zu %9.1f %9.1f %9.2f\n", how,
		    bench->clear_bytes / bench->count,
		    bench->packed_bytes / bench->count,
		    median_us(bench->render, bench->count),
		    median_us(bench->pack, bench->count),
		    median_us(bench->cached, ROUNDS));
	return rc;
}

static int
load(struct bench *bench, const char *uri, const char *path, struct error *err)
{
	struct inventory *inventory = inventory_open(uri, true, err);
	char *text = NULL;
	size_t len;
	int rc = -1;

	if (inventory == NULL ||
	    (bench->snapshot = snapshot_load(inventory, err)) == NULL ||
	    file_read(path, TEMPLATE_TEXT_MAX, &text, &len, err) != 0)
		goto out;
	bench->templates = templates_new();
	rc = templates_add(bench->templates, RENDER_DEFAULT_TEMPLATE, text, len,
	    err);
	(void)snapshot_each(bench->snapshot, collect, bench);
	if (rc == 0 && bench->count == 0)
		rc = error_set(err, ERROR_NOT_FOUND, "no devices");
	bench->count /= snapshot_device_count(bench->snapshot) / PROFILES + 1;
out:
	free(text);
	inventory_close(inventory);
	return rc;
}

int
main(int argc, char **argv)
{
	static const char *const hows[] = { "none", "gzip", "aes", "gzip+aes",
		"gzip+aes128gcm" };
	struct bench *bench = xcalloc(1, sizeof(*bench));
	struct error err = { 0 };
	int rc;

	if (argc != 3) {
		free(bench);
		return 2;
	}
	bench->cache = profile_cache_new(1024 * 1024 * 1024);
	rc = load(bench, argv[1], argv[2], &err);
	if (rc == 0)
		(void)printf("%-16s %7s %7s %9s %9s %9s\n", "CPU us, median",
		    "bytes", "packed", "render", "pack", "cached");
	for (size_t i = 0; rc == 0 && i < sizeof(hows) / sizeof(*hows); i++)
		rc = measure(bench, hows[i], &err);
	if (rc != 0)
		(void)fprintf(stderr, "cached: %s\n", err.text);
	templates_free(bench->templates);
	snapshot_release(bench->snapshot);
	profile_cache_free(bench->cache);
	free(bench);
	return rc == 0 ? 0 : 1;
}
