#include "inventory/leaf.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct leaf {
	atomic_size_t references;
	size_t size; /* of data, in bytes */
	size_t count;
	/* The devices, then lists and texts, as they came. */
	alignas(max_align_t) unsigned char data[];
};

/*
 * While a leaf grows, its memory moves.  Pointers into it are kept as offsets
 * from the start of room, plus one so that NULL stays NULL.
 */
struct leaf_builder {
	struct device devices[LEAF_DEVICES]; /* pointers are offsets */
	size_t count;
	unsigned char *room;
	size_t len, size;
};

void
leaf_release(struct leaf *leaf)
{
	if (leaf == NULL || atomic_fetch_sub(&leaf->references, 1) > 1)
		return;
	/* There are passwords in it. */
	explicit_bzero(leaf->data, leaf->size);
	free(leaf);
}

struct leaf *
leaf_retain(struct leaf *leaf)
{
	atomic_fetch_add(&leaf->references, 1);
	return leaf;
}

const struct device *
leaf_devices(const struct leaf *leaf, size_t *count)
{
	*count = leaf->count;
	return (const struct device *)(const void *)leaf->data;
}

struct leaf_builder *
leaf_builder_new(void)
{
	return xcalloc(1, sizeof(struct leaf_builder));
}

void
leaf_builder_free(struct leaf_builder *builder)
{
	if (builder == NULL)
		return;
	if (builder->room != NULL)
		explicit_bzero(builder->room, builder->size);
	free(builder->room);
	free(builder);
}

size_t
leaf_added(const struct leaf_builder *builder)
{
	return builder->count;
}

static void *
as_pointer(size_t offset)
{
	return (void *)(uintptr_t)(offset + 1);
}

/* Room for size bytes; their offset. */
static size_t
take_room(struct leaf_builder *builder, size_t size)
{
	size_t offset = builder->len;

	if (builder->size - builder->len < size) {
		unsigned char *room;

		builder->size = 2 * builder->size + size + 4096;
		room = xmalloc(builder->size);
		if (builder->len > 0)
			memcpy(room, builder->room, builder->len);
		if (builder->room != NULL)
			explicit_bzero(builder->room, builder->len);
		free(builder->room);
		builder->room = room;
	}
	builder->len += size;
	return offset;
}

static size_t
take_list(struct leaf_builder *builder, size_t size)
{
	size_t padding = -builder->len & (alignof(max_align_t) - 1);

	(void)take_room(builder, padding);
	return take_room(builder, size);
}

static char *
copy_text(struct leaf_builder *builder, const char *text)
{
	size_t size = strlen(text) + 1;
	size_t offset = take_room(builder, size);

	memcpy(builder->room + offset, text, size);
	return as_pointer(offset);
}

static struct variable *
variable_at(const struct leaf_builder *builder, const struct device *device,
    size_t i)
{
	unsigned char *list = builder->room +
	    ((uintptr_t)device->variables.list - 1);

	return (struct variable *)(void *)list + i;
}

/* The name as the device before has it in the same place: mostly it does. */
static char *
copy_name(struct leaf_builder *builder, size_t i, const char *name)
{
	const struct device *before;
	char *known;

	if (builder->count > 0) {
		before = &builder->devices[builder->count - 1];
		if (i < before->variables.count) {
			known = variable_at(builder, before, i)->name;
			if (strcmp((const char *)builder->room +
				    ((uintptr_t)known - 1),
				name) == 0)
				return known;
		}
	}
	return copy_text(builder, name);
}

static void
add_variables(struct leaf_builder *builder, struct device *copy,
    const struct variables *from)
{
	size_t list;

	copy->variables = (struct variables) { 0 };
	if (from->count == 0)
		return;
	list = take_list(builder, from->count * sizeof(struct variable));
	for (size_t i = 0; i < from->count; i++) {
		struct variable variable = {
			.name = copy_name(builder, i, from->list[i].name),
			.value = copy_text(builder, from->list[i].value),
			.sealed = from->list[i].sealed,
		};

		memcpy(builder->room + list + i * sizeof(variable), &variable,
		    sizeof(variable));
	}
	copy->variables = (struct variables) { as_pointer(list), from->count };
}

static void
add_tags(struct leaf_builder *builder, struct device *copy,
    const struct tags *from)
{
	size_t list;

	copy->tags = (struct tags) { 0 };
	if (from->count == 0)
		return;
	list = take_list(builder, from->count * sizeof(char *));
	for (size_t i = 0; i < from->count; i++) {
		char *name = copy_text(builder, from->list[i]);

		memcpy(builder->room + list + i * sizeof(name), &name,
		    sizeof(name));
	}
	copy->tags = (struct tags) { as_pointer(list), from->count };
}

void
leaf_add(struct leaf_builder *builder, const struct device *device)
{
	struct device *copy = &builder->devices[builder->count];

	assert(builder->count < LEAF_DEVICES);
	*copy = *device;
	add_variables(builder, copy, &device->variables);
	add_tags(builder, copy, &device->tags);
	builder->count++;
}

/* From an offset to a pointer. */
static void *
place(unsigned char *base, const void *offset)
{
	return offset != NULL ? base + ((uintptr_t)offset - 1) : NULL;
}

static void
fix_device(struct device *device, unsigned char *base)
{
	device->variables.list = place(base, device->variables.list);
	for (size_t i = 0; i < device->variables.count; i++) {
		struct variable *variable = &device->variables.list[i];

		variable->name = place(base, variable->name);
		variable->value = place(base, variable->value);
	}
	device->tags.list = place(base, device->tags.list);
	for (size_t i = 0; i < device->tags.count; i++)
		device->tags.list[i] = place(base, device->tags.list[i]);
}

struct leaf *
leaf_finish(struct leaf_builder *builder)
{
	size_t head = builder->count * sizeof(struct device);
	size_t start = head + (-head & (alignof(max_align_t) - 1));
	struct leaf *leaf;
	struct device *devices;

	if (builder->count == 0)
		return NULL;
	leaf = xmalloc(sizeof(*leaf) + start + builder->len);
	atomic_init(&leaf->references, 1);
	leaf->count = builder->count;
	leaf->size = start + builder->len;
	memcpy(leaf->data, builder->devices, head);
	if (builder->len > 0)
		memcpy(leaf->data + start, builder->room, builder->len);
	devices = (struct device *)(void *)leaf->data;
	for (size_t i = 0; i < leaf->count; i++)
		fix_device(&devices[i], leaf->data + start);
	builder->count = 0;
	builder->len = 0;
	return leaf;
}
