#include "server/key_turn.h"
#include "base/mem.h"
#include "tls/key_batch.h"

#include <stdlib.h>

/* How long one that is not full waits for others: a fraction of what any
 * device's own part of a handshake takes. */
#define WAIT_MS 2

struct key_turn {
	struct key_batch *batch;
	uv_prepare_t prepare; /* always */
	uv_timer_t timer;     /* while something waits */
	unsigned open_handles;
};

static void
on_timer(uv_timer_t *timer)
{
	struct key_turn *turn = timer->data;

	while (key_batch_waiting(turn->batch) > 0)
		key_batch_run(turn->batch);
}

static void
on_prepare(uv_prepare_t *prepare)
{
	struct key_turn *turn = prepare->data;

	while (key_batch_waiting(turn->batch) >= KEY_BATCH_FULL)
		key_batch_run(turn->batch);
	if (key_batch_waiting(turn->batch) == 0)
		(void)uv_timer_stop(&turn->timer);
	else if (!uv_is_active((uv_handle_t *)&turn->timer))
		(void)uv_timer_start(&turn->timer, on_timer, WAIT_MS, 0);
}

struct key_turn *
key_turn_open(uv_loop_t *loop)
{
	struct key_turn *turn = xcalloc(1, sizeof(*turn));

	turn->batch = key_batch_new();
	/* Neither can fail. */
	(void)uv_prepare_init(loop, &turn->prepare);
	(void)uv_timer_init(loop, &turn->timer);
	turn->prepare.data = turn->timer.data = turn;
	turn->open_handles = 2;
	(void)uv_prepare_start(&turn->prepare, on_prepare);
	return turn;
}

void
key_turn_use(struct key_turn *turn)
{
	key_batch_use(turn->batch);
}

static void
on_closed(uv_handle_t *handle)
{
	struct key_turn *turn = handle->data;

	if (--turn->open_handles > 0)
		return;
	key_batch_free(turn->batch);
	free(turn);
}

void
key_turn_close(struct key_turn *turn)
{
	uv_close((uv_handle_t *)&turn->prepare, on_closed);
	uv_close((uv_handle_t *)&turn->timer, on_closed);
}
