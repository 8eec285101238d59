/*
 * histogram.h -- how values are spread, in little memory and at any size.
 *
 * Values fall into classes that are at most 1/32 wide (3 %) of what they hold;
 * percentiles are read from the classes.  Values below 64 are exact.
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_CLASSES 2048 /* up to about 2^68 */

struct histogram {
	uint64_t count, sum, max;
	uint64_t classes[HISTOGRAM_CLASSES];
};

void histogram_add(struct histogram *histogram, uint64_t value);

/* The value that percent (0 to 100) of all do not pass; 0 when there is none. */
uint64_t
histogram_percentile(const struct histogram *histogram, double percent);

#endif
