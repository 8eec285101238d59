#include "provision/ladder.h"
#include "base/buf.h"
#include "base/mem.h"
#include "spa/rule.h"

#include <stdlib.h>
#include <string.h>

int
ladder_check(const struct ladder_step *steps, size_t count, size_t *bad,
    struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct ladder_step *step = &steps[i];
		const struct ladder_step *before = i > 0 ? &steps[i - 1] : NULL;

		*bad = i;
		if (step->has_from &&
		    firmware_compare(&step->from, &step->to) >= 0)
			return error_set(err, ERROR_INPUT,
			    "step from %s to %s: expected it to go up",
			    step->from.text, step->to.text);
		if (before == NULL)
			continue;
		if (firmware_compare(&step->to, &before->to) <= 0)
			return error_set(err, ERROR_INPUT,
			    "step to %s after the one to %s: expected each to "
			    "go higher",
			    step->to.text, before->to.text);
		if (step->has_from &&
		    firmware_compare(&step->from, &before->to) > 0)
			return error_set(err, ERROR_INPUT,
			    "step to %s starts from %s, but the one before "
			    "ends at %s: expected a start that it reaches",
			    step->to.text, step->from.text, before->to.text);
	}
	return 0;
}

static bool
takes(const struct ladder_step *step, const struct firmware *now)
{
	return firmware_compare(now, &step->to) < 0 &&
	    (!step->has_from || firmware_compare(now, &step->from) >= 0);
}

size_t
ladder_next(const struct ladder_step *steps, size_t count,
    const struct firmware *now)
{
	for (size_t i = count; i > 0; i--)
		if (takes(&steps[i - 1], now))
			return i - 1;
	return count;
}

/* One alternative.  Each has its condition, also the last one: a device at the
 * top, or one that is told to stay, does nothing. */
static int
put_step(struct buf *out, const struct ladder_step *step, const char *url)
{
	if (out->len > 0 && buf_append_text(out, " | ") != 0)
		return -1;
	if (step->has_from)
		return buf_printf(out, "($SWVER ge %s and $SWVER lt %s)? %s",
		    step->from.text, step->to.text, url);
	return buf_printf(out, "($SWVER lt %s)? %s", step->to.text, url);
}

/* Highest first: the first alternative that is true counts. */
char *
ladder_rule(const struct ladder_step *steps, size_t count,
    const char *const *urls, struct error *err)
{
	struct buf out;

	buf_init(&out, RULE_TEXT_MAX);
	for (size_t i = count; i > 0; i--) {
		if (put_step(&out, &steps[i - 1], urls[i - 1]) == 0)
			continue;
		(void)error_set(err, ERROR_INPUT,
		    "the Upgrade_Rule is longer than %d bytes: expected fewer "
		    "steps or shorter names",
		    RULE_TEXT_MAX);
		buf_clear(&out);
		return NULL;
	}
	return buf_take(&out);
}

struct entry {
	char *name;
	const struct model *model;
	struct ladder_step *steps;
	size_t count;
	char *rule;
};

struct ladders {
	struct entry *list;
	size_t count;
};

struct ladders *
ladders_new(void)
{
	return xcalloc(1, sizeof(struct ladders));
}

void
ladders_free(struct ladders *ladders)
{
	if (ladders == NULL)
		return;
	for (size_t i = 0; i < ladders->count; i++) {
		free(ladders->list[i].name);
		free(ladders->list[i].steps);
		free(ladders->list[i].rule);
	}
	free(ladders->list);
	free(ladders);
}

void
ladders_add(struct ladders *ladders, const char *name,
    const struct model *model, const struct ladder_step *steps, size_t count,
    const char *rule)
{
	struct entry *entry;

	ladders->list = xrealloc(ladders->list,
	    (ladders->count + 1) * sizeof(*ladders->list));
	entry = &ladders->list[ladders->count++];
	*entry = (struct entry) {
		.name = xstrdup(name),
		.model = model,
		.steps = xcalloc(count, sizeof(*steps)),
		.count = count,
		.rule = xstrdup(rule),
	};
	memcpy(entry->steps, steps, count * sizeof(*steps));
}

static const struct entry *
find(const struct ladders *ladders, const char *name, const struct model *model)
{
	for (size_t i = 0; i < ladders->count; i++)
		if (ladders->list[i].model == model &&
		    strcmp(ladders->list[i].name, name) == 0)
			return &ladders->list[i];
	return NULL;
}

const char *
ladders_rule(const struct ladders *ladders, const char *name,
    const struct model *model)
{
	const struct entry *entry = find(ladders, name, model);

	return entry != NULL ? entry->rule : NULL;
}

bool
ladders_leads_on(const struct ladders *ladders, const char *name,
    const struct model *model, const struct firmware *now)
{
	const struct entry *entry = find(ladders, name, model);

	return entry != NULL &&
	    ladder_next(entry->steps, entry->count, now) < entry->count;
}
