/*
 * config_files.h -- the directives of files, firmware and TFTP; for config.c.
 */
#ifndef SERVER_CONFIG_FILES_H
#define SERVER_CONFIG_FILES_H

#include "server/config_reader.h"

void config_read_public_file(struct config_reader *reader,
    const struct scfg_directive *directive);
void config_read_own_profile(struct config_reader *reader,
    const struct scfg_directive *directive);
void config_read_firmware(struct config_reader *reader,
    const struct scfg_directive *directive);
void config_read_ladder(struct config_reader *reader,
    const struct scfg_directive *directive);
void config_read_tftp(struct config_reader *reader,
    const struct scfg_directive *directive);

/* Fill in what has a default, once all is read. */
void config_files_complete(struct config_reader *reader);

/* Release all of the above. */
void config_files_clear(struct config *config);

#endif
