/*
 * ca.h -- "sprov ca": which CA for which device, and why.
 */
#ifndef CMD_CA_H
#define CMD_CA_H

int cmd_ca(int argc, char **argv);

#endif
