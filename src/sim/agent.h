/*
 * agent.h -- the User-Agent that a simulated device sends.
 *
 * Its form is that of the model in the registry, where the source is said:
 * "Cisco/SPA504G-{version} ({MAC})({serial})".
 */
#ifndef SIM_AGENT_H
#define SIM_AGENT_H

#include "base/buf.h"
#include "base/error.h"

struct agent {
	const char *version;  /* NULL: "unknown" */
	const char *mau, *ma; /* the MAC address: {MAC} is upper case */
	const char *serial;
};

/* Append it to out; other braces stay as they are.  -1: out is full. */
int agent_write(const struct agent *agent, const char *pattern,
    struct buf *out) MUST_CHECK;

#endif
