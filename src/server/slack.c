#include "server/slack.h"
#include "server/worker.h"

#include <malloc.h>

/* Fewer connections leave nothing that is worth the time. */
#define STORM 500
/* It has passed when no more than this part of them is left. */
#define PASSED 8

void
slack_look(struct slack *slack, struct worker *const *workers,
    size_t worker_count)
{
	size_t now = 0;

	for (size_t i = 0; i < worker_count; i++)
		now += worker_connection_count(workers[i]);
	if (now > slack->peak)
		slack->peak = now;
	if (slack->peak < STORM || now > slack->peak / PASSED)
		return;
	slack->peak = now;
	(void)malloc_trim(0);
}
