#include "server/answer_profile.h"
#include "inventory/documents.h"
#include "inventory/snapshot.h"
#include "provision/decision.h"
#include "provision/render.h"
#include "provision/render_key.h"
#include "provision/small_templates.h"
#include "server/answer.h"
#include "server/profile_cache.h"
#include "server/service.h"
#include "spa/profile.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

static struct profile_cache_name
name_of(const struct exchange *exchange, const struct decision *decision,
    bool upgrade_only)
{
	struct profile_cache_name name;

	memset(&name, 0, sizeof(name)); /* padding counts */
	name.change = snapshot_change_number(exchange->snapshot);
	name.serial = service_serial(exchange->service);
	name.mac = decision->device->mac;
	name.cipher = (uint32_t)decision->cipher;
	name.upgrade = upgrade_only;
	if (decision->cipher != CIPHER_NONE)
		name.key_id = decision->key.id;
	return name;
}

/* The request says how the device will decrypt; the variable, whether it is
 * compressed before. */
static int
pack(const struct decision *decision, bool gzip, const struct buf *text,
    struct buf *body, struct error *err)
{
	const struct protection protection = { gzip, decision->cipher };
	uint8_t random[PROTECTION_RANDOM_BYTES] = { 0 };
	char id[KEYRING_ID_CHARS + 1];

	if (decision->cipher != CIPHER_NONE &&
	    RAND_bytes(random, sizeof(random)) != 1)
		return error_openssl(err, "no random bytes");
	keyring_format_id(decision->key.id, id);
	return protection_encode(&protection, decision->key.text, id, random,
	    buf_text(text), text->len, body, err);
}

/* A template may leave the key out: then it is not delivered. */
static bool
carries_newest(const struct device *device, const char *text)
{
	struct keyring ring = { .count = 0 };
	struct error ignored;
	bool found = render_keyring(device, &ring, &ignored) == 0 &&
	    ring.count > 0 && strstr(text, ring.key[0].text) != NULL;

	keyring_wipe(&ring);
	return found;
}

static int
make(const struct exchange *exchange, const struct decision *decision,
    bool upgrade_only, struct buf *body, struct answer_profile *profile,
    struct error *err)
{
	const struct templates *templates =
	    service_templates(exchange->service);
	struct protection protection;

	if (render_protection(exchange->snapshot, decision->device, &protection,
		err) != 0)
		return -1;
	protection.cipher = decision->cipher;
	profile->protection = protection_name(&protection);
	buf_init(&profile->clear, PROFILE_BYTES_MAX);
	if ((upgrade_only ? render_profile_as(templates, exchange->snapshot,
				decision->device, TEMPLATE_UPGRADE,
				&profile->clear, err) :
			    render_profile(templates, exchange->snapshot,
				decision->device, &profile->clear, err)) != 0)
		return -1;
	profile->note.carries_key = carries_newest(decision->device,
	    buf_text(&profile->clear));
	if (pack(decision, protection.gzip, &profile->clear, body, err) != 0)
		return -1;
	profile->packed = protection.gzip || protection.cipher != CIPHER_NONE;
	document_hash(buf_text(body), body->len, profile->note.sha256);
	return 0;
}

int
answer_profile(const struct exchange *exchange, const struct decision *decision,
    bool upgrade_only, struct buf *body, struct answer_profile *profile,
    struct error *err)
{
	const struct protection as_asked = { false, decision->cipher };
	const struct profile_cache_name name = name_of(exchange, decision,
	    upgrade_only);

	profile->coding = protection_content_encoding(&as_asked);
	if (exchange->cache != NULL &&
	    profile_cache_get(exchange->cache, &name, body, &profile->note))
		return 0;
	return make(exchange, decision, upgrade_only, body, profile, err);
}

void
answer_profile_cache(const struct exchange *exchange,
    const struct decision *decision, bool upgrade_only, const struct buf *body,
    const struct answer_profile *profile)
{
	const struct profile_cache_name name = name_of(exchange, decision,
	    upgrade_only);

	if (exchange->cache != NULL)
		profile_cache_put(exchange->cache, &name, buf_text(body),
		    body->len, &profile->note);
}

void
answer_profile_clear(struct answer_profile *profile)
{
	if (profile->clear.data != NULL)
		OPENSSL_cleanse(profile->clear.data, profile->clear.len);
	buf_clear(&profile->clear);
}

void
answer_profile_wish(const struct exchange *exchange,
    const struct decision *decision, const struct answer_profile *profile,
    struct keystate_wish *wish)
{
	const struct device *device = decision->device;
	struct keyring ring = { .count = 0 };
	struct protection protection;
	struct error ignored; /* rendering has failed over it */

	*wish = (struct keystate_wish) { .mac = device->mac };
	if (decision->cipher != CIPHER_NONE)
		wish->seen = decision->key.id;
	if (profile->note.carries_key &&
	    render_protection(exchange->snapshot, device, &protection,
		&ignored) == 0 &&
	    protection.cipher != CIPHER_NONE &&
	    render_keyring(device, &ring, &ignored) == 0 && ring.count > 0)
		wish->delivered = ring.key[0].id;
	keyring_wipe(&ring);
	if (keystate_has(exchange->keys, wish))
		wish->delivered = wish->seen = 0;
}
