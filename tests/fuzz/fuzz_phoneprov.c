/*
 * Asterisk's settings and a template of phoneprov: what is converted is a
 * template of ours, and its bounds hold.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "importer/asterisk_conf.h"
#include "importer/phoneprov.h"
#include "provision/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
load(void *arg, const char *name, char **text, size_t *len)
{
	assert(name[0] != '\0');
	*text = xstrdup(arg);
	*len = strlen(arg);
	return true;
}

static void
convert(const char *text, size_t len)
{
	struct phoneprov_names *names = xcalloc(1, sizeof(*names));
	struct templates *templates = templates_new();
	struct fleet *fleet = fleet_new();
	struct error err = { 0 };
	char *copy = xstrndup(text, len);
	struct variables variables = { 0 };
	struct buf out, hidden;

	buf_init(&out, PHONEPROV_TEMPLATE_MAX);
	buf_init(&hidden, 2 * PHONEPROV_TEMPLATE_MAX);
	if (phoneprov_convert(fleet, "t", text, len, 2, load, copy, &out,
		names) == 0) {
		assert(fleet_count(fleet, FLEET_ERROR) == 0);
		int rc = phoneprov_hide(fleet, &variables, "t", 0644,
		    buf_text(&out), &hidden);

		if (rc == 0 &&
		    templates_add(templates, "t", buf_text(&hidden), hidden.len,
			&err) != 0) {
			(void)fprintf(stderr, "%s\n%s\n", err.text,
			    buf_text(&hidden));
			abort(); /* what we make is one of ours */
		}
	} else {
		assert(fleet_count(fleet, FLEET_ERROR) > 0);
	}
	free(copy);
	fleet_free(fleet);
	templates_free(templates);
	free(names);
	variables_clear(&variables);
	buf_clear(&hidden);
	buf_clear(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fleet *fleet = fleet_new();
	struct conf *conf = conf_read(fleet, "c", (const char *)data, size);

	assert((conf == NULL) == (fleet_count(fleet, FLEET_ERROR) > 0));
	for (size_t i = 0; conf != NULL && i < conf_count(conf); i++)
		assert(conf_find(conf, conf_at(conf, i)->name) != NULL);
	conf_free(conf);
	fleet_free(fleet);
	convert((const char *)data, size);
	return 0;
}
