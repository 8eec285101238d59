/*
 * conn.h -- the life of one connection on its worker's loop.
 *
 *     hello -> turn -> handshake -> request -> answer
 *                                      ^-- kept alive --' `-> closing
 *
 * Until the turn comes nothing is allocated but the connection itself.
 * Every phase has a deadline from the configuration, every buffer a limit.
 */
#ifndef SERVER_CONN_H
#define SERVER_CONN_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "base/addr.h"

struct conn;
struct counters;
struct gate;
struct key_turn;
struct keystate;
struct metrics;
struct profile_cache;
struct record;
struct service;
struct snapshot;

/* What a connection asks of its worker. */
struct conn_host {
	uv_loop_t *loop;
	struct snapshot *snapshot; /* the newest one */
	struct service *service;   /* ditto */
	struct keystate *keys;
	struct profile_cache *cache; /* NULL: none */
	struct record *record;	     /* of answers; NULL: none is kept */
	size_t upload_bytes;	     /* that bodies in flight may need */
	bool stopping;
	struct gate *gate;	   /* whose turn it is */
	struct key_turn *key_turn; /* who waits for a private key */
	struct counters *counters; /* what becomes of all of them */
	struct metrics *metrics;   /* ditto, and what it was about */
	struct conn *first;	   /* all connections, for conn_host_sweep */
	/* Called once for each, after it is closed and freed. */
	void (*ended)(struct conn_host *host);
};

/* Begin with an accepted socket; fd and one reference of service are taken,
 * also on failure (host->ended is called then, too). */
void conn_start(struct conn_host *host, int fd, const struct addr *source,
    struct service *service, size_t listener);

/* The actions of host->gate. */
extern const struct gate_actions conn_gate_actions;

/* Close the oldest connection that has not begun its handshake; false when all
 * have. */
bool conn_host_make_room(struct conn_host *host);

/*
 * Close what waits for another request and would get no answer to it as things
 * stand: all of it when stopping, else connections of an older service.  A
 * first request is waited for, and answered.  With all,
 * close every connection, whatever it does.
 */
void conn_host_sweep(struct conn_host *host, bool all);

#endif
