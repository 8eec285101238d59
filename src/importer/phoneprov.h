/*
 * phoneprov.h -- templates of Asterisk's res_phoneprov, made into ours.
 *
 * ${VAR} becomes {{var}}, ${PP_EACH_EXTENSION(${MAC}|file)} that file once for
 * each line, ${TOUPPER(${MAC})} {{mac_upper}}.  Everything else, functions,
 * parts of values and $[expressions], has no counterpart: it is said, with its
 * place, and stands in the template as a variable that nobody sets, so that
 * such a profile is never rendered by mistake.
 * Sources: [ASTERISK], phoneprov.conf and its documentation.
 */
#ifndef IMPORTER_PHONEPROV_H
#define IMPORTER_PHONEPROV_H

#include "base/buf.h"
#include "importer/fleet.h"

#define PHONEPROV_TEMPLATE_MAX (128UL * 1024)
#define PHONEPROV_NAMES_MAX 128 /* of variables in a template */
#define PHONEPROV_DEPTH_MAX 3	/* files within files */

/* Names that the template uses, ours, of line 1 and of none. */
struct phoneprov_names {
	char names[PHONEPROV_NAMES_MAX][INVENTORY_NAME_MAX + 1];
	size_t count;
};

/* Read the text of a template by its name; *text is freed by the caller. */
typedef bool
phoneprov_load(void *arg, const char *name, char **text, size_t *len);

/* Our variable for one of phoneprov's; is_line: a line's own. */
const char *phoneprov_variable(const char *name, bool *is_line);

/*
 * Append the converted text.  name is for messages; lines is how many lines
 * the devices have at most.  -1: out is full, or the text cannot be one of ours,
 * which is said (FLEET_ERROR).
 */
int phoneprov_convert(struct fleet *fleet, const char *name, const char *text,
    size_t len, unsigned lines, phoneprov_load *load, void *arg,
    struct buf *out, struct phoneprov_names *names) MUST_CHECK;

/*
 * Append a converted template with a variable in place of each secret that
 * stands in it as text, <Admin_Passwd>1234</Admin_Passwd>: it is set among
 * variables, and named as a leak of file.  Others may read templates.
 */
int phoneprov_hide(struct fleet *fleet, struct variables *variables,
    const char *file, mode_t mode, const char *text,
    struct buf *out) MUST_CHECK;

/* "&amp;" is "&": what was written for XML where nothing escapes; the caller's
 * to free(). */
char *phoneprov_unescape(const char *text);

#endif
