#include "provision/shape.h"
#include "base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct proven {
	size_t number;
	struct shape shape;
};

/* Entries below count never change; only who holds busy adds one. */
struct shapes {
	atomic_flag busy;
	atomic_size_t count;
	struct proven list[SHAPES_MAX];
};

void
shape_decide(struct shape *shape, bool shown)
{
	if (shape->count == SHAPE_SECTIONS_MAX) {
		shape->is_loose = true;
		return;
	}
	if (shown)
		shape->shown[shape->count / 8] |= (uint8_t)(1U
		    << (shape->count % 8));
	shape->count++;
}

bool
shape_is_plain(const char *value)
{
	for (; *value != '\0'; value++)
		if ((*value < 0x20 || *value > 0x7e) && *value != '\t' &&
		    *value != '\n' && *value != '\r')
			return false;
	return true;
}

void
shapes_free(struct shapes *shapes)
{
	free(shapes);
}

struct shapes *
shapes_new(void)
{
	struct shapes *shapes = xcalloc(1, sizeof(*shapes));

	atomic_flag_clear(&shapes->busy);
	atomic_init(&shapes->count, 0);
	return shapes;
}

static bool
is_same(const struct proven *proven, size_t number, const struct shape *shape)
{
	return proven->number == number &&
	    proven->shape.count == shape->count &&
	    memcmp(proven->shape.shown, shape->shown, (shape->count + 7) / 8) ==
	    0;
}

bool
shapes_has(const struct shapes *shapes, size_t number,
    const struct shape *shape)
{
	size_t count = atomic_load_explicit(&shapes->count,
	    memory_order_acquire);

	for (size_t i = 0; !shape->is_loose && i < count; i++)
		if (is_same(&shapes->list[i], number, shape))
			return true;
	return false;
}

void
shapes_add(struct shapes *shapes, size_t number, const struct shape *shape)
{
	size_t count;

	if (shape->is_loose || atomic_flag_test_and_set(&shapes->busy))
		return;
	count = atomic_load_explicit(&shapes->count, memory_order_relaxed);
	if (count < SHAPES_MAX && !shapes_has(shapes, number, shape)) {
		shapes->list[count].number = number;
		shapes->list[count].shape = *shape;
		atomic_store_explicit(&shapes->count, count + 1,
		    memory_order_release);
	}
	atomic_flag_clear(&shapes->busy);
}
