/*
 * place.h -- a place that has a private key: another thread, with the bare RSA
 * operation.
 */
#ifndef TESTS_PLACE_H
#define TESTS_PLACE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "tls/far_key.h"

struct place {
	EVP_PKEY *key;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct far_job *waiting[64];
	size_t count;
	bool stop;
	bool later; /* else in the thread that asks */
	bool wrong; /* one bit of the result */
	bool fail;
	atomic_uint done;
};

static inline void
place_work(struct place *place, struct far_job *job)
{
	BIGNUM *n = NULL, *d = NULL, *in = NULL, *out = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	int ok = EVP_PKEY_get_bn_param(place->key, OSSL_PKEY_PARAM_RSA_N, &n) &&
	    EVP_PKEY_get_bn_param(place->key, OSSL_PKEY_PARAM_RSA_D, &d) &&
	    (in = BN_bin2bn(job->in, (int)job->len, NULL)) != NULL &&
	    BN_mod_exp(out, in, d, n, ctx) == 1 &&
	    BN_bn2binpad(out, job->out, (int)job->len) == (int)job->len;

	BN_free(n);
	BN_free(d);
	BN_free(in);
	BN_free(out);
	BN_CTX_free(ctx);
	if (place->wrong)
		job->out[job->len - 1] ^= 1;
	atomic_fetch_add(&place->done, 1);
	far_job_done(job, ok && !place->fail ? FAR_JOB_DONE : FAR_JOB_FAILED);
}

static inline void
place_start(void *arg, struct far_job *job)
{
	struct place *place = arg;

	if (!place->later) {
		place_work(place, job);
		return;
	}
	(void)pthread_mutex_lock(&place->lock);
	place->waiting[place->count++] = job;
	(void)pthread_cond_signal(&place->changed);
	(void)pthread_mutex_unlock(&place->lock);
}

static inline void *
place_main(void *arg)
{
	struct place *place = arg;

	(void)pthread_mutex_lock(&place->lock);
	for (;;) {
		struct far_job *job;

		while (place->count == 0 && !place->stop)
			(void)pthread_cond_wait(&place->changed, &place->lock);
		if (place->count == 0)
			break;
		job = place->waiting[--place->count];
		(void)pthread_mutex_unlock(&place->lock);
		(void)usleep(2000); /* it is far */
		place_work(place, job);
		(void)pthread_mutex_lock(&place->lock);
	}
	(void)pthread_mutex_unlock(&place->lock);
	return NULL;
}

static inline void
place_open(struct place *place, EVP_PKEY *key)
{
	*place = (struct place) { .key = key,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER };
	if (pthread_create(&place->thread, NULL, place_main, place) != 0)
		abort();
}

static inline void
place_close(struct place *place)
{
	(void)pthread_mutex_lock(&place->lock);
	place->stop = true;
	(void)pthread_cond_signal(&place->changed);
	(void)pthread_mutex_unlock(&place->lock);
	(void)pthread_join(place->thread, NULL);
}

#endif
