/*
 * cert.h -- "sprov cert": the certificates that our listeners show.
 */
#ifndef CMD_CERT_H
#define CMD_CERT_H

/* As main(): argv[0] is "cert".  Returns an exit status. */
int cmd_cert(int argc, char **argv);

#endif
