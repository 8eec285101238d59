#include "server/config.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/scfg.h"
#include "base/text.h"
#include "inventory/events.h"
#include "server/config_admin.h"
#include "server/config_exception.h"
#include "server/config_notify.h"
#include "server/config_files.h"
#include "server/config_listener.h"
#include "server/config_performance.h"
#include "server/config_reader.h"
#include "server/config_routes.h"
#include "server/profile_cache.h"

#include <stdlib.h>
#include <string.h>

void
config_free(struct config *config)
{
	if (config == NULL)
		return;
	free(config->path);
	free(config->state_directory);
	free(config->inventory);
	free(config->secrets_key);
	free(config->templates);
	free(config->user);
	free(config->group);
	for (size_t i = 0; i < config->listener_count; i++)
		config_listener_clear(&config->listeners[i]);
	free(config->listeners);
	for (size_t i = 0; i < config->route_count; i++) {
		free(config->routes[i].pattern);
		free(config->routes[i].template);
		free(config->routes[i].file);
	}
	free(config->routes);
	config_files_clear(config);
	config_admin_clear(config);
	config_notify_clear(config);
	for (size_t i = 0; i < config->exception_count; i++)
		exception_clear(&config->exceptions[i]);
	free(config->exceptions);
	free(config->exception_places);
	free(config);
}

static void
read_state_directory(struct config_reader *reader,
    const struct scfg_directive *d)
{
	free(reader->config->state_directory);
	reader->config->state_directory = config_path(reader, &d->words[1]);
}

/* Kept as written until the state directory is known. */
static void
read_inventory(struct config_reader *reader, const struct scfg_directive *d)
{
	struct config *config = reader->config;
	const struct scfg_word *word = &d->words[1];
	char shown[CONFIG_SHOWN_BYTES];

	config->inventory_place = config_place(word);
	free(config->inventory);
	config->inventory = xstrdup(word->text);
	if (strcmp(word->text, "memory:") == 0 ||
	    (text_starts(word->text, "sqlite:") &&
		word->text[strlen("sqlite:")] != '\0'))
		return;
	config_show(word, shown);
	config_complain(reader, config->inventory_place,
	    "\"%s\" is no "
	    "inventory: expected memory: or sqlite:FILE",
	    shown);
}

static void
read_secrets_key(struct config_reader *reader, const struct scfg_directive *d)
{
	free(reader->config->secrets_key);
	reader->config->secrets_key = config_path(reader, &d->words[1]);
	reader->config->secrets_key_place = config_place(&d->words[1]);
}

static void
read_templates(struct config_reader *reader, const struct scfg_directive *d)
{
	free(reader->config->templates);
	reader->config->templates = config_path(reader, &d->words[1]);
	reader->config->templates_place = config_place(&d->words[1]);
}

static void
read_user(struct config_reader *reader, const struct scfg_directive *d)
{
	struct config *config = reader->config;
	const struct scfg_word *word = &d->words[1];
	size_t user_len = strcspn(word->text, ":");
	const char *colon = word->text + user_len;
	char shown[CONFIG_SHOWN_BYTES];

	config->user_place = config_place(word);
	if (user_len == 0 ||
	    (*colon == ':' &&
		(colon[1] == '\0' || strchr(colon + 1, ':') != NULL))) {
		config_show(word, shown);
		config_complain(reader, config->user_place,
		    "\"%s\" is no user: expected USER or USER:GROUP", shown);
		return;
	}
	free(config->user);
	free(config->group);
	config->user = xstrndup(word->text, user_len);
	config->group = *colon == ':' ? xstrdup(colon + 1) : NULL;
}

static void
read_workers(struct config_reader *reader, const struct scfg_directive *d)
{
	(void)config_number(reader, &d->words[1], 1, CONFIG_WORKERS_MAX,
	    &reader->config->workers);
}

/* Bytes, or as in "64M". */
static void
read_profile_cache(struct config_reader *reader, const struct scfg_directive *d)
{
	static const char units[] = "kMG";
	const struct scfg_word *word = &d->words[1];
	size_t len = strlen(word->text);
	const char *unit = len > 1 ? strchr(units, word->text[len - 1]) : NULL;
	unsigned shift = unit != NULL ? 10 * (unsigned)(unit - units + 1) : 0;
	char *number = xstrndup(word->text, unit != NULL ? len - 1 : len);
	char shown[CONFIG_SHOWN_BYTES];
	struct error err;
	uint64_t value;

	if (text_parse_number(number, 0, PROFILE_CACHE_MAX >> shift, &value,
		&err) == 0) {
		reader->config->profile_cache = value << shift;
	} else {
		config_show(word, shown);
		config_complain(reader, config_place(word),
		    "\"%s\" is no size: expected bytes, or a number with k, M "
		    "or G, at most 64G",
		    shown);
	}
	free(number);
}

static void
read_connections(struct config_reader *reader, const struct scfg_directive *d)
{
	(void)config_number(reader, &d->words[1], 1, CONFIG_CONNECTIONS_MAX,
	    &reader->config->connections_max);
}

static void
read_events(struct config_reader *reader, const struct scfg_directive *d)
{
	struct config *config = reader->config;

	if (d->count == 2 && strcmp(d->words[1].text, "off") == 0) {
		config->events_max = 0;
		return;
	}
	(void)config_number(reader, &d->words[1], 1000, CONFIG_EVENTS_MAX,
	    &config->events_max);
	if (d->count > 2)
		(void)config_number(reader, &d->words[2], 1,
		    CONFIG_EVENTS_DAYS_MAX, &config->events_days);
}

static void
read_self_test(struct config_reader *reader, const struct scfg_directive *d)
{
	static const char *const names[] = { "off", "on" };
	int i = config_choose(reader, &d->words[1], "choice for self-test",
	    names, 2);

	if (i >= 0)
		reader->config->self_test = i == 1;
}

static void
read_log_level(struct config_reader *reader, const struct scfg_directive *d)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };
	int i = config_choose(reader, &d->words[1], "log level", names,
	    sizeof(names) / sizeof(*names));

	if (i >= 0 &&
	    log_level_parse(names[i], &reader->config->log_level) != 0)
		abort(); /* the two lists of names differ */
}

/* The phases in the order of the names in read_timeout(). */
static unsigned *
timeout_of(struct config *config, int phase)
{
	unsigned *const timeouts[] = {
		&config->handshake_timeout_ms,
		&config->request_timeout_ms,
		&config->body_timeout_ms,
		&config->write_timeout_ms,
		&config->idle_timeout_ms,
		&config->stop_timeout_ms,
	};

	return timeouts[phase];
}

static void
read_timeout(struct config_reader *reader, const struct scfg_directive *d)
{
	static const char *const names[] = { "handshake", "request", "body",
		"write", "idle", "stop" };
	int phase = config_choose(reader, &d->words[1], "phase", names,
	    sizeof(names) / sizeof(*names));
	struct config_place *seen;

	if (phase >= 0) {
		seen = &reader->timeout_places[phase];
		if (seen->line != 0)
			config_complain(reader, config_place(&d->words[0]),
			    "\"timeout %s\" is given twice: expected it once, "
			    "as at %s:%u:%u",
			    names[phase], reader->config->path, seen->line,
			    seen->column);
		else
			*seen = config_place(&d->words[0]);
		(void)config_duration(reader, &d->words[2],
		    timeout_of(reader->config, phase));
	} else {
		unsigned ignored;

		(void)config_duration(reader, &d->words[2], &ignored);
	}
}

static void
read_listener(struct config_reader *reader, const struct scfg_directive *d);
static void
read_performance(struct config_reader *reader, const struct scfg_directive *d);
static void
read_exception(struct config_reader *reader, const struct scfg_directive *d);
static void
read_notify(struct config_reader *reader, const struct scfg_directive *d);

static const struct config_directive directives[] = {
	{ .name = "state-directory",
	    .usage = "FOLDER",
	    .min = 1,
	    .max = 1,
	    .read = read_state_directory },
	{ .name = "inventory",
	    .usage = "memory:|sqlite:FILE",
	    .min = 1,
	    .max = 1,
	    .read = read_inventory },
	{ .name = "secrets-key",
	    .usage = "FILE",
	    .min = 1,
	    .max = 1,
	    .read = read_secrets_key },
	{ .name = "templates",
	    .usage = "FOLDER",
	    .min = 1,
	    .max = 1,
	    .read = read_templates },
	{ .name = "user",
	    .usage = "USER[:GROUP]",
	    .min = 1,
	    .max = 1,
	    .read = read_user },
	{ .name = "workers",
	    .usage = "NUMBER",
	    .min = 1,
	    .max = 1,
	    .read = read_workers },
	{ .name = "log-level",
	    .usage = "error|warn|info|debug",
	    .min = 1,
	    .max = 1,
	    .read = read_log_level },
	{ .name = "connections",
	    .usage = "NUMBER",
	    .min = 1,
	    .max = 1,
	    .read = read_connections },
	{ .name = "profile-cache",
	    .usage = "SIZE",
	    .min = 1,
	    .max = 1,
	    .read = read_profile_cache },
	{ .name = "events",
	    .usage = "off|COUNT [DAYS]",
	    .min = 1,
	    .max = 2,
	    .read = read_events },
	{ .name = "self-test",
	    .usage = "on|off",
	    .min = 1,
	    .max = 1,
	    .read = read_self_test },
	{ .name = "timeout",
	    .usage = "PHASE DURATION",
	    .min = 2,
	    .max = 2,
	    .repeats = true,
	    .read = read_timeout },
	{ .name = "profile",
	    .usage = "PATH...",
	    .min = 1,
	    .max = SCFG_WORDS_MAX,
	    .repeats = true,
	    .read = config_read_profile },
	{ .name = "common",
	    .usage = "PATH TEMPLATE",
	    .min = 2,
	    .max = 2,
	    .repeats = true,
	    .read = config_read_common },
	{ .name = "public",
	    .usage = "PATH TEMPLATE",
	    .min = 2,
	    .max = 2,
	    .repeats = true,
	    .read = config_read_public },
	{ .name = "report",
	    .usage = "PATH [full|delta|status]",
	    .min = 1,
	    .max = 2,
	    .repeats = true,
	    .read = config_read_report },
	{ .name = "public-file",
	    .usage = "PATH FILE",
	    .min = 2,
	    .max = 2,
	    .repeats = true,
	    .read = config_read_public_file },
	{ .name = "own-profile",
	    .usage = "factory-defaults|PATH...",
	    .min = 1,
	    .max = SCFG_WORDS_MAX,
	    .repeats = true,
	    .read = config_read_own_profile },
	{ .name = "firmware",
	    .usage = "FOLDER { ... }",
	    .min = 1,
	    .max = 1,
	    .block = true,
	    .read = config_read_firmware },
	{ .name = "ladder",
	    .usage = "NAME { ... }",
	    .min = 1,
	    .max = 1,
	    .repeats = true,
	    .block = true,
	    .read = config_read_ladder },
	{ .name = "tftp",
	    .usage = "{ ... }",
	    .min = 0,
	    .max = 0,
	    .block = true,
	    .read = config_read_tftp },
	{ .name = "performance",
	    .usage = "{ ... }",
	    .min = 0,
	    .max = 0,
	    .block = true,
	    .read = read_performance },
	{ .name = "admin",
	    .usage = "{ ... }",
	    .min = 0,
	    .max = 0,
	    .block = true,
	    .read = config_read_admin },
	{ .name = "notify",
	    .usage = "NAME { ... }",
	    .min = 1,
	    .max = 1,
	    .repeats = true,
	    .block = true,
	    .read = read_notify },
	{ .name = "exception",
	    .usage = "NAME { ... }",
	    .min = 1,
	    .max = 1,
	    .repeats = true,
	    .block = true,
	    .read = read_exception },
	{ .name = "listener",
	    .usage = "NAME { ... }",
	    .min = 1,
	    .max = 1,
	    .repeats = true,
	    .required = true,
	    .block = true,
	    .read = read_listener },
};

static const struct config_table table = {
	directives,
	sizeof(directives) / sizeof(*directives),
	"outside of blocks",
};

static void
read_listener(struct config_reader *reader, const struct scfg_directive *d)
{
	config_listener_read(reader, d, &table);
}

static void
read_performance(struct config_reader *reader, const struct scfg_directive *d)
{
	config_performance_read(reader, d, &table);
}

static void
read_exception(struct config_reader *reader, const struct scfg_directive *d)
{
	config_exception_read(reader, d, &table);
}

static void
read_notify(struct config_reader *reader, const struct scfg_directive *d)
{
	config_notify_read(reader, d, &table);
}

/* Fill in what depends on the whole file. */
static void
complete(struct config_reader *reader)
{
	struct config *config = reader->config;
	const char *inventory = "inventory.db";
	char *path;

	config_files_complete(reader);
	config_routes_complete(reader);
	if (config->state_directory == NULL)
		config->state_directory = xstrdup(reader->directory);
	if (config->inventory == NULL ||
	    text_starts(config->inventory, "sqlite:")) {
		if (config->inventory != NULL)
			inventory = config->inventory + strlen("sqlite:");
		path = file_join(config->state_directory, inventory);
		free(config->inventory);
		config->inventory = xasprintf("sqlite:%s", path);
		free(path);
	}
}

static struct config *
config_new(const char *path)
{
	struct config *config = xcalloc(1, sizeof(*config));

	config->path = xstrdup(path);
	config->log_level = LOG_LEVEL_INFO;
	config->profile_cache = PROFILE_CACHE_DEFAULT;
	config->connections_max = 20000;
	config->self_test = true;
	config->events_max = EVENTS_MAX_DEFAULT;
	config->events_days = EVENTS_DAYS_DEFAULT;
	config->handshake_timeout_ms = 20000;
	config->request_timeout_ms = 10000;
	config->body_timeout_ms = 30000;
	config->write_timeout_ms = 30000;
	config->idle_timeout_ms = 5000;
	config->stop_timeout_ms = 10000;
	config_performance_default(&config->performance);
	return config;
}

struct config *
config_parse(const char *path, const char *text, size_t len,
    struct errors *errors)
{
	struct config_reader reader = { .errors = errors };
	struct scfg_directive *root;
	size_t before = errors->count;

	root = scfg_parse_all(path, text, len, errors);
	if (root == NULL)
		return NULL;
	reader.config = config_new(path);
	reader.directory = file_directory(path);
	config_read_block(&reader, root, (struct config_place) { 1, 1 }, &table,
	    &config_listener_table);
	config_exceptions_check(&reader);
	if (errors->count == before) {
		complete(&reader);
	} else {
		config_free(reader.config);
		reader.config = NULL;
	}
	free(reader.directory);
	scfg_free(root);
	return reader.config;
}

struct config *
config_load(const char *path, struct errors *errors)
{
	struct config *config;
	struct error err;
	char *text;
	size_t len;

	if (file_read(path, SCFG_TEXT_MAX, &text, &len, &err) != 0) {
		errors_add(errors, "%s", err.text);
		return NULL;
	}
	config = config_parse(path, text, len, errors);
	free(text);
	return config;
}
