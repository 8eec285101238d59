/*
 * simulate_fleet.h -- the parts of "sprov simulate --fleet".
 */
#ifndef CMD_SIMULATE_FLEET_H
#define CMD_SIMULATE_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "sim/swarm.h"

struct crowd;

/* Where the server looks for a device's profile, when nothing else is said. */
#define CROWD_PATH "/spa$MA.cfg"

/*
 * Into the fleet's folder: devices.csv for "sprov device import", and
 * templates/device.xml, which gives profiles of about so many bytes.
 */
int crowd_write_inventory(const struct crowd *crowd, size_t bytes,
    struct error *err) MUST_CHECK;

/*
 * Into the folder out: each device's profile, as the inventory and the fleet's
 * template give it, under the name that path has for it.  What a server of
 * plain files would hold.
 */
int crowd_write_files(const struct crowd *crowd, const char *inventory_uri,
    const char *path, const char *out, struct error *err) MUST_CHECK;

/* Into out: each device's certificate, the keys, and list, a line
 * "CERTIFICATE KEY PATH" for each device. */
int crowd_write_certificates(struct crowd *crowd, const char *path,
    const char *out, struct error *err) MUST_CHECK;

/* What each device asks for: the lines of a file, as many as devices; free()
 * both.  -1 with err, which names the line. */
struct crowd_paths {
	char *text;
	const char **path;
};
int crowd_read_paths(const struct crowd *crowd, const char *file,
    struct crowd_paths *paths, struct error *err) MUST_CHECK;

/* SHA-256 of each device's file in folder; free() it.  NULL with err. */
uint8_t (*crowd_read_expected(const struct crowd *crowd, const char *path,
    const char *folder, struct error *err))[SWARM_DIGEST_BYTES];

/* How the server's log and the client agree. */
struct account {
	bool kept; /* else there was no log to compare with */
	size_t lines;
	size_t requests, answered_200, no_request, failed_handshakes, other;
	size_t dropped_lines; /* that the server itself could not log */
	size_t
	    served_unlogged; /* the client was served, the log knows nothing */
	size_t
	    logged_unknown; /* the log has a connection the client never made */
	size_t late;	    /* 200 in the log, but the client had given up */
	size_t unlogged;    /* the client made it, the log knows nothing */
};

/* Read what was added to the log since offset, and match connections by their
 * source. */
int crowd_account(const char *log, uint64_t offset,
    const struct swarm_report *report, struct account *account,
    struct error *err) MUST_CHECK;

/* Results for people and for programs. */
void crowd_print(const struct swarm_options *options,
    const struct swarm_report *report, const struct account *account);
void crowd_print_json(const struct swarm_options *options,
    const struct swarm_report *report, const struct account *account);

/* A picture of the run over time. */
int crowd_plot(const char *path, const struct swarm_options *options,
    const struct swarm_report *report, struct error *err) MUST_CHECK;

#endif
