#include "server/config_notify.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/url.h"
#include "server/config_reader.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define EVERY_MS 300000
#define RESOLVED_MS 600000
#define SUCCESS_PERCENT 90

static const char *const kinds[NOTIFY_KINDS] = { "expiry", "success-rate",
	"failure", "migration", "exception", "clone", "resolved" };

const char *
notify_kind_name(enum notify_kind kind)
{
	return kinds[kind];
}

static struct config_notify *
current(const struct config_reader *reader)
{
	return &reader->config->notifies[reader->config->notify_count - 1];
}

/* Whoever can read the configuration would have the password. */
static void
read_webhook(struct config_reader *reader, const struct scfg_directive *d)
{
	struct config_notify *notify = current(reader);
	const struct scfg_word *word = &d->words[1];
	char shown[CONFIG_SHOWN_BYTES];
	struct error err = { 0 };
	struct url url;

	config_show(word, shown);
	if (strlen(word->text) > CONFIG_NOTIFY_URL_MAX ||
	    url_parse(&url, word->text, &err) != 0 || *url.host == '\0' ||
	    url.scheme == URL_TFTP || strchr(word->text, '@') != NULL) {
		config_complain(reader, config_place(word),
		    "\"%s\" is no URL for a webhook: expected "
		    "https://HOST/PATH or http://HOST/PATH, of at most %d "
		    "bytes, without a password in it",
		    shown, CONFIG_NOTIFY_URL_MAX);
		return;
	}
	free(notify->url);
	notify->url = xstrdup(word->text);
	notify->url_place = config_place(word);
}

static void
read_secret_file(struct config_reader *reader, const struct scfg_directive *d)
{
	struct config_notify *notify = current(reader);

	free(notify->secret_file);
	notify->secret_file = config_path(reader, &d->words[1]);
	notify->secret_place = config_place(&d->words[1]);
}

static void
read_command(struct config_reader *reader, const struct scfg_directive *d)
{
	struct config_notify *notify = current(reader);

	if (notify->command[0] != NULL)
		return; /* given twice: that was said */
	notify->command[0] = config_path(reader, &d->words[1]);
	for (size_t i = 2; i < d->count; i++)
		notify->command[i - 1] = xstrdup(d->words[i].text);
	notify->command_place = config_place(&d->words[1]);
}

static void
read_on(struct config_reader *reader, const struct scfg_directive *d)
{
	struct config_notify *notify = current(reader);

	memset(notify->kinds, 0, sizeof(notify->kinds));
	for (size_t i = 1; i < d->count; i++) {
		int kind = config_choose(reader, &d->words[i], "kind of notice",
		    kinds, NOTIFY_KINDS);

		if (kind >= 0)
			notify->kinds[kind] = true;
	}
}

static void
read_expiry(struct config_reader *reader, const struct scfg_directive *d)
{
	struct config_notify *notify = current(reader);

	notify->day_count = 0;
	for (size_t i = 1; i < d->count; i++) {
		unsigned days;

		if (config_number(reader, &d->words[i], 0, 3650, &days) == 0)
			notify->days[notify->day_count++] = days;
	}
}

static void
read_devices(struct config_reader *reader, const struct scfg_directive *d)
{
	(void)config_number(reader, &d->words[1], 0, 10000000,
	    &current(reader)->devices_min);
}

static void
read_success_rate(struct config_reader *reader, const struct scfg_directive *d)
{
	(void)config_number(reader, &d->words[1], 1, 100,
	    &current(reader)->success_percent);
}

static void
read_every(struct config_reader *reader, const struct scfg_directive *d)
{
	(void)config_duration(reader, &d->words[1], &current(reader)->every_ms);
}

static void
read_resolved_after(struct config_reader *reader,
    const struct scfg_directive *d)
{
	(void)config_duration(reader, &d->words[1],
	    &current(reader)->resolved_ms);
}

static const struct config_directive directives[] = {
	{ .name = "webhook",
	    .usage = "URL",
	    .min = 1,
	    .max = 1,
	    .read = read_webhook },
	{ .name = "secret-file",
	    .usage = "FILE",
	    .min = 1,
	    .max = 1,
	    .read = read_secret_file },
	{ .name = "command",
	    .usage = "PATH ARGUMENT ...",
	    .min = 1,
	    .max = 1 + CONFIG_NOTIFY_ARGUMENTS_MAX,
	    .read = read_command },
	{ .name = "on",
	    .usage = "KIND ...",
	    .min = 1,
	    .max = NOTIFY_KINDS,
	    .read = read_on },
	{ .name = "expiry",
	    .usage = "DAYS ...",
	    .min = 1,
	    .max = CONFIG_NOTIFY_DAYS_MAX,
	    .read = read_expiry },
	{ .name = "devices",
	    .usage = "NUMBER",
	    .min = 1,
	    .max = 1,
	    .read = read_devices },
	{ .name = "success-rate",
	    .usage = "PERCENT",
	    .min = 1,
	    .max = 1,
	    .read = read_success_rate },
	{ .name = "every",
	    .usage = "DURATION",
	    .min = 1,
	    .max = 1,
	    .read = read_every },
	{ .name = "resolved-after",
	    .usage = "DURATION",
	    .min = 1,
	    .max = 1,
	    .read = read_resolved_after },
};

static const struct config_table table = { directives, LENGTH(directives),
	"in a notify block" };

static void
read_name(struct config_reader *reader, const struct scfg_word *word)
{
	const struct config *config = reader->config;
	struct config_notify *notify = current(reader);
	size_t len = strlen(word->text);
	char shown[CONFIG_SHOWN_BYTES];

	config_show(word, shown);
	if (len == 0 || len > CONFIG_NOTIFY_NAME_MAX ||
	    strspn(word->text, "abcdefghijklmnopqrstuvwxyz0123456789-_") !=
		len) {
		config_complain(reader, config_place(word),
		    "\"%s\" is no name for who is notified: expected 1 to %d "
		    "of a-z, 0-9, \"-\" and \"_\"",
		    shown, CONFIG_NOTIFY_NAME_MAX);
		return;
	}
	for (size_t i = 0; i + 1 < config->notify_count; i++)
		if (strcmp(config->notifies[i].name, word->text) == 0)
			config_complain(reader, config_place(word),
			    "notify \"%s\" is given twice: expected another "
			    "name than at %s:%u:%u",
			    shown, config->path, config->notifies[i].place.line,
			    config->notifies[i].place.column);
	memcpy(notify->name, word->text, len + 1);
}

static void
check(struct config_reader *reader, const struct config_notify *notify)
{
	bool webhook = notify->url != NULL, command = notify->command[0];

	if (webhook == command)
		config_complain(reader, notify->place,
		    "%s: expected \"webhook URL\" or \"command PATH\"",
		    webhook ? "both a webhook and a command" :
			      "neither a webhook nor a command");
	else if (webhook && notify->secret_file == NULL)
		config_complain(reader, notify->place,
		    "\"secret-file\" is missing: expected a file with what "
		    "the webhook's requests are signed with");
	else if (command && notify->secret_file != NULL)
		config_complain(reader, notify->secret_place,
		    "\"secret-file\" does not go with \"command\": what a "
		    "command gets is not signed");
}

void
config_notify_read(struct config_reader *reader, const struct scfg_directive *d,
    const struct config_table *outside)
{
	static const unsigned days[] = { 60, 30, 7, 1 };
	struct config *config = reader->config;
	struct config_place place = config_place(&d->words[1]);
	size_t count = config->notify_count, before = reader->errors->count;
	struct config_notify *notify;

	if (count == CONFIG_NOTIFIES_MAX) {
		config_complain(reader, place, "more than %d notify blocks",
		    CONFIG_NOTIFIES_MAX);
		return;
	}
	config->notifies = xrealloc(config->notifies,
	    (count + 1) * sizeof(*config->notifies));
	notify = &config->notifies[config->notify_count++];
	*notify = (struct config_notify) { .place = place,
		.day_count = LENGTH(days),
		.devices_min = 1,
		.success_percent = SUCCESS_PERCENT,
		.every_ms = EVERY_MS,
		.resolved_ms = RESOLVED_MS };
	memcpy(notify->days, days, sizeof(days));
	for (size_t i = 0; i < NOTIFY_KINDS; i++)
		notify->kinds[i] = true;
	if (!d->damaged)
		read_name(reader, &d->words[1]);
	config_read_block(reader, d, place, &table, outside);
	if (reader->errors->count == before)
		check(reader, notify);
}

void
config_notify_clear(struct config *config)
{
	for (size_t i = 0; i < config->notify_count; i++) {
		struct config_notify *notify = &config->notifies[i];

		free(notify->url);
		free(notify->secret_file);
		for (size_t j = 0; j < LENGTH(notify->command); j++)
			free(notify->command[j]);
	}
	free(config->notifies);
}
