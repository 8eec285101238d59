/*
 * Asterisk's res_phoneprov: profiles and the templates they name, and the users
 * whose phones have an address.
 *
 * Read are, in the folder given, phoneprov.conf, then phoneprov_users.conf or
 * (older) users.conf, and asterisk.conf for where the templates are: below
 * astdatadir in phoneprov, else in the folder itself or in phoneprov there.
 * A profile becomes a group with what it sets; users of one address are lines
 * of one device.  Source: [ASTERISK], phoneprov.conf, phoneprov_users.conf.
 */
#include "importer/phoneprov.h"
#include "importer/asterisk_conf.h"
#include "importer/importer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "spa/registry.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define SHOWN_BYTES 72
#define FOLDERS_MAX 3
#define SERVED_ADVICE \
	"Asterisk serves it over HTTP without a login to who knows or " \
	"guesses " \
	"the address: take the user out of phoneprov once the device asks " \
	"sprov"

/* A profile with a template for devices of ours. */
struct profile {
	const struct conf_section *section;
	const struct conf_setting *file; /* "${MAC}.cfg => template" */
	const struct model *model;	 /* NULL: not told */
	unsigned lines;			 /* the most that a device has */
	bool is_used;
};

struct phoneprov {
	struct fleet *fleet;
	const struct importer_options *options;
	const char *folder;
	char *folders[FOLDERS_MAX]; /* of templates */
	size_t folder_count;
	char *conf_path, *users_path, *loaded_path;
	mode_t users_mode, loaded_mode;
	struct conf *conf, *users;
	/* Their sections [general], or NULL. */
	const struct conf_section *general, *users_general;
	struct profile *profiles;
	size_t profile_count;
	/* Which profile and how many lines each device has, by its place in
	 * the fleet. */
	struct owner {
		struct profile *profile;
		unsigned lines;
	} * owners;
};

static struct conf *
read_conf(struct phoneprov *phoneprov, const char *name, char **path,
    mode_t *mode)
{
	char *text = NULL;
	size_t len = 0;
	struct conf *conf = NULL;

	*path = file_join(phoneprov->folder, name);
	if (importer_read_file(phoneprov->fleet, *path, CONF_BYTES_MAX, &text,
		&len, mode)) {
		conf = conf_read(phoneprov->fleet, *path, text, len);
		OPENSSL_cleanse(text, len);
	}
	free(text);
	return conf;
}

static bool
is_there(const char *folder, const char *name)
{
	char *path = file_join(folder, name);
	bool there = access(path, F_OK) == 0;

	free(path);
	return there;
}

/* Where templates are looked for. */
static void
find_folders(struct phoneprov *phoneprov)
{
	if (is_there(phoneprov->folder, "asterisk.conf")) {
		char *path = NULL;
		mode_t mode;
		struct conf *conf = read_conf(phoneprov, "asterisk.conf", &path,
		    &mode);
		const struct conf_section *section = conf != NULL ?
		    conf_find(conf, "directories") :
		    NULL;
		const struct conf_setting *data = section != NULL ?
		    conf_get(section, "astdatadir") :
		    NULL;

		if (data != NULL && data->value[0] == '/')
			phoneprov->folders[phoneprov->folder_count++] =
			    file_join(data->value, "phoneprov");
		conf_free(conf);
		free(path);
	}
	phoneprov->folders[phoneprov->folder_count++] =
	    file_join(phoneprov->folder, "phoneprov");
	phoneprov->folders[phoneprov->folder_count++] =
	    xstrdup(phoneprov->folder);
}

/* A phoneprov_load.  Names stay below the folder. */
static bool
load(void *arg, const char *name, char **text, size_t *len)
{
	struct phoneprov *phoneprov = arg;
	char shown[SHOWN_BYTES];

	text_escape(name, strlen(name), shown, sizeof(shown));
	if (name[0] == '/' || strstr(name, "..") != NULL) {
		fleet_say(phoneprov->fleet, FLEET_ERROR,
		    "%s: \"%s\" is not below the folder of templates",
		    phoneprov->conf_path, shown);
		return false;
	}
	for (size_t i = 0; i < phoneprov->folder_count; i++) {
		char *path;
		bool good;

		if (!is_there(phoneprov->folders[i], name))
			continue;
		path = file_join(phoneprov->folders[i], name);
		good = importer_read_file(phoneprov->fleet, path,
		    PHONEPROV_TEMPLATE_MAX, text, len, &phoneprov->loaded_mode);
		free(phoneprov->loaded_path);
		phoneprov->loaded_path = path;
		return good;
	}
	fleet_say(phoneprov->fleet, FLEET_ERROR,
	    "%s: the template \"%s\" is neither in %s nor in the folder itself",
	    phoneprov->conf_path, shown, phoneprov->folders[0]);
	return false;
}

/* Settings of a profile that are no files. */
static bool
is_option(const char *name)
{
	static const char *const options[] = { "staticdir", "mime_type",
		"static_file", "setvar" };

	for (size_t i = 0; i < LENGTH(options); i++)
		if (strcasecmp(name, options[i]) == 0)
			return true;
	return false;
}

/* The file of each device that is a flat profile. */
static void
find_file(struct phoneprov *phoneprov, struct profile *profile)
{
	for (size_t i = 0; i < profile->section->count; i++) {
		const struct conf_setting *setting =
		    &profile->section->settings[i];
		char *text = NULL;
		size_t len = 0;

		if (is_option(setting->name) ||
		    strstr(setting->name, "${") == NULL)
			continue;
		if (!load(phoneprov, setting->value, &text, &len))
			return;
		if (strstr(text, "<flat-profile") == NULL)
			fleet_say(phoneprov->fleet, FLEET_LEFT_OUT,
			    "%s:%zu:%zu: the template %s is no flat-profile",
			    phoneprov->conf_path, setting->line,
			    setting->column, setting->value);
		else if (profile->file != NULL)
			fleet_say(phoneprov->fleet, FLEET_LEFT_OUT,
			    "%s:%zu:%zu: the template %s: a device has one "
			    "profile, and %s is the first",
			    phoneprov->conf_path, setting->line,
			    setting->column, setting->value,
			    profile->file->value);
		else
			profile->file = setting;
		free(text);
	}
}

static void
read_profiles(struct phoneprov *phoneprov)
{
	phoneprov->profiles = xcalloc(conf_count(phoneprov->conf) + 1,
	    sizeof(struct profile));
	for (size_t i = 0; i < conf_count(phoneprov->conf); i++) {
		struct profile *profile =
		    &phoneprov->profiles[phoneprov->profile_count];

		*profile = (struct profile) {
			.section = conf_at(phoneprov->conf, i)
		};
		if (profile->section->is_template ||
		    strcasecmp(profile->section->name, "general") == 0)
			continue;
		phoneprov->profile_count++;
		if (strlen(profile->section->name) > INVENTORY_NAME_MAX) {
			fleet_say(phoneprov->fleet, FLEET_ERROR,
			    "%s:%zu:1: the name of the profile is longer than "
			    "%d bytes",
			    phoneprov->conf_path, profile->section->line,
			    INVENTORY_NAME_MAX);
			return;
		}
		find_file(phoneprov, profile);
		profile->model = fleet_find_model(profile->section->name);
		if (profile->model == NULL && profile->file != NULL)
			profile->model = fleet_find_model(profile->file->value);
	}
}

/* A setting of a user, or the default of all. */
static const char *
user_value(const struct phoneprov *phoneprov, const struct conf_section *user,
    const char *name)
{
	const struct conf_section *general = conf_find(phoneprov->users,
	    "general");
	const struct conf_setting *setting = conf_get(user, name);

	if (setting == NULL && general != NULL)
		setting = conf_get(general, name);
	return setting != NULL ? setting->value : NULL;
}

static bool
is_yes(const char *text)
{
	return text != NULL &&
	    (strcasecmp(text, "yes") == 0 || strcasecmp(text, "true") == 0 ||
		strcasecmp(text, "on") == 0 || strcmp(text, "1") == 0);
}

static struct profile *
find_profile(struct phoneprov *phoneprov, const char *name)
{
	for (size_t i = 0; name != NULL && i < phoneprov->profile_count; i++)
		if (strcasecmp(phoneprov->profiles[i].section->name, name) == 0)
			return &phoneprov->profiles[i];
	return NULL;
}

/* The variables of a user as a line of the device. */
static void
take_line(struct phoneprov *phoneprov, const struct conf_section *user,
    struct device *device, unsigned line, const char *place)
{
	/* [ASTERISK], phoneprov.conf: which option each comes from. */
	static const struct {
		const char *option, *variable;
	} options[] = {
		{ "username", "user_id" },
		{ "secret", "password" },
		{ "fullname", "display_name" },
		{ "label", "label" },
		{ "cid_number", "callerid" },
		{ "linenumber", "line" },
		{ "linekeys", "linekeys" },
		{ "timezone", "timezone" },
		{ "vmexten", "voicemail" },
		{ "localextenlength", "extension_length" },
	};

	for (size_t i = 0; i < LENGTH(options); i++) {
		const char *value = user_value(phoneprov, user,
		    options[i].option);
		bool is_line = i < 7;
		char number[16], *plain;

		(void)snprintf(number, sizeof(number), "%u", line);
		if (i == 0 && value == NULL)
			value = user->name;
		/* ASSUMED: lines that are not numbered count from 1. */
		if (value == NULL && strcmp(options[i].variable, "line") == 0)
			value = number;
		if (value == NULL || (!is_line && line > 1))
			continue;
		plain = phoneprov_unescape(value);
		fleet_set_line(phoneprov->fleet, &device->variables,
		    options[i].variable, line, plain, place);
		OPENSSL_cleanse(plain, strlen(plain));
		free(plain);
	}
}

static void
take_user(struct phoneprov *phoneprov, const struct conf_section *user)
{
	struct fleet *fleet = phoneprov->fleet;
	const struct conf_section *general = conf_find(phoneprov->conf,
	    "general");
	const struct conf_setting *fallback = general != NULL ?
	    conf_get(general, "default_profile") :
	    NULL;
	const char *name = user_value(phoneprov, user, "profile");
	const char *address = user_value(phoneprov, user, "macaddress");
	struct profile *profile;
	struct device *device;
	struct owner *owner;
	struct mac mac;
	char place[FLEET_PLACE_MAX];

	(void)snprintf(place, sizeof(place), "%s:%zu", phoneprov->users_path,
	    user->line);
	if (user->is_template || strcasecmp(user->name, "general") == 0 ||
	    !is_yes(user_value(phoneprov, user, "autoprov")))
		return;
	if (name == NULL && fallback != NULL)
		name = fallback->value;
	profile = find_profile(phoneprov, name);
	if (profile == NULL || profile->file == NULL) {
		fleet_say(fleet, FLEET_LEFT_OUT,
		    "%s: user %.40s: the profile \"%.40s\" %s", place,
		    user->name, name != NULL ? name : "",
		    profile == NULL ? "is not in phoneprov.conf" :
				      "has no flat-profile for each device");
		return;
	}
	if (address == NULL || !fleet_read_mac(&mac, address)) {
		fleet_say(fleet, FLEET_ERROR,
		    "%s: user %.40s: macaddress: expected 12 hex digits", place,
		    user->name);
		return;
	}
	device = fleet_find(fleet, &mac);
	if (device == NULL) {
		device = fleet_add(fleet, &mac, place);
		if (device == NULL)
			return;
		phoneprov->owners[fleet_device_count(fleet) - 1] =
		    (struct owner) { profile, 0 };
		(void)snprintf(device->group, sizeof(device->group), "%s",
		    profile->section->name);
		if (profile->model != NULL)
			(void)snprintf(device->model, sizeof(device->model),
			    "%s", profile->model->name);
		(void)importer_finish_device(fleet, device, phoneprov->options,
		    place);
	}
	owner = &phoneprov->owners[fleet_index(fleet, &mac)];
	if (owner->profile != profile || owner->lines == FLEET_LINES_MAX) {
		fleet_say(fleet, FLEET_ERROR,
		    "%s: user %.40s: the device of %s has %s", place,
		    user->name, fleet_place(fleet, &mac),
		    owner->profile != profile ? "another profile" :
						"too many lines");
		return;
	}
	take_line(phoneprov, user, device, ++owner->lines, place);
	profile->is_used = true;
	if (owner->lines > profile->lines)
		profile->lines = owner->lines;
	if (user_value(phoneprov, user, "secret") != NULL)
		fleet_leak(fleet, phoneprov->users_path, phoneprov->users_mode,
		    "secret", fleet_device_count(fleet),
		    "only Asterisk should read it: chmod 640");
}

/* setvar of a profile, and the server's address: variables of its group. */
static void
take_group(struct phoneprov *phoneprov, const struct profile *profile)
{
	const struct conf_section *general = conf_find(phoneprov->conf,
	    "general");
	struct scope *group = fleet_scope(phoneprov->fleet, SCOPE_GROUP,
	    profile->section->name);
	const struct conf_setting *server = general != NULL ?
	    conf_get(general, "serveraddr") :
	    NULL;
	const struct conf_setting *port = general != NULL ?
	    conf_get(general, "serverport") :
	    NULL;

	if (server != NULL)
		fleet_set(phoneprov->fleet, &group->variables, "proxy",
		    server->value, phoneprov->conf_path);
	fleet_set(phoneprov->fleet, &group->variables, "proxy_port",
	    port != NULL ? port->value : "5060", phoneprov->conf_path);
	for (size_t i = 0; i < profile->section->count; i++) {
		const struct conf_setting *setting =
		    &profile->section->settings[i];
		char name[INVENTORY_NAME_MAX + 1];
		size_t len = strcspn(setting->value, "=");
		char place[FLEET_PLACE_MAX];
		char *plain;

		if (strcasecmp(setting->name, "setvar") != 0)
			continue;
		(void)snprintf(place, sizeof(place), "%s:%zu:%zu",
		    phoneprov->conf_path, setting->line, setting->column);
		if (setting->value[len] == '\0' || len >= sizeof(name) ||
		    strstr(setting->value, "${") != NULL) {
			fleet_say(phoneprov->fleet, FLEET_LEFT_OUT,
			    "%s: setvar is not taken: only NAME=text is",
			    place);
			continue;
		}
		memcpy(name, setting->value, len);
		name[len] = '\0';
		plain = phoneprov_unescape(setting->value + len + 1);
		fleet_set(phoneprov->fleet, &group->variables, name, plain,
		    place);
		free(plain);
	}
}

/* A field of the device, or set on its group. */
static bool
is_set(struct phoneprov *phoneprov, const struct profile *profile,
    const struct device *device, const char *name)
{
	const struct scope *group = fleet_scope(phoneprov->fleet, SCOPE_GROUP,
	    profile->section->name);

	return text_starts(name, "mac") ||
	    variables_get(&device->variables, name) != NULL ||
	    variables_get(&group->variables, name) != NULL;
}

/* What nobody set is nothing there, and an error here. */
static void
set_rest(struct phoneprov *phoneprov, const struct profile *profile,
    const struct phoneprov_names *names, const char *template)
{
	bool needs_server = false;

	for (size_t i = 0; i < fleet_device_count(phoneprov->fleet); i++) {
		struct device *device = fleet_device(phoneprov->fleet, i);

		if (phoneprov->owners[i].profile != profile)
			continue;
		fleet_set(phoneprov->fleet, &device->variables, "template",
		    template, phoneprov->conf_path);
		for (size_t j = 0; j < names->count; j++) {
			const char *name = names->names[j];

			if (is_set(phoneprov, profile, device, name))
				continue;
			needs_server |= strcmp(name, "proxy") == 0;
			if (strcmp(name, "proxy") != 0)
				fleet_set(phoneprov->fleet, &device->variables,
				    name, "", phoneprov->conf_path);
		}
	}
	if (needs_server)
		fleet_say(phoneprov->fleet, FLEET_LEFT_OUT,
		    "%s: no serveraddr: it is the address at which a phone "
		    "asked; set the variable proxy of group:%s",
		    phoneprov->conf_path, profile->section->name);
}

static void
note_leak(struct phoneprov *phoneprov, const struct profile *profile,
    const struct phoneprov_names *names)
{
	char *url = xasprintf("/phoneprov/%s", profile->file->name);
	size_t devices = 0;

	for (size_t i = 0; i < fleet_device_count(phoneprov->fleet); i++)
		devices += phoneprov->owners[i].profile == profile;
	for (size_t i = 0; i < names->count; i++)
		if (variable_is_secret(names->names[i]))
			fleet_leak(phoneprov->fleet, url, 0, names->names[i],
			    devices, SERVED_ADVICE);
	free(url);
}

static void
take_profile(struct phoneprov *phoneprov, struct profile *profile)
{
	struct phoneprov_names *names = xcalloc(1, sizeof(*names));
	const char *name = profile->file->value;
	const char *base = strrchr(name, '/') != NULL ? strrchr(name, '/') + 1 :
							name;
	char template[64];
	char *text = NULL;
	size_t len = 0;
	char *path = NULL;
	mode_t mode = 0;
	struct buf out, hidden;

	buf_init(&out, PHONEPROV_TEMPLATE_MAX);
	buf_init(&hidden, PHONEPROV_TEMPLATE_MAX);
	(void)snprintf(template, sizeof(template), "phoneprov-%.48s%s", base,
	    text_ends(base, ".xml") ? "" : ".xml");
	if (!load(phoneprov, name, &text, &len))
		goto out;
	path = xstrdup(phoneprov->loaded_path);
	mode = phoneprov->loaded_mode;
	if (phoneprov_convert(phoneprov->fleet, name, text, len, profile->lines,
		load, phoneprov, &out, names) != 0 ||
	    phoneprov_hide(phoneprov->fleet,
		&fleet_scope(phoneprov->fleet, SCOPE_GROUP,
		    profile->section->name)
		     ->variables,
		path, mode, buf_text(&out), &hidden) != 0)
		goto out;
	take_group(phoneprov, profile);
	fleet_template(phoneprov->fleet, template, buf_text(&hidden));
	set_rest(phoneprov, profile, names, template);
	note_leak(phoneprov, profile, names);
out:
	free(path);
	free(text);
	buf_clear(&hidden);
	buf_clear(&out);
	free(names);
}

static void
read_all(struct phoneprov *phoneprov)
{
	mode_t mode = 0;
	const char *users = is_there(phoneprov->folder,
				"phoneprov_users.conf") ?
	    "phoneprov_users.conf" :
	    "users.conf";

	find_folders(phoneprov);
	phoneprov->conf = read_conf(phoneprov, "phoneprov.conf",
	    &phoneprov->conf_path, &mode);
	phoneprov->users = read_conf(phoneprov, users, &phoneprov->users_path,
	    &phoneprov->users_mode);
	if (phoneprov->conf == NULL || phoneprov->users == NULL)
		return;
	phoneprov->general = conf_find(phoneprov->conf, "general");
	phoneprov->users_general = conf_find(phoneprov->users, "general");
	read_profiles(phoneprov);
	phoneprov->owners = xcalloc(conf_count(phoneprov->users) + 1,
	    sizeof(struct owner));
	for (size_t i = 0; i < conf_count(phoneprov->users); i++)
		take_user(phoneprov, conf_at(phoneprov->users, i));
	for (size_t i = 0; i < phoneprov->profile_count; i++)
		if (phoneprov->profiles[i].is_used &&
		    fleet_count(phoneprov->fleet, FLEET_ERROR) == 0)
			take_profile(phoneprov, &phoneprov->profiles[i]);
	if (fleet_device_count(phoneprov->fleet) == 0 &&
	    fleet_count(phoneprov->fleet, FLEET_ERROR) == 0)
		fleet_say(phoneprov->fleet, FLEET_ERROR,
		    "%s: no user with autoprov = yes has a profile for devices "
		    "of ours",
		    phoneprov->users_path);
}

void
import_phoneprov(struct fleet *fleet, const char *path,
    const struct importer_options *options)
{
	struct phoneprov phoneprov = {
		.fleet = fleet, .options = options, .folder = path
	};

	read_all(&phoneprov);
	conf_free(phoneprov.conf);
	conf_free(phoneprov.users);
	for (size_t i = 0; i < phoneprov.folder_count; i++)
		free(phoneprov.folders[i]);
	free(phoneprov.conf_path);
	free(phoneprov.users_path);
	free(phoneprov.loaded_path);
	free(phoneprov.profiles);
	free(phoneprov.owners);
}
