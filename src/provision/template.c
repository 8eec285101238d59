#include "provision/template.h"
#include "base/mem.h"
#include "provision/ladder.h"
#include "provision/shape.h"
#include "provision/template_parse.h"
#include "spa/flat_profile.h"
#include "spa/profile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * Nodes that one rendering may visit.  Partials can multiply: a few lines that
 * include each other eight deep would otherwise run for years and write
 * nothing.
 */
#define STEPS_MAX 1000000

struct templates {
	struct template *list;
	size_t count;
	struct ladders *ladders; /* NULL: there are none */
	struct shapes *shapes;	 /* ways of rendering that are proven */
};

void
templates_give_ladders(struct templates *templates, struct ladders *ladders)
{
	ladders_free(templates->ladders);
	templates->ladders = ladders;
}

const struct ladders *
templates_ladders(const struct templates *templates)
{
	return templates->ladders;
}

void
templates_free(struct templates *templates)
{
	if (templates == NULL)
		return;
	for (size_t i = 0; i < templates->count; i++) {
		free(templates->list[i].name);
		free(templates->list[i].text);
		free(templates->list[i].nodes);
	}
	free(templates->list);
	ladders_free(templates->ladders);
	shapes_free(templates->shapes);
	free(templates);
}

struct templates *
templates_new(void)
{
	struct templates *templates = xcalloc(1, sizeof(*templates));

	templates->shapes = shapes_new();
	return templates;
}

static const struct template *
find(const struct templates *templates, const char *name)
{
	for (size_t i = 0; i < templates->count; i++) {
		if (strcmp(templates->list[i].name, name) == 0)
			return &templates->list[i];
	}
	return NULL;
}

bool
templates_has(const struct templates *templates, const char *name)
{
	return find(templates, name) != NULL;
}

int
templates_add(struct templates *templates, const char *name, const char *text,
    size_t len, struct error *err)
{
	struct template template = { .len = len };
	const char *nul;

	if (templates_has(templates, name))
		return error_set(err, ERROR_INPUT,
		    "%s:1:1: there is a template of this name already", name);
	if (len > TEMPLATE_TEXT_MAX)
		return error_set(err, ERROR_INPUT,
		    "%s:1:1: the template has "
		    "%zu bytes: at most %d are allowed",
		    name, len, TEMPLATE_TEXT_MAX);
	template.name = xstrdup(name);
	template.text = xmalloc(len + 1);
	if (len > 0)
		memcpy(template.text, text, len);
	template.text[len] = '\0';
	nul = memchr(template.text, '\0', len);
	if (nul != NULL) {
		(void)error_set(err, ERROR_INPUT, "NUL byte in a template");
		(void)template_locate(&template, (size_t)(nul - template.text),
		    err);
	}
	if (nul != NULL || template_parse(&template, err) != 0) {
		free(template.name);
		free(template.text);
		free(template.nodes);
		return -1;
	}
	templates->list = xrealloc(templates->list,
	    (templates->count + 1) * sizeof(*templates->list));
	templates->list[templates->count++] = template;
	return 0;
}

/* For templates_check: how many partials deep each template goes. */
struct walk {
	const struct templates *templates;
	struct errors *errors;
	int *height; /* by index; HEIGHT_... when not known */
};
enum { HEIGHT_UNKNOWN = -1, HEIGHT_PENDING = -2 };

static void report(struct walk *walk, const struct template *template,
    const struct node *node, const char *fmt, ...) PRINTF_LIKE(4, 5);

static void
report(struct walk *walk, const struct template *template,
    const struct node *node, const char *fmt, ...)
{
	char text[128];
	struct error err;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)error_set(&err, ERROR_INPUT, "partial \"%s\" %s", node->name,
	    text);
	(void)template_locate(template, node->offset, &err);
	errors_add(walk->errors, "%s", err.text);
}

static int walk_template(struct walk *walk, size_t index);

/* The height of what node includes, or 0 when that is an error. */
static int
walk_partial(struct walk *walk, const struct template *template,
    const struct node *node)
{
	const struct template *partial = find(walk->templates, node->name);
	int height;

	if (partial == NULL) {
		report(walk, template, node, "does not exist");
		return 0;
	}
	height = walk_template(walk, (size_t)(partial - walk->templates->list));
	if (height == HEIGHT_PENDING) {
		report(walk, template, node, "includes itself");
		return 0;
	}
	/* Said once, where the limit is passed, and not all the way up. */
	if (height == TEMPLATE_DEPTH_MAX) {
		report(walk, template, node,
		    "goes too deep: expected at "
		    "most %d partials within each other",
		    TEMPLATE_DEPTH_MAX);
		return 0;
	}
	return height + 1;
}

static int
walk_template(struct walk *walk, size_t index)
{
	const struct template *template = &walk->templates->list[index];
	int height = 0;

	if (walk->height[index] != HEIGHT_UNKNOWN)
		return walk->height[index];
	walk->height[index] = HEIGHT_PENDING;
	for (size_t i = 0; i < template->count; i++) {
		int partial;

		if (template->nodes[i].kind != NODE_PARTIAL)
			continue;
		partial = walk_partial(walk, template, &template->nodes[i]);
		if (partial > height)
			height = partial;
	}
	walk->height[index] = height;
	return height;
}

int
templates_check(const struct templates *templates, struct errors *errors)
{
	struct walk walk = { .templates = templates, .errors = errors };
	size_t before = errors->count;

	if (templates->count == 0)
		return 0;
	walk.height = xcalloc(templates->count, sizeof(*walk.height));
	for (size_t i = 0; i < templates->count; i++)
		walk.height[i] = HEIGHT_UNKNOWN;
	for (size_t i = 0; i < templates->count; i++)
		(void)walk_template(&walk, i);
	free(walk.height);
	return errors->count == before ? 0 : -1;
}

struct rendering {
	const struct templates *templates;
	template_lookup *lookup;
	void *arg;
	struct buf *out;
	struct error *err;
	unsigned depth; /* of partials */
	unsigned steps;
	struct shape shape;
	const char *instead; /* of every value; NULL: the values */
};

static bool
is_shown(struct rendering *rendering, const struct node *node)
{
	static const char *const no[] = { "", "0", "no", "false" };
	const char *value = rendering->lookup(rendering->arg, node->name);
	bool set = value != NULL;

	for (size_t i = 0; set && i < sizeof(no) / sizeof(*no); i++)
		set = strcasecmp(value, no[i]) != 0;
	shape_decide(&rendering->shape, set);
	return set == (node->kind == NODE_SECTION);
}

static int
set_full(const struct rendering *rendering)
{
	return error_set(rendering->err, ERROR_INPUT,
	    "the rendered text would pass %zu bytes", rendering->out->limit);
}

static int
append_value(struct rendering *rendering, const struct node *node)
{
	const char *value = rendering->lookup(rendering->arg, node->name);
	int rc;

	if (value == NULL)
		return error_set(rendering->err, ERROR_NOT_FOUND,
		    "\"%s\" has no value", node->name);
	if (rendering->instead != NULL)
		value = rendering->instead;
	else if (node->kind == NODE_RAW || !shape_is_plain(value))
		rendering->shape.is_loose = true;
	if (node->kind == NODE_RAW)
		rc = buf_append_text(rendering->out, value);
	else
		rc = flat_escape(rendering->out, value);
	return rc == 0 ? 0 : set_full(rendering);
}

static int render(struct rendering *rendering, const struct template *template);

static int
render_partial(struct rendering *rendering, const struct template *template,
    const struct node *node)
{
	const struct template *partial = find(rendering->templates, node->name);
	int rc;

	if (partial == NULL) {
		(void)error_set(rendering->err, ERROR_NOT_FOUND,
		    "partial \"%s\" does not exist", node->name);
		return template_locate(template, node->offset, rendering->err);
	}
	if (rendering->depth == TEMPLATE_DEPTH_MAX) {
		(void)error_set(rendering->err, ERROR_INPUT,
		    "more than %d partials within each other",
		    TEMPLATE_DEPTH_MAX);
		return template_locate(template, node->offset, rendering->err);
	}
	rendering->depth++;
	rc = render(rendering, partial);
	rendering->depth--;
	return rc;
}

/* All but partials and sections, which do not go on with the next node. */
static int
render_leaf(struct rendering *rendering, const struct template *template,
    const struct node *node)
{
	int rc;

	if (++rendering->steps > STEPS_MAX)
		rc = error_set(rendering->err, ERROR_INPUT,
		    "rendering takes more than %d steps", STEPS_MAX);
	else if (node->kind == NODE_ESCAPED || node->kind == NODE_RAW)
		rc = append_value(rendering, node);
	else if (node->kind == NODE_TEXT &&
	    buf_append(rendering->out, template->text + node->offset,
		node->len) != 0)
		rc = set_full(rendering);
	else
		return 0;
	return rc == 0 ?
	    0 :
	    template_locate(template, node->offset, rendering->err);
}

static int
render(struct rendering *rendering, const struct template *template)
{
	size_t i = 0;

	while (i < template->count) {
		const struct node *node = &template->nodes[i++];

		if (render_leaf(rendering, template, node) != 0)
			return -1;
		if (node->kind == NODE_PARTIAL &&
		    render_partial(rendering, template, node) != 0)
			return -1;
		if ((node->kind == NODE_SECTION ||
			node->kind == NODE_INVERTED) &&
		    !is_shown(rendering, node))
			i = node->end;
	}
	return 0;
}

static int
render_from(struct rendering *rendering, const struct template *template)
{
	struct buf *out = rendering->out;
	size_t before = out->len;

	if (render(rendering, template) == 0)
		return 0;
	out->len = before;
	if (out->data != NULL)
		out->data[before] = '\0';
	return -1;
}

int
templates_render(const struct templates *templates, const char *name,
    template_lookup *lookup, void *arg, struct buf *out, struct error *err)
{
	const struct template *template = find(templates, name);
	struct rendering rendering = { .templates = templates,
		.lookup = lookup,
		.arg = arg,
		.out = out,
		.err = err };

	if (template == NULL)
		return error_set(err, ERROR_NOT_FOUND,
		    "template \"%s\" does not exist", name);
	return render_from(&rendering, template);
}

/* The same way once more, with values that break all but text: does it hold? */
static bool
prove(const struct rendering *rendering, const struct template *template)
{
	struct error err;
	struct buf out;
	struct rendering again = { .templates = rendering->templates,
		.lookup = rendering->lookup,
		.arg = rendering->arg,
		.out = &out,
		.err = &err,
		.instead = SHAPE_HOSTILE };
	bool proven;

	buf_init(&out, PROFILE_BYTES_MAX);
	proven = render_from(&again, template) == 0 &&
	    profile_check(buf_text(&out), out.len, &err) == 0;
	buf_clear(&out);
	return proven;
}

int
templates_render_profile(const struct templates *templates, const char *name,
    template_lookup *lookup, void *arg, struct buf *out, struct error *err)
{
	const struct template *template = find(templates, name);
	struct rendering rendering = { .templates = templates,
		.lookup = lookup,
		.arg = arg,
		.out = out,
		.err = err };
	size_t before = out->len, number;

	if (template == NULL)
		return error_set(err, ERROR_NOT_FOUND,
		    "template \"%s\" does not exist", name);
	if (render_from(&rendering, template) != 0)
		return -1;
	number = (size_t)(template - templates->list);
	if (out->len - before <= PROFILE_BYTES_MAX &&
	    shapes_has(templates->shapes, number, &rendering.shape))
		return 0;
	if (profile_check(buf_text(out) + before, out->len - before, err) != 0)
		return error_prefix(err, "%s, as rendered: ", name);
	if (!rendering.shape.is_loose && prove(&rendering, template))
		shapes_add(templates->shapes, number, &rendering.shape);
	return 0;
}
