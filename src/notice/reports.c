#include "notice/reports.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/child.h"
#include "server/config.h"
#include "server/guest.h"
#include "server/metrics.h"
#include "server/service.h"
#include "server/worker.h"

#include <stdlib.h>
#include <string.h>

#define OUTPUT_MAX (32 * 1024 * 1024)
#define TIMEOUT_MS 60000
#define PAUSE_FACTOR 10
#define WINDOW_MS 600000
#define SAMPLES 128

extern char **environ;

enum report_kind {
	REPORT_CERTIFICATES,
	REPORT_EXPIRY,
	REPORT_DOCTOR,
	REPORT_MIGRATIONS,
	REPORTS,
};

/* The words of each, and whether it takes --inventory. */
static const struct {
	const char *words[4];
	bool inventory;
} commands[REPORTS] = {
	[REPORT_CERTIFICATES] = { { "cert", "status", "--no-resolve", NULL },
	    true },
	[REPORT_EXPIRY] = { { "doctor", "--expiry", "--no-resolve", NULL },
	    false },
	[REPORT_DOCTOR] = { { "doctor", "--no-resolve", NULL }, false },
	[REPORT_MIGRATIONS] = { { "migrate", "list", NULL }, false },
};

struct sample {
	uint64_t at_ms, served, all;
};

struct reports {
	const char *config_path;
	int cancel_fd;
	json_t *last[REPORTS];
	uint64_t next_ms[REPORTS];
	struct sample samples[SAMPLES]; /* the oldest first */
	size_t sample_count;
};

struct reports *
reports_new(const char *config_path, int cancel_fd)
{
	struct reports *reports = xcalloc(1, sizeof(*reports));

	reports->config_path = config_path;
	reports->cancel_fd = cancel_fd;
	/* The workers began at nothing. */
	reports->samples[0].at_ms = clock_monotonic_ms();
	reports->sample_count = 1;
	return reports;
}

void
reports_free(struct reports *reports)
{
	if (reports == NULL)
		return;
	for (size_t i = 0; i < REPORTS; i++)
		json_decref(reports->last[i]);
	free(reports);
}

/* ----------------------------------------------------------------- reports */

static json_t *
run(const struct reports *reports, const struct service *service,
    enum report_kind kind)
{
	char *argv[10] = { xstrdup("sprov") };
	size_t count = 1;
	struct child_result result = { .output = NULL };
	struct error err = { 0 };
	json_t *json = NULL;

	for (size_t i = 0; commands[kind].words[i] != NULL; i++)
		argv[count++] = xstrdup(commands[kind].words[i]);
	argv[count++] = xasprintf("--config=%s", reports->config_path);
	if (commands[kind].inventory)
		argv[count++] = xasprintf("--inventory=%s",
		    service_config(service)->inventory);
	argv[count++] = xstrdup("--json");
	if (child_run(&(const struct child) { .path = "/proc/self/exe",
			  .argv = argv,
			  .environment = environ,
			  .output_max = OUTPUT_MAX,
			  .timeout_ms = TIMEOUT_MS,
			  .cancel_fd = reports->cancel_fd },
		&result, &err) != 0)
		log_message(LOG_LEVEL_WARN, "notify", "sprov %s: %s", argv[1],
		    err.text);
	else if (result.status == 0 || result.status == 3)
		json = json_loadb(result.output, result.output_len, 0, NULL);
	else
		log_message(LOG_LEVEL_WARN, "notify", "sprov %s: %s", argv[1],
		    result.complaint);
	free(result.output);
	for (size_t i = 0; i < count; i++)
		free(argv[i]);
	return json;
}

/* As new as it has to be; NULL: there is none. */
static const json_t *
get(struct reports *reports, const struct service *service,
    enum report_kind kind, unsigned every_ms)
{
	uint64_t began = clock_monotonic_ms(), pause_ms;

	if (began < reports->next_ms[kind])
		return reports->last[kind];
	json_decref(reports->last[kind]);
	reports->last[kind] = run(reports, service, kind);
	pause_ms = PAUSE_FACTOR * (clock_monotonic_ms() - began);
	reports->next_ms[kind] = clock_monotonic_ms() +
	    (pause_ms > every_ms ? pause_ms : every_ms);
	return reports->last[kind];
}

void
reports_look(struct reports *reports, const struct service *service,
    const bool wanted[static NOTIFY_KINDS], unsigned every_ms, time_t now,
    struct notices *notices, bool known[static NOTIFY_KINDS])
{
	const struct config *config = service_config(service);
	const json_t *doctor = NULL;

	if (wanted[NOTIFY_EXPIRY]) {
		look_certificates(notices,
		    get(reports, service, REPORT_CERTIFICATES, every_ms));
		look_anchors(notices,
		    get(reports, service, REPORT_EXPIRY, every_ms), now);
	}
	if (wanted[NOTIFY_FAILURE] || wanted[NOTIFY_CLONE]) {
		doctor = get(reports, service, REPORT_DOCTOR, every_ms);
		look_doctor(notices, doctor);
		known[NOTIFY_FAILURE] = doctor != NULL &&
		    notices->count < NOTICES_MAX;
	}
	if (wanted[NOTIFY_MIGRATION])
		look_migrations(notices,
		    get(reports, service, REPORT_MIGRATIONS, every_ms));
	if (wanted[NOTIFY_EXCEPTION])
		look_exceptions(notices, config->exceptions,
		    config->exception_count, now);
}

/* -------------------------------------------------------------------- rate */

static void
add_values(const struct guest_view *view,
    const struct service_listener *listener,
    uint64_t values[static METRICS_VALUES])
{
	for (size_t i = 0; i < view->worker_count; i++)
		metrics_read(worker_metrics(view->workers[i]),
		    listener->metrics_key, values);
}

/* Who refuses our certificate should have been served, too. */
static void
count(struct sample *sample, const uint64_t values[static METRICS_VALUES])
{
	for (size_t reason = 0; reason < METRICS_REASONS; reason++) {
		sample->served +=
		    values[metrics_at_request(reason, METRICS_SERVED)];
		for (int result = 0; result < METRICS_RESULTS; result++)
			sample->all += values[metrics_at_request(reason,
			    (enum metrics_result)result)];
	}
	for (int v = 0; v < METRICS_VERSIONS; v++)
		for (size_t alert = 0; alert < METRICS_ALERTS; alert++)
			sample->all +=
			    values[metrics_at_alert((enum metrics_version)v,
				METRICS_FROM_CLIENT, alert)];
}

static struct sample
measure(const struct service *service, const struct guest_view *view)
{
	struct sample sample = { .at_ms = clock_monotonic_ms() };

	for (size_t i = 0; i < service_listener_count(service); i++) {
		const struct service_listener *listener =
		    service_listener(service, i);
		uint64_t *values = xcalloc(METRICS_VALUES, sizeof(*values));

		add_values(view, listener, values);
		for (size_t j = 1; j < listener->alternative_count; j++)
			add_values(view, &listener->alternatives[j], values);
		count(&sample, values);
		free(values);
	}
	return sample;
}

static void
drop_oldest(struct reports *reports)
{
	reports->sample_count--;
	memmove(&reports->samples[0], &reports->samples[1],
	    reports->sample_count * sizeof(*reports->samples));
}

void
reports_rate(struct reports *reports, const struct service *service,
    const struct guest_view *view, uint64_t *served, uint64_t *all)
{
	struct sample now = measure(service, view);

	/* A listener that is gone takes along what it had counted. */
	while (reports->sample_count > 0 &&
	    (reports->sample_count == SAMPLES ||
		now.at_ms - reports->samples[0].at_ms > WINDOW_MS ||
		now.all < reports->samples[0].all ||
		now.served < reports->samples[0].served))
		drop_oldest(reports);
	reports->samples[reports->sample_count++] = now;
	*served = now.served - reports->samples[0].served;
	*all = now.all - reports->samples[0].all;
}
