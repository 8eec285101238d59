#include "lab/parallel.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>

struct run {
	const struct parallel *parallel;
	pthread_mutex_t mutex;
	size_t next, done;
};

static void *
run_thread(void *arg)
{
	struct run *run = arg;
	const struct parallel *parallel = run->parallel;

	(void)pthread_mutex_lock(&run->mutex);
	while (run->next < parallel->count) {
		size_t index = run->next++;

		(void)pthread_mutex_unlock(&run->mutex);
		parallel->work(parallel->arg, index);
		(void)pthread_mutex_lock(&run->mutex);
		run->done++;
		if (parallel->progress != NULL)
			parallel->progress(parallel->arg, run->done,
			    parallel->count);
	}
	(void)pthread_mutex_unlock(&run->mutex);
	return NULL;
}

void
parallel_run(const struct parallel *parallel, size_t threads)
{
	struct run run = { .parallel = parallel };
	pthread_t *others = xcalloc(threads, sizeof(*others));
	size_t started = 0;

	(void)pthread_mutex_init(&run.mutex, NULL);
	/* Fewer threads than asked for only make it slower. */
	while (started + 1 < threads &&
	    pthread_create(&others[started], NULL, run_thread, &run) == 0)
		started++;
	(void)run_thread(&run);
	for (size_t i = 0; i < started; i++)
		(void)pthread_join(others[i], NULL);
	(void)pthread_mutex_destroy(&run.mutex);
	free(others);
}
