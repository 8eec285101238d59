/*
 * device.h -- a phone or adapter in software: one resync as that model at that
 * firmware would do it.
 *
 * What it offers, trusts, checks and shows comes from the registry.  It uses
 * blocking steps with deadlines, so one simulated device needs one thread
 * while it works; several threads may use one device or many at once.  The
 * process ignores SIGPIPE.  Not simulated: of profile rules the options --post
 * and --srv; --uid and --pwd are read and never sent.
 */
#ifndef SIM_DEVICE_H
#define SIM_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/mac.h"
#include "spa/firmware.h"

struct anchors;
struct chain;
struct model;
struct stack;

struct sim_device;

struct sim_device_options {
	const struct model *model;
	const struct firmware *firmware; /* NULL: not known */
	struct mac mac;
	const char *serial;
	const struct anchors *trusted; /* borrowed while the device lives */
	const struct chain *identity; /* NULL: shows no certificate; borrowed */
	const struct stack *stack;    /* NULL: the registry's, for model and
					 * firmware; borrowed */
	const char *ikm; /* of IKM_HTTP_Encrypt_Content; NULL: none is set */
	const char *user_agent; /* pattern as in the registry; NULL: the
					 * model's */
};

void sim_device_free(struct sim_device *device);
struct sim_device *sim_device_new(const struct sim_device_options *options,
    struct error *err) MUST_CHECK FREED_BY(sim_device_free);

const struct stack *sim_device_stack(const struct sim_device *device);

/* The device's User-Agent, from the model's pattern. */
const char *sim_device_user_agent(const struct sim_device *device);

/*
 * How the device finds addresses.  resolve writes the A (and for tests AAAA)
 * records of host, ports unset, at most max, and returns how many; 0 when the
 * name does not exist.  NULL uses the system's resolver.
 */
struct sim_network {
	size_t (*resolve)(void *arg, const char *host, struct addr *list,
	    size_t max);
	void *arg;
	unsigned timeout_ms;	 /* for each of connect, handshake, answer */
	const char *dhcp_server; /* DHCP option 66, for rules without host: a
				    * host, or a URL, whose macros are expanded
				    * ([LINKSYS-PROV], [WAZO]); NULL: none */
	unsigned tftp_block;	 /* size to ask for; 0: TFTP without options */
	const struct addr *source; /* to connect from; NULL: any */
};

/* What the device makes of it, in its own terms ([MPP-PROV] result classes). */
enum sim_outcome {
	SIM_PROVISIONED, /* A: a profile arrived and was applied */
	SIM_NO_RULE,	/* no alternative of the rule was true: nothing to do */
	SIM_NOT_FOUND,	/* B: 404 */
	SIM_CORRUPT,	/* B: it arrived but is no profile */
	SIM_REFUSED,	/* C: the server answered another status */
	SIM_BAD_RULE,	/* C: the rule cannot be read or evaluated */
	SIM_NO_ADDRESS, /* C: the name does not resolve */
	SIM_NO_CONNECT, /* C: nobody accepts the connection, or time-out */
	SIM_UNTRUSTED,	/* C: the device refused the server's certificate */
	SIM_WRONG_NAME, /* C: name or address does not match the certificate */
	SIM_HANDSHAKE,	/* C: TLS failed otherwise (alert received, closed) */
	SIM_BROKEN_ANSWER, /* C: no HTTP answer, cut off, or time-out */
};
const char *sim_outcome_name(enum sim_outcome outcome); /* "provisioned" ... */
char sim_outcome_class(enum sim_outcome outcome);	/* 'A', 'B', 'C' */

struct sim_result {
	enum sim_outcome outcome;
	char reason[256];     /* one sentence for people */
	int status;	      /* HTTP; 0 when none came */
	int alert_sent;	      /* by the device; -1 none */
	int alert_received;   /* -1 none */
	uint16_t tls_version; /* 0 when none was agreed */
	char cipher[64];
	char url[512]; /* last one asked for */
	unsigned redirects;
	/* Of a 200, decrypted and expanded; the caller's to free(). */
	char *body;
	size_t body_len;
	uint64_t handshake_us, total_us;
};

/* Evaluate the profile rule and fetch what it says.  *result need not be set
 * before; sim_result_clear() releases it. */
void sim_resync(const struct sim_device *device, const char *rule,
    const struct sim_network *network, struct sim_result *result);

/* Only connect to that address and shake hands, as for URL https://host/; the
 * certificate checks are those of a resync.  SIM_PROVISIONED means here that
 * all of that went well. */
void sim_handshake(const struct sim_device *device, const char *host,
    const struct addr *address, const struct sim_network *network,
    struct sim_result *result);

void sim_result_clear(struct sim_result *result);

#endif
