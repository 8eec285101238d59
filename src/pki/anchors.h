/*
 * anchors.h -- the client anchors: certificates under which devices prove
 * themselves.
 *
 * Device anchors are old: one expired in 2025, two share a serial number, one
 * is an X.509 v1 certificate.  All are told apart by their SHA-256, and an
 * expired one counts only when the operator allows it by name.
 * Source: [CLIENT-BUNDLE].
 */
#ifndef PKI_ANCHORS_H
#define PKI_ANCHORS_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/types.h>

#include "base/error.h"

#define ANCHORS_MAX 256 /* from files; more are refused */

struct anchors;

void anchors_free(struct anchors *anchors);
struct anchors *anchors_new(void) MUST_CHECK FREED_BY(anchors_free);

/* Add all certificates of a PEM file; equal ones are kept once. */
int anchors_add_file(struct anchors *anchors, const char *path,
    struct error *err) MUST_CHECK;

/* Add every *.pem, *.crt and *.cer (PEM or DER) of a folder, by name order. */
int anchors_add_directory(struct anchors *anchors, const char *path,
    struct error *err) MUST_CHECK;

/* Add one certificate; takes its own reference. */
void anchors_add(struct anchors *anchors, X509 *cert);

/*
 * From now on accept the anchors whose subject CN is name, although expired
 * (and what they signed, as far as only the anchor is expired).
 * ERROR_NOT_FOUND when no anchor has that CN.
 */
int anchors_allow_expired(struct anchors *anchors, const char *name,
    struct error *err) MUST_CHECK;

/* May this anchor be used although expired?  By SHA-256, not by name. */
bool
anchors_is_allowed_expired(const struct anchors *anchors, const X509 *cert);

size_t anchors_count(const struct anchors *anchors);
X509 *anchors_get(const struct anchors *anchors, size_t index); /* borrowed */

/*
 * A store for verification: every anchor is an end of a chain, intermediate or
 * not (X509_V_FLAG_PARTIAL_CHAIN).  Borrowed; lives as long as anchors.
 */
X509_STORE *anchors_store(const struct anchors *anchors);

#endif
