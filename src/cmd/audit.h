/*
 * audit.h -- "sprov audit", and how the other commands are noted in the log.
 */
#ifndef CMD_AUDIT_H
#define CMD_AUDIT_H

struct admins;
struct config;
struct inventory;

int cmd_audit(int argc, char **argv);

/* Note all that this command ("device set") commits to the inventory with that
 * URI; folder (may be NULL) is where the log is of one that is no file. */
void audit_watch(struct inventory *inventory, const char *uri,
    const char *folder, const char *action);

/* The same for the accounts of the server with that configuration. */
void audit_watch_admins(struct admins *admins, const struct config *config,
    const char *action);

#endif
