#include "server/config_files.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/url.h"
#include "spa/registry.h"

#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------- public files */

void
config_read_public_file(struct config_reader *reader,
    const struct scfg_directive *d)
{
	struct config_route *route = config_read_route(reader,
	    CONFIG_PUBLIC_FILE, &d->words[1]);
	char *file = config_path(reader, &d->words[2]);

	if (route == NULL) {
		free(file);
		return;
	}
	route->file = file;
	route->template_place = config_place(&d->words[2]);
}

/*
 * What devices ask for as they come from the factory, and multiplatform phones
 * after a URL from DHCP: [LINKSYS-PROV] p. 64, [MPP-MIGRATION] "DHCP Options
 * Auto Provisioning", [WAZO].
 */
static const char *const factory_defaults[] = {
	"/spa$PSN.cfg",
	"/spa.cfg",
	"/init.cfg",
	"/ata$PSN.cfg",
	"/$PSN.xml",
};
#define FACTORY_DEFAULTS (sizeof(factory_defaults) / sizeof(*factory_defaults))

void
config_read_own_profile(struct config_reader *reader,
    const struct scfg_directive *d)
{
	for (size_t i = 1; i < d->count; i++) {
		struct scfg_word word = d->words[i];
		char texts[32];

		if (strcmp(word.text, "factory-defaults") != 0) {
			(void)config_read_route(reader, CONFIG_OWN_PROFILE,
			    &word);
			continue;
		}
		for (size_t k = 0; k < FACTORY_DEFAULTS; k++) {
			memcpy(texts, factory_defaults[k],
			    strlen(factory_defaults[k]) + 1);
			word.text = texts;
			(void)config_read_route(reader, CONFIG_OWN_PROFILE,
			    &word);
		}
	}
}

/* -------------------------------------------------------------- firmware */

static void
read_path(struct config_reader *reader, const struct scfg_directive *d)
{
	struct config_firmware *firmware = &reader->config->firmware;
	const struct scfg_word *word = &d->words[1];
	char shown[CONFIG_SHOWN_BYTES];
	size_t len = strlen(word->text);

	if (*word->text != '/' || strchr(word->text, '$') != NULL ||
	    (len > 1 && word->text[len - 1] == '/')) {
		config_show(word, shown);
		config_complain(reader, config_place(word),
		    "\"%s\" is no path for images: expected one such as "
		    "\"/firmware\"",
		    shown);
		return;
	}
	free(firmware->path);
	firmware->path = xstrdup(len > 1 ? word->text : "");
}

static void
read_access(struct config_reader *reader, const struct scfg_directive *d)
{
	static const char *const names[] = { "devices", "public" };
	int i = config_choose(reader, &d->words[1], "access", names, 2);

	if (i >= 0)
		reader->config->firmware.is_public = i == 1;
}

static void
read_url(struct config_reader *reader, const struct scfg_directive *d)
{
	struct config_firmware *firmware = &reader->config->firmware;
	const struct scfg_word *word = &d->words[1];
	char authority[URL_AUTHORITY_BYTES], shown[CONFIG_SHOWN_BYTES];
	struct error ignored;
	struct url url;
	char *text;

	config_show(word, shown);
	text = xasprintf("%s/", word->text);
	/* Upgrade rules need a host: [LINKSYS-PROV] p. 38. */
	if (strstr(word->text, "://") == NULL ||
	    url_parse(&url, text, &ignored) != 0 || *url.host == '\0' ||
	    strcmp(url.path, "/") != 0)
		config_complain(reader, config_place(word),
		    "\"%s\" is no server's address: expected "
		    "http://HOST[:PORT], https:// or tftp://",
		    shown);
	else if (firmware->url[url.scheme] != NULL)
		config_complain(reader, config_place(word),
		    "\"url\" is given twice for %s: expected it once",
		    url_scheme_name(url.scheme));
	else {
		url_authority(&url, authority);
		firmware->url[url.scheme] = xasprintf("%s://%s",
		    url_scheme_name(url.scheme), authority);
	}
	free(text);
}

static const struct config_directive firmware_directives[] = {
	{ .name = "path",
	    .usage = "PATH",
	    .min = 1,
	    .max = 1,
	    .read = read_path },
	{ .name = "access",
	    .usage = "devices|public",
	    .min = 1,
	    .max = 1,
	    .read = read_access },
	{ .name = "url",
	    .usage = "SCHEME://HOST[:PORT]",
	    .min = 1,
	    .max = 1,
	    .repeats = true,
	    .read = read_url },
};

/* Directives of other blocks get no hint where they belong. */
static const struct config_table nothing = { NULL, 0, "" };

static const struct config_table firmware_table = {
	firmware_directives,
	sizeof(firmware_directives) / sizeof(*firmware_directives),
	"in a firmware block",
};

void
config_read_firmware(struct config_reader *reader,
    const struct scfg_directive *d)
{
	struct config_firmware *firmware = &reader->config->firmware;
	struct config_place place = config_place(&d->words[1]);

	if (firmware->folder == NULL)
		firmware->folder = config_path(reader, &d->words[1]);
	firmware->place = place;
	config_read_block(reader, d, place, &firmware_table, &nothing);
}

/* --------------------------------------------------------------- ladders */

static struct config_ladder *
ladder(const struct config_reader *reader)
{
	return &reader->config->ladders[reader->config->ladder_count - 1];
}

static void
read_model(struct config_reader *reader, const struct scfg_word *word)
{
	struct config_ladder *l = ladder(reader);
	const struct model *nearest = NULL;
	const struct model *model = registry_find_model(word->text, &nearest);
	char shown[CONFIG_SHOWN_BYTES];

	config_show(word, shown);
	if (model == NULL)
		config_complain(reader, config_place(word),
		    "\"%s\" is no known model%s%s%s", shown,
		    nearest != NULL ? ": did you mean \"" : "",
		    nearest != NULL ? nearest->name : "",
		    nearest != NULL ? "\"?" : "");
	else if (l->model_count == CONFIG_LADDER_MODELS_MAX)
		config_complain(reader, config_place(word),
		    "more than %d models in one ladder",
		    CONFIG_LADDER_MODELS_MAX);
	else {
		l->models[l->model_count] = model;
		l->model_places[l->model_count++] = config_place(word);
	}
}

static void
read_models(struct config_reader *reader, const struct scfg_directive *d)
{
	for (size_t i = 1; i < d->count; i++)
		read_model(reader, &d->words[i]);
}

static int
read_version(struct config_reader *reader, const struct scfg_word *word,
    struct firmware *version)
{
	struct error err;

	/* A version that a rule cannot hold would end its condition. */
	if (strpbrk(word->text, " \t|?\"") == NULL &&
	    firmware_parse(version, word->text, &err) == 0)
		return 0;
	config_complain(reader, config_place(word),
	    "not a firmware version for a rule: expected one as devices write "
	    "it, without blanks: 7.5.2b");
	return -1;
}

static void
read_step(struct config_reader *reader, const struct scfg_directive *d)
{
	struct config_ladder *l = ladder(reader);
	struct ladder_step step = { .has_from = d->count > 2 };

	if (d->count != 2 &&
	    (d->count != 4 || strcmp(d->words[2].text, "from") != 0)) {
		config_complain(reader, config_place(&d->words[0]),
		    "expected \"step VERSION [from VERSION]\"");
		return;
	}
	if (read_version(reader, &d->words[1], &step.to) != 0 ||
	    (step.has_from &&
		read_version(reader, &d->words[3], &step.from) != 0))
		return;
	if (l->step_count == CONFIG_LADDER_STEPS_MAX) {
		config_complain(reader, config_place(&d->words[0]),
		    "more than %d steps in one ladder",
		    CONFIG_LADDER_STEPS_MAX);
		return;
	}
	l->step_places[l->step_count] = config_place(&d->words[0]);
	l->steps[l->step_count++] = step;
}

static const struct config_directive ladder_directives[] = {
	{ .name = "model",
	    .usage = "MODEL...",
	    .min = 1,
	    .max = SCFG_WORDS_MAX,
	    .repeats = true,
	    .required = true,
	    .read = read_models },
	{ .name = "step",
	    .usage = "VERSION [from VERSION]",
	    .min = 1,
	    .max = 3,
	    .repeats = true,
	    .required = true,
	    .read = read_step },
};

static const struct config_table ladder_table = {
	ladder_directives,
	sizeof(ladder_directives) / sizeof(*ladder_directives),
	"in a ladder block",
};

static void
read_ladder_name(struct config_reader *reader, const struct scfg_word *word)
{
	const struct config *config = reader->config;
	size_t len = strlen(word->text);
	char shown[CONFIG_SHOWN_BYTES];

	config_show(word, shown);
	if (len == 0 || len > CONFIG_LADDER_NAME_MAX ||
	    strspn(word->text, "abcdefghijklmnopqrstuvwxyz0123456789-_") !=
		len) {
		config_complain(reader, config_place(word),
		    "\"%s\" is no name for a ladder: expected 1 to %d of a-z, "
		    "0-9, \"-\" and \"_\"",
		    shown, CONFIG_LADDER_NAME_MAX);
		return;
	}
	for (size_t i = 0; i + 1 < config->ladder_count; i++)
		if (strcmp(config->ladders[i].name, word->text) == 0)
			config_complain(reader, config_place(word),
			    "ladder \"%s\" is given twice: expected another "
			    "name than at %s:%u:%u",
			    shown, config->path, config->ladders[i].place.line,
			    config->ladders[i].place.column);
	memcpy(ladder(reader)->name, word->text, len + 1);
}

void
config_read_ladder(struct config_reader *reader, const struct scfg_directive *d)
{
	struct config *config = reader->config;
	struct config_place place = config_place(&d->words[1]);
	struct config_ladder *l;
	struct error err;
	size_t bad = 0;

	if (config->ladder_count == CONFIG_LADDERS_MAX) {
		config_complain(reader, place, "more than %d ladders",
		    CONFIG_LADDERS_MAX);
		return;
	}
	config->ladders = xrealloc(config->ladders,
	    (config->ladder_count + 1) * sizeof(*config->ladders));
	l = &config->ladders[config->ladder_count++];
	*l = (struct config_ladder) { .place = place };
	if (!d->damaged)
		read_ladder_name(reader, &d->words[1]);
	config_read_block(reader, d, place, &ladder_table, &nothing);
	if (ladder_check(l->steps, l->step_count, &bad, &err) != 0)
		config_complain(reader, l->step_places[bad], "%s", err.text);
}

/* ------------------------------------------------------------------ TFTP */

static void
read_address(struct config_reader *reader, const struct scfg_directive *d)
{
	struct config_tftp *tftp = &reader->config->tftp;
	const struct scfg_word *word = &d->words[1];
	char shown[CONFIG_SHOWN_BYTES];
	struct error err;
	struct addr addr;

	config_show(word, shown);
	if (addr_parse(&addr, word->text, &err) != 0) {
		config_complain(reader, config_place(word),
		    "\"%s\" is no address with a port: expected 192.0.2.1:69 "
		    "or [2001:db8::1]:69",
		    shown);
		return;
	}
	for (size_t i = 0; i < tftp->address_count; i++)
		if (addr_equal(&addr, &tftp->addresses[i])) {
			config_complain(reader, config_place(word),
			    "address %s is given twice: expected it once, as "
			    "at %s:%u:%u",
			    shown, reader->config->path,
			    tftp->address_places[i].line,
			    tftp->address_places[i].column);
			return;
		}
	if (tftp->address_count == CONFIG_ADDRESSES_MAX) {
		config_complain(reader, config_place(word),
		    "more than %d addresses for TFTP", CONFIG_ADDRESSES_MAX);
		return;
	}
	tftp->addresses = xrealloc(tftp->addresses,
	    (tftp->address_count + 1) * sizeof(*tftp->addresses));
	tftp->address_places = xrealloc(tftp->address_places,
	    (tftp->address_count + 1) * sizeof(*tftp->address_places));
	tftp->addresses[tftp->address_count] = addr;
	tftp->address_places[tftp->address_count++] = config_place(word);
}

static void
read_transfers(struct config_reader *reader, const struct scfg_directive *d)
{
	(void)config_number(reader, &d->words[1], 1, CONFIG_TFTP_TRANSFERS_MAX,
	    &reader->config->tftp.transfers_max);
}

static void
read_per_source(struct config_reader *reader, const struct scfg_directive *d)
{
	(void)config_number(reader, &d->words[1], 1, CONFIG_TFTP_TRANSFERS_MAX,
	    &reader->config->tftp.per_source_max);
}

static const struct config_directive tftp_directives[] = {
	{ .name = "address",
	    .usage = "ADDRESS:PORT",
	    .min = 1,
	    .max = 1,
	    .repeats = true,
	    .required = true,
	    .read = read_address },
	{ .name = "transfers",
	    .usage = "NUMBER",
	    .min = 1,
	    .max = 1,
	    .read = read_transfers },
	{ .name = "per-source",
	    .usage = "NUMBER",
	    .min = 1,
	    .max = 1,
	    .read = read_per_source },
};

static const struct config_table tftp_table = {
	tftp_directives,
	sizeof(tftp_directives) / sizeof(*tftp_directives),
	"in a tftp block",
};

void
config_read_tftp(struct config_reader *reader, const struct scfg_directive *d)
{
	config_read_block(reader, d, config_place(&d->words[0]), &tftp_table,
	    &nothing);
}

/* ------------------------------------------------------------ all of them */

void
config_files_complete(struct config_reader *reader)
{
	struct config *config = reader->config;

	if (config->firmware.folder != NULL && config->firmware.path == NULL)
		config->firmware.path = xstrdup("/firmware");
	if (config->tftp.transfers_max == 0)
		config->tftp.transfers_max = 64;
	if (config->tftp.per_source_max == 0)
		config->tftp.per_source_max = 4;
}

void
config_files_clear(struct config *config)
{
	free(config->firmware.folder);
	free(config->firmware.path);
	for (size_t i = 0; i < 3; i++)
		free(config->firmware.url[i]);
	free(config->ladders);
	free(config->tftp.addresses);
	free(config->tftp.address_places);
}
