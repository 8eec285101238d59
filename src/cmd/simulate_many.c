#include "base/clock.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/simulate.h"
#include "lab/lab.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#define OUTCOMES (SIM_BROKEN_ANSWER + 1)

/* Times of resyncs in classes of 1 ms; the last one takes all above. */
#define TIME_CLASSES 10000

struct many {
	const struct lab_fleet *fleet;
	pthread_mutex_t mutex;
	uint64_t until_ms;
	size_t next;
	size_t outcomes[OUTCOMES];
	size_t times[TIME_CLASSES];
	size_t total;
	char last_failure[512];
};

/* The next device that has a rule; the caller made sure that there is one. */
static const struct lab_device *
next_device(struct many *many)
{
	const struct lab_device *device;

	do {
		device =
		    &many->fleet->devices[many->next++ % many->fleet->count];
	} while (device->rule == NULL);
	return device;
}

static void
record(struct many *many, const struct lab_device *device,
    const struct sim_result *result)
{
	size_t ms = (size_t)(result->total_us / 1000);

	many->outcomes[result->outcome]++;
	many->times[ms < TIME_CLASSES ? ms : TIME_CLASSES - 1]++;
	many->total++;
	if (result->outcome != SIM_PROVISIONED)
		(void)snprintf(many->last_failure, sizeof(many->last_failure),
		    "%s: %s: %s", device->label,
		    sim_outcome_name(result->outcome), result->reason);
}

static void *
run_thread(void *arg)
{
	struct many *many = arg;

	(void)pthread_mutex_lock(&many->mutex);
	while (clock_monotonic_ms() < many->until_ms) {
		const struct lab_device *device = next_device(many);
		struct sim_result result;

		(void)pthread_mutex_unlock(&many->mutex);
		sim_resync(device->sim, device->rule, &lab_network, &result);
		(void)pthread_mutex_lock(&many->mutex);
		record(many, device, &result);
		sim_result_clear(&result);
	}
	(void)pthread_mutex_unlock(&many->mutex);
	return NULL;
}

static size_t
percentile_ms(const struct many *many, unsigned percent)
{
	size_t seen = 0, ms = 0;

	while (ms + 1 < TIME_CLASSES &&
	    (seen += many->times[ms]) * 100 < many->total * percent)
		ms++;
	return ms;
}

static void
print_many(const struct many *many, unsigned threads, double seconds, bool json)
{
	size_t good = many->outcomes[SIM_PROVISIONED];
	json_t *object;

	if (!json) {
		(void)
		    printf("%zu resyncs by %u devices at once in %.1f s "
			   "(%.0f a second)\n%zu provisioned, %zu not; median "
			   "%zu ms, 99 %% within %zu ms\n",
			many->total, threads, seconds,
			(double)many->total / seconds, good, many->total - good,
			percentile_ms(many, 50), percentile_ms(many, 99));
		if (good < many->total)
			(void)printf("the last failure: %s\n",
			    many->last_failure);
		return;
	}
	object = json_pack("{s:I, s:i, s:f, s:I, s:I, s:I}", "resyncs",
	    (json_int_t)many->total, "concurrency", (int)threads, "seconds",
	    seconds, "provisioned", (json_int_t)good, "median_ms",
	    (json_int_t)percentile_ms(many, 50), "p99_ms",
	    (json_int_t)percentile_ms(many, 99));
	for (size_t i = 0; i < OUTCOMES; i++)
		if (i != SIM_PROVISIONED && many->outcomes[i] > 0)
			(void)json_object_set_new(object,
			    sim_outcome_name((enum sim_outcome)i),
			    json_integer((json_int_t)many->outcomes[i]));
	(void)json_dumpf(object, stdout, JSON_INDENT(1));
	(void)printf("\n");
	json_decref(object);
}

static bool
has_rule(const struct lab_fleet *fleet)
{
	for (size_t i = 0; i < fleet->count; i++)
		if (fleet->devices[i].rule != NULL)
			return true;
	return false;
}

int
simulate_many(const char *directory, unsigned threads, unsigned seconds,
    bool json)
{
	struct error err;
	struct lab_fleet *fleet = lab_fleet_read(directory, &err);
	struct many *many;
	pthread_t *others;
	uint64_t started_ms;
	unsigned started = 0;
	int rc;

	if (fleet == NULL)
		return cmd_fail(&err);
	if (!has_rule(fleet)) {
		lab_fleet_free(fleet);
		(void)error_set(&err, ERROR_NOT_FOUND,
		    "%s: no device has a rule", directory);
		return cmd_fail(&err);
	}
	(void)signal(SIGPIPE, SIG_IGN);
	many = xcalloc(1, sizeof(*many));
	many->fleet = fleet;
	(void)pthread_mutex_init(&many->mutex, NULL);
	started_ms = clock_monotonic_ms();
	many->until_ms = started_ms + seconds * 1000UL;
	others = xcalloc(threads, sizeof(*others));
	while (started < threads &&
	    pthread_create(&others[started], NULL, run_thread, many) == 0)
		started++;
	for (unsigned i = 0; i < started; i++)
		(void)pthread_join(others[i], NULL);
	print_many(many, started,
	    (double)(clock_monotonic_ms() - started_ms) / 1000, json);
	rc = many->total > 0 && many->outcomes[SIM_PROVISIONED] == many->total ?
	    CMD_DONE :
	    CMD_PROBLEM;
	(void)pthread_mutex_destroy(&many->mutex);
	free(others);
	free(many);
	lab_fleet_free(fleet);
	return rc;
}
