#include "pki/certdir.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/cert.h"
#include "pki/key.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define CERTIFICATE ".crt"
#define KEY ".key"

int
certdir_check_name(const char *name, struct error *err)
{
	char shown[64];
	size_t len = strlen(name);

	if (len > 0 && len <= CERTDIR_NAME_MAX && *name != '.' &&
	    *name != '-' &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == len)
		return 0;
	text_escape(name, len, shown, sizeof(shown));
	return error_set(err, ERROR_INPUT,
	    "\"%s\" is no name for a certificate: wanted 1 to %d of a-z, 0-9, "
	    "\"-\", \"_\" and \".\"",
	    shown, CERTDIR_NAME_MAX);
}

static char *
path_of(const char *directory, const char *name, const char *suffix,
    unsigned which)
{
	char *file = which == 0 ? xasprintf("%s%s", name, suffix) :
				  xasprintf("%s%s.%u", name, suffix, which);
	char *path = file_join(directory, file);

	free(file);
	return path;
}

char *
certdir_certificate_path(const char *directory, const char *name,
    unsigned which)
{
	return path_of(directory, name, CERTIFICATE, which);
}

char *
certdir_key_path(const char *directory, const char *name, unsigned which)
{
	return path_of(directory, name, KEY, which);
}

static bool
exists(const char *directory, const char *name, const char *suffix,
    unsigned which)
{
	char *path = path_of(directory, name, suffix, which);
	struct stat st;
	bool found = lstat(path, &st) == 0;

	free(path);
	return found;
}

unsigned
certdir_kept(const char *directory, const char *name)
{
	unsigned n = 0;

	/* Half a pair counts: it keeps its number until it falls off. */
	while (n < CERTDIR_KEPT_MAX &&
	    (exists(directory, name, CERTIFICATE, n + 1) ||
		exists(directory, name, KEY, n + 1)))
		n++;
	return n;
}

/* The folder, locked while the descriptor is open. */
static int
lock(const char *directory, struct error *err)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		(void)error_errno(err, "%s", directory);
		if (errno == ENOENT)
			err->kind = ERROR_NOT_FOUND;
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			(void)error_set(err, ERROR_SYSTEM,
			    "%s: another process is changing the "
			    "certificates there: try again",
			    directory);
		else
			(void)error_errno(err, "%s: cannot lock it", directory);
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* What has been renamed is on disk when this returns. */
static int
unlock(int fd, const char *directory, struct error *err)
{
	int rc = fsync(fd) != 0 ? error_errno(err, "%s", directory) : 0;

	(void)close(fd);
	return rc;
}

/* from and to: numbers as in the names of files; none there is fine. */
static int
move_file(const char *directory, const char *name, const char *suffix,
    unsigned from, unsigned to, struct error *err)
{
	char *old = path_of(directory, name, suffix, from);
	char *new = path_of(directory, name, suffix, to);
	int rc = 0;

	if (rename(old, new) != 0 && errno != ENOENT)
		rc = error_errno(err, "cannot rename %s to %s", old, new);
	free(old);
	free(new);
	return rc;
}

static int
move_pair(const char *directory, const char *name, unsigned from, unsigned to,
    struct error *err)
{
	if (move_file(directory, name, CERTIFICATE, from, to, err) != 0)
		return -1;
	return move_file(directory, name, KEY, from, to, err);
}

/* Move .1 to .last on by one; what was at .last + 1 is replaced. */
static int
make_room(const char *directory, const char *name, unsigned last,
    struct error *err)
{
	for (unsigned i = last; i > 0; i--)
		if (move_pair(directory, name, i, i + 1, err) != 0)
			return -1;
	return 0;
}

/* A second name for the current file, which stays where it is. */
static int
keep_file(const char *directory, const char *name, const char *suffix,
    struct error *err)
{
	char *current = path_of(directory, name, suffix, 0);
	char *kept = path_of(directory, name, suffix, 1);
	int rc = 0;

	if (link(current, kept) != 0 && errno != ENOENT)
		rc = error_errno(err, "cannot keep %s as %s", current, kept);
	free(current);
	free(kept);
	return rc;
}

/* ------------------------------------------------------------ installing */

/* Root makes it for whom the folder around it is. */
static int
make_folder(const char *directory, struct error *err)
{
	char *parent = file_directory(directory);
	bool is_new = access(directory, F_OK) != 0;
	struct stat st;
	int rc = file_make_directory(directory, 0750, err);

	if (rc == 0 && is_new && geteuid() == 0 && stat(parent, &st) == 0 &&
	    chown(directory, st.st_uid, st.st_gid) != 0)
		rc = error_errno(err, "%s: cannot change its owner", directory);
	free(parent);
	return rc;
}

/*
 * The server may run as another user than the one who installs: a new key
 * belongs to whom the old one did, or to the folder's owner.
 */
static int
hand_over(const char *fresh, const char *path, const char *directory,
    struct error *err)
{
	struct stat old, st;
	mode_t mode = 0600;

	if (stat(path, &old) == 0)
		mode = old.st_mode & 0640;
	else if (stat(directory, &old) != 0)
		return error_errno(err, "%s", directory);
	if (stat(fresh, &st) != 0)
		return error_errno(err, "%s", fresh);
	if ((st.st_uid != old.st_uid || st.st_gid != old.st_gid) &&
	    chown(fresh, old.st_uid, old.st_gid) != 0 && geteuid() == 0)
		return error_errno(err, "%s: cannot change its owner", fresh);
	if (chmod(fresh, mode) != 0)
		return error_errno(err, "%s", fresh);
	return 0;
}

/* Write the key beside its place; *fresh is then its path, to be freed. */
static int
write_fresh_key(const char *directory, const char *name, EVP_PKEY *key,
    char **fresh, struct error *err)
{
	char *path = path_of(directory, name, KEY, 0);
	int rc;

	*fresh = xasprintf("%s.new", path);
	(void)unlink(*fresh); /* of one who was stopped in between */
	rc = key_write(*fresh, key, err);
	if (rc == 0)
		rc = hand_over(*fresh, path, directory, err);
	if (rc != 0)
		(void)unlink(*fresh);
	free(path);
	return rc;
}

static void
remove_file(const char *directory, const char *name, const char *suffix,
    unsigned which)
{
	char *path = path_of(directory, name, suffix, which);

	(void)unlink(path);
	free(path);
}

/*
 * Keep what is there as .1, by second names: the current files stay in their
 * places.  *kept: how many there were before it.
 */
static int
keep_pair(const char *directory, const char *name, unsigned *kept,
    struct error *err)
{
	*kept = certdir_kept(directory, name);
	if (*kept == CERTDIR_KEPT_MAX)
		(*kept)--; /* the oldest one goes */
	if (!exists(directory, name, CERTIFICATE, 0) &&
	    !exists(directory, name, KEY, 0))
		return 0;
	if (make_room(directory, name, *kept, err) != 0 ||
	    keep_file(directory, name, CERTIFICATE, err) != 0)
		return -1;
	return keep_file(directory, name, KEY, err);
}

/* The key that was there again, and the numbers of those before. */
static void
undo_keep(const char *directory, const char *name, unsigned kept)
{
	struct error ignored;

	/* A rename between two names of one file does nothing. */
	if (exists(directory, name, KEY, 1))
		(void)move_file(directory, name, KEY, 1, 0, &ignored);
	else
		remove_file(directory, name, KEY, 0);
	remove_file(directory, name, KEY, 1);
	remove_file(directory, name, CERTIFICATE, 1);
	for (unsigned i = 1; i <= kept; i++)
		(void)move_pair(directory, name, i + 1, i, &ignored);
}

/* Put the key in its place, then the certificate. */
static int
replace_pair(const char *directory, const char *name, const char *fresh_key,
    X509 *const *chain, size_t length, struct error *err)
{
	char *key = path_of(directory, name, KEY, 0);
	char *certificate = path_of(directory, name, CERTIFICATE, 0);
	int rc;

	if (rename(fresh_key, key) != 0)
		rc = error_errno(err, "cannot rename %s to %s", fresh_key, key);
	else
		rc = cert_write_file(certificate, chain, length, err);
	free(certificate);
	free(key);
	return rc;
}

int
certdir_install(const char *directory, const char *name, X509 *const *chain,
    size_t length, EVP_PKEY *key, struct error *err)
{
	char *fresh = NULL;
	unsigned kept;
	int fd, rc;

	if (certdir_check_name(name, err) != 0 ||
	    make_folder(directory, err) != 0 || (fd = lock(directory, err)) < 0)
		return -1;
	rc = write_fresh_key(directory, name, key, &fresh, err);
	if (rc == 0) {
		rc = keep_pair(directory, name, &kept, err);
		if (rc == 0 &&
		    replace_pair(directory, name, fresh, chain, length, err) !=
			0) {
			undo_keep(directory, name, kept);
			rc = -1;
		}
		if (rc != 0)
			(void)unlink(fresh);
	}
	free(fresh);
	if (rc == 0)
		return unlock(fd, directory, err);
	(void)close(fd);
	return -1;
}

/* -------------------------------------------------------------- rollback */

/* The chosen pair gets the number 0 by way of a number that nobody has. */
static int
rotate(const char *directory, const char *name, unsigned which,
    struct error *err)
{
	const unsigned aside = CERTDIR_KEPT_MAX + 1;

	if (move_pair(directory, name, which, aside, err) != 0 ||
	    make_room(directory, name, which - 1, err) != 0 ||
	    keep_file(directory, name, CERTIFICATE, err) != 0 ||
	    keep_file(directory, name, KEY, err) != 0)
		return -1;
	return move_pair(directory, name, aside, 0, err);
}

int
certdir_rollback(const char *directory, const char *name, unsigned which,
    struct error *err)
{
	unsigned kept;
	int fd, rc = 0;

	if (certdir_check_name(name, err) != 0 ||
	    (fd = lock(directory, err)) < 0)
		return -1;
	kept = certdir_kept(directory, name);
	if (!exists(directory, name, CERTIFICATE, 0) && kept == 0)
		rc = error_set(err, ERROR_NOT_FOUND,
		    "%s: holds no certificate %s", directory, name);
	else if (kept == 0)
		rc = error_set(err, ERROR_NOT_FOUND,
		    "%s: there is no certificate before %s: nothing to go "
		    "back to",
		    directory, name);
	else if (which == 0 || which > kept)
		rc = error_set(err, ERROR_NOT_FOUND,
		    "%s: no certificate %u before %s: wanted 1 to %u",
		    directory, which, name, kept);
	else if (!exists(directory, name, CERTIFICATE, which) ||
	    !exists(directory, name, KEY, which))
		rc = error_set(err, ERROR_NOT_FOUND,
		    "%s: of %s.crt.%u and %s.key.%u one is gone: nothing to "
		    "go back to",
		    directory, name, which, name, which);
	else
		rc = rotate(directory, name, which, err);
	if (rc == 0)
		return unlock(fd, directory, err);
	(void)close(fd);
	return -1;
}

/* --------------------------------------------------------------- listing */

static int
is_certificate(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);
	struct error ignored;
	char *name;
	int is;

	if (!text_ends(entry->d_name, CERTIFICATE) ||
	    len <= strlen(CERTIFICATE))
		return 0;
	name = xstrndup(entry->d_name, len - strlen(CERTIFICATE));
	is = certdir_check_name(name, &ignored) == 0;
	free(name);
	return is;
}

int
certdir_names(const char *directory, char ***names, size_t *count,
    struct error *err)
{
	struct dirent **entries;
	int n = scandir(directory, &entries, is_certificate, alphasort);

	*names = NULL;
	*count = 0;
	if (n < 0 && errno == ENOENT)
		return 0;
	if (n < 0)
		return error_errno(err, "%s", directory);
	if (n > 0)
		*names = xcalloc((size_t)n, sizeof(**names));
	for (int i = 0; i < n; i++) {
		(*names)[(*count)++] = xstrndup(entries[i]->d_name,
		    strlen(entries[i]->d_name) - strlen(CERTIFICATE));
		free(entries[i]);
	}
	free(entries);
	return 0;
}

void
certdir_names_free(char **names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
}
