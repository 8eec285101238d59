/*
 * simulate_setup.h -- the device that "sprov simulate" is, of what was asked for.
 */
#ifndef CMD_SIMULATE_SETUP_H
#define CMD_SIMULATE_SETUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "cmd/cmd.h"
#include "pki/anchors.h"
#include "provision/images.h"
#include "sim/device.h"

struct chain;
struct lab_fleet;

#define SIMULATE_RESOLVE_MAX 64

struct simulate_resolve {
	const char *host; /* up to the '=' */
	size_t host_len;
	struct addr address;
};

struct simulate_arguments {
	const char *as, *mac, *serial, *certificate, *key, *output, *lab;
	const char *dhcp_server, *rule, *report, *ikm, *upgrade;
	char *rule_text, *ikm_text; /* what was in their files */
	struct cmd_texts ca_paths, resolve_texts, changes;
	struct simulate_resolve resolve[SIMULATE_RESOLVE_MAX];
	size_t resolve_count;
	uint64_t timeout_s, concurrency, duration_s, tftp_block;
	bool json, report_put, report_gzip;
};

/* Everything one device needs; what is owned here is freed by simulate_clear(). */
struct simulate_setup {
	const struct model *model;
	struct firmware firmware;
	bool has_firmware;
	struct anchors *trusted;
	size_t cas_given;
	struct chain *identity;
	struct sim_device *own;
	const struct sim_device *device; /* own, or one of fleet */
	struct lab_fleet *fleet;
	const char *rule;
	struct sim_network network;
	struct images images;
	char label[128]; /* "SPA504G@7.5.6": as what it ends */
};

/* *setup is zeroed; simulate_clear() is due in any case. */
int simulate_set_up(struct simulate_setup *setup,
    struct simulate_arguments *arguments, struct error *err) MUST_CHECK;
void simulate_clear(struct simulate_setup *setup);

/* Be the model and firmware that stand in setup, from now on. */
int simulate_make_device(struct simulate_setup *setup,
    const struct simulate_arguments *arguments, struct error *err) MUST_CHECK;

/* Else a refusal would look like the server's fault. */
void simulate_say_nothing_trusted(const struct simulate_setup *setup,
    const struct simulate_arguments *arguments);

#endif
