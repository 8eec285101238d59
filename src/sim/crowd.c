#include "sim/crowd.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/mint.h"
#include "spa/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define DAY (24 * 60 * 60)
#define MIX_TEXT_MAX 4096
#define WEIGHT_MAX 10000
#define DIGEST_BYTES 16

/* Who signs, and until when. */
struct authority {
	X509 *cert;
	EVP_PKEY *key;
};

struct crowd {
	char *folder;
	size_t count, step;
	struct authority ca;
	char digest[DIGEST_BYTES];
	size_t key_count;
	EVP_PKEY *keys[CROWD_KEYS_MAX];
	size_t model_count;
	unsigned weight_sum;
	struct share {
		const struct model *model;
		unsigned weight;
	} models[CROWD_MODELS_MAX];
	X509 **certificates; /* count of them, NULL until needed */
};

/* ---------------------------------------------------------------- the mix */

static int
add_share(struct crowd *crowd, const char *item, struct error *err)
{
	struct share *share = &crowd->models[crowd->model_count];
	const char *colon = strchr(item, ':');
	const struct model *nearest = NULL;
	char name[64];
	uint64_t weight = 1;

	if (crowd->model_count == CROWD_MODELS_MAX)
		return error_set(err, ERROR_INPUT,
		    "more than %d models in a fleet", CROWD_MODELS_MAX);
	(void)snprintf(name, sizeof(name), "%.*s",
	    (int)(colon != NULL ? colon - item : (ptrdiff_t)strlen(item)),
	    item);
	if (colon != NULL &&
	    text_parse_number(colon + 1, 1, WEIGHT_MAX, &weight, err) != 0)
		return error_prefix(err, "model \"%.60s\": ", item);
	share->model = registry_find_model(name, &nearest);
	if (share->model == NULL)
		return error_set(err, ERROR_INPUT,
		    "model \"%s\" is not known%s%s", name,
		    nearest != NULL ? "; did you mean " : "",
		    nearest != NULL ? nearest->name : "");
	share->weight = (unsigned)weight;
	crowd->weight_sum += share->weight;
	crowd->model_count++;
	return 0;
}

static int
parse_mix(struct crowd *crowd, const char *text, struct error *err)
{
	char *copy = xstrdup(text), *rest = copy, *item;
	int rc = 0;

	while (rc == 0 && (item = strsep(&rest, ",")) != NULL)
		rc = add_share(crowd, item, err);
	free(copy);
	return rc;
}

/* ----------------------------------------------------------------- making */

static X509 *
mint_plain(const char *common_name, EVP_PKEY *key,
    const struct authority *issuer, const char *digest, struct error *err)
{
	const struct mint_name_part subject[] = {
		{ .type = CERT_ORGANIZATION, .value = "sprov fleet" },
		{ .type = CERT_COMMON_NAME, .value = common_name },
	};
	const struct mint_request request = {
		.subject = subject,
		.subject_count = COUNT(subject),
		.key = key,
		.issuer = issuer != NULL ? issuer->cert : NULL,
		.issuer_key = issuer != NULL ? issuer->key : NULL,
		.digest = digest,
		.not_before = time(NULL) - DAY,
		.not_after = time(NULL) + 3650L * DAY,
		.ca = issuer == NULL,
		.path_length = -1,
		.extended_key_usage = issuer != NULL ? "serverAuth" : NULL,
		.subject_alt_name = issuer != NULL ? "DNS:" CROWD_HOST : NULL,
	};

	return mint_certificate(&request, err);
}

static int
write_pair(const char *folder, const char *name, X509 *cert, EVP_PKEY *key,
    struct error *err)
{
	char *cert_path = xasprintf("%s/%s.crt", folder, name);
	char *key_path = xasprintf("%s/%s.key", folder, name);
	int rc = -1;

	if (key_write(key_path, key, err) == 0 &&
	    (cert == NULL || cert_write_file(cert_path, &cert, 1, err) == 0))
		rc = 0;
	free(key_path);
	free(cert_path);
	return rc;
}

/* A new CA NAME.crt and NAME.key; the caller clears it. */
static int
make_authority(const char *folder, const char *name, const char *common_name,
    unsigned bits, const char *digest, struct authority *ca, struct error *err)
{
	ca->key = key_generate(bits, 65537, err);
	if (ca->key == NULL)
		return -1;
	ca->cert = mint_plain(common_name, ca->key, NULL, digest, err);
	if (ca->cert == NULL)
		return -1;
	return write_pair(folder, name, ca->cert, ca->key, err);
}

static void
clear_authority(struct authority *ca)
{
	cert_free(ca->cert);
	key_free(ca->key);
}

static int
make_server(const char *folder, struct error *err)
{
	struct authority ca = { NULL, NULL };
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	int rc = -1;

	if (make_authority(folder, "server-ca", "Fleet Server CA", 2048,
		"sha256", &ca, err) == 0 &&
	    (key = key_generate(2048, 65537, err)) != NULL &&
	    (cert = mint_plain(CROWD_HOST, key, &ca, "sha256", err)) != NULL)
		rc = write_pair(folder, "server", cert, key, err);
	cert_free(cert);
	key_free(key);
	clear_authority(&ca);
	return rc;
}

static int
make_device_keys(const char *folder, const struct crowd_recipe *recipe,
    struct error *err)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < recipe->key_count; i++) {
		EVP_PKEY *key = key_generate(recipe->key_bits, 65537, err);
		char name[32];

		(void)snprintf(name, sizeof(name), "device-%u", i);
		rc = key != NULL ? write_pair(folder, name, NULL, key, err) :
				   -1;
		key_free(key);
	}
	return rc;
}

/* Last, so that a folder with it is complete. */
static int
write_mix(const char *folder, const struct crowd_recipe *recipe,
    struct error *err)
{
	char *path = xasprintf("%s/mix", folder);
	char *text = xasprintf("%s %s\n", recipe->digest, recipe->mix);
	int rc = file_create(path, 0644, text, strlen(text), err);

	free(text);
	free(path);
	return rc;
}

int
crowd_create(const char *folder, const struct crowd_recipe *recipe,
    struct error *err)
{
	struct authority ca = { NULL, NULL };
	struct crowd tried = { .count = 0 };
	int rc = -1;

	if (recipe->key_count < 1 || recipe->key_count > CROWD_KEYS_MAX)
		return error_set(err, ERROR_INPUT, "%u keys: expected 1 to %d",
		    recipe->key_count, CROWD_KEYS_MAX);
	if (parse_mix(&tried, recipe->mix, err) != 0 ||
	    file_make_directory(folder, 0755, err) != 0)
		return -1;
	if (make_authority(folder, "ca", "Fleet Device CA", recipe->ca_bits,
		recipe->digest, &ca, err) == 0 &&
	    make_server(folder, err) == 0 &&
	    make_device_keys(folder, recipe, err) == 0)
		rc = write_mix(folder, recipe, err);
	clear_authority(&ca);
	return rc;
}

/* ---------------------------------------------------------------- opening */

static int
read_mix(struct crowd *crowd, struct error *err)
{
	char *path = xasprintf("%s/mix", crowd->folder), *text = NULL, *blank;
	size_t len;
	int rc = file_read(path, MIX_TEXT_MAX, &text, &len, err);

	if (rc == 0) {
		text[strcspn(text, "\n")] = '\0';
		blank = strchr(text, ' ');
		if (blank == NULL || blank - text >= DIGEST_BYTES) {
			rc = error_set(err, ERROR_INPUT,
			    "%s: expected a digest and models", path);
		} else {
			*blank = '\0';
			(void)snprintf(crowd->digest, sizeof(crowd->digest),
			    "%s", text);
			rc = parse_mix(crowd, blank + 1, err);
		}
	}
	free(text);
	free(path);
	return rc;
}

static int
load_authority(struct crowd *crowd, struct error *err)
{
	char *cert_path = xasprintf("%s/ca.crt", crowd->folder);
	char *key_path = xasprintf("%s/ca.key", crowd->folder);
	X509 **certs = NULL;
	size_t count = 0;

	crowd->ca.key = key_load(key_path, err);
	if (crowd->ca.key != NULL &&
	    cert_read_file(cert_path, &certs, &count, err) == 0) {
		/* Taken over; cert_free_all() accepts NULL in its place. */
		crowd->ca.cert = certs[0];
		certs[0] = NULL;
		cert_free_all(certs, count);
	}
	free(key_path);
	free(cert_path);
	return crowd->ca.cert != NULL ? 0 : -1;
}

static int
load_keys(struct crowd *crowd, struct error *err)
{
	struct error absent;

	for (size_t i = 0; i < CROWD_KEYS_MAX; i++) {
		char *path = xasprintf("%s/device-%zu.key", crowd->folder, i);
		EVP_PKEY *key = key_load(path, i == 0 ? err : &absent);

		free(path);
		if (key == NULL)
			break;
		crowd->keys[crowd->key_count++] = key;
	}
	return crowd->key_count > 0 ? 0 : -1;
}

struct crowd *
crowd_open(const char *folder, size_t count, size_t step, struct error *err)
{
	struct crowd *crowd;

	if (count < 1 || step < 1 || count > CROWD_DEVICES_MAX / step) {
		(void)error_set(err, ERROR_INPUT, "a fleet has 1 to %d devices",
		    CROWD_DEVICES_MAX);
		return NULL;
	}
	crowd = xcalloc(1, sizeof(*crowd));
	crowd->folder = xstrdup(folder);
	crowd->count = count;
	crowd->step = step;
	crowd->certificates = xcalloc(count, sizeof(X509 *));
	if (read_mix(crowd, err) != 0 || load_authority(crowd, err) != 0 ||
	    load_keys(crowd, err) != 0) {
		crowd_free(crowd);
		return NULL;
	}
	return crowd;
}

void
crowd_free(struct crowd *crowd)
{
	if (crowd == NULL)
		return;
	for (size_t i = 0; i < crowd->count; i++)
		cert_free(crowd->certificates[i]);
	free(crowd->certificates);
	for (size_t i = 0; i < crowd->key_count; i++)
		key_free(crowd->keys[i]);
	clear_authority(&crowd->ca);
	free(crowd->folder);
	free(crowd);
}

/* ---------------------------------------------------------------- devices */

size_t
crowd_count(const struct crowd *crowd)
{
	return crowd->count;
}

const char *
crowd_folder(const struct crowd *crowd)
{
	return crowd->folder;
}

/* Invented: locally administered, unicast. */
struct mac
crowd_mac(const struct crowd *crowd, size_t index)
{
	size_t n = index * crowd->step;

	return (struct mac) { { 0x02, 0x1a, 0xf1, (uint8_t)(n >> 16),
	    (uint8_t)(n >> 8), (uint8_t)n } };
}

/* Spread by a step that shares no divisor with likely sums of weights, so that
 * any run of neighbours is mixed. */
const struct model *
crowd_model(const struct crowd *crowd, size_t index)
{
	unsigned at = (unsigned)(index * crowd->step * 7919 %
	    crowd->weight_sum);
	size_t i = 0;

	while (at >= crowd->models[i].weight)
		at -= crowd->models[i++].weight;
	return crowd->models[i].model;
}

void
crowd_serial(const struct crowd *crowd, size_t index,
    char serial[static CROWD_SERIAL_BYTES])
{
	(void)snprintf(serial, CROWD_SERIAL_BYTES, "F%09zu",
	    index * crowd->step);
}

size_t
crowd_key_number(const struct crowd *crowd, size_t index)
{
	return index % crowd->key_count;
}

EVP_PKEY *
crowd_key(const struct crowd *crowd, size_t index)
{
	return crowd->keys[crowd_key_number(crowd, index)];
}

static X509 *
mint_device(const struct crowd *crowd, size_t index,
    const struct mint_name_part *subject, size_t count, struct error *err)
{
	struct mac mac = crowd_mac(crowd, index);
	char serial_hex[MAC_TEXT_BYTES];
	const struct mint_request request = {
		.subject = subject,
		.subject_count = count,
		.key = crowd_key(crowd, index),
		.issuer = crowd->ca.cert,
		.issuer_key = crowd->ca.key,
		.digest = crowd->digest,
		.not_before = cert_not_before(crowd->ca.cert),
		.not_after = cert_not_after(crowd->ca.cert),
		.extended_key_usage = "clientAuth",
		.serial_hex = serial_hex,
		.only_shown = true,
	};

	mac_format(&mac, serial_hex);
	return mint_certificate(&request, err);
}

/* In the form of its model's family (spa/peer.h). */
static X509 *
make_certificate(const struct crowd *crowd, size_t index, struct error *err)
{
	const struct model *model = crowd_model(crowd, index);
	const char *product = model->certificate_product;
	struct mac mac = crowd_mac(crowd, index);
	char serial[CROWD_SERIAL_BYTES], lower[MAC_TEXT_BYTES];
	char upper[MAC_TEXT_BYTES], name[160], pid[128];
	const struct mint_name_part documented[] = {
		{ .type = CERT_UNIT, .value = product },
		{ .type = CERT_LOCALITY, .value = serial },
		{ .type = CERT_STATE, .value = lower },
	};
	const struct mint_name_part observed[] = {
		{ .type = CERT_STATE, .value = upper },
		{ .type = CERT_LOCALITY, .value = serial },
		{ .type = CERT_COMMON_NAME, .value = name },
	};
	const struct mint_name_part mic[] = {
		{ .type = CERT_SERIAL_NUMBER, .value = pid },
		{ .type = CERT_COMMON_NAME, .value = name },
	};

	crowd_serial(crowd, index, serial);
	mac_format(&mac, lower);
	mac_format_upper(&mac, upper);
	switch (model->identity) {
	case IDENTITY_DOCUMENTED:
		return mint_device(crowd, index, documented, COUNT(documented),
		    err);
	case IDENTITY_OBSERVED:
		(void)snprintf(name, sizeof(name), "%s, MAC: %s, Serial: %s",
		    product, upper, serial);
		return mint_device(crowd, index, observed, COUNT(observed),
		    err);
	case IDENTITY_MIC:
		(void)snprintf(pid, sizeof(pid), "PID:%s SN:%s", product,
		    serial);
		(void)snprintf(name, sizeof(name), "%s-SEP%s", product, upper);
		return mint_device(crowd, index, mic, COUNT(mic), err);
	}
	return NULL;
}

X509 *
crowd_certificate(struct crowd *crowd, size_t index, struct error *err)
{
	if (crowd->certificates[index] == NULL)
		crowd->certificates[index] = make_certificate(crowd, index,
		    err);
	return crowd->certificates[index];
}
