/*
 * pulse.h -- the last minutes, second by second: how much was done, and how
 * long it took.  For charts that do not begin empty, and for rates of now.
 *
 * It is given totals that only grow, once a second, and tells differences.  Any
 * thread may ask.
 */
#ifndef ADMIN_PULSE_H
#define ADMIN_PULSE_H

#include <stdint.h>
#include <time.h>

#include <jansson.h>

#include "base/error.h"
#include "server/metrics.h"

#define PULSE_KEPT 601 /* ten minutes of differences */

/* What was counted until a moment. */
struct pulse_totals {
	uint64_t at_us; /* monotonic */
	time_t at;
	uint64_t accepted, completed, failed, answered;
	uint64_t classes[METRICS_LATENCIES][METRICS_CLASSES];
};

struct pulse_rates {
	double seconds;				      /* that were looked at */
	double accepted, completed, failed, answered; /* each second */
};

struct pulse;
void pulse_free(struct pulse *pulse); /* NULL is fine */
struct pulse *pulse_new(void) MUST_CHECK FREED_BY(pulse_free);

void pulse_add(struct pulse *pulse, const struct pulse_totals *totals);

/* Of the last ten seconds; all 0 while there is no difference yet. */
struct pulse_rates pulse_rates(struct pulse *pulse);

/* Columns of the same length, one row per second after that time: the caller's.
 * A latency is null where there was nothing to measure. */
json_t *pulse_json(struct pulse *pulse, time_t after) MUST_CHECK;

/*
 * What that share (0 to 1) of the measured did not exceed, in microseconds, as
 * far as the classes tell it; -1 when nothing was measured.
 */
int64_t
pulse_quantile(const uint64_t classes[static METRICS_CLASSES], double share);

#endif
