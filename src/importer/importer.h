/*
 * importer.h -- what other provisioning systems keep, read into a fleet.
 *
 * Each format is a row of a table.  A reader opens the path that it is given
 * (a file, or a folder), fills the fleet, and says what it could not take and
 * which files show passwords today.  Nothing is written.
 */
#ifndef IMPORTER_IMPORTER_H
#define IMPORTER_IMPORTER_H

#include <stddef.h>

#include "importer/fleet.h"

#define IMPORTER_FILE_MAX (256UL * 1024 * 1024)

struct importer_options {
	const struct model *model; /* of devices whose model is not told */
	const char *group; /* of devices that are in none; may be NULL */
};

struct importer {
	const char *name; /* "fusionpbx" */
	const char *reads;
	void (*read)(struct fleet *fleet, const char *path,
	    const struct importer_options *options);
};

extern const struct importer importers[];
extern const size_t importer_count;

/* NULL: no such format. */
const struct importer *importer_find(const char *name);

/* The readers. */
void import_export(struct fleet *fleet, const char *path,
    const struct importer_options *options);
void import_fusionpbx(struct fleet *fleet, const char *path,
    const struct importer_options *options);
void import_wazo(struct fleet *fleet, const char *path,
    const struct importer_options *options);
void import_phoneprov(struct fleet *fleet, const char *path,
    const struct importer_options *options);
void import_tree(struct fleet *fleet, const char *path,
    const struct importer_options *options);

/* The same from bytes, as the tests of bad input use them. */
void import_export_text(struct fleet *fleet, const char *name, mode_t mode,
    const char *text, size_t len, const struct importer_options *options);
void import_fusionpbx_text(struct fleet *fleet, const char *name, mode_t mode,
    const char *text, size_t len, const struct importer_options *options);
void import_wazo_text(struct fleet *fleet, const char *name, mode_t mode,
    const char *text, size_t len, const struct importer_options *options);

/*
 * Read a regular file of at most max bytes with its mode (stat(2)); the caller
 * free()s the text.  A failure is said (FLEET_ERROR), and gives false.
 */
bool importer_read_file(struct fleet *fleet, const char *path, size_t max,
    char **text, size_t *len, mode_t *mode) MUST_CHECK;

/*
 * Put the device into the group of the options when it is in none, and see to
 * it that it has a model: that of the options when none is known.  False, and
 * said, when there is none.
 */
bool importer_finish_device(struct fleet *fleet, struct device *device,
    const struct importer_options *options, const char *place);

#endif
