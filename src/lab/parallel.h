/*
 * parallel.h -- many small pieces of work on a few threads.
 */
#ifndef LAB_PARALLEL_H
#define LAB_PARALLEL_H

#include <stddef.h>

struct parallel {
	size_t count;			       /* pieces, numbered from 0 */
	void (*work)(void *arg, size_t index); /* from any thread */
	/* Now and then and at the end, one call at a time; may be NULL. */
	void (*progress)(void *arg, size_t done, size_t total);
	void *arg;
};

/* Do all pieces on that many threads (at least 1); returns when done. */
void parallel_run(const struct parallel *parallel, size_t threads);

#endif
