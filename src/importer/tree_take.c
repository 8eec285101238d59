/*
 * Profiles to devices, variables and templates.
 *
 * Devices of a model whose files have the same parameters in the same order
 * share a template.  In it, what is the same on all of them stands as it is;
 * what differs is a variable of the device, or of the model where most of them
 * have the same.  Who a device is, and every secret, is always a variable.
 */
#include "importer/tree.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/mem.h"
#include "base/text.h"
#include "spa/registry.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define TEMPLATE_BYTES_MAX (256UL * 1024) /* as template.h reads */
#define LEAK_ADVICE \
	"who knows or guesses the name gets it by TFTP or HTTP without a " \
	"login: take it away once its device asks sprov, and change what it " \
	"shows"

/* Files that share a template; file 0 shows what is in it. */
struct shape {
	const struct tree_file **files;
	size_t count;
	char name[64]; /* of the template */
};

/* Our names of what most templates need; "%n" is the line. */
static const struct {
	const char *parameter, *variable;
} known[] = {
	{ "User_ID_", "user_id" },
	{ "Password_", "password" },
	{ "Auth_ID_", "auth_id" },
	{ "Display_Name_", "display_name" },
	{ "Proxy_", "proxy" },
	{ "Outbound_Proxy_", "outbound_proxy" },
	{ "Admin_Passwd", "admin_password" },
	{ "User_Password", "user_password" },
};

/* Our variable for a parameter: *variable, and whether it says who the device
 * is.  Others keep their own name. */
static bool
find_variable(const char *parameter, char variable[static 64])
{
	for (size_t i = 0; i < LENGTH(known); i++) {
		size_t n = strlen(known[i].parameter);
		const char *rest = parameter + n;
		unsigned line = 0;

		if (strncmp(parameter, known[i].parameter, n) != 0)
			continue;
		if (*rest == '\0' && known[i].parameter[n - 1] != '_') {
			(void)snprintf(variable, 64, "%s", known[i].variable);
			return false;
		}
		while (isdigit((unsigned char)*rest) && line <= FLEET_LINES_MAX)
			line = line * 10 + (unsigned)(*rest++ - '0');
		if (line == 0 || line > FLEET_LINES_MAX ||
		    strcmp(rest, "_") != 0)
			continue;
		(void)snprintf(variable, 64, line == 1 ? "%s" : "%s_%u",
		    known[i].variable, line);
		return i < 4; /* proxies are often those of all */
	}
	/* Masked wherever variables are shown, by its name. */
	(void)snprintf(variable, 64, "%.50s%s", parameter,
	    tree_is_secret(parameter) && !variable_is_secret(parameter) ?
		"_secret" :
		"");
	return false;
}

/* Two parameters of one name, in two parts of router-configuration. */
static void
make_unique(const struct flat_profile *profile, size_t index,
    char variable[static 64])
{
	const struct flat_parameter *own = flat_profile_at(profile, index);
	unsigned before = 0;

	for (size_t i = 0; i < index && own->path[0] != '\0'; i++) {
		const struct flat_parameter *other = flat_profile_at(profile,
		    i);

		if (other->counts && strcmp(other->name, own->name) == 0)
			before++;
	}
	if (before > 0)
		(void)snprintf(variable + strlen(variable),
		    64 - strlen(variable), "-%u", before + 1);
}

static bool
same_shape(const struct flat_profile *a, const struct flat_profile *b,
    bool values)
{
	size_t i = 0, j = 0;

	for (;; i++, j++) {
		const struct flat_parameter *p, *q;

		while (i < flat_profile_count(a) &&
		    !flat_profile_at(a, i)->counts)
			i++;
		while (j < flat_profile_count(b) &&
		    !flat_profile_at(b, j)->counts)
			j++;
		if (i == flat_profile_count(a) || j == flat_profile_count(b))
			return i == flat_profile_count(a) &&
			    j == flat_profile_count(b);
		p = flat_profile_at(a, i);
		q = flat_profile_at(b, j);
		if (strcmp(p->name, q->name) != 0 ||
		    strcmp(p->path, q->path) != 0 ||
		    p->has_value != q->has_value || p->access != q->access ||
		    (values && strcmp(p->value, q->value) != 0))
			return false;
	}
}

static const char *
value_of(const struct tree_file *file, const struct flat_parameter *parameter)
{
	return flat_profile_find(file->profile, parameter->path,
	    parameter->name)
	    ->value;
}

/* The value that more than half of the files have, or NULL. */
static const char *
common_value(const struct shape *shape, const struct flat_parameter *parameter,
    size_t *having)
{
	const char *candidate = NULL;
	size_t votes = 0;

	/* Boyer and Moore's vote: if any value has the majority, it is left. */
	for (size_t i = 0; i < shape->count; i++) {
		const char *value = value_of(shape->files[i], parameter);

		if (votes == 0)
			candidate = value;
		if (strcmp(value, candidate) == 0)
			votes++;
		else
			votes--;
	}
	*having = 0;
	for (size_t i = 0; candidate != NULL && i < shape->count; i++)
		*having += strcmp(value_of(shape->files[i], parameter),
			       candidate) == 0;
	return 2 * *having > shape->count ? candidate : NULL;
}

/* What the model, or all, have under that name already, if it is another. */
static bool
is_taken(struct tree *tree, enum scope_kind kind, const char *scope,
    const char *variable, const char *value)
{
	const char *there =
	    variables_get(&fleet_scope(tree->fleet, kind, scope)->variables,
		variable);

	return there != NULL && strcmp(there, value) != 0;
}

/* On the model where most have it, and on each device that differs. */
static void
set_variable(struct tree *tree, const struct shape *shape, enum scope_kind kind,
    const char *scope, const struct flat_parameter *parameter,
    const char *variable, const char *common)
{
	if (common != NULL)
		fleet_set(tree->fleet,
		    &fleet_scope(tree->fleet, kind, scope)->variables, variable,
		    common, shape->files[0]->path);
	for (size_t i = 0; i < shape->count; i++) {
		const struct tree_file *file = shape->files[i];
		const char *value = value_of(file, parameter);
		struct device *device;
		char place[FLEET_PLACE_MAX];

		if (!file->has_mac ||
		    (common != NULL && strcmp(value, common) == 0))
			continue;
		device = fleet_find(tree->fleet, &file->mac);
		(void)snprintf(place, sizeof(place), "%s:%zu:%zu", file->path,
		    parameter->line, parameter->column);
		if (device != NULL)
			fleet_set(tree->fleet, &device->variables, variable,
			    value, place);
	}
}

/* One parameter of a template. */
static int
take_parameter(struct tree *tree, const struct shape *shape, size_t index,
    struct flat_profile *out, struct error *err)
{
	const struct tree_file *first = shape->files[0];
	struct flat_parameter parameter = *flat_profile_at(first->profile,
	    index);
	enum scope_kind kind = SCOPE_DEFAULT;
	const char *scope = "";
	char variable[64], tag[80];
	size_t having = 0;
	const char *common = common_value(shape, &parameter, &having);
	bool is_device = find_variable(parameter.name, variable);
	bool is_secret = tree_is_secret(parameter.name);

	/* A common file knows the variables of its model only. */
	if (first->has_mac && tree->options->group != NULL) {
		kind = SCOPE_GROUP;
		scope = tree->options->group;
	} else if (first->model != NULL) {
		kind = SCOPE_MODEL;
		scope = first->model->name;
	}
	make_unique(first->profile, index, variable);
	if (!parameter.has_value ||
	    (common != NULL && having == shape->count && !is_secret &&
		!(is_device && first->has_mac) && strstr(common, "{{") == NULL))
		return flat_profile_add(out, &parameter, err);
	/* A single device's secret is its own. */
	if (first->has_mac && (is_device || shape->count == 1))
		common = NULL;
	/* Another shape of the model, or its common file, came first. */
	if (common != NULL && is_taken(tree, kind, scope, variable, common)) {
		if (first->has_mac)
			common = NULL;
		else
			(void)snprintf(variable + strlen(variable),
			    sizeof(variable) - strlen(variable), "-common");
	}
	set_variable(tree, shape, kind, scope, &parameter, variable, common);
	(void)snprintf(tag, sizeof(tag), "{{%s}}", variable);
	parameter.value = tag;
	return flat_profile_add(out, &parameter, err);
}

/* Rules that lead away from here again, once devices have their profile. */
static void
note_rules(struct tree *tree, const struct shape *shape)
{
	static const char *const rules[] = { "Profile_Rule", "Profile_Rule_B",
		"Profile_Rule_C", "Profile_Rule_D", "Upgrade_Rule" };

	for (size_t i = 0; i < LENGTH(rules); i++) {
		const char *value = flat_profile_value(shape->files[0]->profile,
		    rules[i]);
		char shown[80];

		if (value == NULL || *value == '\0' ||
		    strstr(value, "https:") != NULL)
			continue;
		text_escape(value, strlen(value), shown, sizeof(shown));
		fleet_say(tree->fleet, FLEET_NOTE,
		    "%s: %s is still \"%s\": put in what \"sprov plan\" "
		    "prints",
		    shape->name, rules[i], shown);
	}
}

static void
take_shape(struct tree *tree, const struct shape *shape)
{
	const struct tree_file *first = shape->files[0];
	struct flat_profile *profile = flat_profile_new();
	struct error err = { 0 };
	struct buf text;
	int rc = 0;

	buf_init(&text, TEMPLATE_BYTES_MAX);
	for (size_t i = 0; rc == 0 && i < flat_profile_count(first->profile);
	     i++)
		if (flat_profile_at(first->profile, i)->counts)
			rc = take_parameter(tree, shape, i, profile, &err);
	flat_profile_settle(profile);
	if (rc == 0)
		rc = flat_profile_write(profile, &text, &err);
	if (rc != 0)
		fleet_say(tree->fleet, FLEET_ERROR, "%s: as a template: %s",
		    first->path, err.text);
	else
		fleet_template(tree->fleet, shape->name, buf_text(&text));
	note_rules(tree, shape);
	for (size_t i = 0; i < shape->count; i++) {
		struct device *device = fleet_find(tree->fleet,
		    &shape->files[i]->mac);

		if (shape->files[i]->has_mac && device != NULL)
			fleet_set(tree->fleet, &device->variables, "template",
			    shape->name, shape->files[i]->path);
	}
	flat_profile_free(profile);
	buf_clear(&text);
}

static void
note_leaks(struct tree *tree, const struct tree_file *file, size_t devices)
{
	for (size_t i = 0; i < flat_profile_count(file->profile); i++) {
		const struct flat_parameter *parameter =
		    flat_profile_at(file->profile, i);

		if (parameter->value[0] != '\0' &&
		    tree_is_secret(parameter->name))
			fleet_leak(tree->fleet, file->path, file->mode,
			    parameter->name, devices, LEAK_ADVICE);
	}
}

static void
lower(char *text)
{
	for (; *text != '\0'; text++)
		*text = isalnum((unsigned char)*text) || *text == '-' ?
		    (char)tolower((unsigned char)*text) :
		    '-';
}

/* A file of no device: common to a model, or to all. */
static void
take_common(struct tree *tree, const struct tree_file *file)
{
	struct shape shape = { .count = 1 };
	const struct tree_file *files[] = { file };
	const char *name = strrchr(file->served, '/') + 1;
	char stem[48];
	size_t devices = 0;

	(void)snprintf(stem, sizeof(stem), "%.*s", (int)strcspn(name, "."),
	    name);
	lower(stem);
	shape.files = files;
	(void)snprintf(shape.name, sizeof(shape.name), "common-%s.xml", stem);
	take_shape(tree, &shape);
	for (size_t i = 0; i < tree->count; i++)
		devices += tree->files[i].has_mac &&
		    !tree->files[i].is_double &&
		    (file->model == NULL ||
			tree->files[i].model == file->model);
	note_leaks(tree, file, devices);
	fleet_say(tree->fleet, FLEET_NOTE,
	    "%s: not of one device: the template %s; a listener serves it with "
	    "\"common %s %s\"",
	    file->path, shape.name, file->served, shape.name);
}

/* The folder's group; below the one that was given, which has what is common,
 * and called after it: other sites have a "hall", too. */
static void
take_group(struct tree *tree, const struct tree_file *file,
    struct device *device)
{
	const char *above = tree->options->group;
	char name[2 * sizeof(file->group) + 1];
	struct scope *scope;

	(void)snprintf(name, sizeof(name), "%s%s%s", above != NULL ? above : "",
	    above != NULL ? "-" : "", file->group);
	if (strlen(name) > INVENTORY_NAME_MAX) {
		fleet_say(tree->fleet, FLEET_ERROR,
		    "%s: the name of its group would be longer than %d bytes: "
		    "give a shorter one with --group",
		    file->path, INVENTORY_NAME_MAX);
		return;
	}
	memcpy(device->group, name, strlen(name) + 1);
	scope = fleet_scope(tree->fleet, SCOPE_GROUP, name);
	if (above != NULL) {
		memcpy(scope->parent, above, strlen(above) + 1);
		(void)fleet_scope(tree->fleet, SCOPE_GROUP, above);
	}
}

static bool
take_device(struct tree *tree, struct tree_file *file)
{
	struct fleet *fleet = tree->fleet;
	struct device *device = fleet_find(fleet, &file->mac);

	if (device != NULL) {
		for (const struct tree_file *other = tree->files; other < file;
		     other++) {
			if (!other->has_mac || other->is_double ||
			    !mac_equal(&other->mac, &file->mac))
				continue;
			file->is_double = true;
			if (same_shape(other->profile, file->profile, true)) {
				fleet_say(fleet, FLEET_NOTE,
				    "%s: the same as %s", file->path,
				    other->path);
				return true;
			}
		}
		fleet_say(fleet, FLEET_ERROR,
		    "%s: another profile of the device that %s is for: one of "
		    "the two has to go",
		    file->path, fleet_place(fleet, &file->mac));
		return false;
	}
	device = fleet_add(fleet, &file->mac, file->path);
	if (device == NULL)
		return false;
	if (file->model != NULL)
		memcpy(device->model, file->model->name,
		    strlen(file->model->name) + 1);
	if (file->group[0] != '\0')
		take_group(tree, file, device);
	return importer_finish_device(fleet, device, tree->options, file->path);
}

/* The shape that the file has, or a new one. */
static void
add_to_shape(struct shape **shapes, size_t *count, const struct tree_file *file)
{
	struct shape *shape = *shapes;
	size_t of_model = 0;

	for (; shape < *shapes + *count; shape++) {
		if (shape->files[0]->model != file->model)
			continue;
		of_model++;
		if (same_shape(shape->files[0]->profile, file->profile, false))
			break;
	}
	if (shape == *shapes + *count) {
		*shapes = xrealloc(*shapes, (*count + 1) * sizeof(**shapes));
		shape = *shapes + (*count)++;
		*shape = (struct shape) { 0 };
		(void)snprintf(shape->name, sizeof(shape->name), "%.40s",
		    file->model->name);
		lower(shape->name);
		if (of_model > 0)
			(void)snprintf(shape->name + strlen(shape->name), 16,
			    "-%zu", of_model + 1);
		(void)strncat(shape->name, ".xml", 5);
	}
	if ((shape->count & (shape->count - 1)) == 0)
		shape->files = xrealloc(shape->files,
		    (shape->count == 0 ? 1 : 2 * shape->count) *
			sizeof(*shape->files));
	shape->files[shape->count++] = file;
}

/* Devices of one shape, and which variables the model then has, depend on each
 * other: so first all devices, then all shapes. */
static void
take_shapes(struct tree *tree)
{
	struct shape *shapes = NULL;
	size_t count = 0;

	for (size_t i = 0; i < tree->count; i++)
		if (tree->files[i].has_mac && !tree->files[i].is_double)
			add_to_shape(&shapes, &count, &tree->files[i]);
	for (size_t i = 0; i < count; i++) {
		take_shape(tree, &shapes[i]);
		free(shapes[i].files);
	}
	free(shapes);
}

void
tree_take(struct tree *tree)
{
	size_t devices = 0;

	for (size_t i = 0; i < tree->count; i++) {
		struct tree_file *file = &tree->files[i];

		if (!file->has_mac)
			continue;
		devices++;
		(void)take_device(tree, file);
		note_leaks(tree, file, 1);
	}
	if (fleet_count(tree->fleet, FLEET_ERROR) > 0)
		return;
	take_shapes(tree);
	for (size_t i = 0; i < tree->count; i++)
		if (!tree->files[i].has_mac && !tree->files[i].is_part)
			take_common(tree, &tree->files[i]);
	if (devices == 0)
		fleet_say(tree->fleet, FLEET_ERROR,
		    "%s: no profile of a device was found: its name holds the "
		    "MAC address, as in spa000e08aabbcc.cfg",
		    tree->root);
}
