/*
 * config_routes.h -- the directives that say what is at which path: profile,
 * common, public and report.
 *
 * Those of files are in config_files.h; both add their paths with
 * config_read_route(), config_reader.h.
 */
#ifndef SERVER_CONFIG_ROUTES_H
#define SERVER_CONFIG_ROUTES_H

#include "server/config_reader.h"

void config_read_profile(struct config_reader *reader,
    const struct scfg_directive *d);
void config_read_common(struct config_reader *reader,
    const struct scfg_directive *d);
void config_read_public(struct config_reader *reader,
    const struct scfg_directive *d);
void config_read_report(struct config_reader *reader,
    const struct scfg_directive *d);

/* Add the built-in paths when the file has no "profile". */
void config_routes_complete(struct config_reader *reader);

#endif
