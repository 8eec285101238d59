/*
 * hold.h -- connections that stand still: what they cost a server, and what
 * they do to others.
 */
#ifndef SIM_HOLD_H
#define SIM_HOLD_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"

struct crowd;
struct tls_context;

enum hold_kind {
	HOLD_TCP,   /* connected, and silent */
	HOLD_HELLO, /* half a ClientHello was sent */
	HOLD_TLS,   /* the handshake is complete, with a certificate */
};
/* "tcp", "hello", "tls"; -1 with ERROR_INPUT for others. */
int hold_kind_parse(const char *text, enum hold_kind *kind,
    struct error *err) MUST_CHECK;

struct hold_options {
	enum hold_kind kind;
	struct crowd *crowd;
	struct addr server;
	struct tls_context *tls;
	const char *host;
	size_t count;
	double rate;			     /* opened per second */
	uint64_t duration_ms;		     /* of all */
	uint32_t source_first, source_count; /* as struct swarm_options */
	const volatile sig_atomic_t *stop;
};

struct hold_report {
	size_t opened, held, held_peak;
	size_t closed;		 /* by the server, after they were held */
	size_t failed;		 /* before */
	uint64_t first_close_ms; /* after the start; 0: none */
};

/* Open them, hold them for the duration, close them. */
int hold_run(const struct hold_options *options, struct hold_report *report,
    struct error *err) MUST_CHECK;

#endif
