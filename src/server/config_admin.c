#include "server/config_admin.h"
#include "base/mem.h"
#include "server/config_reader.h"

#include <stdlib.h>
#include <string.h>

void
config_admin_clear(struct config *config)
{
	struct config_admin *admin = &config->admin;

	free(admin->addresses);
	free(admin->address_places);
	free(admin->certificate.path);
	free(admin->certificate.key_path);
	free(admin->anchors);
}

static void
read_address(struct config_reader *reader, const struct scfg_directive *d)
{
	struct config_admin *admin = &reader->config->admin;
	const struct scfg_word *word = &d->words[1];
	char shown[CONFIG_SHOWN_BYTES];
	struct error err;
	struct addr addr;

	config_show(word, shown);
	if (addr_parse(&addr, word->text, &err) != 0) {
		config_complain(reader, config_place(word),
		    "\"%s\" is no address with a port: expected "
		    "127.0.0.1:8443 or [::1]:8443",
		    shown);
		return;
	}
	for (size_t i = 0; i < admin->address_count; i++)
		if (addr_equal(&addr, &admin->addresses[i])) {
			config_complain(reader, config_place(word),
			    "address %s is given twice: expected it once",
			    shown);
			return;
		}
	if (admin->address_count == CONFIG_ADMIN_ADDRESSES_MAX) {
		config_complain(reader, config_place(word),
		    "more than %d addresses in the admin block",
		    CONFIG_ADMIN_ADDRESSES_MAX);
		return;
	}
	admin->addresses = xrealloc(admin->addresses,
	    (admin->address_count + 1) * sizeof(*admin->addresses));
	admin->address_places = xrealloc(admin->address_places,
	    (admin->address_count + 1) * sizeof(*admin->address_places));
	admin->addresses[admin->address_count] = addr;
	admin->address_places[admin->address_count++] = config_place(word);
}

static void
read_certificate(struct config_reader *reader, const struct scfg_directive *d)
{
	struct config_certificate *certificate =
	    &reader->config->admin.certificate;
	char shown[CONFIG_SHOWN_BYTES];

	if (strcmp(d->words[2].text, "key") != 0) {
		config_show(&d->words[2], shown);
		config_complain(reader, config_place(&d->words[2]),
		    "\"%s\": expected \"key\", as in \"certificate admin.crt "
		    "key admin.key\"",
		    shown);
		return;
	}
	if (certificate->path != NULL)
		return; /* given twice: that was said */
	certificate->path = config_path(reader, &d->words[1]);
	certificate->key_path = config_path(reader, &d->words[3]);
	certificate->place = config_place(&d->words[1]);
}

static void
read_anchors(struct config_reader *reader, const struct scfg_directive *d)
{
	struct config_admin *admin = &reader->config->admin;

	free(admin->anchors);
	admin->anchors = config_path(reader, &d->words[1]);
	admin->anchors_place = config_place(&d->words[1]);
}

static void
read_plain(struct config_reader *reader, const struct scfg_directive *d)
{
	reader->config->admin.plain = true;
	reader->config->admin.plain_place = config_place(&d->words[0]);
}

static void
read_metrics(struct config_reader *reader, const struct scfg_directive *d)
{
	static const char *const names[] = { "token", "loopback" };
	int which = config_choose(reader, &d->words[1], "way to read metrics",
	    names, 2);

	reader->config->admin.open_metrics = which == 1;
}

static const struct config_directive directives[] = {
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
	    .read = read_certificate },
	{ .name = "client-anchors",
	    .usage = "FILE",
	    .min = 1,
	    .max = 1,
	    .read = read_anchors },
	{ .name = "plain-http", .usage = "", .read = read_plain },
	{ .name = "metrics",
	    .usage = "token|loopback",
	    .min = 1,
	    .max = 1,
	    .read = read_metrics },
};

static const struct config_table table = {
	directives,
	sizeof(directives) / sizeof(*directives),
	"in an admin block",
};

/* Directives of other blocks get no hint where they belong. */
static const struct config_table nothing = { NULL, 0, "" };

/* Passwords and tokens never cross a network in clear. */
static void
check_plain(struct config_reader *reader)
{
	const struct config_admin *admin = &reader->config->admin;

	if (admin->certificate.path != NULL || admin->anchors != NULL)
		config_complain(reader, admin->plain_place,
		    "\"plain-http\" does not go with \"certificate\" or "
		    "\"client-anchors\": expected one of the two");
	for (size_t i = 0; i < admin->address_count; i++)
		if (!addr_is_loopback(&admin->addresses[i]))
			config_complain(reader, admin->address_places[i],
			    "\"plain-http\" on an address that others reach: "
			    "expected 127.0.0.1 or [::1], or a certificate");
}

void
config_read_admin(struct config_reader *reader, const struct scfg_directive *d)
{
	struct config_admin *admin = &reader->config->admin;
	struct config_place place = config_place(&d->words[0]);
	size_t before = reader->errors->count;

	config_read_block(reader, d, place, &table, &nothing);
	if (reader->errors->count > before)
		return;
	if (admin->plain)
		check_plain(reader);
	else if (admin->certificate.path == NULL)
		config_complain(reader, place,
		    "\"certificate\" is missing: expected \"certificate FILE "
		    "key FILE\", or \"plain-http\" on a loopback address");
}
