/*
 * config_performance.h -- the block "performance" of the configuration file.
 *
 * Shared by the files that read the configuration; nobody else includes it.
 */
#ifndef SERVER_CONFIG_PERFORMANCE_H
#define SERVER_CONFIG_PERFORMANCE_H

struct config_performance;
struct config_reader;
struct config_table;
struct scfg_directive;

/* What applies when the file says nothing. */
void config_performance_default(struct config_performance *performance);

/* Read the block; outside is the table of what may stand outside of it. */
void config_performance_read(struct config_reader *reader,
    const struct scfg_directive *directive, const struct config_table *outside);

#endif
