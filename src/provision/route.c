#include "provision/route.h"
#include "base/mem.h"
#include "base/text.h"
#include "spa/registry.h"

#include <stdlib.h>
#include <string.h>

enum piece_kind { PIECE_TEXT, PIECE_MAC, PIECE_PRODUCT, PIECE_SERIES };

struct piece {
	enum piece_kind kind;
	char *text; /* of PIECE_TEXT */
};

struct route {
	enum route_kind kind;
	char *template;
	size_t file;
	bool own; /* of ROUTE_PROFILE: the path need not name the device */
	struct piece *pieces;
	size_t piece_count;
};

struct routes {
	struct route *list;
	size_t count;
};

static const struct {
	const char *name;
	enum piece_kind kind;
} macros[] = {
	/* Longer names first: $MA is the beginning of $MAU and $MAC. */
	{ "$MAU", PIECE_MAC },
	{ "$MAC", PIECE_MAC },
	{ "$MA", PIECE_MAC },
	{ "$PSN", PIECE_SERIES },
	{ "$PN", PIECE_PRODUCT },
};

bool
route_kind_is_report(enum route_kind kind)
{
	return kind == ROUTE_REPORT || kind == ROUTE_REPORT_DELTA ||
	    kind == ROUTE_REPORT_STATUS;
}

struct routes *
routes_new(void)
{
	return xcalloc(1, sizeof(struct routes));
}

static void
route_clear(struct route *route)
{
	for (size_t i = 0; i < route->piece_count; i++)
		free(route->pieces[i].text);
	free(route->pieces);
	free(route->template);
}

void
routes_free(struct routes *routes)
{
	if (routes == NULL)
		return;
	for (size_t i = 0; i < routes->count; i++)
		route_clear(&routes->list[i]);
	free(routes->list);
	free(routes);
}

static void
add_piece(struct route *route, enum piece_kind kind, const char *text,
    size_t len)
{
	struct piece *piece;

	route->pieces = xrealloc(route->pieces,
	    (route->piece_count + 1) * sizeof(*route->pieces));
	piece = &route->pieces[route->piece_count++];
	piece->kind = kind;
	piece->text = kind == PIECE_TEXT ? xstrndup(text, len) : NULL;
}

/* Read the macro at text into route; returns its length, 0 if it is none. */
static size_t
add_macro(struct route *route, const char *text)
{
	for (size_t i = 0; i < sizeof(macros) / sizeof(*macros); i++) {
		size_t len = strlen(macros[i].name);

		if (strncmp(text, macros[i].name, len) == 0) {
			add_piece(route, macros[i].kind, NULL, 0);
			return len;
		}
	}
	return 0;
}

static bool
has_mac(const struct route *route)
{
	for (size_t i = 0; i < route->piece_count; i++)
		if (route->pieces[i].kind == PIECE_MAC)
			return true;
	return false;
}

static int
parse_pattern(struct route *route, const char *pattern, struct error *err)
{
	const char *p = pattern;

	if (*p != '/')
		return error_set(err, ERROR_INPUT,
		    "\"%s\": a path begins with '/'", pattern);
	while (*p != '\0') {
		size_t len = strcspn(p, "$");

		if (len > 0) {
			add_piece(route, PIECE_TEXT, p, len);
			p += len;
			continue;
		}
		if (route->piece_count == 0 ||
		    route->pieces[route->piece_count - 1].kind != PIECE_TEXT)
			return error_set(err, ERROR_INPUT,
			    "\"%s\": two macros need text between them",
			    pattern);
		len = add_macro(route, p);
		if (len == 0)
			return error_set(err, ERROR_INPUT,
			    "\"%s\": unknown macro at \"%.16s\": expected "
			    "$MA, $MAU, $MAC, $PN or $PSN",
			    pattern, p);
		p += len;
	}
	if (route->kind == ROUTE_PROFILE && !route->own &&
	    route->piece_count < 2)
		return error_set(err, ERROR_INPUT,
		    "\"%s\": a profile's path needs a macro such as $MA",
		    pattern);
	if (route_kind_is_report(route->kind) && !has_mac(route))
		return error_set(err, ERROR_INPUT,
		    "\"%s\": a report's path needs the device's address: "
		    "$MA, $MAU or $MAC",
		    pattern);
	return 0;
}

bool
route_kind_is_public(enum route_kind kind)
{
	return kind == ROUTE_PUBLIC || kind == ROUTE_PUBLIC_FILE;
}

/* Read the pattern of route, which is taken, also on failure. */
static int
add_route(struct routes *routes, struct route route, const char *pattern,
    struct error *err)
{
	if (parse_pattern(&route, pattern, err) != 0) {
		route_clear(&route);
		return -1;
	}
	routes->list = xrealloc(routes->list,
	    (routes->count + 1) * sizeof(*routes->list));
	routes->list[routes->count++] = route;
	return 0;
}

int
routes_add(struct routes *routes, enum route_kind kind, const char *pattern,
    const char *template, struct error *err)
{
	const struct route route = {
		.kind = kind,
		.template = template != NULL ? xstrdup(template) : NULL,
	};

	return add_route(routes, route, pattern, err);
}

int
routes_add_own(struct routes *routes, const char *pattern, struct error *err)
{
	const struct route route = { .kind = ROUTE_PROFILE, .own = true };

	if (strstr(pattern, "$MA") != NULL)
		return error_set(err, ERROR_INPUT,
		    "\"%s\": names a device: expected it in \"profile\"",
		    pattern);
	return add_route(routes, route, pattern, err);
}

int
routes_add_file(struct routes *routes, enum route_kind kind,
    const char *pattern, size_t file, struct error *err)
{
	const struct route route = { .kind = kind, .file = file };

	return add_route(routes, route, pattern, err);
}

/*
 * Each macro says itself how long it is: what follows it in the pattern may
 * stand within it, too, as the hyphens of CP-8841-3PCC and 00-0e-08-aa-bb-cc.
 */
static size_t
take_mac(struct route_match *match, const char *path)
{
	static const size_t spellings[] = { MAC_TEXT_BYTES - 1,
		MAC_COLON_BYTES - 1 };
	struct mac mac;

	for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
		size_t len = spellings[i];

		if (strnlen(path, len) < len || !mac_read(&mac, path, len))
			continue;
		if (match->has_mac && !mac_equal(&mac, &match->mac))
			return 0;
		match->mac = mac;
		match->has_mac = true;
		return len;
	}
	return 0;
}

static bool
is_same(const char *named, const char *name)
{
	return named == NULL || strcmp(named, name) == 0;
}

bool
route_match_is_for(const struct route_match *match, const struct model *model)
{
	if (model == NULL)
		return match->product == NULL && match->series == NULL;
	return is_same(match->product, model->product) &&
	    is_same(match->series, model->series);
}

/*
 * Models are compared as devices write them into their URLs: case counts.
 * What follows in the pattern decides between SPA525G and SPA525G2.
 */
static size_t
take_model(struct route_match *match, enum piece_kind kind, const char *path,
    const char *next)
{
	for (size_t i = 0; i < registry_model_count; i++) {
		const struct model *model = &registry_models[i];
		const char *name = kind == PIECE_SERIES ? model->series :
							  model->product;
		size_t len = strlen(name);

		if (!text_starts(path, name) ||
		    !(next != NULL ? text_starts(path + len, next) :
				     path[len] == '\0') ||
		    !route_match_is_for(match, model))
			continue;
		if (kind == PIECE_SERIES)
			match->series = name;
		else
			match->product = name;
		return len;
	}
	return 0;
}

/* How much of path the piece takes; 0: it does not match. */
static size_t
take_piece(const struct route *route, size_t index, const char *path,
    struct route_match *match)
{
	const struct piece *piece = &route->pieces[index];
	/* Behind a macro comes text or the end: parse_pattern(). */
	const char *next = index + 1 < route->piece_count ?
	    route->pieces[index + 1].text :
	    NULL;

	switch (piece->kind) {
	case PIECE_TEXT:
		return text_starts(path, piece->text) ? strlen(piece->text) : 0;
	case PIECE_MAC:
		return take_mac(match, path);
	case PIECE_PRODUCT:
	case PIECE_SERIES:
		return take_model(match, piece->kind, path, next);
	}
	return 0;
}

static bool
match_route(const struct route *route, const char *path,
    struct route_match *match)
{
	*match = (struct route_match) { .kind = route->kind,
		.template = route->template,
		.file = route->file };
	for (size_t i = 0; i < route->piece_count; i++) {
		size_t len = take_piece(route, i, path, match);

		if (len == 0)
			return false;
		path += len;
	}
	return *path == '\0';
}

bool
routes_match(const struct routes *routes, const char *path,
    struct route_match *match)
{
	for (size_t i = 0; i < routes->count; i++)
		if (match_route(&routes->list[i], path, match))
			return true;
	return false;
}
