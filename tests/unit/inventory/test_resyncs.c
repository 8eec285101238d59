#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "inventory/resyncs.h"
#include "scratch.h"

static const struct mac mac_a = { { 0x00, 0x0e, 0x08, 0xaa, 0xbb, 0xcc } };
static const struct mac mac_b = { { 0x00, 0x0e, 0x08, 0xaa, 0xbb, 0xcd } };

struct fixture {
	char *folder, *path;
};

static int
set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));

	fixture->folder = scratch_make();
	fixture->path = xasprintf("%s/resyncs.db", fixture->folder);
	*state = fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	scratch_remove(fixture->folder);
	free(fixture->path);
	free(fixture);
	return 0;
}

static struct resyncs *
open_good(const struct fixture *fixture, bool read_only)
{
	struct error err = { 0 };
	struct resyncs *resyncs = resyncs_open(fixture->path, read_only, &err);

	if (resyncs == NULL)
		print_error("%s\n", err.text);
	assert_non_null(resyncs);
	return resyncs;
}

static void
put(struct resyncs *resyncs, const struct mac *mac, const char *listener,
    const char *ca, int status, time_t at)
{
	struct resync resync = { .mac = *mac, .status = status, .at = at };
	struct error err;

	(void)snprintf(resync.listener, sizeof(resync.listener), "%s",
	    listener);
	(void)snprintf(resync.ca, sizeof(resync.ca), "%s", ca);
	assert_int_equal(resyncs_put(resyncs, &resync, 1, &err), 0);
}

struct seen {
	struct resync_summary list[4];
	size_t count, stop_after;
};

static int
collect(const struct resync_summary *summary, void *arg)
{
	struct seen *seen = arg;

	assert_true(seen->count < 4);
	seen->list[seen->count++] = *summary;
	return seen->count == seen->stop_after ? 7 : 0;
}

static void
test_summaries(void **state)
{
	struct resyncs *resyncs = open_good(*state, false);
	struct seen seen = { .count = 0 };
	const struct resync_summary *s = seen.list;
	struct error err;
	size_t count = 9;

	put(resyncs, &mac_a, "new", "ciscosb-prov-2", 403, 1000);
	put(resyncs, &mac_a, "old", "ciscosb-prov-1", 200, 1001);
	put(resyncs, &mac_a, "old", "ciscosb-prov-1", 200, 1002);
	put(resyncs, &mac_a, "old", "", 500, 1003);
	put(resyncs, &mac_b, "old", "ciscosb-prov-1", 200, 1004);

	assert_int_equal(resyncs_each(resyncs, &mac_a, collect, &seen, &err),
	    0);
	assert_int_equal(seen.count, 2);
	assert_string_equal(s[0].last.listener, "new");
	assert_string_equal(s[0].last.ca, "ciscosb-prov-2");
	assert_true(mac_equal(&s[0].last.mac, &mac_a));
	assert_int_equal(s[0].last.status, 403);
	assert_int_equal(s[0].profile_at, 0);
	assert_int_equal(s[0].answers, 1);
	assert_int_equal(s[0].profiles, 0);
	assert_string_equal(s[1].last.listener, "old");
	assert_string_equal(s[1].last.ca, ""); /* of the last one */
	assert_int_equal(s[1].last.status, 500);
	assert_int_equal(s[1].first_at, 1001);
	assert_int_equal(s[1].last.at, 1003);
	assert_int_equal(s[1].profile_at, 1002);
	assert_int_equal(s[1].answers, 3);
	assert_int_equal(s[1].profiles, 2);

	assert_int_equal(resyncs_count(resyncs, "old", 1002, &count, &err), 0);
	assert_int_equal(count, 2);
	assert_int_equal(resyncs_count(resyncs, "old", 1003, &count, &err), 0);
	assert_int_equal(count, 1);
	/* One that has never got a profile counts for no time. */
	assert_int_equal(resyncs_count(resyncs, "new", 0, &count, &err), 0);
	assert_int_equal(count, 0);
	assert_int_equal(resyncs_count(resyncs, "none", 0, &count, &err), 0);
	assert_int_equal(count, 0);
	resyncs_close(resyncs);
}

static void
test_visitor_ends(void **state)
{
	struct resyncs *resyncs = open_good(*state, false);
	struct seen seen = { .stop_after = 1 };
	struct error err;

	put(resyncs, &mac_a, "new", "", 200, 1);
	put(resyncs, &mac_a, "old", "", 200, 1);
	assert_int_equal(resyncs_each(resyncs, &mac_a, collect, &seen, &err),
	    7);
	assert_int_equal(seen.count, 1);
	/* And the next one begins at the start. */
	seen = (struct seen) { .count = 0 };
	assert_int_equal(resyncs_each(resyncs, &mac_a, collect, &seen, &err),
	    0);
	assert_int_equal(seen.count, 2);
	seen = (struct seen) { .count = 0 };
	assert_int_equal(resyncs_each(resyncs, &mac_b, collect, &seen, &err),
	    0);
	assert_int_equal(seen.count, 0);
	resyncs_close(resyncs);
}

/* What was put is there after closing, for a reader and the next writer. */
static void
test_it_lasts(void **state)
{
	struct resyncs *writer = open_good(*state, false), *reader;
	const struct fixture *fixture = *state;
	struct error err = { 0 };
	struct stat st;
	size_t count = 0;

	put(writer, &mac_a, "old", "", 200, 5);
	reader = open_good(*state, true);
	put(writer, &mac_b, "old", "", 200, 5);
	assert_int_equal(resyncs_count(reader, "old", 5, &count, &err), 0);
	assert_int_equal(count, 2);
	assert_int_equal(stat(fixture->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* One writer at a time. */
	assert_null(resyncs_open(fixture->path, false, &err));
	assert_int_equal(err.kind, ERROR_SYSTEM);
	assert_non_null(strstr(err.text, "is writing to it"));
	resyncs_close(writer);
	resyncs_close(reader);
	writer = open_good(*state, false);
	put(writer, &mac_a, "old", "", 200, 6);
	assert_int_equal(resyncs_count(writer, "old", 6, &count, &err), 0);
	assert_int_equal(count, 1);
	resyncs_close(writer);
	resyncs_close(NULL);
}

static void
test_a_batch_is_whole(void **state)
{
	struct resyncs *writer = open_good(*state, false), *reader;
	struct resync batch[500];
	struct error err = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < 500; i++) {
		batch[i] = (struct resync) {
			.mac = mac_a, .listener = "old", .status = 200, .at = 10
		};
		batch[i].mac.octet[4] = (uint8_t)(i >> 8);
		batch[i].mac.octet[5] = (uint8_t)i;
	}
	assert_int_equal(resyncs_put(writer, batch, 500, &err), 0);
	assert_int_equal(resyncs_put(writer, batch, 0, &err), 0);
	assert_int_equal(resyncs_count(writer, "old", 10, &count, &err), 0);
	assert_int_equal(count, 500);
	/* A reader cannot write, and says so. */
	reader = open_good(*state, true);
	assert_int_equal(resyncs_put(reader, batch, 1, &err), -1);
	assert_int_equal(err.kind, ERROR_SYSTEM);
	resyncs_close(reader);
	resyncs_close(writer);
}

static void
sql(const struct fixture *fixture, const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
}

/* Rows of which one cannot be kept: none is. */
static void
test_failure_rolls_back(void **state)
{
	struct resyncs *resyncs = open_good(*state, false);
	const struct resync batch[] = {
		{ .mac = mac_a, .listener = "old", .status = 200, .at = 1 },
		{ .mac = mac_b, .listener = "bad", .status = 200, .at = 1 },
	};
	struct error err = { 0 };
	size_t count = 9;

	resyncs_close(resyncs);
	sql(*state,
	    "CREATE TRIGGER t BEFORE INSERT ON resync WHEN"
	    " NEW.listener = 'bad' BEGIN SELECT raise(FAIL, 'no'); END");
	resyncs = open_good(*state, false);
	assert_int_equal(resyncs_put(resyncs, batch, 2, &err), -1);
	assert_int_equal(err.kind, ERROR_SYSTEM);
	assert_int_equal(resyncs_count(resyncs, "old", 0, &count, &err), 0);
	assert_int_equal(count, 0);
	assert_int_equal(resyncs_put(resyncs, batch, 1, &err), 0);
	resyncs_close(resyncs);
}

static void
test_refusals(void **state)
{
	const struct fixture *fixture = *state;
	struct error err = { 0 };
	FILE *file;

	assert_null(resyncs_open(fixture->path, true, &err));
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_non_null(strstr(err.text, "record of resyncs"));
	assert_null(resyncs_open("/nonexistent/resyncs.db", false, &err));
	assert_int_equal(err.kind, ERROR_SYSTEM);

	file = fopen(fixture->path, "w");
	assert_non_null(file);
	assert_true(fputs("this is not a database, whatever its name says\n"
			  "and it is long enough to have a header of one",
			file) > 0);
	assert_int_equal(fclose(file), 0);
	assert_null(resyncs_open(fixture->path, true, &err));
	assert_non_null(strstr(err.text, "it is no record of resyncs"));
}

static void
test_another_database(void **state)
{
	const struct fixture *fixture = *state;
	struct error err = { 0 };

	sql(fixture,
	    "PRAGMA application_id = 0x53505256;"
	    "PRAGMA user_version = 1; CREATE TABLE x (y)");
	assert_null(resyncs_open(fixture->path, false, &err));
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_non_null(strstr(err.text, "of another program"));
}

static void
test_newer_schema(void **state)
{
	const struct fixture *fixture = *state;
	struct error err = { 0 };

	resyncs_close(open_good(*state, false));
	sql(fixture, "PRAGMA user_version = 9");
	assert_null(resyncs_open(fixture->path, false, &err));
	assert_non_null(strstr(err.text, "has version 9"));
}

static void
test_damage(void **state)
{
	struct resyncs *resyncs = open_good(*state, false);
	struct seen seen = { .count = 0 };
	struct error err = { 0 };
	size_t count;

	put(resyncs, &mac_a, "old", "", 200, 1);
	resyncs_close(resyncs);
	sql(*state, "UPDATE resync SET ca = hex(zeroblob(40))");
	resyncs = open_good(*state, true);
	assert_int_equal(resyncs_each(resyncs, &mac_a, collect, &seen, &err),
	    -1);
	assert_non_null(strstr(err.text, "a name is too long"));
	resyncs_close(resyncs);
	sql(*state, "DROP TABLE resync");
	resyncs = open_good(*state, false);
	assert_int_equal(resyncs_each(resyncs, &mac_a, collect, &seen, &err),
	    -1);
	assert_int_equal(resyncs_count(resyncs, "old", 0, &count, &err), -1);
	assert_int_equal(resyncs_put(resyncs, &seen.list[0].last, 1, &err), -1);
	assert_non_null(strstr(err.text, "no such table"));
	resyncs_close(resyncs);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_summaries),
		TEST(test_visitor_ends),
		TEST(test_it_lasts),
		TEST(test_a_batch_is_whole),
		TEST(test_failure_rolls_back),
		TEST(test_refusals),
		TEST(test_another_database),
		TEST(test_newer_schema),
		TEST(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
