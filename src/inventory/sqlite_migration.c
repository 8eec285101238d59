/*
 * Migrations in a SQLite file: the tables of schema/0002.sql.
 */
#include "inventory/migration_store.h"
#include "inventory/sqlite.h"
#include "inventory/store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static sqlite3_stmt *
prepare(struct sqlite_file *file, const char *sql, struct error *err)
{
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(file->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		(void)sqlite_file_error(file, "cannot read the migrations",
		    err);
	return stmt;
}

/* Binding fails only for an index that is not in the statement; NULL binds as
 * such.  Texts outlive the step that follows. */
static void
bind_text(sqlite3_stmt *stmt, int index, const char *text)
{
	(void)sqlite3_bind_text(stmt, index, text, -1, SQLITE_STATIC);
}

static void
bind_number(sqlite3_stmt *stmt, int index, int64_t number)
{
	(void)sqlite3_bind_int64(stmt, index, number);
}

/* Run what yields no rows and make it ready for the next time. */
static int
run(struct sqlite_file *file, sqlite3_stmt *stmt, struct error *err)
{
	int rc = 0;

	if (sqlite3_step(stmt) != SQLITE_DONE)
		rc = sqlite_file_error(file, "cannot write the migration", err);
	(void)sqlite3_reset(stmt);
	(void)sqlite3_clear_bindings(stmt);
	return rc;
}

static int
read_failed(struct sqlite_file *file, struct error *err)
{
	return sqlite_file_error(file, "cannot read the migrations", err);
}

static int
damaged(const struct sqlite_file *file, struct error *err)
{
	return error_set(err, ERROR_SYSTEM,
	    "%s: the inventory is damaged: a row of a migration is out of "
	    "range; restore it from a backup",
	    file->path);
}

/* ------------------------------------------------------------- writing */

static const char *
end_kind(const struct migration_end *end)
{
	return end->is_ca ? "ca" : "listener";
}

static int
add_migration(struct sqlite_file *file, struct migration *migration,
    struct error *err)
{
	sqlite3_stmt *stmt = prepare(file,
	    "INSERT INTO migration (source,"
	    " source_kind, target, target_kind, rule, old_rule, threshold,"
	    " min_wait, state, reason, started_at, ended_at)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
	    err);
	int rc = -1;

	if (stmt == NULL)
		return -1;
	bind_text(stmt, 1, migration->from.name);
	bind_text(stmt, 2, end_kind(&migration->from));
	bind_text(stmt, 3, migration->to.name);
	bind_text(stmt, 4, end_kind(&migration->to));
	bind_text(stmt, 5, migration->rule);
	bind_text(stmt, 6,
	    migration->has_old_rule ? migration->old_rule : NULL);
	bind_number(stmt, 7, migration->threshold);
	bind_number(stmt, 8, migration->min_wait_s);
	bind_text(stmt, 9, migration_state_name(migration->state));
	bind_text(stmt, 10, migration->reason);
	bind_number(stmt, 11, migration->started_at);
	bind_number(stmt, 12, migration->ended_at);
	rc = run(file, stmt, err);
	if (rc != 0 &&
	    sqlite3_extended_errcode(file->db) == SQLITE_CONSTRAINT_UNIQUE)
		(void)error_set(err, ERROR_INPUT,
		    "a migration is running already");
	migration->id = sqlite3_last_insert_rowid(file->db);
	(void)sqlite3_finalize(stmt);
	return rc;
}

static int
put_waves(struct sqlite_file *file, const struct migration *migration,
    struct error *err)
{
	sqlite3_stmt *stmt = prepare(file,
	    "INSERT INTO migration_wave"
	    " (migration_id, number, state, started_at, ended_at)"
	    " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET"
	    " state = excluded.state, started_at = excluded.started_at,"
	    " ended_at = excluded.ended_at",
	    err);
	int rc = stmt != NULL ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < migration->wave_count; i++) {
		const struct migration_wave *wave = &migration->waves[i];

		bind_number(stmt, 1, migration->id);
		bind_number(stmt, 2, (int64_t)i + 1);
		bind_text(stmt, 3, wave_state_name(wave->state));
		bind_number(stmt, 4, wave->started_at);
		bind_number(stmt, 5, wave->ended_at);
		rc = run(file, stmt, err);
	}
	(void)sqlite3_finalize(stmt);
	return rc;
}

static int
put_members(struct sqlite_file *file, const char *sql, int64_t id,
    const struct migration_member *members, size_t count, struct error *err)
{
	sqlite3_stmt *stmt = prepare(file, sql, err);
	int rc = stmt != NULL ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		const struct migration_member *member = &members[i];
		char mac[MAC_TEXT_BYTES];

		mac_format(&member->mac, mac);
		bind_number(stmt, 1, id);
		bind_text(stmt, 2, mac);
		bind_text(stmt, 3, member_state_name(member->state));
		bind_text(stmt, 4, member->previous_rule);
		bind_text(stmt, 5, member->previous_rule_b);
		bind_number(stmt, 6, member->trial_at);
		bind_number(stmt, 7, (int64_t)member->old_answers);
		bind_number(stmt, 8, (int64_t)member->new_answers);
		bind_number(stmt, 9, (int64_t)member->new_profiles);
		bind_number(stmt, 10, member->wave);
		rc = run(file, stmt, err);
	}
	(void)sqlite3_finalize(stmt);
	return rc;
}

static int
sqlite_add(void *state, struct migration *migration,
    const struct migration_member *members, size_t count, struct error *err)
{
	struct sqlite_file *file = inventory_sqlite_file(state);

	if (add_migration(file, migration, err) != 0 ||
	    put_waves(file, migration, err) != 0)
		return -1;
	return put_members(file,
	    "INSERT INTO migration_member (migration_id,"
	    " mac, state, previous_rule, previous_rule_b, trial_at,"
	    " old_answers, new_answers, new_profiles, wave)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	    migration->id, members, count, err);
}

static int
sqlite_update(void *state, const struct migration *migration, struct error *err)
{
	struct sqlite_file *file = inventory_sqlite_file(state);
	sqlite3_stmt *stmt = prepare(file,
	    "UPDATE migration SET state = ?2,"
	    " reason = ?3, ended_at = ?4 WHERE id = ?1",
	    err);
	int rc;

	if (stmt == NULL)
		return -1;
	bind_number(stmt, 1, migration->id);
	bind_text(stmt, 2, migration_state_name(migration->state));
	bind_text(stmt, 3, migration->reason);
	bind_number(stmt, 4, migration->ended_at);
	rc = run(file, stmt, err);
	(void)sqlite3_finalize(stmt);
	return rc == 0 ? put_waves(file, migration, err) : -1;
}

static int
sqlite_update_members(void *state, int64_t id,
    const struct migration_member *members, size_t count, struct error *err)
{
	return put_members(inventory_sqlite_file(state),
	    "UPDATE migration_member SET state = ?3, previous_rule = ?4,"
	    " previous_rule_b = ?5, trial_at = ?6, old_answers = ?7,"
	    " new_answers = ?8, new_profiles = ?9, wave = ?10"
	    " WHERE migration_id = ?1 AND mac = ?2",
	    id, members, count, err);
}

/* ------------------------------------------------------------- reading */

static const char *
column_text(sqlite3_stmt *stmt, int column)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);

	return text != NULL ? (const char *)text : "";
}

static bool
copy_text(sqlite3_stmt *stmt, int column, char *text, size_t size)
{
	const char *from = column_text(stmt, column);
	size_t len = strlen(from);

	if (len >= size)
		return false;
	memcpy(text, from, len + 1);
	return true;
}

static bool
read_end(sqlite3_stmt *stmt, int column, struct migration_end *end)
{
	end->is_ca = strcmp(column_text(stmt, column + 1), "ca") == 0;
	return copy_text(stmt, column, end->name, sizeof(end->name));
}

static bool
read_migration(sqlite3_stmt *stmt, struct migration *migration)
{
	int state = migration_state_find(column_text(stmt, 9));

	migration->id = sqlite3_column_int64(stmt, 0);
	migration->has_old_rule = sqlite3_column_type(stmt, 6) != SQLITE_NULL;
	migration->threshold = (unsigned)sqlite3_column_int(stmt, 7);
	migration->min_wait_s = (unsigned)sqlite3_column_int(stmt, 8);
	migration->started_at = sqlite3_column_int64(stmt, 11);
	migration->ended_at = sqlite3_column_int64(stmt, 12);
	if (state < 0)
		return false;
	migration->state = (enum migration_state)state;
	return read_end(stmt, 1, &migration->from) &&
	    read_end(stmt, 3, &migration->to) &&
	    copy_text(stmt, 5, migration->rule, sizeof(migration->rule)) &&
	    copy_text(stmt, 6, migration->old_rule,
		sizeof(migration->old_rule)) &&
	    copy_text(stmt, 10, migration->reason, sizeof(migration->reason));
}

static int
read_waves(struct sqlite_file *file, struct migration *migration,
    struct error *err)
{
	sqlite3_stmt *stmt = prepare(file,
	    "SELECT state, started_at,"
	    " ended_at FROM migration_wave WHERE migration_id = ?1"
	    " ORDER BY number",
	    err);
	int row, rc = 0;

	if (stmt == NULL)
		return -1;
	bind_number(stmt, 1, migration->id);
	while (rc == 0 && (row = sqlite3_step(stmt)) != SQLITE_DONE) {
		struct migration_wave *wave =
		    &migration->waves[migration->wave_count];
		int state = row == SQLITE_ROW ?
		    wave_state_find(column_text(stmt, 0)) :
		    0;

		if (row != SQLITE_ROW) {
			rc = read_failed(file, err);
		} else if (state < 0 ||
		    migration->wave_count == MIGRATION_WAVES_MAX) {
			rc = damaged(file, err);
		} else {
			wave->state = (enum wave_state)state;
			wave->started_at = sqlite3_column_int64(stmt, 1);
			wave->ended_at = sqlite3_column_int64(stmt, 2);
			migration->wave_count++;
		}
	}
	(void)sqlite3_finalize(stmt);
	return rc;
}

static int
sqlite_load(void *state, int64_t id, struct migration *migration,
    struct error *err)
{
	struct sqlite_file *file = inventory_sqlite_file(state);
	sqlite3_stmt *stmt = prepare(file,
	    "SELECT id, source, source_kind,"
	    " target, target_kind, rule, old_rule, threshold, min_wait,"
	    " state, reason, started_at, ended_at FROM migration"
	    " WHERE ?1 IN (0, id) ORDER BY id DESC LIMIT 1",
	    err);
	int rc = -1;

	*migration = (struct migration) { .id = 0 };
	if (stmt == NULL)
		return -1;
	bind_number(stmt, 1, id);
	switch (sqlite3_step(stmt)) {
	case SQLITE_ROW:
		rc = read_migration(stmt, migration) ? 0 : damaged(file, err);
		break;
	case SQLITE_DONE:
		if (id == 0)
			(void)error_set(err, ERROR_NOT_FOUND,
			    "there is no migration yet");
		else
			(void)error_set(err, ERROR_NOT_FOUND,
			    "there is no migration %" PRId64, id);
		break;
	default:
		(void)read_failed(file, err);
	}
	(void)sqlite3_finalize(stmt);
	return rc == 0 ? read_waves(file, migration, err) : -1;
}

static char *
column_copy(sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_type(stmt, column) == SQLITE_NULL ?
	    NULL :
	    xstrdup(column_text(stmt, column));
}

static bool
read_member(sqlite3_stmt *stmt, struct migration_member *member)
{
	const char *mac = column_text(stmt, 0);
	int state = member_state_find(column_text(stmt, 2));

	if (state < 0 || !mac_read(&member->mac, mac, strlen(mac)))
		return false;
	member->wave = (unsigned)sqlite3_column_int(stmt, 1);
	member->state = (enum member_state)state;
	member->previous_rule = column_copy(stmt, 3);
	member->previous_rule_b = column_copy(stmt, 4);
	member->trial_at = sqlite3_column_int64(stmt, 5);
	member->old_answers = (uint64_t)sqlite3_column_int64(stmt, 6);
	member->new_answers = (uint64_t)sqlite3_column_int64(stmt, 7);
	member->new_profiles = (uint64_t)sqlite3_column_int64(stmt, 8);
	return true;
}

static int
sqlite_members(void *state, int64_t id, struct migration_member **members,
    size_t *count, struct error *err)
{
	struct sqlite_file *file = inventory_sqlite_file(state);
	sqlite3_stmt *stmt = prepare(file,
	    "SELECT mac, wave, state,"
	    " previous_rule, previous_rule_b, trial_at, old_answers,"
	    " new_answers, new_profiles FROM migration_member"
	    " WHERE migration_id = ?1 ORDER BY wave, mac",
	    err);
	struct migration_member *list = NULL;
	size_t n = 0, room = 0;
	int row, rc = stmt != NULL ? 0 : -1;

	if (rc == 0)
		bind_number(stmt, 1, id);
	while (rc == 0 && (row = sqlite3_step(stmt)) != SQLITE_DONE) {
		if (n == room) {
			room = room * 2 + 64;
			list = xrealloc(list, room * sizeof(*list));
		}
		list[n] = (struct migration_member) { .wave = 0 };
		if (row != SQLITE_ROW)
			rc = read_failed(file, err);
		else if (!read_member(stmt, &list[n]))
			rc = damaged(file, err);
		else
			n++;
	}
	(void)sqlite3_finalize(stmt);
	if (rc != 0) {
		migration_members_free(list, n);
		return -1;
	}
	*members = list;
	*count = n;
	return 0;
}

const struct inventory_migrations inventory_sqlite_migrations = {
	.add = sqlite_add,
	.update = sqlite_update,
	.update_members = sqlite_update_members,
	.load = sqlite_load,
	.members = sqlite_members,
};
