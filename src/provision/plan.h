/*
 * plan.h -- from a fleet to the fewest CAs, listeners and profile rules.
 *
 * A device accepts a server only when its certificate is from one of the few
 * CAs in its firmware, and a listener shows one certificate.  The planner
 * finds the smallest set of CAs that covers every device which any CA covers,
 * gives each a listener, leads each kind of device to one, and says of the
 * others why they are left out and what can be done.
 *
 * Pure: no files, no clock; the time is an argument.  All pointers in a plan
 * that are not its own borrow from the groups, the options and the registry.
 */
#ifndef PROVISION_PLAN_H
#define PROVISION_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "provision/plan_fleet.h"
#include "spa/firmware.h"
#include "spa/registry.h"

struct knowledge;

/* -------------------------------------------------------------- questions */

/* A certificate of ours. */
struct plan_certificate {
	const struct ca *ca;
	time_t not_before, not_after; /* 0: not known */
	bool is_sha2; /* else devices without SHA-2 can verify it, too */
	bool has_san;
	bool is_strong;	  /* TLS 1.2 listeners at level 2 can show it */
	bool is_lab;	  /* of the lab's copy of that CA */
	const char *host; /* that its CN names; NULL: not known */
	const char *path, *key_path; /* NULL: not known */
};

enum plan_layout {
	PLAN_PORTS,	/* one name and address, a port for each CA */
	PLAN_ADDRESSES, /* one machine, an address for each CA */
	PLAN_HOSTS,	/* a machine for each CA */
};

#define PLAN_PORT_DEFAULTS 20 /* 443, 3443, 4443 ... 21443 */
#define PLAN_NAME_MAX 64      /* of a CN: RFC 5280 appendix A.1 */

struct plan_options {
	time_t at;
	const struct plan_certificate *certificates;
	size_t certificate_count;
	const struct ca *const *without; /* as if they did not exist */
	size_t without_count;
	bool without_gone; /* nor those of which no certificate can be had */
	bool allow_custom, allow_public; /* the classes that may be planned */
	int drop_tls; /* 0x0301 or 0x0302: no TLS 1.0 or 1.1 any more, so 1.2 is
		       * the least; 0: all are spoken */

	enum plan_layout layout;
	bool mix_ports;	    /* with PLAN_ADDRESSES and PLAN_HOSTS: when all
			 * addresses are used, begin anew with the next port */
	const char *host;   /* label or full name; NULL: "prov" */
	const char *domain; /* NULL: "example.net" */
	const char *const *addresses; /* IPv4; none: 192.0.2.1 and so on */
	size_t address_count;
	const uint16_t *ports; /* none: 443, 3443, 4443 ... */
	size_t port_count;
	/* Resyncs a second that the servers can do; 0: not said, and nothing
	 * is advised about power cuts (provision/advice.h). */
	unsigned capacity_per_s;
};

/* ---------------------------------------------------------------- answers */

/* What a device makes of a listener's certificate. */
enum plan_expectation {
	PLAN_ACCEPTS,
	PLAN_UNKNOWN, /* no claim that it trusts the CA */
	PLAN_REFUSES, /* a claim that it does not */
	PLAN_EXPIRED, /* trusts it, but checks dates, and it is over */
	PLAN_DIGEST,  /* trusts it, but cannot verify SHA-2 */
	PLAN_NAME,    /* trusts it, but wants a SAN */
	PLAN_TLS,     /* does not speak the versions of TLS that are left */
	PLAN_WEAK,    /* the certificate is too weak without old TLS */
};

/* claim (may be NULL) is what decided; NULL when nothing did. */
enum plan_expectation plan_expect(const struct plan_options *options,
    const struct knowledge *knowledge, const struct model *model,
    const struct firmware *firmware, const struct ca *ca,
    const struct claim **claim);

/* May this CA be planned at all: a server's, not excluded, and no class unless
 * it is allowed?  verisign-c3-any never: no one certificate answers to it. */
bool plan_may_use(const struct plan_options *options, const struct ca *ca);

/* Where a listener's certificate comes from. */
enum plan_supply {
	PLAN_HELD,     /* we have it */
	PLAN_OVERDUE,  /* we have one out of its dates and get no other; that
			 * is well with devices that do not look at dates */
	PLAN_SIGNS,    /* the CA signs: make a CSR */
	PLAN_DOUBTFUL, /* whether the CA signs is not known */
	PLAN_GONE,     /* the CA does not sign any more, and we have none */
};
/* certificate (may be NULL) is ours, where there is one. */
enum plan_supply plan_supply(const struct plan_options *options,
    const struct ca *ca, const struct plan_certificate **certificate);
/* The first three: such a listener can be had. */
bool plan_can_be_had(enum plan_supply supply);

struct plan_listener {
	const struct ca *ca;
	enum plan_supply supply;
	const struct plan_certificate *certificate; /* NULL: none yet */
	const char *name; /* for the configuration: the CA's id */
	char host[254];
	char address[16];
	uint16_t port;
	size_t machine;	 /* number of the machine, for PLAN_HOSTS */
	bool legacy;	 /* TLS 1.0 and up, else 1.2 and up */
	bool needs_san;	 /* some of its devices want one */
	bool needs_sha1; /* some of them cannot verify SHA-2 */
	uint64_t devices;
	char *rule; /* profile rule of all its devices: a URL */
};

enum plan_way_kind {
	PLAN_UPGRADE,	/* to firmware, which accepts ca */
	PLAN_ASK,	/* find out the firmware: from this on it accepts ca */
	PLAN_OWN_ROOT,	/* install a CA of one's own, ca is custom-ca */
	PLAN_PUBLIC_CA, /* ca is public-ca-bundle */
	PLAN_TRY,	/* nothing is known: try a unit */
	PLAN_ENCRYPT,	/* AES-encrypted profiles over HTTP */
	PLAN_REPLACE,
	PLAN_SWITCH, /* it accepts ca as it is, and that can be had */
};

#define PLAN_WAYS_MAX 8

struct plan_way {
	enum plan_way_kind kind;
	const struct ca *ca;
	struct firmware firmware;
};

/* Why a kind of device is left out, or will be. */
enum plan_reason {
	PLAN_COVERED,
	PLAN_LACKS_SUPPLY,   /* it needs ca, of which none can be had; covered,
			     * unless such CAs are excluded */
	PLAN_LACKS_CLAIM,    /* nothing says what it trusts */
	PLAN_LACKS_TRUST,    /* claims only say what it does not trust */
	PLAN_LACKS_WITHOUT,  /* it accepts ca, which is excluded */
	PLAN_LACKS_ALLOW,    /* it has a slot or bundle only: ca */
	PLAN_LACKS_TIME,     /* it looks at dates, and those of ca are over */
	PLAN_LACKS_SHA2,     /* ca signs with SHA-2 only */
	PLAN_LACKS_SAN,	     /* the certificate of ca has none */
	PLAN_LACKS_TLS,	     /* it speaks older TLS only */
	PLAN_LACKS_STRENGTH, /* what ca signed needs old TLS */
};

#define PLAN_LEFT_OUT SIZE_MAX

struct plan_assignment {
	const struct plan_group *group;
	const struct stack *stack;
	size_t listener;	   /* or PLAN_LEFT_OUT */
	const struct claim *claim; /* why it accepts that CA */
	enum plan_reason reason;
	const struct ca *ca;		     /* of the reason; NULL: none */
	struct plan_way ways[PLAN_WAYS_MAX]; /* the best first */
	size_t way_count; /* 0 when covered by what can be had */
};

struct plan {
	struct plan_listener *listeners; /* the best CA first */
	size_t listener_count;
	struct plan_assignment *assignments; /* as the groups */
	size_t assignment_count;
	uint64_t devices, covered, left_out;
	uint64_t unsupplied;  /* covered, by what cannot be had */
	char *universal_rule; /* NULL: there is none, and why not */
	struct error universal_error;
};

/*
 * Plan.  ERROR_INPUT when the fleet is empty, or when the addresses and ports
 * do not suffice or contradict the names in certificates that we hold.  A
 * plan that covers nothing is a plan, without listeners.
 */
void plan_free(struct plan *plan);
struct plan *plan_make(const struct plan_group *groups, size_t group_count,
    const struct plan_options *options, const struct knowledge *knowledge,
    struct error *err) MUST_CHECK FREED_BY(plan_free);

/*
 * Does rule lead every covered kind of device to a listener that it accepts,
 * those with known firmware to the one they are assigned to?  The rule is
 * evaluated as a device does it.  -1 with ERROR_INPUT naming the first that
 * goes astray.
 */
int plan_check_rule(const struct plan *plan, const struct plan_options *options,
    const struct knowledge *knowledge, const char *rule,
    struct error *err) MUST_CHECK;

#endif
