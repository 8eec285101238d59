#include "admin/pulse.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>

#define RATE_SAMPLES 11 /* ten seconds between the first and the last */

struct pulse {
	pthread_mutex_t mutex;
	struct pulse_totals ring[PULSE_KEPT];
	size_t count, next;
};

struct pulse *
pulse_new(void)
{
	struct pulse *pulse = xcalloc(1, sizeof(*pulse));

	(void)pthread_mutex_init(&pulse->mutex, NULL);
	return pulse;
}

void
pulse_free(struct pulse *pulse)
{
	if (pulse == NULL)
		return;
	(void)pthread_mutex_destroy(&pulse->mutex);
	free(pulse);
}

void
pulse_add(struct pulse *pulse, const struct pulse_totals *totals)
{
	(void)pthread_mutex_lock(&pulse->mutex);
	pulse->ring[pulse->next] = *totals;
	pulse->next = (pulse->next + 1) % PULSE_KEPT;
	if (pulse->count < PULSE_KEPT)
		pulse->count++;
	(void)pthread_mutex_unlock(&pulse->mutex);
}

/* The one so many before the last. */
static const struct pulse_totals *
before_last(const struct pulse *pulse, size_t back)
{
	return &pulse->ring[(pulse->next + 2 * PULSE_KEPT - 1 - back) %
	    PULSE_KEPT];
}

static double
seconds_between(const struct pulse_totals *from, const struct pulse_totals *to)
{
	/* Two at one moment would be a rate without end. */
	return to->at_us > from->at_us ?
	    (double)(to->at_us - from->at_us) / 1e6 :
	    1e-6;
}

/* Totals only grow, but for what a listener that is gone took with it. */
static double
rate(uint64_t from, uint64_t to, double seconds)
{
	return to > from ? (double)(to - from) / seconds : 0;
}

struct pulse_rates
pulse_rates(struct pulse *pulse)
{
	struct pulse_rates rates = { 0 };
	size_t back;

	(void)pthread_mutex_lock(&pulse->mutex);
	back = pulse->count < RATE_SAMPLES ? pulse->count : RATE_SAMPLES;
	if (back >= 2) {
		const struct pulse_totals *to = before_last(pulse, 0);
		const struct pulse_totals *from = before_last(pulse, back - 1);
		double s = seconds_between(from, to);

		rates = (struct pulse_rates) {
			.seconds = s,
			.accepted = rate(from->accepted, to->accepted, s),
			.completed = rate(from->completed, to->completed, s),
			.failed = rate(from->failed, to->failed, s),
			.answered = rate(from->answered, to->answered, s),
		};
	}
	(void)pthread_mutex_unlock(&pulse->mutex);
	return rates;
}

/* --------------------------------------------------------------- latencies */

int64_t
pulse_quantile(const uint64_t classes[static METRICS_CLASSES], double share)
{
	double total = 0, below = 0, wanted;

	for (size_t i = 0; i < METRICS_CLASSES; i++)
		total += (double)classes[i];
	if (total <= 0)
		return -1;
	wanted = share * total;
	for (size_t i = 0; i < METRICS_CLASSES - 1; i++) {
		double here = (double)classes[i];
		double low = i > 0 ? metrics_bounds_us[i - 1] : 0;
		double width = metrics_bounds_us[i] - low;

		/* Within a class all are taken to be spread evenly. */
		if (here > 0 && below + here >= wanted)
			return (int64_t)(low + width * (wanted - below) / here);
		below += here;
	}
	return metrics_bounds_us[METRICS_CLASSES - 2];
}

static json_t *
quantile_json(const struct pulse_totals *from, const struct pulse_totals *to,
    enum metrics_latency which, double share)
{
	uint64_t classes[METRICS_CLASSES];
	int64_t us;

	for (size_t i = 0; i < METRICS_CLASSES; i++)
		classes[i] = to->classes[which][i] > from->classes[which][i] ?
		    to->classes[which][i] - from->classes[which][i] :
		    0;
	us = pulse_quantile(classes, share);
	return us >= 0 ? json_integer(us) : json_null();
}

/* -------------------------------------------------------------------- rows */

/* The columns, in the order of add_row(). */
static const char *const columns[] = { "at", "answers", "handshakes",
	"failed_handshakes", "answer_median_us", "answer_99_us",
	"handshake_median_us", "handshake_99_us" };
#define COLUMNS (sizeof(columns) / sizeof(*columns))

static void
add_row(json_t *lists[static COLUMNS], const struct pulse_totals *from,
    const struct pulse_totals *to)
{
	double s = seconds_between(from, to);
	json_t *row[COLUMNS] = {
		json_integer((json_int_t)to->at),
		json_real(rate(from->answered, to->answered, s)),
		json_real(rate(from->completed, to->completed, s)),
		json_real(rate(from->failed, to->failed, s)),
		quantile_json(from, to, METRICS_ANSWER, 0.5),
		quantile_json(from, to, METRICS_ANSWER, 0.99),
		quantile_json(from, to, METRICS_HANDSHAKE, 0.5),
		quantile_json(from, to, METRICS_HANDSHAKE, 0.99),
	};

	for (size_t i = 0; i < COLUMNS; i++)
		(void)json_array_append_new(lists[i], row[i]);
}

json_t *
pulse_json(struct pulse *pulse, time_t after)
{
	json_t *lists[COLUMNS], *json = json_object();

	for (size_t i = 0; i < COLUMNS; i++) {
		lists[i] = json_array();
		(void)json_object_set_new(json, columns[i], lists[i]);
	}
	(void)pthread_mutex_lock(&pulse->mutex);
	for (size_t back = pulse->count; back >= 2; back--) {
		const struct pulse_totals *from = before_last(pulse, back - 1);
		const struct pulse_totals *to = before_last(pulse, back - 2);

		if (to->at > after)
			add_row(lists, from, to);
	}
	(void)pthread_mutex_unlock(&pulse->mutex);
	return json;
}
