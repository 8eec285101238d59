#include "admin/dependents.h"
#include "admin/report.h"
#include "admin/site.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/config.h"
#include "server/service.h"

#include <pthread.h>
#include <stdlib.h>

#define GOOD_MS 300000
#define GOOD_FACTOR 20
#define WANTED_MS 600000 /* nobody asked for so long: let it age */

struct dependents {
	pthread_mutex_t mutex;
	json_t *certificates, *expiry;
	time_t at;
	uint64_t next_ms, asked_ms;
	bool asked, running;
};

struct dependents *
dependents_new(void)
{
	struct dependents *dependents = xcalloc(1, sizeof(*dependents));

	(void)pthread_mutex_init(&dependents->mutex, NULL);
	return dependents;
}

void
dependents_free(struct dependents *dependents)
{
	if (dependents == NULL)
		return;
	json_decref(dependents->certificates);
	json_decref(dependents->expiry);
	(void)pthread_mutex_destroy(&dependents->mutex);
	free(dependents);
}

bool
dependents_is_stale(struct dependents *dependents)
{
	uint64_t now = clock_monotonic_ms();
	bool stale;

	(void)pthread_mutex_lock(&dependents->mutex);
	stale = dependents->asked && !dependents->running &&
	    now >= dependents->next_ms &&
	    now - dependents->asked_ms < WANTED_MS;
	dependents->running |= stale;
	(void)pthread_mutex_unlock(&dependents->mutex);
	return stale;
}

/* NULL: that was logged. */
static json_t *
read_report(const char *const *argv)
{
	char complaint[200] = "", *text = NULL;
	struct error err = { 0 };
	json_t *json = NULL;
	size_t len = 0;
	int status = 0;

	if (report_run(argv, &text, &len, &status, complaint, sizeof(complaint),
		&err) != 0)
		log_message(LOG_LEVEL_WARN, "metrics", "%s: %s", argv[0],
		    err.text);
	else if (status != 0 && status != 3)
		log_message(LOG_LEVEL_WARN, "metrics", "%s: %s", argv[0],
		    complaint);
	else
		json = json_loadb(text, len, 0, NULL);
	free(text);
	return json;
}

void
dependents_refresh(struct dependents *dependents, struct site *site)
{
	struct service *service = site_service(site);
	char *config = xasprintf("--config=%s", site_config_path(site));
	char *inventory = xasprintf("--inventory=%s",
	    service_config(service)->inventory);
	const char *const certificates[] = { "cert", "status", "--no-resolve",
		config, inventory, "--json", NULL };
	const char *const expiry[] = { "doctor", "--expiry", "--no-resolve",
		config, "--json", NULL };
	uint64_t began = clock_monotonic_ms(), good_ms;
	json_t *old[2], *fresh[2];

	fresh[0] = read_report(certificates);
	fresh[1] = read_report(expiry);
	good_ms = GOOD_FACTOR * (clock_monotonic_ms() - began);
	(void)pthread_mutex_lock(&dependents->mutex);
	old[0] = dependents->certificates;
	old[1] = dependents->expiry;
	dependents->certificates = fresh[0];
	dependents->expiry = fresh[1];
	dependents->at = clock_wall();
	dependents->next_ms = clock_monotonic_ms() +
	    (good_ms > GOOD_MS ? good_ms : GOOD_MS);
	dependents->running = false;
	(void)pthread_mutex_unlock(&dependents->mutex);
	json_decref(old[0]);
	json_decref(old[1]);
	free(config);
	free(inventory);
	service_release(service);
}

void
dependents_get(struct dependents *dependents, json_t **certificates,
    json_t **expiry, time_t *at)
{
	(void)pthread_mutex_lock(&dependents->mutex);
	dependents->asked = true;
	dependents->asked_ms = clock_monotonic_ms();
	*certificates = json_incref(dependents->certificates);
	*expiry = json_incref(dependents->expiry);
	*at = dependents->at;
	(void)pthread_mutex_unlock(&dependents->mutex);
}
