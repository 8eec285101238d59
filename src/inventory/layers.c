#include "inventory/layers.h"
#include "inventory/store.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define uthash_malloc(size) xmalloc(size)
#include <uthash.h>

struct layer {
	char key[1 + INVENTORY_NAME_MAX + 1]; /* the kind, then the name */
	struct scope scope;
	const struct layer *parent;
	UT_hash_handle hh;
};

struct layers {
	atomic_size_t references;
	struct layer *scopes;
	struct types types;
};

static void
make_key(enum scope_kind kind, const char *name,
    char key[static 1 + INVENTORY_NAME_MAX + 1])
{
	size_t len = strnlen(name, INVENTORY_NAME_MAX);

	key[0] = (char)('0' + (int)kind);
	memcpy(key + 1, name, len);
	key[1 + len] = '\0';
}

static const struct layer *
find_layer(const struct layers *layers, enum scope_kind kind, const char *name)
{
	char key[1 + INVENTORY_NAME_MAX + 1];
	struct layer *layer = NULL;

	make_key(kind, name, key);
	HASH_FIND_STR(layers->scopes, key, layer);
	return layer;
}

/* For the visitor. */
struct loading {
	struct layers *layers;
	struct error *err;
};

static int
take_scope(const struct scope *scope, void *arg)
{
	struct loading *loading = arg;
	struct layer *layer;

	for (size_t i = 0; i < scope->variables.count; i++)
		if (scope->variables.list[i].sealed)
			return inventory_is_sealed(loading->err);
	layer = xcalloc(1, sizeof(*layer));
	scope_copy(&layer->scope, scope);
	make_key(scope->kind, scope->name, layer->key);
	HASH_ADD_STR(loading->layers->scopes, key, layer);
	return 0;
}

/* A circle can only have been written by another program: layers_group_value
 * has a bound. */
static void
find_parents(struct layers *layers)
{
	struct layer *layer, *next;

	HASH_ITER (hh, layers->scopes, layer, next)
		if (layer->scope.parent[0] != '\0')
			layer->parent = find_layer(layers, SCOPE_GROUP,
			    layer->scope.parent);
}

struct layers *
layers_load(struct inventory *inventory, struct error *err)
{
	struct loading loading = { xcalloc(1, sizeof(struct layers)), err };
	const struct types *types;

	atomic_init(&loading.layers->references, 1);
	types = inventory_types(inventory, err);
	if (types != NULL &&
	    inventory_each_scope(inventory, take_scope, &loading, err) == 0) {
		types_copy(&loading.layers->types, types);
		find_parents(loading.layers);
		return loading.layers;
	}
	layers_release(loading.layers);
	return NULL;
}

struct layers *
layers_retain(struct layers *layers)
{
	atomic_fetch_add(&layers->references, 1);
	return layers;
}

void
layers_release(struct layers *layers)
{
	struct layer *layer, *next;

	if (layers == NULL || atomic_fetch_sub(&layers->references, 1) > 1)
		return;
	HASH_ITER (hh, layers->scopes, layer, next) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): of uthash */
		HASH_DELETE(hh, layers->scopes, layer);
		scope_clear(&layer->scope);
		free(layer);
	}
	types_clear(&layers->types);
	free(layers);
}

const char *
layers_value(const struct layers *layers, enum scope_kind kind,
    const char *scope, const char *name)
{
	const struct layer *layer = find_layer(layers, kind, scope);

	return layer != NULL ? variables_get(&layer->scope.variables, name) :
			       NULL;
}

const char *
layers_group_value(const struct layers *layers, const char *group,
    const char *name)
{
	const struct layer *layer = *group != '\0' ?
	    find_layer(layers, SCOPE_GROUP, group) :
	    NULL;
	const char *value = NULL;

	for (int depth = 0; depth < INVENTORY_GROUP_DEPTH_MAX &&
	     value == NULL && layer != NULL;
	     depth++) {
		value = variables_get(&layer->scope.variables, name);
		layer = layer->parent;
	}
	return value;
}

bool
layers_group_is_below(const struct layers *layers, const char *group,
    const char *other)
{
	const struct layer *layer = *group != '\0' ?
	    find_layer(layers, SCOPE_GROUP, group) :
	    NULL;

	for (int depth = 0; depth < INVENTORY_GROUP_DEPTH_MAX && layer != NULL;
	     depth++) {
		if (strcmp(layer->scope.name, other) == 0)
			return true;
		layer = layer->parent;
	}
	return false;
}

/* uthash keeps the order in which they were added. */
int
layers_each(const struct layers *layers,
    int (*visit)(const struct scope *scope, void *arg), void *arg)
{
	const struct layer *layer, *next;
	int rc;

	HASH_ITER (hh, layers->scopes, layer, next)
		if ((rc = visit(&layer->scope, arg)) != 0)
			return rc;
	return 0;
}

bool
layers_is_secret(const struct layers *layers, const char *name)
{
	return types_is_secret(&layers->types, name);
}
