/*
 * template.h -- templates in Mustache syntax, rendered into profiles.
 *
 *     {{name}}              the value, XML-escaped (& < > " ')
 *     {{{name}}} {{&name}}  the value as it is
 *     {{#name}}...{{/name}} shown when the value is set, not empty, not "0",
 *                           not "no" and not "false" (in any case)
 *     {{^name}}...{{/name}} shown otherwise
 *     {{>file.xml}}         another template of the set
 *     {{! comment }}        nothing; {{=<% %>=}} other delimiters
 *
 * A tag of section, comment or delimiters that stands alone on its line takes
 * the line with it.  A name that is not set is an error, except in sections.
 * Names are letters, digits, '_', '-' and '.', not first a digit; those of
 * partials may begin with a digit and hold '/'.
 * Values are text, never templates.  Device macros ($MA, $PN) are not touched.
 * Source: mustache(5).
 */
#ifndef PROVISION_TEMPLATE_H
#define PROVISION_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

#define TEMPLATE_TEXT_MAX (256 * 1024)
#define TEMPLATE_DEPTH_MAX 8 /* sections within sections, and partials */
#define TEMPLATE_NAME_MAX 63

struct templates; /* a set of parsed templates */

void templates_free(struct templates *templates);
struct templates *templates_new(void) MUST_CHECK FREED_BY(templates_free);

/* Parse and keep one; errors are "name:line:column: ...".  A name may be added
 * once. */
int templates_add(struct templates *templates, const char *name,
    const char *text, size_t len, struct error *err) MUST_CHECK;

/* After the last templates_add: does every partial exist, and without circle?
 */
int templates_check(const struct templates *templates,
    struct errors *errors) MUST_CHECK;

/* The ladders that {{upgrade_rule}} is made from go with the set; taken. */
struct ladders;
void
templates_give_ladders(struct templates *templates, struct ladders *ladders);
const struct ladders *templates_ladders(const struct templates *templates);

bool templates_has(const struct templates *templates, const char *name);

/* The value of a name, or NULL when it is not set; borrowed while rendering. */
typedef const char *template_lookup(void *arg, const char *name);

/*
 * Append the rendered template.  ERROR_NOT_FOUND: no such template, or a name
 * without value ("name:line:column: ..."); ERROR_INPUT: out is full, or the
 * rendering too long.  out is then as it was.
 */
int templates_render(const struct templates *templates, const char *name,
    template_lookup *lookup, void *arg, struct buf *out,
    struct error *err) MUST_CHECK;

/* As templates_render, and the result is a profile: as profile_check() has it,
 * which is asked only where it is not certain (shape.h). */
int templates_render_profile(const struct templates *templates,
    const char *name, template_lookup *lookup, void *arg, struct buf *out,
    struct error *err) MUST_CHECK;

#endif
