/*
 * The change number of a SQLite store, and the log of which devices changed
 * with which number.
 */
#include "inventory/sqlite_store.h"

#include <string.h>

int
sqlite_get_change(struct sqlite *sqlite, struct sqlite_change *change,
    struct error *err)
{
	sqlite3_stmt *stmt = sqlite_get_statement(sqlite, CHANGE_GET, err);
	const char *id;
	int rc = 0;

	if (stmt == NULL)
		return -1;
	if (sqlite3_step(stmt) != SQLITE_ROW) {
		rc = sqlite_read_failed(sqlite, err);
		goto out;
	}
	change->number = (uint64_t)sqlite3_column_int64(stmt, 0);
	change->log_floor = (uint64_t)sqlite3_column_int64(stmt, 1);
	change->scope_number = (uint64_t)sqlite3_column_int64(stmt, 2);
	id = sqlite_column_text(stmt, 3);
	if (strlen(id) >= sizeof(change->key_id))
		rc = sqlite_bad_row(sqlite, "key's id", err);
	else
		memcpy(change->key_id, id, strlen(id) + 1);
out:
	sqlite_reset(stmt);
	return rc;
}

int
sqlite_change_number(void *state, uint64_t *number, struct error *err)
{
	struct sqlite_change change;

	if (sqlite_get_change(state, &change, err) != 0)
		return -1;
	*number = change.number;
	return 0;
}

int
sqlite_get_key_id(void *state, char id[static INVENTORY_KEY_ID_BYTES],
    struct error *err)
{
	struct sqlite_change change;

	if (sqlite_get_change(state, &change, err) != 0)
		return -1;
	memcpy(id, change.key_id, sizeof(change.key_id));
	return 0;
}

int
sqlite_set_key_id(void *state, const char *id, struct error *err)
{
	struct sqlite *sqlite = state;
	sqlite3_stmt *stmt = sqlite_get_statement(sqlite, CHANGE_KEY, err);

	if (stmt == NULL)
		return -1;
	sqlite_bind_text(stmt, 1, id);
	return sqlite_run(sqlite, stmt, err);
}

int
sqlite_log_begin(struct sqlite *sqlite, struct error *err)
{
	struct sqlite_change change;

	if (sqlite_get_change(sqlite, &change, err) != 0)
		return -1;
	sqlite->next_number = change.number + 1;
	sqlite->logged = 0;
	sqlite->log_overflowed = false;
	sqlite->scopes_changed = false;
	return 0;
}

int
sqlite_log_device(struct sqlite *sqlite, const char *mac, struct error *err)
{
	sqlite3_stmt *stmt;

	/* Who is told of so many reads everything anew. */
	if (sqlite->logged >= SQLITE_LOG_MAX) {
		sqlite->log_overflowed = true;
		return 0;
	}
	sqlite->logged++;
	if ((stmt = sqlite_get_statement(sqlite, LOG_ADD, err)) == NULL)
		return -1;
	(void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)sqlite->next_number);
	sqlite_bind_text(stmt, 2, mac);
	return sqlite_run(sqlite, stmt, err);
}

int
sqlite_log_commit(struct sqlite *sqlite, struct error *err)
{
	static const enum sqlite_statement cut[] = { LOG_RAISE_FLOOR,
		LOG_TRIM };
	static const enum sqlite_statement clear[] = { LOG_CLEAR,
		LOG_CLEAR_FLOOR };
	const enum sqlite_statement *then = sqlite->log_overflowed ? clear :
								     cut;

	if (sqlite_run_plain(sqlite, CHANGE_MOVE, err) != 0 ||
	    (sqlite->scopes_changed &&
		sqlite_run_plain(sqlite, CHANGE_SCOPES, err) != 0))
		return -1;
	if (sqlite->logged == 0)
		return 0;
	if (sqlite_run_plain(sqlite, then[0], err) != 0)
		return -1;
	return sqlite_run_plain(sqlite, then[1], err);
}

int
sqlite_each_changed(void *state, uint64_t since, inventory_visit_changed *visit,
    void *arg, bool *known, bool *scopes, struct error *err)
{
	struct sqlite *sqlite = state;
	struct sqlite_change change;
	struct mac mac;
	sqlite3_stmt *stmt;
	int row, rc = 0;

	if (sqlite_get_change(sqlite, &change, err) != 0)
		return -1;
	/* A smaller number than before: another file is in its place. */
	*known = since >= change.log_floor && since <= change.number;
	*scopes = change.scope_number > since;
	if (!*known)
		return 0;
	if ((stmt = sqlite_get_statement(sqlite, LOG_EACH, err)) == NULL)
		return -1;
	(void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)since);
	while (rc == 0 && (row = sqlite3_step(stmt)) != SQLITE_DONE) {
		if (row != SQLITE_ROW)
			rc = sqlite_read_failed(sqlite, err);
		else if (mac_parse(&mac, sqlite_column_text(stmt, 0), err) != 0)
			rc = sqlite_bad_row(sqlite, "MAC address", err);
		else
			rc = visit(&mac, arg);
	}
	sqlite_reset(stmt);
	return rc;
}
