/*
 * refusal.h -- what must fail, for every form of device certificate.
 */
#ifndef LAB_REFUSAL_H
#define LAB_REFUSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "spa/registry.h"

struct lab_fleet;
struct lab_pki;

struct lab_refusal {
	enum identity_form form;
	char what[64];	/* "another device's profile" */
	char path[160]; /* that was asked for */
	int expected_status;
	const char *expected_reason; /* word of the server's log */
	int status;		     /* that came; 0: none */
	char reason[64]; /* that the log gives; "" when it has no line */
	bool leaked;	 /* the body holds something of a profile */
	bool as_expected;
};

/*
 * Try all of it against the running server.  *list is an array of *count, the
 * caller's to free().  log_path is the server's log, in which the reasons are
 * looked up.
 */
int lab_refusals_run(const struct lab_pki *pki, const struct lab_fleet *fleet,
    const char *directory, const char *log_path, struct lab_refusal **list,
    size_t *count, struct error *err) MUST_CHECK;

#endif
