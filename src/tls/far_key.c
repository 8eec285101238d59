/* RSA_METHOD is deprecated, and there is no other way: see far_key.h. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "tls/far_key.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/async.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

struct far_key {
	BIGNUM *modulus; /* NULL: free */
	far_key_start *start;
	void *place;
};

/* How far a job is; apart, because its owner may be gone once it is done. */
struct far_job_state {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool done;
	enum far_job_end end;
	void (*wake)(void *arg); /* NULL: somebody waits for changed */
	void *arg;
};

/* Process-wide, because RSA's default method is. */
static struct {
	pthread_once_t once;
	pthread_rwlock_t lock;
	RSA_METHOD *method;
	/* The standard method's */
	int (*near)(BIGNUM *out, const BIGNUM *in, RSA *rsa, BN_CTX *ctx);
	int (*decrypt)(int len, const unsigned char *from, unsigned char *to,
	    RSA *rsa, int padding);
	int (*sign)(int len, const unsigned char *from, unsigned char *to,
	    RSA *rsa, int padding);
	struct far_key keys[FAR_KEYS_MAX];
} far = { .once = PTHREAD_ONCE_INIT, .lock = PTHREAD_RWLOCK_INITIALIZER };

static _Thread_local struct {
	void (*wake)(void *arg);
	void *arg;
} waker;

void
far_key_set_waker(void (*wake)(void *arg), void *arg)
{
	waker.wake = wake;
	waker.arg = arg;
}

/* --------------------------------------------------------------- operations */

void
far_job_done(struct far_job *job, enum far_job_end end)
{
	struct far_job_state *state = job->state;
	void (*wake)(void *arg);
	void *arg;

	(void)pthread_mutex_lock(&state->lock);
	state->done = true;
	state->end = end;
	wake = state->wake;
	arg = state->arg;
	(void)pthread_cond_signal(&state->changed);
	/* Under the lock: the owner may go as soon as it has seen this. */
	if (wake != NULL)
		wake(arg);
	(void)pthread_mutex_unlock(&state->lock);
}

static bool
is_done(struct far_job_state *state)
{
	bool done;

	(void)pthread_mutex_lock(&state->lock);
	done = state->done;
	(void)pthread_mutex_unlock(&state->lock);
	return done;
}

/*
 * Wait: in a handshake that may be left alone by going back to the loop, which
 * comes again when it is woken; anywhere else by sleeping.
 */
static void
wait_for(struct far_job_state *state)
{
	if (state->wake != NULL) {
		while (!is_done(state))
			(void)ASYNC_pause_job();
		return;
	}
	(void)pthread_mutex_lock(&state->lock);
	while (!state->done)
		(void)pthread_cond_wait(&state->changed, &state->lock);
	(void)pthread_mutex_unlock(&state->lock);
}

static enum far_job_end
operate(const struct far_key *key, struct far_job *job)
{
	struct far_job_state state = { .lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER };

	if (ASYNC_get_current_job() != NULL) {
		state.wake = waker.wake;
		state.arg = waker.arg;
	}
	/* cppcheck-suppress autoVariables -- whoever has the job ends it first */
	job->state = &state;
	key->start(key->place, job);
	wait_for(&state);
	(void)pthread_mutex_destroy(&state.lock);
	(void)pthread_cond_destroy(&state.changed);
	return state.end;
}

/* Is the result what the public key says it is? */
static bool
is_right(const struct far_job *job, RSA *rsa)
{
	uint8_t back[FAR_KEY_BYTES_MAX];

	return RSA_public_decrypt((int)job->len, job->out, back, rsa,
		   RSA_NO_PADDING) == (int)job->len &&
	    CRYPTO_memcmp(back, job->in, job->len) == 0;
}

static int
far_operation(const struct far_key *key, BIGNUM *out, const BIGNUM *in,
    RSA *rsa)
{
	struct far_job *job = xcalloc(1, sizeof(*job));
	enum far_job_end end = FAR_JOB_FAILED;
	int ok;

	job->len = (size_t)RSA_size(rsa);
	if (BN_bn2binpad(in, job->in, (int)job->len) == (int)job->len)
		end = operate(key, job);
	ok = (end == FAR_JOB_CHECKED ||
		 (end == FAR_JOB_DONE && is_right(job, rsa))) &&
	    BN_bin2bn(job->out, (int)job->len, out) != NULL;
	if (!ok)
		ERR_raise_data(ERR_LIB_RSA, ERR_R_OPERATION_FAIL,
		    "the place of the private key has failed");
	OPENSSL_cleanse(job, sizeof(*job));
	free(job);
	return ok;
}

static struct far_key
find(const RSA *rsa)
{
	struct far_key found = { .modulus = NULL };

	(void)pthread_rwlock_rdlock(&far.lock);
	for (size_t i = 0; i < FAR_KEYS_MAX; i++)
		if (far.keys[i].modulus != NULL &&
		    BN_cmp(far.keys[i].modulus, RSA_get0_n(rsa)) == 0)
			found = far.keys[i];
	(void)pthread_rwlock_unlock(&far.lock);
	return found;
}

/* The method's: out = in ^ d mod n, of whichever key. */
static int
any_operation(BIGNUM *out, const BIGNUM *in, RSA *rsa, BN_CTX *ctx)
{
	const struct far_key key = find(rsa);

	return key.modulus != NULL ? far_operation(&key, out, in, rsa) :
				     far.near(out, in, rsa, ctx);
}

/*
 * OpenSSL keeps one pair of blinding factors per key and thread, and takes for
 * granted that an operation ends before the thread's next one begins.
 */
static void
stop_blinding(RSA *rsa)
{
	if (RSA_test_flags(rsa, RSA_FLAG_NO_BLINDING) == 0 &&
	    find(rsa).modulus != NULL)
		RSA_set_flags(rsa, RSA_FLAG_NO_BLINDING);
}

static int
any_decrypt(int len, const unsigned char *from, unsigned char *to, RSA *rsa,
    int padding)
{
	stop_blinding(rsa);
	return far.decrypt(len, from, to, rsa, padding);
}

static int
any_sign(int len, const unsigned char *from, unsigned char *to, RSA *rsa,
    int padding)
{
	stop_blinding(rsa);
	return far.sign(len, from, to, rsa, padding);
}

/* --------------------------------------------------------------------- keys */

static void
make_method(void)
{
	const RSA_METHOD *standard = RSA_PKCS1_OpenSSL();

	far.method = RSA_meth_dup(standard);
	if (far.method == NULL)
		abort(); /* as xcalloc: no memory */
	far.near = RSA_meth_get_mod_exp(standard);
	far.decrypt = RSA_meth_get_priv_dec(standard);
	far.sign = RSA_meth_get_priv_enc(standard);
	(void)RSA_meth_set_mod_exp(far.method, any_operation);
	(void)RSA_meth_set_priv_dec(far.method, any_decrypt);
	(void)RSA_meth_set_priv_enc(far.method, any_sign);
	RSA_set_default_method(far.method);
}

static bool
remember(const BIGNUM *modulus, far_key_start *start, void *place)
{
	bool kept = false;

	(void)pthread_rwlock_wrlock(&far.lock);
	for (size_t i = 0; i < FAR_KEYS_MAX && !kept; i++)
		if (far.keys[i].modulus == NULL) {
			far.keys[i] = (struct far_key) { BN_dup(modulus), start,
				place };
			kept = far.keys[i].modulus != NULL;
		}
	(void)pthread_rwlock_unlock(&far.lock);
	return kept;
}

/* OpenSSL takes a key for a private one when these are there; none is used:
 * it is far_operation() that would. */
static EVP_PKEY *
dress(const BIGNUM *n, const BIGNUM *e)
{
	static const char *const parts[] = { OSSL_PKEY_PARAM_RSA_D,
		OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2,
		OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2,
		OSSL_PKEY_PARAM_RSA_COEFFICIENT1 };
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;
	bool ok = ctx != NULL && build != NULL &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts) && ok; i++)
		ok = OSSL_PARAM_BLD_push_BN(build, parts[i], e) == 1;
	ok = ok && (params = OSSL_PARAM_BLD_to_param(build)) != NULL &&
	    EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) == 1;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	return ok ? key : NULL;
}

EVP_PKEY *
far_key_new(EVP_PKEY *public_key, far_key_start *start, void *place,
    struct error *err)
{
	BIGNUM *n = NULL, *e = NULL;
	EVP_PKEY *key = NULL;

	(void)pthread_once(&far.once, make_method);
	if (EVP_PKEY_get_bn_param(public_key, OSSL_PKEY_PARAM_RSA_N, &n) != 1 ||
	    EVP_PKEY_get_bn_param(public_key, OSSL_PKEY_PARAM_RSA_E, &e) != 1 ||
	    BN_num_bytes(n) > FAR_KEY_BYTES_MAX)
		(void)error_openssl(err,
		    "a key that is elsewhere: expected RSA of at most %d bits",
		    8 * FAR_KEY_BYTES_MAX);
	else if ((key = dress(n, e)) == NULL)
		(void)error_openssl(err, "cannot make a key");
	else if (!remember(n, start, place)) {
		(void)error_set(err, ERROR_INPUT,
		    "more than %d keys that are elsewhere", FAR_KEYS_MAX);
		EVP_PKEY_free(key);
		key = NULL;
	}
	BN_free(n);
	BN_free(e);
	return key;
}

void
far_key_forget(EVP_PKEY *key)
{
	BIGNUM *n = NULL;

	if (key == NULL ||
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) != 1)
		return;
	(void)pthread_rwlock_wrlock(&far.lock);
	for (size_t i = 0; i < FAR_KEYS_MAX; i++)
		if (far.keys[i].modulus != NULL &&
		    BN_cmp(far.keys[i].modulus, n) == 0) {
			BN_free(far.keys[i].modulus);
			far.keys[i] = (struct far_key) { .modulus = NULL };
		}
	(void)pthread_rwlock_unlock(&far.lock);
	BN_free(n);
}
