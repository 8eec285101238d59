/*
 * The CSV of "sprov plan": however it comes in pieces, the fleet or the errors
 * are the same; a fleet holds each kind once, in order; errors have a place.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provision/plan_csv.h"
#include "provision/plan_fleet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	int rc;
	struct errors errors;
	struct plan_fleet *fleet;
	const struct plan_group *groups;
	size_t count;
};

static void
read_in_pieces(const uint8_t *data, size_t size, size_t piece,
    struct outcome *out)
{
	struct plan_csv *csv;
	int rc = 0;

	*out = (struct outcome) { .fleet = plan_fleet_new() };
	csv = plan_csv_new(out->fleet, "f", &out->errors);
	for (size_t at = 0; rc == 0 && at < size; at += piece)
		rc = plan_csv_read(csv, (const char *)data + at,
		    size - at < piece ? size - at : piece);
	out->rc = plan_csv_end(csv);
	plan_csv_free(csv);
	out->groups = plan_fleet_groups(out->fleet, &out->count);
}

static void
check(const struct outcome *out)
{
	assert((out->rc == 0) == (out->errors.count == 0));
	for (size_t i = 0; i < out->errors.kept; i++) {
		unsigned long line, column;

		assert(sscanf(out->errors.text[i], "f:%lu:%lu: ", &line,
			   &column) == 2);
		assert(line > 0 && column > 0);
	}
	for (size_t i = 0; i < out->count; i++) {
		const struct plan_group *a = &out->groups[i];
		const struct plan_group *b = &out->groups[i + 1];

		assert(a->count > 0);
		if (i + 1 == out->count)
			break;
		assert(a->model <= b->model);
		assert(a->model < b->model ||
		    (b->has_firmware &&
			(!a->has_firmware ||
			    firmware_compare(&a->firmware, &b->firmware) < 0)));
	}
}

static void
clear(struct outcome *out)
{
	errors_clear(&out->errors);
	plan_fleet_free(out->fleet);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, pieces;

	read_in_pieces(data, size, size + 1, &whole);
	read_in_pieces(data, size, 1 + size % 7, &pieces);
	check(&whole);
	assert(whole.rc == pieces.rc);
	assert(whole.errors.count == pieces.errors.count);
	for (size_t i = 0; i < whole.errors.kept; i++)
		assert(strcmp(whole.errors.text[i], pieces.errors.text[i]) ==
		    0);
	assert(whole.count == pieces.count);
	for (size_t i = 0; i < whole.count; i++)
		assert(whole.groups[i].model == pieces.groups[i].model &&
		    whole.groups[i].count == pieces.groups[i].count);
	clear(&whole);
	clear(&pieces);
	return 0;
}
