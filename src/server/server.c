#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "inventory/snapshot.h"
#include "server/announce.h"
#include "server/guest.h"
#include "server/keep.h"
#include "server/notify.h"
#include "server/privilege.h"
#include "server/profile_cache.h"
#include "server/record.h"
#include "server/server_internal.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>

#include <uv.h>

#define REFRESH_MS 1000 /* how often the inventory is asked */

static void
on_stop_timeout(uv_timer_t *timer)
{
	struct server *server = timer->data;

	log_message(LOG_LEVEL_WARN, "stopping",
	    "closing the connections that are still open");
	for (size_t i = 0; i < server->worker_count; i++)
		worker_abort(server->workers[i]);
}

/* The workers end when their last connection does; then the loop may end. */
static void
on_stop_check(uv_timer_t *timer)
{
	struct server *server = timer->data;

	for (size_t i = 0; i < server->worker_count; i++)
		if (worker_connection_count(server->workers[i]) > 0)
			return;
	uv_close((uv_handle_t *)&server->refresh_timer, NULL);
	uv_close((uv_handle_t *)&server->stop_timer, NULL);
	for (size_t i = 0; i < 3; i++)
		uv_close((uv_handle_t *)&server->signals[i], NULL);
}

static void
begin_stop(struct server *server)
{
	if (server->stopping) { /* asked twice: no more patience */
		on_stop_timeout(&server->stop_timer);
		return;
	}
	server->stopping = true;
	atomic_store(&server->standing.accepting, false);
	selftest_stop(server->selftest);
	notify_manager("STOPPING=1");
	log_message(LOG_LEVEL_INFO, "stopping", "no new connections");
	/* What was accepted before is in a worker's queue, or its own, before
	 * the order to stop. */
	crew_listen(&server->crew, NULL, NULL);
	sockets_close(&server->sockets, NULL);
	tftp_stop(server->tftp);
	server->tftp = NULL;
	for (size_t i = 0; i < server->worker_count; i++)
		worker_stop(server->workers[i]);
	(void)uv_timer_start(&server->stop_timer, on_stop_timeout,
	    service_config(server->service)->stop_timeout_ms, 0);
	(void)uv_timer_start(&server->refresh_timer, on_stop_check, 0, 20);
}

static void
on_signal(uv_signal_t *handle, int signal)
{
	struct server *server = handle->data;

	if (signal != SIGHUP) {
		begin_stop(server);
		return;
	}
	if (server->stopping)
		return;
	if (server->working)
		server->reload_wanted = true;
	else
		server_start_reload(server);
}

static int
start_record(struct server *server, struct errors *errors)
{
	struct error err;

	server->record =
	    record_start(service_config(server->service)->state_directory,
		&err);
	if (server->record == NULL) {
		errors_add(errors, "%s", err.text);
		return -1;
	}
	server_limit_events(server);
	keep_use_key(record_keep(server->record),
	    service_secrets_key(server->service));
	keep_use_snapshot(record_keep(server->record), server->snapshot);
	server->cache =
	    profile_cache_new(service_config(server->service)->profile_cache);
	server->keys =
	    keystate_start(service_config(server->service)->state_directory,
		&err);
	if (server->keys != NULL)
		return 0;
	errors_add(errors, "%s", err.text);
	return -1;
}

static int
start_tftp(struct server *server, struct errors *errors)
{
	struct error err;

	server->tftp = tftp_start(&err);
	if (server->tftp == NULL)
		errors_add(errors, "%s", err.text);
	return server->tftp != NULL ? 0 : -1;
}

static int
start_workers(struct server *server, struct errors *errors)
{
	const struct config *config = service_config(server->service);
	size_t wanted = config->workers;
	struct error err;

	if (wanted == 0)
		wanted = uv_available_parallelism();
	server->workers = xcalloc(wanted, sizeof(struct worker *));
	for (size_t i = 0; i < wanted; i++) {
		struct worker *worker = worker_start(server->service,
		    server->snapshot, &err);

		if (worker == NULL) {
			errors_add(errors, "%s", err.text);
			return -1;
		}
		worker_use_record(worker, server->record);
		worker_use_keys(worker, server->keys, server->cache);
		server->workers[server->worker_count++] = worker;
	}
	return 0;
}

static void
start_handles(struct server *server)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };

	for (size_t i = 0; i < 3; i++) {
		(void)uv_signal_init(&server->loop, &server->signals[i]);
		server->signals[i].data = server;
		(void)uv_signal_start(&server->signals[i], on_signal,
		    numbers[i]);
	}
	(void)uv_timer_init(&server->loop, &server->refresh_timer);
	(void)uv_timer_init(&server->loop, &server->stop_timer);
	server->refresh_timer.data = server;
	server->stop_timer.data = server;
	(void)uv_timer_start(&server->refresh_timer, server_on_refresh,
	    REFRESH_MS, REFRESH_MS);
}

/* Everything that needs root comes before privilege_drop(). */
static int
prepare(struct server *server, struct errors *errors)
{
	struct config *config = config_load(server->path, errors);
	static const struct tftp_sockets no_sockets = { .list = NULL };
	struct sockets inherited;
	struct error err;
	int rc;

	if (config == NULL)
		return -1;
	if (server->options->rehearsal)
		selftest_rehearse(config);
	log_set_level(config->log_level);
	server->service = service_new(config, errors);
	if (server->service == NULL)
		return -1;
	config = NULL; /* the service's now */
	sockets_inherit(&inherited);
	rc = sockets_open(&server->sockets, &inherited,
	    service_config(server->service), errors);
	sockets_close(&inherited, &server->sockets);
	if (rc != 0 ||
	    tftp_sockets_open(&server->tftp_sockets, &no_sockets,
		service_config(server->service), errors) != 0 ||
	    server_prepare_guest(server, server->service, errors) != 0)
		return -1;
	privilege_raise_limits(service_config(server->service));
	if (!server->options->rehearsal &&
	    privilege_drop(service_config(server->service), &err) != 0) {
		errors_add(errors, "%s: %s", server->path, err.text);
		return -1;
	}
	server->inventory =
	    server_open_inventory(service_config(server->service), errors);
	if (server->inventory == NULL)
		return -1;
	server->snapshot = server_load_snapshot(server->inventory, errors);
	return server->snapshot != NULL ? 0 : -1;
}

static int
start_guest(struct server *server, struct errors *errors)
{
	const struct guest *guest = server->guest;
	const struct guest_view view = {
		.workers = server->workers,
		.worker_count = server->worker_count,
		.record = server->record,
		.keys = server->keys,
		.cache = server->cache,
		.standing = &server->standing,
	};
	struct error err;

	if (guest == NULL)
		return 0;
	if (guest->start(guest->arg, &view, &err) != 0) {
		errors_add(errors, "%s", err.text);
		return -1;
	}
	guest->update(guest->arg, server->snapshot);
	guest->use(guest->arg, server->service);
	return 0;
}

static void
rehearsal_ended(void *arg, const struct errors *errors)
{
	struct server *server = arg;

	for (size_t i = 0; i < errors->kept; i++)
		errors_add(server->findings, "%s", errors->text[i]);
	begin_stop(server);
}

static void
serve(struct server *server)
{
	start_handles(server);
	server->crew.workers = server->workers;
	server->crew.count = server->worker_count;
	crew_listen(&server->crew, &server->sockets, server->service);
	tftp_update(server->tftp, &server->tftp_sockets, server->service,
	    server->snapshot);
	atomic_store(&server->standing.configured_at, clock_wall());
	server_note_inventory(server);
	atomic_store(&server->standing.accepting, true);
	announce(server->service, &server->sockets, &server->tftp_sockets);
	server_watch_exceptions(server, true);
	log_message(LOG_LEVEL_INFO, "started",
	    "sprov " SPROV_VERSION ", %zu devices, %zu workers",
	    snapshot_device_count(server->snapshot), server->worker_count);
	notify_manager("READY=1");
	server_start_selftest(server);
	(void)uv_run(&server->loop, UV_RUN_DEFAULT);
	announce_counters(server->workers, server->worker_count);
	log_message(LOG_LEVEL_INFO, "stopped", "all connections are closed");
}

static void
end_workers(struct server *server)
{
	for (size_t i = 0; i < server->worker_count; i++) {
		worker_stop(server->workers[i]);
		worker_join(server->workers[i]);
	}
	free(server->workers);
}

int
server_run(const char *path, const struct server_options *options,
    struct errors *errors)
{
	struct server server = { .path = path,
		.options = options,
		.guest = options->guest,
		.findings = errors };
	struct error err;
	int rc;

	/*
	 * Each answer frees a large block, at which malloc would merge all
	 * small ones that it keeps, to split them again at once.
	 */
	(void)mallopt(M_MXFAST, 0);
	/* A peer that is gone shows as an error of write(). */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)uv_loop_init(&server.loop);
	rc = prepare(&server, errors);
	if (rc == 0 && (rc = log_start(&err)) != 0)
		errors_add(errors, "%s", err.text);
	if (rc == 0 && !options->rehearsal)
		rc = start_record(&server, errors);
	if (rc == 0 && options->self_test != NULL)
		server.selftest = selftest_new(&server.loop, options->self_test,
		    record_visits(server.record),
		    options->rehearsal ? rehearsal_ended : NULL, &server);
	if (rc == 0)
		rc = start_tftp(&server, errors);
	if (rc == 0)
		rc = start_workers(&server, errors);
	if (rc == 0 && (rc = start_guest(&server, errors)) == 0)
		serve(&server);
	if (options->guest != NULL)
		options->guest->stop(options->guest->arg);
	rc = options->rehearsal && errors->count > 0 ? -1 : rc;
	end_workers(&server);
	selftest_free(server.selftest);
	tftp_stop(server.tftp);
	tftp_sockets_close(&server.tftp_sockets, NULL);
	record_stop(server.record);
	keystate_stop(server.keys);
	profile_cache_free(server.cache);
	sockets_close(&server.sockets, NULL);
	snapshot_release(server.snapshot);
	inventory_close(server.inventory);
	service_release(server.service);
	(void)uv_loop_close(&server.loop);
	log_stop();
	return rc;
}
