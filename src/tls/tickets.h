/*
 * tickets.h -- the keys under which sessions are handed to devices as tickets
 * (RFC 5077), changed by time.
 *
 * A set of keys belongs to one context, so a ticket of one listener, or of one
 * before a reload, means nothing to another.  A key seals tickets for an hour
 * and opens them for two more; then it is wiped.
 *
 * Any thread may use it.
 */
#ifndef TLS_TICKETS_H
#define TLS_TICKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define TICKET_NAME_BYTES 16
#define TICKET_KEY_BYTES 32
#define TICKET_SEAL_S 3600
#define TICKET_KEYS 3 /* the one that seals, and those before it */

struct ticket_key {
	uint8_t name[TICKET_NAME_BYTES];
	uint8_t cipher[TICKET_KEY_BYTES]; /* AES-256 */
	uint8_t mac[TICKET_KEY_BYTES];	  /* HMAC with SHA-256 */
};

struct tickets;

void tickets_free(struct tickets *tickets);
struct tickets *tickets_new(void) FREED_BY(tickets_free);

/*
 * The key that seals now; now is in seconds of any clock that does not go back.
 * Wipe the copy after use.  False when there is no randomness.
 */
bool
tickets_seal(struct tickets *tickets, uint64_t now_s, struct ticket_key *key);

/* The key of that name; newest: it is the one that seals.  False when there is
 * none any more. */
bool tickets_open(struct tickets *tickets, uint64_t now_s,
    const uint8_t name[static TICKET_NAME_BYTES], struct ticket_key *key,
    bool *newest);

/* Does the name of a key stand anywhere in data?  For guessing, from a
 * ClientHello, whether a device has a ticket of ours. */
bool tickets_appear(struct tickets *tickets, uint64_t now_s, const void *data,
    size_t len);

#endif
