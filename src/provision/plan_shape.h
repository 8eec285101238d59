/*
 * plan_shape.h -- how one model's versions are spread over the listeners.
 *
 * For plan_rule.c: from the devices of a plan to segments, runs of versions of
 * one model that go to one listener, as few as can be.
 */
#ifndef PROVISION_PLAN_SHAPE_H
#define PROVISION_PLAN_SHAPE_H

#include "provision/plan_parts.h"

/* Devices of one model at one version (or several that fare alike). */
struct plan_point {
	const struct firmware *firmware;
	uint64_t allowed; /* a bit for each listener */
	size_t segment;	  /* of the model */
	size_t interval;  /* of the chain */
};

/* A run of versions of one model that go to one listener. */
struct plan_segment {
	struct firmware from; /* unless it is the first */
	size_t listener;
};

struct plan_shape {
	const struct model *model;
	bool any_version; /* some of its devices' firmware is not known */
	size_t listener;  /* of those */
	struct firmware *versions; /* of those, what they may be */
	struct plan_point *points;
	size_t point_count;
	struct plan_segment *segments; /* at least one */
	size_t segment_count;
};

/* The shapes of all models with covered devices, for plan_shapes_free(). */
struct plan_shape *
plan_shapes(const struct plan *plan, const struct plan_options *options,
    const struct knowledge *knowledge, size_t *count);
void plan_shapes_free(struct plan_shape *shapes, size_t count);

#endif
