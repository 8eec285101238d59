/*
 * audit.h -- the audit log: who changed what, as a chain.
 *
 * A file of its own beside the inventory.  Each entry is one JSON object in
 * one spelling (keys in order, no blanks, ASCII), and holds the SHA-256 of the
 * one before; so no entry can be altered, removed or put in between without
 * all later ones being made anew.  Who notes the last hash elsewhere can tell
 * that, too.  One process adds at a time and only for a moment (it holds
 * PATH.lock; others wait for some seconds), any number read.  Nothing is ever
 * removed.
 */
#ifndef INVENTORY_AUDIT_H
#define INVENTORY_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <jansson.h>

#include "base/error.h"

#define AUDIT_FILE "audit.db" /* its name in the inventory's folder */
#define AUDIT_HASH_BYTES 32
#define AUDIT_TEXT_MAX (1024 * 1024) /* of an entry */

/* How it is known who somebody is. */
enum audit_by {
	AUDIT_COMMAND, /* the Unix user who runs sprov */
	AUDIT_ACCOUNT, /* of the admin listener */
	AUDIT_TOKEN,
	AUDIT_NOBODY, /* it is not: who tries to log in */
};

/* Who does something, and what. */
struct audit_act {
	enum audit_by by;
	const char *who;    /* "root", "noc@example.net", "ci" */
	const char *from;   /* address; NULL: of this machine */
	const char *tenant; /* the group that he is limited to; NULL: none */
	const char *action; /* "device set", "login" */
	const char *object; /* on what: "000e08aabbcc", "group:east"; NULL */
	bool refused;	    /* it was tried only */
};

/* "sqlite:/a/inventory.db" -> "/a/audit.db"; of another inventory that of the
 * folder (may be NULL: then NULL).  The caller's to free(). */
char *audit_path(const char *inventory_uri, const char *folder);

struct audit;
void audit_close(struct audit *audit); /* NULL is fine */
/* Made when missing, unless read_only: ERROR_NOT_FOUND then. */
struct audit *audit_open(const char *path, bool read_only,
    struct error *err) MUST_CHECK FREED_BY(audit_close);

/* Add an entry; it is on the disk then.  detail (NULL: none) is an object, and
 * taken.  hash (may be NULL) gets that of the entry. */
int audit_add(struct audit *audit, const struct audit_act *act, time_t at,
    json_t *detail, uint8_t hash[AUDIT_HASH_BYTES],
    struct error *err) MUST_CHECK;

/* The same with a file that is opened for it. */
int audit_add_to(const char *path, const struct audit_act *act, time_t at,
    json_t *detail, uint8_t hash[AUDIT_HASH_BYTES],
    struct error *err) MUST_CHECK;

/* A copy of an act and where it is to be noted, for whoever is about to do it. */
struct audit_note;
void audit_note_free(struct audit_note *note); /* NULL is fine */
struct audit_note *audit_note_new(const char *path, const struct audit_act *act,
    time_t at) MUST_CHECK FREED_BY(audit_note_free);
/* Add it; object: if the act has none.  As audit_add() else. */
int audit_note_add(const struct audit_note *note, const char *object,
    bool refused, json_t *detail, uint8_t hash[AUDIT_HASH_BYTES],
    struct error *err) MUST_CHECK;

/*
 * Visit entries: those with after < id (and id < before, unless that is 0), in
 * order or the newest first.  entry is the object, with a further key "hash";
 * borrowed.  A visitor that returns non-zero ends the visit, and that value is
 * returned; -1 with err on failure.
 */
typedef int audit_visit(int64_t id, json_t *entry, void *arg);
int audit_each(struct audit *audit, int64_t after, int64_t before,
    bool newest_first, audit_visit *visit, void *arg,
    struct error *err) MUST_CHECK;

/* What became of looking at all of it. */
struct audit_verdict {
	int64_t entries;		/* that are good, from the first one */
	uint8_t head[AUDIT_HASH_BYTES]; /* the last of these; zeros: none */
	char fault[200];  /* what is wrong with the next one; "": nothing */
	bool known_found; /* known is the hash of one of them */
};
int audit_verify(struct audit *audit, const uint8_t known[AUDIT_HASH_BYTES],
    struct audit_verdict *verdict, struct error *err) MUST_CHECK;

#endif
