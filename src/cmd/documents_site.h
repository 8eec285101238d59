/*
 * documents_site.h -- what devices were served and what they reported, beside
 * what they would be served now: for "profile diff" and "device drift".
 */
#ifndef CMD_DOCUMENTS_SITE_H
#define CMD_DOCUMENTS_SITE_H

#include "base/buf.h"
#include "cmd/profile_common.h"
#include "inventory/documents.h"

struct flat_profile;
struct seal_key;

struct documents_site {
	struct profile_site site;
	struct documents *documents; /* NULL: the server made none yet */
	struct seal_key *key;	     /* NULL: none is known */
};

struct documents_site_options {
	const char *config, *inventory, *secrets_key; /* NULL: not given */
};

#define DOCUMENTS_KEY_OPTION(path) \
	{ \
		.name = "secrets-key", .value = "FILE", \
		.help = "that opens what the server keeps", .text = (path) \
	}

/* -1: all is said already. */
void documents_site_close(struct documents_site *site);
int documents_site_open(struct documents_site *site,
    const struct documents_site_options *options) MUST_CHECK;

/* How much is known of what a device was served. */
enum served_knowledge {
	SERVED_NEVER,
	SERVED_WHOLE,	 /* all of it */
	SERVED_REDACTED, /* all but the secrets */
	SERVED_HASH,	 /* only whether it is what it would be now */
};

struct served {
	enum served_knowledge knowledge;
	struct document document;     /* unless SERVED_NEVER */
	struct flat_profile *profile; /* what it was served; NULL: not known */
	struct flat_profile *now;     /* what it would be; redacted when the
					* other is */
	bool is_same;		      /* byte for byte */
};

/*
 * What a device was served, and would be now.  When the text of the first is
 * not kept but is the same as the second, it is known all the same.
 */
void served_clear(struct served *served);
int served_find(const struct documents_site *site, const struct device *device,
    struct served *served, struct error *err) MUST_CHECK;

/* A parsed report of that kind: 1, or 0 when there is none that can be read;
 * -1.  *profile is the caller's. */
int report_find(const struct documents_site *site, const struct mac *mac,
    enum document_kind kind, struct document *document,
    struct flat_profile **profile, struct error *err) MUST_CHECK;

/* Is standard output a terminal that shall have colour?  NO_COLOR says no. */
bool documents_use_colour(void);

/* Print a value so that it does nothing to a terminal. */
void documents_print_value(const char *value);

/* "2026-11-25 09:32 UTC" */
#define DOCUMENTS_TIME_BYTES sizeof("9999-12-31 23:59 UTC")
void documents_time(time_t at, char text[static DOCUMENTS_TIME_BYTES]);

#endif
