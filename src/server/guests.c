#include "server/guests.h"

#include <assert.h>

static int
prepare(void *arg, struct service *service, struct errors *errors)
{
	struct guests *guests = arg;

	for (size_t i = 0; i < guests->count; i++)
		if (guests->list[i]->prepare(guests->list[i]->arg, service,
			errors) != 0)
			return -1;
	return 0;
}

static int
start(void *arg, const struct guest_view *view, struct error *err)
{
	struct guests *guests = arg;

	for (size_t i = 0; i < guests->count; i++)
		if (guests->list[i]->start(guests->list[i]->arg, view, err) !=
		    0)
			return -1;
	return 0;
}

static void
use(void *arg, struct service *service)
{
	struct guests *guests = arg;

	for (size_t i = 0; i < guests->count; i++)
		guests->list[i]->use(guests->list[i]->arg, service);
}

static void
update(void *arg, struct snapshot *snapshot)
{
	struct guests *guests = arg;

	for (size_t i = 0; i < guests->count; i++)
		guests->list[i]->update(guests->list[i]->arg, snapshot);
}

static void
stop(void *arg)
{
	struct guests *guests = arg;

	for (size_t i = guests->count; i > 0; i--)
		guests->list[i - 1]->stop(guests->list[i - 1]->arg);
}

void
guests_init(struct guests *guests, const struct guest *const *list,
    size_t count)
{
	assert(count <= GUESTS_MAX);
	*guests = (struct guests) { .guest = { guests, prepare, start, use,
					update, stop } };
	for (size_t i = 0; i < count; i++)
		if (list[i] != NULL)
			guests->list[guests->count++] = list[i];
}
