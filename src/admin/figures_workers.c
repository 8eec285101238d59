/*
 * What the workers counted: handshakes, requests, latencies; connections; what
 * waits in queues, and what did not fit into them.
 */
#include "admin/call.h"
#include "admin/exposition.h"
#include "admin/figures.h"
#include "admin/site.h"
#include "base/mem.h"
#include "server/config.h"
#include "server/counters.h"
#include "server/keep.h"
#include "server/keystate.h"
#include "server/metrics.h"
#include "server/profile_cache.h"
#include "server/record.h"
#include "server/service.h"
#include "server/worker.h"
#include "spa/registry.h"

#include <stdio.h>
#include <stdlib.h>

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

/* Of one listener with one of its CAs, summed over the workers. */
struct figures {
	const char *listener, *ca;
	bool first; /* of its listener */
	uint64_t values[METRICS_VALUES];
};

static void
read_one(struct figures *figures, const struct guest_view *view,
    const struct service_listener *listener, bool first)
{
	const struct ca *ca = listener->issuer.ca;

	figures->listener = listener->name;
	figures->first = first;
	figures->ca = listener->policy.plain ? "none" :
	    ca != NULL			     ? ca->id :
					       "unknown";
	for (size_t i = 0; i < view->worker_count; i++)
		metrics_read(worker_metrics(view->workers[i]),
		    listener->metrics_key, figures->values);
}

static struct figures *
read_all(const struct call *call, size_t *count)
{
	const struct guest_view *view = site_guest_view(call->site);
	const struct service *service = call->service;
	struct figures *list;
	size_t total = 0;

	for (size_t i = 0; i < service_listener_count(service); i++)
		total += service_listener(service, i)->alternative_count + 1;
	list = xcalloc(total + 1, sizeof(*list));
	*count = 0;
	for (size_t i = 0; i < service_listener_count(service); i++) {
		const struct service_listener *listener =
		    service_listener(service, i);

		/* The first one of several is the listener itself. */
		read_one(&list[(*count)++], view, listener, true);
		for (size_t j = 1; j < listener->alternative_count; j++)
			read_one(&list[(*count)++], view,
			    &listener->alternatives[j], false);
	}
	return list;
}

/* ------------------------------------------------------------- handshakes */

static void
put_handshake(struct exposition *out, const struct figures *figures,
    const char *version, const char *result, const char *from,
    const char *alert, uint64_t value)
{
	const struct exposition_label labels[] = { { "listener",
						       figures->listener },
		{ "ca", figures->ca }, { "tls", version }, { "result", result },
		{ "alert_from", from }, { "alert", alert } };

	if (value > 0)
		exposition_integer(out, "", labels, LENGTH(labels), value);
}

static void
put_handshakes(struct exposition *out, const struct figures *figures)
{
	for (int v = 0; v < METRICS_VERSIONS; v++) {
		const char *version =
		    metrics_version_name((enum metrics_version)v);

		for (int how = 0; how < METRICS_HANDSHAKES; how++)
			put_handshake(out, figures, version,
			    metrics_handshake_name((enum metrics_handshake)how),
			    "none", "none",
			    figures->values
				[metrics_at_handshake((enum metrics_version)v,
				    (enum metrics_handshake)how)]);
		for (int from = 0; from < METRICS_FROMS; from++)
			for (size_t alert = 0; alert < METRICS_ALERTS; alert++)
				put_handshake(out, figures, version,
				    metrics_handshake_name(METRICS_FAILED),
				    metrics_from_name((enum metrics_from)from),
				    metrics_alert_name(alert),
				    figures->values
					[metrics_at_alert((enum metrics_version)
							      v,
					    (enum metrics_from)from, alert)]);
	}
}

/* --------------------------------------------- requests and latencies */

/* Over all CAs of a listener, which begins at list[at]. */
static uint64_t
sum_of(const struct figures *list, size_t count, size_t at, size_t value)
{
	uint64_t sum = list[at].values[value];

	for (size_t i = at + 1; i < count && !list[i].first; i++)
		sum += list[i].values[value];
	return sum;
}

static void
put_requests(struct exposition *out, const struct figures *list, size_t count,
    size_t at)
{
	for (size_t reason = 0; reason < METRICS_REASONS; reason++)
		for (int result = 0; result < METRICS_RESULTS; result++) {
			uint64_t sum = sum_of(list, count, at,
			    metrics_at_request(reason,
				(enum metrics_result)result));
			const struct exposition_label labels[] = {
				{ "listener", list[at].listener },
				{ "reason", metrics_reason_name(reason) },
				{ "result",
				    metrics_result_name((enum metrics_result)
					    result) },
			};

			if (sum > 0)
				exposition_integer(out, "", labels,
				    LENGTH(labels), sum);
		}
}

static void
put_latency(struct exposition *out, const struct figures *list, size_t count,
    size_t at, enum metrics_latency latency)
{
	struct exposition_label labels[] = { { "listener", list[at].listener },
		{ "le", "" } };
	uint64_t below = 0, us;
	char bound[32];

	for (size_t class = 0; class < METRICS_CLASSES; class ++) {
		below += sum_of(list, count, at,
		    metrics_at_class(latency, class));
		if (class < METRICS_CLASSES - 1)
			(void)snprintf(bound, sizeof(bound), "%g",
			    metrics_bounds_us[class] / 1e6);
		labels[1].value = class < METRICS_CLASSES - 1 ? bound : "+Inf";
		exposition_integer(out, "_bucket", labels, 2, below);
	}
	us = sum_of(list, count, at, metrics_at_sum(latency));
	exposition_real(out, "_sum", labels, 1, (double)us / 1e6);
	exposition_integer(out, "_count", labels, 1, below);
}

static void
put_latencies(struct exposition *out, const struct figures *list, size_t count,
    enum metrics_latency latency)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].first)
			put_latency(out, list, count, i, latency);
}

static void
put_traffic(struct exposition *out, const struct call *call)
{
	size_t count;
	struct figures *list = read_all(call, &count);

	exposition_family(out, "sprov_handshakes_total", "counter",
	    "TLS handshakes that ended, with the alert that one side sent, and "
	    "the version agreed on, or offered at most.");
	for (size_t i = 0; i < count; i++)
		put_handshakes(out, &list[i]);
	exposition_family(out, "sprov_requests_total", "counter",
	    "Requests that were answered, with the reason for the answer.");
	for (size_t i = 0; i < count; i++)
		if (list[i].first)
			put_requests(out, list, count, i);
	exposition_family(out, "sprov_handshake_duration_seconds", "histogram",
	    "Handshakes that were completed, without the wait for their turn.");
	put_latencies(out, list, count, METRICS_HANDSHAKE);
	exposition_family(out, "sprov_answer_duration_seconds", "histogram",
	    "From the whole request until its answer may be sent.");
	put_latencies(out, list, count, METRICS_ANSWER);
	free(list);
}

/* ------------------------------------------------------------ connections */

static uint64_t
counted(const struct guest_view *view, enum counter which)
{
	uint64_t total = 0;

	for (size_t i = 0; i < view->worker_count; i++)
		total += counters_get(worker_counters(view->workers[i]), which);
	return total;
}

static void
put_connections(struct exposition *out, const struct call *call)
{
	const struct guest_view *view = site_guest_view(call->site);
	static const enum counter ends[] = { COUNT_DROPPED_FULL,
		COUNT_CLOSED_EARLY, COUNT_SILENT, COUNT_GONE, COUNT_LATE,
		COUNT_FAILED, COUNT_TIMED_OUT, COUNT_COMPLETED };
	struct exposition_label label = { "outcome", "" };
	uint64_t open = 0, waiting = 0, lost = 0, pool = 0;

	exposition_family(out, "sprov_connections_accepted_total", "counter",
	    "TLS connections that were accepted from devices.");
	exposition_integer(out, "", NULL, 0, counted(view, COUNT_ACCEPTED));
	exposition_family(out, "sprov_connections_total", "counter",
	    "TLS connections by what became of them, up to their handshake.");
	for (size_t i = 0; i < LENGTH(ends); i++) {
		label.value = counters_name(ends[i]);
		exposition_integer(out, "", &label, 1, counted(view, ends[i]));
	}
	exposition_family(out, "sprov_connections_unasked_total", "counter",
	    "Connections that ended after the handshake, without a request.");
	exposition_integer(out, "", NULL, 0, counted(view, COUNT_UNASKED));
	exposition_family(out, "sprov_answers_total", "counter",
	    "Answers that were sent whole, or cut.");
	label = (struct exposition_label) { "sent", "whole" };
	exposition_integer(out, "", &label, 1, counted(view, COUNT_ANSWERED));
	label.value = "cut";
	exposition_integer(out, "", &label, 1, counted(view, COUNT_CUT));
	for (size_t i = 0; i < view->worker_count; i++) {
		open += worker_connection_count(view->workers[i]);
		waiting += worker_waiting_count(view->workers[i]);
		lost += metrics_lost(worker_metrics(view->workers[i]));
		pool += metrics_in_pool(worker_metrics(view->workers[i]));
	}
	exposition_family(out, "sprov_connections_open", "gauge",
	    "Connections of devices that are open.");
	exposition_integer(out, "", NULL, 0, open);
	exposition_family(out, "sprov_connections_limit", "gauge",
	    "How many may be open at once.");
	exposition_integer(out, "", NULL, 0,
	    service_config(call->service)->connections_max);
	exposition_family(out, "sprov_admission_waiting", "gauge",
	    "Connections that wait for their ClientHello or for their turn.");
	exposition_integer(out, "", NULL, 0, waiting);
	exposition_family(out, "sprov_pool_jobs", "gauge",
	    "Reports and pieces of files that the pool has from connections.");
	exposition_integer(out, "", NULL, 0, pool);
	exposition_family(out, "sprov_metrics_lost_total", "counter",
	    "Handshakes and requests of too many listeners to be told apart.");
	exposition_integer(out, "", NULL, 0, lost);
}

/* ----------------------------------------------------------------- queues */

struct queue {
	const char *name;
	struct writer_counts counts;
};

static void
put_queue_values(struct exposition *out, const struct queue *queues,
    size_t count, uint64_t (*value)(const struct writer_counts *counts))
{
	for (size_t i = 0; i < count; i++) {
		const struct exposition_label label = { "queue",
			queues[i].name };

		exposition_integer(out, "", &label, 1,
		    value(&queues[i].counts));
	}
}

static uint64_t
waiting(const struct writer_counts *counts)
{
	return counts->waiting;
}

static uint64_t
waiting_max(const struct writer_counts *counts)
{
	return counts->waiting_max;
}

static uint64_t
written(const struct writer_counts *counts)
{
	return counts->written;
}

static uint64_t
dropped(const struct writer_counts *counts)
{
	return counts->dropped;
}

static uint64_t
failing(const struct writer_counts *counts)
{
	return counts->failing;
}

static void
put_queues(struct exposition *out, const struct call *call)
{
	static const struct {
		const char *name, *type, *help;
		uint64_t (*value)(const struct writer_counts *counts);
	} families[] = {
		{ "sprov_writer_queue_entries", "gauge",
		    "Entries that wait to be written to a file of the state "
		    "directory.",
		    waiting },
		{ "sprov_writer_queue_limit", "gauge",
		    "How many may wait; what comes then is dropped.",
		    waiting_max },
		{ "sprov_writer_written_total", "counter",
		    "Entries that were written.", written },
		{ "sprov_writer_dropped_total", "counter",
		    "Entries that were lost: to a full queue, or to a file "
		    "that could not be written.",
		    dropped },
		{ "sprov_writer_failing", "gauge",
		    "Whether the last write failed (1) or not (0).", failing },
	};
	const struct guest_view *view = site_guest_view(call->site);
	const struct record_counts record = record_counts(view->record);
	const struct queue queues[] = {
		{ "resyncs", record.resyncs },
		{ "events", record.events },
		{ "choices", record.choices },
		{ "documents", keep_counts(record_keep(view->record)) },
		{ "keys", keystate_counts(view->keys) },
	};

	for (size_t i = 0; i < LENGTH(families); i++) {
		exposition_family(out, families[i].name, families[i].type,
		    families[i].help);
		put_queue_values(out, queues, LENGTH(queues),
		    families[i].value);
	}
}

static void
put_cache(struct exposition *out, const struct call *call)
{
	const struct profile_cache_counts counts =
	    profile_cache_counts(site_guest_view(call->site)->cache);
	struct exposition_label label = { "outcome", "hit" };

	exposition_family(out, "sprov_profile_cache_requests_total", "counter",
	    "Profiles that were looked for in the cache of rendered ones.");
	exposition_integer(out, "", &label, 1, counts.hits);
	label.value = "miss";
	exposition_integer(out, "", &label, 1, counts.misses);
	exposition_family(out, "sprov_profile_cache_evicted_total", "counter",
	    "Profiles that made room for others.");
	exposition_integer(out, "", NULL, 0, counts.evicted);
	exposition_family(out, "sprov_profile_cache_entries", "gauge",
	    "Profiles in the cache.");
	exposition_integer(out, "", NULL, 0, counts.entries);
	exposition_family(out, "sprov_profile_cache_bytes", "gauge",
	    "Their size.");
	exposition_integer(out, "", NULL, 0, counts.bytes);
}

void
figures_workers(struct exposition *out, struct call *call)
{
	put_traffic(out, call);
	put_connections(out, call);
	put_queues(out, call);
	put_cache(out, call);
}
