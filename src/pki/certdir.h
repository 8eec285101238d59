/*
 * certdir.h -- a folder of our certificates with their keys, and those before
 * them.
 *
 *     csb.crt    csb.key       what the listener "csb" shows
 *     csb.crt.1  csb.key.1     the pair before that, for a rollback
 *     csb.crt.2  csb.key.2     and so on, up to CERTDIR_KEPT_MAX
 *
 * Each file is replaced in one step.  A pair is two files, so a server that
 * reads between the two steps finds a key that does not match, refuses it and
 * goes on with what it had; when the second step fails the first is undone.
 * One process at a time changes a folder (a lock on the folder itself).
 */
#ifndef PKI_CERTDIR_H
#define PKI_CERTDIR_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/types.h>

#include "base/error.h"

#define CERTDIR_NAME_MAX 64
#define CERTDIR_KEPT_MAX 9

/* 1 to 64 of a-z, 0-9, "-", "_" and ".", not beginning with "." or "-". */
int certdir_check_name(const char *name, struct error *err) MUST_CHECK;

/* DIR/NAME.crt and DIR/NAME.key, with ".N" when which > 0; free() them. */
char *certdir_certificate_path(const char *directory, const char *name,
    unsigned which);
char *certdir_key_path(const char *directory, const char *name, unsigned which);

/*
 * Install the chain and the key as NAME; a pair that is there is kept as .1,
 * and older ones move on by one.  The folder is made when it is missing (its
 * parent is not), mode 0750.  The key gets the owner and the mode of the one it
 * replaces, else the owner of the folder and 0600.
 */
int certdir_install(const char *directory, const char *name, X509 *const *chain,
    size_t length, EVP_PKEY *key, struct error *err) MUST_CHECK;

/*
 * Make the pair .which the current one again.  The current one becomes .1 and
 * those between move on by one, so that nothing is lost and a second rollback
 * by 1 undoes the first.  ERROR_NOT_FOUND when there is no such pair.
 */
int certdir_rollback(const char *directory, const char *name, unsigned which,
    struct error *err) MUST_CHECK;

/* How many pairs are kept beside the current one. */
unsigned certdir_kept(const char *directory, const char *name);

/*
 * The names in the folder, in order; release with certdir_names_free().  A
 * folder that is missing has none.
 */
int certdir_names(const char *directory, char ***names, size_t *count,
    struct error *err) MUST_CHECK;
void certdir_names_free(char **names, size_t count);

#endif
