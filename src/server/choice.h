/*
 * choice.h -- which of several certificates to show on one port.
 *
 * Devices of different CAs can only share an address and a port if the server
 * guesses who comes, because old devices send no name (SNI) and the certificate
 * is shown before they say who they are.  In this order:
 *
 *   session   the ClientHello shows a session of ours;
 *   sni       the name in the ClientHello belongs to one certificate only;
 *   address   this address, with this class of ClientHello, took that CA
 *             before;
 *   retry     this address, with this class, has just refused another one:
 *             whoever was refused comes again;
 *   class     most clients of this class take that CA;
 *   registry  by what is known, most models that speak so trust that CA;
 *   default   nothing is known: the first certificate of the listener.
 *
 * The same history leads to the same choice.  Behind one address there may be
 * many devices: a refusal there moves one connection, not all of them, so that
 * one odd device does not lead the others astray.  Devices of one class behind
 * one address that trust no common CA cannot be told apart; they need ports of
 * their own.
 *
 * One for all workers and all listeners; what a class or an address takes does
 * not depend on the port.  Bounded: the oldest are forgotten.  Time is an
 * argument.
 */
#ifndef SERVER_CHOICE_H
#define SERVER_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "inventory/choices.h"

#define CHOICE_CLASSES_MAX 1024
#define CHOICE_PLACES_MAX 65536 /* address and class */
#define CHOICE_CAS_MAX 8	/* certificates of one listener */

enum choice_basis {
	CHOICE_DEFAULT,
	CHOICE_SESSION, /* choose.h */
	CHOICE_SNI,
	CHOICE_ADDRESS,
	CHOICE_RETRY,
	CHOICE_CLASS,
	CHOICE_REGISTRY,
};
const char *choice_basis_name(enum choice_basis basis); /* "sni" ... */

/* What can be seen before a certificate is shown. */
struct choice_question {
	const uint64_t *cas;   /* a key for the CA of each certificate */
	size_t count;	       /* 1 .. CHOICE_CAS_MAX */
	const unsigned *prior; /* how many models of this kind of hello are
				* known to trust each; NULL: not known */
	uint64_t source;       /* a key for the address */
	uint64_t class;	       /* of the ClientHello; 0: not known */
	int sni; /* index of the one certificate for the name that was sent;
		  * -1: none was, or not one */
};

struct choice;

void choice_free(struct choice *choice);
struct choice *choice_new(void);

/* The index of the certificate to show. */
size_t choice_make(struct choice *choice,
    const struct choice_question *question, enum choice_basis *basis);

/*
 * What the client made of it: the handshake was completed, or it refused the
 * certificate.  Says nothing of other ends.  True when what is remembered
 * changed enough to be worth writing: *place and *class are then to be stored.
 */
bool choice_learn(struct choice *choice, uint64_t ca, uint64_t source,
    uint64_t class, bool accepted, time_t now, struct choice_row *place,
    struct choice_row *of_class);

/* Take over a row that was stored. */
void choice_restore(struct choice *choice, const struct choice_row *row);

/* Keys for what is remembered: FNV-1a of a text. */
uint64_t choice_key(const char *text);

#endif
