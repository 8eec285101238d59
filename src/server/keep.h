/*
 * keep.h -- documents on their way to documents.db: what devices were served,
 * and what they reported.
 *
 * A thread of its own compresses, seals and writes (server/writer.h).  Most
 * resyncs serve what was served before: a table of fingerprints, one word per
 * slot, lets a worker see that without a lock, a copy or a question to the
 * file.  The texts that wait have a bound together; past it they are dropped
 * and counted, and the next resync brings them again.
 */
#ifndef SERVER_KEEP_H
#define SERVER_KEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "inventory/documents.h"
#include "server/writer.h"

#define KEEP_QUEUE_MAX 2048
#define KEEP_BYTES_MAX (32 * 1024 * 1024) /* of texts that wait */

struct keep;
struct seal_key;
struct snapshot;

void keep_stop(struct keep *keep); /* NULL is fine */
struct keep *keep_start(const char *state_directory,
    struct error *err) MUST_CHECK FREED_BY(keep_stop);
void keep_move(struct keep *keep, const char *state_directory);

/* Seal with this key from now on; NULL: redact (provision/report.h). */
void keep_use_key(struct keep *keep, struct seal_key *key);

/* The inventory as of now, before any worker has it; a reference is taken.  What
 * is kept of devices that it has no more goes (prune.h). */
void keep_use_snapshot(struct keep *keep, struct snapshot *snapshot);

/*
 * A device's own profile went out: document is filled in but for form and bytes.
 * The bytes are copied only when something is new.  keep may be NULL.  False:
 * there was no room for them, and they have to come again.
 */
bool keep_served(struct keep *keep, const struct document *document,
    const char *clear, size_t clear_len);

/* A report was read: text is copied.  -1 when there is no room for it. */
int keep_report(struct keep *keep, const struct document *document,
    const char *text, size_t len, struct error *err) MUST_CHECK;

struct writer_counts keep_counts(struct keep *keep);

#endif
