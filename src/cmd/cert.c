#include "cmd/cert.h"

#include "cmd/cert_common.h"
#include "cmd/cmd.h"

int
cmd_cert(int argc, char **argv)
{
	static const struct command commands[] = {
		{ "import", "check a signed certificate and install it",
		    cert_import },
		{ "rollback", "go back to the certificate before",
		    cert_rollback },
		{ "list", "list the certificates that are installed",
		    cert_list },
		{ "check", "say what a certificate is worth, and when it ends",
		    cert_check },
		{ "status", "look at the certificates of all listeners",
		    cert_status },
	};

	return cmd_run("sprov cert", commands,
	    sizeof(commands) / sizeof(*commands), argc, argv);
}
