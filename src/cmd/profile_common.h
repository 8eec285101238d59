/*
 * profile_common.h -- what the parts of "sprov profile" share.
 */
#ifndef CMD_PROFILE_COMMON_H
#define CMD_PROFILE_COMMON_H

#include "base/error.h"

struct config;
struct device;
struct inventory;
struct snapshot;
struct templates;

/* The parts; as main() each. */
int profile_check_command(int argc, char **argv);
int profile_decrypt(int argc, char **argv);
int profile_diff(int argc, char **argv);
int profile_encrypt(int argc, char **argv);
int profile_render(int argc, char **argv);
int profile_templates(int argc, char **argv);
int profile_rotate(int argc, char **argv);

/* The options of the parts that render; texts are NULL until given. */
#define PROFILE_CONFIG_OPTION(path) \
	{ \
		.name = "config", .letter = 'c', .value = "FILE", \
		.help = "of the server: its templates, its inventory", \
		.text = (path) \
	}

/* What a rendering is made of: the templates and the inventory of the server's
 * configuration, or of the options that name others. */
struct profile_site {
	struct config *config; /* NULL: there is none */
	struct templates *templates;
	struct snapshot *snapshot; /* NULL until profile_site_load() */
	const char *secrets_key;   /* given by an option; set before loading */
};

/* config: of the server, NULL: where it usually is, if there is one.  -1: all
 * is said already. */
void profile_site_close(struct profile_site *site);
int profile_site_open(struct profile_site *site, const char *config) MUST_CHECK;

/* The inventory: a URI, or NULL: that of the configuration, else
 * device_find_uri().  -1: all is said already. */
int
profile_site_load(struct profile_site *site, const char *inventory) MUST_CHECK;

/* The key that opens its secrets: the one given, else the configuration's; NULL:
 * device_open_with() knows. */
const char *profile_site_key(const struct profile_site *site);

/* That URI; NULL: device_find_uri() knows. */
const char *
profile_site_uri(const struct profile_site *site, const char *given);

/* The device that text (a MAC) names; borrowed from the site. */
const struct device *profile_find_device(const struct profile_site *site,
    const char *text, struct error *err) MUST_CHECK;

#endif
