#include "server/gate.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>

/* Handshakes that begin in one turn of the loop. */
#define BATCH 4
/* How often to look for who has waited too long while no other thing wakes the
 * loop. */
#define LATE_MS 50
#define WARN_EVERY_MS 1000

struct gate {
	struct admission *admission;
	const struct gate_actions *actions;
	struct admission_limits limits;
	uv_check_t check; /* while somebody waits */
	uv_idle_t idle;	  /* while somebody may begin: do not sleep */
	uv_timer_t timer; /* while somebody waits */
	unsigned open_handles;
	uint64_t dropped, warned_ms;
	uint64_t usual; /* 16 times what a handshake takes of late, in ms */
};

static size_t
count_waiting(const struct gate *gate)
{
	return admission_count(gate->admission, WAITING_RETURN) +
	    admission_count(gate->admission, WAITING_NEW) +
	    admission_count(gate->admission, WAITING_SUSPECT);
}

/*
 * Who waits has to have time left for the handshake itself, which takes long
 * where devices or lines are slow.  A fifth of the time to wait is always left.
 */
static struct admission_limits
limits_now(const struct gate *gate)
{
	struct admission_limits limits = gate->limits;
	uint64_t usual_ms = gate->usual / 16;

	if (usual_ms > limits.patience_ms * 4 / 5)
		usual_ms = limits.patience_ms * 4 / 5;
	limits.patience_ms -= usual_ms;
	return limits;
}

bool
gate_is_behind(const struct gate *gate)
{
	const struct admission_limits limits = limits_now(gate);

	return admission_is_behind(gate->admission, &limits,
	    clock_monotonic_ms());
}

void
gate_took(struct gate *gate, uint64_t ms)
{
	gate->usual = gate->usual - gate->usual / 16 + ms;
}

static void
on_idle(uv_idle_t *idle)
{
	(void)idle; /* that it is active keeps the loop from sleeping */
}

static void
on_timer(uv_timer_t *timer)
{
	(void)timer; /* on_check() follows */
}

/* Once a second at most: there may be thousands. */
static void
warn_dropped(struct gate *gate, uint64_t now_ms)
{
	if (gate->dropped == 0 || now_ms - gate->warned_ms < WARN_EVERY_MS)
		return;
	log_message(LOG_LEVEL_WARN, "overloaded",
	    "%" PRIu64 " connections waited for their turn for more than "
	    "%" PRIu64 " ms and were closed",
	    gate->dropped, limits_now(gate).patience_ms);
	gate->dropped = 0;
	gate->warned_ms = now_ms;
}

static void
drop_late(struct gate *gate, const struct admission_limits *limits)
{
	uint64_t now_ms = clock_monotonic_ms();
	struct waiting *late;

	while ((late = admission_late(gate->admission, limits, now_ms)) !=
	    NULL) {
		gate->actions->drop(late);
		gate->dropped++;
	}
	warn_dropped(gate, now_ms);
}

static void
on_check(uv_check_t *check)
{
	struct gate *gate = check->data;
	const struct admission_limits limits = limits_now(gate);
	struct waiting *next = NULL;

	drop_late(gate, &limits);
	for (int i = 0; i < BATCH; i++) {
		next = admission_next(gate->admission, &limits);
		if (next == NULL)
			break;
		gate->actions->begin(next);
	}
	if (next == NULL || count_waiting(gate) == 0)
		(void)uv_idle_stop(&gate->idle);
	else
		(void)uv_idle_start(&gate->idle, on_idle);
	if (count_waiting(gate) == 0 && gate->dropped == 0) {
		(void)uv_check_stop(&gate->check);
		(void)uv_timer_stop(&gate->timer);
	}
}

struct gate *
gate_open(uv_loop_t *loop, const struct gate_actions *actions)
{
	struct gate *gate = xcalloc(1, sizeof(*gate));

	gate->admission = admission_new();
	gate->actions = actions;
	/* None of these can fail. */
	(void)uv_check_init(loop, &gate->check);
	(void)uv_idle_init(loop, &gate->idle);
	(void)uv_timer_init(loop, &gate->timer);
	gate->check.data = gate->idle.data = gate->timer.data = gate;
	gate->open_handles = 3;
	return gate;
}

static void
on_closed(uv_handle_t *handle)
{
	struct gate *gate = handle->data;

	if (--gate->open_handles > 0)
		return;
	admission_free(gate->admission);
	free(gate);
}

void
gate_close(struct gate *gate)
{
	uv_close((uv_handle_t *)&gate->check, on_closed);
	uv_close((uv_handle_t *)&gate->idle, on_closed);
	uv_close((uv_handle_t *)&gate->timer, on_closed);
}

struct admission *
gate_admission(struct gate *gate)
{
	return gate->admission;
}

void
gate_queue(struct gate *gate, struct waiting *waiting, bool resumes,
    const struct admission_limits *limits)
{
	gate->limits = *limits;
	admission_queue(gate->admission, waiting, resumes);
	(void)uv_check_start(&gate->check, on_check);
	(void)uv_idle_start(&gate->idle, on_idle);
	if (!uv_is_active((uv_handle_t *)&gate->timer))
		(void)uv_timer_start(&gate->timer, on_timer, LATE_MS, LATE_MS);
}
