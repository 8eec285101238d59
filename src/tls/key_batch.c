#include "tls/key_batch.h"
#include "base/mem.h"
#include "tls/far_key.h"
#include "tls/rsa_lanes.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

_Static_assert(KEY_BATCH_FULL == RSA_LANES_OPERATIONS, "as many");

struct batch_key {
	struct batch_key *next;
	unsigned references;
	struct rsa_lanes_key *lanes;
	EVP_PKEY *far;
};

struct waiting_job {
	const struct batch_key *key;
	struct far_job *job;
};

struct key_batch {
	struct waiting_job *jobs;
	size_t count, size;
};

/* Process-wide, as far keys are: they are found by their modulus, which must
 * not lead to one that is about to go. */
static struct {
	pthread_mutex_t lock;
	struct batch_key *first;
} keys = { .lock = PTHREAD_MUTEX_INITIALIZER };

static _Thread_local struct key_batch *of_this_thread;

/* ------------------------------------------------------------------ batches */

static void
run(const struct waiting_job *jobs, size_t count)
{
	struct rsa_lanes_operation operations[RSA_LANES_OPERATIONS];

	for (size_t i = 0; i < count; i++)
		operations[i] = (struct rsa_lanes_operation) {
			.key = jobs[i].key->lanes,
			.in = jobs[i].job->in,
			.out = jobs[i].job->out,
		};
	rsa_lanes_operate(operations, count);
	for (size_t i = 0; i < count; i++)
		far_job_done(jobs[i].job,
		    operations[i].ok ? FAR_JOB_CHECKED : FAR_JOB_FAILED);
}

/* A far_key_start. */
static void
start(void *place, struct far_job *job)
{
	const struct waiting_job waiting = { place, job };
	struct key_batch *batch = of_this_thread;

	assert(job->len == RSA_LANES_BYTES);
	if (batch == NULL) {
		run(&waiting, 1);
		return;
	}
	if (batch->count == batch->size) {
		batch->size = batch->size == 0 ? 16 : 2 * batch->size;
		batch->jobs = xrealloc(batch->jobs,
		    batch->size * sizeof(*batch->jobs));
	}
	batch->jobs[batch->count++] = waiting;
}

struct key_batch *
key_batch_new(void)
{
	return xcalloc(1, sizeof(struct key_batch));
}

void
key_batch_free(struct key_batch *batch)
{
	if (batch == NULL)
		return;
	assert(batch->count == 0);
	free(batch->jobs);
	free(batch);
}

void
key_batch_use(struct key_batch *batch)
{
	of_this_thread = batch;
}

size_t
key_batch_waiting(const struct key_batch *batch)
{
	return batch->count;
}

void
key_batch_run(struct key_batch *batch)
{
	struct waiting_job jobs[KEY_BATCH_FULL];
	size_t count = batch->count < KEY_BATCH_FULL ? batch->count :
						       KEY_BATCH_FULL;

	if (count == 0)
		return;
	/* Taken out first: who is woken may leave another one. */
	memcpy(jobs, batch->jobs, count * sizeof(*jobs));
	batch->count -= count;
	memmove(batch->jobs, batch->jobs + count,
	    batch->count * sizeof(*batch->jobs));
	run(jobs, count);
}

/* --------------------------------------------------------------------- keys */

bool
batch_key_fits(EVP_PKEY *key)
{
	return rsa_lanes_fits(key);
}

static void
key_free(struct batch_key *key)
{
	far_key_forget(key->far);
	EVP_PKEY_free(key->far);
	rsa_lanes_key_free(key->lanes);
	free(key);
}

static struct batch_key *
key_new(EVP_PKEY *from, struct error *err)
{
	struct batch_key *key = xcalloc(1, sizeof(*key));

	key->references = 1;
	key->lanes = rsa_lanes_key_new(from, err);
	if (key->lanes != NULL)
		key->far = far_key_new(from, start, key, err);
	if (key->far != NULL)
		return key;
	rsa_lanes_key_free(key->lanes);
	free(key);
	return NULL;
}

struct batch_key *
batch_key_get(EVP_PKEY *from, struct error *err)
{
	struct batch_key *key;

	(void)pthread_mutex_lock(&keys.lock);
	key = keys.first;
	while (key != NULL && EVP_PKEY_eq(key->far, from) != 1)
		key = key->next;
	if (key != NULL) {
		key->references++;
	} else if ((key = key_new(from, err)) != NULL) {
		key->next = keys.first;
		keys.first = key;
	}
	(void)pthread_mutex_unlock(&keys.lock);
	return key;
}

void
batch_key_release(struct batch_key *key)
{
	if (key == NULL)
		return;
	(void)pthread_mutex_lock(&keys.lock);
	if (--key->references == 0) {
		struct batch_key **at = &keys.first;

		while (*at != key)
			at = &(*at)->next;
		*at = key->next;
		key_free(key);
	}
	(void)pthread_mutex_unlock(&keys.lock);
}

EVP_PKEY *
batch_key_far(const struct batch_key *key)
{
	return key->far;
}
