/*
 * server_internal.h -- what server.c and server_reload.c know of each other.
 *
 * server.c starts and stops; server_reload.c follows what changes meanwhile: the
 * inventory, and the configuration when asked to.
 */
#ifndef SERVER_SERVER_INTERNAL_H
#define SERVER_SERVER_INTERNAL_H

#include "server/accept.h"
#include "server/config.h"
#include "server/keystate.h"
#include "server/server.h"
#include "server/service.h"
#include "server/slack.h"
#include "server/sockets.h"
#include "server/standing.h"
#include "server/tftp.h"
#include "server/worker.h"

#include <uv.h>

struct profile_cache;

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
	const struct server_options *options;
	struct selftest *selftest;
	struct errors *findings; /* of a rehearsal */
	struct worker **workers;
	size_t worker_count;
	struct crew crew;   /* of these workers */
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

/* --------------------------------------------------------- server_reload.c */

/* Open what config names; complaints go into errors.  NULL: it cannot be. */
struct inventory *
server_open_inventory(const struct config *config, struct errors *errors);
struct snapshot *
server_load_snapshot(struct inventory *inventory, struct errors *errors);

/* The guest, where there is one, says whether it can do with service. */
int server_prepare_guest(struct server *server, struct service *service,
    struct errors *errors) MUST_CHECK;

/* As the configuration in use says. */
void server_limit_events(const struct server *server);
void server_watch_exceptions(struct server *server, bool afresh);
void server_start_selftest(struct server *server);

/* What there is of the inventory is as of now. */
void server_note_inventory(struct server *server);

/* Of the timer that looks for what has changed. */
void server_on_refresh(uv_timer_t *timer);

/* Read the configuration anew.  No work may be under way. */
void server_start_reload(struct server *server);

#endif
