/*
 * swarm.h -- many simulated devices at once against one server.
 *
 * One thread, one epoll: tens of thousands of connections in flight.  An
 * attempt is what a device does in one resync: connect, handshake with its own
 * certificate, one GET, and close; all of it within one time-out.  Who comes
 * when is one of three:
 *
 *     closed loop   so many at a time, the next one when one has ended
 *     open loop     so many a second (Poisson), whatever the server does
 *     storm         all devices power up together: a random delay, then
 *                   attempts until one succeeds, with the retry delays of a
 *                   device between them
 *
 * Latencies count from when an attempt was due, not from when this process got
 * to it.  The process ignores SIGPIPE.
 *
 * ASSUMED: a device takes a 503 as any other failure; nothing says that one
 * honours Retry-After.
 */
#ifndef SIM_SWARM_H
#define SIM_SWARM_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/histogram.h"

struct crowd;
struct schedule;
struct tls_context;

enum swarm_arrivals { SWARM_CLOSED, SWARM_OPEN, SWARM_STORM };

#define SWARM_DIGEST_BYTES 32

struct swarm_options {
	struct crowd *crowd;
	struct addr server;
	struct tls_context *tls; /* NULL: plain HTTP */
	const char *host;	 /* Host field and SNI */
	const char *path;	 /* with macros: "/spa$MA.cfg" */
	bool show_certificates;
	unsigned resume_percent; /* of attempts offer the last session */
	unsigned timeout_ms;	 /* for a whole attempt */
	/* Source addresses: count of them from 127.x.y.z on, in turn; count 0
	 * leaves the choice to the kernel. */
	uint32_t source_first;
	uint32_t source_count;
	/* Instead of path, for each device by index; NULL: all by path. */
	const char *const *paths;
	/* A folder that exists: what each device got last, as it came, in a
	 * file named like its MAC; NULL: nothing is kept. */
	const char *save;
	/* SHA-256 of what each device has to get, by index; NULL: any body. */
	const uint8_t (*expected)[SWARM_DIGEST_BYTES];

	enum swarm_arrivals arrivals;
	unsigned concurrency; /* closed loop */
	double rate;	      /* open loop, attempts per second */
	uint64_t attempts;    /* closed and open loop: so many; 0: no limit */
	uint64_t duration_ms; /* of arrivals, 0: no limit; in a storm, of all */
	uint64_t random_ms;   /* storm: longest delay after power-up */
	const struct schedule *retry; /* storm */
	double compress;	      /* divides the retry delays */

	uint64_t seed;
	bool trace; /* keep the source of each attempt: swarm_report */
	/* Called about twice a second; NULL: not. */
	void (*progress)(void *arg);
	void *arg;
	const volatile sig_atomic_t *stop; /* ends it when not 0; or NULL */
};

/* How an attempt ended. */
enum swarm_outcome {
	SWARM_SERVED,	  /* 200 and the whole body, the right one */
	SWARM_WRONG,	  /* 200 and a body that is not this device's */
	SWARM_CUT,	  /* the body began and did not end: half served */
	SWARM_BUSY,	  /* 503 */
	SWARM_REFUSED,	  /* another status */
	SWARM_GARBLED,	  /* no HTTP */
	SWARM_NO_CONNECT, /* refused or reset while connecting */
	SWARM_DROPPED,	 /* closed or reset before the handshake was complete */
	SWARM_ALERT,	 /* TLS failed otherwise */
	SWARM_NO_ANSWER, /* closed after the handshake, nothing received */
	SWARM_TIMEOUT_CONNECT,
	SWARM_TIMEOUT_HANDSHAKE,
	SWARM_TIMEOUT_ANSWER,
	SWARM_LOCAL, /* this process failed: no descriptor, no port */
	SWARM_OUTCOMES
};
const char *swarm_outcome_name(enum swarm_outcome outcome); /* "served" ... */

#define SWARM_SECONDS_MAX \
	14400 /* of the series; later ones count into the last */

struct swarm_second {
	uint32_t started, served, failed, open;
};

struct swarm_trace {
	uint32_t address; /* network byte order; 0: never connected */
	uint16_t port;	  /* host byte order */
	uint8_t outcome;
};

struct swarm_report {
	uint64_t started, ended;
	uint64_t outcome[SWARM_OUTCOMES];
	uint64_t handshakes; /* complete ones */
	uint64_t resumed;
	uint64_t bytes;	       /* of bodies */
	size_t devices_served; /* at least once */
	uint64_t retries;
	uint64_t open, open_peak;
	uint64_t late_us_max; /* worst delay of a start in this process */
	uint64_t elapsed_us;  /* to the last attempt's end */
	uint64_t last_served_us;
	uint64_t served_in_time; /* while arrivals went on */
	uint64_t cpu_us;	 /* of this process */
	struct histogram connect_us, handshake_us, served_us;
	struct histogram device_us; /* storm: power-up to served, random delay
				     * included */
	size_t seconds;
	struct swarm_second *second; /* swarm_report_clear() frees it */
	size_t traces;
	struct swarm_trace *trace;
	char first_error[256]; /* "" when none */
};

/*
 * Run it to its end; -1 with err when it could not start.  The report is valid
 * while it runs: progress() may read it.
 */
int swarm_run(const struct swarm_options *options, struct swarm_report *report,
    struct error *err) MUST_CHECK;
void swarm_report_clear(struct swarm_report *report);

#endif
