#include "server/config_reader.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
config_complain(struct config_reader *reader, struct config_place place,
    const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	errors_add(reader->errors, "%s:%u:%u: %s", reader->config->path,
	    place.line, place.column, text);
}

struct config_place
config_place(const struct scfg_word *word)
{
	return (struct config_place) { word->line, word->column };
}

void
config_show(const struct scfg_word *word, char shown[static CONFIG_SHOWN_BYTES])
{
	text_escape(word->text, strlen(word->text), shown, CONFIG_SHOWN_BYTES);
}

/* "a, b or c", and what text may have been meant to be; free() it. */
static char *
list_names(const char *text, const char *const *names, size_t count,
    bool always)
{
	const char *nearest = text_nearest(text, names, count);
	struct buf out;
	int rc = 0;

	buf_init(&out, 2048);
	if (always || nearest == NULL)
		rc |= buf_append_text(&out, ": expected ");
	for (size_t i = 0; i < count && (always || nearest == NULL); i++)
		rc |= buf_printf(&out, "%s%s",
		    i == 0	      ? "" :
			i + 1 < count ? ", " :
					" or ",
		    names[i]);
	if (nearest != NULL)
		rc |= buf_printf(&out, "; did you mean \"%s\"?", nearest);
	assert(rc == 0); /* the names are ours */
	return buf_take(&out);
}

int
config_choose(struct config_reader *reader, const struct scfg_word *word,
    const char *what, const char *const *names, size_t count)
{
	char shown[CONFIG_SHOWN_BYTES];
	char *list;

	for (size_t i = 0; i < count; i++)
		if (strcmp(word->text, names[i]) == 0)
			return (int)i;
	config_show(word, shown);
	list = list_names(word->text, names, count, true);
	config_complain(reader, config_place(word), "\"%s\" is no %s%s", shown,
	    what, list);
	free(list);
	return -1;
}

int
config_number(struct config_reader *reader, const struct scfg_word *word,
    unsigned min, unsigned max, unsigned *number)
{
	char shown[CONFIG_SHOWN_BYTES];
	struct error ignored;
	uint64_t value;

	if (text_parse_number(word->text, min, max, &value, &ignored) == 0) {
		*number = (unsigned)value;
		return 0;
	}
	config_show(word, shown);
	config_complain(reader, config_place(word),
	    "\"%s\": expected a number from %u to %u", shown, min, max);
	return -1;
}

int
config_duration(struct config_reader *reader, const struct scfg_word *word,
    unsigned *duration_ms)
{
	static const struct {
		const char *name;
		unsigned ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 } };
	size_t digits = strspn(word->text, "0123456789");
	char number[16], shown[CONFIG_SHOWN_BYTES];
	struct error ignored;
	uint64_t value;

	(void)snprintf(number, sizeof(number), "%.*s", (int)digits, word->text);
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		unsigned ms = units[i].ms;

		if (digits >= sizeof(number) ||
		    strcmp(word->text + digits, units[i].name) != 0 ||
		    text_parse_number(number,
			(CONFIG_DURATION_MIN_MS + ms - 1) / ms,
			CONFIG_DURATION_MAX_MS / ms, &value, &ignored) != 0)
			continue;
		*duration_ms = (unsigned)value * ms;
		return 0;
	}
	config_show(word, shown);
	config_complain(reader, config_place(word),
	    "\"%s\" is no duration: "
	    "expected a number with ms, s or m, from 100ms to 10m",
	    shown);
	return -1;
}

char *
config_path(struct config_reader *reader, const struct scfg_word *word)
{
	if (*word->text != '\0')
		return file_join(reader->directory, word->text);
	config_complain(reader, config_place(word),
	    "an empty path: expected a file or folder");
	return NULL;
}

static const struct config_directive *
find_directive(const struct config_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(name, table->list[i].name) == 0)
			return &table->list[i];
	return NULL;
}

static void
complain_unknown(struct config_reader *reader, const struct scfg_word *word,
    const struct config_table *table, const struct config_table *other)
{
	const char *names[CONFIG_TABLE_MAX];
	char shown[CONFIG_SHOWN_BYTES];
	char *list;

	config_show(word, shown);
	if (find_directive(other, word->text) != NULL) {
		config_complain(reader, config_place(word),
		    "\"%s\" does not belong here: expected it %s", shown,
		    other->where);
		return;
	}
	for (size_t i = 0; i < table->count; i++)
		names[i] = table->list[i].name;
	list = list_names(word->text, names, table->count, false);
	config_complain(reader, config_place(word),
	    "unknown directive \"%s\"%s", shown, list);
	free(list);
}

/* Are its words and its block of the right number? */
static bool
check_form(struct config_reader *reader, const struct scfg_directive *d,
    const struct config_directive *entry)
{
	struct config_place place = config_place(&d->words[0]);
	size_t words = d->count - 1;

	if (words < entry->min || words > entry->max) {
		config_complain(reader, place,
		    "\"%s\" with %zu %s: expected \"%s %s\"", entry->name,
		    words, words == 1 ? "word" : "words", entry->name,
		    entry->usage);
		return false;
	}
	if (entry->block && !d->has_block) {
		config_complain(reader, place,
		    "\"%s\" without a block: expected \"%s %s\"", entry->name,
		    entry->name, entry->usage);
		return false;
	}
	if (!entry->block && d->has_block) {
		config_complain(reader, place,
		    "\"%s\" with a block: expected \"%s %s\"", entry->name,
		    entry->name, entry->usage);
		return false;
	}
	return true;
}

/* One directive of a block; seen is where the same one stood first. */
static void
read_directive(struct config_reader *reader, const struct scfg_directive *d,
    const struct config_directive *entry, struct config_place *seen)
{
	struct config_place place = config_place(&d->words[0]);

	if (seen->line == 0)
		*seen = place;
	else if (!entry->repeats)
		config_complain(reader, place,
		    "\"%s\" is given twice: "
		    "expected it once, as at %s:%u:%u",
		    entry->name, reader->config->path, seen->line,
		    seen->column);
	/*
	 * The words of a damaged line are not to be judged; but its block was
	 * read well, and may hold more mistakes.
	 */
	if (d->damaged ? entry->block && d->has_block && d->count > 1 :
			 check_form(reader, d, entry))
		entry->read(reader, d);
}

void
config_read_block(struct config_reader *reader,
    const struct scfg_directive *block, struct config_place place,
    const struct config_table *table, const struct config_table *other)
{
	struct config_place seen[CONFIG_TABLE_MAX] = { { 0 } };
	bool damaged = false;

	assert(table->count <= CONFIG_TABLE_MAX);
	for (size_t i = 0; i < block->child_count; i++) {
		const struct scfg_directive *d = &block->children[i];
		const struct config_directive *entry = find_directive(table,
		    d->words[0].text);

		damaged = damaged || d->damaged;
		if (entry != NULL)
			read_directive(reader, d, entry,
			    &seen[entry - table->list]);
		else if (!d->damaged)
			complain_unknown(reader, &d->words[0], table, other);
	}
	/* What is missing may be what could not be read. */
	for (size_t i = 0; i < table->count && !damaged; i++)
		if (table->list[i].required && seen[i].line == 0)
			config_complain(reader, place,
			    "\"%s\" is missing: expected \"%s %s\"",
			    table->list[i].name, table->list[i].name,
			    table->list[i].usage);
}
