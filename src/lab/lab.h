/*
 * lab.h -- the main job on loopback, with nothing to configure.
 *
 * A PKI like the real one, a real server process with one listener per CA, and
 * every model as a simulated device: who accepts which listener, who gets its
 * profile, and that nobody gets anything else.
 */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "inventory/admins.h"
#include "lab/fleet.h"
#include "lab/refusal.h"
#include "sim/device.h"

#define LAB_ACCOUNT "lab" /* may do all on the admin listener */

/* One device before one listener. */
struct lab_cell {
	enum lab_expectation expected;
	enum sim_outcome outcome; /* SIM_PROVISIONED: it accepted */
	int alert;		  /* that the device sent; -1 none */
	bool as_expected;
};

/* One device's resync. */
struct lab_resync {
	enum sim_outcome outcome;
	uint16_t tls_version;
	char cipher[64];
	char reason[256];
	bool same_bytes; /* the profile is what it has to be */
};

struct lab_report {
	char *directory;
	struct lab_fleet *fleet;
	uint16_t *port;		    /* indexed as registry_cas; 0: none */
	struct lab_cell *cells;	    /* [device * registry_ca_count + ca] */
	struct lab_resync *resyncs; /* [device] */
	struct lab_refusal *refusals;
	size_t refusal_count;
	/* Sums. */
	size_t model_count, models_with_ca, models_provisioned;
	size_t handshakes, handshakes_as_expected;
	size_t devices_with_ca, devices_provisioned;
	size_t refusals_as_expected;
	bool orderly_stop;
	double seconds;
	uint16_t admin_port; /* with keep; of the admin listener */
	char admin_code[ADMINS_CODE_BYTES]; /* for the first login there */
	pid_t server_pid; /* while the server runs; with keep it goes on */
	bool passed;	  /* all of it as expected */
};

/* What the lab is at, for people: called from several threads, one at a time.
 */
typedef void
lab_progress(void *arg, const char *stage, size_t done, size_t total);

struct lab_options {
	const char *directory; /* made when missing, must be empty; NULL: a new
				* one in TMPDIR, removed at the end unless
				* keep or something was not as expected */
	bool keep;	       /* leave the server running */
	lab_progress *progress;
	void *progress_arg;
};

/*
 * Do all of it.  Returns 0 when the lab could be run, whatever came out;
 * -1 with err when it could not.  Release with lab_report_clear().
 */
int lab_run(const struct lab_options *options, struct lab_report *report,
    struct error *err) MUST_CHECK;
void lab_report_clear(struct lab_report *report);

/* The network of the lab: its names lead to 127.0.0.1. */
extern const struct sim_network lab_network;

#endif
