#include "cmd/ca_matrix.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/ca_fleet.h"

/* Between two versions: just before one (0) or just after it (1). */
struct cut {
	struct firmware firmware;
	int side;
};

struct spans {
	struct knowledge_span *list;
	size_t count, at;
};

static int
compare_cuts(const void *left, const void *right)
{
	const struct cut *a = left, *b = right;
	int order = firmware_compare(&a->firmware, &b->firmware);

	return order != 0 ? order : a->side - b->side;
}

static struct cut
start_of(const struct knowledge_span *span)
{
	return (struct cut) { span->from, span->from_exclusive };
}

/* Where any answer changes, in order and each once. */
static struct cut *
find_cuts(const struct spans *spans, size_t ca_count, size_t *count)
{
	struct cut *cuts = NULL;
	size_t n = 0, kept = 0;

	for (size_t c = 0; c < ca_count; c++) {
		for (size_t i = 1; i < spans[c].count; i++) {
			cuts = xrealloc(cuts, (n + 1) * sizeof(*cuts));
			cuts[n++] = start_of(&spans[c].list[i]);
		}
	}
	if (n > 0)
		qsort(cuts, n, sizeof(*cuts), compare_cuts);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || compare_cuts(&cuts[kept - 1], &cuts[i]) != 0)
			cuts[kept++] = cuts[i];
	*count = kept;
	return cuts;
}

static struct ca_cell
cell_of(const struct knowledge_span *span)
{
	const struct trust *trust = &span->trust;

	return (struct ca_cell) {
		.verdict = trust->verdict,
		.sure = trust->decided_by != NULL &&
		    trust->decided_by->confidence == CONFIDENCE_HIGH,
		.contradicted = trust->contradiction_count > 0,
	};
}

static void
fill_row(const struct ca_matrix *matrix, struct ca_row *row,
    struct spans *spans, const struct cut *from, const struct cut *to)
{
	row->cells = xcalloc(matrix->ca_count, sizeof(*row->cells));
	if (from != NULL) {
		row->range.has_from = true;
		row->range.from = from->firmware;
		row->range.from_exclusive = from->side == 1;
	}
	if (to != NULL) {
		row->range.has_to = true;
		row->range.to = to->firmware;
		row->range.to_exclusive = to->side == 0;
	}
	for (size_t c = 0; c < matrix->ca_count; c++) {
		struct spans *of = &spans[c];

		if (from != NULL && of->at + 1 < of->count) {
			struct cut next = start_of(&of->list[of->at + 1]);

			of->at += compare_cuts(&next, from) == 0;
		}
		row->cells[c] = cell_of(&of->list[of->at]);
	}
}

static void
make_block(const struct ca_matrix *matrix, const struct knowledge *knowledge,
    const struct model *model, struct ca_block *block)
{
	struct spans *spans = xcalloc(matrix->ca_count, sizeof(*spans));
	struct cut *cuts;
	size_t count;

	for (size_t c = 0; c < matrix->ca_count; c++)
		spans[c].list = knowledge_spans(knowledge, model,
		    matrix->cas[c], &spans[c].count);
	cuts = find_cuts(spans, matrix->ca_count, &count);
	block->models = xcalloc(1, sizeof(*block->models));
	block->models[block->model_count++] = model;
	block->row_count = count + 1;
	block->rows = xcalloc(block->row_count, sizeof(*block->rows));
	for (size_t i = 0; i <= count; i++)
		fill_row(matrix, &block->rows[i], spans,
		    i == 0 ? NULL : &cuts[i - 1], i == count ? NULL : &cuts[i]);
	for (size_t c = 0; c < matrix->ca_count; c++)
		free(spans[c].list);
	free(spans);
	free(cuts);
}

static void
block_clear(struct ca_block *block)
{
	for (size_t i = 0; i < block->row_count; i++)
		free(block->rows[i].cells);
	free(block->rows);
	free(block->models);
}

static bool
same_cell(const struct ca_cell *a, const struct ca_cell *b)
{
	return a->verdict == b->verdict && a->sure == b->sure &&
	    a->contradicted == b->contradicted;
}

static bool
same_rows(const struct ca_matrix *matrix, const struct ca_block *a,
    const struct ca_block *b)
{
	if (strcmp(a->models[0]->family, b->models[0]->family) != 0 ||
	    a->row_count != b->row_count)
		return false;
	for (size_t i = 0; i < a->row_count; i++) {
		char one[KNOWLEDGE_RANGE_BYTES], other[KNOWLEDGE_RANGE_BYTES];

		knowledge_range_text(&a->rows[i].range, one);
		knowledge_range_text(&b->rows[i].range, other);
		if (strcmp(one, other) != 0)
			return false;
		for (size_t c = 0; c < matrix->ca_count; c++)
			if (!same_cell(&a->rows[i].cells[c],
				&b->rows[i].cells[c]))
				return false;
	}
	return true;
}

/* To the block that it is like, or as one more. */
static void
add_block(struct ca_matrix *matrix, struct ca_block *block)
{
	for (size_t i = 0; i < matrix->block_count; i++) {
		struct ca_block *like = &matrix->blocks[i];

		if (!same_rows(matrix, like, block))
			continue;
		like->models = xrealloc(like->models,
		    (like->model_count + 1) * sizeof(*like->models));
		like->models[like->model_count++] = block->models[0];
		block_clear(block);
		return;
	}
	matrix->blocks = xrealloc(matrix->blocks,
	    (matrix->block_count + 1) * sizeof(*matrix->blocks));
	matrix->blocks[matrix->block_count++] = *block;
}

void
ca_matrix_make(struct ca_matrix *matrix, const struct knowledge *knowledge,
    const char *family)
{
	*matrix = (struct ca_matrix) { 0 };
	matrix->cas = xcalloc(registry_ca_count, sizeof(*matrix->cas));
	for (size_t i = 0; i < registry_ca_count; i++)
		if (registry_is_server_ca(&registry_cas[i]))
			matrix->cas[matrix->ca_count++] = &registry_cas[i];
	for (size_t i = 0; i < registry_model_count; i++) {
		struct ca_block block = { 0 };

		if (family != NULL &&
		    strcmp(registry_models[i].family, family) != 0)
			continue;
		make_block(matrix, knowledge, &registry_models[i], &block);
		add_block(matrix, &block);
	}
}

static void
count_block(struct ca_block *block, const struct ca_fleet *fleet)
{
	for (size_t m = 0; m < block->model_count; m++) {
		const struct model *model = block->models[m];

		block->firmware_unknown += ca_fleet_within(fleet, model, NULL);
		for (size_t i = 0; i < block->row_count; i++)
			block->rows[i].devices += ca_fleet_within(fleet, model,
			    &block->rows[i].range);
	}
	if (block->row_count == 1) {
		block->rows[0].devices += block->firmware_unknown;
		block->firmware_unknown = 0;
	}
	block->devices = block->firmware_unknown;
	for (size_t i = 0; i < block->row_count; i++)
		block->devices += block->rows[i].devices;
}

void
ca_matrix_count(struct ca_matrix *matrix, const struct ca_fleet *fleet)
{
	for (size_t b = 0; b < matrix->block_count; b++)
		count_block(&matrix->blocks[b], fleet);
}

void
ca_matrix_clear(struct ca_matrix *matrix)
{
	for (size_t i = 0; i < matrix->block_count; i++)
		block_clear(&matrix->blocks[i]);
	free(matrix->blocks);
	free(matrix->cas);
	*matrix = (struct ca_matrix) { 0 };
}
