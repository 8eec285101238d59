/*
 * spc_text.h -- the plain text that the profile compiler (SPC) reads.
 *
 *     # a comment
 *     Profile_Rule "/spa$MA.cfg" ;     users may not see it
 *     Dial_Plan[1] ! "(xx.)" ;         users may change it
 *     Display_Name[1] ? "Hall" ;       users may read it
 *     Proxy[1] ! ;                     its value stays as it is
 *     import base.txt                  another file, here
 *
 * The list is that of flat_profile.h, with the names as XML spells them:
 * "Dial_Plan[1]" is "Dial_Plan_1_".  A value ends at the next quote; there is
 * no way to put one into it (ASSUMED: no book tells of one).  Text that is no
 * UTF-8 is read as ISO-8859-1, as SPA9x2 phones do.
 * Sources: [SIPURA-AG] p. 22; [LINKSYS-PROV] p. 34; [WAZO].
 */
#ifndef SPA_SPC_TEXT_H
#define SPA_SPC_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "spa/flat_profile.h"

#define SPC_IMPORT_DEPTH_MAX 8 /* "several files deep" [SIPURA-AG] p. 22 */
#define SPC_IMPORTS_MAX 64     /* in all */
#define SPC_BYTES_MAX (4UL * 1024 * 1024)

/* Find the text of a file to import: *text is freed by the reader. */
typedef int spc_import(void *arg, const char *name, char **text, size_t *len,
    struct error *err);

/*
 * Read it.  ERROR_INPUT with "line:column: ..." (of an imported file: with its
 * name before that), also past the limits of flat_profile.h.  import NULL:
 * such a directive is refused.
 */
struct flat_profile *
spc_text_read(const char *text, size_t len, spc_import *import, void *arg,
    struct error *err) MUST_CHECK FREED_BY(flat_profile_free);

/*
 * Append the parameters that count.  ERROR_INPUT when out is full, or for what
 * this form cannot say: a quote in a value, a router-configuration.  out is
 * then as it was.
 */
int spc_text_write(const struct flat_profile *profile, struct buf *out,
    struct error *err) MUST_CHECK;

#endif
