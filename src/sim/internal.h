/*
 * internal.h -- what device.c and fetch.c know of a simulated device.
 */
#ifndef SIM_INTERNAL_H
#define SIM_INTERNAL_H

#include "sim/device.h"
#include "spa/macro.h"

struct rule_result;
struct tls_context;

#define SIM_MACROS_MAX 48

struct sim_device {
	const struct model *model;
	const struct stack *stack;
	struct tls_context *tls;
	char *user_agent;
	char *ikm; /* NULL: none */
	/* The texts that macros point to. */
	char ma[MAC_TEXT_BYTES], mau[MAC_TEXT_BYTES], mac[MAC_COLON_BYTES];
	char *serial;
	char *version;
	size_t macro_count;
	struct macro macro[SIM_MACROS_MAX];
};

/* What a request sends instead of asking for a file. */
struct sim_upload {
	const char *method; /* "POST", "PUT" */
	const char *coding; /* Content-Encoding; NULL: none */
	const char *data;
	size_t len;
};

/* Send it to where the rule leads; *result is set before. */
void sim_send(const struct sim_device *device, const struct rule_result *rule,
    const struct sim_upload *upload, const struct sim_network *network,
    struct sim_result *result);

/* Fetch the image to which an upgrade rule leads: result->body, as it came;
 * *result is set before. */
#define SIM_IMAGE_MAX (256UL * 1024 * 1024)
void
sim_fetch_image(const struct sim_device *device, const struct rule_result *rule,
    const struct sim_network *network, struct sim_result *result);

#endif
