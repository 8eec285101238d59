/*
 * cmd.h -- what all subcommands share: tables of commands, options over
 * getopt_long, exit statuses, and errors on standard error.
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum cmd_status {
	CMD_DONE = 0,
	CMD_FAILED = 1,
	CMD_USAGE = 2,
	CMD_PROBLEM = 3, /* it worked, and found something wrong */
};

struct command {
	const char *name;
	const char *summary; /* a few words for the list of commands */
	int (*run)(int argc, char **argv);
};

/*
 * Run the command that argv[1] names with its part of argv; prefix is what
 * stands before it ("sprov device").  "--help" lists the commands.
 */
int cmd_run(const char *prefix, const struct command *commands, size_t count,
    int argc, char **argv);

/* "sprov: ...", with a newline added, on standard error. */
void cmd_error(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* The error, or all of them, on standard error; always CMD_FAILED. */
int cmd_fail(const struct error *err);
int cmd_fail_all(const struct errors *errors);

/* An option that may be given several times. */
struct cmd_texts {
	const char **text; /* the caller free()s the list */
	size_t count;
};

struct cmd_option {
	const char *name;  /* "inventory" */
	char letter;	   /* 'i', or '\0' */
	const char *value; /* what help calls the value; NULL: it has none */
	const char *help;
	/* Where it goes: one of the three. */
	bool *flag;
	const char **text;
	struct cmd_texts *texts;
};

#define CMD_OPTIONS_MAX 48

struct cmd_syntax {
	const char *name;     /* "sprov device add" */
	const char *operands; /* "MAC MODEL [NAME=VALUE...]" */
	const char *help;     /* lines of text, with newlines */
	const struct cmd_option *options;
	size_t option_count;
	int operands_min, operands_max; /* max -1: any number */
};

/*
 * Read the options ("--help" too) and count the operands, which are then
 * argv[*first] to argv[argc - 1].  Returns -1 to go on; otherwise the exit
 * status to end with: all is said already.
 */
int cmd_options(const struct cmd_syntax *syntax, int argc, char **argv,
    int *first) MUST_CHECK;

/*
 * A number that an option had: text (NULL leaves *number as it is), min..max.
 * -1 to go on; otherwise all is said, and the exit status is returned.
 */
int cmd_number(const struct cmd_syntax *syntax, const char *option,
    const char *text, uint64_t min, uint64_t max, uint64_t *number) MUST_CHECK;

/* The other subcommands. */
int cmd_check(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_lab(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_migrate(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_simulate(int argc, char **argv);

#endif
