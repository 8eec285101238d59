/*
 * internal.h -- what device.c and fetch.c know of a simulated device.
 */
#ifndef SIM_INTERNAL_H
#define SIM_INTERNAL_H

#include "sim/device.h"
#include "spa/macro.h"

struct tls_context;

#define SIM_MACROS_MAX 48

struct sim_device {
	const struct model *model;
	const struct stack *stack;
	struct tls_context *tls;
	char *user_agent;
	/* The texts that macros point to. */
	char ma[MAC_TEXT_BYTES], mau[MAC_TEXT_BYTES], mac[MAC_COLON_BYTES];
	char *serial;
	char *version;
	size_t macro_count;
	struct macro macro[SIM_MACROS_MAX];
};

#endif
