/*
 * device_resync.h -- the parts of "sprov device resync".
 */
#ifndef CMD_DEVICE_RESYNC_H
#define CMD_DEVICE_RESYNC_H

#include "cmd/device_common.h"
#include "inventory/resyncs.h"
#include "reach/agent.h"

/* What came of it, as the server saw it. */
enum resync_follow {
	FOLLOW_NOT,	/* it was not accepted, or is not to be followed */
	FOLLOW_WAITING, /* nothing yet */
	FOLLOW_PROFILE, /* it came and got its profile */
	FOLLOW_OTHER,	/* it came and got another answer */
};

struct resync_target {
	struct mac mac;
	bool has_address;
	struct addr addr;
	char user[129];
	char *login, *password; /* wiped and freed; NULL: none */
	const char *lacks;	/* what of these is not there, or NULL */
	struct agent_result result;
	uint64_t answers_before, profiles_before;
	uint64_t sent_ms; /* of clock_monotonic_ms; 0: not */
	enum resync_follow follow;
	int served_status;
	unsigned after_s;
};

struct resync_run {
	struct resync_target *targets;
	size_t count;
	const char *event;	 /* NULL: by web */
	const char *path;	 /* by web */
	struct resyncs *resyncs; /* NULL: nothing to follow by */
	uint64_t rate, timeout_s, wait_s;
	bool json;
	size_t done;
};

/* Fill the targets from the inventory: those of the MACs, and of the group and
 * those below it; group NULL: none. */
int resync_find_targets(struct resync_run *run, struct inventory *inventory,
    char *const *macs, size_t mac_count, const char *group, uint64_t line,
    const char *address, struct error *err) MUST_CHECK;
void resync_clear_targets(struct resync_run *run);

/* "sip:100@192.0.2.1:5060;transport=udp", "192.0.2.1", "[2001:db8::1]:5060";
 * user (may be NULL) is set when one is there.  port 0: as written, or 5060. */
int resync_read_address(const char *text, uint16_t port, struct addr *addr,
    char user[129], struct error *err) MUST_CHECK;

/* Wait until all that accepted have come, or the time is over. */
int resync_follow(struct resync_run *run, struct error *err) MUST_CHECK;
/* Remember what each had got before. */
int resync_look(struct resync_run *run, struct error *err) MUST_CHECK;

/* On standard output; the exit status. */
int resync_print(const struct resync_run *run);
/* "resync: 12 of 300 ..." on standard error, when that is a terminal. */
void resync_progress(const struct resync_run *run, const char *what,
    size_t done, size_t of);

#endif
