#include "admin/site.h"
#include "admin/dependents.h"
#include "admin/pulse.h"
#include "admin/refusals.h"
#include "admin/replay.h"
#include "admin/report.h"
#include "admin/session.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "inventory/finder.h"
#include "inventory/resyncs.h"
#include "inventory/snapshot.h"
#include "server/config.h"
#include "server/counters.h"
#include "server/metrics.h"
#include "server/service.h"
#include "server/worker.h"

#include <pthread.h>
#include <stdlib.h>

#include <openssl/rand.h>

#define SEEN_MS 10000	      /* how old what is known of resyncs may get */
#define WHOLE_MS 300000	      /* how long to add only what is new of them */
#define LATE_S 60	      /* an answer may be recorded so much later */
#define WANTED_MS 60000	      /* nobody asked for so long: let it age */
#define BUILD_PAUSE_FACTOR 10 /* at most a tenth of the time goes into it */

struct site {
	const char *config_path;
	struct guest_view view;
	time_t started_at;
	struct report_cache *reports;
	struct sessions *sessions;
	struct pulse *pulse;
	struct dependents *dependents;
	struct replay *replay;
	struct refusals *refusals;
	uint8_t tag_key[SITE_TAG_KEY_BYTES];
	pthread_mutex_t writing;
	pthread_mutex_t mutex; /* of what follows */
	struct service *service;
	struct snapshot *snapshot;
	struct finder *finder;
	uint64_t built_ms, next_build_ms, asked_ms;
	uint64_t whole_ms; /* when all of the record was read; 0: it was not */
	time_t seen_at;	   /* until when it was read since */
	bool building;
};

struct site *
site_new(const char *config_path)
{
	struct site *site = xcalloc(1, sizeof(*site));

	site->config_path = config_path;
	site->started_at = clock_wall();
	site->reports = report_cache_new();
	site->sessions = sessions_new();
	site->pulse = pulse_new();
	site->dependents = dependents_new();
	site->replay = replay_new();
	site->refusals = refusals_new();
	if (RAND_bytes(site->tag_key, sizeof(site->tag_key)) != 1)
		abort(); /* nothing at all works without */
	(void)pthread_mutex_init(&site->writing, NULL);
	(void)pthread_mutex_init(&site->mutex, NULL);
	return site;
}

void
site_free(struct site *site)
{
	if (site == NULL)
		return;
	report_cache_free(site->reports);
	sessions_free(site->sessions);
	pulse_free(site->pulse);
	dependents_free(site->dependents);
	replay_free(site->replay);
	refusals_free(site->refusals);
	(void)pthread_mutex_destroy(&site->writing);
	finder_release(site->finder);
	snapshot_release(site->snapshot);
	service_release(site->service);
	(void)pthread_mutex_destroy(&site->mutex);
	free(site);
}

void
site_view(struct site *site, const struct guest_view *view)
{
	site->view = *view;
}

void
site_use_service(struct site *site, struct service *service)
{
	struct service *old;

	(void)pthread_mutex_lock(&site->mutex);
	old = site->service;
	site->service = service_retain(service);
	(void)pthread_mutex_unlock(&site->mutex);
	service_release(old);
}

void
site_use_snapshot(struct site *site, struct snapshot *snapshot)
{
	struct snapshot *old;

	(void)pthread_mutex_lock(&site->mutex);
	old = site->snapshot;
	site->snapshot = snapshot_retain(snapshot);
	(void)pthread_mutex_unlock(&site->mutex);
	snapshot_release(old);
}

const char *
site_config_path(const struct site *site)
{
	return site->config_path;
}

const struct guest_view *
site_guest_view(const struct site *site)
{
	return &site->view;
}

struct report_cache *
site_reports(struct site *site)
{
	return site->reports;
}

struct sessions *
site_sessions(struct site *site)
{
	return site->sessions;
}

struct dependents *
site_dependents(struct site *site)
{
	return site->dependents;
}

struct pulse *
site_pulse(struct site *site)
{
	return site->pulse;
}

struct replay *
site_replay(struct site *site)
{
	return site->replay;
}

struct refusals *
site_refusals(struct site *site)
{
	return site->refusals;
}

const uint8_t *
site_tag_key(const struct site *site)
{
	return site->tag_key;
}

void
site_write_lock(struct site *site)
{
	(void)pthread_mutex_lock(&site->writing);
}

void
site_write_unlock(struct site *site)
{
	(void)pthread_mutex_unlock(&site->writing);
}

time_t
site_started_at(const struct site *site)
{
	return site->started_at;
}

struct service *
site_service(struct site *site)
{
	struct service *service;

	(void)pthread_mutex_lock(&site->mutex);
	service = service_retain(site->service);
	(void)pthread_mutex_unlock(&site->mutex);
	return service;
}

struct snapshot *
site_snapshot(struct site *site)
{
	struct snapshot *snapshot;

	(void)pthread_mutex_lock(&site->mutex);
	snapshot = snapshot_retain(site->snapshot);
	(void)pthread_mutex_unlock(&site->mutex);
	return snapshot;
}

/* -------------------------------------------------------------- the index */

/* Without a record of resyncs nobody was seen yet.  False: it cannot be read. */
static bool
add_resyncs(struct finder *finder, const struct config *config, time_t since)
{
	char *path = file_join(config->state_directory, RESYNCS_FILE);
	struct error err = { 0 };
	struct resyncs *resyncs = resyncs_open(path, true, &err);
	bool good;

	if (resyncs != NULL)
		good = finder_see(finder, resyncs, since, &err) == 0;
	else
		good = err.kind == ERROR_NOT_FOUND;
	if (!good)
		log_message(LOG_LEVEL_WARN, "admin", "%s", err.text);
	resyncs_close(resyncs);
	free(path);
	return good;
}

/* The index of now, where it only has to learn what was answered since; NULL:
 * it has to be made anew. */
static struct finder *
get_last(struct site *site, const struct snapshot *snapshot, time_t now,
    time_t *since)
{
	struct finder *last = NULL;

	(void)pthread_mutex_lock(&site->mutex);
	if (site->finder != NULL && site->whole_ms != 0 &&
	    clock_monotonic_ms() - site->whole_ms < WHOLE_MS &&
	    now >= site->seen_at &&
	    finder_change_number(site->finder) ==
		snapshot_change_number(snapshot)) {
		last = finder_retain(site->finder);
		*since = site->seen_at - LATE_S;
	}
	(void)pthread_mutex_unlock(&site->mutex);
	return last;
}

static struct finder *
build(struct site *site)
{
	struct snapshot *snapshot = site_snapshot(site);
	struct service *service = site_service(site);
	time_t now = clock_wall(), since = 0;
	struct finder *last = get_last(site, snapshot, now, &since), *finder;
	bool good;

	finder = last != NULL ? finder_again(last) : finder_new(snapshot);
	good = add_resyncs(finder, service_config(service), since);
	(void)pthread_mutex_lock(&site->mutex);
	site->seen_at = now;
	if (!good)
		site->whole_ms = 0;
	else if (last == NULL)
		site->whole_ms = clock_monotonic_ms();
	(void)pthread_mutex_unlock(&site->mutex);
	finder_release(last);
	snapshot_release(snapshot);
	service_release(service);
	return finder;
}

void
site_refresh(struct site *site)
{
	uint64_t began = clock_monotonic_ms(), took;
	struct finder *finder = build(site), *old;

	took = clock_monotonic_ms() - began;
	(void)pthread_mutex_lock(&site->mutex);
	old = site->finder;
	site->finder = finder;
	site->building = false;
	site->built_ms = clock_monotonic_ms();
	site->next_build_ms = site->built_ms + 1000 + BUILD_PAUSE_FACTOR * took;
	(void)pthread_mutex_unlock(&site->mutex);
	finder_release(old);
}

struct finder *
site_finder(struct site *site)
{
	struct finder *finder = NULL;

	(void)pthread_mutex_lock(&site->mutex);
	site->asked_ms = clock_monotonic_ms();
	if (site->finder != NULL)
		finder = finder_retain(site->finder);
	(void)pthread_mutex_unlock(&site->mutex);
	if (finder != NULL)
		return finder;
	site_refresh(site);
	return site_finder(site);
}

bool
site_is_stale(struct site *site)
{
	uint64_t now = clock_monotonic_ms();
	bool stale;

	(void)pthread_mutex_lock(&site->mutex);
	stale = !site->building && site->snapshot != NULL &&
	    now >= site->next_build_ms &&
	    (site->finder == NULL ||
		finder_change_number(site->finder) !=
		    snapshot_change_number(site->snapshot) ||
		(now - site->asked_ms < WANTED_MS &&
		    now - site->built_ms >= SEEN_MS));
	site->building |= stale;
	(void)pthread_mutex_unlock(&site->mutex);
	return stale;
}

/* ------------------------------------------------------------------ pulse */

static uint64_t
sum(const struct site *site, enum counter which)
{
	uint64_t total = 0;

	for (size_t i = 0; i < site->view.worker_count; i++)
		total += counters_get(worker_counters(site->view.workers[i]),
		    which);
	return total;
}

/* Adds what a listener with one of its certificates has measured. */
static void
add_latencies(const struct site *site, uint64_t key,
    struct pulse_totals *totals)
{
	uint64_t values[METRICS_VALUES] = { 0 };

	for (size_t i = 0; i < site->view.worker_count; i++)
		metrics_read(worker_metrics(site->view.workers[i]), key,
		    values);
	for (int which = 0; which < METRICS_LATENCIES; which++)
		for (size_t i = 0; i < METRICS_CLASSES; i++)
			totals->classes[which][i] +=
			    values[metrics_at_class((enum metrics_latency)which,
				i)];
}

static void
sum_latencies(struct site *site, struct pulse_totals *totals)
{
	struct service *service = site_service(site);

	for (size_t i = 0; i < service_listener_count(service); i++) {
		const struct service_listener *listener =
		    service_listener(service, i);

		/* The first one of several is the listener itself. */
		add_latencies(site, listener->metrics_key, totals);
		for (size_t j = 1; j < listener->alternative_count; j++)
			add_latencies(site,
			    listener->alternatives[j].metrics_key, totals);
	}
	service_release(service);
}

void
site_sample(struct site *site)
{
	struct pulse_totals totals = {
		.at_us = clock_monotonic_us(),
		.at = clock_wall(),
		.accepted = sum(site, COUNT_ACCEPTED),
		.completed = sum(site, COUNT_COMPLETED),
		.failed = sum(site, COUNT_FAILED) + sum(site, COUNT_TIMED_OUT),
		.answered = sum(site, COUNT_ANSWERED),
	};
	bool has_service;

	(void)pthread_mutex_lock(&site->mutex);
	has_service = site->service != NULL; /* from then on, for good */
	(void)pthread_mutex_unlock(&site->mutex);
	if (has_service)
		sum_latencies(site, &totals);
	pulse_add(site->pulse, &totals);
}
