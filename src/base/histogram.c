#include "base/histogram.h"

#define EXACT 64 /* values below have a class each */
#define HALF (EXACT / 2)

/*
 * From EXACT on, a value's class is told by its highest bit and the five bits
 * after it.
 */
static unsigned
class_of(uint64_t value)
{
	unsigned shift;

	if (value < EXACT)
		return (unsigned)value;
	shift = 63U - (unsigned)__builtin_clzll(value) - 5U;
	return shift * HALF + (unsigned)(value >> shift);
}

/* The middle of a class. */
static uint64_t
value_of(unsigned class)
{
	unsigned shift;

	if (class < EXACT)
		return class;
	shift = class / HALF - 1;
	return ((uint64_t)(class % HALF + HALF) << shift) + (1ULL << shift) / 2;
}

void
histogram_add(struct histogram *histogram, uint64_t value)
{
	histogram->count++;
	histogram->sum += value;
	if (value > histogram->max)
		histogram->max = value;
	histogram->classes[class_of(value)]++;
}

uint64_t
histogram_percentile(const struct histogram *histogram, double percent)
{
	double wanted = percent / 100 * (double)histogram->count;
	uint64_t seen = 0, value;

	if (histogram->count == 0)
		return 0;
	for (unsigned i = 0; i < HISTOGRAM_CLASSES; i++) {
		seen += histogram->classes[i];
		if (seen > 0 && (double)seen >= wanted) {
			value = value_of(i);
			return value < histogram->max ? value : histogram->max;
		}
	}
	return histogram->max;
}
