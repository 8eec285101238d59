/*
 * cert_common.h -- what the parts of "sprov cert" share: a certificate seen
 * with the eyes of the fleet.
 */
#ifndef CMD_CERT_COMMON_H
#define CMD_CERT_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <jansson.h>
#include <openssl/types.h>

#include "base/error.h"
#include "cmd/cert_fleet.h"
#include "cmd/cmd.h"
#include "pki/cert.h"
#include "spa/identify.h"

/* The parts; as main() each. */
int cert_import(int argc, char **argv);
int cert_rollback(int argc, char **argv);
int cert_list(int argc, char **argv);
int cert_check(int argc, char **argv);
int cert_status(int argc, char **argv);

#define CERT_URGENT_DAYS 30
#define CERT_SOON_DAYS 90

/* Options that several parts have. */
#define CERT_INVENTORY_OPTION(uri) \
	{ \
		.name = "inventory", .letter = 'i', .value = "URI", \
		.help = "sqlite:PATH (default: as sprov device)", \
		.text = (uri) \
	}
#define CERT_DIR_OPTION(directory) \
	{ \
		.name = "dir", .letter = 'd', .value = "DIR", \
		.help = "the folder of certificates", .text = (directory) \
	}
#define CERT_CONFIG_OPTION(path) \
	{ \
		.name = "config", .letter = 'c', .value = "FILE", \
		.help = "the server's configuration", .text = (path) \
	}

enum cert_finding_kind {
	CERT_FINDING_UNREADABLE, /* or the key does not match */
	CERT_FINDING_EXPIRED,
	CERT_FINDING_NOT_YET,
	CERT_FINDING_SOON,
	CERT_FINDING_NAME, /* no host that devices can look up */
	CERT_FINDING_UNKNOWN_CA,
	CERT_FINDING_DIGEST,
	CERT_FINDING_SAN,
	CERT_FINDING_ADDRESS, /* DNS does not lead to the listener */
	CERT_FINDING_LAB,
	CERT_FINDING_NOTE, /* worth knowing, nothing to do */
};

struct cert_finding {
	enum cert_finding_kind kind;
	char *text;
};
#define CERT_FINDINGS_MAX 16

struct cert_view {
	char *name; /* of the listener, or in the folder, or the path */
	char *path;
	X509 **certs; /* leaf first; NULL when it could not be read */
	size_t count;
	char host[CERT_VALUE_MAX + 1]; /* "" when there is none */
	struct identified issuer;
	time_t not_before, not_after;
	const char *digest;
	int bits;
	bool has_san;
	long days; /* whole days left; negative when it is over */
	/* Devices, once it was weighed. */
	size_t fits;	    /* accept it */
	size_t too_old;	    /* trust the CA, cannot verify the digest */
	size_t want_san;    /* trust the CA, want a SAN */
	size_t unknown;	    /* nobody says whether they trust the CA */
	size_t alone;	    /* accept it, and nothing else that we hold and that
			    * lives longer */
	size_t alone_dated; /* of those: look at dates */
	struct cert_finding findings[CERT_FINDINGS_MAX];
	size_t finding_count;
};

void cert_view_clear(struct cert_view *view);

/* Note a finding; past the maximum it is dropped. */
void cert_view_find(struct cert_view *view, enum cert_finding_kind kind,
    const char *fmt, ...) PRINTF_LIKE(3, 4);
/* What somebody has to do something about: all but notes. */
bool cert_view_needs_attention(const struct cert_view *view);
bool cert_view_has(const struct cert_view *view, enum cert_finding_kind kind);

/* Read the file; -1 when it cannot be read.  name and path are copied. */
int cert_view_load(struct cert_view *view, const char *name, const char *path,
    struct error *err) MUST_CHECK;
/* The same of certificates at hand, which are taken. */
void cert_view_take(struct cert_view *view, const char *name, const char *path,
    X509 **certs, size_t count);

/*
 * Weigh it as of a day: findings about dates, name, CA, digest and SAN.  others
 * (those without certs are passed over, and view itself) are what else we
 * hold.
 */
void cert_view_weigh(struct cert_view *view, const struct cert_fleet *fleet,
    const struct cert_view *others, size_t other_count, time_t at);

/* "good", "soon", "urgent", "expired", "problem" */
const char *cert_view_state(const struct cert_view *view);
/* "LAB Cisco SB 2", "unknown"; static or borrowed from text. */
const char *cert_view_ca(const struct cert_view *view, char *text, size_t size);

/* For --json and for people; findings one a line, wrapped, after prefix. */
json_t *
cert_view_json(const struct cert_view *view, const struct cert_fleet *fleet);
void cert_view_print_findings(const struct cert_view *view);

/* All views as one table; fleet not known: no columns about devices. */
int cert_print_table(const struct cert_view *views, size_t count,
    const char *title, const struct cert_fleet *fleet) MUST_CHECK;
int cert_print_json(json_t *json); /* takes it; CMD_DONE or CMD_FAILED */

/*
 * The configuration at path; NULL: the default one when it is there.  -1 when
 * it cannot be read, which is said already; *config may be NULL otherwise.
 */
struct config;
int cert_load_config(const char *path, struct config **config) MUST_CHECK;

/* The folder of certificates: given, else "certificates" in the state
 * directory of the configuration, else the default; free() it. */
char *cert_find_directory(const char *given, const struct config *config);

/* "2026-11-23", midnight UTC; -1 with ERROR_INPUT. */
int
cert_parse_date(const char *text, time_t *when, struct error *err) MUST_CHECK;

/* Text in lines of at most 79 columns, all but the first indented. */
void cert_print_wrapped(const char *text, size_t indent);

/* Load all certificates of a folder; those that cannot be read have a
 * finding. */
int cert_load_directory(const char *directory, struct cert_view **views,
    size_t *count, struct error *err) MUST_CHECK;
void cert_views_free(struct cert_view *views, size_t count);

#endif
