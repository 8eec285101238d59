/*
 * report.h -- what a device says of itself: unpacked, read, joined.
 *
 * A report is a flat profile with all parameters, or (with --delta) with those
 * that changed since the last resync, reboot or upgrade.  Multiplatform phones
 * put it into other elements; that is as in a profile.  What --status sends is
 * XML of any form (ASSUMED: no document says which).  It is packed as profiles
 * are: gzip, AES-256-CBC for --key, aes128gcm for an IKM.
 * Sources: [SPA-PROV] p. 55, [MPP-REPORT].
 */
#ifndef PROVISION_REPORT_H
#define PROVISION_REPORT_H

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "inventory/documents.h"

struct report_input {
	enum document_kind kind; /* a report's */
	const char *coding;	 /* Content-Encoding, "" when there is none */
	const char *const *keys; /* any of them may be what it needs */
	size_t key_count;
	const void *data;
	size_t len;
};

struct report {
	struct buf text; /* XML, UTF-8: each parameter once, on its line */
	size_t parameters;
	char protection[32]; /* how it was packed: "none", "gzip+aes", ... */
};

/* Overwrites the text and frees it. */
void report_clear(struct report *report);

/*
 * Read one; *report is to be cleared.  ERROR_INPUT: it is none, "line:column:"
 * where that makes sense, or longer than DOCUMENT_TEXT_MAX when unpacked;
 * ERROR_DENIED: no key fits.  *report is empty then.
 */
int report_read(const struct report_input *input, struct report *report,
    struct error *err) MUST_CHECK;

/* Append to out what newer makes of older; *count is of parameters. */
int report_merge(const char *older, const char *newer, struct buf *out,
    size_t *count, struct error *err) MUST_CHECK;

/*
 * Append a document without what nobody may read: values of parameters that
 * hold secrets, and rules with options like --key, are REPORT_REDACTED.
 */
#define REPORT_REDACTED "(not kept: there is no secrets key)"
int report_redact(const char *text, size_t len, struct buf *out,
    struct error *err) MUST_CHECK;

/* Does the value of a parameter hold a secret? */
bool report_is_secret(const char *path, const char *name, const char *value);

#endif
