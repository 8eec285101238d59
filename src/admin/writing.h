/*
 * writing.h -- changing the inventory for somebody who asks for it.
 *
 * The store is opened for each change, as commands do: one at a time, and what
 * is committed is noted in the audit log.  The server sees the change as it
 * sees those of commands, within a second.
 */
#ifndef ADMIN_WRITING_H
#define ADMIN_WRITING_H

#include <stdbool.h>

#include <jansson.h>

#include "inventory/admins.h"
#include "inventory/inventory.h"

struct call;

/* For reading, and for changing, which action says as commands do ("device
 * set"); NULL: a problem is the answer.  Between begin and end nobody else
 * changes it; what is not committed is rolled back. */
struct inventory *writing_read(struct call *call);
struct inventory *writing_begin(struct call *call, const char *action);
/* As writing_begin(), without a transaction: for what has its own. */
struct inventory *writing_open(struct call *call, const char *action);
void writing_end(struct call *call, struct inventory *inventory);

/* As inventory_commit(); a failure is a problem, and false. */
bool writing_commit(struct call *call, struct inventory *inventory);

/* May the caller see and change what is in that group, as the inventory has it
 * now?  For who is limited to none: always. */
bool writing_may(const struct call *call, struct inventory *inventory,
    const char *group);

/* The same as a failure that reads as if there were no such group. */
int writing_check_group(const struct call *call, struct inventory *inventory,
    const char *group, struct error *err) MUST_CHECK;

/* ------------------------------------------------- conditions: RFC 9110 13 */

/* A version of what can be changed, for ETags: it says nothing about secrets
 * that it covers to who does not know the server's key. */
#define WRITING_TAG_BYTES (2 * 12 + 1)
void writing_tag_device(struct call *call, const struct device *device,
    char tag[static WRITING_TAG_BYTES]);
void writing_tag_scope(struct call *call, const struct scope *scope,
    char tag[static WRITING_TAG_BYTES]);
void writing_tag_account(struct call *call, const struct admin_account *account,
    char tag[static WRITING_TAG_BYTES]);
void writing_tag_token(struct call *call, const struct admin_token *token,
    char tag[static WRITING_TAG_BYTES]);

/* Does If-Match hold for that version?  False: a problem of 412, or of 428
 * when there is no such field. */
bool writing_matches(struct call *call, const char *tag);

/* -------------------------------------------------------------------- JSON */

/* Add "variables" (those that are not secret) and "secrets" (the names of the
 * others) to object. */
void writing_show_variables(json_t *object, struct inventory *inventory,
    const struct variables *variables);

/* Change variables as an object of names with texts, or null, says. */
int writing_set_variables(struct variables *variables, const json_t *json,
    struct error *err) MUST_CHECK;

#endif
