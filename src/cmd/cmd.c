#include "cmd/cmd.h"

#include <assert.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cmd/print.h"

#define COMMANDS_MAX 32
#define LONG_ONLY 256 /* getopt's value of option i is this plus i */
#define HELP_COLUMN 27

void
cmd_error(const char *fmt, ...)
{
	va_list ap;

	(void)fputs("sprov: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}

int
cmd_fail(const struct error *err)
{
	cmd_error("%s", err->text);
	return CMD_FAILED;
}

int
cmd_fail_all(const struct errors *errors)
{
	for (size_t i = 0; i < errors->kept; i++)
		cmd_error("%s", errors->text[i]);
	if (errors->count > errors->kept)
		cmd_error("and %zu more", errors->count - errors->kept);
	return CMD_FAILED;
}

static void
list_commands(const char *prefix, const struct command *commands, size_t count)
{
	(void)printf("usage: %s COMMAND [...]\n\n", prefix);
	for (size_t i = 0; i < count; i++)
		(void)printf("  %-10s %s\n", commands[i].name,
		    commands[i].summary);
	(void)printf("\n%s COMMAND --help says more.\n", prefix);
}

int
cmd_run(const char *prefix, const struct command *commands, size_t count,
    int argc, char **argv)
{
	const char *names[COMMANDS_MAX], *nearest;

	assert(count <= COMMANDS_MAX);
	if (argc < 2) {
		cmd_error("a command is missing; see %s --help", prefix);
		return CMD_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		list_commands(prefix, commands, count);
		return CMD_DONE;
	}
	for (size_t i = 0; i < count; i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
		names[i] = commands[i].name;
	}
	nearest = text_nearest(argv[1], names, count);
	if (nearest != NULL)
		cmd_error("\"%s\" is no command; did you mean %s %s?", argv[1],
		    prefix, nearest);
	else
		cmd_error("\"%s\" is no command; see %s --help", argv[1],
		    prefix);
	return CMD_USAGE;
}

static void
print_option(char letter, const char *name, const char *value, const char *help)
{
	char left[40];
	size_t column;

	(void)snprintf(left, sizeof(left), "%c%c%c --%s%s%s",
	    letter != '\0' ? '-' : ' ', letter != '\0' ? letter : ' ',
	    letter != '\0' ? ',' : ' ', name, value != NULL ? " " : "",
	    value != NULL ? value : "");
	/* Within 80 columns, as all that is printed. */
	(void)printf("  %s", left);
	column = 2 + strlen(left);
	if (column >= HELP_COLUMN) {
		(void)putchar('\n');
		column = 0;
	}
	(void)cmd_wrap(column, HELP_COLUMN, help);
	(void)putchar('\n');
}

static void
print_help(const struct cmd_syntax *syntax)
{
	(void)printf("usage: %s [options]%s%s\n\n%s\n", syntax->name,
	    *syntax->operands != '\0' ? " " : "", syntax->operands,
	    syntax->help);
	for (size_t i = 0; i < syntax->option_count; i++)
		print_option(syntax->options[i].letter, syntax->options[i].name,
		    syntax->options[i].value, syntax->options[i].help);
	print_option('h', "help", NULL, "show this");
}

/* What getopt_long wants; letters has room for ":" and two per option. */
static void
make_tables(const struct cmd_syntax *syntax, struct option *longs,
    char *letters)
{
	size_t i;

	*letters++ = ':';
	for (i = 0; i < syntax->option_count; i++) {
		const struct cmd_option *option = &syntax->options[i];

		longs[i] = (struct option) {
			.name = option->name,
			.has_arg = option->value != NULL,
			.val = LONG_ONLY + (int)i,
		};
		if (option->letter == '\0')
			continue;
		*letters++ = option->letter;
		if (option->value != NULL)
			*letters++ = ':';
	}
	longs[i++] = (struct option) { .name = "help", .val = 'h' };
	longs[i] = (struct option) { 0 };
	*letters++ = 'h';
	*letters = '\0';
}

/* By what getopt_long returned, or left in optopt for a known option. */
static const struct cmd_option *
find_option(const struct cmd_syntax *syntax, int value)
{
	size_t i = 0;

	if (value >= LONG_ONLY)
		return &syntax->options[value - LONG_ONLY];
	while (syntax->options[i].letter != value) {
		i++;
		assert(i < syntax->option_count);
	}
	return &syntax->options[i];
}

static int
bad_option(const struct cmd_syntax *syntax, const char *word)
{
	const char *names[CMD_OPTIONS_MAX], *nearest;
	size_t count = 0;

	if (optopt >= LONG_ONLY) {
		cmd_error("the option --%s takes no value; see %s --help",
		    find_option(syntax, optopt)->name, syntax->name);
		return CMD_USAGE;
	}
	if (optopt != 0) {
		cmd_error("unknown option -%c; see %s --help", optopt,
		    syntax->name);
		return CMD_USAGE;
	}
	for (; count < syntax->option_count; count++)
		names[count] = syntax->options[count].name;
	nearest = text_nearest(word + strspn(word, "-"), names, count);
	if (nearest != NULL)
		cmd_error("unknown option %s; did you mean --%s?", word,
		    nearest);
	else
		cmd_error("unknown option %s; see %s --help", word,
		    syntax->name);
	return CMD_USAGE;
}

static void
take_option(const struct cmd_option *option, const char *value)
{
	struct cmd_texts *texts = option->texts;

	if (option->flag != NULL) {
		*option->flag = true;
	} else if (option->text != NULL) {
		*option->text = value;
	} else {
		texts->text = xrealloc(texts->text,
		    (texts->count + 1) * sizeof(*texts->text));
		texts->text[texts->count++] = value;
	}
}

static int
check_operands(const struct cmd_syntax *syntax, int count, char **operands)
{
	if (count < syntax->operands_min) {
		cmd_error("%s is missing; see %s --help", syntax->operands,
		    syntax->name);
		return CMD_USAGE;
	}
	if (syntax->operands_max >= 0 && count > syntax->operands_max) {
		cmd_error("nothing was expected at \"%s\"; see %s --help",
		    operands[syntax->operands_max], syntax->name);
		return CMD_USAGE;
	}
	return -1;
}

int
cmd_options(const struct cmd_syntax *syntax, int argc, char **argv, int *first)
{
	struct option longs[CMD_OPTIONS_MAX + 2];
	char letters[2 * CMD_OPTIONS_MAX + 3];
	int value;

	assert(syntax->option_count <= CMD_OPTIONS_MAX);
	make_tables(syntax, longs, letters);
	optind = 0; /* glibc: begin anew, also after an earlier call */
	opterr = 0;
	while ((value = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (value == 'h') {
			print_help(syntax);
			return CMD_DONE;
		}
		if (value == '?')
			return bad_option(syntax, argv[optind - 1]);
		if (value == ':') {
			cmd_error("the option --%s needs a value; see %s "
				  "--help",
			    find_option(syntax, optopt)->name, syntax->name);
			return CMD_USAGE;
		}
		take_option(find_option(syntax, value), optarg);
	}
	*first = optind;
	return check_operands(syntax, argc - optind, argv + optind);
}

int
cmd_number(const struct cmd_syntax *syntax, const char *option,
    const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
	struct error err;

	if (text == NULL ||
	    text_parse_number(text, min, max, number, &err) == 0)
		return -1;
	cmd_error("--%s %s; see %s --help", option, err.text, syntax->name);
	return CMD_USAGE;
}
