#include "server/keep.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "inventory/snapshot.h"
#include "pki/seal.h"
#include "provision/report.h"
#include "server/prune.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/*
 * Slots of the table: 8 MB of addresses, of which memory is taken as devices
 * come.  Two devices of one slot cost each other a look into the file.
 */
#define SLOTS (1U << 20)

struct keep {
	struct writer *writer;
	atomic_uint_fast64_t *slots;
	atomic_size_t waiting; /* bytes of texts in the queue */
	pthread_mutex_t mutex; /* of key and snapshot */
	struct seal_key *key;
	struct snapshot *snapshot; /* NULL: none yet */
};

struct entry {
	struct prune *prune; /* owned; NULL: a document */
	struct document document;
	struct keep *keep;
	char *text; /* owned */
	size_t len;
};

/* FNV-1a: it need not withstand anybody, the hash that goes in does. */
static uint64_t
mix(uint64_t hash, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 1099511628211U;
	return hash;
}

/* Everything that makes a served document another one; never 0. */
static uint64_t
fingerprint_of(const struct document *document)
{
	uint64_t hash = 14695981039346656037U;

	hash = mix(hash, document->mac.octet, MAC_OCTETS);
	hash = mix(hash, &document->status, sizeof(document->status));
	hash = mix(hash, document->listener, strlen(document->listener) + 1);
	hash = mix(hash, document->template, strlen(document->template) + 1);
	hash = mix(hash, document->protection, strlen(document->protection));
	hash = mix(hash, document->clear_sha256, DOCUMENT_HASH_BYTES);
	return hash | 1;
}

static atomic_uint_fast64_t *
slot_of(struct keep *keep, const struct mac *mac)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < MAC_OCTETS; i++)
		hash = hash << 8 | mac->octet[i];
	hash *= 0x9e3779b97f4a7c15U;
	return &keep->slots[hash >> 44];
}

static void *
open_store(const char *path, struct error *err)
{
	return documents_open(path, false, NULL, err);
}

static void
close_store(void *store)
{
	documents_close(store);
}

static bool
is_unchanged(const struct document *old, const struct document *fresh,
    enum document_form form)
{
	return old->form == form && old->status == fresh->status &&
	    memcmp(old->clear_sha256, fresh->clear_sha256,
		DOCUMENT_HASH_BYTES) == 0 &&
	    strcmp(old->listener, fresh->listener) == 0 &&
	    strcmp(old->template, fresh->template) == 0 &&
	    strcmp(old->protection, fresh->protection) == 0;
}

/* Sealed, or without its secrets, or its hash only. */
static int
put_text(struct documents *documents, struct document *document, bool sealed,
    const char *text, size_t len, struct error *err)
{
	struct buf redacted;
	struct error ignored;
	int rc;

	document->bytes = len;
	if (sealed) {
		document->form = DOCUMENT_SEALED;
		return documents_put(documents, document, text, len, err);
	}
	buf_init(&redacted, DOCUMENT_TEXT_MAX);
	document->form = document->kind != DOCUMENT_STATUS &&
		report_redact(text, len, &redacted, &ignored) == 0 ?
	    DOCUMENT_REDACTED :
	    DOCUMENT_ABSENT;
	rc = documents_put(documents, document, buf_text(&redacted),
	    redacted.len, err);
	buf_clear(&redacted);
	return rc;
}

static int
put_served(struct documents *documents, const struct entry *entry, bool sealed,
    struct error *err)
{
	struct document document = entry->document, old;
	int rc = documents_get(documents, &document.mac, document.kind, &old,
	    NULL, err);

	if (rc < 0)
		return -1;
	if (rc == 1 &&
	    is_unchanged(&old, &document,
		sealed ? DOCUMENT_SEALED : DOCUMENT_REDACTED))
		return 0;
	return put_text(documents, &document, sealed, entry->text, entry->len,
	    err);
}

/*
 * A delta is what changed since the last resync, and a resync changes only what
 * the profile sets: so what was in an earlier one still holds unless the newer
 * one says otherwise.
 */
static int
put_delta(struct documents *documents, const struct entry *entry, bool sealed,
    struct error *err)
{
	struct document document = entry->document, old;
	char *text = NULL;
	struct error ignored;
	struct buf merged;
	int rc;

	/* One that a lost key sealed is no reason to lose the new one. */
	if (documents_get(documents, &document.mac, document.kind, &old, &text,
		&ignored) != 1)
		text = NULL;
	buf_init(&merged, DOCUMENT_TEXT_MAX);
	if (text != NULL &&
	    report_merge(text, entry->text, &merged, &document.parameters,
		&ignored) == 0)
		rc = put_text(documents, &document, sealed, merged.data,
		    merged.len, err);
	else
		rc = put_text(documents, &document, sealed, entry->text,
		    entry->len, err);
	if (merged.data != NULL)
		explicit_bzero(merged.data, merged.len);
	buf_clear(&merged);
	seal_wipe(text);
	return rc;
}

/* One that comes again is recorded again. */
static void
on_forgotten(void *arg, const struct mac *mac)
{
	atomic_store_explicit(slot_of(arg, mac), 0, memory_order_relaxed);
}

static int
prune(struct documents *documents, const struct entry *entry, struct error *err)
{
	struct keep *keep = entry->keep;
	struct snapshot *now;
	int rc;

	(void)pthread_mutex_lock(&keep->mutex);
	now = snapshot_retain(keep->snapshot);
	(void)pthread_mutex_unlock(&keep->mutex);
	rc = prune_step(entry->prune, now, documents, on_forgotten, keep, err);
	snapshot_release(now);
	return rc;
}

static int
put_entry(struct documents *documents, const struct entry *entry, bool sealed,
    struct error *err)
{
	struct document document = entry->document;

	if (entry->prune != NULL)
		return prune(documents, entry, err);

	switch (document.kind) {
	case DOCUMENT_SERVED:
		return put_served(documents, entry, sealed, err);
	case DOCUMENT_DELTA:
		return put_delta(documents, entry, sealed, err);
	case DOCUMENT_REPORT:
		/* All of it: what changed before is in there. */
		if (documents_remove(documents, &document.mac, DOCUMENT_DELTA,
			err) < 0)
			return -1;
		break;
	case DOCUMENT_STATUS:
		break;
	}
	return put_text(documents, &document, sealed, entry->text, entry->len,
	    err);
}

/* What is in the file now need not come again. */
static void
remember(struct keep *keep, const struct entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (entries[i].prune == NULL &&
		    entries[i].document.kind == DOCUMENT_SERVED)
			atomic_store_explicit(slot_of(keep,
						  &entries[i].document.mac),
			    fingerprint_of(&entries[i].document),
			    memory_order_relaxed);
}

/* What is pruned in steps goes behind what has come meanwhile. */
static void
go_on(struct keep *keep, const struct entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct entry next = { .prune = entries[i].prune, .keep = keep };

		if (next.prune == NULL || !prune_has_more(next.prune))
			continue;
		prune_retain(next.prune);
		writer_add(keep->writer, &next);
	}
}

static int
put_entries(void *store, const void *entries, size_t count, void *arg,
    struct error *err)
{
	const struct entry *list = entries;
	struct documents *documents = store;
	struct keep *keep = arg;
	struct seal_key *key;
	int rc;

	(void)pthread_mutex_lock(&keep->mutex);
	key = seal_key_retain(keep->key);
	(void)pthread_mutex_unlock(&keep->mutex);
	documents_use_key(documents, key);
	rc = documents_begin(documents, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = put_entry(documents, &list[i], key != NULL, err);
	if (rc == 0)
		rc = documents_commit(documents, err);
	if (rc == 0) {
		remember(keep, list, count);
		go_on(keep, list, count);
	} else {
		documents_rollback(documents);
	}
	seal_key_release(key);
	return rc;
}

static void
clear_entry(void *arg)
{
	struct entry *entry = arg;

	prune_release(entry->prune);
	if (entry->text == NULL)
		return;
	atomic_fetch_sub(&entry->keep->waiting, entry->len);
	explicit_bzero(entry->text, entry->len);
	free(entry->text);
}

static const struct writer_kind documents_kind = {
	.file = DOCUMENTS_FILE,
	.what = "documents",
	.lost = "documents-not-recorded",
	.entry_bytes = sizeof(struct entry),
	.queue_max = KEEP_QUEUE_MAX,
	.yields = true,
	.open = open_store,
	.put = put_entries,
	.close = close_store,
	.clear = clear_entry,
};

struct keep *
keep_start(const char *state_directory, struct error *err)
{
	struct keep *keep = xcalloc(1, sizeof(*keep));

	(void)pthread_mutex_init(&keep->mutex, NULL);
	keep->slots = xcalloc(SLOTS, sizeof(*keep->slots));
	keep->writer = writer_start(&documents_kind, state_directory, keep,
	    err);
	if (keep->writer != NULL)
		return keep;
	keep_stop(keep);
	return NULL;
}

void
keep_stop(struct keep *keep)
{
	if (keep == NULL)
		return;
	writer_stop(keep->writer);
	seal_key_release(keep->key);
	snapshot_release(keep->snapshot);
	(void)pthread_mutex_destroy(&keep->mutex);
	free(keep->slots);
	free(keep);
}

/* Another file knows other documents. */
void
keep_move(struct keep *keep, const char *state_directory)
{
	writer_move(keep->writer, state_directory);
	for (size_t i = 0; i < SLOTS; i++)
		atomic_store_explicit(&keep->slots[i], 0, memory_order_relaxed);
}

void
keep_use_key(struct keep *keep, struct seal_key *key)
{
	struct seal_key *old;

	(void)pthread_mutex_lock(&keep->mutex);
	old = keep->key;
	keep->key = seal_key_retain(key);
	(void)pthread_mutex_unlock(&keep->mutex);
	seal_key_release(old);
}

void
keep_use_snapshot(struct keep *keep, struct snapshot *snapshot)
{
	struct entry entry = { .keep = keep };
	struct snapshot *old;

	if (keep == NULL)
		return;
	(void)pthread_mutex_lock(&keep->mutex);
	old = keep->snapshot;
	keep->snapshot = snapshot_retain(snapshot);
	(void)pthread_mutex_unlock(&keep->mutex);
	entry.prune = prune_new(old, snapshot);
	writer_add(keep->writer, &entry);
	snapshot_release(old);
}

/* False when the queue holds too much already. */
static bool
add(struct keep *keep, const struct document *document, const char *text,
    size_t len)
{
	struct entry entry = {
		.document = *document, .keep = keep, .len = len
	};

	if (atomic_fetch_add(&keep->waiting, len) + len > KEEP_BYTES_MAX) {
		atomic_fetch_sub(&keep->waiting, len);
		return false;
	}
	entry.text = xmalloc(len + 1);
	memcpy(entry.text, text, len);
	entry.text[len] = '\0';
	return writer_add(keep->writer, &entry);
}

bool
keep_served(struct keep *keep, const struct document *document,
    const char *clear, size_t clear_len)
{
	if (keep == NULL ||
	    atomic_load_explicit(slot_of(keep, &document->mac),
		memory_order_relaxed) == fingerprint_of(document))
		return true;
	return add(keep, document, clear, clear_len);
}

int
keep_report(struct keep *keep, const struct document *document,
    const char *text, size_t len, struct error *err)
{
	if (keep != NULL && add(keep, document, text, len))
		return 0;
	return error_set(err, ERROR_SYSTEM,
	    "more reports arrive than can be written");
}

struct writer_counts
keep_counts(struct keep *keep)
{
	return writer_counts(keep->writer);
}
