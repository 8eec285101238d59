/*
 * template_parse.h -- a template's text becomes a list of nodes.
 *
 * Inside the template module only; template.h is its interface.  Sections are
 * kept flat: a section's node says where the list goes on behind it, so that
 * rendering needs no recursion but for partials.
 */
#ifndef PROVISION_TEMPLATE_PARSE_H
#define PROVISION_TEMPLATE_PARSE_H

#include <stddef.h>

#include "base/error.h"
#include "provision/template.h"

enum node_kind {
	NODE_TEXT,
	NODE_ESCAPED,  /* {{name}} */
	NODE_RAW,      /* {{{name}}}, {{&name}} */
	NODE_SECTION,  /* {{#name}} */
	NODE_INVERTED, /* {{^name}} */
	NODE_PARTIAL,  /* {{>name}} */
};

struct node {
	enum node_kind kind;
	size_t offset; /* in the text: of the tag, or of a piece of text */
	size_t len;    /* of a piece of text */
	size_t end;    /* of a section: index of the first node behind it */
	char name[TEMPLATE_NAME_MAX + 1]; /* "" for a piece of text */
};

struct template
{
	char *name;
	char *text;
	size_t len;
	struct node *nodes;
	size_t count;
};

/*
 * Fill in nodes and count from name, text and len.  On -1 the nodes so far are
 * there to be released, too.
 */
int template_parse(struct template *template, struct error *err) MUST_CHECK;

/* "name:line:column: " goes before what err says; columns are bytes. */
int template_locate(const struct template *template, size_t offset,
    struct error *err);

#endif
