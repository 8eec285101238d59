/*
 * check.h -- would a device be provisioned by a server, as far as can be seen?
 *
 * A pure function of what was seen of a server with the eyes of a TLS stack
 * (sim/look.h sees it) and of what is known of a model at a firmware.  It goes
 * through a resync in the device's own order: address, TLS, CA, name, dates,
 * answer.  What nobody has said of a device is "cannot know", never a guess.
 */
#ifndef PROVISION_CHECK_H
#define PROVISION_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <openssl/types.h>

#include "base/addr.h"
#include "spa/identify.h"

struct firmware;
struct knowledge;
struct model;
struct stack;

/* How far a connection came. */
enum check_reached {
	CHECK_NO_CONNECTION,
	CHECK_NO_HANDSHAKE,
	CHECK_HANDSHAKE, /* and nothing was asked for, or no answer came */
	CHECK_ANSWER,
};

#define CHECK_TEXT_MAX 256
#define CHECK_ADDRESSES_MAX 8
#define CHECK_CA_NAMES_MAX 64

/* A server at one address, as one stack sees it. */
struct check_view {
	const struct stack *stack;
	const char *host;	       /* of the URL; a name or an address */
	char address[ADDR_TEXT_BYTES]; /* that was connected to; no port */
	enum check_reached reached;
	char error[CHECK_TEXT_MAX]; /* why no further; "" when all went well */
	int alert_received;	    /* -1: none */
	uint16_t tls_version;	    /* 0: none was agreed */
	char cipher[64];
	X509 **certs; /* as shown, leaf first; count may be 0 */
	size_t count;
	/* What DNS says about the leaf's common name; resolved says whether
	 * anybody answered. */
	bool resolved;
	char cn_address[CHECK_ADDRESSES_MAX][ADDR_TEXT_BYTES];
	size_t cn_address_count;
	bool asks_certificate;
	bool showed_certificate; /* we had one to show */
	size_t ca_name_count; /* all that it named; the first ones are kept */
	char ca_names[CHECK_CA_NAMES_MAX][CHECK_TEXT_MAX];
	/* The answer to the one request that was made. */
	bool asked;
	int status;
	bool has_length, chunked, is_profile;
	char location[CHECK_TEXT_MAX];
	char profile_error[CHECK_TEXT_MAX]; /* why a 200 is no profile */
};

/* Certificates are released, nothing else is owned. */
void check_view_clear(struct check_view *view);

enum check_cause {
	CHECK_CONNECTION,
	CHECK_TLS_VERSION,
	CHECK_TLS_CIPHER,
	CHECK_TLS_OTHER,
	CHECK_WANTS_CERTIFICATE, /* and ends the handshake without */
	CHECK_NO_CERTIFICATE_SHOWN,
	CHECK_CA,	  /* not one that the device trusts */
	CHECK_CA_UNKNOWN, /* nobody says whether it does */
	CHECK_CA_EXPIRED,
	CHECK_CHAIN_ORDER,
	CHECK_CHAIN_BROKEN, /* an issuer is missing in between */
	CHECK_DATES,
	CHECK_NAME,    /* host of the URL against SAN or CN */
	CHECK_ADDRESS, /* the address against DNS of the CN */
	CHECK_DIGEST,
	CHECK_KEY,
	CHECK_NOT_ASKED, /* no client certificate is asked for */
	CHECK_CA_NAMES,	 /* the device's own CA is not among those named */
	CHECK_STATUS,
	CHECK_REDIRECT,
	CHECK_LENGTH,
	CHECK_NO_PROFILE,
	CHECK_UNSEEN,	/* the answer: it needs a device's certificate */
	CHECK_DISAGREE, /* sources do */
};
const char *check_cause_name(enum check_cause cause); /* "tls-version" ... */

/* What a finding does to the verdict; the worst one decides. */
enum check_weight {
	CHECK_WORTH_KNOWING,
	CHECK_DOUBT, /* cannot know */
	CHECK_STOPS, /* will not */
};

#define CHECK_FINDINGS_MAX 12
struct check_finding {
	enum check_cause cause;
	enum check_weight weight;
	char text[CHECK_TEXT_MAX]; /* a sentence without its full stop; the same
				    * for all devices that it stops alike */
	const char *fix;	   /* what to do; "" when there is nothing */
	const char *source; /* keys of docs/sources.md; "" when it is plain */
};

enum check_answer { CHECK_WILL, CHECK_CANNOT_KNOW, CHECK_WILL_NOT };
const char *check_answer_name(enum check_answer answer);

struct check_verdict {
	enum check_answer answer;
	bool assumed; /* how the device speaks TLS is not documented */
	size_t count;
	struct check_finding finding[CHECK_FINDINGS_MAX];
};

/* firmware NULL: not known. */
void check_judge(const struct check_view *view, const struct model *model,
    const struct firmware *firmware, const struct knowledge *knowledge,
    time_t now, struct check_verdict *verdict);

#endif
