/*
 * asterisk_conf.h -- the form that Asterisk's configuration files have.
 *
 *     [general]
 *     key = value          ; a comment
 *     key => value
 *     [base](!)            a section for others to build on
 *     [6001](base)         what base sets, and more
 *     ;-- a comment of several lines --;
 *
 * What a section sets later counts before what it sets earlier, and before what
 * it builds on.  #include and #exec are not followed: they are said.
 * Source: [ASTERISK], the samples and the manual page of its configuration.
 */
#ifndef IMPORTER_ASTERISK_CONF_H
#define IMPORTER_ASTERISK_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "importer/fleet.h"

#define CONF_BYTES_MAX (16UL * 1024 * 1024)
#define CONF_LINE_MAX 8192
#define CONF_SETTINGS_MAX 500000
#define CONF_BASES_MAX 8 /* sections that one builds on */

struct conf_setting {
	char *name, *value;
	size_t line, column; /* of the name */
};

struct conf_section {
	char *name;
	bool is_template; /* "(!)" */
	size_t line;
	struct conf_setting *settings;
	size_t count;
};

struct conf;

void conf_free(struct conf *conf);
/* NULL: a mistake, which is said.  file is for messages. */
struct conf *conf_read(struct fleet *fleet, const char *file, const char *text,
    size_t len) MUST_CHECK FREED_BY(conf_free);

size_t conf_count(const struct conf *conf);
const struct conf_section *conf_at(const struct conf *conf, size_t i);
const struct conf_section *conf_find(const struct conf *conf, const char *name);
/* The last setting of that name, whatever its case, or NULL. */
const struct conf_setting *
conf_get(const struct conf_section *section, const char *name);

#endif
