/*
 * registry.h -- the body of knowledge: CAs, models, TLS stacks, trust claims,
 * known releases.
 *
 * The tables are the TSV files in registry/, checked and compiled in by
 * registry/compile.py; every row has a source key that docs/sources.md
 * resolves.  All data here is constant and lives as long as the program.
 */
#ifndef SPA_REGISTRY_H
#define SPA_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "spa/firmware.h"

enum ca_role {
	CA_SERVER_ANCHOR,	/* root that devices trust */
	CA_SERVER_INTERMEDIATE, /* held by devices beside its root */
	CA_SERVER_CLASS,	/* a slot or a group, not one certificate: the
				 * public bundle, the custom CA, VeriSign of
				 * unstated generation */
	CA_CLIENT_ANCHOR,	/* root that signs devices */
	CA_CLIENT_INTERMEDIATE,
};

enum ca_signing { CA_SIGNING_UNKNOWN, CA_SIGNING_YES, CA_SIGNING_NO };

struct ca {
	const char *id; /* "ciscosb-prov-2" */
	enum ca_role role;
	bool is_also_server;	 /* a client root that some devices hold as a
			      * server anchor too: cisco-root-2048 */
	const char *name;	 /* short, for tables: "Cisco SB 2" */
	const char *subject;	 /* slash form for people; "" when unknown */
	const char *common_name; /* of the subject; "" when it has none */
	const char *issuer_id;	 /* NULL: self-signed or unknown */
	const char *key_type;	 /* "RSA-1024", "EC-256"; "" when unknown */
	const char *digest; /* of its own signature: "md5", "sha1", "sha256";
				  * "" when unknown */
	unsigned exponent;  /* 3 or 65537; 65537 when unknown */
	bool version_1;	    /* an X.509 v1 certificate */
	time_t not_before, not_after; /* 0 when unknown */
	const char *serial_hex;	   /* "" when unknown; never identifies a CA */
	const uint8_t *sha256;	   /* 32 bytes of certificate / key hash; */
	const uint8_t *key_sha256; /* NULL when unknown */
	enum ca_signing signing;
	const char *signing_until; /* "2022-12-01"; "" when unknown */
	const char *note;	   /* one sentence; may be "" */
	const char *source; /* keys of docs/sources.md, "+" between them */
};

/*
 * A certificate that is never an identity, such as the generic one whose key
 * is in every firmware file [FW-7.5.2B].
 */
struct denied {
	const char *id;
	const char *name;      /* its common name */
	const uint8_t *sha256; /* 32 bytes of certificate and key hash */
	const uint8_t *key_sha256;
	const char *reason;
	const char *source;
};

/* How a family speaks TLS and HTTP: what the simulator needs. */
enum name_check {
	NAME_CHECK_ADDRESS,   /* CN (before any "/"); the server's address
				* must be in the DNS answer for it */
	NAME_CHECK_SAN_OR_CN, /* host of the URL against SAN, else CN */
	NAME_CHECK_SAN,	      /* host of the URL against SAN only */
};

struct stack {
	const char *id; /* "spa-classic", "spa5xx-7.5.2", "mpp-12" ... */
	int min_version, max_version; /* 0x0301 .. 0x0304 */
	const char *ciphers; /* OpenSSL names; those it lacks (RC4, export)
				  * are left out */
	bool extensions, sni;
	bool check_time;
	bool check_sha256;
	enum name_check name_check;
	bool redirects; /* follows 301 and 302 */
	bool http_1_1;
	bool assumed; /* no direct evidence */
	const char *source;
};

enum identity_form {
	IDENTITY_DOCUMENTED, /* OU=product, L=serial, ST=MAC */
	IDENTITY_OBSERVED,   /* CN="SPA-525G2, MAC: ..., Serial: ..." */
	IDENTITY_MIC,	     /* serialNumber=PID:.. SN:.., CN=..-SEP<MAC> */
};

struct model {
	const char *name;		 /* "SPA504G", "CP-8841-3PCC" */
	const char *family;		 /* "SPA5xx" */
	const char *product;		 /* $PN */
	const char *series;		 /* $PSN */
	const char *certificate_product; /* "SPA-504G": in certificates */
	const char
	    *user_agent; /* pattern with {version} {MAC} {mac} {serial} */
	const char *default_rule; /* factory Profile_Rule; "" when unknown */
	enum identity_form identity;
	const char *client_anchor; /* ca id that signs its certificates */
	const char *source;
};

/* Which stack a family speaks from which firmware on; last match wins. */
struct stack_use {
	const char *family;
	const char *model;	  /* NULL: all of the family */
	const char *firmware_min; /* NULL: any */
	const char *stack;
	const char *source;
};

/* A release that is known to exist. */
struct release {
	const char *family;
	const char *version;
	const char *source;
};

enum verdict { VERDICT_UNKNOWN, VERDICT_NOT, VERDICT_TRUSTED };

/* Strongest first: observed here > tested > ... > inferred. */
enum basis {
	BASIS_OBSERVED,
	BASIS_TESTED,
	BASIS_FIRMWARE,
	BASIS_VENDOR,
	BASIS_COMMUNITY, /* also providers' guides and third-party analyses */
	BASIS_INFERRED,
	BASIS_NONE, /* an "unknown" row that records that nobody says */
};

enum confidence {
	CONFIDENCE_HIGH,
	CONFIDENCE_MEDIUM,
	CONFIDENCE_LOW,
	CONFIDENCE_NONE
};

struct claim {
	const char *ca; /* ca id, or "*": nothing is known of the model */
	const char *model;
	const char *firmware_min; /* inclusive; NULL: unbounded */
	const char *firmware_max; /* NULL: unbounded */
	bool max_exclusive;
	enum verdict verdict;
	enum basis basis;
	enum confidence confidence;
	const char *reason; /* the basis in words: "same image as SPA50x" */
	const char *source;
};

/* What a source key stands for; docs/sources.md says more. */
struct source {
	const char *key;   /* "SPA-PROV" */
	const char *title; /* one line */
};

extern const struct ca registry_cas[];
extern const size_t registry_ca_count;
extern const struct denied registry_denied[];
extern const size_t registry_denied_count;
extern const struct model registry_models[];
extern const size_t registry_model_count;
extern const struct stack registry_stacks[];
extern const size_t registry_stack_count;
extern const struct stack_use registry_stack_uses[];
extern const size_t registry_stack_use_count;
extern const struct release registry_releases[];
extern const size_t registry_release_count;
extern const struct claim registry_claims[];
extern const size_t registry_claim_count;
extern const struct source registry_sources[];
extern const size_t registry_source_count;

const struct ca *registry_find_ca(const char *id);

/* May this CA stand above a server's certificate (and claims name it)? */
bool registry_is_server_ca(const struct ca *ca);

/* The source whose key is the first len bytes of key; NULL when unknown. */
const struct source *registry_find_source(const char *key, size_t len);

/*
 * The denied certificate that has this SHA-256 of certificate or key (32 bytes
 * each; either may be NULL), or NULL.
 */
const struct denied *
registry_find_denied(const uint8_t *sha256, const uint8_t *key_sha256);

/*
 * Find a model by name, product name, or the spelling in certificates and
 * User-Agents ("SPA-504G", "ATA191"): exactly, never by prefix; case does not
 * matter.  NULL when unknown; *nearest (may be NULL) is then the model that
 * may have been meant, or NULL.
 */
const struct model *
registry_find_model(const char *name, const struct model **nearest);

/* The stack of that model at that firmware (NULL: the family's first one). */
const struct stack *
registry_find_stack(const struct model *model, const struct firmware *firmware);

/* Words for tables and logs. */
const char *verdict_name(enum verdict verdict); /* "trusted" ... */
const char *basis_name(enum basis basis);	/* "tested" ... */
const char *confidence_name(enum confidence confidence);

#endif
