/*
 * shape.h -- which way a rendering went, and ways that are proven.
 *
 * A template of 500 parameters takes the XML parser ten times as long as
 * filling it in.  But which sections were shown decides what the text is, up to
 * the values; and where a value stands in text or in an attribute, no value
 * that is escaped can break it.  So a way that was parsed once, with values
 * that break everything but text and attributes, need not be parsed again.
 *
 * Sets of proven ways may be asked and added to by all threads at once.
 */
#ifndef PROVISION_SHAPE_H
#define PROVISION_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SHAPE_SECTIONS_MAX 512 /* decided in one rendering; more: not exact */
#define SHAPES_MAX 256	       /* in one set; more: parsed each time */

struct shape {
	size_t count;  /* sections that were decided */
	bool is_loose; /* a value as it is, or one beyond ASCII, or too many
			* sections: it proves nothing */
	uint8_t shown[SHAPE_SECTIONS_MAX / 8]; /* a bit each, in their order */
};

/*
 * Escaped, it stays well-formed in text and in attributes; anywhere else, in
 * names, comments and the XML declaration, it does not (XML 1.0, 2.3 to 2.8).
 */
#define SHAPE_HOSTILE " -- x'\"<>&]]> \xc3\xa9 \xf0\x9f\x93\x9e"

void shape_decide(struct shape *shape, bool shown);

/* Printable ASCII, blanks and newlines: what every encoding of XML has. */
bool shape_is_plain(const char *value);

struct shapes;
void shapes_free(struct shapes *shapes);
struct shapes *shapes_new(void) MUST_CHECK FREED_BY(shapes_free);

/* number: of the template that the rendering began with. */
bool shapes_has(const struct shapes *shapes, size_t number,
    const struct shape *shape);
/* Without effect when the set is full, or another thread is adding. */
void
shapes_add(struct shapes *shapes, size_t number, const struct shape *shape);

#endif
