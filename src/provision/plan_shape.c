#include "provision/plan_shape.h"
#include "base/mem.h"

#include <stdlib.h>

/* What is needed on the way. */
struct work {
	const struct plan *plan;
	const struct plan_options *options;
	const struct knowledge *knowledge;
	struct plan_shape *shapes;
	size_t shape_count;
};

static bool
accepts(const struct work *work, const struct model *model,
    const struct firmware *firmware, size_t listener)
{
	return plan_expect(work->options, work->knowledge, model, firmware,
		   work->plan->listeners[listener].ca, NULL) == PLAN_ACCEPTS;
}

/* --------------------------------------------------------- the devices */

static struct plan_shape *
shape_of(struct work *work, const struct model *model)
{
	struct plan_shape *shape;

	for (size_t i = 0; i < work->shape_count; i++)
		if (work->shapes[i].model == model)
			return &work->shapes[i];
	shape = &work->shapes[work->shape_count++];
	shape->model = model;
	return shape;
}

static void
add_point(struct plan_shape *shape, const struct firmware *firmware,
    uint64_t allowed)
{
	shape->points = xrealloc(shape->points,
	    (shape->point_count + 1) * sizeof(*shape->points));
	shape->points[shape->point_count++] = (struct plan_point) {
		.firmware = firmware, .allowed = allowed
	};
}

/* Devices whose version is not known may be of any: at each, a listener that
 * is accepted there. */
static void
add_possible_points(const struct work *work, struct plan_shape *shape)
{
	size_t count;

	shape->versions = xcalloc(PLAN_VERSIONS_MAX, sizeof(*shape->versions));
	count = plan_versions(shape->model, shape->versions, PLAN_VERSIONS_MAX);
	for (size_t i = 0; i < count; i++) {
		uint64_t allowed = 0;

		for (size_t j = 0; j < work->plan->listener_count; j++)
			if (accepts(work, shape->model, &shape->versions[i], j))
				allowed |= UINT64_C(1) << j;
		if (allowed != 0)
			add_point(shape, &shape->versions[i], allowed);
	}
}

static int
compare_points(const void *one, const void *other)
{
	const struct plan_point *a = one, *b = other;

	return firmware_compare(a->firmware, b->firmware);
}

static void
collect_shapes(struct work *work)
{
	const struct plan *plan = work->plan;

	work->shapes = xcalloc(registry_model_count, sizeof(*work->shapes));
	for (size_t i = 0; i < plan->assignment_count; i++) {
		const struct plan_assignment *one = &plan->assignments[i];
		struct plan_shape *shape;

		if (one->listener == PLAN_LEFT_OUT)
			continue;
		shape = shape_of(work, one->group->model);
		if (one->group->has_firmware) {
			add_point(shape, &one->group->firmware,
			    UINT64_C(1) << one->listener);
		} else {
			shape->any_version = true;
			shape->listener = one->listener;
			add_possible_points(work, shape);
		}
	}
	for (size_t i = 0; i < work->shape_count; i++)
		if (work->shapes[i].point_count > 0)
			qsort(work->shapes[i].points,
			    work->shapes[i].point_count,
			    sizeof(*work->shapes[i].points), compare_points);
}

/* ------------------------------------------------------------ segments */

/*
 * Where devices begin to go to the listener: at the version to, or already at
 * an earlier one after from, when all in between that the registry knows
 * accept it.
 */
static struct firmware
find_cut(const struct work *work, const struct model *model,
    const struct firmware *from, const struct firmware *to, size_t listener)
{
	struct firmware list[PLAN_VERSIONS_MAX], cut = *to;
	size_t count = plan_versions(model, list, PLAN_VERSIONS_MAX);

	while (count-- > 0) {
		if (firmware_compare(&list[count], to) > 0)
			continue;
		if (firmware_compare(&list[count], from) <= 0 ||
		    !accepts(work, model, &list[count], listener))
			break;
		cut = list[count];
	}
	return cut;
}

/* Of what all devices of a segment accept: the listener of those whose version
 * is not known, when it is among them, else the best. */
static size_t
choose(const struct plan_shape *shape, uint64_t allowed)
{
	if (shape->any_version &&
	    (allowed & (UINT64_C(1) << shape->listener)) != 0)
		return shape->listener;
	return (size_t)__builtin_ctzll(allowed);
}

/* The segment whose lowest point is that one; segments come from the highest
 * version down. */
static void
close_segment(const struct work *work, struct plan_shape *shape, size_t lowest,
    uint64_t allowed)
{
	struct plan_segment segment = { .listener = choose(shape, allowed) };

	if (lowest > 0)
		segment.from = find_cut(work, shape->model,
		    shape->points[lowest - 1].firmware,
		    shape->points[lowest].firmware, segment.listener);
	shape->segments = xrealloc(shape->segments,
	    (shape->segment_count + 1) * sizeof(segment));
	shape->segments[shape->segment_count++] = segment;
}

static void
reverse_segments(struct plan_shape *shape)
{
	size_t count = shape->segment_count;

	for (size_t i = 0; i < count / 2; i++) {
		struct plan_segment swapped = shape->segments[i];

		shape->segments[i] = shape->segments[count - 1 - i];
		shape->segments[count - 1 - i] = swapped;
	}
	for (size_t i = 0; i < shape->point_count; i++)
		shape->points[i].segment = count - 1 - shape->points[i].segment;
}

/*
 * As few segments as can be: each goes on while one listener suits all.  From
 * the highest version down, so that newer CAs serve as many versions as they
 * can.
 */
static void
cut_shape(const struct work *work, struct plan_shape *shape)
{
	uint64_t allowed = UINT64_MAX;

	if (shape->point_count == 0)
		allowed = UINT64_C(1) << shape->listener;
	for (size_t i = shape->point_count; i-- > 0;) {
		struct plan_point *point = &shape->points[i];

		if ((allowed & point->allowed) == 0) {
			close_segment(work, shape, i + 1, allowed);
			allowed = UINT64_MAX;
		}
		allowed &= point->allowed;
		point->segment = shape->segment_count;
	}
	close_segment(work, shape, 0, allowed);
	reverse_segments(shape);
}

struct plan_shape *
plan_shapes(const struct plan *plan, const struct plan_options *options,
    const struct knowledge *knowledge, size_t *count)
{
	struct work work = {
		.plan = plan, .options = options, .knowledge = knowledge
	};

	collect_shapes(&work);
	for (size_t i = 0; i < work.shape_count; i++)
		cut_shape(&work, &work.shapes[i]);
	*count = work.shape_count;
	return work.shapes;
}

void
plan_shapes_free(struct plan_shape *shapes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(shapes[i].versions);
		free(shapes[i].points);
		free(shapes[i].segments);
	}
	free(shapes);
}
