/*
 * diagnose_parts.h -- what the files of diagnose.h know of each other.
 */
#ifndef PROVISION_DIAGNOSE_PARTS_H
#define PROVISION_DIAGNOSE_PARTS_H

#include "base/error.h"
#include "provision/diagnose.h"

/* What one diagnosis works with. */
struct case_notes {
	const struct event *event;
	const struct diagnose_world *world;
	const struct diagnose_hints *hints;
	struct diagnosis *out;
};

/* Set the cause; the others below add to it. */
void diagnose_is(struct case_notes *notes, enum diagnose_cause cause,
    enum confidence confidence, const char *fmt, ...) PRINTF_LIKE(4, 5);
void diagnose_evidence(struct case_notes *notes, const char *fmt, ...)
    PRINTF_LIKE(2, 3);
void
diagnose_fix(struct case_notes *notes, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The listener of the event; NULL when it is no more. */
const struct diagnose_listener *
diagnose_listener_of(const struct case_notes *notes);

/* Fill in out->who. */
void diagnose_who(struct case_notes *notes);

/* The device would not take the listener's certificate: which finding of
 * check.h says why?  False: none does. */
bool diagnose_certificate(struct case_notes *notes);

void diagnose_handshake(struct case_notes *notes);
void diagnose_no_request(struct case_notes *notes);
void diagnose_refusal(struct case_notes *notes);

#endif
