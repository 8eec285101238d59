/*
 * What only the store in a file has: who may write, what a crash leaves, what
 * others see, and files that are none of ours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/file.h"
#include "base/mem.h"
#include "inventory/inventory.h"
#include "inventory/migration_store.h"
#include "inventory/snapshot.h"
#include "inventory/store.h"
#include "pki/seal.h"
#include "scratch.h"

struct place {
	char *folder, *path, *uri;
};

static int
set_up(void **state)
{
	struct place *place = xcalloc(1, sizeof(*place));

	place->folder = scratch_make();
	place->path = xasprintf("%s/inventory.db", place->folder);
	place->uri = xasprintf("sqlite:%s", place->path);
	*state = place;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *place = *state;

	scratch_remove(place->folder);
	free(place->path);
	free(place->uri);
	free(place);
	return 0;
}

static struct inventory *
open_it(void **state, bool read_only)
{
	const struct place *place = *state;
	struct error err = { 0 };
	struct inventory *inventory = inventory_open(place->uri, read_only,
	    &err);

	if (inventory == NULL)
		print_error("%s\n", err.text);
	assert_non_null(inventory);
	return inventory;
}

static void
expect_refusal(void **state, bool read_only, enum error_kind kind,
    const char *says)
{
	const struct place *place = *state;
	struct error err = { 0 };

	assert_null(inventory_open(place->uri, read_only, &err));
	if (strstr(err.text, says) == NULL || err.kind != kind)
		print_error("%d %s\n", (int)err.kind, err.text);
	assert_non_null(strstr(err.text, says));
	assert_int_equal(err.kind, kind);
}

static void
add(struct inventory *inventory, unsigned number)
{
	struct device device = { .model = "SPA504G" };
	struct error err = { 0 };

	device.mac.octet[0] = 2;
	device.mac.octet[4] = (uint8_t)(number >> 8 & 255);
	device.mac.octet[5] = (uint8_t)(number & 255);
	assert_int_equal(variables_set(&device.variables, "a", "1", &err), 0);
	assert_int_equal(inventory_add_device(inventory, &device, &err), 0);
	device_clear(&device);
}

static size_t
count(struct inventory *inventory)
{
	struct error err = { 0 };
	struct snapshot *snapshot = snapshot_load(inventory, &err);
	size_t n;

	assert_non_null(snapshot);
	n = snapshot_device_count(snapshot);
	snapshot_release(snapshot);
	return n;
}

/* Run SQL as another program would. */
static void
sql(void **state, const char *text)
{
	const struct place *place = *state;
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
test_mode(void **state)
{
	const struct place *place = *state;
	static const char *const suffixes[] = { "", ".lock", "-wal", "-shm" };
	mode_t before = umask(0);
	struct inventory *inventory = open_it(state, false);

	add(inventory, 1);
	(void)umask(before);
	for (size_t i = 0; i < 4; i++) {
		char *path = xasprintf("%s%s", place->path, suffixes[i]);
		struct stat st;

		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		free(path);
	}
	inventory_close(inventory);
}

static void
test_one_writer(void **state)
{
	struct inventory *writer = open_it(state, false);
	char pid[64];

	(void)snprintf(pid, sizeof(pid), "process %ld is writing",
	    (long)getpid());
	expect_refusal(state, false, ERROR_SYSTEM, pid);
	inventory_close(writer);
	inventory_close(open_it(state, false));
}

/* The lock is taken, but the holder has not written its number yet. */
static void
test_unnamed_writer(void **state)
{
	const struct place *place = *state;
	struct inventory *writer = open_it(state, false);
	char *lock = xasprintf("%s.lock", place->path);

	assert_int_equal(truncate(lock, 0), 0);
	expect_refusal(state, false, ERROR_SYSTEM, "another process is");
	free(lock);
	inventory_close(writer);
}

static void
test_reader_beside_writer(void **state)
{
	struct inventory *writer = open_it(state, false);
	struct inventory *reader;
	struct error err = { 0 };
	uint64_t before, after;

	add(writer, 1);
	reader = open_it(state, true);
	assert_int_equal(inventory_change_number(reader, &before, &err), 0);
	assert_int_equal(count(reader), 1);
	assert_int_equal(inventory_begin(writer, &err), 0);
	add(writer, 2);
	/* Not committed, not seen. */
	assert_int_equal(count(reader), 1);
	assert_int_equal(inventory_change_number(reader, &after, &err), 0);
	assert_int_equal(before, after);
	assert_int_equal(inventory_commit(writer, &err), 0);
	assert_int_equal(count(reader), 2);
	assert_int_equal(inventory_change_number(reader, &after, &err), 0);
	assert_true(after > before);
	inventory_close(writer);
	assert_int_equal(count(reader), 2);
	/* A new writer comes while the reader stays. */
	writer = open_it(state, false);
	add(writer, 3);
	assert_int_equal(count(reader), 3);
	inventory_close(reader);
	inventory_close(writer);
}

/* One that writes in another process and is killed before it commits. */
static void
test_killed_writer(void **state)
{
	const struct place *place = *state;
	struct inventory *inventory = open_it(state, false);
	struct error err = { 0 };
	uint64_t before, after;
	int fds[2], status;
	char byte;
	pid_t pid;

	add(inventory, 1);
	assert_int_equal(inventory_change_number(inventory, &before, &err), 0);
	inventory_close(inventory);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct mac first = { { 2, 0, 0, 0, 0, 1 } };

		inventory = inventory_open(place->uri, false, &err);
		if (inventory == NULL || inventory_begin(inventory, &err) != 0)
			_exit(1);
		/* Enough to spill from the cache into the file. */
		for (unsigned i = 2; i < 40000; i++) {
			struct device device = { .model = "SPA504G" };

			device.mac.octet[0] = (uint8_t)(i >> 16);
			device.mac.octet[1] = (uint8_t)(i >> 8 & 255);
			device.mac.octet[2] = (uint8_t)(i & 255);
			if (inventory_add_device(inventory, &device, &err) != 0)
				_exit(2);
		}
		if (inventory_remove_device(inventory, &first, &err) != 0)
			_exit(3);
		if (write(fds[1], "x", 1) != 1)
			_exit(4);
		for (;;)
			(void)pause();
	}
	(void)close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	(void)close(fds[0]);
	/* It holds the lock ... */
	expect_refusal(state, false, ERROR_SYSTEM, "is writing to it");
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	/* ... and leaves neither that nor anything else. */
	inventory = open_it(state, false);
	assert_int_equal(count(inventory), 1);
	assert_int_equal(inventory_change_number(inventory, &after, &err), 0);
	assert_int_equal(after, before);
	inventory_close(inventory);
}

static void
test_absent(void **state)
{
	const struct place *place = *state;
	struct error err = { 0 };
	char *uri;

	expect_refusal(state, true, ERROR_NOT_FOUND, "cannot open");
	assert_int_equal(access(place->path, F_OK), -1);
	uri = xasprintf("sqlite:%s/no/inventory.db", place->folder);
	assert_null(inventory_open(uri, false, &err));
	assert_int_equal(err.kind, ERROR_SYSTEM);
	assert_non_null(strstr(err.text, "No such file"));
	assert_null(inventory_open(uri, true, &err));
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	free(uri);
}

static void
test_folder(void **state)
{
	const struct place *place = *state;
	struct error err = { 0 };
	char *uri = xasprintf("sqlite:%s/sub", place->folder);

	assert_int_equal(mkdir(uri + strlen("sqlite:"), 0700), 0);
	assert_null(inventory_open(uri, false, &err));
	assert_non_null(strstr(err.text, "expected a file"));
	assert_null(inventory_open(uri, true, &err));
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_int_equal(rmdir(uri + strlen("sqlite:")), 0);
	free(uri);
}

/* As a writer leaves it that is killed before the schema is in. */
static void
test_empty_file(void **state)
{
	const struct place *place = *state;
	struct error err = { 0 };
	struct inventory *inventory;

	assert_int_equal(file_create(place->path, 0600, "", 0, &err), 0);
	expect_refusal(state, true, ERROR_NOT_FOUND, "no inventory in it yet");
	inventory = open_it(state, false);
	add(inventory, 1);
	inventory_close(inventory);
	inventory_close(open_it(state, true));
}

static void
test_other_file(void **state)
{
	static const char text[] =
	    "mac,model\n000e08aabbcc,SPA504G\n"
	    "this is a table in a text file and no database of any kind, and "
	    "it is longer than the header of one would be, so that it is seen";
	const struct place *place = *state;
	struct error err = { 0 };
	char *data;
	size_t len;

	assert_int_equal(file_create(place->path, 0600, text, sizeof(text),
			     &err),
	    0);
	expect_refusal(state, true, ERROR_SYSTEM, "it is no inventory");
	expect_refusal(state, false, ERROR_SYSTEM, "it is no inventory");
	assert_int_equal(file_read(place->path, 1024, &data, &len, &err), 0);
	assert_int_equal(len, sizeof(text));
	assert_memory_equal(data, text, len);
	free(data);
}

static void
test_other_database(void **state)
{
	sql(state, "CREATE TABLE device (a); INSERT INTO device VALUES (1)");
	expect_refusal(state, true, ERROR_INPUT, "of another program");
	expect_refusal(state, false, ERROR_INPUT, "of another program");
}

static void
test_newer_schema(void **state)
{
	inventory_close(open_it(state, false));
	sql(state, "PRAGMA user_version = 1000");
	expect_refusal(state, true, ERROR_INPUT, "install a newer sprov");
	expect_refusal(state, false, ERROR_INPUT, "has version 1000");
}

static void
test_damage(void **state)
{
	const struct place *place = *state;
	struct inventory *inventory = open_it(state, false);
	struct error err = { 0 };
	char noise[4096];
	struct stat st;
	int fd;

	assert_int_equal(inventory_begin(inventory, &err), 0);
	for (unsigned i = 0; i < 2000; i++)
		add(inventory, i);
	assert_int_equal(inventory_commit(inventory, &err), 0);
	inventory_close(inventory);
	memset(noise, 0xa5, sizeof(noise));
	fd = open(place->path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	/* All but the page with the schema. */
	for (off_t at = 4096; at < st.st_size; at += 4096)
		assert_int_equal(pwrite(fd, noise, sizeof(noise), at),
		    sizeof(noise));
	assert_int_equal(close(fd), 0);
	expect_refusal(state, true, ERROR_SYSTEM, "restore it from a backup");
}

/* Rows that only another program can have written. */
static const struct {
	const char *sql;
	const char *says;
} bad_rows[] = {
	{ "INSERT INTO device VALUES ('00:0e:08:aa:', 'm', '', '', NULL,"
	  " 'active', '', '')",
	    "MAC address" },
	{ "INSERT INTO device VALUES ('000e08aabbcc', printf('%.64c', 'm'),"
	  " '', '', NULL, 'active', '', '')",
	    "device's field" },
	{ "PRAGMA ignore_check_constraints = 1; INSERT INTO device VALUES"
	  " ('000e08aabbcc', 'm', '', '', NULL, 'broken', '', '')",
	    "state" },
	{ "UPDATE device SET tags = 'a b'", "tag" },
	{ "UPDATE device SET variables = 'a'", "variable" },
	{ "UPDATE device SET variables = 'a b' || char(31) || char(30)",
	    "variable" },
	{ "UPDATE device SET variables = 'a' || char(31) || char(7) ||"
	  " char(30)",
	    "variable" },
	{ "UPDATE device SET variables = 'b' || char(31) || char(30) || 'a' ||"
	  " char(31) || char(30)",
	    "variable" },
	{ "UPDATE device SET variables = 'a' || char(31) || char(30) || 'a' ||"
	  " char(31) || char(30)",
	    "variable" },
	{ "UPDATE device SET variables = 'a' || char(31) || char(30) || 'x'",
	    "variable" },
	{ "INSERT INTO scope VALUES (1, 2, printf('%.64c', 'g'), 0, NULL, '')",
	    "name" },
	{ "INSERT INTO scope VALUES (1, 2, 'g', 0, NULL, 'a')", "variable" },
	{ "INSERT INTO variable_type VALUES (printf('%.64c', 'v'), 'text')",
	    "variable's name" },
};

static void
test_bad_rows(void **state)
{
	const struct place *place = *state;

	for (size_t i = 0; i < sizeof(bad_rows) / sizeof(*bad_rows); i++) {
		struct inventory *inventory = open_it(state, false);
		struct error err = { 0 };

		add(inventory, 1);
		inventory_close(inventory);
		sql(state, bad_rows[i].sql);
		inventory = open_it(state, true);
		assert_null(snapshot_load(inventory, &err));
		assert_int_equal(err.kind, ERROR_SYSTEM);
		assert_non_null(strstr(err.text, "is out of range"));
		assert_non_null(strstr(err.text, bad_rows[i].says));
		inventory_close(inventory);
		assert_int_equal(unlink(place->path), 0);
	}
}

/* A store that breaks in the middle: each step says so, nothing is kept. */
static void
test_broken_store(void **state)
{
	static const char *const tables[] = { "device", "device_log", "scope",
		"variable_type" };

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		const struct place *place = *state;
		struct device device = { .model = "SPA962" };
		struct scope scope = { .kind = SCOPE_GROUP, .name = "g" };
		struct inventory *inventory = open_it(state, false);
		struct error err = { 0 };
		uint64_t number;
		char text[64];
		int rc;

		inventory_close(inventory);
		(void)snprintf(text, sizeof(text),
		    "ALTER TABLE %s RENAME TO "
		    "gone",
		    tables[i]);
		sql(state, text);
		inventory = open_it(state, false);
		assert_int_equal(variables_set(&device.variables, "a", "",
				     &err),
		    0);
		assert_int_equal(variables_set(&scope.variables, "a", "", &err),
		    0);
		assert_int_equal(inventory_begin(inventory, &err), 0);
		rc = inventory_put_scope(inventory, &scope, &err);
		if (rc == 0)
			rc = inventory_add_device(inventory, &device, &err);
		if (rc == 0)
			rc = inventory_update_device(inventory, &device, &err);
		if (rc == 0)
			rc = inventory_remove_device(inventory, &device.mac,
			    &err);
		assert_int_equal(inventory_commit(inventory, &err), -1);
		assert_int_equal(err.kind, ERROR_SYSTEM);
		assert_int_equal(rc, -1);
		if (i != 1) {
			assert_null(snapshot_load(inventory, &err));
			assert_int_equal(err.kind, ERROR_SYSTEM);
		}
		assert_int_equal(inventory_get_device(inventory, &device.mac,
				     &device, &err),
		    -1);
		assert_int_equal(inventory_change_number(inventory, &number,
				     &err),
		    0);
		variables_clear(&device.variables);
		scope_clear(&scope);
		inventory_close(inventory);
		assert_int_equal(unlink(place->path), 0);
	}
}

static void
test_no_change_table(void **state)
{
	inventory_close(open_it(state, false));
	sql(state, "DROP TABLE change");
	expect_refusal(state, true, ERROR_SYSTEM, "no such table: change");
	expect_refusal(state, false, ERROR_SYSTEM, "no such table: change");
}

/* What the first two migrations made, with something in it. */
static void
make_old(void **state)
{
	for (size_t i = 0; i < 2; i++)
		sql(state, inventory_migrations[i]);
	sql(state,
	    "PRAGMA application_id = 1397772886; PRAGMA user_version = 2;"
	    "UPDATE change SET number = 7;"
	    "INSERT INTO scope VALUES (1, 0, '', NULL), (2, 2, 'g', NULL),"
	    " (3, 2, 'below', 2), (4, 1, 'SPA962', NULL);"
	    "INSERT INTO scope_variable VALUES (2, 'z', '1'), (2, 'a', '2'),"
	    " (1, 'd', 'all');"
	    "INSERT INTO device VALUES"
	    " ('020000000001', 'SPA962', '6.1.5', 's', 3, 'active'),"
	    " ('020000000002', 'SPA504G', '', '', NULL, 'retired');"
	    "INSERT INTO device_variable VALUES"
	    " ('020000000001', 'b', 'x=y'), ('020000000001', 'a', ''),"
	    " ('020000000001', 'c', 'two' || char(10) || 'lines');"
	    "INSERT INTO migration VALUES (1, 'a', 'listener', 'b',"
	    " 'listener', 'r', NULL, 90, 0, 'running', '', 0, 0);"
	    "INSERT INTO migration_member VALUES (1, '020000000001', 1,"
	    " 'waiting', NULL, NULL, 0, 0, 0, 0)");
}

static int
count_kinds(const struct device_kind *kind, void *arg)
{
	*(int64_t *)arg += kind->count;
	return 0;
}

static void
test_upgrade(void **state)
{
	struct inventory *inventory;
	struct snapshot *snapshot;
	const struct device *device;
	struct mac mac = { { 2, 0, 0, 0, 0, 1 } };
	struct migration_member *members = NULL;
	struct error err = { 0 };
	uint64_t number = 0;
	size_t n = 0;
	int64_t kinds = 0;

	make_old(state);
	expect_refusal(state, true, ERROR_INPUT, "made by an older sprov");
	inventory = open_it(state, false);
	assert_int_equal(inventory_change_number(inventory, &number, &err), 0);
	assert_int_equal(number, 7);
	snapshot = snapshot_load(inventory, &err);
	assert_non_null(snapshot);
	assert_int_equal(snapshot_device_count(snapshot), 2);
	device = snapshot_find(snapshot, &mac);
	assert_non_null(device);
	assert_string_equal(device->group, "below");
	assert_int_equal(device->variables.count, 3);
	assert_string_equal(variables_get(&device->variables, "a"), "");
	assert_string_equal(variables_get(&device->variables, "b"), "x=y");
	assert_string_equal(variables_get(&device->variables, "c"),
	    "two\nlines");
	assert_int_equal(inventory_each_kind(inventory, count_kinds, &kinds,
			     &err),
	    0);
	assert_int_equal(kinds, 2);
	assert_string_equal(snapshot_variable(snapshot, device, "", "z"), "1");
	assert_string_equal(snapshot_variable(snapshot, device, "", "d"),
	    "all");
	mac.octet[5] = 2;
	device = snapshot_find(snapshot, &mac);
	assert_int_equal(device->state, DEVICE_RETIRED);
	assert_int_equal(device->variables.count, 0);
	snapshot_release(snapshot);
	/* What refers to devices is still there, and goes with them. */
	assert_int_equal(migration_store_members(inventory, 1, &members, &n,
			     &err),
	    0);
	assert_int_equal(n, 1);
	migration_members_free(members, n);
	mac.octet[5] = 1;
	assert_int_equal(inventory_remove_device(inventory, &mac, &err), 0);
	assert_int_equal(migration_store_members(inventory, 1, &members, &n,
			     &err),
	    0);
	assert_int_equal(n, 0);
	migration_members_free(members, n);
	inventory_close(inventory);
}

/* Rows that point nowhere stop the upgrade, and the file stays as it is. */
static void
test_upgrade_of_damage(void **state)
{
	make_old(state);
	sql(state, "UPDATE device SET group_id = 99");
	expect_refusal(state, false, ERROR_SYSTEM, "2 rows refer to none");
	sql(state, "UPDATE device SET group_id = 2");
	inventory_close(open_it(state, false));
}

static struct seal_key *
make_key(uint8_t seed)
{
	uint8_t bytes[SEAL_KEY_BYTES] = { seed };
	struct error err = { 0 };
	struct seal_key *key = seal_key_new(bytes, &err);

	assert_non_null(key);
	return key;
}

/* Is the text in the database or in what is beside it? */
static bool
on_disk(void **state, const char *text)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	const struct place *place = *state;
	bool found = false;

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		char *path = xasprintf("%s%s", place->path, ends[i]);
		struct error err = { 0 };
		char *data = NULL;
		size_t len = 0;

		if (file_read(path, 1 << 26, &data, &len, &err) == 0)
			found |= memmem(data, len, text, strlen(text)) != NULL;
		free(data);
		free(path);
	}
	return found;
}

static void
add_secret(struct inventory *inventory, unsigned number, const char *secret)
{
	struct device device = { .model = "SPA504G",
		.mac = { { 2, 1, 0, 0, 0, (uint8_t)number } } };
	struct error err = { 0 };

	assert_int_equal(variables_set(&device.variables, "Password_1_", secret,
			     &err),
	    0);
	assert_int_equal(inventory_add_device(inventory, &device, &err), 0);
	device_clear(&device);
}

/* With a key nothing is ever in clear in the files, from the first write on. */
static void
test_nothing_in_clear(void **state)
{
	struct inventory *inventory = open_it(state, false);
	struct seal_key *key = make_key(1);
	struct error err = { 0 };

	assert_int_equal(inventory_use_key(inventory, key, &err), 0);
	for (unsigned i = 0; i < 100; i++)
		add_secret(inventory, i, "findme-s3cret");
	assert_false(on_disk(state, "findme"));
	assert_true(on_disk(state, "Password_1_"));
	assert_int_equal(inventory_clear_writes(inventory), 0);
	inventory_close(inventory);
	assert_false(on_disk(state, "findme"));
	seal_key_release(key);
}

/* What was in clear is gone when a key is taken into use, also from pages that
 * are free; and what another key had sealed opens with the new one only. */
static void
test_reseal(void **state)
{
	struct inventory *inventory = open_it(state, false);
	struct seal_key *first = make_key(1), *second = make_key(2);
	struct inventory_secrets secrets;
	struct device device;
	struct mac mac = { { 2, 1, 0, 0, 0, 7 } };
	struct error err = { 0 };
	size_t n = 0;

	for (unsigned i = 0; i < 200; i++)
		add_secret(inventory, i, "findme-s3cret");
	for (unsigned i = 100; i < 200; i++) {
		mac.octet[5] = (uint8_t)i;
		assert_int_equal(inventory_remove_device(inventory, &mac, &err),
		    0);
	}
	mac.octet[5] = 7;
	assert_int_equal(inventory_clear_writes(inventory), 200);
	assert_true(on_disk(state, "findme"));
	assert_int_equal(inventory_count_secrets(inventory, &secrets, &err), 0);
	assert_int_equal(secrets.clear, 100);
	assert_int_equal(secrets.sealed, 0);
	assert_string_equal(secrets.key_id, "");
	assert_int_equal(inventory_reseal(inventory, first, &n, &err), 0);
	assert_int_equal(n, 100);
	assert_false(on_disk(state, "findme"));
	assert_int_equal(inventory_reseal(inventory, second, &n, &err), 0);
	assert_int_equal(inventory_count_secrets(inventory, &secrets, &err), 0);
	assert_int_equal(secrets.clear, 0);
	assert_int_equal(secrets.sealed, 100);
	inventory_close(inventory);

	inventory = open_it(state, false);
	assert_int_equal(inventory_use_key(inventory, first, &err), -1);
	assert_int_equal(err.kind, ERROR_DENIED);
	assert_int_equal(inventory_use_key(inventory, second, &err), 0);
	assert_int_equal(inventory_get_device(inventory, &mac, &device, &err),
	    0);
	assert_string_equal(variables_get(&device.variables, "Password_1_"),
	    "findme-s3cret");
	device_clear(&device);
	inventory_close(inventory);
	/* Moved to another device by whoever can write the file. */
	sql(state,
	    "UPDATE device SET variables = (SELECT variables FROM device WHERE"
	    " mac = '020100000008') WHERE mac = '020100000007'");
	inventory = open_it(state, true);
	assert_int_equal(inventory_use_key(inventory, second, &err), 0);
	assert_int_equal(inventory_get_device(inventory, &mac, &device, &err),
	    -1);
	assert_string_equal(err.text,
	    "device 020100000007: Password_1_: a sealed secret was changed, or "
	    "belongs to something else");
	inventory_close(inventory);
	seal_key_release(first);
	seal_key_release(second);
}

static void
test_lock_is_no_link(void **state)
{
	const struct place *place = *state;
	char *lock = xasprintf("%s.lock", place->path);
	char *other = xasprintf("%s/other", place->folder);

	assert_int_equal(symlink(other, lock), 0);
	expect_refusal(state, false, ERROR_SYSTEM, "cannot open the lock");
	assert_int_equal(access(other, F_OK), -1);
	free(lock);
	free(other);
}

/* Another program that writes without asking for our lock. */
static void
test_busy(void **state)
{
	const struct place *place = *state;
	struct inventory *inventory = open_it(state, false);
	struct error err = { 0 };
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(inventory_begin(inventory, &err), -1);
	assert_int_equal(err.kind, ERROR_SYSTEM);
	assert_non_null(strstr(err.text, "another program writes"));
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(inventory_begin(inventory, &err), 0);
	assert_int_equal(inventory_commit(inventory, &err), 0);
	inventory_close(inventory);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_mode),
		TEST(test_one_writer),
		TEST(test_unnamed_writer),
		TEST(test_reader_beside_writer),
		TEST(test_killed_writer),
		TEST(test_absent),
		TEST(test_folder),
		TEST(test_empty_file),
		TEST(test_other_file),
		TEST(test_other_database),
		TEST(test_newer_schema),
		TEST(test_damage),
		TEST(test_bad_rows),
		TEST(test_broken_store),
		TEST(test_no_change_table),
		TEST(test_upgrade),
		TEST(test_upgrade_of_damage),
		TEST(test_nothing_in_clear),
		TEST(test_reseal),
		TEST(test_lock_is_no_link),
		TEST(test_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
