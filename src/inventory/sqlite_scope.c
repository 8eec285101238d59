/*
 * Scopes and types in a SQLite file.
 */
#include "inventory/sqlite_store.h"

#include <string.h>

int
sqlite_find_group(struct sqlite *sqlite, const char *name, sqlite3_int64 *id,
    struct error *err)
{
	sqlite3_stmt *stmt;
	int rc = 0;

	*id = 0;
	if (*name == '\0')
		return 0;
	if (strcmp(name, sqlite->group) == 0) {
		*id = sqlite->group_id;
		return 0;
	}
	if ((stmt = sqlite_get_statement(sqlite, GROUP_ID, err)) == NULL)
		return -1;
	sqlite_bind_text(stmt, 1, name);
	switch (sqlite3_step(stmt)) {
	case SQLITE_ROW:
		*id = sqlite3_column_int64(stmt, 0);
		memcpy(sqlite->group, name, strlen(name) + 1);
		sqlite->group_id = *id;
		break;
	case SQLITE_DONE:
		rc = inventory_group_missing(name, err);
		break;
	default:
		rc = sqlite_read_failed(sqlite, err);
	}
	sqlite_reset(stmt);
	return rc;
}

int
sqlite_put_scope(void *state, const struct scope *scope, struct error *err)
{
	struct sqlite *sqlite = state;
	sqlite3_stmt *stmt = sqlite_get_statement(sqlite, SCOPE_PUT, err);
	sqlite3_int64 parent_id;

	if (stmt == NULL ||
	    sqlite_find_group(sqlite, scope->parent, &parent_id, err) != 0)
		return -1;
	(void)sqlite3_bind_int(stmt, 1, (int)scope->kind);
	sqlite_bind_text(stmt, 2, scope->name);
	(void)sqlite3_bind_int(stmt, 3, (int)scope->group_kind);
	sqlite_bind_id(stmt, 4, parent_id);
	sqlite_bind_variables(sqlite, stmt, 5, &scope->variables);
	sqlite->scopes_changed = true;
	return sqlite_run(sqlite, stmt, err);
}

int
sqlite_remove_scope(void *state, enum scope_kind kind, const char *name,
    struct error *err)
{
	struct sqlite *sqlite = state;
	sqlite3_stmt *stmt = sqlite_get_statement(sqlite, SCOPE_REMOVE, err);

	if (stmt == NULL)
		return -1;
	(void)sqlite3_bind_int(stmt, 1, (int)kind);
	sqlite_bind_text(stmt, 2, name);
	sqlite->scopes_changed = true;
	sqlite->group[0] = '\0';
	if (sqlite_run(sqlite, stmt, err) != 0)
		return -1;
	if (sqlite3_changes(sqlite->file.db) == 0)
		return inventory_no_scope(kind, name, err);
	return 0;
}

/*
 * Step to the next scope.  Returns 1 with scope filled, 0 at the end, -1 on
 * failure.
 */
static int
next_scope(const struct sqlite *sqlite, sqlite3_stmt *stmt, struct scope *scope,
    struct error *err)
{
	int row = sqlite3_step(stmt), kind, group_kind;

	if (row == SQLITE_DONE)
		return 0;
	if (row != SQLITE_ROW)
		return sqlite_read_failed(sqlite, err);
	*scope = (struct scope) { 0 };
	kind = sqlite3_column_int(stmt, 0);
	group_kind = sqlite3_column_int(stmt, 2);
	if (kind < SCOPE_DEFAULT || kind > SCOPE_TAG ||
	    group_kind < GROUP_PLAIN || group_kind > GROUP_TENANT ||
	    sqlite_column_name(stmt, 1, scope->name) != 0 ||
	    sqlite_column_name(stmt, 3, scope->parent) != 0)
		return sqlite_bad_row(sqlite, "group's or model's name", err);
	scope->kind = (enum scope_kind)kind;
	scope->group_kind = (enum group_kind)group_kind;
	if (sqlite_column_variables(stmt, 4, &scope->variables) != 0)
		return sqlite_bad_row(sqlite, "variable", err);
	return 1;
}

int
sqlite_get_scope(void *state, enum scope_kind kind, const char *name,
    struct scope *scope, struct error *err)
{
	struct sqlite *sqlite = state;
	sqlite3_stmt *stmt = sqlite_get_statement(sqlite, SCOPE_GET, err);
	struct scope found;
	int rc;

	if (stmt == NULL)
		return -1;
	(void)sqlite3_bind_int(stmt, 1, (int)kind);
	sqlite_bind_text(stmt, 2, name);
	rc = next_scope(sqlite, stmt, &found, err);
	sqlite_reset(stmt);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return inventory_no_scope(kind, name, err);
	*scope = found;
	return 0;
}

int
sqlite_each_scope(void *state, inventory_visit_scope *visit, void *arg,
    struct error *err)
{
	struct sqlite *sqlite = state;
	sqlite3_stmt *stmt = sqlite_get_statement(sqlite, SCOPE_EACH, err);
	struct scope scope;
	int rc, visited = 0;

	if (stmt == NULL)
		return -1;
	while (visited == 0 &&
	    (rc = next_scope(sqlite, stmt, &scope, err)) != 0) {
		if (rc < 0) {
			visited = -1;
			break;
		}
		visited = visit(&scope, arg);
		scope_clear(&scope);
	}
	sqlite_reset(stmt);
	return visited;
}

int
sqlite_put_type(void *state, const char *name, const char *type,
    struct error *err)
{
	struct sqlite *sqlite = state;
	sqlite3_stmt *stmt = sqlite_get_statement(sqlite,
	    type != NULL ? TYPE_PUT : TYPE_REMOVE, err);

	if (stmt == NULL)
		return -1;
	sqlite_bind_text(stmt, 1, name);
	if (type != NULL)
		sqlite_bind_text(stmt, 2, type);
	sqlite->scopes_changed = true;
	if (sqlite_run(sqlite, stmt, err) != 0)
		return -1;
	if (type == NULL && sqlite3_changes(sqlite->file.db) == 0)
		return inventory_no_type(name, err);
	return 0;
}

int
sqlite_each_type(void *state, inventory_visit_type *visit, void *arg,
    struct error *err)
{
	struct sqlite *sqlite = state;
	sqlite3_stmt *stmt = sqlite_get_statement(sqlite, TYPE_EACH, err);
	int row, rc = 0;

	if (stmt == NULL)
		return -1;
	while (rc == 0 && (row = sqlite3_step(stmt)) != SQLITE_DONE) {
		char name[INVENTORY_NAME_MAX + 1];

		if (row != SQLITE_ROW)
			rc = sqlite_read_failed(sqlite, err);
		else if (sqlite_column_name(stmt, 0, name) != 0)
			rc = sqlite_bad_row(sqlite, "variable's name", err);
		else
			rc = visit(name, sqlite_column_text(stmt, 1), arg);
	}
	sqlite_reset(stmt);
	return rc;
}
