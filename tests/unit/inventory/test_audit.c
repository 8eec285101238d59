#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "inventory/admins.h"
#include "inventory/audit.h"
#include "inventory/inventory.h"
#include "scratch.h"

#define NOW 1795000000
static const struct audit_act act = { .by = AUDIT_COMMAND,
	.who = "root",
	.action = "device set" };

struct fixture {
	char *folder, *path, *uri;
};

static int
set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));

	fixture->folder = scratch_make();
	fixture->uri = xasprintf("sqlite:%s/inventory.db", fixture->folder);
	fixture->path = audit_path(fixture->uri, "/nowhere");
	*state = fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	scratch_remove(fixture->folder);
	free(fixture->path);
	free(fixture->uri);
	free(fixture);
	return 0;
}

static void
test_path(void **state)
{
	char *path;

	(void)state;
	path = audit_path("sqlite:/a/b.db", NULL);
	assert_string_equal(path, "/a/" AUDIT_FILE);
	free(path);
	path = audit_path("memory:", "/c");
	assert_string_equal(path, "/c/" AUDIT_FILE);
	free(path);
	assert_null(audit_path("memory:", NULL));
}

static void
add(const struct fixture *fixture, const char *object)
{
	struct audit_act one = act;
	struct error err;

	one.object = object;
	assert_int_equal(audit_add_to(fixture->path, &one, NOW, NULL, NULL,
			     &err),
	    0);
}

static void
verify(const struct fixture *fixture, const uint8_t *known,
    struct audit_verdict *verdict)
{
	struct error err;
	struct audit *audit = audit_open(fixture->path, true, &err);

	assert_non_null(audit);
	assert_int_equal(audit_verify(audit, known, verdict, &err), 0);
	audit_close(audit);
}

/* What nobody but an attacker does. */
static void
alter(const struct fixture *fixture, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
}

static void
test_chain(void **state)
{
	const struct fixture *fixture = *state;
	uint8_t head[AUDIT_HASH_BYTES], none[AUDIT_HASH_BYTES] = { 1 };
	struct audit_verdict verdict;
	struct error err;

	assert_null(audit_open(fixture->path, true, &err));
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	for (int i = 0; i < 3; i++)
		add(fixture, "default");
	verify(fixture, NULL, &verdict);
	assert_int_equal(verdict.entries, 3);
	assert_string_equal(verdict.fault, "");
	memcpy(head, verdict.head, sizeof(head));
	add(fixture, NULL);
	verify(fixture, head, &verdict);
	assert_true(verdict.known_found);
	assert_memory_not_equal(verdict.head, head, sizeof(head));
	verify(fixture, none, &verdict);
	assert_false(verdict.known_found);
}

static void
test_altered(void **state)
{
	static const struct {
		const char *sql;
		int64_t good;
		const char *fault;
	} cases[] = {
		{ "UPDATE entry SET text = replace(text, 'root', 'toor')"
		  " WHERE id = 2",
		    1, "it was altered" },
		{ "DELETE FROM entry WHERE id = 2", 1, "it is missing" },
		{ "DELETE FROM entry WHERE id = 1", 0, "it is missing" },
		{ "UPDATE entry SET id = 9 WHERE id = 3", 2, "it is missing" },
		{ "UPDATE entry SET hash = zeroblob(32) WHERE id = 3", 2,
		    "it was altered" },
		{ "UPDATE entry SET (text, hash) ="
		  " (SELECT text, hash FROM entry WHERE id = 1) WHERE id = 2",
		    1, "another number" },
		{ "INSERT INTO entry SELECT 4, text, hash FROM entry"
		  " WHERE id = 3",
		    3, "another number" },
		{ "UPDATE entry SET text = '' WHERE id = 1", 0, "altered" },
	};
	struct audit_verdict verdict;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct fixture *fixture;

		(void)set_up(state);
		fixture = *state;
		for (int n = 0; n < 3; n++)
			add(fixture, NULL);
		alter(fixture, cases[i].sql);
		verify(fixture, NULL, &verdict);
		assert_int_equal(verdict.entries, cases[i].good);
		assert_non_null(strstr(verdict.fault, cases[i].fault));
		(void)tear_down(state);
	}
}

/* Altered with all the skill there is: a new hash, but not the next one's. */
static void
test_made_anew(void **state)
{
	const struct fixture *fixture = *state;
	struct audit_verdict verdict;

	add(fixture, NULL);
	add(fixture, "default");
	alter(fixture,
	    "CREATE TEMP TABLE t AS SELECT * FROM entry;"
	    "DELETE FROM entry");
	add(fixture, "default");
	add(fixture, NULL);
	verify(fixture, NULL, &verdict);
	assert_string_equal(verdict.fault, "");
	alter(fixture,
	    "CREATE TABLE two AS SELECT * FROM entry WHERE id = 2;"
	    "DELETE FROM entry");
	add(fixture, "other");
	alter(fixture, "INSERT INTO entry SELECT * FROM two; DROP TABLE two");
	verify(fixture, NULL, &verdict);
	assert_int_equal(verdict.entries, 1);
	assert_non_null(strstr(verdict.fault, "does not follow"));
}

static int
keep_first(int64_t id, json_t *entry, void *arg)
{
	json_t **kept = arg;

	(void)id;
	*kept = json_incref(entry);
	return 1;
}

/* The newest entry; the caller's. */
static json_t *
newest(const struct fixture *fixture)
{
	struct error err;
	struct audit *audit = audit_open(fixture->path, true, &err);
	json_t *entry = NULL;

	if (audit != NULL)
		assert_int_equal(audit_each(audit, 0, 0, true, keep_first,
				     &entry, &err),
		    1);
	audit_close(audit);
	return entry;
}

#define assert_entry(entry, key, text) \
	assert_string_equal(json_string_value(json_object_get(entry, key)), \
	    text)

static void
test_inventory(void **state)
{
	const struct fixture *fixture = *state;
	struct device device = { .model = "SPA504G" };
	struct inventory *inventory;
	json_t *entry, *change, *detail;
	struct error err;

	assert_int_equal(mac_parse(&device.mac, "000e08aabbcc", &err), 0);
	inventory = inventory_open(fixture->uri, false, &err);
	assert_non_null(inventory);
	assert_int_equal(inventory_add_device(inventory, &device, &err), 0);
	assert_null(newest(fixture));
	inventory_use_audit(inventory, fixture->path, &act, NOW);
	(void)snprintf(device.serial, sizeof(device.serial), "CCQ1");
	assert_int_equal(variables_set(&device.variables, "sip_password",
			     "hidden", &err),
	    0);
	assert_int_equal(inventory_update_device(inventory, &device, &err), 0);
	entry = newest(fixture);
	assert_entry(entry, "object", "000e08aabbcc");
	assert_entry(entry, "at", "2026-11-18T11:06:40Z");
	detail = json_object_get(entry, "detail");
	assert_int_equal(json_integer_value(json_object_get(detail,
			     "devices_changed")),
	    1);
	change = json_array_get(json_object_get(detail, "changes"), 0);
	assert_string_equal(json_string_value(json_array_get(
				json_object_get(change, "set"), 0)),
	    "sip_password");
	assert_string_equal(json_string_value(json_array_get(
				json_object_get(json_object_get(change,
						    "fields"),
				    "serial"),
				1)),
	    "CCQ1");
	change = NULL;
	{
		char *text = json_dumps(entry, 0);

		assert_null(strstr(text, "hidden"));
		free(text);
	}
	json_decref(entry);
	/* What is not committed, and what is refused, is not noted. */
	assert_int_equal(inventory_begin(inventory, &err), 0);
	assert_int_equal(inventory_remove_device(inventory, &device.mac, &err),
	    0);
	inventory_rollback(inventory);
	assert_int_equal(inventory_add_device(inventory, &device, &err), -1);
	entry = newest(fixture);
	assert_int_equal(json_integer_value(json_object_get(entry, "id")), 1);
	json_decref(entry);
	device_clear(&device);
	inventory_close(inventory);
}

/* No change without an entry. */
static void
test_no_log(void **state)
{
	const struct fixture *fixture = *state;
	struct device device = { .model = "SPA504G" };
	struct inventory *inventory;
	struct admins *admins;
	char *path = xasprintf("%s/none/" AUDIT_FILE, fixture->folder);
	char *accounts = xasprintf("%s/" ADMINS_FILE, fixture->folder);
	struct admin_account account = { .name = "noc" };
	struct error err;

	assert_int_equal(mac_parse(&device.mac, "000e08aabbcc", &err), 0);
	inventory = inventory_open(fixture->uri, false, &err);
	inventory_use_audit(inventory, path, &act, NOW);
	assert_int_equal(inventory_add_device(inventory, &device, &err), -1);
	assert_non_null(strstr(err.text, "cannot be noted"));
	assert_int_equal(inventory_get_device(inventory, &device.mac, &device,
			     &err),
	    -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	inventory_close(inventory);
	admins = admins_open(accounts, false, &err);
	assert_non_null(admins);
	admins_use_audit(admins, path, &act, NOW);
	assert_int_equal(admins_put_account(admins, &account, &err), -1);
	assert_int_equal(admins_get_account(admins, "noc", &account, &err), -1);
	admins_use_audit(admins, fixture->path, &act, NOW);
	(void)snprintf(account.name, sizeof(account.name), "noc");
	assert_int_equal(admins_put_account(admins, &account, &err), 0);
	assert_int_equal(admins_remove_account(admins, "other", &err), -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	admins_close(admins);
	{
		json_t *entry = newest(fixture);

		assert_entry(entry, "object", "noc");
		assert_int_equal(json_integer_value(json_object_get(entry,
				     "id")),
		    1);
		json_decref(entry);
	}
	free(path);
	free(accounts);
}

static void
test_not_noted(void **state)
{
	const struct fixture *fixture = *state;
	struct audit_act one = act;
	struct error err;

	one.object = "\xff";
	assert_int_equal(audit_add_to(fixture->path, &one, NOW, NULL, NULL,
			     &err),
	    -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	one.object = NULL;
	assert_int_equal(audit_add_to(fixture->path, &one, NOW,
			     json_pack("{so}", "x", json_object()), NULL, &err),
	    0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path),
		cmocka_unit_test_setup_teardown(test_chain, set_up, tear_down),
		cmocka_unit_test(test_altered),
		cmocka_unit_test_setup_teardown(test_made_anew, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_inventory, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_no_log, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_noted, set_up,
		    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
