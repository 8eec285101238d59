#include "server/visits.h"
#include "base/addr.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct visits {
	pthread_mutex_t mutex;
	atomic_size_t count; /* ever added, since the end of the last ones */
	struct addr list[VISITS_MAX];
};

struct visits *
visits_new(void)
{
	struct visits *visits = xcalloc(1, sizeof(*visits));

	(void)pthread_mutex_init(&visits->mutex, NULL);
	atomic_init(&visits->count, 0);
	return visits;
}

void
visits_free(struct visits *visits)
{
	if (visits == NULL)
		return;
	(void)pthread_mutex_destroy(&visits->mutex);
	free(visits);
}

void
visits_add(struct visits *visits, const struct addr *source)
{
	size_t count;

	(void)pthread_mutex_lock(&visits->mutex);
	count = atomic_load(&visits->count);
	visits->list[count % VISITS_MAX] = *source;
	atomic_store(&visits->count, count + 1);
	(void)pthread_mutex_unlock(&visits->mutex);
}

void
visits_end(struct visits *visits)
{
	(void)pthread_mutex_lock(&visits->mutex);
	atomic_store(&visits->count, 0);
	(void)pthread_mutex_unlock(&visits->mutex);
}

bool
visits_have(struct visits *visits, const struct addr *source)
{
	bool found = false;
	size_t count;

	if (visits == NULL || atomic_load(&visits->count) == 0)
		return false;
	(void)pthread_mutex_lock(&visits->mutex);
	count = atomic_load(&visits->count);
	for (size_t i = 0; !found && i < count && i < VISITS_MAX; i++)
		found = addr_equal(&visits->list[i], source);
	(void)pthread_mutex_unlock(&visits->mutex);
	return found;
}
