/*
 * config_exception.h -- the block "exception"; for config.c.
 */
#ifndef SERVER_CONFIG_EXCEPTION_H
#define SERVER_CONFIG_EXCEPTION_H

#include "server/config_reader.h"

void config_exception_read(struct config_reader *reader,
    const struct scfg_directive *directive, const struct config_table *outside);

/* Check what depends on the rest of the file. */
void config_exceptions_check(struct config_reader *reader);

#endif
