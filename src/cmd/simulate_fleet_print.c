#include "base/mem.h"
#include "cmd/chart.h"
#include "cmd/simulate_fleet.h"
#include "sim/crowd.h"

#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static double
ms(uint64_t us)
{
	return (double)us / 1000;
}

static double
percentile_ms(const struct histogram *histogram, double percent)
{
	return ms(histogram_percentile(histogram, percent));
}

/* Served a second: while arrivals went on, or until the last one. */
static double
goodput(const struct swarm_options *options, const struct swarm_report *report)
{
	uint64_t served = report->outcome[SWARM_SERVED];

	if (options->arrivals != SWARM_STORM && options->duration_ms > 0)
		return (double)report->served_in_time * 1000 /
		    (double)options->duration_ms;
	return report->last_served_us > 0 ?
	    (double)served * 1e6 / (double)report->last_served_us :
	    0;
}

/* How much of a core this process was: near 100 it, not the server, is what
 * was measured. */
static double
busy_percent(const struct swarm_report *report)
{
	return report->elapsed_us > 0 ?
	    (double)report->cpu_us * 100 / (double)report->elapsed_us :
	    0;
}

static void
print_times(const char *name, const struct histogram *histogram)
{
	if (histogram->count == 0)
		return;
	(void)printf("%-12s ms: p50 %.1f  p90 %.1f  p99 %.1f  p99.9 %.1f  max "
		     "%.1f\n",
	    name, percentile_ms(histogram, 50), percentile_ms(histogram, 90),
	    percentile_ms(histogram, 99), percentile_ms(histogram, 99.9),
	    ms(histogram->max));
}

static void
print_account(const struct account *a)
{
	if (!a->kept)
		return;
	(void)printf("the server's log: %zu requests (%zu with 200), %zu "
		     "without a request,\n  %zu failed handshakes\n",
	    a->requests, a->answered_200, a->no_request, a->failed_handshakes);
	(void)printf("  served but not in the log: %zu; in the log but never "
		     "made: %zu\n",
	    a->served_unlogged, a->logged_unknown);
	(void)printf("  answered too late: %zu; given up before the server saw "
		     "them: %zu\n",
	    a->late, a->unlogged);
	if (a->dropped_lines > 0)
		(void)printf("  the server could not write %zu lines\n",
		    a->dropped_lines);
}

static void
add_line(struct chart *chart, const char *name, double *value)
{
	chart->line[chart->lines].name = name;
	chart->line[chart->lines++].value = value;
}

/* The series as lines; the caller frees *values. */
static struct chart
make_chart(const struct swarm_report *report, double **values)
{
	size_t n = report->seconds;
	struct chart chart = { .title = "Arrivals and answers",
		.unit = "per second; open: connections at once",
		.points = n };

	*values = xcalloc(4 * n + 1, sizeof(**values));
	for (size_t i = 0; i < n; i++) {
		(*values)[i] = report->second[i].open;
		(*values)[n + i] = report->second[i].started;
		(*values)[2 * n + i] = report->second[i].failed;
		(*values)[3 * n + i] = report->second[i].served;
	}
	add_line(&chart, "open", *values);
	add_line(&chart, "started", *values + n);
	add_line(&chart, "failed", *values + 2 * n);
	add_line(&chart, "served", *values + 3 * n);
	return chart;
}

int
crowd_plot(const char *path, const struct swarm_options *options,
    const struct swarm_report *report, struct error *err)
{
	double *values;
	struct chart chart = make_chart(report, &values);
	int rc;

	(void)options;
	rc = chart_write_svg(path, &chart, err);
	free(values);
	return rc;
}

void
crowd_print(const struct swarm_options *options,
    const struct swarm_report *report, const struct account *account)
{
	double *values;
	struct chart chart;

	(void)printf("%llu attempts in %.1f s: %llu served (%.1f a second), "
		     "%zu of %zu devices\n",
	    (unsigned long long)report->started,
	    (double)report->elapsed_us / 1e6,
	    (unsigned long long)report->outcome[SWARM_SERVED],
	    goodput(options, report), report->devices_served,
	    crowd_count(options->crowd));
	for (int i = SWARM_SERVED + 1; i < SWARM_OUTCOMES; i++)
		if (report->outcome[i] > 0)
			(void)printf("  %-18s %llu\n",
			    swarm_outcome_name((enum swarm_outcome)i),
			    (unsigned long long)report->outcome[i]);
	if (report->first_error[0] != '\0')
		(void)printf("  the first error: %s\n", report->first_error);
	if (options->resume_percent > 0)
		(void)printf("resumed: %llu of %llu handshakes\n",
		    (unsigned long long)report->resumed,
		    (unsigned long long)report->handshakes);
	print_times("connected", &report->connect_us);
	print_times("handshake", &report->handshake_us);
	print_times("served", &report->served_us);
	print_times("device", &report->device_us);
	(void)printf("this process: %.0f %% of a core, worst start %.1f ms "
		     "late, %llu open at most%s\n",
	    busy_percent(report), ms(report->late_us_max),
	    (unsigned long long)report->open_peak,
	    busy_percent(report) > 92 ? " -- SATURATED" : "");
	print_account(account);
	if (report->seconds > 1) {
		chart = make_chart(report, &values);
		chart_print(&chart);
		free(values);
	}
}

static json_t *
json_times(const struct histogram *histogram)
{
	return json_pack("{s:I, s:f, s:f, s:f, s:f, s:f}", "count",
	    (json_int_t)histogram->count, "p50", percentile_ms(histogram, 50),
	    "p90", percentile_ms(histogram, 90), "p99",
	    percentile_ms(histogram, 99), "p999",
	    percentile_ms(histogram, 99.9), "max", ms(histogram->max));
}

static json_t *
json_account(const struct account *a)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
	    "requests", (json_int_t)a->requests, "answered_200",
	    (json_int_t)a->answered_200, "no_request",
	    (json_int_t)a->no_request, "failed_handshakes",
	    (json_int_t)a->failed_handshakes, "dropped_lines",
	    (json_int_t)a->dropped_lines, "served_unlogged",
	    (json_int_t)a->served_unlogged, "logged_unknown",
	    (json_int_t)a->logged_unknown, "late", (json_int_t)a->late,
	    "unlogged", (json_int_t)a->unlogged);
}

static json_t *
json_seconds(const struct swarm_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->seconds; i++)
		(void)json_array_append_new(list,
		    json_pack("[i, i, i, i]", (int)report->second[i].started,
			(int)report->second[i].served,
			(int)report->second[i].failed,
			(int)report->second[i].open));
	return list;
}

void
crowd_print_json(const struct swarm_options *options,
    const struct swarm_report *report, const struct account *account)
{
	json_t *object = json_pack("{s:I, s:I, s:I, s:f, s:f, s:I, s:I, s:I}",
	    "attempts", (json_int_t)report->started, "devices",
	    (json_int_t)crowd_count(options->crowd), "devices_served",
	    (json_int_t)report->devices_served, "seconds",
	    (double)report->elapsed_us / 1e6, "served_per_second",
	    goodput(options, report), "handshakes",
	    (json_int_t)report->handshakes, "resumed",
	    (json_int_t)report->resumed, "retries",
	    (json_int_t)report->retries);
	json_t *outcomes = json_object(), *times = json_object();

	for (int i = 0; i < SWARM_OUTCOMES; i++)
		(void)json_object_set_new(outcomes,
		    swarm_outcome_name((enum swarm_outcome)i),
		    json_integer((json_int_t)report->outcome[i]));
	(void)json_object_set_new(object, "outcomes", outcomes);
	(void)json_object_set_new(times, "connected",
	    json_times(&report->connect_us));
	(void)json_object_set_new(times, "handshake",
	    json_times(&report->handshake_us));
	(void)json_object_set_new(times, "served",
	    json_times(&report->served_us));
	(void)json_object_set_new(times, "device",
	    json_times(&report->device_us));
	(void)json_object_set_new(object, "ms", times);
	(void)json_object_set_new(object, "bytes",
	    json_integer((json_int_t)report->bytes));
	(void)json_object_set_new(object, "busy_percent",
	    json_real(busy_percent(report)));
	(void)json_object_set_new(object, "late_ms_max",
	    json_real(ms(report->late_us_max)));
	(void)json_object_set_new(object, "open_peak",
	    json_integer((json_int_t)report->open_peak));
	(void)json_object_set_new(object, "first_error",
	    json_string(report->first_error));
	if (account->kept)
		(void)json_object_set_new(object, "server",
		    json_account(account));
	(void)json_object_set_new(object, "series", json_seconds(report));
	(void)json_dumpf(object, stdout, JSON_INDENT(1));
	(void)printf("\n");
	json_decref(object);
}
