#include "cmd/admin_common.h"
#include "base/file.h"
#include "base/mem.h"
#include "cmd/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

/* The server has to be able to read what root makes in its folder. */
static void
give_to_folder_owner(const char *path)
{
	static const char *const endings[] = { "", "-wal", "-shm", ".lock" };
	char *folder = file_directory(path);
	struct stat st;

	if (geteuid() == 0 && stat(folder, &st) == 0)
		for (size_t i = 0; i < LENGTH(endings); i++) {
			char *name = xasprintf("%s%s", path, endings[i]);

			/* Those that are there. */
			(void)!lchown(name, st.st_uid, st.st_gid);
			free(name);
		}
	free(folder);
}

struct admins *
admin_open(const char *config_path, const char *change, char **path)
{
	struct errors errors = { 0 };
	struct config *config = config_load(config_path, &errors);
	struct admins *admins;
	struct error err;

	*path = NULL;
	if (config == NULL) {
		(void)cmd_fail_all(&errors);
		errors_clear(&errors);
		return NULL;
	}
	*path = file_join(config->state_directory, ADMINS_FILE);
	(void)umask(077);
	admins = admins_open(*path, change == NULL, &err);
	if (admins == NULL) {
		(void)cmd_fail(&err);
	} else if (change != NULL) {
		give_to_folder_owner(*path);
		audit_watch_admins(admins, config, change);
	}
	config_free(config);
	return admins;
}

void
admin_close(struct admins *admins, char *path)
{
	admins_close(admins);
	free(path);
}

int
admin_print_json(json_t *json)
{
	int rc = json_dumpf(json, stdout, JSON_INDENT(2));

	(void)printf("\n");
	json_decref(json);
	return rc == 0 ? CMD_DONE : CMD_FAILED;
}

int
admin_list(const char *name, const char *help,
    int (*print)(struct admins *admins, bool json), int argc, char **argv)
{
	const char *config = CONFIG_DEFAULT_PATH;
	bool json = false;
	const struct cmd_option options[] = {
		ADMIN_CONFIG_OPTION(config),
		{ .name = "json",
		    .letter = 'j',
		    .flag = &json,
		    .help = "as JSON" },
	};
	const struct cmd_syntax syntax = {
		.name = name,
		.operands = "",
		.help = help,
		.options = options,
		.option_count = LENGTH(options),
	};
	struct admins *admins;
	int first, rc;
	char *path;

	rc = cmd_options(&syntax, argc, argv, &first);
	if (rc >= 0)
		return rc;
	admins = admin_open(config, NULL, &path);
	rc = admins != NULL ? print(admins, json) : CMD_FAILED;
	admin_close(admins, path);
	return rc;
}
