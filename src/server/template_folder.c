#include "server/template_folder.h"
#include "base/file.h"
#include "base/text.h"
#include "provision/starter.h"
#include "provision/small_templates.h"
#include "provision/template.h"
#include "server/config.h"
#include "server/firmware.h"

#include <dirent.h>
#include <stdlib.h>

struct loading {
	const struct config *config;
	struct templates *templates;
	struct errors *errors;
};

/* All complaints point at the directive that named the folder. */
static void
complain(const struct loading *loading, const char *text)
{
	const struct config *config = loading->config;

	errors_add(loading->errors, "%s:%u:%u: %s", config->path,
	    config->templates_place.line, config->templates_place.column, text);
}

/* Only files that end in .xml: editors leave other things beside them. */
static int
is_template(const struct dirent *entry)
{
	return *entry->d_name != '.' && text_ends(entry->d_name, ".xml");
}

static void
load_file(const struct loading *loading, const char *name)
{
	const char *folder = loading->config->templates;
	char *path = file_join(folder, name);
	char *text = NULL;
	struct error err;
	size_t len;
	int rc;

	rc = file_read(path, TEMPLATE_TEXT_MAX, &text, &len, &err);
	if (rc == 0 &&
	    (rc = templates_add(loading->templates, name, text, len, &err)) !=
		0)
		(void)error_prefix(&err, "%s/", folder);
	if (rc != 0) {
		complain(loading, err.text);
		/* It is there: what names it shall not be called wrong, too. */
		if (templates_add(loading->templates, name, "", 0, &err) != 0)
			complain(loading, err.text);
	}
	free(text);
	free(path);
}

/* False when the folder cannot be read. */
static bool
load_files(const struct loading *loading)
{
	const char *folder = loading->config->templates;
	struct dirent **entries = NULL;
	struct error err;
	int count;

	count = scandir(folder, &entries, is_template, alphasort);
	if (count < 0) {
		(void)error_errno(&err, "%s", folder);
		complain(loading, err.text);
	}
	for (int i = 0; i < count; i++) {
		load_file(loading, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return count >= 0;
}

/* Do the templates stand by each other? */
static void
check(const struct loading *loading)
{
	struct errors found = { 0 };

	if (templates_check(loading->templates, &found) != 0)
		for (size_t i = 0; i < found.kept; i++) {
			struct error err = { 0 };

			(void)error_set(&err, ERROR_INPUT, "%s/%s",
			    loading->config->templates, found.text[i]);
			complain(loading, err.text);
		}
	errors_clear(&found);
}

struct templates *
template_folder_load(const struct config *config, bool *known,
    struct errors *errors)
{
	struct loading loading = { config, templates_new(), errors };
	bool has_folder = config != NULL && config->templates != NULL;
	struct error err;

	*known = true;
	if (has_folder)
		*known = load_files(&loading);
	if (starters_add(loading.templates, &err) != 0)
		errors_add(errors, "%s", err.text);
	if (templates_add_small(loading.templates, &err) != 0)
		errors_add(errors, "%s", err.text);
	if (has_folder && *known)
		check(&loading);
	if (config != NULL)
		templates_give_ladders(loading.templates,
		    firmware_load_ladders(config, errors));
	return loading.templates;
}
