/*
 * The key of the inventory's secrets: taking one into use, another one, and
 * how many secrets are still in clear.
 */
#include "cmd/device_common.h"

#include <stdio.h>

#include <jansson.h>

#include "pki/seal.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static int
say_json(const struct inventory_secrets *secrets)
{
	json_t *object = json_pack("{ss? sI sI}", "key",
	    secrets->key_id[0] != '\0' ? secrets->key_id : NULL, "sealed",
	    (json_int_t)secrets->sealed, "clear", (json_int_t)secrets->clear);
	int rc = object != NULL ? json_dumpf(object, stdout, 0) : -1;

	json_decref(object);
	(void)fputc('\n', stdout);
	return rc == 0 ? CMD_DONE : CMD_FAILED;
}

/* Secrets in clear beside a key are a problem: status 3. */
static int
say_status(struct inventory *inventory, bool json)
{
	struct inventory_secrets secrets;
	struct error err = { 0 };
	int status = CMD_DONE;

	if (inventory_count_secrets(inventory, &secrets, &err) != 0)
		return cmd_fail(&err);
	if (json) {
		status = say_json(&secrets);
	} else {
		(void)printf("key     %s\nsealed  %zu\nclear   %zu\n",
		    secrets.key_id[0] != '\0' ? secrets.key_id : "-",
		    secrets.sealed, secrets.clear);
		if (secrets.clear > 0)
			cmd_error("\"sprov device reseal --new-key FILE\" "
				  "seals them");
	}
	if (status == CMD_DONE && secrets.clear > 0)
		status = CMD_PROBLEM;
	return status;
}

static int
reseal(struct inventory *inventory, const char *path)
{
	struct seal_key *key;
	struct error err = { 0 };
	char id[SEAL_ID_TEXT_BYTES];
	size_t resealed = 0;
	int rc;

	if ((key = seal_key_load(path, &err)) == NULL)
		return cmd_fail(&err);
	rc = inventory_reseal(inventory, key, &resealed, &err);
	seal_key_id(key, id);
	seal_key_release(key);
	if (rc != 0)
		return cmd_fail(&err);
	(void)printf("%zu secrets are sealed with the key %s\n", resealed, id);
	return CMD_DONE;
}

int
device_reseal(int argc, char **argv)
{
	const char *uri = NULL, *key = NULL, *new_key = NULL;
	bool status_only = false, json = false;
	const struct cmd_option options[] = {
		DEVICE_INVENTORY_OPTION(&uri),
		DEVICE_KEY_OPTION(&key),
		{ .name = "new-key",
		    .letter = 'n',
		    .value = "FILE",
		    .help = "seal with this key from now on",
		    .text = &new_key },
		{ .name = "status",
		    .help = "say how secrets are kept, and change nothing",
		    .flag = &status_only },
		{ .name = "json",
		    .letter = 'j',
		    .help = "--status as JSON",
		    .flag = &json },
	};
	const struct cmd_syntax syntax = { "sprov device reseal", "",
		"Seal all secrets of the inventory with a new key: those in "
		"clear, and"
		" those that\nare sealed with the key of before"
		" (--secrets-key).  Nothing of what was there\nbefore is left"
		" in the file.\n",
		options, LENGTH(options), 0, 0 };
	struct inventory *inventory;
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status >= 0)
		return status;
	if (status_only == (new_key != NULL)) {
		cmd_error("expected --new-key FILE or --status; see sprov "
			  "device reseal --help");
		return CMD_USAGE;
	}
	inventory = device_open_with(uri, key,
	    status_only ? NULL : "device reseal");
	if (inventory == NULL)
		return CMD_FAILED;
	status = status_only ? say_status(inventory, json) :
			       reseal(inventory, new_key);
	inventory_close(inventory);
	return status;
}
