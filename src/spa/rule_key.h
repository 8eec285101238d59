/*
 * rule_key.h -- a profile rule for a device that has a key.
 */
#ifndef SPA_RULE_KEY_H
#define SPA_RULE_KEY_H

#include "base/buf.h"
#include "base/error.h"

/*
 * Append the rule with "[--key KEY]" before and the query behind every URL:
 *
 *     https://prov.example.net/spa$MA.cfg
 *     [--key KEY]https://prov.example.net/spa$MA.cfg?key=ID
 *
 * Other options stay; a URL that has a --key already is left alone, and so is
 * an alternative without URL.  key NULL: only the query.  ERROR_INPUT when the
 * rule cannot be read or out is full; out is then as it was.
 */
int rule_add_key(const char *rule, const char *key, const char *query,
    struct buf *out, struct error *err) MUST_CHECK;

#endif
