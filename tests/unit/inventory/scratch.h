/*
 * scratch.h -- a folder of its own for a test that needs files.
 */
#ifndef TESTS_INVENTORY_SCRATCH_H
#define TESTS_INVENTORY_SCRATCH_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

/* Its path; scratch_remove() frees it. */
static inline char *
scratch_make(void)
{
	const char *base = getenv("TMPDIR");
	char *path = xasprintf("%s/sprov-XXXXXX",
	    base != NULL ? base : P_tmpdir);

	if (mkdtemp(path) == NULL)
		abort();
	return path;
}

/* With the files in it. */
static inline void
scratch_remove(char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;

	if (folder == NULL)
		abort();
	while ((entry = readdir(folder)) != NULL)
		(void)unlinkat(dirfd(folder), entry->d_name, 0);
	(void)closedir(folder);
	if (rmdir(path) != 0)
		abort();
	free(path);
}

#endif
