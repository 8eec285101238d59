#include "provision/render.h"
#include "inventory/snapshot.h"
#include "provision/starter.h"
#include "provision/render_key.h"
#include "provision/template.h"
#include "provision/upgrade.h"
#include "spa/inspect.h"
#include "spa/mask.h"
#include "spa/profile.h"
#include "spa/registry.h"

#include <string.h>

struct names {
	const struct snapshot *snapshot;
	const struct device *device; /* NULL for a common file */
	const struct model *model;   /* NULL for a public file */
	bool masked;		     /* what is secret */
	const struct ladders *ladders;
	struct render_key key;
	struct error err; /* of a rule that cannot hold the key */
	char mac[MAC_TEXT_BYTES];
	char mac_upper[MAC_TEXT_BYTES];
	char mac_colon[MAC_COLON_BYTES];
};

static const char *
device_field(const struct names *names, const char *name)
{
	const struct {
		const char *name, *value;
	} fields[] = {
		{ "mac", names->mac },
		{ "mac_upper", names->mac_upper },
		{ "mac_colon", names->mac_colon },
		/* Also when the registry does not know (any more) what it is. */
		{ "model", names->device->model },
		{ "firmware", names->device->firmware },
		{ "serial", names->device->serial },
		{ "group", names->device->group },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (strcmp(name, fields[i].name) == 0)
			return fields[i].value;
	return NULL;
}

static const char *
model_field(const struct model *model, const char *name)
{
	const struct {
		const char *name, *value;
	} fields[] = {
		{ "model", model->name },
		{ "product", model->product },
		{ "series", model->series },
		{ "family", model->family },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (strcmp(name, fields[i].name) == 0)
			return fields[i].value;
	return NULL;
}

/* A template's rules carry the newest key. */
static const char *
keyed(struct names *names, const char *name, const char *rule)
{
	struct error err;
	const char *text;

	if (render_key_rule(&names->key, name, rule, &text, &err) != 0)
		names->err = err;
	return text;
}

static const char *
lookup(void *arg, const char *name)
{
	struct names *names = arg;
	const char *value = NULL;

	if (names->device != NULL)
		value = device_field(names, name);
	if (value == NULL && names->model != NULL)
		value = model_field(names->model, name);
	if (value == NULL && strcmp(name, "upgrade_rule") == 0)
		value = upgrade_rule(names->ladders, names->snapshot,
		    names->device, names->model);
	if (value == NULL &&
	    (value = render_key_field(&names->key, name)) != NULL)
		return value; /* masked already, where it has to be */
	if (value == NULL)
		value = snapshot_variable(names->snapshot, names->device,
		    names->model != NULL ? names->model->name : "", name);
	/* An empty one stays so: whether it is set decides sections. */
	if (value != NULL && *value != '\0' && names->masked &&
	    variable_is_secret(name))
		return RENDER_MASK;
	if (value != NULL && names->key.used && render_key_is_rule(name))
		return keyed(names, name, value);
	return value;
}

static int
render(const struct templates *templates, const char *template,
    struct names *names, struct buf *out, struct error *err)
{
	size_t before = out->len;
	int rc;

	names->ladders = templates_ladders(templates);
	rc = templates_render_profile(templates, template, lookup, names, out,
	    err);
	if (names->err.kind == ERROR_NONE)
		return rc;
	/* What a value lacked is the reason for all that followed. */
	*err = names->err;
	out->len = before;
	if (out->data != NULL)
		out->data[before] = '\0';
	return -1;
}

const char *
render_template_name(const struct templates *templates,
    const struct snapshot *snapshot, const struct device *device)
{
	const char *name = snapshot_variable(snapshot, device, device->model,
	    "template");

	if (name != NULL)
		return name;
	if (templates_has(templates, RENDER_DEFAULT_TEMPLATE))
		return RENDER_DEFAULT_TEMPLATE;
	return starter_for(registry_find_model(device->model, NULL))->name;
}

static int
render_device(const struct templates *templates,
    const struct snapshot *snapshot, const struct device *device, bool masked,
    const char *template, struct buf *out, struct error *err)
{
	struct names names = {
		.snapshot = snapshot, .device = device, .masked = masked
	};
	int rc;

	names.model = registry_find_model(device->model, NULL);
	mac_format(&device->mac, names.mac);
	mac_format_upper(&device->mac, names.mac_upper);
	mac_format_colon(&device->mac, names.mac_colon);
	rc = render_key_init(&names.key, snapshot, device,
	    masked ? RENDER_MASK : NULL, err);
	if (rc == 0)
		rc = render(templates, template, &names, out, err);
	render_key_clear(&names.key);
	return rc;
}

int
render_profile(const struct templates *templates,
    const struct snapshot *snapshot, const struct device *device,
    struct buf *out, struct error *err)
{
	return render_device(templates, snapshot, device, false,
	    render_template_name(templates, snapshot, device), out, err);
}

int
render_profile_as(const struct templates *templates,
    const struct snapshot *snapshot, const struct device *device,
    const char *template, struct buf *out, struct error *err)
{
	return render_device(templates, snapshot, device, false, template, out,
	    err);
}

int
render_profile_masked(const struct templates *templates,
    const struct snapshot *snapshot, const struct device *device,
    struct buf *out, struct error *err)
{
	struct buf clear;
	int rc;

	/* Variables first, then what templates have of their own. */
	buf_init(&clear, out->limit);
	rc = render_device(templates, snapshot, device, true,
	    render_template_name(templates, snapshot, device), &clear, err);
	if (rc == 0)
		rc = profile_mask(buf_text(&clear), clear.len, out, err);
	if (clear.data != NULL)
		explicit_bzero(clear.data, clear.len);
	buf_clear(&clear);
	return rc;
}

int
render_common(const struct templates *templates,
    const struct snapshot *snapshot, const struct model *model,
    const char *template, struct buf *out, struct error *err)
{
	struct names names = {
		.snapshot = snapshot, .model = model, .key = { .ikm = "" }
	};

	return render(templates, template, &names, out, err);
}

struct sample {
	const struct model *model;
	const char *value; /* of every variable */
};

static const char *
lookup_sample(void *arg, const char *name)
{
	static const struct {
		const char *name, *value;
	} fields[] = {
		{ "mac", "000e08aabbcc" },
		{ "mac_upper", "000E08AABBCC" },
		{ "mac_colon", "00:0e:08:aa:bb:cc" },
	};
	const struct sample *sample = arg;
	const char *value = NULL;

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (strcmp(name, fields[i].name) == 0)
			return fields[i].value;
	if (sample->model != NULL)
		value = model_field(sample->model, name);
	return value != NULL ? value : sample->value;
}

int
render_sample(const struct templates *templates, const char *template,
    const struct model *model, bool filled, struct buf *out, struct error *err)
{
	struct sample sample = { model, filled ? INSPECT_SAMPLE : "" };
	size_t before = out->len;

	if (templates_render(templates, template, lookup_sample, &sample, out,
		err) != 0)
		return -1;
	if (profile_check(buf_text(out) + before, out->len - before, err) != 0)
		return error_prefix(err, "%s, as rendered: ", template);
	return 0;
}
