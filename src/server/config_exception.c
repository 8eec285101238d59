#include "server/config_exception.h"
#include "base/mem.h"
#include "base/text.h"
#include "inventory/tags.h"
#include "spa/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400

static struct exception *
current(const struct config_reader *reader)
{
	return &reader->config->exceptions[reader->config->exception_count - 1];
}

/* ------------------------------------------------------------------- scope */

enum scope_word {
	SCOPE_WORD_DEVICE,
	SCOPE_WORD_MODEL,
	SCOPE_WORD_GROUP,
	SCOPE_WORD_TAG,
	SCOPE_WORD_LISTENER,
	SCOPE_WORDS,
};

static int
read_device(struct exception_scope *scope, const char *text, struct error *err)
{
	scope->has_mac = true;
	return mac_parse(&scope->mac, text, err);
}

static int
read_model(struct exception_scope *scope, const char *text, struct error *err)
{
	const struct model *nearest = NULL;
	const struct model *model = registry_find_model(text, &nearest);

	if (model == NULL)
		return error_set(err, ERROR_INPUT,
		    "\"%.40s\" is no known model%s%s%s", text,
		    nearest != NULL ? ": did you mean \"" : "",
		    nearest != NULL ? nearest->name : "",
		    nearest != NULL ? "\"?" : "");
	(void)snprintf(scope->model, sizeof(scope->model), "%s", model->name);
	return 0;
}

/* Names of groups, tags and listeners are checked by who has them. */
static int
read_name(char name[static INVENTORY_NAME_MAX + 1], const char *text,
    struct error *err)
{
	size_t len = strlen(text);

	if (len == 0 || len > INVENTORY_NAME_MAX)
		return error_set(err, ERROR_INPUT,
		    "expected a name of 1 to %d characters",
		    INVENTORY_NAME_MAX);
	memcpy(name, text, len + 1);
	return 0;
}

static int
read_scope_word(struct exception_scope *scope, enum scope_word word,
    const char *text, struct error *err)
{
	switch (word) {
	case SCOPE_WORD_DEVICE:
		return read_device(scope, text, err);
	case SCOPE_WORD_MODEL:
		return read_model(scope, text, err);
	case SCOPE_WORD_GROUP:
		return read_name(scope->group, text, err);
	case SCOPE_WORD_TAG:
		if (tags_check_name(text, err) != 0)
			return -1;
		return read_name(scope->tag, text, err);
	case SCOPE_WORD_LISTENER:
		return read_name(scope->listener, text, err);
	case SCOPE_WORDS:
		break;
	}
	return 0;
}

/* KIND NAME, again and again; each kind once. */
static void
read_scope(struct config_reader *reader, const struct scfg_directive *d)
{
	static const char *const names[SCOPE_WORDS] = { "device", "model",
		"group", "tag", "listener" };
	struct exception *exception = current(reader);
	struct exception_scope scope = { .has_mac = false };
	bool seen[SCOPE_WORDS] = { false };
	struct error err;

	for (size_t i = 1; i < d->count; i += 2) {
		int word = config_choose(reader, &d->words[i], "kind of scope",
		    names, SCOPE_WORDS);

		if (word < 0)
			return;
		if (i + 1 == d->count || seen[word]) {
			config_complain(reader, config_place(&d->words[i]),
			    i + 1 == d->count ?
				"expected a name after \"%s\"" :
				"\"%s\" is given twice: expected another line "
				"for the other one",
			    names[word]);
			return;
		}
		seen[word] = true;
		if (read_scope_word(&scope, (enum scope_word)word,
			d->words[i + 1].text, &err) != 0) {
			config_complain(reader, config_place(&d->words[i + 1]),
			    "%s", err.text);
			return;
		}
	}
	if (exception->scope_count == EXCEPTION_SCOPES_MAX) {
		config_complain(reader, config_place(&d->words[0]),
		    "more than %d scopes in one exception",
		    EXCEPTION_SCOPES_MAX);
		return;
	}
	exception->scopes = xrealloc(exception->scopes,
	    (exception->scope_count + 1) * sizeof(*exception->scopes));
	exception->scopes[exception->scope_count++] = scope;
}

/* ------------------------------------------------- reason, who, until, what */

static char *
read_text(struct config_reader *reader, const struct scfg_word *word)
{
	size_t len = strlen(word->text);

	if (len > 0 && len <= EXCEPTION_TEXT_MAX)
		return xstrdup(word->text);
	config_complain(reader, config_place(word),
	    "expected 1 to %d bytes of text", EXCEPTION_TEXT_MAX);
	return NULL;
}

/* A directive that is repeated is complained of, and read all the same. */
static void
read_reason(struct config_reader *reader, const struct scfg_directive *d)
{
	free(current(reader)->reason);
	current(reader)->reason = read_text(reader, &d->words[1]);
}

static void
read_who(struct config_reader *reader, const struct scfg_directive *d)
{
	free(current(reader)->who);
	current(reader)->who = read_text(reader, &d->words[1]);
}

/* Through that day, in UTC.  One that is over is no mistake: it would keep the
 * server from starting. */
static void
read_until(struct config_reader *reader, const struct scfg_directive *d)
{
	struct error err;
	time_t day;

	if (text_parse_date(d->words[1].text, &day, &err) != 0)
		config_complain(reader, config_place(&d->words[1]), "%s",
		    err.text);
	else
		current(reader)->until = day + DAY_S;
}

static void
read_allow(struct config_reader *reader, const struct scfg_directive *d)
{
	const char *names[EXCEPTION_KINDS];
	int kind;

	for (int i = 0; i < EXCEPTION_KINDS; i++)
		names[i] = exception_kind_name((enum exception_kind)i);
	kind = config_choose(reader, &d->words[1], "kind of certificate", names,
	    EXCEPTION_KINDS);
	if (kind >= 0)
		current(reader)->kind = (enum exception_kind)kind;
}

/* ----------------------------------------------------------- second factor */

static void
read_networks(struct config_reader *reader, const struct scfg_directive *d)
{
	struct exception *exception = current(reader);
	struct network network;
	struct error err;

	for (size_t i = 2; i < d->count; i++) {
		if (network_parse(&network, d->words[i].text, &err) != 0) {
			config_complain(reader, config_place(&d->words[i]),
			    "%s", err.text);
			continue;
		}
		if (exception->network_count == EXCEPTION_NETWORKS_MAX) {
			config_complain(reader, config_place(&d->words[i]),
			    "more than %d networks in one exception",
			    EXCEPTION_NETWORKS_MAX);
			return;
		}
		exception->networks = xrealloc(exception->networks,
		    (exception->network_count + 1) *
			sizeof(*exception->networks));
		exception->networks[exception->network_count++] = network;
	}
}

static void
read_require(struct config_reader *reader, const struct scfg_directive *d)
{
	static const char *const names[] = { "aes-profile", "source",
		"one-time" };
	static const char *const usages[] = { "require aes-profile",
		"require source NETWORK...", "require one-time DURATION" };
	struct exception *exception = current(reader);
	int factor = config_choose(reader, &d->words[1], "second factor", names,
	    3);

	if (factor < 0)
		return;
	if ((factor == 0 && d->count != 2) || (factor == 1 && d->count < 3) ||
	    (factor == 2 && d->count != 3)) {
		config_complain(reader, config_place(&d->words[1]),
		    "expected \"%s\"", usages[factor]);
		return;
	}
	if (factor == 0)
		exception->needs_encryption = true;
	else if (factor == 1)
		read_networks(reader, d);
	else if (config_duration(reader, &d->words[2], &exception->window_ms) ==
	    0)
		exception->once = true;
}

/* --------------------------------------------------------------- the block */

static const struct config_directive directives[] = {
	{ .name = "allow",
	    .usage =
		"expired-certificate|generic-certificate|defective-certificate",
	    .min = 1,
	    .max = 1,
	    .required = true,
	    .read = read_allow },
	{ .name = "scope",
	    .usage = "device|model|group|tag|listener NAME...",
	    .min = 2,
	    .max = 2 * SCOPE_WORDS,
	    .repeats = true,
	    .required = true,
	    .read = read_scope },
	{ .name = "require",
	    .usage = "aes-profile|source NETWORK...|one-time DURATION",
	    .min = 1,
	    .max = SCFG_WORDS_MAX,
	    .repeats = true,
	    .required = true,
	    .read = read_require },
	{ .name = "until",
	    .usage = "DATE",
	    .min = 1,
	    .max = 1,
	    .required = true,
	    .read = read_until },
	{ .name = "reason",
	    .usage = "TEXT",
	    .min = 1,
	    .max = 1,
	    .required = true,
	    .read = read_reason },
	{ .name = "who",
	    .usage = "TEXT",
	    .min = 1,
	    .max = 1,
	    .required = true,
	    .read = read_who },
};

static const struct config_table table = {
	directives,
	sizeof(directives) / sizeof(*directives),
	"in an exception block",
};

static void
read_block_name(struct config_reader *reader, const struct scfg_word *word)
{
	const struct config *config = reader->config;
	struct exception *exception = current(reader);
	size_t len = strlen(word->text);
	char shown[CONFIG_SHOWN_BYTES];

	config_show(word, shown);
	if (len == 0 || len > EXCEPTION_NAME_MAX ||
	    strspn(word->text, "abcdefghijklmnopqrstuvwxyz0123456789-_") !=
		len) {
		config_complain(reader, config_place(word),
		    "\"%s\" is no name for an exception: expected 1 to %d of "
		    "a-z, 0-9, \"-\" and \"_\"",
		    shown, EXCEPTION_NAME_MAX);
		return;
	}
	for (size_t i = 0; i + 1 < config->exception_count; i++)
		if (strcmp(config->exceptions[i].name, word->text) == 0)
			config_complain(reader, config_place(word),
			    "exception \"%s\" is given twice: expected another "
			    "name than at %s:%u:%u",
			    shown, config->path,
			    config->exception_places[i].line,
			    config->exception_places[i].column);
	memcpy(exception->name, word->text, len + 1);
	(void)snprintf(exception->label, sizeof(exception->label),
	    "own-profile by exception %s", exception->name);
}

void
config_exception_read(struct config_reader *reader,
    const struct scfg_directive *d, const struct config_table *outside)
{
	struct config *config = reader->config;
	struct config_place place = config_place(&d->words[1]);
	size_t count = config->exception_count, before = reader->errors->count;

	if (count == CONFIG_EXCEPTIONS_MAX) {
		config_complain(reader, place, "more than %d exceptions",
		    CONFIG_EXCEPTIONS_MAX);
		return;
	}
	config->exceptions = xrealloc(config->exceptions,
	    (count + 1) * sizeof(*config->exceptions));
	config->exception_places = xrealloc(config->exception_places,
	    (count + 1) * sizeof(*config->exception_places));
	config->exceptions[count] = (struct exception) { .scope_count = 0 };
	config->exception_places[count] = place;
	config->exception_count++;
	if (!d->damaged)
		read_block_name(reader, &d->words[1]);
	config_read_block(reader, d, place, &table, outside);
	if (reader->errors->count == before &&
	    !exception_is_bounded(current(reader)))
		config_complain(reader, place,
		    "\"one-time\" alone lets in whoever comes first with a "
		    "certificate that proves nobody: expected \"require "
		    "aes-profile\" or \"require source\" besides, or \"scope "
		    "device MAC\" in every scope");
}

static bool
has_listener(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->listener_count; i++)
		if (strcmp(config->listeners[i].name, name) == 0)
			return true;
	return *name == '\0';
}

void
config_exceptions_check(struct config_reader *reader)
{
	const struct config *config = reader->config;

	for (size_t i = 0; i < config->exception_count; i++) {
		const struct exception *exception = &config->exceptions[i];

		for (size_t j = 0; j < exception->scope_count; j++)
			if (!has_listener(config,
				exception->scopes[j].listener))
				config_complain(reader,
				    config->exception_places[i],
				    "there is no listener \"%s\"",
				    exception->scopes[j].listener);
	}
}
