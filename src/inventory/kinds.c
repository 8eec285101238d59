#include "inventory/kinds.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define uthash_malloc(size) xmalloc(size)
#include <uthash.h>

/* Model, NUL, firmware, NUL, state. */
#define KEY_MAX (2 * (INVENTORY_NAME_MAX + 1) + 1)

struct entry {
	UT_hash_handle hh;
	struct device_kind kind;
	char key[KEY_MAX];
};

struct kinds {
	struct entry *entries;
	struct entry *last; /* devices of one kind often follow each other */
};

struct kinds *
kinds_new(void)
{
	return xcalloc(1, sizeof(struct kinds));
}

void
kinds_clear(struct kinds *kinds)
{
	struct entry *entry, *next;

	HASH_ITER (hh, kinds->entries, entry, next) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): of uthash */
		HASH_DELETE(hh, kinds->entries, entry);
		free(entry);
	}
	kinds->last = NULL;
}

void
kinds_free(struct kinds *kinds)
{
	if (kinds == NULL)
		return;
	kinds_clear(kinds);
	free(kinds);
}

static size_t
put_text(char *to, const char *text)
{
	size_t len = strnlen(text, INVENTORY_NAME_MAX);

	memcpy(to, text, len);
	to[len] = '\0';
	return len + 1;
}

static struct entry *
find(struct kinds *kinds, const char *key, size_t len)
{
	struct entry *found = NULL;

	if (kinds->last != NULL && kinds->last->hh.keylen == len &&
	    memcmp(kinds->last->key, key, len) == 0)
		return kinds->last;
	HASH_FIND(hh, kinds->entries, key, len, found);
	return found;
}

void
kinds_add(struct kinds *kinds, const char *model, const char *firmware,
    enum device_state state, int64_t by)
{
	char key[KEY_MAX];
	size_t len = put_text(key, model);
	struct entry *entry;

	len += put_text(key + len, firmware);
	key[len++] = (char)state;
	entry = find(kinds, key, len);
	if (entry == NULL) {
		entry = xcalloc(1, sizeof(*entry));
		memcpy(entry->key, key, len);
		(void)put_text(entry->kind.model, model);
		(void)put_text(entry->kind.firmware, firmware);
		entry->kind.state = state;
		HASH_ADD_KEYPTR(hh, kinds->entries, entry->key, len, entry);
	}
	entry->kind.count += by;
	kinds->last = entry;
}

size_t
kinds_count(const struct kinds *kinds)
{
	return HASH_COUNT(kinds->entries);
}

static int
compare(const struct entry *a, const struct entry *b)
{
	int order = strcmp(a->kind.model, b->kind.model);

	if (order == 0)
		order = strcmp(a->kind.firmware, b->kind.firmware);
	return order != 0 ? order : (int)a->kind.state - (int)b->kind.state;
}

int
kinds_each(struct kinds *kinds, inventory_visit_kind *visit, void *arg)
{
	struct entry *entry, *next;
	int rc = 0;

	HASH_SORT(kinds->entries, compare);
	HASH_ITER (hh, kinds->entries, entry, next)
		if (rc == 0 && entry->kind.count != 0)
			rc = visit(&entry->kind, arg);
	return rc;
}
