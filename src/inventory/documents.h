/*
 * documents.h -- what each device was last served, and what it last reported.
 *
 * A file of its own beside the inventory, because the server writes it all the
 * time and has the inventory open for reading only.  A device has at most one
 * document of each kind, so the file is as large as the fleet and does not grow
 * with time: compressed, a profile takes about 2 KB, a report about 20 KB.  One
 * process writes (it holds PATH.lock), any number read.
 *
 * Documents hold passwords.  With a key (pki/seal.h) they are sealed, each for
 * its device and kind.  Without one it is up to the caller what it gives away:
 * what is kept then is what he says is redacted.
 */
#ifndef INVENTORY_DOCUMENTS_H
#define INVENTORY_DOCUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "base/mac.h"

/* Its name in the server's state directory. */
#define DOCUMENTS_FILE "documents.db"
#define DOCUMENT_NAME_MAX 63
#define DOCUMENT_TEXT_MAX (1024 * 1024) /* bytes of a clear document */
#define DOCUMENT_HASH_BYTES 32		/* SHA-256 */

enum document_kind {
	DOCUMENT_SERVED, /* its own profile */
	DOCUMENT_REPORT, /* all parameters that it has */
	DOCUMENT_DELTA,	 /* all that were reported changed after that */
	DOCUMENT_STATUS, /* whatever it tells of its state */
};
#define DOCUMENT_KINDS 4

enum document_form {
	DOCUMENT_ABSENT,   /* only what struct document says is known */
	DOCUMENT_REDACTED, /* kept without secrets, for want of a key */
	DOCUMENT_SEALED,
};

struct document {
	struct mac mac;
	enum document_kind kind;
	time_t at; /* when it was first served like this, or reported */
	char listener[DOCUMENT_NAME_MAX + 1];
	char template[DOCUMENT_NAME_MAX + 1];	/* "" for reports */
	char protection[DOCUMENT_NAME_MAX + 1]; /* on the wire: "none", ... */
	int status;				/* HTTP */
	size_t bytes;				/* of the clear text */
	size_t parameters; /* that a report had; 0 for others */
	uint8_t sent_sha256[DOCUMENT_HASH_BYTES];  /* on the wire */
	uint8_t clear_sha256[DOCUMENT_HASH_BYTES]; /* of the clear text */
	enum document_form form;
};

struct documents;
struct seal_key;

/*
 * Open; made when missing, unless read_only: ERROR_NOT_FOUND then.  A second
 * writer is refused with ERROR_SYSTEM.  key (a reference is kept) may be NULL.
 */
void documents_close(struct documents *documents);
struct documents *
documents_open(const char *path, bool read_only, struct seal_key *key,
    struct error *err) MUST_CHECK FREED_BY(documents_close);

/* Seal and open with this key from now on; NULL: with none. */
void documents_use_key(struct documents *documents, struct seal_key *key);

/* Several changes as one: all happen at commit, or none. */
int documents_begin(struct documents *documents, struct error *err) MUST_CHECK;
int documents_commit(struct documents *documents, struct error *err) MUST_CHECK;
void documents_rollback(struct documents *documents);

/*
 * Put in place of the one before.  text has len bytes; form DOCUMENT_ABSENT: it
 * is not kept, only its hash.  DOCUMENT_SEALED needs a key.
 */
int documents_put(struct documents *documents, const struct document *document,
    const char *text, size_t len, struct error *err) MUST_CHECK;

/* 1 when there was one, 0, or -1. */
int documents_remove(struct documents *documents, const struct mac *mac,
    enum document_kind kind, struct error *err) MUST_CHECK;

/* All of a device. */
int documents_forget(struct documents *documents, const struct mac *mac,
    struct error *err) MUST_CHECK;

/* The next device, by its MAC, that has any: 1 and *mac, 0, or -1.  after NULL:
 * the first one. */
int documents_next(struct documents *documents, const struct mac *after,
    struct mac *mac, struct error *err) MUST_CHECK;

/*
 * 1 and *document when there is one, 0 when not, -1.  *text (if text is not
 * NULL) is its text, the caller's to seal_wipe(), or NULL when only the hash
 * was kept or it is sealed and there is no key.  ERROR_DENIED: another key
 * sealed it.
 */
int documents_get(struct documents *documents, const struct mac *mac,
    enum document_kind kind, struct document *document, char **text,
    struct error *err) MUST_CHECK;

/* SHA-256 of len bytes. */
void document_hash(const void *data, size_t len,
    uint8_t hash[static DOCUMENT_HASH_BYTES]);

#endif
