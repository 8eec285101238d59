/*
 * ca_matrix.h -- the cross-compatibility table: models that answer alike, the
 * stretches of firmware at which an answer changes, and the CAs.
 */
#ifndef CMD_CA_MATRIX_H
#define CMD_CA_MATRIX_H

#include <stdbool.h>
#include <stddef.h>

#include "spa/knowledge.h"

struct ca_cell {
	enum verdict verdict;
	bool sure; /* confidence high */
	bool contradicted;
};

/* Versions next to each other with the same answers about every CA; trust and
 * also of the range are not set. */
struct ca_row {
	struct knowledge_span range;
	struct ca_cell *cells; /* of each CA of the matrix */
};

/* Models of one family with the same rows. */
struct ca_block {
	const struct model **models;
	size_t model_count;
	struct ca_row *rows; /* oldest firmware first */
	size_t row_count;
};

struct ca_matrix {
	const struct ca **cas; /* the server CAs */
	size_t ca_count;
	struct ca_block *blocks; /* in the order of the registry's models */
	size_t block_count;
};

/* family NULL: all. */
void ca_matrix_make(struct ca_matrix *matrix, const struct knowledge *knowledge,
    const char *family);
void ca_matrix_clear(struct ca_matrix *matrix);

#endif
