/*
 * peer.h -- who a device certificate says it is.
 *
 * One parser for every form of subject that devices show.  The parts must
 * agree: where a MAC or a serial stands twice, both must be the same.
 * Sources: [ATA-PROV] p. 43, [NGCP] (observed form), [MIC] (MIC form),
 * [FW-7.5.2B] (generic certificate).
 */
#ifndef SPA_PEER_H
#define SPA_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/error.h"
#include "base/mac.h"

enum peer_form {
	PEER_DOCUMENTED, /* OU=SPA-962, L=<serial>, ST=<mac> */
	PEER_OBSERVED,	 /* CN="SPA-525G2, MAC: <MAC>, Serial: <serial>" */
	PEER_MIC,	 /* serialNumber="PID:<product> SN:<serial>",
			  * CN=<product>-SEP<MAC> */
	PEER_GENERIC,	 /* shared by many units: never an identity */
	PEER_INVALID,	 /* no form, or parts that disagree; see reason */
};

#define PEER_TEXT_MAX 63

struct peer {
	enum peer_form form;
	bool has_mac;
	struct mac mac;
	char serial[PEER_TEXT_MAX + 1];	 /* "" when the form has none */
	char product[PEER_TEXT_MAX + 1]; /* as written: "SPA-525G2" */
	char reason[128]; /* of PEER_INVALID: one line for the log */
};

/*
 * Read the leaf certificate.  Never fails: what cannot be an identity is
 * PEER_GENERIC or PEER_INVALID, without MAC, serial and product.
 *
 * A subject with a serialNumber must be of the MIC form, one with a CN but no
 * serialNumber of the observed form, any other of the documented form, each
 * with all its parts and nothing before or after them.  ST and L, where
 * present, must be MAC and serial in every form; MACs agree by value, serials
 * exactly.  No part is looked for in another place: a serial may be 12 hex
 * digits too.
 *
 * Invalid are also: NULs, bytes outside printable ASCII and wide strings in
 * any attribute; values longer than PEER_TEXT_MAX where a form expects one;
 * more attributes than a struct cert_name holds; repeated attributes that
 * differ; and MACs that no device has (multicast, all zeros, all ones).
 * "generic" in ST, L or CN makes PEER_GENERIC; OU=cisco.com does not.
 */
void peer_parse(struct peer *peer, const uint8_t *der, size_t len);

/* The same for a certificate that is parsed already. */
void peer_read(struct peer *peer, const X509 *cert);

const char *peer_form_name(enum peer_form form); /* "documented" ... */

#endif
