/*
 * New profile keys for devices: one, a group, or all.
 */
#include "cmd/profile_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/file.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/device_common.h"
#include "inventory/key_marks.h"
#include "inventory/snapshot.h"
#include "provision/render_key.h"
#include "server/config.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define PROGRESS_EVERY 500

struct rotate {
	const char *uri, *config_path, *state, *group;
	struct profile_site site; /* its configuration only */
	bool all, missing, dry_run, json;
	struct mac *macs;
	size_t mac_count;
	struct inventory *inventory;
	struct snapshot *snapshot;
	struct key_marks *marks; /* NULL: the server has noted nothing yet */
	size_t made, had, unprotected, full;
	struct error marks_err; /* that the marks could not be read */
	json_t *list;
};

static unsigned
marks(void *arg, const struct mac *mac, uint64_t id)
{
	struct rotate *rotate = arg;
	struct key_mark mark;

	if (rotate->marks == NULL || rotate->marks_err.kind != ERROR_NONE ||
	    key_marks_get(rotate->marks, mac, id, &mark, &rotate->marks_err) !=
		0)
		return 0; /* a key more than needed is kept */
	return (mark.delivered_at != 0 ? KEY_DELIVERED : 0u) |
	    (mark.seen_at != 0 ? KEY_SEEN : 0u);
}

static void
say(struct rotate *rotate, const struct device *device, const char *what)
{
	char mac[MAC_COLON_BYTES];

	mac_format_colon(&device->mac, mac);
	if (rotate->json)
		(void)json_array_append_new(rotate->list,
		    json_pack("{ss ss}", "mac", mac, "result", what));
	else if (rotate->mac_count > 0 || strcmp(what, "full") == 0)
		(void)printf("%s  %s\n", mac, what);
}

static int
store(struct rotate *rotate, const struct device *device,
    const struct keyring *ring, struct error *err)
{
	char text[KEYRING_TEXT_BYTES];
	struct device changed;
	int rc;

	if (rotate->dry_run)
		return 0;
	if (inventory_get_device(rotate->inventory, &device->mac, &changed,
		err) != 0)
		return -1;
	keyring_format(ring, text);
	rc = variables_set(&changed.variables, KEYRING_VARIABLE, text, err);
	if (rc == 0)
		rc = inventory_update_device(rotate->inventory, &changed, err);
	OPENSSL_cleanse(text, sizeof(text));
	device_clear(&changed);
	return rc;
}

static int
rotate_device(struct rotate *rotate, const struct device *device,
    struct error *err)
{
	uint8_t random[KEYRING_RANDOM_BYTES];
	struct protection protection;
	struct keyring_key key;
	struct keyring ring;
	int rc = -1;

	if (render_protection(rotate->snapshot, device, &protection, err) !=
		0 ||
	    render_keyring(device, &ring, err) != 0)
		return -1;
	if (protection.cipher == CIPHER_NONE) {
		rotate->unprotected++;
		say(rotate, device, "unprotected");
		return 0;
	}
	if (rotate->missing && ring.count > 0) {
		rotate->had++;
		return 0;
	}
	if (RAND_bytes(random, sizeof(random)) != 1)
		return error_openssl(err, "no random bytes");
	keyring_make_key(random, &key);
	if (keyring_rotate(&ring, &device->mac, marks, rotate, &key, err) ==
	    0) {
		rc = store(rotate, device, &ring, err);
		rotate->made++;
		say(rotate, device,
		    rotate->dry_run ? "would rotate" : "rotated");
	} else if (err->kind == ERROR_DENIED) {
		rotate->full++;
		say(rotate, device, "full");
		rc = 0;
	}
	OPENSSL_cleanse(random, sizeof(random));
	OPENSSL_cleanse(&key, sizeof(key));
	keyring_wipe(&ring);
	return rc;
}

/* Retired devices get nothing, so no keys. */
static bool
is_wanted(const struct rotate *rotate, const struct device *device)
{
	if (device->state == DEVICE_RETIRED)
		return false;
	if (rotate->group != NULL)
		return snapshot_is_below(rotate->snapshot, device,
		    rotate->group);
	for (size_t i = 0; i < rotate->mac_count; i++)
		if (mac_equal(&rotate->macs[i], &device->mac))
			return true;
	return rotate->all;
}

struct collected {
	struct rotate *rotate;
	struct mac *list;
	size_t count;
};

static int
collect(const struct device *device, void *arg)
{
	struct collected *collected = arg;

	if (!is_wanted(collected->rotate, device))
		return 0;
	if ((collected->count & (collected->count - 1)) == 0)
		collected->list = xrealloc(collected->list,
		    (collected->count > 0 ? 2 * collected->count : 1) *
			sizeof(*collected->list));
	collected->list[collected->count++] = device->mac;
	return 0;
}

static void
progress(size_t done, size_t total)
{
	if (isatty(STDERR_FILENO) &&
	    (done % PROGRESS_EVERY == 0 || done == total))
		(void)fprintf(stderr, "\r%zu of %zu devices%s", done, total,
		    done == total ? "\n" : "");
}

static int
find_devices(struct rotate *rotate, struct collected *collected,
    struct error *err)
{
	if (rotate->group != NULL &&
	    !snapshot_has_group(rotate->snapshot, rotate->group))
		return error_set(err, ERROR_NOT_FOUND,
		    "there is no group \"%.63s\" in the inventory",
		    rotate->group);
	(void)snapshot_each(rotate->snapshot, collect, collected);
	if (collected->count < rotate->mac_count)
		return error_set(err, ERROR_NOT_FOUND,
		    "of %zu devices named, %zu are there and not retired: "
		    "\"sprov device list\" says which",
		    rotate->mac_count, collected->count);
	return 0;
}

/* All of them, or none: one transaction.  Nobody else can have changed the
 * inventory since the snapshot: who writes has it locked. */
static int
rotate_all(struct rotate *rotate, struct error *err)
{
	struct collected collected = { .rotate = rotate };
	int rc = find_devices(rotate, &collected, err);

	if (rc == 0 && !rotate->dry_run)
		rc = inventory_begin(rotate->inventory, err);
	if (rc != 0) {
		free(collected.list);
		return rc;
	}
	for (size_t i = 0; rc == 0 && i < collected.count; i++) {
		rc = rotate_device(rotate,
		    snapshot_find(rotate->snapshot, &collected.list[i]), err);
		if (collected.count > PROGRESS_EVERY)
			progress(i + 1, collected.count);
	}
	free(collected.list);
	if (rc == 0 && rotate->marks_err.kind != ERROR_NONE) {
		*err = rotate->marks_err;
		rc = -1;
	}
	if (rotate->dry_run)
		return rc;
	if (rc == 0)
		return inventory_commit(rotate->inventory, err);
	inventory_rollback(rotate->inventory);
	return rc;
}

/* The server's, when there is one: its inventory, key and state directory. */
static int
load_config(struct rotate *rotate)
{
	const char *path = rotate->config_path;
	struct errors errors = { 0 };

	if (path == NULL && access(CONFIG_DEFAULT_PATH, F_OK) == 0)
		path = CONFIG_DEFAULT_PATH;
	if (path == NULL ||
	    (rotate->site.config = config_load(path, &errors)) != NULL)
		return 0;
	(void)cmd_fail_all(&errors);
	errors_clear(&errors);
	return -1;
}

/* Where the server keeps keys.db: --state, or what the configuration says. */
static int
open_marks(struct rotate *rotate)
{
	const struct config *config = rotate->site.config;
	struct error err = { 0 };
	char *file;

	if (rotate->state == NULL && config == NULL)
		return 0;
	file = file_join(rotate->state != NULL ? rotate->state :
						 config->state_directory,
	    KEY_MARKS_FILE);
	rotate->marks = key_marks_open(file, true, &err);
	free(file);
	if (rotate->marks != NULL || err.kind == ERROR_NOT_FOUND)
		return 0;
	(void)cmd_fail(&err);
	return -1;
}

static void
print_end(const struct rotate *rotate)
{
	if (rotate->json) {
		json_t *object = json_pack("{sI sI sI sI sb sO}", "rotated",
		    (json_int_t)rotate->made, "had_a_key",
		    (json_int_t)rotate->had, "unprotected",
		    (json_int_t)rotate->unprotected, "full",
		    (json_int_t)rotate->full, "dry_run", rotate->dry_run,
		    "devices", rotate->list);

		(void)json_dumpf(object, stdout, JSON_INDENT(1));
		(void)printf("\n");
		json_decref(object);
		return;
	}
	(void)printf("%zu %s, %zu had a key, %zu are not to be encrypted, %zu "
		     "are full\n",
	    rotate->made, rotate->dry_run ? "would get one" : "new keys",
	    rotate->had, rotate->unprotected, rotate->full);
	if (rotate->full > 0)
		cmd_error("\"full\": %d keys wait for the device to fetch; one "
			  "more could lock it out",
		    KEYRING_KEYS_MAX);
}

static int
run(struct rotate *rotate)
{
	struct error err = { 0 };
	int status = CMD_FAILED;

	if (load_config(rotate) != 0)
		return CMD_FAILED;
	if (open_marks(rotate) != 0) {
		profile_site_close(&rotate->site);
		return CMD_FAILED;
	}
	rotate->list = json_array();
	rotate->inventory = device_open_with(profile_site_uri(&rotate->site,
						 rotate->uri),
	    profile_site_key(&rotate->site),
	    rotate->dry_run ? NULL : "profile rotate");
	if (rotate->inventory != NULL) {
		rotate->snapshot = snapshot_load(rotate->inventory, &err);
		if (rotate->snapshot == NULL || rotate_all(rotate, &err) != 0) {
			status = cmd_fail(&err);
		} else {
			print_end(rotate);
			status = rotate->full > 0 ? CMD_PROBLEM : CMD_DONE;
		}
	}
	snapshot_release(rotate->snapshot);
	inventory_close(rotate->inventory);
	key_marks_close(rotate->marks);
	profile_site_close(&rotate->site);
	json_decref(rotate->list);
	return status;
}

static int
read_macs(struct rotate *rotate, int argc, char **argv)
{
	struct error err;

	rotate->macs = xcalloc((size_t)argc + 1, sizeof(*rotate->macs));
	for (int i = 0; i < argc; i++)
		if (mac_parse(&rotate->macs[rotate->mac_count++], argv[i],
			&err) != 0) {
			cmd_error("%s", err.text);
			return CMD_USAGE;
		}
	if ((rotate->mac_count > 0) + rotate->all + (rotate->group != NULL) ==
	    1)
		return -1;
	cmd_error("which devices? name some, or --group, or --all");
	return CMD_USAGE;
}

int
profile_rotate(int argc, char **argv)
{
	struct rotate rotate = { .made = 0 };
	const struct cmd_option options[] = {
		DEVICE_INVENTORY_OPTION(&rotate.uri),
		PROFILE_CONFIG_OPTION(&rotate.config_path),
		{ .name = "state",
		    .value = "FOLDER",
		    .help = "of the server, where keys.db is",
		    .text = &rotate.state },
		{ .name = "group",
		    .letter = 'g',
		    .value = "NAME",
		    .help = "the devices of a group and below it",
		    .text = &rotate.group },
		{ .name = "all",
		    .letter = 'a',
		    .help = "all devices",
		    .flag = &rotate.all },
		{ .name = "missing",
		    .letter = 'm',
		    .help = "only those that have no key yet",
		    .flag = &rotate.missing },
		{ .name = "dry-run",
		    .letter = 'n',
		    .help = "change nothing",
		    .flag = &rotate.dry_run },
		{ .name = "json",
		    .letter = 'j',
		    .help = "print the result as JSON",
		    .flag = &rotate.json },
	};
	const struct cmd_syntax syntax = { "sprov profile rotate", "[MAC...]",
		"Make a new profile key for devices whose variable "
		"\"protection\" asks for one.\nThe old ones stay good until "
		"the device was seen with a newer one.\nExit status 3: "
		"too many keys of a device are waiting.\n",
		options, LENGTH(options), 0, -1 };
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status >= 0)
		return status;
	status = read_macs(&rotate, argc - first, argv + first);
	if (status < 0)
		status = run(&rotate);
	free(rotate.macs);
	return status;
}
