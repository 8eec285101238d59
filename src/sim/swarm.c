#include "sim/swarm.h"
#include "base/clock.h"
#include "base/mem.h"
#include "sim/crowd.h"
#include "sim/swarm_internal.h"
#include "spa/schedule.h"
#include "tls/client.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define EVENTS_MAX 256
#define STARTS_MAX 64 /* at once, before sockets are looked after again */
#define WAIT_US_MAX 100000
#define PROGRESS_US 500000

static const char *const outcome_names[SWARM_OUTCOMES] = {
	[SWARM_SERVED] = "served",
	[SWARM_WRONG] = "wrong-body",
	[SWARM_CUT] = "cut-off",
	[SWARM_BUSY] = "busy",
	[SWARM_REFUSED] = "refused",
	[SWARM_GARBLED] = "garbled",
	[SWARM_NO_CONNECT] = "no-connect",
	[SWARM_DROPPED] = "dropped",
	[SWARM_ALERT] = "alert",
	[SWARM_NO_ANSWER] = "no-answer",
	[SWARM_TIMEOUT_CONNECT] = "timeout-connect",
	[SWARM_TIMEOUT_HANDSHAKE] = "timeout-handshake",
	[SWARM_TIMEOUT_ANSWER] = "timeout-answer",
	[SWARM_LOCAL] = "local-error",
};

const char *
swarm_outcome_name(enum swarm_outcome outcome)
{
	return outcome_names[outcome];
}

/* splitmix64: small, and the same series everywhere for one seed. */
uint64_t
swarm_random(struct swarm *swarm)
{
	uint64_t z = (swarm->random += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* ------------------------------------------------------- those that wait */

static void
wait_add(struct swarm *swarm, size_t device, uint64_t due_us)
{
	size_t i = swarm->waiting_count++;

	if (i == swarm->waiting_size) {
		swarm->waiting_size = 2 * swarm->waiting_size + 1024;
		swarm->waiting = xrealloc(swarm->waiting,
		    swarm->waiting_size * sizeof(*swarm->waiting));
	}
	for (; i > 0 && swarm->waiting[(i - 1) / 2].due_us > due_us;
	     i = (i - 1) / 2)
		swarm->waiting[i] = swarm->waiting[(i - 1) / 2];
	swarm->waiting[i] = (struct wait) { due_us, (uint32_t)device };
}

static struct wait
wait_take(struct swarm *swarm)
{
	struct wait *heap = swarm->waiting;
	struct wait top = heap[0], last = heap[--swarm->waiting_count];
	size_t count = swarm->waiting_count, i = 0, child;

	while ((child = 2 * i + 1) < count) {
		if (child + 1 < count &&
		    heap[child + 1].due_us < heap[child].due_us)
			child++;
		if (heap[child].due_us >= last.due_us)
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = last;
	return top;
}

void
swarm_ended(struct swarm *swarm, size_t device, enum swarm_outcome outcome,
    uint64_t now_us)
{
	const struct swarm_options *options = swarm->options;
	struct swarm_report *report = swarm->report;
	uint64_t delay_ms;

	if (outcome == SWARM_SERVED) {
		report->devices_served += swarm->served[device] ? 0 : 1;
		swarm->served[device] = true;
		if (options->arrivals == SWARM_STORM)
			histogram_add(&report->device_us,
			    now_us - swarm->powered_us[device]);
		else if (options->duration_ms == 0 ||
		    now_us - swarm->start_us <= options->duration_ms * 1000)
			report->served_in_time++;
		return;
	}
	if (options->arrivals != SWARM_STORM)
		return;
	delay_ms = schedule_delay_ms(options->retry, swarm->failures[device]++,
	    swarm_random(swarm));
	report->retries++;
	wait_add(swarm, device,
	    now_us + (uint64_t)((double)delay_ms * 1000 / options->compress));
}

/* --------------------------------------------------------------- arrivals */

/* All come back together; the earliest wait not at all. */
static void
power_up(struct swarm *swarm)
{
	const struct swarm_options *options = swarm->options;
	size_t count = crowd_count(options->crowd);

	for (size_t i = 0; i < count; i++) {
		swarm->powered_us[i] = swarm->start_us;
		wait_add(swarm, i,
		    swarm->start_us +
			swarm_random(swarm) % (options->random_ms * 1000 + 1));
	}
}

static size_t
next_device(struct swarm *swarm)
{
	return swarm->next_device++ % crowd_count(swarm->options->crowd);
}

/* May closed and open loop start one more, due at that time? */
static bool
may_arrive(const struct swarm *swarm, uint64_t due_us)
{
	const struct swarm_options *options = swarm->options;

	return (options->attempts == 0 ||
		   swarm->report->started < options->attempts) &&
	    (options->duration_ms == 0 ||
		due_us - swarm->start_us < options->duration_ms * 1000);
}

/* Seconds between two arrivals of a Poisson process. */
static uint64_t
gap_us(struct swarm *swarm)
{
	double u = (double)(swarm_random(swarm) >> 11) * 0x1p-53;

	return (uint64_t)(-log1p(-u) / swarm->options->rate * 1e6);
}

/*
 * Start what is due; returns when the next one is, UINT64_MAX when that
 * depends on others, and *more: will there ever be one?
 */
static uint64_t
arrive(struct swarm *swarm, uint64_t *next_us, uint64_t now_us, bool *more)
{
	const struct swarm_options *options = swarm->options;
	unsigned starts = 0;

	switch (options->arrivals) {
	case SWARM_CLOSED:
		while (starts++ < STARTS_MAX && may_arrive(swarm, now_us) &&
		    swarm->report->open < options->concurrency)
			attempt_start(swarm, next_device(swarm),
			    clock_monotonic_us());
		*more = may_arrive(swarm, now_us);
		return starts > STARTS_MAX ? now_us : UINT64_MAX;
	case SWARM_OPEN:
		/* Who was due comes, also when this process is late. */
		while (starts++ < STARTS_MAX && *next_us <= now_us &&
		    may_arrive(swarm, *next_us)) {
			attempt_start(swarm, next_device(swarm), *next_us);
			*next_us += gap_us(swarm);
		}
		*more = may_arrive(swarm, *next_us);
		return *more ? *next_us : UINT64_MAX;
	case SWARM_STORM:
		*more = options->duration_ms == 0 ||
		    now_us - swarm->start_us < options->duration_ms * 1000;
		while (*more && starts++ < STARTS_MAX &&
		    swarm->waiting_count > 0 &&
		    swarm->waiting[0].due_us <= now_us) {
			struct wait due = wait_take(swarm);

			attempt_start(swarm, due.device, due.due_us);
		}
		*more = *more &&
		    swarm->report->devices_served < crowd_count(options->crowd);
		return swarm->waiting_count > 0 ? swarm->waiting[0].due_us :
						  UINT64_MAX;
	}
	return UINT64_MAX;
}

/* ------------------------------------------------------------------- loop */

/* When the oldest attempt has to end; UINT64_MAX without any. */
static uint64_t
oldest_deadline(const struct swarm *swarm)
{
	const struct attempt *oldest = swarm->first.next;

	return oldest == &swarm->first ?
	    UINT64_MAX :
	    oldest->started_us + swarm->options->timeout_ms * UINT64_C(1000);
}

static void
look_after_sockets(struct swarm *swarm, uint64_t until_us)
{
	struct epoll_event events[EVENTS_MAX];
	uint64_t now_us = clock_monotonic_us();
	uint64_t wait_us = until_us > now_us ? until_us - now_us : 0;
	struct timespec wait;
	int n;

	if (wait_us > WAIT_US_MAX)
		wait_us = WAIT_US_MAX;
	wait = (struct timespec) { 0, (long)wait_us * 1000 };
	n = epoll_pwait2(swarm->epoll, events, EVENTS_MAX, &wait, NULL);
	/* An attempt that ends takes its socket out of the epoll set, and each
	 * socket is there once: none of the events can be of a dead one. */
	for (int i = 0; i < n; i++)
		attempt_drive(events[i].data.ptr);
}

static uint64_t
min_us(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool
is_stopped(const struct swarm *swarm)
{
	return swarm->options->stop != NULL && *swarm->options->stop != 0;
}

static void
loop(struct swarm *swarm)
{
	const struct swarm_options *options = swarm->options;
	uint64_t next_us = swarm->start_us, progress_us = next_us;
	uint64_t until_us, now_us;
	bool more = true;

	while (!is_stopped(swarm)) {
		now_us = clock_monotonic_us();
		until_us = arrive(swarm, &next_us, now_us, &more);
		if (!more && swarm->report->open == 0)
			break;
		while (oldest_deadline(swarm) <= now_us)
			attempt_time_out(swarm->first.next);
		look_after_sockets(swarm,
		    min_us(until_us, oldest_deadline(swarm)));
		if (options->progress != NULL && now_us >= progress_us) {
			swarm->report->elapsed_us = now_us - swarm->start_us;
			options->progress(options->arg);
			progress_us = now_us + PROGRESS_US;
		}
	}
}

static uint64_t
cpu_us(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) *
	    1000000 +
	    (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void
clear(struct swarm *swarm)
{
	size_t count = crowd_count(swarm->options->crowd);
	struct attempt *attempt;

	while (swarm->first.next != &swarm->first)
		attempt_drop(swarm->first.next);
	while ((attempt = swarm->unused) != NULL) {
		swarm->unused = attempt->next;
		free(attempt);
	}
	for (size_t i = 0; swarm->sessions != NULL && i < count; i++)
		tls_session_free(swarm->sessions[i]);
	free(swarm->sessions);
	free(swarm->waiting);
	free(swarm->failures);
	free(swarm->powered_us);
	free(swarm->served);
	if (swarm->epoll >= 0)
		(void)close(swarm->epoll);
}

int
swarm_run(const struct swarm_options *options, struct swarm_report *report,
    struct error *err)
{
	size_t count = crowd_count(options->crowd);
	struct swarm swarm = {
		.options = options, .report = report, .random = options->seed
	};
	uint64_t cpu_before;

	memset(report, 0, sizeof(*report));
	swarm.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (swarm.epoll < 0)
		return error_errno(err, "cannot wait for sockets");
	report->second = xcalloc(SWARM_SECONDS_MAX, sizeof(*report->second));
	swarm.first.next = swarm.first.previous = &swarm.first;
	swarm.served = xcalloc(count, sizeof(*swarm.served));
	if (options->resume_percent > 0)
		swarm.sessions = xcalloc(count, sizeof(*swarm.sessions));
	if (options->arrivals == SWARM_STORM) {
		swarm.failures = xcalloc(count, sizeof(*swarm.failures));
		swarm.powered_us = xcalloc(count, sizeof(*swarm.powered_us));
	}
	cpu_before = cpu_us();
	swarm.start_us = clock_monotonic_us();
	if (options->arrivals == SWARM_STORM)
		power_up(&swarm);
	loop(&swarm);
	report->elapsed_us = clock_monotonic_us() - swarm.start_us;
	report->cpu_us = cpu_us() - cpu_before;
	clear(&swarm);
	return 0;
}

void
swarm_report_clear(struct swarm_report *report)
{
	free(report->second);
	free(report->trace);
	report->second = NULL;
	report->trace = NULL;
}
