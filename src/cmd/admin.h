/*
 * admin.h -- the commands of "sprov admin": who may use the admin listener.
 */
#ifndef CMD_ADMIN_H
#define CMD_ADMIN_H

int cmd_admin(int argc, char **argv);

#endif
