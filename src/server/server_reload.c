#include "base/clock.h"
#include "base/log.h"
#include "inventory/snapshot.h"
#include "server/announce.h"
#include "server/config_inventory.h"
#include "server/exceptions.h"
#include "server/guest.h"
#include "server/keep.h"
#include "server/notify.h"
#include "server/profile_cache.h"
#include "server/record.h"
#include "server/server_internal.h"

#include <inttypes.h>
#include <stdio.h>

void
server_start_selftest(struct server *server)
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

struct inventory *
server_open_inventory(const struct config *config, struct errors *errors)
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

struct snapshot *
server_load_snapshot(struct inventory *inventory, struct errors *errors)
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

void
server_note_inventory(struct server *server)
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
	server_note_inventory(server);
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

static void
work_ended(struct server *server)
{
	errors_clear(&server->work_errors);
	server->working = false;
	if (server->reload_wanted && !server->stopping)
		server_start_reload(server);
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

void
server_watch_exceptions(struct server *server, bool afresh)
{
	const struct config *config = service_config(server->service);

	if (server->keys == NULL)
		return;
	exceptions_watch(keystate_exceptions(server->keys), config->exceptions,
	    config->exception_count, clock_wall(), afresh);
}

void
server_on_refresh(uv_timer_t *timer)
{
	struct server *server = timer->data;

	server_watch_exceptions(server, false);
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
	    server_open_inventory(service_config(server->new_service), errors);
	if (server->new_inventory != NULL)
		server->new_snapshot =
		    server_load_snapshot(server->new_inventory, errors);
	if (server->new_snapshot != NULL)
		server->new_keys = keystate_read(server->keys,
		    service_config(server->new_service)->state_directory);
}

void
server_limit_events(const struct server *server)
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
	server_limit_events(server);
	keep_use_key(record_keep(server->record),
	    service_secrets_key(server->service));
	/* The workers know the service by now; those that were told first may
	 * give a connection of it to the others. */
	crew_listen(&server->crew, fresh, server->service);
	sockets_close(&server->sockets, fresh);
	server->sockets = *fresh;
	announce(server->service, &server->sockets, &server->tftp_sockets);
	server_watch_exceptions(server, true);
	server_start_selftest(server);
	atomic_store(&server->standing.configured_at, clock_wall());
	log_message(LOG_LEVEL_INFO, "reloaded", "%s", server->path);
}

int
server_prepare_guest(struct server *server, struct service *service,
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
	if (server_prepare_guest(server, server->new_service, errors) != 0) {
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

void
server_start_reload(struct server *server)
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
