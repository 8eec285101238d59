#include "server/prune.h"
#include "base/mem.h"
#include "inventory/documents.h"
#include "inventory/snapshot.h"

#include <stdlib.h>

struct prune {
	size_t references; /* one thread at a time has it */
	struct snapshot *before, *after;
	bool begun, more;
	struct mac last; /* that was looked at, of the file */
};

struct prune *
prune_new(struct snapshot *before, struct snapshot *after)
{
	struct prune *prune = xcalloc(1, sizeof(*prune));

	prune->references = 1;
	prune->before = before != NULL ? snapshot_retain(before) : NULL;
	prune->after = snapshot_retain(after);
	return prune;
}

struct prune *
prune_retain(struct prune *prune)
{
	prune->references++;
	return prune;
}

void
prune_release(struct prune *prune)
{
	if (prune == NULL || --prune->references > 0)
		return;
	snapshot_release(prune->before);
	snapshot_release(prune->after);
	free(prune);
}

bool
prune_has_more(const struct prune *prune)
{
	return prune->more;
}

struct step {
	const struct snapshot *now;
	struct documents *documents;
	prune_forgotten *forgotten;
	void *arg;
	struct error *err;
};

static int
forget(const struct step *step, const struct mac *mac)
{
	if (snapshot_find(step->now, mac) != NULL)
		return 0;
	if (documents_forget(step->documents, mac, step->err) != 0)
		return -1;
	step->forgotten(step->arg, mac);
	return 0;
}

static int
visit(const struct device *device, void *arg)
{
	return forget(arg, &device->mac);
}

static int
sweep(struct prune *prune, const struct step *step)
{
	struct mac mac;
	int rc;

	prune->more = false;
	for (size_t i = 0; i < PRUNE_STEP; i++) {
		rc = documents_next(step->documents,
		    prune->begun ? &prune->last : NULL, &mac, step->err);
		if (rc <= 0)
			return rc;
		prune->begun = true;
		prune->last = mac;
		if (forget(step, &mac) != 0)
			return -1;
	}
	prune->more = true;
	return 0;
}

int
prune_step(struct prune *prune, const struct snapshot *now,
    struct documents *documents, prune_forgotten *forgotten, void *arg,
    struct error *err)
{
	struct step step = { now, documents, forgotten, arg, err };

	if (snapshot_device_count(now) == 0)
		return 0;
	return prune->before != NULL ?
	    snapshot_each_removed(prune->before, prune->after, visit, &step) :
	    sweep(prune, &step);
}
