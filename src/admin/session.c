#include "admin/session.h"
#include "base/mem.h"
#include "base/text.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

struct session {
	bool used;
	uint8_t hash[32];
	char name[ADMINS_NAME_MAX + 1];
	uint8_t password_hash[32]; /* of what was kept of the password */
	time_t began_at, used_at;
};

struct tries {
	char key[TRIES_KEY_MAX + 1]; /* "": free */
	unsigned failures;
	time_t next_at, last_at;
};

struct sessions {
	pthread_mutex_t mutex;
	struct session list[SESSIONS_MAX];
	struct tries tries[TRIES_KEPT];
};

struct sessions *
sessions_new(void)
{
	struct sessions *sessions = xcalloc(1, sizeof(*sessions));

	(void)pthread_mutex_init(&sessions->mutex, NULL);
	return sessions;
}

void
sessions_free(struct sessions *sessions)
{
	if (sessions == NULL)
		return;
	(void)pthread_mutex_destroy(&sessions->mutex);
	OPENSSL_cleanse(sessions, sizeof(*sessions));
	free(sessions);
}

static bool
is_alive(const struct session *session, time_t now)
{
	return session->used && now - session->used_at < SESSION_IDLE_S &&
	    now - session->began_at < SESSION_LIFE_S;
}

/* A free place, or that of the one used longest ago. */
static struct session *
find_place(struct sessions *sessions, time_t now)
{
	struct session *place = &sessions->list[0];

	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *one = &sessions->list[i];

		if (!is_alive(one, now))
			return one;
		if (one->used_at < place->used_at)
			place = one;
	}
	return place;
}

int
sessions_begin(struct sessions *sessions, const struct admin_account *account,
    time_t now, char text[static SESSION_TEXT_BYTES], struct error *err)
{
	uint8_t random[SESSION_BYTES];
	struct session *session;

	if (RAND_bytes(random, sizeof(random)) != 1)
		return error_openssl(err, "no random numbers");
	text_hex(random, sizeof(random), text);
	OPENSSL_cleanse(random, sizeof(random));
	(void)pthread_mutex_lock(&sessions->mutex);
	session = find_place(sessions, now);
	*session = (struct session) {
		.used = true, .began_at = now, .used_at = now
	};
	admins_hash(text, session->hash);
	admins_hash(account->password, session->password_hash);
	memcpy(session->name, account->name, sizeof(session->name));
	(void)pthread_mutex_unlock(&sessions->mutex);
	return 0;
}

/* All are looked at, each in the same time. */
static struct session *
find(struct sessions *sessions, const char *text)
{
	struct session *found = NULL;
	uint8_t hash[32];

	admins_hash(text, hash);
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		if (sessions->list[i].used &&
		    CRYPTO_memcmp(sessions->list[i].hash, hash, sizeof(hash)) ==
			0)
			found = &sessions->list[i];
	return found;
}

bool
sessions_find(struct sessions *sessions, const char *text, time_t now,
    char name[static ADMINS_NAME_MAX + 1])
{
	struct session *session;
	bool alive;

	(void)pthread_mutex_lock(&sessions->mutex);
	session = find(sessions, text);
	alive = session != NULL && is_alive(session, now);
	if (alive) {
		session->used_at = now;
		memcpy(name, session->name, sizeof(session->name));
	}
	(void)pthread_mutex_unlock(&sessions->mutex);
	return alive;
}

bool
sessions_is_of(struct sessions *sessions, const char *text,
    const struct admin_account *account)
{
	const struct session *session;
	uint8_t hash[32];
	bool same;

	admins_hash(account->password, hash);
	(void)pthread_mutex_lock(&sessions->mutex);
	session = find(sessions, text);
	same = session != NULL &&
	    CRYPTO_memcmp(session->password_hash, hash, sizeof(hash)) == 0;
	(void)pthread_mutex_unlock(&sessions->mutex);
	return same;
}

void
sessions_end(struct sessions *sessions, const char *text)
{
	struct session *session;

	(void)pthread_mutex_lock(&sessions->mutex);
	session = find(sessions, text);
	if (session != NULL)
		OPENSSL_cleanse(session, sizeof(*session));
	(void)pthread_mutex_unlock(&sessions->mutex);
}

/* ------------------------------------------------------------------ tries */

static struct tries *
find_tries(struct sessions *sessions, const char *key)
{
	for (size_t i = 0; i < TRIES_KEPT; i++)
		if (strcmp(sessions->tries[i].key, key) == 0)
			return &sessions->tries[i];
	return NULL;
}

unsigned
sessions_must_wait(struct sessions *sessions, const char *key, time_t now)
{
	const struct tries *tries;
	unsigned wait = 0;

	(void)pthread_mutex_lock(&sessions->mutex);
	tries = find_tries(sessions, key);
	if (tries != NULL && tries->next_at > now)
		wait = (unsigned)(tries->next_at - now);
	(void)pthread_mutex_unlock(&sessions->mutex);
	/* A clock that went back is no reason to wait for ever. */
	return wait < TRIES_WAIT_MAX_S ? wait : TRIES_WAIT_MAX_S;
}

/* Of those that are kept the one that was tried longest ago goes. */
static struct tries *
make_tries(struct sessions *sessions, const char *key)
{
	struct tries *tries = find_tries(sessions, key);

	if (tries != NULL)
		return tries;
	tries = &sessions->tries[0];
	for (size_t i = 0; i < TRIES_KEPT; i++)
		if (sessions->tries[i].last_at < tries->last_at)
			tries = &sessions->tries[i];
	*tries = (struct tries) { .failures = 0 };
	(void)snprintf(tries->key, sizeof(tries->key), "%s", key);
	return tries;
}

void
sessions_tried(struct sessions *sessions, const char *key, bool good,
    time_t now)
{
	struct tries *tries;
	unsigned wait = 1;

	(void)pthread_mutex_lock(&sessions->mutex);
	if (good) {
		tries = find_tries(sessions, key);
		if (tries != NULL)
			*tries = (struct tries) { .failures = 0 };
	} else {
		tries = make_tries(sessions, key);
		tries->last_at = now;
		tries->failures++;
		for (unsigned i = TRIES_FREE;
		     i < tries->failures && wait < TRIES_WAIT_MAX_S; i++)
			wait *= 2;
		if (wait > TRIES_WAIT_MAX_S)
			wait = TRIES_WAIT_MAX_S;
		if (tries->failures >= TRIES_FREE)
			tries->next_at = now + (time_t)wait;
	}
	(void)pthread_mutex_unlock(&sessions->mutex);
}
