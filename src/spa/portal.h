/*
 * portal.h -- the products of the vendor's signing portal, one for each CA.
 *
 * A request is made for one product, and the certificate that comes back is
 * signed by that product's CA.  Source: [CDA-SIGN], [SPA-LIST].
 */
#ifndef SPA_PORTAL_H
#define SPA_PORTAL_H

#include <stdbool.h>
#include <stddef.h>

#include "spa/firmware.h"

struct ca;
struct knowledge;
struct model;

struct portal_product {
	const char *id;	   /* what is typed: "ciscosb-2" */
	const char *title; /* as the portal has it */
	const char *ca;	   /* id of the registry */
	/* Families that the title means; NULL at the end. */
	const char *const *families;
	const char *source;
};

extern const struct portal_product portal_products[];
extern const size_t portal_product_count;

/* By id or by the id of its CA; NULL when unknown. */
const struct portal_product *portal_find(const char *text);

const struct ca *portal_ca(const struct portal_product *product);

/* Does the product's title mean this model's family? */
bool
portal_names(const struct portal_product *product, const struct model *model);

/*
 * From which firmware on does the model trust the CA?  True with *any when no
 * version is needed, true with *from when there is a first one, false when none
 * is known to.
 */
bool portal_first_firmware(const struct knowledge *knowledge,
    const struct model *model, const struct ca *ca, bool *any,
    struct firmware *from);

#endif
