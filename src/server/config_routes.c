#include "server/config_routes.h"
#include "base/mem.h"
#include "base/text.h"

#include <string.h>

/*
 * Where devices look for their own profile, when the file does not say.
 * ASSUMED: no device asks for the first six by itself; they are what profile
 * rules are likely to say, with the macros of [LINKSYS-PROV] p. 70.
 * The last one is the tail that multiplatform phones add by themselves to a
 * URL from DHCP: [MPP-MIGRATION] "DHCP Options Auto Provisioning".
 */
static const char *const default_profile_paths[] = {
	"/spa$MA.cfg",
	"/spa$MAU.cfg",
	"/$MA.xml",
	"/$MA.cfg",
	"/$MAU.cfg",
	"/spa-$MA.cfg",
	"/Cisco/$PN/$MA.cfg",
};
#define DEFAULT_PROFILE_PATHS \
	(sizeof(default_profile_paths) / sizeof(*default_profile_paths))

static struct config_route *
append_route(struct config *config, enum config_route_kind kind,
    const char *pattern)
{
	struct config_route *route;

	config->routes = xrealloc(config->routes,
	    (config->route_count + 1) * sizeof(*config->routes));
	route = &config->routes[config->route_count++];
	*route = (struct config_route) {
		.kind = kind,
		.pattern = xstrdup(pattern),
	};
	return route;
}

static const struct config_route *
find_route(const struct config *config, const char *pattern)
{
	for (size_t i = 0; i < config->route_count; i++)
		if (strcmp(config->routes[i].pattern, pattern) == 0)
			return &config->routes[i];
	return NULL;
}

struct config_route *
config_read_route(struct config_reader *reader, enum config_route_kind kind,
    const struct scfg_word *word)
{
	struct config *config = reader->config;
	struct config_place place = config_place(word);
	const struct config_route *same = find_route(config, word->text);
	char shown[CONFIG_SHOWN_BYTES];
	struct config_route *route;

	config_show(word, shown);
	if (*word->text != '/') {
		config_complain(reader, place,
		    "\"%s\" is no path: expected "
		    "it to begin with \"/\"",
		    shown);
		return NULL;
	}
	if (same != NULL) {
		config_complain(reader, place,
		    "path \"%s\" is given twice: "
		    "expected it once, as at %s:%u:%u",
		    shown, config->path, same->place.line, same->place.column);
		return NULL;
	}
	if (config->route_count == CONFIG_ROUTES_MAX) {
		config_complain(reader, place,
		    "more than %d paths in profile, "
		    "common, public and report",
		    CONFIG_ROUTES_MAX);
		return NULL;
	}
	route = append_route(config, kind, word->text);
	route->place = place;
	return route;
}

void
config_read_profile(struct config_reader *reader,
    const struct scfg_directive *d)
{
	for (size_t i = 1; i < d->count; i++)
		(void)config_read_route(reader, CONFIG_PROFILE, &d->words[i]);
	reader->profile_given = true;
}

static void
read_template_route(struct config_reader *reader, enum config_route_kind kind,
    const struct scfg_directive *d)
{
	struct config_route *route = config_read_route(reader, kind,
	    &d->words[1]);
	const struct scfg_word *word = &d->words[2];
	char shown[CONFIG_SHOWN_BYTES];

	/* A plain name in the folder of templates: nothing climbs out of it. */
	if (strchr(word->text, '/') != NULL || *word->text == '.' ||
	    !text_ends(word->text, ".xml")) {
		config_show(word, shown);
		config_complain(reader, config_place(word),
		    "\"%s\" is no template: expected NAME.xml without a "
		    "folder",
		    shown);
	}
	if (route != NULL) {
		route->template = xstrdup(word->text);
		route->template_place = config_place(word);
	}
}

void
config_read_common(struct config_reader *reader, const struct scfg_directive *d)
{
	read_template_route(reader, CONFIG_COMMON, d);
}

void
config_read_public(struct config_reader *reader, const struct scfg_directive *d)
{
	read_template_route(reader, CONFIG_PUBLIC, d);
}

/* PATH, and what of itself the device sends there. */
void
config_read_report(struct config_reader *reader, const struct scfg_directive *d)
{
	static const char *const names[] = { "full", "delta", "status" };
	static const enum config_route_kind kinds[] = { CONFIG_REPORT,
		CONFIG_REPORT_DELTA, CONFIG_REPORT_STATUS };
	int i = 0;

	if (d->count > 2)
		i = config_choose(reader, &d->words[2], "kind of report", names,
		    sizeof(names) / sizeof(*names));
	(void)config_read_route(reader, kinds[i >= 0 ? i : 0], &d->words[1]);
}

void
config_routes_complete(struct config_reader *reader)
{
	struct config *config = reader->config;

	/* After those of the file, which so have the first word. */
	for (size_t i = 0; i < DEFAULT_PROFILE_PATHS; i++)
		if (!reader->profile_given &&
		    find_route(config, default_profile_paths[i]) == NULL)
			(void)append_route(config, CONFIG_PROFILE,
			    default_profile_paths[i]);
}
