/*
 * ca_common.h -- what the parts of "sprov ca" share.
 */
#ifndef CMD_CA_COMMON_H
#define CMD_CA_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <jansson.h>

#include "base/error.h"
#include "cmd/cmd.h"
#include "spa/knowledge.h"

/* The parts; as main() each. */
int ca_list(int argc, char **argv);
int ca_show(int argc, char **argv);
int ca_which(int argc, char **argv);
int ca_matrix_command(int argc, char **argv);
int ca_claim(int argc, char **argv);
int ca_identify(int argc, char **argv);
int ca_bundle(int argc, char **argv);

#define CA_CLAIMS_OPTION(path) \
	{ \
		.name = "claims", .letter = 'c', .value = "FILE", \
		.help = "your own claims (default: $SPROV_CLAIMS)", \
		.text = (path) \
	}
#define CA_JSON_OPTION(json) \
	{ \
		.name = "json", .letter = 'j', .help = "as JSON", \
		.flag = (json) \
	}

/* Where own claims are: the path given, else $SPROV_CLAIMS, else claims.tsv
 * beside the inventory (the one given, or NULL); free() it. */
char *ca_claims_path(const char *given, const char *inventory);

/* The registry with the own claims; a file that is not there is one without
 * claims, unless it was given.  One that nobody named and that cannot be read
 * is passed over, which is said.  NULL when that failed, which is said
 * already. */
struct knowledge *ca_load_knowledge(const char *given, const char *inventory);

/* Add a row, without its newline, to the file of own claims, which is made when
 * it is missing; -1 when that failed, which is said already. */
int ca_claim_append(const char *given, const char *row) MUST_CHECK;

/* A CA by id; NULL when there is none, which is said with near ones. */
const struct ca *ca_find(const char *id);

/* As trust_parse_device(); when it fails, all is said, with near names. */
int ca_parse_device(const char *text, const struct model **model,
    struct firmware *firmware, bool *has_firmware) MUST_CHECK;

/* ------------------------------------------------------------- words */

bool ca_is_expired(const struct ca *ca, time_t now);

#define CA_STATE_BYTES 48
/* "signs", "stopped signing 2022-12-01", "expired 2015-06-30", "" */
void
ca_state(const struct ca *ca, time_t now, char text[static CA_STATE_BYTES]);

/* "for 7.5.6 and later" and the like: the versions of a claim. */
void ca_claim_range(const struct claim *claim,
    char text[static KNOWLEDGE_RANGE_BYTES]);

/* ----------------------------------------------------------- sources */

/* The sources that were named, to be resolved at the end. */
struct ca_sources {
	bool *named; /* of registry_sources[] */
};

void ca_sources_clear(struct ca_sources *sources);
/* The keys of a source column; what is no key is passed over. */
void ca_sources_add(struct ca_sources *sources, const char *keys);
void ca_sources_print(const struct ca_sources *sources);
json_t *ca_sources_json(const struct ca_sources *sources);

/* ------------------------------------------------------------- claims */

/* "vendor, high: REASON, for RANGE [SOURCE]"; free() it. */
char *
ca_claim_text(const struct knowledge *knowledge, const struct claim *claim);
json_t *
ca_claim_json(const struct knowledge *knowledge, const struct claim *claim);

/* Print it, with a newline, or say that there is no memory; an exit status.
 * Takes root. */
int ca_print_json(json_t *root);

#endif
