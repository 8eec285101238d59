/*
 * The operator's own tests, in a file in the form of the registry's claims.
 *
 * The file is locked while it is changed and replaced as a whole, so that
 * readers see it before or after.
 */
#include "cmd/ca_common.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libsmartcols/libsmartcols.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/print.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define NOTE_MAX 200 /* bytes */
#define DEFAULT_NOTE "tried here"
#define SOURCE_WORDS "own test "

/* ------------------------------------------------------------- the file */

struct claim_file {
	char *path;
	int lock; /* descriptor of "PATH.lock" */
	char *text;
	size_t len;
	struct knowledge *knowledge; /* with what is in the file */
};

static void
claim_file_close(struct claim_file *file)
{
	if (file->lock >= 0)
		(void)close(file->lock);
	knowledge_free(file->knowledge);
	free(file->text);
	free(file->path);
}

/* Only writers lock: a file that is not there and not to be made has none. */
static int
lock_file(struct claim_file *file, struct error *err)
{
	char *path = xasprintf("%s.lock", file->path);
	int rc = 0;

	file->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    0644);
	if (file->lock < 0 || flock(file->lock, LOCK_EX) != 0) {
		int reason = errno;
		char *folder = file_directory(file->path);

		errno = reason;
		rc = error_errno(err, "%s", path);
		if (reason == ENOENT)
			cmd_error("make the folder %s, or name another file "
				  "with --claims",
			    folder);
		free(folder);
	}
	free(path);
	return rc;
}

static int
load_file(struct claim_file *file, struct error *err)
{
	struct errors errors = { 0 };
	int rc = 0;

	if (file_read(file->path, KNOWLEDGE_TEXT_MAX, &file->text, &file->len,
		err) != 0) {
		if (err->kind != ERROR_NOT_FOUND)
			return -1;
		*err = (struct error) { 0 };
		file->text = xstrdup("");
	}
	file->knowledge = knowledge_new();
	if (knowledge_add(file->knowledge, file->path, file->text, file->len,
		&errors) != 0) {
		(void)cmd_fail_all(&errors);
		rc = error_set(err, ERROR_INPUT, "%s: mend these lines first",
		    file->path);
	}
	errors_clear(&errors);
	return rc;
}

static int
claim_file_open(struct claim_file *file, const char *given, bool change,
    struct error *err)
{
	*file = (struct claim_file) { .path = ca_claims_path(given, NULL),
		.lock = -1 };
	if ((change && lock_file(file, err) != 0) ||
	    load_file(file, err) != 0) {
		claim_file_close(file);
		return -1;
	}
	return 0;
}

static int
claim_file_replace(const struct claim_file *file, const struct buf *text,
    struct error *err)
{
	struct stat status;
	mode_t mode = stat(file->path, &status) == 0 ? status.st_mode & 0777 :
						       0644;

	return file_replace(file->path, mode, buf_text(text), text->len, err);
}

/* ------------------------------------------------------------------ add */

struct addition {
	const struct model *model;
	struct firmware firmware;
	const struct ca *ca;
	const char *verdict, *note, *date;
	char today[CMD_DATE_BYTES];
};

static int
check_note(const char *note, struct error *err)
{
	size_t len = strlen(note);

	if (len == 0 || len > NOTE_MAX)
		return error_set(err, ERROR_INPUT,
		    "the note is %zu bytes "
		    "long: wanted 1 to %d",
		    len, NOTE_MAX);
	for (size_t i = 0; i < len; i++)
		if (note[i] < 0x20 || note[i] > 0x7e)
			return error_set(err, ERROR_INPUT,
			    "the note has a "
			    "character outside printable ASCII, which files "
			    "of claims cannot hold");
	if (note[0] == ' ' || note[len - 1] == ' ' || strcmp(note, "-") == 0)
		return error_set(err, ERROR_INPUT,
		    "the note \"%s\": wanted "
		    "words, without blanks around them",
		    note);
	return 0;
}

/* A day, and none after today: a test has been made. */
static int
check_date(const char *date, const char *today, struct error *err)
{
	char again[CMD_DATE_BYTES] = "", shown[32];
	struct tm tm = { 0 };
	const char *end = strptime(date, "%Y-%m-%d", &tm);

	/* strptime() takes the 30th of February; timegm() makes it March. */
	if (end != NULL && *end == '\0' && timegm(&tm) != -1)
		(void)strftime(again, sizeof(again), "%Y-%m-%d", &tm);
	text_escape(date, strlen(date), shown, sizeof(shown));
	if (strlen(date) != strlen("2026-11-23") || strcmp(again, date) != 0)
		return error_set(err, ERROR_INPUT,
		    "date \"%s\": wanted a day "
		    "such as %s",
		    shown, today);
	if (strcmp(date, today) > 0)
		return error_set(err, ERROR_INPUT,
		    "date \"%s\": is after today, %s", shown, today);
	return 0;
}

/* All is said when it fails; the exit status then. */
static int
read_addition(struct addition *add, char **operands)
{
	struct error err = { 0 };
	bool has_firmware = false;

	cmd_date(clock_wall(), add->today);
	if (add->date == NULL)
		add->date = add->today;
	if (add->note == NULL)
		add->note = DEFAULT_NOTE;
	if (ca_parse_device(operands[0], &add->model, &add->firmware,
		&has_firmware) != 0)
		return CMD_FAILED;
	if (!has_firmware) {
		cmd_error("\"%s\": wanted MODEL@FIRMWARE: a test is about one "
			  "version, such as %s@7.5.6",
		    operands[0], add->model->name);
		return CMD_USAGE;
	}
	if ((add->ca = ca_find(operands[1])) == NULL)
		return CMD_FAILED;
	if (!registry_is_server_ca(add->ca)) {
		cmd_error("%s signs devices; no device trusts a server "
			  "because of it",
		    add->ca->id);
		return CMD_FAILED;
	}
	add->verdict = operands[2];
	if (strcmp(add->verdict, "trusted") != 0 &&
	    strcmp(add->verdict, "not") != 0) {
		cmd_error("\"%s\": wanted \"trusted\" or \"not\"",
		    add->verdict);
		return CMD_USAGE;
	}
	if (check_note(add->note, &err) != 0 ||
	    check_date(add->date, add->today, &err) != 0)
		return cmd_fail(&err);
	return -1;
}

/* The number (from 1) of the test that the file has of this already, or 0. */
static size_t
find_same(const struct claim_file *file, const struct addition *add)
{
	size_t count;
	const struct claim *own = knowledge_own(file->knowledge, &count);

	for (size_t i = 0; i < count; i++) {
		struct firmware min, max;
		struct error ignored;

		if (own[i].basis == BASIS_TESTED &&
		    strcmp(own[i].ca, add->ca->id) == 0 &&
		    strcmp(own[i].model, add->model->name) == 0 &&
		    own[i].firmware_min != NULL &&
		    own[i].firmware_max != NULL && !own[i].max_exclusive &&
		    firmware_parse(&min, own[i].firmware_min, &ignored) == 0 &&
		    firmware_parse(&max, own[i].firmware_max, &ignored) == 0 &&
		    firmware_compare(&min, &add->firmware) == 0 &&
		    firmware_compare(&max, &add->firmware) == 0)
			return i + 1;
	}
	return 0;
}

static int
append_row(struct claim_file *file, const char *row, struct error *err)
{
	bool torn = file->len > 0 && file->text[file->len - 1] != '\n';
	struct buf text;
	int rc;

	buf_init(&text, KNOWLEDGE_TEXT_MAX);
	rc = buf_printf(&text, "%s%s%s\n",
	    file->len > 0 ? file->text : KNOWLEDGE_HEADS "\n", torn ? "\n" : "",
	    row);
	if (rc != 0)
		rc = error_set(err, ERROR_INPUT,
		    "%s: would be longer than "
		    "%d bytes",
		    file->path, KNOWLEDGE_TEXT_MAX);
	else
		rc = claim_file_replace(file, &text, err);
	buf_clear(&text);
	return rc;
}

static int
append(struct claim_file *file, const struct addition *add, struct error *err)
{
	char *row =
	    xasprintf("%s\t%s\t%s\t%s\t%s\ttested\thigh\t%s\t" SOURCE_WORDS
		      "%s",
		add->ca->id, add->model->name, add->firmware.text,
		add->firmware.text, add->verdict, add->note, add->date);
	int rc = append_row(file, row, err);

	free(row);
	return rc;
}

int
ca_claim_append(const char *given, const char *row)
{
	struct claim_file file;
	struct error err = { 0 };
	int rc;

	if (claim_file_open(&file, given, true, &err) != 0) {
		(void)cmd_fail(&err);
		return -1;
	}
	rc = append_row(&file, row, &err);
	if (rc != 0)
		(void)cmd_fail(&err);
	claim_file_close(&file);
	return rc;
}

/* What the answer is now, and what said otherwise. */
static void
print_added(const struct claim_file *file, const struct addition *add,
    size_t number)
{
	bool trusted = strcmp(add->verdict, "trusted") == 0;
	struct trust before = knowledge_resolve(file->knowledge, add->model,
	    &add->firmware, add->ca);
	const struct claim *all[TRUST_CONTRADICTIONS_MAX + 1];
	size_t count = 0;

	(void)printf("claim %zu: %s at %s %s %s\n", number, add->model->name,
	    add->firmware.text, trusted ? "trusts" : "does not trust",
	    add->ca->id);
	if (before.decided_by != NULL)
		all[count++] = before.decided_by;
	for (size_t i = 0; i < before.contradiction_count; i++)
		all[count++] = before.contradiction[i];
	for (size_t i = 0; i < count; i++) {
		char *text;

		if (all[i]->verdict !=
		    (trusted ? VERDICT_NOT : VERDICT_TRUSTED))
			continue;
		text = ca_claim_text(file->knowledge, all[i]);
		(void)cmd_wrapf(0, 2, "against it: %s", text);
		(void)putchar('\n');
		free(text);
	}
}

static int
add_claim(int argc, char **argv)
{
	const char *path = NULL;
	struct addition add = { 0 };
	const struct cmd_option options[] = {
		CA_CLAIMS_OPTION(&path),
		{ .name = "note",
		    .letter = 'n',
		    .value = "TEXT",
		    .help = "what was done and seen",
		    .text = &add.note },
		{ .name = "date",
		    .letter = 'd',
		    .value = "DATE",
		    .help = "when (default: today)",
		    .text = &add.date },
	};
	const struct cmd_syntax syntax = { "sprov ca claim add",
		"MODEL@FIRMWARE CA trusted|not",
		"Record your own test: a device of this model and firmware "
		"accepted (trusted) or\nrefused (not) a certificate under the "
		"CA.  It outranks documents.\n",
		options, LENGTH(options), 3, 3 };
	struct claim_file file;
	struct error err = { 0 };
	size_t same, count;
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status < 0)
		status = read_addition(&add, argv + first);
	if (status >= 0)
		return status;
	if (claim_file_open(&file, path, true, &err) != 0)
		return cmd_fail(&err);
	status = CMD_DONE;
	(void)knowledge_own(file.knowledge, &count);
	if ((same = find_same(&file, &add)) > 0) {
		cmd_error("%s: claim %zu is about this already; \"sprov ca "
			  "claim remove %zu\" takes it away",
		    file.path, same, same);
		status = CMD_FAILED;
	} else if (count == KNOWLEDGE_OWN_MAX) {
		cmd_error("%s: has %d claims: no more are allowed", file.path,
		    KNOWLEDGE_OWN_MAX);
		status = CMD_FAILED;
	} else if (append(&file, &add, &err) != 0) {
		status = cmd_fail(&err);
	} else {
		print_added(&file, &add, count + 1);
	}
	claim_file_close(&file);
	return status;
}

/* ----------------------------------------------------------------- list */

static int
fill_table(struct libscols_table *table, const struct claim *own, size_t count)
{
	static const char *const titles[] = { "N", "DEVICE", "CA", "VERDICT",
		"BASIS", "SOURCE", "NOTE" };

	for (size_t i = 0; i < LENGTH(titles); i++)
		if (scols_table_new_column(table, titles[i], 0.1,
			i == 0	   ? SCOLS_FL_RIGHT :
			    i == 6 ? SCOLS_FL_WRAP :
				     0) == NULL)
			return -1;
	for (size_t i = 0; i < count; i++) {
		struct libscols_line *line = scols_table_new_line(table, NULL);
		char number[24], range[KNOWLEDGE_RANGE_BYTES];
		char device[KNOWLEDGE_RANGE_BYTES + 64];
		const char *const cells[] = { number, device, own[i].ca,
			verdict_name(own[i].verdict), basis_name(own[i].basis),
			own[i].source, own[i].reason };
		bool exact = own[i].firmware_min != NULL &&
		    own[i].firmware_max != NULL &&
		    strcmp(own[i].firmware_min, own[i].firmware_max) == 0;

		(void)snprintf(number, sizeof(number), "%zu", i + 1);
		ca_claim_range(&own[i], range);
		(void)snprintf(device, sizeof(device), "%s%s%s", own[i].model,
		    exact ? "@" : ", ", exact ? own[i].firmware_min : range);
		for (size_t j = 0; line != NULL && j < LENGTH(cells); j++)
			if (scols_line_set_data(line, j, cells[j]) != 0)
				line = NULL;
		if (line == NULL)
			return -1;
	}
	return 0;
}

static int
print_claims(const struct claim_file *file, const struct claim *own,
    size_t count)
{
	struct libscols_table *table;
	int rc;

	if (count == 0) {
		cmd_error("%s: no claims yet; \"sprov ca claim add\" adds one",
		    file->path);
		return CMD_DONE;
	}
	table = scols_new_table();
	rc = table == NULL || fill_table(table, own, count) != 0 ||
	    scols_print_table(table) != 0;
	scols_unref_table(table);
	if (rc != 0)
		cmd_error("cannot print the table");
	return rc != 0 ? CMD_FAILED : CMD_DONE;
}

static int
list_claims(int argc, char **argv)
{
	const char *path = NULL;
	bool json = false;
	const struct cmd_option options[] = {
		CA_CLAIMS_OPTION(&path),
		CA_JSON_OPTION(&json),
	};
	const struct cmd_syntax syntax = { "sprov ca claim list", "",
		"List your own claims.\n", options, LENGTH(options), 0, 0 };
	struct claim_file file;
	struct error err = { 0 };
	const struct claim *own;
	json_t *array;
	size_t count;
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status >= 0)
		return status;
	if (claim_file_open(&file, path, false, &err) != 0)
		return cmd_fail(&err);
	own = knowledge_own(file.knowledge, &count);
	if (json) {
		array = json_array();
		for (size_t i = 0; i < count; i++) {
			json_t *one = ca_claim_json(file.knowledge, &own[i]);

			/* They are lent from another list: own all the same. */
			(void)json_object_set_new(one, "own", json_true());
			(void)json_array_append_new(array, one);
		}
		status = ca_print_json(array);
	} else {
		status = print_claims(&file, own, count);
	}
	claim_file_close(&file);
	return status;
}

/* --------------------------------------------------------------- remove */

static bool
is_claim_line(const char *line, size_t len, size_t number)
{
	return number > 1 && len > 0 && *line != '#';
}

/* All lines but that of one claim. */
static int
remove_line(const struct claim_file *file, size_t wanted, struct buf *text)
{
	const char *end = file->text + file->len, *line, *newline;
	size_t number = 0, claim = 0;

	for (line = file->text; line < end; line = newline + 1) {
		size_t len;

		newline = memchr(line, '\n', (size_t)(end - line));
		if (newline == NULL)
			newline = end;
		len = (size_t)(newline - line);
		if (is_claim_line(line, len, ++number) && ++claim == wanted)
			continue;
		if (buf_append(text, line, len) != 0 ||
		    buf_append(text, "\n", 1) != 0)
			return -1;
	}
	return 0;
}

static int
remove_from(struct claim_file *file, size_t wanted, struct error *err)
{
	struct buf text;
	int rc;

	buf_init(&text, KNOWLEDGE_TEXT_MAX + 1);
	rc = remove_line(file, wanted, &text) != 0 ?
	    error_set(err, ERROR_INPUT, "%s: too long", file->path) :
	    claim_file_replace(file, &text, err);
	buf_clear(&text);
	return rc;
}

static int
remove_claim(int argc, char **argv)
{
	const char *path = NULL;
	const struct cmd_option options[] = {
		CA_CLAIMS_OPTION(&path),
	};
	const struct cmd_syntax syntax = { "sprov ca claim remove", "N",
		"Remove the claim that \"sprov ca claim list\" shows with "
		"this number.  Those after\nit move up.\n",
		options, LENGTH(options), 1, 1 };
	struct claim_file file;
	struct error err = { 0 };
	const struct claim *own;
	uint64_t wanted = 0;
	size_t count;
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status >= 0)
		return status;
	if (text_parse_number(argv[first], 1, KNOWLEDGE_OWN_MAX, &wanted,
		&err) != 0) {
		cmd_error("%s", err.text);
		return CMD_USAGE;
	}
	if (claim_file_open(&file, path, true, &err) != 0)
		return cmd_fail(&err);
	own = knowledge_own(file.knowledge, &count);
	status = CMD_DONE;
	if (wanted > count) {
		cmd_error("%s: there is no claim %zu, only %zu", file.path,
		    (size_t)wanted, count);
		status = CMD_FAILED;
	} else if (remove_from(&file, wanted, &err) != 0) {
		status = cmd_fail(&err);
	} else {
		(void)printf("removed: %s %s %s\n", own[wanted - 1].model,
		    own[wanted - 1].ca, verdict_name(own[wanted - 1].verdict));
	}
	claim_file_close(&file);
	return status;
}

int
ca_claim(int argc, char **argv)
{
	static const struct command commands[] = {
		{ "add", "record a test", add_claim },
		{ "list", "list your claims", list_claims },
		{ "remove", "remove a claim", remove_claim },
	};

	return cmd_run("sprov ca claim", commands, LENGTH(commands), argc,
	    argv);
}
