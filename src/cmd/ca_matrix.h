/*
 * ca_matrix.h -- the cross-compatibility table: models that answer alike, the
 * stretches of firmware at which an answer changes, and the CAs.
 */
#ifndef CMD_CA_MATRIX_H
#define CMD_CA_MATRIX_H

#include <stdbool.h>
#include <stddef.h>

#include "spa/knowledge.h"

struct ca_fleet;

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
	size_t devices;	       /* after ca_matrix_count() */
};

/* Models of one family with the same rows. */
struct ca_block {
	const struct model **models;
	size_t model_count;
	struct ca_row *rows; /* oldest firmware first */
	size_t row_count;
	size_t devices;		 /* of all rows, after ca_matrix_count() */
	size_t firmware_unknown; /* devices that may belong to any row */
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
/* How many devices of the fleet belong to each row. */
void ca_matrix_count(struct ca_matrix *matrix, const struct ca_fleet *fleet);
void ca_matrix_clear(struct ca_matrix *matrix);

#endif
