#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/clock.h"
#include "server/gate.h"

#define COUNT 20
#define HALF_MS 400

static const struct admission_limits limits = { .handshakes_max = 100,
	.patience_ms = 1000 };

static struct {
	struct gate *gate;
	struct waiting *begun[COUNT], *dropped[COUNT];
	size_t begun_count, dropped_count;
} seen;

static void
begin(struct waiting *waiting)
{
	seen.begun[seen.begun_count++] = waiting;
}

static void
drop(struct waiting *waiting)
{
	seen.dropped[seen.dropped_count++] = waiting;
	admission_leave(gate_admission(seen.gate), waiting, ADMISSION_OURS,
	    clock_monotonic_ms());
}

static const struct gate_actions actions = { begin, drop };

static void
come(struct waiting *waiting, uint64_t since_ms)
{
	struct addr source;
	struct error err;

	assert_int_equal(addr_parse(&source, "192.0.2.1:1000", &err), 0);
	*waiting = (struct waiting) { 0 };
	admission_arrive(gate_admission(seen.gate), waiting, &source, since_ms);
	gate_queue(seen.gate, waiting, false, &limits);
}

static void
start(uv_loop_t *loop)
{
	assert_int_equal(uv_loop_init(loop), 0);
	seen.gate = gate_open(loop, &actions);
	seen.begun_count = seen.dropped_count = 0;
}

static void
finish(uv_loop_t *loop)
{
	gate_close(seen.gate);
	(void)uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(loop), 0);
}

/* A few in each turn, in order, until none is left: then the loop may end. */
static void
test_turns(void **state)
{
	uint64_t now_ms = clock_monotonic_ms();
	struct waiting waiting[COUNT];
	uv_loop_t loop;

	(void)state;
	start(&loop);
	for (size_t i = 0; i < COUNT; i++)
		come(&waiting[i], now_ms);
	(void)uv_run(&loop, UV_RUN_NOWAIT);
	assert_in_range(seen.begun_count, 1, COUNT / 2);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(seen.begun_count, COUNT);
	for (size_t i = 0; i < COUNT; i++)
		assert_ptr_equal(seen.begun[i], &waiting[i]);
	assert_int_equal(seen.dropped_count, 0);
	finish(&loop);
}

/* Where handshakes take long, less time may pass before one begins. */
static void
test_slow_handshakes(void **state)
{
	static const struct {
		uint64_t took_ms;
		bool begins;
	} cases[] = { { 0, true }, { 100, true }, { 700, false },
		{ 100000, false } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t now_ms = clock_monotonic_ms();
		struct waiting old, fresh;
		uv_loop_t loop;

		start(&loop);
		for (int j = 0; j < 200; j++)
			gate_took(seen.gate, cases[i].took_ms);
		come(&old, now_ms - HALF_MS);
		come(&fresh, now_ms);
		(void)uv_run(&loop, UV_RUN_NOWAIT);
		/* Who has just come always has a chance. */
		assert_int_equal(seen.begun_count, cases[i].begins ? 2 : 1);
		assert_int_equal(seen.dropped_count, cases[i].begins ? 0 : 1);
		if (!cases[i].begins)
			assert_ptr_equal(seen.dropped[0], &old);
		finish(&loop);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_slow_handshakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
