/* The grammar of the configuration file, over any bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/scfg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(int holds)
{
	if (!holds)
		abort();
}

/* Places rise through the file, and the limits hold. */
static void
check_directive(const struct scfg_directive *d, size_t depth,
    const struct scfg_word **last)
{
	require(depth <= SCFG_DEPTH_MAX);
	require(d->count >= 1 && d->count <= SCFG_WORDS_MAX);
	require(d->has_block || d->child_count == 0);
	for (size_t i = 0; i < d->count; i++) {
		const struct scfg_word *word = &d->words[i];

		require(word->line >= 1 && word->column >= 1);
		require(*last == NULL || word->line > (*last)->line ||
		    (word->line == (*last)->line &&
			word->column > (*last)->column));
		require(word->line == d->words[0].line);
		require(strlen(word->text) <= SCFG_WORD_MAX);
		*last = word;
	}
	for (size_t i = 0; i < d->child_count; i++)
		check_directive(&d->children[i], depth + 1, last);
}

static size_t
count_damaged(const struct scfg_directive *d)
{
	size_t count = d->damaged != 0;

	for (size_t i = 0; i < d->child_count; i++)
		count += count_damaged(&d->children[i]);
	return count;
}

static void
check_errors(const struct errors *errors)
{
	require(errors->kept <= ERRORS_MAX && errors->kept <= errors->count);
	for (size_t i = 0; i < errors->kept; i++) {
		require(strncmp(errors->text[i], "f:", 2) == 0);
		for (const char *p = errors->text[i]; *p != '\0'; p++)
			require(*p >= 0x20 && *p <= 0x7e);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct errors errors = { 0 }, again = { 0 };
	const struct scfg_word *last = NULL;
	struct scfg_directive *root, *all;

	root = scfg_parse("f", (const char *)data, size, &errors);
	all = scfg_parse_all("f", (const char *)data, size, &again);
	require((root == NULL) == (errors.count > 0));
	require(errors.count == again.count);
	check_errors(&errors);
	if (root != NULL) {
		require(root->count == 0 && all != NULL);
		require(count_damaged(all) == 0);
		for (size_t i = 0; i < root->child_count; i++)
			check_directive(&root->children[i], 0, &last);
	} else if (all != NULL) {
		for (size_t i = 0; i < all->child_count; i++)
			require(all->children[i].count >= 1);
	}
	scfg_free(root);
	scfg_free(all);
	errors_clear(&errors);
	errors_clear(&again);
	return 0;
}
