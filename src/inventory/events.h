/*
 * events.h -- what happened on the listeners: one event for each answered
 * request and for each connection that ended without one.
 *
 * A file of its own beside the inventory, bounded in size and age, written by
 * the server and read by anybody who may read the folder.  Besides the events
 * it keeps what was learned from them and does not fit into a window of time:
 * which certificates were seen (for their dates, and for clones), which
 * ClientHello class belongs to which model, and which device an address was
 * last.  One process writes (it holds PATH.lock), any number read.  A crash of
 * the machine may cost the last seconds, never the file.
 */
#ifndef INVENTORY_EVENTS_H
#define INVENTORY_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "base/mac.h"

/* Its name in the server's state directory. */
#define EVENTS_FILE "events.db"
#define EVENTS_MAX_DEFAULT 1000000 /* events; about 250 bytes each */
#define EVENTS_DAYS_DEFAULT 30

enum event_kind {
	EVENT_SERVED,	  /* a request was allowed and answered */
	EVENT_REFUSED,	  /* a request was refused: the reason says why */
	EVENT_INVALID,	  /* bytes that are no request we take */
	EVENT_NO_REQUEST, /* the handshake was complete, and nothing followed */
	EVENT_HANDSHAKE,  /* the handshake failed */
};
#define EVENT_KINDS 5
const char *event_kind_name(enum event_kind kind); /* "served" ... */

#define EVENT_NAME_MAX 63
#define EVENT_TEXT_MAX 127
#define EVENT_CIPHERS_MAX 16

struct event {
	int64_t id; /* grows with time; 0 before it is stored */
	time_t at;
	uint32_t us; /* how long it took */
	enum event_kind kind;
	char listener[EVENT_NAME_MAX + 1];
	char ca[EVENT_NAME_MAX + 1];	 /* of the certificate that was shown */
	char source[EVENT_NAME_MAX + 1]; /* address without port */
	/* What the client offered; class 0: no hello was seen. */
	uint64_t class; /* tls/fingerprint.h */
	bool sslv2;
	uint16_t offered_min, offered_max;  /* legacy_version, highest one */
	uint16_t cipher_count;		    /* all that were offered */
	uint16_t cipher[EVENT_CIPHERS_MAX]; /* the first ones */
	char sni[EVENT_NAME_MAX + 1];
	/* What was agreed on. */
	uint16_t tls_version; /* 0: nothing */
	char tls_cipher[EVENT_NAME_MAX + 1];
	int alert_sent, alert_received; /* -1: none */
	/* Who the client said it was; proven only where verify is "". */
	bool has_certificate, has_mac;
	uint8_t certificate[32]; /* SHA-256 of the leaf */
	struct mac mac;
	char form[EVENT_NAME_MAX + 1]; /* of the subject, in words */
	char product[EVENT_NAME_MAX + 1];
	char serial[EVENT_NAME_MAX + 1];
	char firmware[EVENT_NAME_MAX + 1]; /* of the User-Agent; "" */
	char issuer[EVENT_TEXT_MAX + 1];   /* CN */
	char anchor[EVENT_TEXT_MAX + 1];   /* CN; "" when no chain was built */
	char verify[EVENT_TEXT_MAX + 1];   /* what is wrong with it; "" */
	time_t not_before, not_after;	   /* of the certificate */
	/* What it asked for and got. */
	char method[16];
	char path[EVENT_TEXT_MAX + 1];
	char agent[EVENT_TEXT_MAX + 1];
	int status;			 /* HTTP; 0: no answer */
	char reason[EVENT_TEXT_MAX + 1]; /* in words */
	uint64_t bytes;			 /* of the answer's body */
	char choice[16];  /* how the certificate was chosen; "": there was no
			  * choice */
	bool has_sent;	  /* a profile was the answer */
	uint8_t sent[32]; /* SHA-256 of it, as it went out */
};

struct events;

struct events_limits {
	uint64_t count; /* events that are kept at most */
	unsigned days;	/* how long they are kept */
};

/*
 * Open; made when missing, unless read_only: ERROR_NOT_FOUND then.  A second
 * writer is refused with ERROR_SYSTEM.
 */
void events_close(struct events *events);
struct events *events_open(const char *path, bool read_only,
    struct error *err) MUST_CHECK FREED_BY(events_close);

/* Add all of them in one transaction, or none, and forget what is past the
 * limits; a little more than they say may stay for a while. */
int events_put(struct events *events, const struct event *list, size_t count,
    const struct events_limits *limits, struct error *err) MUST_CHECK;

/* ---------------------------------------------------------------- reading */

/* Is an event wanted, of that device (NULL: it is not known)?  Asked before all of
 * it is read: 1 yes, 0 no, -1 no, and the visit ends, as with 1 of a visitor. */
typedef int events_filter(int64_t id, const struct mac *mac, void *arg);

struct events_query {
	time_t since, until;   /* 0: from the first, to the last */
	int64_t after;	       /* only ids above it; 0: all */
	int64_t before;	       /* only ids below it; 0: all */
	const struct mac *mac; /* NULL: any */
	const char *source;    /* NULL: any */
	const char *listener;  /* NULL: any */
	int kind;	       /* enum event_kind; -1: any */
	bool failures;	       /* whatever is not EVENT_SERVED */
	bool newest_first;
	uint64_t limit;	       /* 0: none */
	events_filter *filter; /* NULL: all; gets the visitor's argument */
};

/* Visit events in the order of their ids.  A visitor that returns non-zero
 * ends the visit, and that value is returned; -1 with err on failure. */
typedef int events_visit(const struct event *event, void *arg);
int events_each(struct events *events, const struct events_query *query,
    events_visit *visit, void *arg, struct error *err) MUST_CHECK;

/* A certificate that was shown. */
struct event_certificate {
	uint8_t sha256[32];
	bool has_mac;
	struct mac mac;
	char product[EVENT_NAME_MAX + 1];
	char serial[EVENT_NAME_MAX + 1];
	char issuer[EVENT_TEXT_MAX + 1];
	char anchor[EVENT_TEXT_MAX + 1];
	char verify[EVENT_TEXT_MAX + 1];
	time_t not_before, not_after;
	time_t first_at, last_at;
	char source[EVENT_NAME_MAX + 1]; /* where it was last */
};
typedef int
events_visit_certificate(const struct event_certificate *certificate,
    void *arg);
/* By the end of their validity. */
int events_each_certificate(struct events *events,
    events_visit_certificate *visit, void *arg, struct error *err) MUST_CHECK;

/* What successful handshakes taught about a class: one row for each product
 * and firmware (from the User-Agent; "" when it had none). */
struct event_class {
	uint64_t class;
	char product[EVENT_NAME_MAX + 1];
	char firmware[EVENT_NAME_MAX + 1];
	uint64_t count;
	time_t last_at;
};
typedef int events_visit_class(const struct event_class *class, void *arg);
/* class 0: all. */
int events_each_class(struct events *events, uint64_t class,
    events_visit_class *visit, void *arg, struct error *err) MUST_CHECK;

/* Which devices came from an address, the last one first; at most max.
 * Returns how many, or -1. */
struct event_source {
	struct mac mac;
	uint64_t class;
	char product[EVENT_NAME_MAX + 1];
	time_t last_at;
};
int events_at_source(struct events *events, const char *source,
    struct event_source *list, size_t max, struct error *err) MUST_CHECK;

#endif
