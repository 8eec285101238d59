#include "server/config_listener.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

void
config_listener_clear(struct config_listener *listener)
{
	free(listener->addresses);
	free(listener->address_places);
	for (size_t i = 0; i < listener->other_count; i++) {
		free(listener->others[i].path);
		free(listener->others[i].key_path);
	}
	free(listener->others);
	free(listener->certificate_path);
	free(listener->key_path);
	for (size_t i = 0; i < listener->anchor_path_count; i++)
		free(listener->anchor_paths[i]);
	free(listener->anchor_paths);
	free(listener->anchor_places);
	for (size_t i = 0; i < listener->expired_anchor_count; i++)
		free(listener->expired_anchors[i]);
	free(listener->expired_anchors);
	free(listener->expired_anchor_places);
}

/*
 * Complain when another listener, or this one, has the address.  0.0.0.0:443
 * and 192.0.2.1:443 differ: whether both can be bound is the kernel's to say.
 */
static int
check_address(struct config_reader *reader, const struct scfg_word *word,
    const struct addr *addr)
{
	const struct config *config = reader->config;

	for (size_t i = 0; i < config->listener_count; i++) {
		const struct config_listener *l = &config->listeners[i];

		for (size_t j = 0; j < l->address_count; j++) {
			char text[ADDR_TEXT_BYTES];

			if (!addr_equal(addr, &l->addresses[j]))
				continue;
			addr_format(addr, text);
			config_complain(reader, config_place(word),
			    "address %s is taken by listener \"%s\" at "
			    "%s:%u:%u: expected each address once",
			    text, l->name, config->path,
			    l->address_places[j].line,
			    l->address_places[j].column);
			return -1;
		}
	}
	return 0;
}

static void
read_address(struct config_reader *reader, const struct scfg_directive *d)
{
	struct config_listener *l = reader->listener;
	const struct scfg_word *word = &d->words[1];
	char shown[CONFIG_SHOWN_BYTES];
	struct error err;
	struct addr addr;

	if (addr_parse(&addr, word->text, &err) != 0) {
		config_show(word, shown);
		config_complain(reader, config_place(word),
		    "\"%s\" is no address with a port: expected "
		    "192.0.2.1:443 or [2001:db8::1]:443",
		    shown);
		return;
	}
	if (check_address(reader, word, &addr) != 0)
		return;
	if (l->address_count == CONFIG_ADDRESSES_MAX) {
		config_complain(reader, config_place(word),
		    "more than %d addresses in one listener",
		    CONFIG_ADDRESSES_MAX);
		return;
	}
	l->addresses = xrealloc(l->addresses,
	    (l->address_count + 1) * sizeof(*l->addresses));
	l->address_places = xrealloc(l->address_places,
	    (l->address_count + 1) * sizeof(*l->address_places));
	l->addresses[l->address_count] = addr;
	l->address_places[l->address_count++] = config_place(word);
}

/* One more than the first. */
static void
add_certificate(struct config_reader *reader, const struct scfg_directive *d)
{
	struct config_listener *l = reader->listener;

	if (l->other_count + 1 == CONFIG_CERTIFICATES_MAX) {
		config_complain(reader, config_place(&d->words[0]),
		    "more than %d certificates for one listener",
		    CONFIG_CERTIFICATES_MAX);
		return;
	}
	l->others = xrealloc(l->others,
	    (l->other_count + 1) * sizeof(*l->others));
	l->others[l->other_count++] = (struct config_certificate) {
		.path = config_path(reader, &d->words[1]),
		.key_path = config_path(reader, &d->words[3]),
		.place = config_place(&d->words[1]),
	};
}

static void
read_certificate(struct config_reader *reader, const struct scfg_directive *d)
{
	struct config_listener *l = reader->listener;
	char shown[CONFIG_SHOWN_BYTES];

	if (strcmp(d->words[2].text, "key") != 0) {
		config_show(&d->words[2], shown);
		config_complain(reader, config_place(&d->words[2]),
		    "\"%s\": expected \"key\", as in \"certificate "
		    "server.crt key server.key\"",
		    shown);
	}
	if (l->certificate_path != NULL) {
		add_certificate(reader, d);
		return;
	}
	l->certificate_path = config_path(reader, &d->words[1]);
	l->certificate_place = config_place(&d->words[1]);
	l->key_path = config_path(reader, &d->words[3]);
}

static void
read_tls(struct config_reader *reader, const struct scfg_directive *d)
{
	static const char *const names[] = { "legacy", "modern" };
	static const enum tls_policy policies[] = { TLS_LEGACY, TLS_MODERN };
	int i = config_choose(reader, &d->words[1], "TLS policy", names, 2);

	if (i >= 0)
		reader->listener->policy = policies[i];
}

static void
read_client_certificate(struct config_reader *reader,
    const struct scfg_directive *d)
{
	static const char *const names[] = { "required", "optional" };
	int i = config_choose(reader, &d->words[1],
	    "choice for client-certificate", names, 2);

	if (i >= 0)
		reader->listener->certificate_required = i == 0;
}

static void
read_expired_devices(struct config_reader *reader,
    const struct scfg_directive *d)
{
	static const char *const names[] = { "refuse", "allow" };
	int i = config_choose(reader, &d->words[1],
	    "choice for expired-device-certificates", names, 2);

	if (i >= 0)
		reader->listener->allow_expired_devices = i == 1;
}

/* Add text, which is taken, to a list with the places of its elements. */
static void
add_text(struct config_reader *reader, const struct scfg_word *word,
    const char *what, char *text, char ***list, struct config_place **places,
    size_t *count)
{
	char shown[CONFIG_SHOWN_BYTES];

	for (size_t i = 0; i < *count; i++) {
		struct config_place first = (*places)[i];

		if (strcmp((*list)[i], text) != 0)
			continue;
		config_show(word, shown);
		config_complain(reader, config_place(word),
		    "%s \"%s\" is given twice: expected it once, as at "
		    "%s:%u:%u",
		    what, shown, reader->config->path, first.line,
		    first.column);
		free(text);
		return;
	}
	if (*count == CONFIG_ANCHORS_MAX) {
		config_complain(reader, config_place(word),
		    "more than %d of \"%s\" in one listener",
		    CONFIG_ANCHORS_MAX, what);
		free(text);
		return;
	}
	*list = xrealloc(*list, (*count + 1) * sizeof(**list));
	*places = xrealloc(*places, (*count + 1) * sizeof(**places));
	(*list)[*count] = text;
	(*places)[(*count)++] = config_place(word);
}

static void
read_anchors(struct config_reader *reader, const struct scfg_directive *d)
{
	struct config_listener *l = reader->listener;
	char *path = config_path(reader, &d->words[1]);

	if (path != NULL)
		add_text(reader, &d->words[1], d->words[0].text, path,
		    &l->anchor_paths, &l->anchor_places, &l->anchor_path_count);
}

static void
read_expired_anchor(struct config_reader *reader,
    const struct scfg_directive *d)
{
	struct config_listener *l = reader->listener;
	const struct scfg_word *word = &d->words[1];

	if (*word->text == '\0') {
		config_complain(reader, config_place(word),
		    "an empty name: "
		    "expected the subject CN of an anchor");
		return;
	}
	add_text(reader, word, d->words[0].text, xstrdup(word->text),
	    &l->expired_anchors, &l->expired_anchor_places,
	    &l->expired_anchor_count);
}

static void
read_plain(struct config_reader *reader, const struct scfg_directive *d)
{
	reader->listener->plain = true;
	reader->listener->plain_place = config_place(&d->words[0]);
}

static const struct config_directive directives[] = {
	{ .name = "plain-http", .usage = "", .read = read_plain },
	{ .name = "address",
	    .usage = "ADDRESS:PORT",
	    .min = 1,
	    .max = 1,
	    .repeats = true,
	    .required = true,
	    .read = read_address },
	{ .name = "certificate",
	    .usage = "FILE key FILE",
	    .min = 3,
	    .max = 3,
	    .repeats = true,
	    .read = read_certificate },
	{ .name = "tls",
	    .usage = "legacy|modern",
	    .min = 1,
	    .max = 1,
	    .read = read_tls },
	{ .name = "client-certificate",
	    .usage = "required|optional",
	    .min = 1,
	    .max = 1,
	    .read = read_client_certificate },
	{ .name = "client-anchors",
	    .usage = "PATH",
	    .min = 1,
	    .max = 1,
	    .repeats = true,
	    .read = read_anchors },
	{ .name = "allow-expired-anchor",
	    .usage = "NAME",
	    .min = 1,
	    .max = 1,
	    .repeats = true,
	    .read = read_expired_anchor },
	{ .name = "expired-device-certificates",
	    .usage = "refuse|allow",
	    .min = 1,
	    .max = 1,
	    .read = read_expired_devices },
};

const struct config_table config_listener_table = {
	directives,
	sizeof(directives) / sizeof(*directives),
	"in a listener block",
};

static void
check_name(struct config_reader *reader, const struct scfg_word *word)
{
	const struct config *config = reader->config;
	size_t len = strlen(word->text);
	char shown[CONFIG_SHOWN_BYTES];

	if (len == 0 || len > CONFIG_LISTENER_NAME_MAX ||
	    strspn(word->text, "abcdefghijklmnopqrstuvwxyz0123456789-_") !=
		len) {
		config_show(word, shown);
		config_complain(reader, config_place(word),
		    "\"%s\" is no name for a listener: expected 1 to %d of "
		    "a-z, 0-9, \"-\" and \"_\"",
		    shown, CONFIG_LISTENER_NAME_MAX);
		return;
	}
	for (size_t i = 0; i < config->listener_count; i++) {
		const struct config_listener *l = &config->listeners[i];

		if (l == reader->listener || strcmp(l->name, word->text) != 0)
			continue;
		config_complain(reader, config_place(word),
		    "listener \"%s\" is given twice: expected another name "
		    "than at %s:%u:%u",
		    word->text, config->path, l->place.line, l->place.column);
		return;
	}
	memcpy(reader->listener->name, word->text, len + 1);
}

/* How often it is there; SIZE_MAX when a damaged line may be one. */
static size_t
count_of(const struct scfg_directive *block, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < block->child_count; i++) {
		if (block->children[i].damaged)
			return SIZE_MAX;
		if (strcmp(block->children[i].words[0].text, name) == 0)
			count++;
	}
	return count;
}

/* Plain HTTP must have nothing that speaks of TLS, or somebody would believe
 * that there was some. */
static void
check_plain(struct config_reader *reader, const struct scfg_directive *block)
{
	const struct config_place plain = reader->listener->plain_place;

	for (size_t i = 0; i < block->child_count; i++) {
		const struct scfg_word *word = &block->children[i].words[0];
		bool known = false;

		for (size_t j = 0; j < config_listener_table.count; j++)
			known = known ||
			    strcmp(word->text, directives[j].name) == 0;
		if (known && strcmp(word->text, "plain-http") != 0 &&
		    strcmp(word->text, "address") != 0)
			config_complain(reader, config_place(word),
			    "\"%s\" does not go with \"plain-http\" at "
			    "%u:%u: expected one of the two",
			    word->text, plain.line, plain.column);
	}
}

/* Mutual TLS needs a certificate and anchors. */
static void
check_kind(struct config_reader *reader, const struct scfg_directive *block,
    struct config_place place)
{
	static const char *const needed[] = { "certificate", "client-anchors" };
	static const char *const usages[] = { "FILE key FILE", "PATH" };

	if (reader->listener->plain) {
		check_plain(reader, block);
		return;
	}
	for (size_t i = 0; i < 2; i++)
		if (count_of(block, needed[i]) == 0)
			config_complain(reader, place,
			    "\"%s\" is missing: expected \"%s %s\"", needed[i],
			    needed[i], usages[i]);
}

void
config_listener_read(struct config_reader *reader,
    const struct scfg_directive *d, const struct config_table *outside)
{
	struct config *config = reader->config;
	struct config_place place = config_place(&d->words[1]);

	if (config->listener_count == CONFIG_LISTENERS_MAX) {
		config_complain(reader, place, "more than %d listeners",
		    CONFIG_LISTENERS_MAX);
		return;
	}
	config->listeners = xrealloc(config->listeners,
	    (config->listener_count + 1) * sizeof(*config->listeners));
	reader->listener = &config->listeners[config->listener_count++];
	*reader->listener = (struct config_listener) {
		.place = place,
		.policy = TLS_MODERN,
		.certificate_required = true,
	};
	if (!d->damaged)
		check_name(reader, &d->words[1]);
	config_read_block(reader, d, place, &config_listener_table, outside);
	check_kind(reader, d, place);
	reader->listener = NULL;
}
