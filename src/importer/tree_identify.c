/*
 * Which device, model and group a file is for.
 */
#include "importer/tree.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "spa/registry.h"

#define HEAD_MAX 2048 /* of a profile: what stands before its parameters */

enum tree_kind
tree_kind(const char *text, size_t len)
{
	size_t i = 0;

	if (len >= 8 && memcmp(text, "Salted__", 8) == 0)
		return TREE_SALTED; /* [SPA-PROV] p. 21 */
	if (len >= 2 && memcmp(text, "\x1f\x8b", 2) == 0)
		return TREE_GZIP; /* RFC 1952 2.3.1 */
	for (size_t j = 0; j < len; j++)
		if ((unsigned char)text[j] < 0x20 &&
		    (text[j] == '\0' || strchr("\t\n\r\f", text[j]) == NULL))
			return TREE_BINARY;
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		i = 3;
	while (i < len && isspace((unsigned char)text[i]))
		i++;
	if (i == len)
		return TREE_EMPTY;
	if (text[i] != '<')
		return TREE_TEXT;
	return strstr(text + i, "<flat-profile") != NULL ? TREE_XML :
							   TREE_OTHER_XML;
}

/* Could an address begin here?  Not inside a longer number; but the hex digits
 * that end a word ("spa", "phone") are no part of it. */
static bool
may_begin(const char *name, const char *p)
{
	if (p == name || !isxdigit((unsigned char)p[-1]))
		return true;
	while (p > name && isalnum((unsigned char)p[-1]))
		if (!isxdigit((unsigned char)*--p))
			return true;
	return false;
}

bool
tree_find_mac(struct mac *mac, const char *name)
{
	static const size_t lengths[] = { MAC_TEXT_BYTES - 1,
		MAC_COLON_BYTES - 1 };
	bool found = false;

	for (const char *p = name; *p != '\0'; p++) {
		struct mac here;

		if (!may_begin(name, p))
			continue;
		for (size_t i = 0; i < 2; i++) {
			size_t n = lengths[i];

			if (strlen(p) < n || !mac_read(&here, p, n) ||
			    isxdigit((unsigned char)p[n]))
				continue;
			if (found && !mac_equal(mac, &here))
				return false;
			*mac = here;
			found = true;
		}
	}
	return found;
}

/* Names of parts, such as RTP, are words of comments, too: a number has to be
 * in it. */
static const struct model *
find_model(const char *text)
{
	const struct model *model = fleet_find_model(text);

	return model != NULL && strpbrk(model->name, "0123456789") != NULL ?
	    model :
	    NULL;
}

/* Comments and attributes before the parameters: "<!-- SPA504G -->",
 * <flat-profile device="SPA504G">. */
static const struct model *
model_of_head(const char *text, size_t len)
{
	char head[HEAD_MAX + 1];
	char *root;
	size_t n = len < HEAD_MAX ? len : HEAD_MAX;

	memcpy(head, text, n);
	head[n] = '\0';
	root = strstr(head, "<flat-profile");
	if (root != NULL && strchr(root, '>') != NULL)
		*strchr(root, '>') = '\0';
	else if (root == NULL && strchr(head, '"') != NULL)
		*strchr(head, '"') = '\0'; /* plain text: the first value */
	for (char *p = head; *p != '\0'; p++)
		if (isspace((unsigned char)*p))
			*p = ' ';
	return find_model(head);
}

/* From the name up: the nearest folder that tells it. */
static const struct model *
model_of_path(const char *served)
{
	char path[4096];
	char *slash;

	(void)snprintf(path, sizeof(path), "%s", served);
	while ((slash = strrchr(path, '/')) != NULL) {
		const struct model *model = find_model(slash + 1);

		if (model != NULL)
			return model;
		*slash = '\0';
	}
	return NULL;
}

/* The nearest folder that is not there for a model, a device or a maker. */
static void
find_group(struct tree_file *file)
{
	static const char *const makers[] = { "cisco", "linksys", "sipura" };
	char path[4096];
	char *slash;

	(void)snprintf(path, sizeof(path), "%s", file->served);
	slash = strrchr(path, '/');
	while (slash != NULL && slash != path) {
		struct mac mac;
		const char *name;
		bool is_maker = false;

		*slash = '\0';
		slash = strrchr(path, '/');
		name = slash + 1;
		for (size_t i = 0; i < 3; i++)
			is_maker |= strcasecmp(name, makers[i]) == 0;
		if (is_maker || find_model(name) != NULL ||
		    tree_find_mac(&mac, name) ||
		    strlen(name) > INVENTORY_NAME_MAX)
			continue;
		memcpy(file->group, name, strlen(name) + 1);
		return;
	}
}

void
tree_identify(struct tree_file *file, const char *text, size_t len)
{
	/* What a device's own dump of its parameters says. */
	const char *product = flat_profile_value(file->profile, "Product_Name");
	const char *mac = flat_profile_value(file->profile, "MAC_Address");

	file->has_mac = tree_find_mac(&file->mac, file->served) ||
	    (mac != NULL && fleet_read_mac(&file->mac, mac));
	if (product != NULL)
		file->model = find_model(product);
	if (file->model == NULL)
		file->model = model_of_path(file->served);
	if (file->model == NULL)
		file->model = model_of_head(text, len);
	find_group(file);
}

/* [MPP-AG]: GPP_SA to GPP_SD are write-only, they hold keys. */
bool
tree_is_secret(const char *name)
{
	return variable_is_secret(name) ||
	    (strncmp(name, "GPP_S", 5) == 0 && strlen(name) == 6);
}
