/*
 * look.h -- see a server with the eyes of a TLS stack: connect, shake hands,
 * ask once, and note everything that a device would judge by.
 *
 * Nothing is verified here and nothing secret is sent: provision/check.h
 * judges what was seen.
 */
#ifndef SIM_LOOK_H
#define SIM_LOOK_H

#include "base/addr.h"
#include "base/error.h"
#include "provision/check.h"

struct chain;
struct stack;

struct sim_look {
	const struct stack *stack;
	const char *host; /* of the URL: for SNI and the Host field */
	uint16_t port;
	const char *path; /* NULL: ask for nothing */
	const char *user_agent;
	const struct chain *identity; /* NULL: show no certificate */
	unsigned timeout_ms;	   /* for each of connect, handshake, answer */
	const struct addr *source; /* to come from; NULL: the system's choice */
	void (*bound)(void *arg, const struct addr *source); /* stream.h */
	void *bound_arg;
};

/*
 * Look at the server at that address.  All of *view is set but the addresses of
 * the common name; check_view_clear() releases it.  -1 when the stack cannot be
 * simulated here; that nobody answers is no error.
 */
int sim_look(const struct sim_look *look, const struct addr *address,
    struct check_view *view, struct error *err) MUST_CHECK;

#endif
