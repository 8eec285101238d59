/*
 * conn_parts.h -- what conn.c (one connection) and desk.c (all of a loop, and
 * their turns in the pool) share.  Inside them only.
 */
#ifndef ADMIN_CONN_PARTS_H
#define ADMIN_CONN_PARTS_H

#include <stdint.h>

#include "admin/conn.h"
#include "base/buf.h"

enum phase {
	PHASE_HANDSHAKE,
	PHASE_IDLE,
	PHASE_REQUEST,
	PHASE_BODY,
	PHASE_WORK,
	PHASE_ANSWER,
	PHASE_DRAIN, /* what the client still sends is dropped, so that a
		      * reset does not overtake the answer */
	PHASE_CLOSED,
};

struct person {
	struct desk *desk;
	struct person *next, *previous;
	struct person *next_waiting;
	struct front *front;
	struct addr source;
	int fd;
	uv_poll_t poll;
	uv_timer_t timer;
	uv_work_t work;
	unsigned open_handles; /* and works in the pool */
	enum phase phase;
	struct tls_conn *tls;
	char *certificate_name; /* of a person that is trusted; or NULL */
	struct buf in, out;
	size_t sent;
	const char *bytes; /* to be sent after out */
	size_t bytes_len, bytes_sent;
	struct call *call; /* whose answer is on its way */
	struct body *body;
	size_t drained;
	bool keep_alive, queued;
	bool asks;     /* the pool, whether its long body may come ... */
	bool may_send; /* ... and the answer */
	size_t large;  /* bytes of the desk's that its call has; 0: it is not */
	uint64_t began_us;
};

/* conn.c */
void person_close(struct person *person);
void person_release(struct person *person); /* one handle, or a work, ended */
void person_answer(struct person *person);  /* what the pool made */
void person_asked(struct person *person);   /* whether its body may come */

/* desk.c: wait for the pool; wait no more; who has waited longest for nothing
 * makes room for another one. */
void desk_queue(struct person *person);
void desk_leave(struct person *person);
bool desk_make_room(struct desk *desk);

#endif
