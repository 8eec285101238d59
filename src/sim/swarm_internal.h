/*
 * swarm_internal.h -- what swarm.c (who comes when) and swarm_attempt.c (one
 * attempt) know of each other.
 */
#ifndef SIM_SWARM_INTERNAL_H
#define SIM_SWARM_INTERNAL_H

#include "base/buf.h"
#include "sim/swarm.h"

struct reply;
struct tls_conn;
struct tls_session;

enum attempt_state {
	ATTEMPT_CONNECTING,
	ATTEMPT_HANDSHAKE,
	ATTEMPT_SENDING,
	ATTEMPT_READING,
};

struct attempt {
	struct swarm *swarm;
	struct attempt *next, *previous; /* by start; all time out alike */
	size_t device;
	enum attempt_state state;
	int fd;
	struct tls_conn *tls;
	struct reply *reply;
	struct buf request;
	size_t sent;
	bool any_body;
	uint64_t due_us, started_us;
	uint32_t address;
	uint16_t port;
};

/* A device that waits: for its power-up delay or its next retry. */
struct wait {
	uint64_t due_us;
	uint32_t device;
};

struct swarm {
	const struct swarm_options *options;
	struct swarm_report *report;
	int epoll;
	struct attempt first; /* head of the ring of those in flight */
	struct attempt *unused;
	uint64_t start_us, random;
	uint32_t next_source;
	size_t next_device;
	struct wait *waiting; /* a heap */
	size_t waiting_count, waiting_size;
	uint16_t *failures;	       /* by device, in a storm */
	uint64_t *powered_us;	       /* ditto */
	bool *served;		       /* by device */
	struct tls_session **sessions; /* by device; NULL: none are kept */
	size_t trace_size;
};

/* The next of a series of random numbers. */
uint64_t swarm_random(struct swarm *swarm);

/* Start an attempt that was due then. */
void attempt_start(struct swarm *swarm, size_t device, uint64_t due_us);

/* Go on as far as it goes. */
void attempt_drive(struct attempt *attempt);

/* Its time is up. */
void attempt_time_out(struct attempt *attempt);

/* Release it, without a word to anybody. */
void attempt_drop(struct attempt *attempt);

/* What swarm.c does about an attempt that has ended. */
void swarm_ended(struct swarm *swarm, size_t device, enum swarm_outcome outcome,
    uint64_t now_us);

#endif
