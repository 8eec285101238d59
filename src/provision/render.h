/*
 * render.h -- a template and the inventory become a profile.
 *
 * Names a template may use: the fields mac (12 lower-case digits), mac_upper,
 * mac_colon, model, product, series, family, firmware, serial and group of the
 * device, the pieces of a rule with its key (render_key.h), and every variable
 * that it inherits (inventory.h).  Fields come first: a variable cannot shadow
 * them.  upgrade_rule is that of the device's ladder (upgrade.h), else a
 * variable as any other.  A common file knows the model's fields
 * and the variables of the model and the defaults only.
 */
#ifndef PROVISION_RENDER_H
#define PROVISION_RENDER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "spa/mask.h"

struct device;
struct model;
struct snapshot;
struct templates;

/* The operator's template for devices that have no variable "template".  Where
 * there is none of this name, each family has its starter template. */
#define RENDER_DEFAULT_TEMPLATE "device.xml"

/*
 * The device's own profile, from the template that its variable "template"
 * names, or else as above.  The result is checked (profile_check) before it is
 * returned.  Errors are for the operator, and name template and place.
 */
int render_profile(const struct templates *templates,
    const struct snapshot *snapshot, const struct device *device,
    struct buf *out, struct error *err) MUST_CHECK;

/* The same from another template than its own. */
int render_profile_as(const struct templates *templates,
    const struct snapshot *snapshot, const struct device *device,
    const char *template, struct buf *out, struct error *err) MUST_CHECK;

/* The template of that profile: borrowed from the snapshot. */
const char *render_template_name(const struct templates *templates,
    const struct snapshot *snapshot, const struct device *device);

/* As render_profile, for eyes: what is secret is masked. */
#define RENDER_MASK MASK_TEXT
int render_profile_masked(const struct templates *templates,
    const struct snapshot *snapshot, const struct device *device,
    struct buf *out, struct error *err) MUST_CHECK;

/*
 * A template filled in with what it might get, to be inspected: the fields of
 * model (NULL: of none in particular) and of an invented device, and for each
 * variable INSPECT_SAMPLE, or nothing when it is to be as if none were set.
 */
int render_sample(const struct templates *templates, const char *template,
    const struct model *model, bool filled, struct buf *out,
    struct error *err) MUST_CHECK;

/* A file for all devices of a model; model NULL: a public file. */
int render_common(const struct templates *templates,
    const struct snapshot *snapshot, const struct model *model,
    const char *template, struct buf *out, struct error *err) MUST_CHECK;

#endif
