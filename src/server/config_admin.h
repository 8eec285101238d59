/*
 * config_admin.h -- the block "admin" of the configuration: where people and
 * their scripts look at the server (src/admin/).
 *
 *     admin {
 *         address 127.0.0.1:8443
 *         certificate admin.crt key admin.key
 *         client-anchors people.pem
 *     }
 *
 * Only config.c includes it; struct config_admin is in config.h.
 */
#ifndef SERVER_CONFIG_ADMIN_H
#define SERVER_CONFIG_ADMIN_H

struct config;
struct config_reader;
struct scfg_directive;

void config_read_admin(struct config_reader *reader,
    const struct scfg_directive *directive);
void config_admin_clear(struct config *config);

#endif
