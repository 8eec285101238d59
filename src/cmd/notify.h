/*
 * notify.h -- the commands of "sprov notify".
 */
#ifndef CMD_NOTIFY_H
#define CMD_NOTIFY_H

int cmd_notify(int argc, char **argv);

#endif
