#include "server/key_turn.h"
#include "base/mem.h"
#include "tls/key_batch.h"

#include <pthread.h>
#include <stdlib.h>

/* How long one that is not full waits for others: a fraction of what any
 * device's own part of a handshake takes. */
#define WAIT_MS 2

struct key_turn {
	struct key_batch *batch;
	uv_prepare_t prepare; /* always */
	uv_timer_t timer;     /* while something waits */
	uv_async_t async;     /* ends the loop's sleep */
	unsigned open_handles;
	pthread_mutex_t lock; /* of the list */
	struct key_waiter *first, **last;
};

static _Thread_local struct key_turn *of_this_thread;

/* ------------------------------------------------------------------- waking */

void
key_turn_wake(void *arg)
{
	struct key_waiter *waiter = arg;
	struct key_turn *turn = waiter->turn;
	bool is_first;

	(void)pthread_mutex_lock(&turn->lock);
	is_first = turn->first == NULL;
	if (!waiter->is_woken) {
		waiter->is_woken = true;
		waiter->next = NULL;
		*turn->last = waiter;
		turn->last = &waiter->next;
	}
	(void)pthread_mutex_unlock(&turn->lock);
	/* Before the loop sleeps it looks by itself. */
	if (is_first && turn != of_this_thread)
		(void)uv_async_send(&turn->async);
}

static struct key_waiter *
take_first(struct key_turn *turn)
{
	struct key_waiter *waiter;

	(void)pthread_mutex_lock(&turn->lock);
	waiter = turn->first;
	if (waiter != NULL) {
		turn->first = waiter->next;
		if (turn->first == NULL)
			turn->last = &turn->first;
		waiter->is_woken = false;
	}
	(void)pthread_mutex_unlock(&turn->lock);
	return waiter;
}

void
key_turn_forget(struct key_waiter *waiter)
{
	struct key_turn *turn = waiter->turn;
	struct key_waiter **at = &turn->first;

	(void)pthread_mutex_lock(&turn->lock);
	while (*at != NULL && *at != waiter)
		at = &(*at)->next;
	if (*at != NULL) {
		*at = waiter->next;
		if (*at == NULL)
			turn->last = at;
		waiter->is_woken = false;
	}
	(void)pthread_mutex_unlock(&turn->lock);
}

static void
tell_woken(struct key_turn *turn)
{
	struct key_waiter *waiter;

	while ((waiter = take_first(turn)) != NULL)
		waiter->ready(waiter);
}

static void
on_async(uv_async_t *async)
{
	(void)async; /* on_prepare() follows */
}

/* ------------------------------------------------------------------ batches */

static void
on_timer(uv_timer_t *timer)
{
	struct key_turn *turn = timer->data;

	while (key_batch_waiting(turn->batch) > 0)
		key_batch_run(turn->batch);
	/* on_prepare() follows */
}

static void
on_prepare(uv_prepare_t *prepare)
{
	struct key_turn *turn = prepare->data;

	tell_woken(turn);
	while (key_batch_waiting(turn->batch) >= KEY_BATCH_FULL) {
		key_batch_run(turn->batch);
		tell_woken(turn);
	}
	if (key_batch_waiting(turn->batch) == 0)
		(void)uv_timer_stop(&turn->timer);
	else if (!uv_is_active((uv_handle_t *)&turn->timer))
		(void)uv_timer_start(&turn->timer, on_timer, WAIT_MS, 0);
}

/* --------------------------------------------------------------------- life */

struct key_turn *
key_turn_open(uv_loop_t *loop)
{
	struct key_turn *turn = xcalloc(1, sizeof(*turn));

	turn->batch = key_batch_new();
	turn->last = &turn->first;
	(void)pthread_mutex_init(&turn->lock, NULL);
	/* The first two cannot fail; the last needs a descriptor for the first
	 * one of a loop, and a worker's has one. */
	(void)uv_prepare_init(loop, &turn->prepare);
	(void)uv_timer_init(loop, &turn->timer);
	if (uv_async_init(loop, &turn->async, on_async) != 0)
		abort(); /* as xcalloc */
	turn->prepare.data = turn->timer.data = turn->async.data = turn;
	turn->open_handles = 3;
	(void)uv_prepare_start(&turn->prepare, on_prepare);
	return turn;
}

void
key_turn_use(struct key_turn *turn)
{
	of_this_thread = turn;
	key_batch_use(turn->batch);
}

static void
on_closed(uv_handle_t *handle)
{
	struct key_turn *turn = handle->data;

	if (--turn->open_handles > 0)
		return;
	(void)pthread_mutex_destroy(&turn->lock);
	key_batch_free(turn->batch);
	free(turn);
}

void
key_turn_close(struct key_turn *turn)
{
	uv_close((uv_handle_t *)&turn->prepare, on_closed);
	uv_close((uv_handle_t *)&turn->timer, on_closed);
	uv_close((uv_handle_t *)&turn->async, on_closed);
}
