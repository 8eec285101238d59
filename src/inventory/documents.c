#include "inventory/documents.h"
#include "inventory/sqlite.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "pki/seal.h"

/*
 * The id is MAC * 4 + kind: a device's documents are neighbours, and the table
 * needs no second index, which for a million devices would be tens of MB.
 */
static const char schema[] =
    "CREATE TABLE document ("
    " id INTEGER PRIMARY KEY,"
    " at INTEGER NOT NULL," /* seconds since 1970, UTC */
    " listener TEXT NOT NULL,"
    " template TEXT NOT NULL,"
    " protection TEXT NOT NULL,"
    " status INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL,"
    " parameters INTEGER NOT NULL,"
    " sent_sha256 BLOB NOT NULL CHECK (length(sent_sha256) = 32),"
    " clear_sha256 BLOB NOT NULL CHECK (length(clear_sha256) = 32),"
    " form INTEGER NOT NULL CHECK (form BETWEEN 0 AND 2),"
    " content BLOB" /* gzip of the text, sealed when form is 2 */
    ") STRICT";

static const char *const migrations[] = { schema };

static const struct sqlite_kind kind_of_file = {
	.name = "record of documents",
	.update = "the next start of the server",
	.application_id = 0x53505244, /* "SPRD" */
	.synchronous = "NORMAL",
	.migrations = migrations,
	.migration_count = 1,
};

enum statement { PUT, GET, REMOVE, FORGET, NEXT, STATEMENTS };

static const char *const sql[STATEMENTS] = {
	[PUT] = "INSERT OR REPLACE INTO document VALUES"
		" (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
	[GET] = "SELECT at, listener, template, protection, status, bytes,"
		" parameters, sent_sha256, clear_sha256, form, content"
		" FROM document WHERE id = ?1",
	[REMOVE] = "DELETE FROM document WHERE id = ?1",
	[FORGET] = "DELETE FROM document WHERE id BETWEEN ?1 AND ?1 + 3",
	[NEXT] = "SELECT id FROM document WHERE id >= ?1 ORDER BY id LIMIT 1",
};

struct documents {
	struct sqlite_file file;
	struct seal_key *key;
	struct gzip_packer *packer;	     /* made when first used */
	sqlite3_stmt *statement[STATEMENTS]; /* prepared when first used */
};

struct documents *
documents_open(const char *path, bool read_only, struct seal_key *key,
    struct error *err)
{
	struct documents *documents = xcalloc(1, sizeof(*documents));

	if (sqlite_file_open(&documents->file, &kind_of_file, path, read_only,
		err) == 0) {
		documents->key = seal_key_retain(key);
		return documents;
	}
	free(documents);
	return NULL;
}

void
documents_close(struct documents *documents)
{
	if (documents == NULL)
		return;
	for (size_t i = 0; i < STATEMENTS; i++)
		(void)sqlite3_finalize(documents->statement[i]);
	sqlite_file_close(&documents->file);
	gzip_packer_free(documents->packer);
	seal_key_release(documents->key);
	free(documents);
}

void
documents_use_key(struct documents *documents, struct seal_key *key)
{
	struct seal_key *old = documents->key;

	documents->key = seal_key_retain(key);
	seal_key_release(old);
}

int
documents_begin(struct documents *documents, struct error *err)
{
	return sqlite_file_exec(&documents->file, "BEGIN IMMEDIATE", err);
}

int
documents_commit(struct documents *documents, struct error *err)
{
	return sqlite_file_exec(&documents->file, "COMMIT", err);
}

void
documents_rollback(struct documents *documents)
{
	(void)sqlite3_exec(documents->file.db, "ROLLBACK", NULL, NULL, NULL);
}

void
document_hash(const void *data, size_t len,
    uint8_t hash[static DOCUMENT_HASH_BYTES])
{
	if (EVP_Digest(data, len, hash, NULL, EVP_sha256(), NULL) != 1)
		abort(); /* no memory */
}

static sqlite3_int64
id_of(const struct mac *mac, enum document_kind kind)
{
	sqlite3_int64 id = 0;

	for (size_t i = 0; i < MAC_OCTETS; i++)
		id = id << 8 | mac->octet[i];
	return id * DOCUMENT_KINDS + (sqlite3_int64)kind;
}

/* What a document is sealed for: moved to another row it does not open. */
#define CONTEXT_BYTES 64
static void
make_context(const struct mac *mac, enum document_kind kind,
    char context[static CONTEXT_BYTES])
{
	static const char *const names[] = { "served", "report", "delta",
		"status" };
	char text[MAC_TEXT_BYTES];

	mac_format(mac, text);
	(void)snprintf(context, CONTEXT_BYTES, "document %s %s", text,
	    names[kind]);
}

/* The statement, reset, with the id bound; NULL after err is set. */
static sqlite3_stmt *
prepare(struct documents *documents, enum statement which,
    const struct mac *mac, enum document_kind kind, struct error *err)
{
	sqlite3_stmt **stmt = &documents->statement[which];

	if (*stmt == NULL &&
	    sqlite3_prepare_v3(documents->file.db, sql[which], -1,
		SQLITE_PREPARE_PERSISTENT, stmt, NULL) != SQLITE_OK) {
		(void)sqlite_file_error(&documents->file, "cannot read it",
		    err);
		return NULL;
	}
	(void)sqlite3_bind_int64(*stmt, 1, id_of(mac, kind));
	return *stmt;
}

static void
reset(sqlite3_stmt *stmt)
{
	(void)sqlite3_reset(stmt);
	(void)sqlite3_clear_bindings(stmt);
}

/* The packer keeps pieces of what went through it until the next one. */
static int
compress(struct documents *documents, const char *text, size_t len,
    struct buf *content, struct error *err)
{
	if (documents->packer == NULL)
		documents->packer = gzip_packer_new(err);
	if (documents->packer == NULL)
		return -1;
	return gzip_packer_run(documents->packer, text, len, content, err);
}

/* Compress text, and seal it when that is its form, in place. */
static int
pack(struct documents *documents, const struct document *document,
    const char *text, size_t len, struct buf *content, struct error *err)
{
	char context[CONTEXT_BYTES];
	struct buf sealed;
	char *space;
	int rc = -1;

	if (document->form == DOCUMENT_ABSENT)
		return 0;
	if (len > DOCUMENT_TEXT_MAX)
		return error_set(err, ERROR_INPUT,
		    "a document of %zu bytes: at most %d are kept", len,
		    DOCUMENT_TEXT_MAX);
	if (compress(documents, text, len, content, err) != 0)
		return -1;
	if (document->form != DOCUMENT_SEALED)
		return 0;
	make_context(&document->mac, document->kind, context);
	buf_init(&sealed, content->limit + SEAL_OVERHEAD);
	space = buf_reserve(&sealed, content->len + SEAL_OVERHEAD);
	if (space != NULL &&
	    seal_bytes(documents->key, context, content->data, content->len,
		(uint8_t *)space, err) == 0) {
		sealed.len = content->len + SEAL_OVERHEAD;
		explicit_bzero(content->data, content->len);
		buf_clear(content);
		*content = sealed;
		rc = 0;
	} else {
		buf_clear(&sealed);
	}
	return rc;
}

static void
bind_document(sqlite3_stmt *stmt, const struct document *document,
    const struct buf *content)
{
	(void)sqlite3_bind_int64(stmt, 2, document->at);
	(void)sqlite3_bind_text(stmt, 3, document->listener, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(stmt, 4, document->template, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(stmt, 5, document->protection, -1,
	    SQLITE_STATIC);
	(void)sqlite3_bind_int(stmt, 6, document->status);
	(void)sqlite3_bind_int64(stmt, 7, (sqlite3_int64)document->bytes);
	(void)sqlite3_bind_int64(stmt, 8, (sqlite3_int64)document->parameters);
	(void)sqlite3_bind_blob(stmt, 9, document->sent_sha256,
	    DOCUMENT_HASH_BYTES, SQLITE_STATIC);
	(void)sqlite3_bind_blob(stmt, 10, document->clear_sha256,
	    DOCUMENT_HASH_BYTES, SQLITE_STATIC);
	(void)sqlite3_bind_int(stmt, 11, (int)document->form);
	/* Unbound, it is NULL. */
	if (document->form != DOCUMENT_ABSENT)
		(void)sqlite3_bind_blob64(stmt, 12, content->data, content->len,
		    SQLITE_STATIC);
}

int
documents_put(struct documents *documents, const struct document *document,
    const char *text, size_t len, struct error *err)
{
	struct buf content;
	sqlite3_stmt *stmt;
	int rc = -1;

	/* What does not compress grows by less than this. */
	buf_init(&content, DOCUMENT_TEXT_MAX + DOCUMENT_TEXT_MAX / 64);
	stmt = prepare(documents, PUT, &document->mac, document->kind, err);
	if (stmt != NULL &&
	    pack(documents, document, text, len, &content, err) == 0) {
		bind_document(stmt, document, &content);
		rc = sqlite3_step(stmt) == SQLITE_DONE ?
		    0 :
		    sqlite_file_error(&documents->file, "cannot write it", err);
		reset(stmt);
	}
	if (content.data != NULL)
		explicit_bzero(content.data, content.len);
	buf_clear(&content);
	return rc;
}

int
documents_remove(struct documents *documents, const struct mac *mac,
    enum document_kind kind, struct error *err)
{
	sqlite3_stmt *stmt = prepare(documents, REMOVE, mac, kind, err);
	int rc;

	if (stmt == NULL)
		return -1;
	rc = sqlite3_step(stmt) == SQLITE_DONE ?
	    sqlite3_changes(documents->file.db) :
	    sqlite_file_error(&documents->file, "cannot write it", err);
	reset(stmt);
	return rc;
}

_Static_assert(DOCUMENT_KINDS == 4, "see FORGET");

int
documents_forget(struct documents *documents, const struct mac *mac,
    struct error *err)
{
	sqlite3_stmt *stmt = prepare(documents, FORGET, mac, 0, err);
	int rc;

	if (stmt == NULL)
		return -1;
	rc = sqlite3_step(stmt) == SQLITE_DONE ?
	    0 :
	    sqlite_file_error(&documents->file, "cannot write it", err);
	reset(stmt);
	return rc;
}

int
documents_next(struct documents *documents, const struct mac *after,
    struct mac *mac, struct error *err)
{
	static const struct mac first = { { 0 } };
	sqlite3_stmt *stmt = prepare(documents, NEXT,
	    after != NULL ? after : &first, 0, err);
	sqlite3_int64 bits;
	int rc;

	if (stmt == NULL)
		return -1;
	if (after != NULL) /* behind the last that it may have */
		(void)sqlite3_bind_int64(stmt, 1,
		    id_of(after, 0) + DOCUMENT_KINDS);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		bits = sqlite3_column_int64(stmt, 0) / DOCUMENT_KINDS;
		for (size_t i = MAC_OCTETS; i > 0; i--, bits >>= 8)
			mac->octet[i - 1] = (uint8_t)bits;
	}
	rc = rc == SQLITE_ROW ?
	    1 :
	    rc == SQLITE_DONE ?
	    0 :
	    sqlite_file_error(&documents->file, "cannot read it", err);
	reset(stmt);
	return rc;
}

static int
damaged(const struct documents *documents, const char *what, struct error *err)
{
	return error_set(err, ERROR_SYSTEM,
	    "%s: it is damaged: %s; stop the server and remove it",
	    documents->file.path, what);
}

static int
copy_name(const struct documents *documents, sqlite3_stmt *stmt, int column,
    char name[static DOCUMENT_NAME_MAX + 1], struct error *err)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	if (text == NULL || strlen(text) > DOCUMENT_NAME_MAX)
		return damaged(documents, "a name is too long", err);
	memcpy(name, text, strlen(text) + 1);
	return 0;
}

static int
copy_hash(const struct documents *documents, sqlite3_stmt *stmt, int column,
    uint8_t hash[static DOCUMENT_HASH_BYTES], struct error *err)
{
	const void *blob = sqlite3_column_blob(stmt, column);

	if (blob == NULL ||
	    sqlite3_column_bytes(stmt, column) != DOCUMENT_HASH_BYTES)
		return damaged(documents, "a hash is too short", err);
	memcpy(hash, blob, DOCUMENT_HASH_BYTES);
	return 0;
}

static int
read_row(const struct documents *documents, sqlite3_stmt *stmt,
    struct document *document, struct error *err)
{
	int form = sqlite3_column_int(stmt, 9);

	document->at = sqlite3_column_int64(stmt, 0);
	if (copy_name(documents, stmt, 1, document->listener, err) != 0 ||
	    copy_name(documents, stmt, 2, document->template, err) != 0 ||
	    copy_name(documents, stmt, 3, document->protection, err) != 0 ||
	    copy_hash(documents, stmt, 7, document->sent_sha256, err) != 0 ||
	    copy_hash(documents, stmt, 8, document->clear_sha256, err) != 0)
		return -1;
	if (form < DOCUMENT_ABSENT || form > DOCUMENT_SEALED)
		return damaged(documents, "unknown form of a document", err);
	document->status = sqlite3_column_int(stmt, 4);
	document->bytes = (size_t)sqlite3_column_int64(stmt, 5);
	document->parameters = (size_t)sqlite3_column_int64(stmt, 6);
	document->form = (enum document_form)form;
	return 0;
}

/* Open into a buffer of its own, to be wiped. */
static int
unseal(const struct documents *documents, const struct document *document,
    const uint8_t *blob, size_t len, struct buf *plain, struct error *err)
{
	char context[CONTEXT_BYTES];
	char *space;

	if (len < SEAL_OVERHEAD)
		return damaged(documents, "a sealed document is too short",
		    err);
	space = buf_reserve(plain, len - SEAL_OVERHEAD);
	if (space == NULL)
		return damaged(documents, "a sealed document is too long", err);
	make_context(&document->mac, document->kind, context);
	if (seal_open_bytes(documents->key, context, blob, len, space, err) !=
	    0)
		return error_prefix(err, "%s: ", documents->file.path);
	plain->len = len - SEAL_OVERHEAD;
	return 0;
}

static int
unpack(const struct documents *documents, sqlite3_stmt *stmt,
    const struct document *document, char **text, struct error *err)
{
	const uint8_t *blob = sqlite3_column_blob(stmt, 10);
	size_t len = (size_t)sqlite3_column_bytes(stmt, 10);
	struct buf plain, clear;
	int rc = 0;

	*text = NULL;
	if (document->form == DOCUMENT_ABSENT ||
	    (document->form == DOCUMENT_SEALED && documents->key == NULL))
		return 0;
	buf_init(&plain, 2 * DOCUMENT_TEXT_MAX);
	buf_init(&clear, DOCUMENT_TEXT_MAX);
	if (document->form == DOCUMENT_SEALED)
		rc = unseal(documents, document, blob, len, &plain, err);
	else if (buf_append(&plain, blob, len) != 0)
		rc = damaged(documents, "a document is too long", err);
	if (rc == 0 && gzip_expand(plain.data, plain.len, &clear, err) != 0)
		rc = error_prefix(err,
		    "%s: a damaged document: ", documents->file.path);
	if (plain.data != NULL)
		explicit_bzero(plain.data, plain.len);
	buf_clear(&plain);
	if (rc == 0)
		*text = clear.len > 0 ? buf_take(&clear) : xstrdup("");
	buf_clear(&clear);
	return rc;
}

int
documents_get(struct documents *documents, const struct mac *mac,
    enum document_kind kind, struct document *document, char **text,
    struct error *err)
{
	sqlite3_stmt *stmt = prepare(documents, GET, mac, kind, err);
	struct document found = { .mac = *mac, .kind = kind };
	int rc = -1, row;

	if (stmt == NULL)
		return -1;
	row = sqlite3_step(stmt);
	if (row == SQLITE_DONE)
		rc = 0;
	else if (row != SQLITE_ROW)
		(void)sqlite_file_error(&documents->file, "cannot read it",
		    err);
	else if (read_row(documents, stmt, &found, err) == 0 &&
	    (text == NULL || unpack(documents, stmt, &found, text, err) == 0))
		rc = 1;
	reset(stmt);
	if (rc == 1)
		*document = found;
	return rc;
}
