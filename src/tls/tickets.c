#include "tls/tickets.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

struct tickets {
	pthread_mutex_t lock;
	size_t count;
	uint64_t made_s[TICKET_KEYS]; /* newest first, as keys */
	struct ticket_key keys[TICKET_KEYS];
};

struct tickets *
tickets_new(void)
{
	struct tickets *tickets = xcalloc(1, sizeof(*tickets));

	(void)pthread_mutex_init(&tickets->lock, NULL);
	return tickets;
}

void
tickets_free(struct tickets *tickets)
{
	if (tickets == NULL)
		return;
	(void)pthread_mutex_destroy(&tickets->lock);
	OPENSSL_cleanse(tickets, sizeof(*tickets));
	free(tickets);
}

/* Wipe the keys that open nothing any more. */
static void
expire(struct tickets *tickets, uint64_t now_s)
{
	while (tickets->count > 0 &&
	    now_s - tickets->made_s[tickets->count - 1] >=
		(uint64_t)TICKET_KEYS * TICKET_SEAL_S) {
		tickets->count--;
		OPENSSL_cleanse(&tickets->keys[tickets->count],
		    sizeof(struct ticket_key));
	}
}

/* Put a new key before the others. */
static bool
rotate(struct tickets *tickets, uint64_t now_s)
{
	struct ticket_key key;

	if (RAND_bytes(key.name, sizeof(key.name)) != 1 ||
	    RAND_priv_bytes(key.cipher, sizeof(key.cipher)) != 1 ||
	    RAND_priv_bytes(key.mac, sizeof(key.mac)) != 1)
		return false;
	memmove(tickets->keys + 1, tickets->keys,
	    (TICKET_KEYS - 1) * sizeof(*tickets->keys));
	memmove(tickets->made_s + 1, tickets->made_s,
	    (TICKET_KEYS - 1) * sizeof(*tickets->made_s));
	tickets->keys[0] = key;
	tickets->made_s[0] = now_s;
	if (tickets->count < TICKET_KEYS)
		tickets->count++;
	OPENSSL_cleanse(&key, sizeof(key));
	return true;
}

bool
tickets_seal(struct tickets *tickets, uint64_t now_s, struct ticket_key *key)
{
	bool ok = true;

	(void)pthread_mutex_lock(&tickets->lock);
	expire(tickets, now_s);
	if (tickets->count == 0 || now_s - tickets->made_s[0] >= TICKET_SEAL_S)
		ok = rotate(tickets, now_s);
	if (ok)
		*key = tickets->keys[0];
	(void)pthread_mutex_unlock(&tickets->lock);
	return ok;
}

bool
tickets_open(struct tickets *tickets, uint64_t now_s,
    const uint8_t name[static TICKET_NAME_BYTES], struct ticket_key *key,
    bool *newest)
{
	bool found = false;

	(void)pthread_mutex_lock(&tickets->lock);
	expire(tickets, now_s);
	for (size_t i = 0; i < tickets->count && !found; i++)
		if (memcmp(tickets->keys[i].name, name, TICKET_NAME_BYTES) ==
		    0) {
			*key = tickets->keys[i];
			*newest = i == 0 &&
			    now_s - tickets->made_s[0] < TICKET_SEAL_S;
			found = true;
		}
	(void)pthread_mutex_unlock(&tickets->lock);
	return found;
}

bool
tickets_appear(struct tickets *tickets, uint64_t now_s, const void *data,
    size_t len)
{
	bool found = false;

	(void)pthread_mutex_lock(&tickets->lock);
	expire(tickets, now_s);
	for (size_t i = 0; i < tickets->count && !found; i++)
		found = memmem(data, len, tickets->keys[i].name,
			    TICKET_NAME_BYTES) != NULL;
	(void)pthread_mutex_unlock(&tickets->lock);
	return found;
}
