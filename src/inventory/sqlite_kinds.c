/*
 * How many devices of each kind there are in a SQLite store.  What a
 * transaction changes is summed up in memory, since writing the sums with each
 * device of an import would make that half as long again.
 */
#include "inventory/kinds.h"
#include "inventory/sqlite_store.h"

#define PENDING_MAX 4096 /* kinds; more are written at once */

struct change {
	struct sqlite *sqlite;
	struct error *err;
	bool fewer;
};

static int
write_kind(const struct device_kind *kind, void *arg)
{
	struct change *change = arg;
	sqlite3_stmt *stmt = sqlite_get_statement(change->sqlite, KIND_ADD,
	    change->err);

	if (stmt == NULL)
		return -1;
	change->fewer |= kind->count < 0;
	sqlite_bind_text(stmt, 1, kind->model);
	sqlite_bind_text(stmt, 2, kind->firmware);
	sqlite_bind_text(stmt, 3, device_state_name(kind->state));
	(void)sqlite3_bind_int64(stmt, 4, kind->count);
	return sqlite_run(change->sqlite, stmt, change->err);
}

int
sqlite_kinds_flush(struct sqlite *sqlite, struct error *err)
{
	struct change change = { sqlite, err, false };

	if (kinds_each(sqlite->kinds, write_kind, &change) != 0)
		return -1;
	kinds_clear(sqlite->kinds);
	return change.fewer ? sqlite_run_plain(sqlite, KIND_TRIM, err) : 0;
}

int
sqlite_kinds_find(struct sqlite *sqlite, const char *mac,
    struct device_kind *kind, struct error *err)
{
	sqlite3_stmt *stmt = sqlite_get_statement(sqlite, KIND_OF, err);
	int rc = 0;

	*kind = (struct device_kind) { .count = 0 };
	if (stmt == NULL)
		return -1;
	sqlite_bind_text(stmt, 1, mac);
	switch (sqlite3_step(stmt)) {
	case SQLITE_DONE:
		break;
	case SQLITE_ROW:
		kind->count = 1;
		rc = sqlite_column_kind(sqlite, stmt, kind, err);
		break;
	default:
		rc = sqlite_read_failed(sqlite, err);
	}
	sqlite_reset(stmt);
	return rc;
}

int
sqlite_kinds_change(struct sqlite *sqlite, const struct device_kind *before,
    const struct device *after, struct error *err)
{
	if (before != NULL && before->count > 0)
		kinds_add(sqlite->kinds, before->model, before->firmware,
		    before->state, -1);
	if (after != NULL)
		kinds_add(sqlite->kinds, after->model, after->firmware,
		    after->state, 1);
	return kinds_count(sqlite->kinds) > PENDING_MAX ?
	    sqlite_kinds_flush(sqlite, err) :
	    0;
}

int
sqlite_column_kind(const struct sqlite *sqlite, sqlite3_stmt *stmt,
    struct device_kind *kind, struct error *err)
{
	if (sqlite_column_name(stmt, 0, kind->model) != 0 ||
	    sqlite_column_name(stmt, 1, kind->firmware) != 0)
		return sqlite_bad_row(sqlite, "device's field", err);
	if (device_state_parse(sqlite_column_text(stmt, 2), &kind->state,
		err) != 0)
		return sqlite_bad_row(sqlite, "state", err);
	return 0;
}

int
sqlite_each_kind(void *state, inventory_visit_kind *visit, void *arg,
    struct error *err)
{
	struct sqlite *sqlite = state;
	struct device_kind kind = { .count = 0 };
	sqlite3_stmt *stmt;
	int row, rc = 0;

	if (sqlite_kinds_flush(sqlite, err) != 0 ||
	    (stmt = sqlite_get_statement(sqlite, KIND_EACH, err)) == NULL)
		return -1;
	while (rc == 0 && (row = sqlite3_step(stmt)) != SQLITE_DONE) {
		if (row != SQLITE_ROW) {
			rc = sqlite_read_failed(sqlite, err);
			break;
		}
		kind.count = sqlite3_column_int64(stmt, 3);
		if (kind.count < 1)
			rc = sqlite_bad_row(sqlite, "count", err);
		else
			rc = sqlite_column_kind(sqlite, stmt, &kind, err);
		if (rc == 0)
			rc = visit(&kind, arg);
	}
	sqlite_reset(stmt);
	return rc;
}
