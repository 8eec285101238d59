#include "cmd/profile.h"

#include "cmd/cmd.h"
#include "cmd/profile_common.h"

int
cmd_profile(int argc, char **argv)
{
	static const struct command commands[] = {
		{ "check", "what is wrong with profiles and templates",
		    profile_check_command },
		{ "decrypt", "unpack a file that a device would read",
		    profile_decrypt },
		{ "diff", "show what would change since it was last served",
		    profile_diff },
		{ "encrypt", "pack a file as devices read it",
		    profile_encrypt },
		{ "render", "print the profile of a device", profile_render },
		{ "templates", "the built-in templates, to start with",
		    profile_templates },
		{ "rotate", "make new profile keys for devices",
		    profile_rotate },
	};

	return cmd_run("sprov profile", commands,
	    sizeof(commands) / sizeof(*commands), argc, argv);
}
