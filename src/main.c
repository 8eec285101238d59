/*
 * main.c -- the table of subcommands, nothing else.
 */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "cmd/admin.h"
#include "cmd/audit.h"
#include "cmd/ca.h"
#include "cmd/cert.h"
#include "cmd/cmd.h"
#include "cmd/csr.h"
#include "cmd/device.h"
#include "cmd/firmware.h"
#include "cmd/notify.h"
#include "cmd/profile.h"

static const struct command commands[] = {
	{ "lab", "try the whole job on this machine, nothing to configure",
	    cmd_lab },
	{ "serve", "provision devices over mutual TLS", cmd_serve },
	{ "ca", "which CA for which device, and why", cmd_ca },
	{ "csr", "make a key and a request for the signing portal", cmd_csr },
	{ "cert", "certificates: import, roll back, list, check", cmd_cert },
	{ "device", "the devices that are provisioned", cmd_device },
	{ "profile", "what each device gets", cmd_profile },
	{ "firmware", "images, and the way from one to the next",
	    cmd_firmware },
	{ "plan", "the fewest CAs, listeners and rules for the fleet",
	    cmd_plan },
	{ "migrate", "move devices from one CA's listener to another's",
	    cmd_migrate },
	{ "check", "which devices a server, of ours or not, would provision",
	    cmd_check },
	{ "doctor", "what fails, why, and what to do", cmd_doctor },
	{ "admin", "who may use the API and the dashboard", cmd_admin },
	{ "audit", "who changed what", cmd_audit },
	{ "notify", "try whom the server tells what it notices", cmd_notify },
	{ "simulate", "be a device for one resync, and say what it did",
	    cmd_simulate },
};

int
main(int argc, char **argv)
{
	int status;

	/* For the widths of names in tables; nothing else depends on it. */
	(void)setlocale(LC_CTYPE, "");
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)puts("sprov " SPROV_VERSION);
		status = CMD_DONE;
	} else {
		status = cmd_run("sprov", commands,
		    sizeof(commands) / sizeof(*commands), argc, argv);
	}
	/* A full disk must not look like success. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		cmd_error("standard output could not be written");
		return CMD_FAILED;
	}
	return status;
}
