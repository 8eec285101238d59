/*
 * cert_fleet.h -- the active devices of the inventory, counted by model and
 * firmware: what certificates are weighed by.
 */
#ifndef CMD_CERT_FLEET_H
#define CMD_CERT_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/error.h"
#include "spa/firmware.h"

struct ca;
struct config;
struct knowledge;
struct model;
struct stack;

struct cert_group {
	const struct model *model;
	const struct stack *stack; /* at its oldest while that is unknown */
	bool has_firmware;
	struct firmware firmware;
	size_t count;
};

struct cert_fleet {
	bool known;	/* there is an inventory */
	size_t count;	/* active devices of known models */
	size_t strange; /* of models that the registry does not know */
	struct cert_group *groups; /* by model and firmware */
	size_t group_count;
	struct knowledge *knowledge;
};

/*
 * From the inventory that is given (then it has to be there), else the one that
 * the configuration names (NULL: none), else the one that "sprov device" works
 * on.  Without any the fleet is not known, which is no error.
 */
int cert_fleet_load(struct cert_fleet *fleet, const char *given,
    const struct config *config, struct error *err) MUST_CHECK;
void cert_fleet_clear(struct cert_fleet *fleet);

/* What a group makes of a certificate. */
enum cert_fit {
	CERT_FITS,
	CERT_NOT_TRUSTED,
	CERT_TRUST_UNKNOWN, /* nobody says whether it trusts the CA */
	CERT_DIGEST,	    /* trusts the CA, cannot verify SHA-2 */
	CERT_NO_SAN,	    /* trusts the CA, wants a subjectAltName */
};

/*
 * digest: as cert_signature_digest(); ca NULL: one that we do not know.  A CA
 * that is over at that time is not trusted by those that look at dates.
 */
enum cert_fit
cert_fleet_fit(const struct cert_fleet *fleet, const struct cert_group *group,
    const struct ca *ca, const char *digest, bool has_san, time_t at);

#endif
