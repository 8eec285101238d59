#include "admin/report.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

int
report_run(const char *const *argv, char **text, size_t *len, int *status,
    char *complaint, size_t complaint_size, struct error *err)
{
	struct child_result result;
	size_t count = 0;
	char **list;
	int rc;

	while (argv[count] != NULL)
		count++;
	list = xcalloc(count + 2, sizeof(*list));
	list[0] = xstrdup("sprov");
	for (size_t i = 0; i < count; i++)
		list[i + 1] = xstrdup(argv[i]);
	rc = child_run(&(const struct child) { .path = "/proc/self/exe",
			   .argv = list,
			   .environment = environ,
			   .output_max = REPORT_MAX,
			   .timeout_ms = REPORT_TIMEOUT_MS,
			   .cancel_fd = -1 },
	    &result, err);
	if (rc == 0) {
		(void)snprintf(complaint, complaint_size, "%s",
		    result.complaint);
		*text = result.output;
		*len = result.output_len;
		*status = result.status;
	} else {
		(void)error_prefix(err, "the report: ");
	}
	for (size_t i = 0; i <= count; i++)
		free(list[i]);
	free(list);
	return rc;
}

/* ------------------------------------------------------------------ cache */

#define CACHE_REPORTS 16
#define CACHE_TEXT_MAX (4 * 1024 * 1024)
#define CACHE_MS_MIN 2000
#define CACHE_MS_MAX 300000
#define CACHE_FACTOR 50

struct report_cache {
	pthread_mutex_t mutex;
	struct cached {
		char *key, *text;
		size_t len;
		uint64_t until_ms;
	} list[CACHE_REPORTS];
};

struct report_cache *
report_cache_new(void)
{
	struct report_cache *cache = xcalloc(1, sizeof(*cache));

	(void)pthread_mutex_init(&cache->mutex, NULL);
	return cache;
}

void
report_cache_free(struct report_cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < CACHE_REPORTS; i++) {
		free(cache->list[i].key);
		free(cache->list[i].text);
	}
	(void)pthread_mutex_destroy(&cache->mutex);
	free(cache);
}

char *
report_cache_get(struct report_cache *cache, const char *key, size_t *len)
{
	uint64_t now = clock_monotonic_ms();
	char *text = NULL;

	(void)pthread_mutex_lock(&cache->mutex);
	for (size_t i = 0; i < CACHE_REPORTS; i++) {
		const struct cached *one = &cache->list[i];

		if (one->key == NULL || now >= one->until_ms ||
		    strcmp(one->key, key) != 0)
			continue;
		text = xmalloc(one->len + 1);
		memcpy(text, one->text, one->len + 1);
		*len = one->len;
		break;
	}
	(void)pthread_mutex_unlock(&cache->mutex);
	return text;
}

/* The place of the one that ends first, or has ended. */
void
report_cache_put(struct report_cache *cache, const char *key, const char *text,
    size_t len, unsigned took_ms)
{
	unsigned good_ms = CACHE_FACTOR * took_ms;
	struct cached *place = &cache->list[0];

	if (len > CACHE_TEXT_MAX)
		return;
	if (good_ms < CACHE_MS_MIN)
		good_ms = CACHE_MS_MIN;
	if (good_ms > CACHE_MS_MAX)
		good_ms = CACHE_MS_MAX;
	(void)pthread_mutex_lock(&cache->mutex);
	for (size_t i = 0; i < CACHE_REPORTS; i++)
		if (cache->list[i].until_ms < place->until_ms)
			place = &cache->list[i];
	free(place->key);
	free(place->text);
	place->key = xstrdup(key);
	place->text = xmalloc(len + 1);
	memcpy(place->text, text, len);
	place->text[len] = '\0';
	place->len = len;
	place->until_ms = clock_monotonic_ms() + good_ms;
	(void)pthread_mutex_unlock(&cache->mutex);
}
