/*
 * Packing and unpacking profile files, also those of other systems.  The key
 * comes from a file: on a command line everyone could read it.
 */
#include "cmd/profile_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/gzip.h"
#include "cmd/cmd.h"
#include "spa/salted.h"
#include "spa/unprotect.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define KEY_FILE_MAX 1024

struct arguments {
	const char *key, *output, *protection, *keyid, *input;
	bool json;
};

static void
wipe(char *text, size_t len)
{
	if (text != NULL)
		OPENSSL_cleanse(text, len);
	free(text);
}

/* The first line of a file, "@" before its name or not. */
static int
read_key(const char *name, char **key, struct error *err)
{
	const char *path = *name == '@' ? name + 1 : name;
	size_t len;

	if (file_read(path, KEY_FILE_MAX, key, &len, err) != 0) {
		if (err->kind == ERROR_NOT_FOUND)
			return error_set(err, ERROR_NOT_FOUND,
			    "--key names a file that holds the key, and there "
			    "is none of that name: a key on the command line "
			    "could be read by everyone on this machine");
		return -1;
	}
	(*key)[strcspn(*key, "\r\n")] = '\0';
	if (**key != '\0' && strlen(*key) <= SALTED_KEY_MAX)
		return 0;
	return error_set(err, ERROR_INPUT,
	    "%s: expected a key of 1 to %d bytes in the first line", path,
	    SALTED_KEY_MAX);
}

static int
read_stream(FILE *stream, struct buf *in, struct error *err)
{
	for (;;) {
		char piece[16384];
		size_t n = fread(piece, 1, sizeof(piece), stream);

		if (n > 0 && buf_append(in, piece, n) != 0)
			return error_set(err, ERROR_INPUT,
			    "the input is longer than %zu bytes", in->limit);
		if (n < sizeof(piece))
			break;
	}
	if (ferror(stream))
		return error_errno(err, "cannot read the input");
	return 0;
}

static int
read_input(const char *path, struct buf *in, struct error *err)
{
	FILE *file;
	int rc;

	if (path == NULL || strcmp(path, "-") == 0)
		return read_stream(stdin, in, err);
	file = fopen(path, "rbe");
	if (file == NULL)
		return error_errno(err, "%s", path);
	rc = read_stream(file, in, err);
	(void)fclose(file);
	return rc == 0 ? 0 : error_prefix(err, "%s: ", path);
}

static int
write_output(const char *path, const struct buf *out, struct error *err)
{
	if (path != NULL && strcmp(path, "-") != 0)
		return file_replace(path, 0600, buf_text(out), out->len, err);
	if (fwrite(buf_text(out), 1, out->len, stdout) != out->len ||
	    fflush(stdout) != 0)
		return error_errno(err, "cannot write the output");
	return 0;
}

/* --------------------------------------------------------------- decrypt */

static const char *
cipher_name(const struct unprotected *found)
{
	switch (found->cipher) {
	case CIPHER_NONE:
		return NULL;
	case CIPHER_AES:
		return "aes-256-cbc";
	case CIPHER_AES128GCM:
		return "aes128gcm";
	}
	return NULL;
}

static void
print_found_json(const struct unprotected *found, size_t len)
{
	json_t *object = json_pack("{sb ss? ss* ss* sb sI sb}", "base64",
	    found->base64, "cipher", cipher_name(found), "key_derivation",
	    found->cipher == CIPHER_AES ? salted_digest_option(found->digest) :
					  NULL,
	    "keyid", *found->keyid != '\0' ? found->keyid : NULL, "gzip",
	    found->gzip, "bytes", (json_int_t)len, "devices_can_read_it",
	    unprotect_is_readable(found));

	(void)json_dumpf(object, stdout, JSON_INDENT(1));
	(void)printf("\n");
	json_decref(object);
}

/* What a device would have against it, and how it is made as devices want it.
 */
static void
explain(const struct unprotected *found)
{
	if (found->base64)
		cmd_error("the file is wrapped in base64, which devices do not "
			  "read: make it without -a or -base64");
	if (found->cipher == CIPHER_AES && found->digest != SALTED_MD5)
		cmd_error("the key was derived with %s, which devices do not "
			  "know: make it with -md md5 and without -pbkdf2",
		    salted_digest_option(found->digest));
	if (found->cipher == CIPHER_NONE)
		cmd_error("it was not encrypted%s",
		    found->gzip ? ", only compressed" : "");
}

static int
decrypt(const struct arguments *arguments, const char *key,
    const struct buf *in, struct error *err)
{
	struct unprotected found;
	struct buf out;
	int rc;

	buf_init(&out, SALTED_TEXT_MAX);
	rc = unprotect_any(key, buf_text(in), in->len, &out, &found, err);
	if (rc == 0)
		rc = write_output(arguments->output, &out, err);
	if (rc == 0) {
		explain(&found);
		if (arguments->json)
			print_found_json(&found, out.len);
		rc = unprotect_is_readable(&found) ? CMD_DONE : CMD_PROBLEM;
	} else {
		rc = cmd_fail(err);
	}
	if (out.data != NULL)
		OPENSSL_cleanse(out.data, out.len);
	buf_clear(&out);
	return rc;
}

/* --------------------------------------------------------------- encrypt */

/* What was packed already must not be packed in the wrong order. */
static int
check_input(struct protection *protection, const struct buf *in,
    struct error *err)
{
	if (salted_begins(buf_text(in), in->len))
		return error_set(err, ERROR_INPUT,
		    "the input is encrypted already: it begins with "
		    "\"Salted__\"");
	if (in->len == 0)
		return error_set(err, ERROR_INPUT, "the input is empty");
	/* Compressed by who made it: once is enough. */
	if (gzip_begins(buf_text(in), in->len))
		protection->gzip = false;
	return 0;
}

static int
encrypt(const struct arguments *arguments, const char *key,
    const struct buf *in, struct error *err)
{
	uint8_t random[PROTECTION_RANDOM_BYTES];
	struct protection protection;
	struct buf out;
	int rc;

	if (protection_parse(arguments->protection, &protection, err) != 0 ||
	    check_input(&protection, in, err) != 0)
		return cmd_fail(err);
	if (protection.cipher != CIPHER_NONE && key == NULL) {
		cmd_error("%s needs a key: name a file with --key",
		    arguments->protection);
		return CMD_USAGE;
	}
	if (RAND_bytes(random, sizeof(random)) != 1) {
		(void)error_openssl(err, "no random bytes");
		return cmd_fail(err);
	}
	buf_init(&out, in->len + in->len / 50 + PROTECTION_ROOM);
	rc = protection_encode(&protection, key, arguments->keyid, random,
	    buf_text(in), in->len, &out, err);
	if (rc == 0)
		rc = write_output(arguments->output, &out, err);
	buf_clear(&out);
	if (rc != 0)
		return cmd_fail(err);
	if (protection.cipher == CIPHER_AES && !protection_key_fits(key))
		cmd_error("this key cannot stand bare in a profile rule: "
			  "letters, digits, \"-\", \"_\" and \".\" can");
	return CMD_DONE;
}

/* ------------------------------------------------------------- arguments */

typedef int work_on(const struct arguments *arguments, const char *key,
    const struct buf *in, struct error *err);

static int
run(const struct arguments *arguments, work_on *work)
{
	struct error err = { 0 };
	char *key = NULL;
	struct buf in;
	int status;

	if ((arguments->output == NULL ||
		strcmp(arguments->output, "-") == 0) &&
	    arguments->json) {
		cmd_error("--json needs --output: the text goes to standard "
			  "output otherwise");
		return CMD_USAGE;
	}
	buf_init(&in, SALTED_TEXT_MAX);
	if ((arguments->key != NULL &&
		read_key(arguments->key, &key, &err) != 0) ||
	    read_input(arguments->input, &in, &err) != 0)
		status = cmd_fail(&err);
	else
		status = work(arguments, key, &in, &err);
	if (in.data != NULL)
		OPENSSL_cleanse(in.data, in.len);
	buf_clear(&in);
	wipe(key, key != NULL ? strlen(key) : 0);
	return status;
}

#define KEY_OPTION(field) \
	{ \
		.name = "key", .letter = 'k', .value = "FILE", \
		.help = "whose first line is the key; @FILE too", \
		.text = (field) \
	}
#define OUTPUT_OPTION(field) \
	{ \
		.name = "output", .letter = 'o', .value = "FILE", \
		.help = "write there, readable for you alone", .text = (field) \
	}

int
profile_decrypt(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	const struct cmd_option options[] = {
		KEY_OPTION(&arguments.key),
		OUTPUT_OPTION(&arguments.output),
		{ .name = "json",
		    .letter = 'j',
		    .help = "say what was around it as JSON; with --output",
		    .flag = &arguments.json },
	};
	const struct cmd_syntax syntax = { "sprov profile decrypt", "[FILE]",
		"Unpack a profile: AES-256-CBC as \"openssl enc\" writes it, "
		"aes128gcm (RFC 8188),\ngzip.  Without FILE, or with \"-\", "
		"from standard input.  Exit status 3: it could\nbe unpacked, "
		"but a device could not do it, and why.\n",
		options, LENGTH(options), 0, 1 };
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status >= 0)
		return status;
	arguments.input = first < argc ? argv[first] : NULL;
	return run(&arguments, decrypt);
}

int
profile_encrypt(int argc, char **argv)
{
	struct arguments arguments = { .protection = "gzip+aes", .keyid = "" };
	const struct cmd_option options[] = {
		KEY_OPTION(&arguments.key),
		OUTPUT_OPTION(&arguments.output),
		{ .name = "protection",
		    .letter = 'p',
		    .value = "HOW",
		    .help = "gzip, aes, gzip+aes (the default), aes128gcm, "
			    "gzip+aes128gcm",
		    .text = &arguments.protection },
		{ .name = "keyid",
		    .value = "ID",
		    .help = "of aes128gcm: names the key to the reader",
		    .text = &arguments.keyid },
	};
	const struct cmd_syntax syntax = { "sprov profile encrypt", "[FILE]",
		"Pack a profile as devices read it, from FILE or standard "
		"input.\n\"openssl enc -d -aes-256-cbc -md md5\" opens what "
		"aes makes.\n",
		options, LENGTH(options), 0, 1 };
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status >= 0)
		return status;
	arguments.input = first < argc ? argv[first] : NULL;
	return run(&arguments, encrypt);
}
