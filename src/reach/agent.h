/*
 * agent.h -- tell devices by SIP that they should resync.
 *
 * A NOTIFY outside of any dialog, without a body; the device answers 401 and
 * wants the digest credentials of one of its lines before it acts.  UDP only:
 * devices listen there for what comes unasked.
 *
 * The SIP transactions and the digest are those of libre; this module alone
 * includes it.  One thread, one call at a time: libre has one loop a thread.
 * Sources: [MPP-PROV], [ATA19X-PROV]: NOTIFY and Auth_Resync-Reboot; RFC 3261
 * sections 17.1.2 and 22; RFC 3265 section 3.2.
 */
#ifndef REACH_AGENT_H
#define REACH_AGENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/error.h"

#define AGENT_RATE_MAX 1000 /* devices a second */
#define AGENT_REASON_BYTES 64

/* One device.  Borrowed until it is done. */
struct agent_target {
	struct addr addr;
	const char *user;     /* of the request's URI; letters and the like */
	const char *event;    /* "resync" */
	const char *login;    /* NULL: a challenge cannot be answered */
	const char *password; /* NULL likewise */
};

enum agent_outcome {
	AGENT_ACCEPTED,	 /* 2xx */
	AGENT_REFUSED,	 /* another final status */
	AGENT_LOGIN,	 /* it wants credentials that we lack */
	AGENT_WRONG,	 /* ours were not the right ones */
	AGENT_NO_ANSWER, /* in the time given */
	AGENT_MALFORMED, /* a challenge that is none we can answer */
	AGENT_STRANGER,	 /* the answer came from another address */
	AGENT_STOPPED,	 /* by a signal, before it was done */
	AGENT_FAILED,	 /* the kernel refused to send: no route */
};

struct agent_result {
	enum agent_outcome outcome;
	int status;			 /* of the last answer; 0: none */
	bool challenged;		 /* it asked for credentials */
	char reason[AGENT_REASON_BYTES]; /* of a refusal, printable */
};

/* "accepted", "wrong credentials", ... */
const char *agent_outcome_name(enum agent_outcome outcome);

/* Can it stand in the URI of a request as it is? */
bool agent_is_user(const char *user);

struct agent_options {
	unsigned rate;	     /* devices a second, 1..AGENT_RATE_MAX */
	unsigned timeout_ms; /* for a device, in all */
	void (*done)(size_t index, const struct agent_result *result,
	    void *arg);
	void (*started)(size_t index, void *arg); /* just before the first
						   * packet; may be NULL */
	void *arg;
};

/*
 * Notify all, paced; done() is called once for each.  SIGINT and SIGTERM end
 * it early: the rest is AGENT_STOPPED.  -1 with ERROR_SYSTEM when nothing could
 * be begun; done() was not called then.
 */
int agent_notify(const struct agent_target *targets, size_t count,
    const struct agent_options *options, struct error *err) MUST_CHECK;

#endif
