/*
 * conn_internal.h -- what the files of a connection know of each other.
 *
 * conn_begin.c has it up to the end of its handshake, conn_request.c while it
 * is asked something, conn_answer.c while it answers; conn.c has its life, and
 * what wakes it.
 */
#ifndef SERVER_CONN_INTERNAL_H
#define SERVER_CONN_INTERNAL_H

#include "base/buf.h"
#include "base/slice.h"
#include "server/admission.h"
#include "server/choose.h"
#include "server/conn.h"
#include "server/counters.h"
#include "server/gate.h"
#include "server/key_turn.h"
#include "server/keystate.h"
#include "spa/peer.h"

struct exchange;
struct metrics;
struct request;

enum phase {
	PHASE_HELLO, /* the ClientHello is awaited; no TLS object yet */
	PHASE_TURN,  /* ... and there; the gate says when to begin */
	PHASE_HANDSHAKE,
	PHASE_REQUEST, /* reading a head */
	PHASE_BODY,    /* reading the body of a report */
	PHASE_WORK,    /* the pool looks at it */
	PHASE_HOLD,    /* the answer is ready, its key not on the disk yet */
	PHASE_ANSWER,  /* writing head and body */
	PHASE_DRAIN,   /* all is said; what the client still sends is dropped,
			* so that a reset does not overtake the answer */
	PHASE_CLOSED,
};

/* What a step of the state machine waits for before the next one. */
enum step {
	STEP_AGAIN,
	STEP_READ,
	STEP_WRITE,
	STEP_TURN,  /* for the gate, or for a far key */
	STEP_FETCH, /* for the pool to have read a file */
	STEP_WORK,  /* for the pool to have read a report */
	STEP_HOLD,  /* for the timer to look again */
	STEP_END,
};

struct conn {
	struct conn_host *host;
	struct conn *next, *previous;
	struct service *service;
	const struct service_listener *listener;
	struct chosen chosen; /* how it came to listener's certificate */
	struct addr source;
	int fd;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned open_handles;
	int events; /* that poll waits for now */
	bool
	    is_parked; /* and that are not for it: it waits for another thing */
	enum phase phase;
	struct tls_conn *tls;
	struct peer *peer; /* NULL until a certificate was read */
	bool keep_alive;   /* after the answer that is being written */
	bool drain;	   /* input may be left when the answer is out */
	bool idle;	   /* between two requests */
	struct buf in;	   /* received, not yet understood */
	struct buf out;	   /* to be sent */
	size_t sent;
	struct slice file;	   /* to be sent after out; the service's */
	uv_work_t fetch;	   /* in the pool, while the disk is asked */
	bool fetched;		   /* what the pool said */
	struct upload *upload;	   /* its body is being read; NULL: none */
	struct intake *intake;	   /* of the upload */
	struct keystate_wish wish; /* of PHASE_HOLD */
	uint64_t hold_until_ms;
	size_t drained;
	uint64_t started_us;
	uint64_t begun_us; /* its handshake, later its request */
	struct waiting waiting;
	int low_water;	       /* of the socket, where it is not 1 */
	struct key_waiter key; /* for a far key; turn is NULL: there is none */
	bool said_hello;       /* all of a ClientHello is there */
	bool resumes;	       /* its ClientHello shows a session of ours */
	bool hung_up;	       /* before its handshake was complete */
	bool asked;	       /* has sent a request */
	bool own;	       /* one of our own: server/visits.h */
};

/* ------------------------------------------------------------------ conn.c */

/* Go on as far as can be without waiting. */
void conn_run(struct conn *conn);

void conn_close(struct conn *conn);

/* Its socket is not to wake it until it waits for that again. */
void conn_park(struct conn *conn);

/* One of its handles, or works in the pool, is no more. */
void conn_release(struct conn *conn);

/* The next phase, and how long it may take. */
void conn_enter(struct conn *conn, enum phase phase, unsigned timeout_ms);

struct exchange conn_exchange(const struct conn *conn);

/* Where what becomes of it is recorded; NULL: nowhere. */
struct record *conn_record(const struct conn *conn);

/* May another request follow on this connection? */
bool conn_may_go_on(const struct conn *conn);

/* --------------------------------------------------------- conn_request.c */

enum step conn_step_request(struct conn *conn);
enum step conn_step_body(struct conn *conn);

/* Nothing was asked, or no more. */
void conn_no_request(struct conn *conn, const char *reason);

/* Put an answer into out that stands for the body, or the rest of it. */
void conn_refuse_body(struct conn *conn, const struct request *request,
    int status, const char *reason);

/* ---------------------------------------------------------- conn_answer.c */

enum step conn_step_answer(struct conn *conn);
enum step conn_step_drain(struct conn *conn);

/* Write what is in out and has not been. */
enum step conn_write_out(struct conn *conn);

/* What is in out is the answer, or how it begins. */
void conn_start_answer(struct conn *conn);

/* The same, but it may only begin when what it wishes for is on the disk. */
void conn_hold_answer(struct conn *conn, const struct keystate_wish *wish);

/* Is that so now?  False: it is waited for no longer. */
bool conn_look_again(struct conn *conn);

/* Ask the pool for a piece of the file, or to look at a report. */
void conn_start_fetch(struct conn *conn);
void conn_start_report(struct conn *conn);

/* ------------------------------------------------------------ conn_begin.c */

enum step conn_step_hello(struct conn *conn);
enum step conn_step_handshake(struct conn *conn);

/* Count it, unless it is one of our own. */
void conn_count(struct conn *conn, enum counter what);

/* Where it is counted in detail; NULL: nowhere. */
struct metrics *conn_metrics(const struct conn *conn);

/* Count what became of a connection whose handshake is not complete; nothing
 * when that was done before, or it is complete. */
void conn_leave(struct conn *conn, enum counter what, enum admission_end end);

/* Stop listening to a far key, unless it has not answered yet.  That may be the
 * end of the connection. */
void conn_close_key(struct conn *conn);

/* Say why the handshake did not end well. */
void conn_handshake_failed(struct conn *conn, const char *reason, bool timeout);

/* It did not say what it wants while there was time: see what came of it. */
void conn_silent(struct conn *conn);

/*
 * The client has hung up in the middle of the handshake; is there no point in
 * going on?  What it sent before may be an alert, which says why; another
 * message would cost us the private operation, for nobody.
 */
bool conn_is_in_vain(struct conn *conn);

#endif
