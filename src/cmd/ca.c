#include "cmd/ca.h"

#include "cmd/ca_common.h"
#include "cmd/cmd.h"

int
cmd_ca(int argc, char **argv)
{
	static const struct command commands[] = {
		{ "list", "the CAs, and how many of your devices need them",
		    ca_list },
		{ "show", "all that is known of one CA", ca_show },
		{ "which", "which CAs a model trusts, and who says so",
		    ca_which },
		{ "matrix", "every model and firmware against every CA",
		    ca_matrix_command },
		{ "claim", "your own tests, which outrank documents",
		    ca_claim },
		{ "identify",
		    "which CA signed a certificate, and who "
		    "accepts it",
		    ca_identify },
		{ "bundle",
		    "what client anchors let in, and what is "
		    "missing",
		    ca_bundle },
	};

	return cmd_run("sprov ca", commands,
	    sizeof(commands) / sizeof(*commands), argc, argv);
}
