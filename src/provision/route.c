#include "provision/route.h"
#include "base/mem.h"
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
		if (route->pieces[route->piece_count - 1].kind != PIECE_TEXT)
			return error_set(err, ERROR_INPUT,
			    "\"%s\": two macros need text between them",
			    pattern);
		len = add_macro(route, p);
		if (len == 0)
			return error_set(err, ERROR_INPUT,
			    "\"%s\": unknown macro at \"%.16s\": expected "
			    "$MA, $MAU, $MAC, $PN or $PSN", pattern, p);
		p += len;
	}
	if (route->kind == ROUTE_PROFILE && route->piece_count < 2)
		return error_set(err, ERROR_INPUT,
		    "\"%s\": a profile's path needs a macro such as $MA",
		    pattern);
	return 0;
}

int
routes_add(struct routes *routes, enum route_kind kind, const char *pattern,
    const char *template, struct error *err)
{
	struct route route = { .kind = kind };

	if (parse_pattern(&route, pattern, err) != 0) {
		route_clear(&route);
		return -1;
	}
	route.template = template != NULL ? xstrdup(template) : NULL;
	routes->list = xrealloc(routes->list,
	    (routes->count + 1) * sizeof(*routes->list));
	routes->list[routes->count++] = route;
	return 0;
}

static bool
take_mac(struct route_match *match, const char *text, size_t len)
{
	struct mac mac;

	if (!mac_read(&mac, text, len))
		return false;
	if (match->has_mac && !mac_equal(&mac, &match->mac))
		return false;
	match->mac = mac;
	match->has_mac = true;
	return true;
}

/* Models are compared as devices write them into their URLs: case counts. */
static bool
take_model(struct route_match *match, enum piece_kind kind, const char *text,
    size_t len)
{
	for (size_t i = 0; i < registry_model_count; i++) {
		const struct model *model = &registry_models[i];
		const char *name = kind == PIECE_SERIES ? model->series :
		    model->product;

		if (strlen(name) == len && memcmp(name, text, len) == 0 &&
		    (match->model == NULL || match->model == model)) {
			match->model = model;
			return true;
		}
	}
	return false;
}

/* The length of what a macro takes: up to the text that follows it. */
static size_t
macro_span(const struct route *route, size_t index, const char *text)
{
	const char *next, *end;

	if (index + 1 == route->piece_count)
		return strlen(text);
	next = route->pieces[index + 1].text;
	end = strstr(text, next);
	return end != NULL ? (size_t)(end - text) : 0;
}

static bool
match_route(const struct route *route, const char *path,
    struct route_match *match)
{
	*match = (struct route_match) { .kind = route->kind,
		.template = route->template };
	for (size_t i = 0; i < route->piece_count; i++) {
		const struct piece *piece = &route->pieces[i];
		size_t len;

		if (piece->kind == PIECE_TEXT) {
			len = strlen(piece->text);
			if (strncmp(path, piece->text, len) != 0)
				return false;
		} else {
			len = macro_span(route, i, path);
			if (piece->kind == PIECE_MAC ?
			    !take_mac(match, path, len) :
			    !take_model(match, piece->kind, path, len))
				return false;
		}
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
