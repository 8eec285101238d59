/*
 * config_listener.h -- the listener blocks of the configuration file.
 *
 * Part of config.c, in a file of its own for its length.
 */
#ifndef SERVER_CONFIG_LISTENER_H
#define SERVER_CONFIG_LISTENER_H

#include "server/config_reader.h"

/* What may stand in a listener block. */
extern const struct config_table config_listener_table;

/* Read "listener NAME { ... }" and add it to the configuration. */
void config_listener_read(struct config_reader *reader,
    const struct scfg_directive *directive, const struct config_table *outside);

/* Release what the listener holds, not the struct itself. */
void config_listener_clear(struct config_listener *listener);

#endif
