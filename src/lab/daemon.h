/*
 * daemon.h -- the lab's server: a real "sprov serve" in a process of its own.
 */
#ifndef LAB_DAEMON_H
#define LAB_DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "inventory/admins.h"

struct lab_daemon {
	pid_t pid; /* 0: not running */
	char *config_path;
	char *log_path;
	uint16_t *port;	     /* indexed as registry_cas; 0: no listener */
	int *reserved;	     /* ditto: a socket that keeps the port; -1: none */
	uint16_t admin_port; /* 0: no admin listener */
	int admin_reserved;
};

/* Reserve free ports on 127.0.0.1 until the server is started, and write
 * directory/sprov.conf with a listener for every server CA, and where wanted
 * one for people and scripts. */
int lab_daemon_configure(struct lab_daemon *daemon, const char *directory,
    bool admin, struct error *err) MUST_CHECK;

/* LAB_ACCOUNT for the admin listener; code is for its first login. */
int lab_daemon_add_account(const char *directory,
    char code[static ADMINS_CODE_BYTES], struct error *err) MUST_CHECK;

/* Start it and wait until it says that it is ready; its log goes to
 * directory/serve.log.  On failure the error holds the log's last line. */
int lab_daemon_start(struct lab_daemon *daemon, const char *directory,
    struct error *err) MUST_CHECK;

/* SIGTERM and wait; -1 when it did not end in order (status not 0). */
int lab_daemon_stop(struct lab_daemon *daemon, struct error *err) MUST_CHECK;

/* Forget it without stopping it, and free what the struct holds. */
void lab_daemon_clear(struct lab_daemon *daemon);

#endif
