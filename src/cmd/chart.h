/*
 * chart.h -- lines over time, on a terminal and as SVG.
 */
#ifndef CMD_CHART_H
#define CMD_CHART_H

#include <stddef.h>

#include "base/error.h"

#define CHART_LINES_MAX 4

struct chart {
	const char *title;
	const char *unit; /* of the values: "per second" */
	size_t points;	  /* of every line; one per second */
	size_t lines;
	struct {
		const char *name;
		const double *value; /* points of them */
	} line[CHART_LINES_MAX];
};

/* A row of blocks for each line, 60 columns wide. */
void chart_print(const struct chart *chart);

/* The file stands alone: no script, no font, no outside address; its colours
 * follow the reader's choice of light or dark. */
int chart_write_svg(const char *path, const struct chart *chart,
    struct error *err) MUST_CHECK;

#endif
