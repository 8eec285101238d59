/*
 * query.h -- the query of a target: NAME=VALUE, joined by '&'.
 *
 * application/x-www-form-urlencoded, as forms and scripts send it: '+' is a
 * blank, "%41" a byte.  One name has one value here, and neither has control
 * characters; what is too long or too many is refused.
 */
#ifndef HTTP_QUERY_H
#define HTTP_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#define QUERY_PARAMETERS_MAX 16
#define QUERY_NAME_MAX 31
#define QUERY_VALUE_MAX 255

struct query {
	size_t count;
	struct {
		char name[QUERY_NAME_MAX + 1];
		char value[QUERY_VALUE_MAX + 1]; /* "" without '=' */
	} list[QUERY_PARAMETERS_MAX];
};

/* Read text; *query is undefined on false. */
bool query_read(struct query *query, const char *text);

/* The index of a name; -1 when there is none. */
int query_find(const struct query *query, const char *name);

#endif
