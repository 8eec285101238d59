/*
 * config.h -- the server's configuration file, read and checked.
 *
 * Only the file itself: no certificate is loaded and no address bound here.
 * Relative paths in the file are resolved against the directory of the file;
 * except "inventory sqlite:NAME", which is resolved against state-directory.
 *
 *     state-directory /var/lib/sprov
 *     inventory sqlite:inventory.db       # the default; or memory:
 *     secrets-key secrets.key           # seals the inventory's secrets
 *     templates templates                 # a folder of *.xml
 *     user sprov                          # or USER:GROUP
 *     workers 2                           # default: one per core
 *     log-level info
 *     connections 20000                   # open at once, all listeners
 *     self-test on                        # the default; or off
 *     events 1000000 30                   # how many are kept, how many days
 *     timeout handshake 20s               # also: request, body, write, idle,
 *                                         # stop
 *
 *     performance {
 *         algorithms reduced              # the default; or all
 *         verifications 65536             # remembered, per listener
 *     }
 *
 *     profile /spa$MA.cfg /$MA.xml        # paths of a device's own profile
 *     common /spa$PSN.cfg common.xml      # path, template: per model
 *     public /hello.xml hello.xml         # path, template: without identity
 *     report /report/$MA.xml              # where devices send what they have
 *     report /delta/$MA.xml delta         # or what changed, or status
 *     public-file /ca.pem ca.pem          # path, file, sent as it is: same
 *     own-profile factory-defaults        # or paths that name no device
 *
 *     firmware images {                   # a folder, see sprov firmware
 *         path /firmware                  # images are at /firmware/NAME
 *         access devices                  # the default; or public
 *         url http://prov.example.net:8080
 *     }
 *     ladder spa5xx {                     # for Upgrade_Rule
 *         model SPA504G SPA508G
 *         step 7.5.2b
 *         step 7.6.2f from 7.5.2b
 *     }
 *     tftp {
 *         address 192.0.2.1:69
 *         transfers 64                    # at once; per-source 4
 *     }
 *
 *     admin {                             # for people and scripts
 *         address 127.0.0.1:8443          # repeatable
 *         certificate admin.crt key admin.key # or plain-http, on loopback
 *         client-anchors people.pem       # who may log in by certificate
 *         metrics token                   # the default; or loopback
 *     }
 *
 *     exception old-atas {                # in spite of the certificate
 *         allow expired-certificate       # or generic-, defective-
 *         scope group attic model SPA2102 # both; repeatable: either
 *         require source 192.0.2.0/24     # or aes-profile, one-time 10m
 *         until 2027-06-30
 *         reason "replaced by summer"
 *         who noc@example.net
 *     }
 *
 *     notify noc {                        # who is told: config_notify.h
 *         webhook https://hooks.example.net/sprov
 *         secret-file noc.secret
 *     }
 *
 *     listener csb {
 *         address 0.0.0.0:443
 *         address [::]:443
 *         certificate csb.crt key csb.key # repeatable: one port for several
 *         tls legacy                      # or modern, the default
 *         client-certificate required     # the default; or optional
 *         client-anchors combinedca.crt   # file or folder; repeatable
 *         allow-expired-anchor "Cisco Linksys Client Root Authority 1"
 *         expired-device-certificates refuse # the default; or allow
 *     }
 *
 * profile, common, public and report may be repeated.  Without any "profile" line
 * the built-in list applies (config_routes.c, default_profile_paths).
 */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/log.h"
#include "provision/exception.h"
#include "provision/ladder.h"
#include "tls/context.h"

/* Where the file is when nobody says otherwise. */
#define CONFIG_DEFAULT_PATH "/etc/sprov/sprov.conf"

#define CONFIG_LISTENERS_MAX 256
#define CONFIG_ADDRESSES_MAX 64 /* per listener */
#define CONFIG_ANCHORS_MAX \
	64		      /* client-anchors, and again
				 * allow-expired-anchor, per listener */
#define CONFIG_ROUTES_MAX 256 /* of the file; the built-in ones come on top */
#define CONFIG_CERTIFICATES_MAX 8 /* per listener */
#define CONFIG_WORKERS_MAX 256
#define CONFIG_CONNECTIONS_MAX 1000000
#define CONFIG_EVENTS_MAX 100000000
#define CONFIG_EVENTS_DAYS_MAX 3650
#define CONFIG_DURATION_MIN_MS 100
#define CONFIG_DURATION_MAX_MS 600000
#define CONFIG_LISTENER_NAME_MAX 31

struct config_place { /* of the directive, for later messages */
	unsigned line, column;
};

struct config_certificate {
	char *path, *key_path;
	struct config_place place;
};

struct config_listener {
	char name[CONFIG_LISTENER_NAME_MAX + 1]; /* a-z 0-9 '-' '_' */
	struct config_place place;
	struct addr *addresses;
	struct config_place *address_places;
	size_t address_count;
	char *certificate_path, *key_path; /* the first ones */
	/* Others, to choose from by who comes: server/choice.h. */
	struct config_certificate *others;
	size_t other_count;
	struct config_place certificate_place;
	enum tls_policy policy;
	bool plain; /* plain-http: nothing of TLS is given then */
	struct config_place plain_place;
	bool certificate_required;
	char **anchor_paths; /* files or folders */
	struct config_place *anchor_places;
	size_t anchor_path_count;
	char **expired_anchors; /* subject CNs */
	struct config_place *expired_anchor_places;
	size_t expired_anchor_count;
	bool allow_expired_devices;
};

enum config_route_kind {
	CONFIG_PROFILE,
	CONFIG_OWN_PROFILE, /* a profile's path that names no device */
	CONFIG_COMMON,
	CONFIG_PUBLIC,
	CONFIG_PUBLIC_FILE,
	CONFIG_REPORT,
	CONFIG_REPORT_DELTA,
	CONFIG_REPORT_STATUS,
};

struct config_route {
	enum config_route_kind kind;
	struct config_place place;	    /* 0:0 for the built-in ones */
	char *pattern;			    /* begins with '/' */
	char *template;			    /* NULL but for common and public */
	char *file;			    /* of CONFIG_PUBLIC_FILE */
	struct config_place template_place; /* or that of the file */
};

#define CONFIG_LADDERS_MAX 64
#define CONFIG_LADDER_STEPS_MAX 16
#define CONFIG_LADDER_MODELS_MAX 64
#define CONFIG_LADDER_NAME_MAX 31
#define CONFIG_TFTP_TRANSFERS_MAX 1000
#define CONFIG_EXCEPTIONS_MAX 64

struct config_firmware {
	char *folder; /* NULL: no firmware is served */
	struct config_place place;
	char *path; /* "/firmware" */
	bool is_public;
	/* What Upgrade_Rule begins with, by enum url_scheme; NULL: not given.
	 * Without '/' at the end. */
	char *url[3];
};

struct config_ladder {
	char name[CONFIG_LADDER_NAME_MAX + 1];
	struct config_place place;
	const struct model *models[CONFIG_LADDER_MODELS_MAX];
	struct config_place model_places[CONFIG_LADDER_MODELS_MAX];
	size_t model_count;
	struct ladder_step steps[CONFIG_LADDER_STEPS_MAX];
	struct config_place step_places[CONFIG_LADDER_STEPS_MAX];
	size_t step_count;
};

struct config_tftp {
	struct addr *addresses; /* none: there is no TFTP service */
	struct config_place *address_places;
	size_t address_count;
	unsigned transfers_max;	 /* at once; default 64 */
	unsigned per_source_max; /* ditto, from one address; default 4 */
};

/* The block "performance". */
struct config_performance {
	bool all_algorithms; /* of OpenSSL; false: those of tls/algorithms.h */
	bool together;	     /* private operations: tls/key_batch.h */
	unsigned verifications; /* remembered per listener; default 65536 */
	unsigned
	    sessions; /* kept per listener; 0: none resumed; default 2000 */
	unsigned handshakes;	    /* under way per worker; default 2000 */
	unsigned device_timeout_ms; /* how long devices wait; default 5 s */
};

#define CONFIG_ADMIN_ADDRESSES_MAX 8

/* The block "admin"; there is none without an address. */
struct config_admin {
	struct addr *addresses;
	struct config_place *address_places;
	size_t address_count;
	struct config_certificate certificate; /* path NULL: plain */
	char *anchors; /* of people's certificates; NULL: none count */
	struct config_place anchors_place;
	bool plain; /* plain-http: on loopback only */
	struct config_place plain_place;
	bool open_metrics; /* metrics loopback: there without a token */
};

struct config_notify;

struct config {
	char *path;	       /* of the file, as given */
	char *state_directory; /* default: the directory of the file */
	char *inventory;       /* "memory:" or "sqlite:ABSOLUTE-OR-RESOLVED" */
	struct config_place inventory_place;
	char *secrets_key; /* NULL: not named */
	struct config_place secrets_key_place;
	char *templates; /* NULL: only the built-in template */
	struct config_place templates_place;
	char *user, *group; /* NULL: not named */
	struct config_place user_place;
	unsigned workers; /* 0: one per core; at most 256 */
	enum log_level log_level;
	uint64_t profile_cache;		  /* bytes */
	unsigned connections_max;	  /* default 20000 */
	bool self_test;			  /* default true: selftest.h */
	unsigned events_max, events_days; /* 0: none; default 1000000, 30 */
	unsigned handshake_timeout_ms; /* default 20 s; 100 ms .. 10 min each */
	unsigned request_timeout_ms; /* default 10 s: from handshake to head */
	unsigned body_timeout_ms;    /* default 30 s: all of a report */
	unsigned write_timeout_ms;   /* default 30 s */
	unsigned idle_timeout_ms; /* default 5 s: between kept-alive requests */
	unsigned stop_timeout_ms; /* default 10 s: for those in flight */
	struct config_performance performance;
	struct config_listener *listeners;
	size_t listener_count;
	struct config_route *routes; /* in the order of the file, then the
				      * built-in ones */
	size_t route_count;
	struct config_firmware firmware;
	struct config_ladder *ladders;
	size_t ladder_count;
	struct config_tftp tftp;
	struct config_admin admin;
	struct config_notify *notifies; /* server/config_notify.h */
	size_t notify_count;
	struct exception *exceptions;
	struct config_place *exception_places;
	size_t exception_count;
};

/*
 * Read and check the text of the file at path.  All mistakes go to errors, each
 * "path:line:column: what was wrong, what was expected[; did you mean X?]";
 * the result is then NULL.  Checked: unknown and repeated directives, counts and
 * forms of parameters, ranges, no listener at all, two listeners of one name,
 * one address twice, a listener without address, certificate or client-anchors,
 * patterns that do not begin with '/' or repeat.  A mistake of grammar does not
 * hide the others, unless braces do not match up.
 */
void config_free(struct config *config);
struct config *config_parse(const char *path, const char *text, size_t len,
    struct errors *errors) MUST_CHECK FREED_BY(config_free);

/* file_read() and config_parse(). */
struct config *config_load(const char *path, struct errors *errors) MUST_CHECK
    FREED_BY(config_free);

#endif
