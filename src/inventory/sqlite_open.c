#include "inventory/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

#define BUSY_TIMEOUT_MS 5000
#define LOCK_PAUSE_MS 10
/* What a server writes is small or at the end of a table, and a cache that
 * takes days to fill would look like a leak until then. */
#define CACHE_KIB 4096
#define JOURNAL_KEPT_BYTES (16 * 1024 * 1024)

int
sqlite_file_error(const struct sqlite_file *file, const char *what,
    struct error *err)
{
	const char *advice = "";
	char other[96];

	switch (sqlite3_errcode(file->db) & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		advice = " (another program writes to it; try again)";
		break;
	case SQLITE_NOTADB:
		(void)snprintf(other, sizeof(other),
		    " (it is no %s; name another file)", file->kind->name);
		advice = other;
		break;
	case SQLITE_CORRUPT:
		advice = " (the file is damaged; restore it from a backup)";
		break;
	case SQLITE_FULL:
		advice = " (make room on the disk and try again)";
		break;
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		advice = " (check the owner and the mode of the file and of "
			 "its folder)";
		break;
	}
	return error_set(err, ERROR_SYSTEM, "%s: %s: %s%s", file->path, what,
	    sqlite3_errmsg(file->db), advice);
}

int
sqlite_file_exec(struct sqlite_file *file, const char *sql, struct error *err)
{
	if (sqlite3_exec(file->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return sqlite_file_error(file, "the database refuses", err);
	return 0;
}

/* The first column of the first row that sql yields. */
static int
read_number(struct sqlite_file *file, const char *sql, int *number,
    struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = -1;

	if (sqlite3_prepare_v2(file->db, sql, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW) {
		*number = sqlite3_column_int(stmt, 0);
		rc = 0;
	} else {
		(void)sqlite_file_error(file, "cannot read the database", err);
	}
	(void)sqlite3_finalize(stmt);
	return rc;
}

/*
 * What root makes belongs to the owner of the folder: otherwise the first
 * "sprov device add" of an administrator would lock the server out.
 */
static void
give_to_folder_owner(int fd, const char *path)
{
	char *folder;
	struct stat st;

	if (geteuid() != 0)
		return;
	folder = file_directory(path);
	/* A failure leaves the file to root, who will be told by the server. */
	if (stat(folder, &st) == 0 && fchown(fd, st.st_uid, st.st_gid) != 0)
		errno = 0;
	free(folder);
}

static int
lock_is_taken(int fd, const struct sqlite_file *file, const char *path,
    struct error *err)
{
	char holder[32] = "";
	ssize_t n = pread(fd, holder, sizeof(holder) - 1, 0);
	char *end;
	long pid;

	holder[n > 0 ? n : 0] = '\0';
	pid = strtol(holder, &end, 10);
	if (pid > 0)
		return error_set(err, ERROR_SYSTEM,
		    "%s: process %ld is writing to it (it holds %s); try again "
		    "when that has ended",
		    file->path, pid, path);
	return error_set(err, ERROR_SYSTEM,
	    "%s: another process is writing to it (it holds %s); try again "
	    "when that has ended",
	    file->path, path);
}

/* Those who write only for a moment are waited for. */
static int
try_lock(int fd, unsigned wait_ms)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_MS * 1000000L };

	for (unsigned waited = 0;; waited += LOCK_PAUSE_MS) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK || waited >= wait_ms)
			return -1;
		(void)nanosleep(&pause, NULL);
	}
}

static int
hold_lock(int fd, const struct sqlite_file *file, const char *path,
    struct error *err)
{
	char text[32];
	int len;

	if (try_lock(fd, file->kind->lock_wait_ms) != 0) {
		if (errno == EWOULDBLOCK)
			return lock_is_taken(fd, file, path, err);
		return error_errno(err, "%s: cannot lock it", path);
	}
	len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len)
		return error_errno(err, "%s", path);
	return 0;
}

/* The lock goes with the descriptor: the kernel drops it when we die.  The
 * file stays, because removing it would race with the next one to lock it. */
static int
take_lock(struct sqlite_file *file, struct error *err)
{
	char *path = xasprintf("%s.lock", file->path);
	int fd, rc = -1;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		(void)error_errno(err, "%s: cannot open the lock", path);
		goto out;
	}
	give_to_folder_owner(fd, path);
	if (hold_lock(fd, file, path, err) != 0) {
		(void)close(fd);
		goto out;
	}
	file->lock_fd = fd;
	rc = 0;
out:
	free(path);
	return rc;
}

/* Whatever the umask is, others must never be able to read SIP passwords;
 * SQLite gives the files that it puts beside this one the same mode. */
static int
create_file(const struct sqlite_file *file, struct error *err)
{
	int fd, rc = 0;

	fd = open(file->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	/* One that is there must not be opened: closing it again would drop
	 * the locks of this process's other connections to it. */
	if (fd < 0 && errno == EEXIST)
		return 0;
	if (fd < 0)
		return error_errno(err, "%s: cannot create it", file->path);
	give_to_folder_owner(fd, file->path);
	if (fchmod(fd, 0600) != 0)
		rc = error_errno(err, "%s", file->path);
	(void)close(fd);
	return rc;
}

static int
check_file(const struct sqlite_file *file, struct error *err)
{
	struct stat st;

	if (stat(file->path, &st) != 0) {
		int saved = errno;

		(void)error_errno(err, "%s: cannot open the %s", file->path,
		    file->kind->name);
		if (saved == ENOENT || saved == ENOTDIR)
			err->kind = ERROR_NOT_FOUND;
		return -1;
	}
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_INPUT,
		    "%s: expected a file, found something else", file->path);
	return 0;
}

/* Is it ours, and which version of the schema?  0: it is still empty. */
static int
recognise(struct sqlite_file *file, int *version, struct error *err)
{
	int application = 0, objects = 0;

	/* Of one moment: it may be made right now. */
	if (sqlite_file_exec(file, "BEGIN", err) != 0 ||
	    read_number(file, "SELECT count(*) FROM sqlite_schema", &objects,
		err) != 0 ||
	    read_number(file, "PRAGMA application_id", &application, err) !=
		0 ||
	    read_number(file, "PRAGMA user_version", version, err) != 0 ||
	    sqlite_file_exec(file, "COMMIT", err) != 0)
		return -1;
	if (application == 0 && *version == 0 && objects == 0)
		return 0;
	if (application != file->kind->application_id)
		return error_set(err, ERROR_INPUT,
		    "%s: it is a SQLite database of another program, no %s; "
		    "name another file",
		    file->path, file->kind->name);
	if (*version < 1 || (size_t)*version > file->kind->migration_count)
		return error_set(err, ERROR_INPUT,
		    "%s: its schema has version %d, this sprov knows 1 to %zu; "
		    "install a newer sprov",
		    file->path, *version, file->kind->migration_count);
	return 0;
}

/* Foreign keys are not enforced while migrating: do all of them hold? */
static int
check_references(struct sqlite_file *file, struct error *err)
{
	int broken = 0;

	if (read_number(file, "SELECT count(*) FROM pragma_foreign_key_check",
		&broken, err) != 0)
		return -1;
	if (broken == 0)
		return 0;
	return error_set(err, ERROR_SYSTEM,
	    "%s: the %s is damaged: %d rows refer to none; restore it from a "
	    "backup",
	    file->path, file->kind->name, broken);
}

/* Runs within one transaction. */
static int
migrate_from(struct sqlite_file *file, size_t version, struct error *err)
{
	const struct sqlite_kind *kind = file->kind;
	char sql[96];

	for (size_t i = version; i < kind->migration_count; i++) {
		if (sqlite_file_exec(file, kind->migrations[i], err) == 0)
			continue;
		return error_prefix(err, "migration %zu: ", i + 1);
	}
	if (check_references(file, err) != 0)
		return -1;
	(void)snprintf(sql, sizeof(sql),
	    "PRAGMA application_id = %d; PRAGMA user_version = %zu",
	    kind->application_id, kind->migration_count);
	return sqlite_file_exec(file, sql, err);
}

static int
migrate(struct sqlite_file *file, int version, struct error *err)
{
	if ((size_t)version == file->kind->migration_count)
		return 0;
	if (sqlite_file_exec(file, "BEGIN IMMEDIATE", err) != 0)
		return -1;
	if (migrate_from(file, (size_t)version, err) == 0 &&
	    sqlite_file_exec(file, "COMMIT", err) == 0)
		return 0;
	(void)sqlite3_exec(file->db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

static int
open_database(struct sqlite_file *file, bool read_only, struct error *err)
{
	int flags = SQLITE_OPEN_EXRESCODE |
	    (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);

	if (sqlite3_open_v2(file->path, &file->db, flags, NULL) != SQLITE_OK)
		return sqlite_file_error(file, "cannot open it", err);
	(void)sqlite3_busy_timeout(file->db, BUSY_TIMEOUT_MS);
	/* A database from elsewhere must not run code of its author's. */
	(void)sqlite3_db_config(file->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(file->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0,
	    NULL);
	return 0;
}

static int
prepare_reader(struct sqlite_file *file, struct error *err)
{
	int version = 0;

	if (check_file(file, err) != 0 || open_database(file, true, err) != 0 ||
	    recognise(file, &version, err) != 0)
		return -1;
	if (version == 0)
		return error_set(err, ERROR_NOT_FOUND,
		    "%s: it is empty, there is no %s in it yet", file->path,
		    file->kind->name);
	if ((size_t)version < file->kind->migration_count)
		return error_set(err, ERROR_INPUT,
		    "%s: it was made by an older sprov (schema %d, expected "
		    "%zu); %s brings it up to date",
		    file->path, version, file->kind->migration_count,
		    file->kind->update);
	return 0;
}

static int
prepare_writer(struct sqlite_file *file, struct error *err)
{
	int version = 0;
	char sql[192];

	if (take_lock(file, err) != 0 || create_file(file, err) != 0 ||
	    check_file(file, err) != 0 ||
	    open_database(file, false, err) != 0 ||
	    recognise(file, &version, err) != 0)
		return -1;
	/* Only now: a database of another program stays as it is. */
	(void)snprintf(sql, sizeof(sql),
	    "PRAGMA journal_mode = WAL; PRAGMA synchronous = %s;"
	    "PRAGMA secure_delete = ON; PRAGMA cache_size = -%d;"
	    "PRAGMA journal_size_limit = %d",
	    file->kind->synchronous,
	    file->kind->cache_kib > 0 ? file->kind->cache_kib : CACHE_KIB,
	    JOURNAL_KEPT_BYTES);
	if (sqlite_file_exec(file, sql, err) != 0 ||
	    migrate(file, version, err) != 0)
		return -1;
	/* Only now: a migration may put a table in place of another one, which
	 * would take the rows with it that refer to the old one. */
	return sqlite_file_exec(file, "PRAGMA foreign_keys = ON", err);
}

int
sqlite_file_open(struct sqlite_file *file, const struct sqlite_kind *kind,
    const char *path, bool read_only, struct error *err)
{
	*file = (struct sqlite_file) {
		.kind = kind, .path = xstrdup(path), .lock_fd = -1
	};
	if ((read_only ? prepare_reader(file, err) :
			 prepare_writer(file, err)) == 0)
		return 0;
	sqlite_file_close(file);
	return -1;
}

void
sqlite_file_close(struct sqlite_file *file)
{
	/* The lock last: closing the database may still write to it. */
	(void)sqlite3_close(file->db);
	if (file->lock_fd >= 0)
		(void)close(file->lock_fd);
	free(file->path);
	*file = (struct sqlite_file) { .lock_fd = -1 };
}
