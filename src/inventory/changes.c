#include "inventory/audit.h"
#include "inventory/changes.h"
#include "inventory/migration_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define NAMES_SHOWN 32 /* variables of one device or scope */
#define TARGET_BYTES (INVENTORY_NAME_MAX + sizeof("default:"))

enum counted { ADDED, CHANGED, REMOVED, OTHERS, COUNTED };

struct changes {
	struct audit_note *note;
	size_t counts[COUNTED];
	size_t total;
	json_t *list, *migration; /* NULL: none */
	char only[TARGET_BYTES];  /* the first target, or device */
	uint8_t hash[AUDIT_HASH_BYTES];
	bool written;
};

struct changes *
changes_new(const char *audit_path, const struct audit_act *act, time_t at)
{
	struct changes *changes = xcalloc(1, sizeof(*changes));

	changes->note = audit_note_new(audit_path, act, at);
	changes_begin(changes);
	return changes;
}

void
changes_free(struct changes *changes)
{
	if (changes == NULL)
		return;
	audit_note_free(changes->note);
	json_decref(changes->list);
	json_decref(changes->migration);
	free(changes);
}

void
changes_begin(struct changes *changes)
{
	json_decref(changes->list);
	json_decref(changes->migration);
	changes->list = json_array();
	changes->migration = NULL;
	memset(changes->counts, 0, sizeof(changes->counts));
	changes->total = 0;
	changes->written = false;
}

bool
changes_is_shown(const struct changes *changes)
{
	return changes != NULL &&
	    json_array_size(changes->list) < CHANGES_SHOWN;
}

static size_t
devices(const struct changes *changes)
{
	return changes->counts[ADDED] + changes->counts[CHANGED] +
	    changes->counts[REMOVED];
}

/* entry is taken. */
static void
note(struct changes *changes, enum counted which, const char *target,
    json_t *entry)
{
	changes->counts[which]++;
	if (changes->total++ == 0 || (which != OTHERS && devices(changes) == 1))
		(void)snprintf(changes->only, sizeof(changes->only), "%s",
		    target);
	if (!changes_is_shown(changes)) {
		json_decref(entry);
		return;
	}
	(void)json_object_set_new(entry, "target", json_string(target));
	(void)json_array_append_new(changes->list, entry);
}

/* ---------------------------------------------------------------- different */

static void
compare_field(json_t *fields, const char *name, const char *before,
    const char *after)
{
	if (strcmp(before, after) != 0)
		(void)json_object_set_new(fields, name,
		    json_pack("[s, s]", before, after));
}

static void
add_name(json_t *entry, const char *key, const char *name)
{
	json_t *list = json_object_get(entry, key);

	if (list == NULL) {
		list = json_array();
		(void)json_object_set_new(entry, key, list);
	}
	if (json_array_size(list) < NAMES_SHOWN)
		(void)json_array_append_new(list, json_string(name));
}

/* Both are sorted by name. */
static void
compare_variables(json_t *entry, const struct variables *before,
    const struct variables *after)
{
	size_t i = 0, k = 0;

	while (i < before->count || k < after->count) {
		int order = i == before->count ?
		    1 :
		    k == after->count ?
		    -1 :
		    strcmp(before->list[i].name, after->list[k].name);

		if (order < 0)
			add_name(entry, "unset", before->list[i].name);
		else if (order > 0 ||
		    strcmp(before->list[i].value, after->list[k].value) != 0)
			add_name(entry, "set", after->list[k].name);
		i += order <= 0;
		k += order >= 0;
	}
}

/* fields is taken. */
static void
set_fields(json_t *entry, json_t *fields)
{
	if (json_object_size(fields) > 0)
		(void)json_object_set(entry, "fields", fields);
	json_decref(fields);
}

static void
compare_tags(json_t *fields, const struct tags *before,
    const struct tags *after)
{
	char *one = tags_format(before), *two = tags_format(after);

	compare_field(fields, "tags", one, two);
	free(one);
	free(two);
}

void
changes_device(struct changes *changes, const struct device *before,
    const struct device *after, bool added)
{
	static const struct device none;
	char mac[MAC_TEXT_BYTES];
	json_t *entry, *fields;

	if (changes == NULL)
		return;
	mac_format(&after->mac, mac);
	entry = json_pack("{ss}", "is", added ? "added" : "changed");
	if (changes_is_shown(changes) && (added || before != NULL)) {
		if (before == NULL)
			before = &none;
		fields = json_object();
		compare_field(fields, "model", before->model, after->model);
		compare_field(fields, "firmware", before->firmware,
		    after->firmware);
		compare_field(fields, "serial", before->serial, after->serial);
		compare_field(fields, "group", before->group, after->group);
		compare_field(fields, "state", device_state_name(before->state),
		    device_state_name(after->state));
		compare_tags(fields, &before->tags, &after->tags);
		set_fields(entry, fields);
		compare_variables(entry, &before->variables, &after->variables);
	}
	note(changes, added ? ADDED : CHANGED, mac, entry);
}

void
changes_removed(struct changes *changes, const struct mac *mac)
{
	char text[MAC_TEXT_BYTES];

	if (changes == NULL)
		return;
	mac_format(mac, text);
	note(changes, REMOVED, text, json_pack("{ss}", "is", "removed"));
}

/* ------------------------------------------------------------------ scopes */

static void
format_target(enum scope_kind kind, const char *name,
    char text[static TARGET_BYTES])
{
	static const char *const prefixes[] = { "default",
		"model:", "group:", "tag:" };

	(void)snprintf(text, TARGET_BYTES, "%s%s", prefixes[kind], name);
}

void
changes_scope(struct changes *changes, const struct scope *before,
    const struct scope *after)
{
	static const struct scope none;
	char target[TARGET_BYTES];
	json_t *entry, *fields;

	if (changes == NULL)
		return;
	format_target(after->kind, after->name, target);
	entry = json_pack("{ss}", "is", before == NULL ? "added" : "changed");
	if (changes_is_shown(changes)) {
		if (before == NULL)
			before = &none;
		fields = json_object();
		compare_field(fields, "parent", before->parent, after->parent);
		compare_field(fields, "kind",
		    group_kind_name(before->group_kind),
		    group_kind_name(after->group_kind));
		set_fields(entry, fields);
		compare_variables(entry, &before->variables, &after->variables);
	}
	note(changes, OTHERS, target, entry);
}

void
changes_scope_removed(struct changes *changes, enum scope_kind kind,
    const char *name)
{
	char target[TARGET_BYTES];

	if (changes == NULL)
		return;
	format_target(kind, name, target);
	note(changes, OTHERS, target, json_pack("{ss}", "is", "removed"));
}

void
changes_type(struct changes *changes, const char *name, const char *type)
{
	char target[TARGET_BYTES];

	if (changes == NULL)
		return;
	(void)snprintf(target, sizeof(target), "type:%s", name);
	note(changes, OTHERS, target,
	    json_pack("{ss ss*}", "is", type != NULL ? "declared" : "removed",
		"type", type));
}

void
changes_migration(struct changes *changes, const struct migration *migration)
{
	if (changes == NULL)
		return;
	json_decref(changes->migration);
	changes->migration = json_pack("{sI ss ss}", "id",
	    (json_int_t)migration->id, "is",
	    migration_state_name(migration->state), "reason",
	    migration->reason);
}

/* ------------------------------------------------------------------- entry */

int
changes_write(struct changes *changes, bool changed, struct error *err)
{
	const char *object = NULL;
	json_t *detail;

	if (changes == NULL ||
	    (!changed && changes->total == 0 && changes->migration == NULL))
		return 0;
	detail = json_pack("{sI sI sI sI sO sO*}", "devices_added",
	    (json_int_t)changes->counts[ADDED], "devices_changed",
	    (json_int_t)changes->counts[CHANGED], "devices_removed",
	    (json_int_t)changes->counts[REMOVED], "others",
	    (json_int_t)changes->counts[OTHERS], "changes", changes->list,
	    "migration", changes->migration);
	/* A group that is made on the way is not what it was about. */
	if (changes->total == 1 || devices(changes) == 1)
		object = changes->only;
	if (audit_note_add(changes->note, object, false, detail, changes->hash,
		err) != 0)
		return error_prefix(err, "the change cannot be noted: ");
	changes->written = true;
	return 0;
}

void
changes_undo(struct changes *changes)
{
	char hex[2 * AUDIT_HASH_BYTES + 1];
	struct error ignored;

	if (changes == NULL || !changes->written)
		return;
	text_hex(changes->hash, sizeof(changes->hash), hex);
	/* If this cannot be noted, the log says too much rather than too
	 * little. */
	(void)!audit_note_add(changes->note, NULL, true,
	    json_pack("{ss}", "failed", hex), NULL, &ignored);
	changes->written = false;
}
