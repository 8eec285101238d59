/*
 * choose.h -- a connection's certificate: what the ClientHello tells, asked of
 * server/choice.h, and what came of it.
 */
#ifndef SERVER_CHOOSE_H
#define SERVER_CHOOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/choice.h"

struct addr;
struct record;
struct service_listener;
struct tls_conn;

/* How a connection came to its certificate. */
struct chosen {
	bool made; /* there was a choice */
	enum choice_basis basis;
	uint64_t source, class;
};

/*
 * Does the ClientHello at data show a session of this listener?  Then *listener
 * becomes the certificate under which it was made: nothing is to be guessed.
 */
bool choose_session(const struct service_listener **listener,
    const struct addr *source, const uint8_t *data, size_t len,
    struct chosen *chosen);

/* Choose by the first bytes of the connection, which hold the ClientHello;
 * listener itself where it has one certificate. */
const struct service_listener *choose_certificate(struct record *record,
    const struct service_listener *listener, const struct addr *source,
    const uint8_t *data, size_t len, struct chosen *chosen);

/* The handshake is over, in either way: learn from it. */
void
choose_learn(struct record *record, const struct service_listener *listener,
    const struct chosen *chosen, const struct tls_conn *tls, bool completed);

#endif
