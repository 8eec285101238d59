#include "cmd/migrate_common.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>
#include <libsmartcols/libsmartcols.h>

#include "base/clock.h"
#include "cmd/print.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define BAR 20

/* ----------------------------------------------------------------- tables */

struct column {
	const char *title;
	int flags;
};

static struct libscols_table *
new_table(const struct column *columns, size_t count)
{
	struct libscols_table *table = scols_new_table();

	for (size_t i = 0; table != NULL && i < count; i++)
		if (scols_table_new_column(table, columns[i].title, 0.1,
			columns[i].flags) == NULL) {
			scols_unref_table(table);
			table = NULL;
		}
	return table;
}

static int
add_line(struct libscols_table *table, const char *const *cells, size_t count)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);

	for (size_t i = 0; line != NULL && i < count; i++)
		if (scols_line_set_data(line, i, cells[i]) != 0)
			line = NULL;
	return line != NULL ? 0 : -1;
}

static int
print_table(struct libscols_table *table, int rc, struct error *err)
{
	if (rc == 0 && table != NULL)
		rc = scols_print_table(table);
	if (rc == 0 && table != NULL)
		rc = printf("\n") < 0;
	scols_unref_table(table);
	return rc == 0 && table != NULL ?
	    0 :
	    error_set(err, ERROR_SYSTEM, "cannot print a table");
}

/* "####xx----": arrived, failing, and the rest. */
static void
draw_bar(const struct wave_tally *tally, char bar[static BAR + 1])
{
	size_t good = tally->new + tally->moved, all = tally->members;
	size_t done = all > 0 ? good * BAR / all : 0;
	size_t bad = all > 0 ? (good + tally->failing) * BAR / all - done : 0;

	if (tally->failing > 0 && bad == 0 && done < BAR)
		bad = 1; /* never hide one */
	memset(bar, '-', BAR);
	memset(bar, '#', done);
	memset(bar + done, 'x', bad);
	bar[BAR] = '\0';
}

static int
add_wave(struct libscols_table *table, size_t number,
    const struct migration_wave *wave, const struct wave_tally *tally)
{
	const size_t numbers[] = { number, tally->members,
		tally->new + tally->moved, tally->old, tally->failing,
		tally->absent };
	char texts[LENGTH(numbers)][24], bar[BAR + 1];
	const char *cells[LENGTH(numbers) + 2];

	for (size_t i = 0; i < LENGTH(numbers); i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "%zu", numbers[i]);
		cells[i] = texts[i];
	}
	draw_bar(tally, bar);
	cells[LENGTH(numbers)] = wave_state_name(wave->state);
	cells[LENGTH(numbers) + 1] = bar;
	return add_line(table, cells, LENGTH(cells));
}

static int
print_waves(const struct migration *migration, const struct waves_count *count,
    struct error *err)
{
	static const struct column columns[] = {
		{ "WAVE", SCOLS_FL_RIGHT },
		{ "DEVICES", SCOLS_FL_RIGHT },
		{ "NEW", SCOLS_FL_RIGHT },
		{ "OLD", SCOLS_FL_RIGHT },
		{ "FAILING", SCOLS_FL_RIGHT },
		{ "SILENT", SCOLS_FL_RIGHT },
		{ "STATE", 0 },
		{ "ARRIVED", 0 },
	};
	struct libscols_table *table = new_table(columns, LENGTH(columns));
	int rc = 0;

	for (size_t i = 0;
	     table != NULL && rc == 0 && i < migration->wave_count; i++)
		rc = add_wave(table, i + 1, &migration->waves[i],
		    &count->wave[i]);
	return print_table(table, rc, err);
}

static void
print_head(const struct migration *migration)
{
	char started[CLOCK_TEXT_BYTES], ended[CLOCK_TEXT_BYTES];

	clock_format(migration->started_at, started);
	clock_format(migration->ended_at, ended);
	(void)printf("migration %" PRId64 ": %s, %s to %s\n", migration->id,
	    migration_state_name(migration->state), migration->from.name,
	    migration->to.name);
	(void)printf("  started %s%s%s\n  rule %s\n", started,
	    migration->ended_at != 0 ? ", ended " : "",
	    migration->ended_at != 0 ? ended : "", migration->rule);
	(void)printf("  threshold %u%%, minimal wait %u s\n",
	    migration->threshold, migration->min_wait_s);
}

static int
print_status(const struct migration *migration, const struct waves_count *count,
    struct error *err)
{
	print_head(migration);
	if (print_waves(migration, count, err) != 0)
		return -1;
	if (count->all.changed > 0)
		(void)printf("%zu devices were left alone: their rules were "
			     "changed meanwhile\n",
		    count->all.changed);
	if (count->all.put_back > 0)
		(void)printf("%zu devices have their previous rules again\n",
		    count->all.put_back);
	(void)printf("%s\n", migration->reason);
	if (migration->state == MIGRATION_STOPPED)
		(void)printf("what was moved before stays; sprov migrate "
			     "rollback takes it back as well\n");
	return 0;
}

static int
print_left(const struct waves_started *started, struct error *err)
{
	static const struct column columns[] = { { "LEFT OUT", SCOLS_FL_RIGHT },
		{ "WHY", 0 }, { "SUCH AS", 0 } };
	struct libscols_table *table = new_table(columns, LENGTH(columns));
	size_t lines = 0;
	int rc = 0;

	for (int i = 0; table != NULL && rc == 0 && i < LEFT_REASONS; i++) {
		const struct left_out *left = &started->left[i];
		char number[24], mac[MAC_TEXT_BYTES];
		const char *const cells[] = { number,
			left_reason_text((enum left_reason)i), mac };

		if (left->count == 0)
			continue;
		(void)snprintf(number, sizeof(number), "%zu", left->count);
		mac_format(&left->example, mac);
		rc = add_line(table, cells, LENGTH(cells));
		lines++;
	}
	if (lines == 0 && rc == 0) {
		scols_unref_table(table);
		return 0;
	}
	return print_table(table, rc, err);
}

/* ------------------------------------------------------------------- JSON */

static json_t *
tally_object(const struct wave_tally *tally)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
	    "devices", (json_int_t)tally->members, "waiting",
	    (json_int_t)tally->waiting, "new",
	    (json_int_t)tally->new + (json_int_t)tally->moved, "moved",
	    (json_int_t)tally->moved, "old", (json_int_t)tally->old, "failing",
	    (json_int_t)tally->failing, "silent", (json_int_t)tally->absent,
	    "put_back", (json_int_t)tally->put_back, "changed",
	    (json_int_t)tally->changed);
}

static json_t *
wave_object(size_t number, const struct migration_wave *wave,
    const struct wave_tally *tally)
{
	json_t *object = tally_object(tally);

	(void)json_object_set_new(object, "number",
	    json_integer((json_int_t)number));
	(void)json_object_set_new(object, "state",
	    json_string(wave_state_name(wave->state)));
	(void)json_object_set_new(object, "started",
	    cmd_json_time(wave->started_at));
	(void)json_object_set_new(object, "ended",
	    cmd_json_time(wave->ended_at));
	return object;
}

static json_t *
migration_object(const struct migration *migration)
{
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s?, s:i, s:i, s:o, "
			 "s:o}",
	    "id", (json_int_t)migration->id, "state",
	    migration_state_name(migration->state), "reason", migration->reason,
	    "from", migration->from.name, "to", migration->to.name, "rule",
	    migration->rule, "old_rule",
	    migration->has_old_rule ? migration->old_rule : NULL,
	    "threshold_percent", (int)migration->threshold, "min_wait_s",
	    (int)migration->min_wait_s, "started",
	    cmd_json_time(migration->started_at), "ended",
	    cmd_json_time(migration->ended_at));
}

static int
write_json(json_t *value, struct error *err)
{
	int rc = value == NULL ? -1 : json_dumpf(value, stdout, JSON_INDENT(1));

	json_decref(value);
	(void)printf("\n");
	return rc == 0 ? 0 : error_set(err, ERROR_SYSTEM, "cannot write JSON");
}

static int
status_json(const struct migration *migration, const struct waves_count *count,
    struct error *err)
{
	json_t *object = migration_object(migration);
	json_t *waves = json_array();

	for (size_t i = 0; i < migration->wave_count; i++)
		(void)json_array_append_new(waves,
		    wave_object(i + 1, &migration->waves[i], &count->wave[i]));
	(void)json_object_set_new(object, "all", tally_object(&count->all));
	(void)json_object_set_new(object, "waves", waves);
	return write_json(object, err);
}

static int
started_json(const struct waves_started *started, bool dry_run,
    struct error *err)
{
	const struct migration *migration = &started->migration;
	json_t *object = migration_object(migration);
	json_t *waves = json_array(), *left = json_array();
	size_t before = 0;

	for (size_t i = 0; i < migration->wave_count; i++) {
		(void)json_array_append_new(waves,
		    json_integer((json_int_t)(started->ends[i] - before)));
		before = started->ends[i];
	}
	for (int i = 0; i < LEFT_REASONS; i++) {
		char mac[MAC_TEXT_BYTES];

		mac_format(&started->left[i].example, mac);
		if (started->left[i].count > 0)
			(void)json_array_append_new(left,
			    json_pack("{s:I, s:s, s:s}", "devices",
				(json_int_t)started->left[i].count, "why",
				left_reason_text((enum left_reason)i),
				"such_as", mac));
	}
	(void)json_object_set_new(object, "dry_run", json_boolean(dry_run));
	(void)json_object_set_new(object, "devices",
	    json_integer((json_int_t)started->devices));
	(void)json_object_set_new(object, "waves", waves);
	(void)json_object_set_new(object, "left_out", left);
	return write_json(object, err);
}

/* ------------------------------------------------------------ the outside */

int
migrate_print(const struct migration *migration,
    const struct waves_count *count, bool json, struct error *err)
{
	return json ? status_json(migration, count, err) :
		      print_status(migration, count, err);
}

int
migrate_print_started(const struct waves_started *started, bool dry_run,
    bool json, struct error *err)
{
	const struct migration *migration = &started->migration;
	size_t before = 0;

	if (json)
		return started_json(started, dry_run, err);
	if (started->devices > 0)
		(void)printf("%s%zu devices from %s to %s, in waves of",
		    dry_run ? "would move " : "moving ", started->devices,
		    migration->from.name, migration->to.name);
	for (size_t i = 0; i < migration->wave_count; i++) {
		(void)printf("%s %zu", i > 0 ? "," : "",
		    started->ends[i] - before);
		before = started->ends[i];
	}
	if (started->devices > 0)
		(void)printf("\n");
	if (print_left(started, err) != 0)
		return -1;
	if (!dry_run)
		(void)printf("the first wave has begun; sprov migrate run goes "
			     "on with it\n");
	return 0;
}

static int
add_migration(struct libscols_table *table, const struct migration *migration)
{
	char id[24], started[CLOCK_TEXT_BYTES];
	const char *const cells[] = { id, started, migration->from.name,
		migration->to.name, migration_state_name(migration->state),
		migration->reason };

	(void)snprintf(id, sizeof(id), "%" PRId64, migration->id);
	clock_format(migration->started_at, started);
	started[10] = '\0'; /* the day */
	return add_line(table, cells, LENGTH(cells));
}

int
migrate_print_list(struct inventory *inventory, bool json, struct error *err)
{
	static const struct column columns[] = { { "ID", SCOLS_FL_RIGHT },
		{ "STARTED", 0 }, { "FROM", SCOLS_FL_TRUNC },
		{ "TO", SCOLS_FL_TRUNC }, { "STATE", 0 },
		{ "REASON", SCOLS_FL_WRAP } };
	struct libscols_table *table = json ?
	    NULL :
	    new_table(columns, LENGTH(columns));
	json_t *list = json ? json_array() : NULL;
	struct migration migration;
	int64_t id;
	int rc = migration_store_load(inventory, 0, &migration, err);

	if (rc != 0 && err->kind == ERROR_NOT_FOUND && json) {
		migration.id = 0; /* none yet: an empty list */
		rc = 0;
	}
	for (id = migration.id; rc == 0 && id > 0; id--) {
		rc = migration_store_load(inventory, id, &migration, err);
		if (rc == 0 && json)
			(void)json_array_append_new(list,
			    migration_object(&migration));
		else if (rc == 0 && table != NULL)
			(void)add_migration(table, &migration);
	}
	if (rc == 0)
		return json ? write_json(list, err) :
			      print_table(table, 0, err);
	scols_unref_table(table);
	json_decref(list);
	return -1;
}
