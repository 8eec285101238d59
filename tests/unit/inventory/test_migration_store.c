#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "inventory/migration_store.h"
#include "scratch.h"

struct fixture {
	char *folder, *path;
	struct inventory *inventory;
};

static struct mac
mac_of(unsigned n)
{
	return (struct mac) { { 0x00, 0x0e, 0x08, 0xaa, 0x00, (uint8_t)n } };
}

static struct inventory *
open_good(const struct fixture *fixture, bool read_only)
{
	char *uri = xasprintf("sqlite:%s", fixture->path);
	struct error err = { 0 };
	struct inventory *inventory = inventory_open(uri, read_only, &err);

	if (inventory == NULL)
		print_error("%s\n", err.text);
	assert_non_null(inventory);
	free(uri);
	return inventory;
}

static int
set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	struct error err;

	fixture->folder = scratch_make();
	fixture->path = xasprintf("%s/inventory.db", fixture->folder);
	fixture->inventory = open_good(fixture, false);
	for (unsigned i = 0; i < 4; i++) {
		const struct device device = { .mac = mac_of(i),
			.model = "SPA504G" };

		assert_int_equal(inventory_add_device(fixture->inventory,
				     &device, &err),
		    0);
	}
	*state = fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	inventory_close(fixture->inventory);
	scratch_remove(fixture->folder);
	free(fixture->path);
	free(fixture);
	return 0;
}

static const struct migration sample = {
	.from = { true, "ciscosb-prov-1" },
	.to = { false, "new" },
	.rule = "https://new.example.net/$MA.cfg",
	.has_old_rule = true,
	.old_rule = "https://old.example.net/$MA.cfg",
	.threshold = 90,
	.min_wait_s = 3600,
	.state = MIGRATION_RUNNING,
	.reason = "because",
	.started_at = 1000,
	.wave_count = 2,
	.waves = { { WAVE_TRIAL, 1000, 0 }, { WAVE_PENDING, 0, 0 } },
};

static void
begin(struct fixture *fixture)
{
	struct error err;

	assert_int_equal(inventory_begin(fixture->inventory, &err), 0);
}

static void
commit(struct fixture *fixture)
{
	struct error err;

	assert_int_equal(inventory_commit(fixture->inventory, &err), 0);
}

/* Members 0, 1 in the second wave, 2, 3 in the first. */
static int64_t
add_sample(struct fixture *fixture)
{
	struct migration migration = sample;
	struct migration_member members[4];
	struct error err = { 0 };

	for (unsigned i = 0; i < 4; i++)
		members[i] = (struct migration_member) { .mac = mac_of(i),
			.wave = i < 2 ? 2 : 1 };
	begin(fixture);
	assert_int_equal(migration_store_add(fixture->inventory, &migration,
			     members, 4, &err),
	    0);
	commit(fixture);
	return migration.id;
}

static void
test_a_migration_is_kept(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = add_sample(fixture);
	struct migration migration;
	struct inventory *reader;
	struct error err;

	assert_int_equal(id, 1);
	/* By a reader, too. */
	reader = open_good(fixture, true);
	assert_int_equal(migration_store_load(reader, 0, &migration, &err), 0);
	inventory_close(reader);
	assert_int_equal(migration.id, 1);
	assert_true(migration.from.is_ca);
	assert_string_equal(migration.from.name, "ciscosb-prov-1");
	assert_false(migration.to.is_ca);
	assert_string_equal(migration.to.name, "new");
	assert_string_equal(migration.rule, sample.rule);
	assert_true(migration.has_old_rule);
	assert_string_equal(migration.old_rule, sample.old_rule);
	assert_int_equal(migration.threshold, 90);
	assert_int_equal(migration.min_wait_s, 3600);
	assert_int_equal(migration.state, MIGRATION_RUNNING);
	assert_string_equal(migration.reason, "because");
	assert_int_equal(migration.started_at, 1000);
	assert_int_equal(migration.ended_at, 0);
	assert_int_equal(migration.wave_count, 2);
	assert_int_equal(migration.waves[0].state, WAVE_TRIAL);
	assert_int_equal(migration.waves[0].started_at, 1000);
	assert_int_equal(migration.waves[1].state, WAVE_PENDING);
}

static void
test_a_migration_changes(void **state)
{
	static const enum migration_state states[] = { MIGRATION_DONE,
		MIGRATION_STOPPED, MIGRATION_ROLLED_BACK, MIGRATION_RUNNING };
	struct fixture *fixture = *state;
	struct migration migration;
	struct error err;

	(void)add_sample(fixture);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(migration_store_load(fixture->inventory, 1,
				     &migration, &err),
		    0);
		migration.state = states[i];
		migration.ended_at = 2000 + (time_t)i;
		migration.waves[1] = (struct migration_wave) {
			i % 2 == 0 ? WAVE_DONE : WAVE_PUT_BACK, 1500, 1900
		};
		(void)snprintf(migration.reason, sizeof(migration.reason),
		    "reason %zu", i);
		begin(fixture);
		assert_int_equal(migration_store_update(fixture->inventory,
				     &migration, &err),
		    0);
		commit(fixture);
		assert_int_equal(migration_store_load(fixture->inventory, 0,
				     &migration, &err),
		    0);
		assert_int_equal(migration.state, states[i]);
		assert_int_equal(migration.ended_at, 2000 + i);
		assert_int_equal(migration.reason[7], (int)('0' + i));
		assert_int_equal(migration.waves[1].state,
		    i % 2 == 0 ? WAVE_DONE : WAVE_PUT_BACK);
		assert_int_equal(migration.waves[1].started_at, 1500);
		assert_int_equal(migration.waves[1].ended_at, 1900);
		assert_int_equal(migration.waves[0].state, WAVE_TRIAL);
	}
}

static void
test_members(void **state)
{
	struct fixture *fixture = *state;
	struct migration_member *members = NULL;
	struct error err;
	size_t count = 0;

	(void)add_sample(fixture);
	assert_int_equal(migration_store_members(fixture->inventory, 1,
			     &members, &count, &err),
	    0);
	assert_int_equal(count, 4);
	/* By wave, then by address. */
	assert_int_equal(members[0].wave, 1);
	assert_int_equal(members[0].mac.octet[5], 2);
	assert_int_equal(members[3].wave, 2);
	assert_int_equal(members[3].mac.octet[5], 1);
	assert_int_equal(members[0].state, MEMBER_WAITING);
	assert_null(members[0].previous_rule);
	for (size_t i = 0; i < 4; i++)
		members[i].state = (enum member_state)(MEMBER_TRIAL + i);
	members[0].previous_rule = xstrdup("rule");
	members[1].previous_rule_b = xstrdup("");
	members[2].trial_at = 77;
	members[2].old_answers = 5;
	members[2].new_answers = 6;
	members[2].new_profiles = 7;
	begin(fixture);
	assert_int_equal(migration_store_update_members(fixture->inventory, 1,
			     members, 4, &err),
	    0);
	commit(fixture);
	migration_members_free(members, count);
	assert_int_equal(migration_store_members(fixture->inventory, 1,
			     &members, &count, &err),
	    0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(members[i].state, MEMBER_TRIAL + i);
	assert_string_equal(members[0].previous_rule, "rule");
	assert_null(members[0].previous_rule_b);
	assert_null(members[1].previous_rule);
	assert_string_equal(members[1].previous_rule_b, "");
	assert_int_equal(members[2].trial_at, 77);
	assert_int_equal(members[2].old_answers, 5);
	assert_int_equal(members[2].new_answers, 6);
	assert_int_equal(members[2].new_profiles, 7);
	migration_members_free(members, count);
	migration_members_free(NULL, 0);
}

/* A device that is removed is no member any more; a change of one stays. */
static void
test_members_go_with_their_devices(void **state)
{
	struct fixture *fixture = *state;
	struct migration_member *members = NULL;
	struct device device;
	struct mac mac = mac_of(2);
	struct error err;
	size_t count = 0;

	(void)add_sample(fixture);
	assert_int_equal(inventory_get_device(fixture->inventory, &mac, &device,
			     &err),
	    0);
	assert_int_equal(variables_set(&device.variables, "a", "b", &err), 0);
	assert_int_equal(inventory_update_device(fixture->inventory, &device,
			     &err),
	    0);
	device_clear(&device);
	assert_int_equal(migration_store_members(fixture->inventory, 1,
			     &members, &count, &err),
	    0);
	assert_int_equal(count, 4);
	migration_members_free(members, count);
	assert_int_equal(inventory_remove_device(fixture->inventory, &mac,
			     &err),
	    0);
	assert_int_equal(migration_store_members(fixture->inventory, 1,
			     &members, &count, &err),
	    0);
	assert_int_equal(count, 3);
	migration_members_free(members, count);
}

static void
test_one_runs_at_a_time(void **state)
{
	struct fixture *fixture = *state;
	struct migration migration = sample;
	struct error err = { 0 };

	(void)add_sample(fixture);
	begin(fixture);
	assert_int_equal(migration_store_add(fixture->inventory, &migration,
			     NULL, 0, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_string_equal(err.text, "a migration is running already");
	inventory_rollback(fixture->inventory);
	assert_int_equal(migration_store_load(fixture->inventory, 1, &migration,
			     &err),
	    0);
	migration.state = MIGRATION_DONE;
	begin(fixture);
	assert_int_equal(migration_store_update(fixture->inventory, &migration,
			     &err),
	    0);
	migration = sample;
	migration.has_old_rule = false;
	assert_int_equal(migration_store_add(fixture->inventory, &migration,
			     NULL, 0, &err),
	    0);
	commit(fixture);
	assert_int_equal(migration.id, 2);
	assert_int_equal(migration_store_load(fixture->inventory, 0, &migration,
			     &err),
	    0);
	assert_int_equal(migration.id, 2);
	assert_false(migration.has_old_rule);
	assert_string_equal(migration.old_rule, "");
	assert_int_equal(migration_store_load(fixture->inventory, 1, &migration,
			     &err),
	    0);
	assert_int_equal(migration.state, MIGRATION_DONE);
}

static void
test_rollback(void **state)
{
	struct fixture *fixture = *state;
	struct migration migration = sample;
	struct error err = { 0 };

	begin(fixture);
	assert_int_equal(migration_store_add(fixture->inventory, &migration,
			     NULL, 0, &err),
	    0);
	inventory_rollback(fixture->inventory);
	assert_int_equal(migration_store_load(fixture->inventory, 0, &migration,
			     &err),
	    -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_string_equal(err.text, "there is no migration yet");
	assert_int_equal(migration_store_load(fixture->inventory, 3, &migration,
			     &err),
	    -1);
	assert_string_equal(err.text, "there is no migration 3");
}

/* Bookkeeping alone gives servers nothing to load. */
static void
test_change_number_stays(void **state)
{
	struct fixture *fixture = *state;
	uint64_t before, after;
	struct error err;

	assert_int_equal(inventory_change_number(fixture->inventory, &before,
			     &err),
	    0);
	(void)add_sample(fixture);
	assert_int_equal(inventory_change_number(fixture->inventory, &after,
			     &err),
	    0);
	assert_int_equal(before, after);
}

static void
test_memory_keeps_none(void **state)
{
	struct error err = { 0 };
	struct inventory *inventory = inventory_open("memory:", false, &err);
	struct migration migration = sample;
	struct migration_member *members;
	size_t count;

	(void)state;
	assert_non_null(inventory);
	assert_int_equal(inventory_begin(inventory, &err), 0);
	assert_int_equal(migration_store_add(inventory, &migration, NULL, 0,
			     &err),
	    -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_non_null(strstr(err.text, "keeps no migrations"));
	assert_int_equal(migration_store_update(inventory, &migration, &err),
	    -1);
	assert_int_equal(migration_store_update_members(inventory, 1, NULL, 0,
			     &err),
	    -1);
	assert_int_equal(migration_store_load(inventory, 0, &migration, &err),
	    -1);
	assert_int_equal(migration_store_members(inventory, 1, &members, &count,
			     &err),
	    -1);
	inventory_close(inventory);
}

static void
sql(const struct fixture *fixture, const char *text)
{
	char *message = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
	(void)sqlite3_exec(db, text, NULL, NULL, &message);
	if (message != NULL)
		print_error("%s\n", message);
	assert_null(message);
	(void)sqlite3_close(db);
}

/* Rows that only another program can have written. */
static void
test_damage(void **state)
{
	static const char *const load[] = {
		"UPDATE migration SET state = 'x'",
		"UPDATE migration SET source = hex(zeroblob(40))",
		"UPDATE migration SET reason = hex(zeroblob(400))",
		"UPDATE migration SET rule = hex(zeroblob(4000))",
		"UPDATE migration_wave SET state = 'x'",
		"WITH RECURSIVE n (i) AS (SELECT 3 UNION ALL SELECT i + 1"
		" FROM n WHERE i < 20) INSERT INTO migration_wave"
		" SELECT 1, i, 'done', 0, 0 FROM n",
	};
	static const char *const member[] = {
		"UPDATE migration_member SET state = 'x'",
		"UPDATE migration_member SET mac = 'zzzzzzzzzzzz'"
		" WHERE mac LIKE '%1'",
	};
	struct fixture *fixture = *state;
	struct migration_member *members;
	struct migration migration;
	struct error err = { 0 };
	size_t count;

	(void)add_sample(fixture);
	for (size_t i = 0; i < sizeof(load) / sizeof(*load); i++) {
		char *text = xasprintf("PRAGMA ignore_check_constraints = 1;"
				       "SAVEPOINT s; %s; RELEASE s",
		    load[i]);

		inventory_close(fixture->inventory);
		sql(fixture,
		    "CREATE TABLE a AS SELECT * FROM migration;"
		    "CREATE TABLE b AS SELECT * FROM migration_wave");
		sql(fixture, text);
		fixture->inventory = open_good(fixture, false);
		assert_int_equal(migration_store_load(fixture->inventory, 1,
				     &migration, &err),
		    -1);
		assert_int_equal(err.kind, ERROR_SYSTEM);
		assert_non_null(strstr(err.text, "is damaged"));
		inventory_close(fixture->inventory);
		sql(fixture,
		    "DELETE FROM migration_wave;"
		    "DELETE FROM migration;"
		    "INSERT INTO migration SELECT * FROM a;"
		    "INSERT INTO migration_wave SELECT * FROM b;"
		    "DROP TABLE a; DROP TABLE b");
		fixture->inventory = open_good(fixture, false);
		free(text);
	}
	for (size_t i = 0; i < sizeof(member) / sizeof(*member); i++) {
		char *text = xasprintf("PRAGMA ignore_check_constraints = 1;"
				       "%s",
		    member[i]);

		inventory_close(fixture->inventory);
		sql(fixture, text);
		fixture->inventory = open_good(fixture, false);
		assert_int_equal(migration_store_members(fixture->inventory, 1,
				     &members, &count, &err),
		    -1);
		assert_non_null(strstr(err.text, "is damaged"));
		inventory_close(fixture->inventory);
		sql(fixture, "UPDATE migration_member SET state = 'trial'");
		fixture->inventory = open_good(fixture, false);
		free(text);
	}
}

/* Tables that are gone: said, and nothing is half done. */
static void
test_no_tables(void **state)
{
	struct fixture *fixture = *state;
	struct migration migration = sample;
	struct migration_member *members, one = { .mac = mac_of(0) };
	struct error err = { 0 };
	size_t count;

	inventory_close(fixture->inventory);
	sql(fixture,
	    "DROP TABLE migration_member; DROP TABLE migration_wave;"
	    "DROP TABLE migration");
	fixture->inventory = open_good(fixture, false);
	begin(fixture);
	assert_int_equal(migration_store_add(fixture->inventory, &migration,
			     &one, 1, &err),
	    -1);
	assert_int_equal(migration_store_update(fixture->inventory, &migration,
			     &err),
	    -1);
	assert_int_equal(migration_store_update_members(fixture->inventory, 1,
			     &one, 1, &err),
	    -1);
	assert_int_equal(migration_store_load(fixture->inventory, 0, &migration,
			     &err),
	    -1);
	assert_int_equal(migration_store_members(fixture->inventory, 1,
			     &members, &count, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_SYSTEM);
	assert_non_null(strstr(err.text, "no such table"));
	inventory_rollback(fixture->inventory);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_migration_is_kept),
		TEST(test_a_migration_changes),
		TEST(test_members),
		TEST(test_members_go_with_their_devices),
		TEST(test_one_runs_at_a_time),
		TEST(test_rollback),
		TEST(test_change_number_stays),
		cmocka_unit_test(test_memory_keeps_none),
		TEST(test_damage),
		TEST(test_no_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
