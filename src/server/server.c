#include "server/config_inventory.h"
#include "server/server.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "inventory/snapshot.h"
#include "server/accept.h"
#include "server/announce.h"
#include "server/config.h"
#include "server/exceptions.h"
#include "server/guest.h"
#include "server/keep.h"
#include "server/keystate.h"
#include "server/notify.h"
#include "server/privilege.h"
#include "server/profile_cache.h"
#include "server/record.h"
#include "server/service.h"
#include "server/slack.h"
#include "server/sockets.h"
#include "server/standing.h"
#include "server/tftp.h"
#include "server/worker.h"

#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <uv.h>

#define REFRESH_MS 1000 /* how often the inventory is asked */

struct server {
	uv_loop_t loop;
	const char *path;
	const struct guest *guest; /* NULL: none */
	struct service *service;
	struct inventory *inventory;
	struct snapshot *snapshot;
	struct record *record;
	struct keystate *keys;
	struct profile_cache *cache;
	struct sockets sockets;
	struct tftp_sockets tftp_sockets;
	struct tftp *tftp; /* NULL: not started yet */
	struct acceptors *acceptors;
	const struct server_options *options;
	struct selftest *selftest;
	struct errors *findings; /* of a rehearsal */
	struct worker **workers;
	size_t worker_count;
	struct slack slack; /* the pool's */
	uv_signal_t signals[3];
	uv_timer_t refresh_timer, stop_timer;
	bool stopping;
	struct standing standing;
	/* Work in the pool: one piece at a time, results in these. */
	uv_work_t work;
	bool working;
	bool reload_wanted;
	struct service *new_service;
	struct inventory *new_inventory;
	struct snapshot *new_snapshot;
	struct keystate_file *new_keys;
	struct errors work_errors;
};

/* ---------------------------------------------- refresh and reload */

static void
start_selftest(struct server *server)
{
	if (server->options->rehearsal ||
	    service_config(server->service)->self_test)
		selftest_start(server->selftest, server->service,
		    &server->sockets);
}

static void
log_errors(const char *event, const struct errors *errors)
{
	for (size_t i = 0; i < errors->kept; i++)
		log_message(LOG_LEVEL_ERROR, event, "%s", errors->text[i]);
}

static struct inventory *
open_inventory(const struct config *config, struct errors *errors)
{
	struct inventory *inventory;
	struct error err;
	bool has_key = false;

	inventory = config_open_inventory(config, true, &has_key, &err);
	if (inventory == NULL &&
	    (err.kind == ERROR_NOT_FOUND || err.kind == ERROR_INPUT)) {
		/* The first start: make an empty one.  Or the first one after
		 * an upgrade: bring it up to date.  What is no inventory stays
		 * as it is. */
		inventory_close(inventory_open(config->inventory, false, &err));
		inventory = config_open_inventory(config, true, &has_key, &err);
	}
	if (inventory == NULL)
		errors_add(errors, "%s:%u:%u: %s", config->path,
		    config->inventory_place.line,
		    config->inventory_place.column, err.text);
	else if (!has_key)
		log_message(LOG_LEVEL_WARN, "secrets-in-clear",
		    "no secrets-key: passwords and keys in the inventory are "
		    "not encrypted; see sprov.conf(5)");
	return inventory;
}

static struct snapshot *
load_snapshot(struct inventory *inventory, struct errors *errors)
{
	struct snapshot *snapshot;
	struct error err;

	snapshot = snapshot_load(inventory, &err);
	if (snapshot == NULL)
		errors_add(errors, "%s", err.text);
	return snapshot;
}

/* In the pool: has the inventory changed?  Then load it. */
static void
work_refresh(uv_work_t *work)
{
	struct server *server = work->data;
	struct error err;
	uint64_t number;

	slack_look(&server->slack, server->workers, server->worker_count);
	if (inventory_change_number(server->inventory, &number, &err) != 0) {
		errors_add(&server->work_errors, "%s", err.text);
		return;
	}
	if (number == snapshot_change_number(server->snapshot))
		return;
	/* Only what changed is read; the rest is shared with the old one. */
	server->new_snapshot = snapshot_refresh(server->snapshot,
	    server->inventory, &err);
	if (server->new_snapshot == NULL)
		errors_add(&server->work_errors, "%s", err.text);
}

static void
note_inventory(struct server *server)
{
	atomic_store(&server->standing.inventory_at, clock_wall());
	atomic_store(&server->standing.inventory_asked_at, clock_wall());
}

static void
use_snapshot(struct server *server, struct snapshot *snapshot)
{
	keep_use_snapshot(record_keep(server->record), snapshot);
	snapshot_release(server->snapshot);
	server->snapshot = snapshot;
	note_inventory(server);
	for (size_t i = 0; i < server->worker_count; i++)
		worker_update(server->workers[i], NULL, snapshot);
	tftp_update(server->tftp, NULL, NULL, snapshot);
	if (server->guest != NULL)
		server->guest->update(server->guest->arg, snapshot);
	log_message(LOG_LEVEL_INFO, "inventory-loaded",
	    "%zu devices, change %" PRIu64, snapshot_device_count(snapshot),
	    snapshot_change_number(snapshot));
}

static void
start_work(struct server *server, uv_work_cb work, uv_after_work_cb after);
static void start_reload(struct server *server);

static void
work_ended(struct server *server)
{
	errors_clear(&server->work_errors);
	server->working = false;
	if (server->reload_wanted && !server->stopping)
		start_reload(server);
}

static void
after_refresh(uv_work_t *work, int status)
{
	struct server *server = work->data;

	(void)status;
	/* The devices of before are served until the store answers again. */
	log_errors("inventory-failed", &server->work_errors);
	if (server->work_errors.count == 0)
		atomic_store(&server->standing.inventory_asked_at,
		    clock_wall());
	if (server->new_snapshot != NULL && server->stopping)
		snapshot_release(server->new_snapshot);
	else if (server->new_snapshot != NULL)
		use_snapshot(server, server->new_snapshot);
	server->new_snapshot = NULL;
	work_ended(server);
}

static void
watch_exceptions(struct server *server, bool afresh)
{
	const struct config *config = service_config(server->service);

	if (server->keys == NULL)
		return;
	exceptions_watch(keystate_exceptions(server->keys), config->exceptions,
	    config->exception_count, clock_wall(), afresh);
}

static void
on_refresh(uv_timer_t *timer)
{
	struct server *server = timer->data;

	watch_exceptions(server, false);
	if (!server->working)
		start_work(server, work_refresh, after_refresh);
}

/* In the pool: build all that the file asks for, beside what there is. */
static void
work_reload(uv_work_t *work)
{
	struct server *server = work->data;
	struct errors *errors = &server->work_errors;
	struct config *config = config_load(server->path, errors);

	if (config == NULL)
		return;
	server->new_service = service_new(config, errors);
	if (server->new_service == NULL)
		return;
	server->new_inventory =
	    open_inventory(service_config(server->new_service), errors);
	if (server->new_inventory != NULL)
		server->new_snapshot = load_snapshot(server->new_inventory,
		    errors);
	if (server->new_snapshot != NULL)
		server->new_keys = keystate_read(server->keys,
		    service_config(server->new_service)->state_directory);
}

static void
limit_events(const struct server *server)
{
	const struct config *config = service_config(server->service);
	const struct events_limits limits = { config->events_max,
		config->events_days };

	record_limit_events(server->record, &limits);
}

static void
discard_new(struct server *server)
{
	service_release(server->new_service);
	inventory_close(server->new_inventory);
	snapshot_release(server->new_snapshot);
	keystate_file_free(server->new_keys);
	server->new_service = NULL;
	server->new_inventory = NULL;
	server->new_snapshot = NULL;
	server->new_keys = NULL;
}

/* Nothing can fail any more: take over what is new. */
static void
commit_reload(struct server *server, struct sockets *fresh,
    struct tftp_sockets *fresh_tftp)
{
	acceptors_stop(server->acceptors);
	sockets_close(&server->sockets, fresh);
	server->sockets = *fresh;
	service_release(server->service);
	server->service = server->new_service;
	inventory_close(server->inventory);
	server->inventory = server->new_inventory;
	use_snapshot(server, server->new_snapshot);
	server->new_service = NULL;
	server->new_inventory = NULL;
	server->new_snapshot = NULL;
	for (size_t i = 0; i < server->worker_count; i++)
		worker_update(server->workers[i], server->service, NULL);
	tftp_update(server->tftp, fresh_tftp, server->service, NULL);
	tftp_sockets_close(&server->tftp_sockets, fresh_tftp);
	server->tftp_sockets = *fresh_tftp;
	if (server->guest != NULL)
		server->guest->use(server->guest->arg, server->service);
	log_set_level(service_config(server->service)->log_level);
	record_move(server->record,
	    service_config(server->service)->state_directory);
	keystate_move(server->keys, server->new_keys);
	server->new_keys = NULL;
	profile_cache_limit(server->cache,
	    service_config(server->service)->profile_cache);
	limit_events(server);
	keep_use_key(record_keep(server->record),
	    service_secrets_key(server->service));
	acceptors_start(server->acceptors, &server->sockets, server->service);
	announce(server->service, &server->sockets, &server->tftp_sockets);
	watch_exceptions(server, true);
	start_selftest(server);
	atomic_store(&server->standing.configured_at, clock_wall());
	log_message(LOG_LEVEL_INFO, "reloaded", "%s", server->path);
}

static int
prepare_guest(struct server *server, struct service *service,
    struct errors *errors)
{
	if (server->guest == NULL)
		return 0;
	return server->guest->prepare(server->guest->arg, service, errors);
}

/* Open what is new beside what there is; all of it is used, or nothing. */
static bool
try_reload(struct server *server)
{
	const struct config *config = service_config(server->new_service);
	struct errors *errors = &server->work_errors;
	struct tftp_sockets fresh_tftp;
	struct sockets fresh;

	if (sockets_open(&fresh, &server->sockets, config, errors) != 0)
		return false;
	if (tftp_sockets_open(&fresh_tftp, &server->tftp_sockets, config,
		errors) != 0) {
		sockets_close(&fresh, &server->sockets);
		return false;
	}
	if (prepare_guest(server, server->new_service, errors) != 0) {
		sockets_close(&fresh, &server->sockets);
		tftp_sockets_close(&fresh_tftp, &server->tftp_sockets);
		return false;
	}
	commit_reload(server, &fresh, &fresh_tftp);
	return true;
}

static void
after_reload(uv_work_t *work, int status)
{
	struct server *server = work->data;
	bool committed = false;

	(void)status;
	if (server->new_snapshot != NULL && !server->stopping)
		committed = try_reload(server);
	if (!committed && !server->stopping) {
		log_errors("reload-refused", &server->work_errors);
		log_message(LOG_LEVEL_ERROR, "reload-refused",
		    "%s has mistakes: going on as before", server->path);
	}
	discard_new(server);
	atomic_store(&server->standing.reload_refused, !committed);
	if (!server->stopping)
		notify_manager("READY=1");
	work_ended(server);
}

static void
start_reload(struct server *server)
{
	char state[64];

	server->reload_wanted = false;
	(void)snprintf(state, sizeof(state),
	    "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_monotonic_us());
	notify_manager(state);
	start_work(server, work_reload, after_reload);
}

static void
start_work(struct server *server, uv_work_cb work, uv_after_work_cb after)
{
	server->working = true;
	server->work.data = server;
	(void)uv_queue_work(&server->loop, &server->work, work, after);
}

/* ------------------------------------------------------ start and stop */

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
	acceptors_free(server->acceptors);
	server->acceptors = NULL;
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
		start_reload(server);
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
	limit_events(server);
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
	(void)uv_timer_start(&server->refresh_timer, on_refresh, REFRESH_MS,
	    REFRESH_MS);
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
	    prepare_guest(server, server->service, errors) != 0)
		return -1;
	privilege_raise_limits(service_config(server->service));
	if (!server->options->rehearsal &&
	    privilege_drop(service_config(server->service), &err) != 0) {
		errors_add(errors, "%s: %s", server->path, err.text);
		return -1;
	}
	server->inventory = open_inventory(service_config(server->service),
	    errors);
	if (server->inventory == NULL)
		return -1;
	server->snapshot = load_snapshot(server->inventory, errors);
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
	server->acceptors = acceptors_new(&server->loop, server->workers,
	    server->worker_count);
	acceptors_start(server->acceptors, &server->sockets, server->service);
	tftp_update(server->tftp, &server->tftp_sockets, server->service,
	    server->snapshot);
	atomic_store(&server->standing.configured_at, clock_wall());
	note_inventory(server);
	atomic_store(&server->standing.accepting, true);
	announce(server->service, &server->sockets, &server->tftp_sockets);
	watch_exceptions(server, true);
	log_message(LOG_LEVEL_INFO, "started",
	    "sprov " SPROV_VERSION ", %zu devices, %zu workers",
	    snapshot_device_count(server->snapshot), server->worker_count);
	notify_manager("READY=1");
	start_selftest(server);
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
