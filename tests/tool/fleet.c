/*
 * fleet -- many simulated devices of one model that keep the rules they were
 * last given, for tests of migrations.
 *
 *     fleet setup FOLDER COUNT OLD-PORT
 *     fleet run FOLDER ROUNDS [THREADS]
 *
 * setup makes CAs, certificates of two listeners (servers/old, servers/new and
 * servers/broken, whose CA only has the name of the new one), those of the
 * devices, and devices.csv for "sprov device import".  The devices share one
 * key.
 *
 * run lets every device resync so many times, or with 0 until the file
 * FOLDER/stop is there.  What a device was given last is kept in
 * FOLDER/flash.tsv, also between two runs.  A resync is Profile_Rule, then
 * Profile_Rule_B ([ATA19X-PROV]); the first that fails ends it ([MPP-PROV]).
 * Every other device uses a Profile_Rule_B that came with Profile_Rule at
 * once, the rest only from the next resync on, because the sources leave that
 * open.  At the end a line of JSON says how the last round went.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "lab/lab.h"
#include "lab/parallel.h"
#include "lab/pki.h"
#include "pki/anchors.h"
#include "pki/cert.h"
#include "pki/chain.h"
#include "pki/key.h"
#include "pki/mint.h"
#include "sim/device.h"
#include "spa/firmware.h"
#include "spa/flat_profile.h"
#include "spa/identify.h"
#include "spa/registry.h"

#define DAY (24 * 60 * 60)
#define MODEL "SPA504G"
#define FIRMWARE "7.6.2f" /* trusts both CAs */
#define COUNT_MAX 65000
#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

struct flash {
	struct mac mac;
	char *rule, *rule_b;
	struct chain *identity;
	struct sim_device *sim;
	bool provisioned; /* in the last round */
	bool failed;	  /* ditto: one of its rules did */
};

struct fleet {
	struct flash *devices;
	size_t count;
	struct anchors *trusted;
};

static void
die(const char *what, const struct error *err)
{
	(void)fprintf(stderr, "fleet: %s: %s\n", what, err->text);
	exit(1);
}

static char *
in(const char *folder, const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

/* ------------------------------------------------------------------ setup */

struct authority {
	EVP_PKEY *key;
	X509 *cert;
};

static X509 *
mint_as(const struct mint_name_part *subject, size_t count, const char *usage,
    EVP_PKEY *key, const struct authority *issuer)
{
	const struct mint_request request = {
		.subject = subject,
		.subject_count = count,
		.key = key,
		.issuer = issuer != NULL ? issuer->cert : NULL,
		.issuer_key = issuer != NULL ? issuer->key : NULL,
		.digest = "sha1",
		.not_before = time(NULL) - DAY,
		.not_after = time(NULL) + 365 * DAY,
		.ca = issuer == NULL,
		.path_length = -1,
		.extended_key_usage = usage,
	};
	struct error err;
	X509 *cert = mint_certificate(&request, &err);

	if (cert == NULL)
		die(subject[0].value, &err);
	return cert;
}

static X509 *
mint(const char *common_name, const char *usage, EVP_PKEY *key,
    const struct authority *issuer)
{
	const struct mint_name_part subject[] = {
		{ .type = CERT_COMMON_NAME, .value = common_name },
	};

	return mint_as(subject, LENGTH(subject), usage, key, issuer);
}

static EVP_PKEY *
make_key(unsigned bits)
{
	struct error err;
	EVP_PKEY *key = key_generate(bits, 65537, &err);

	if (key == NULL)
		die("key", &err);
	return key;
}

static struct authority
make_ca(const char *id)
{
	const struct ca *ca = registry_find_ca(id);
	char *name = xasprintf(IDENTIFY_LAB_PREFIX "%s", ca->common_name);
	struct authority authority = { .key = make_key(1024) };

	authority.cert = mint(name, NULL, authority.key, NULL);
	free(name);
	return authority;
}

static void
free_ca(struct authority *authority)
{
	key_free(authority->key);
	cert_free(authority->cert);
}

static void
write_certs(const char *folder, const char *name, X509 *const *certs,
    size_t count)
{
	char *path = in(folder, name);
	struct error err;

	if (cert_write_file(path, certs, count, &err) != 0)
		die(path, &err);
	free(path);
}

static void
write_key(const char *folder, const char *name, EVP_PKEY *key)
{
	char *path = in(folder, name);
	struct error err;

	if (key_write(path, key, &err) != 0)
		die(path, &err);
	free(path);
}

static void
write_server(const char *folder, const char *name, const char *host,
    const struct authority *issuer)
{
	char *common_name = xasprintf("%s.%s", host, LAB_DOMAIN);
	char *cert_name = xasprintf("servers/%s.crt", name);
	char *key_name = xasprintf("servers/%s.key", name);
	EVP_PKEY *key = make_key(1024);
	X509 *cert = mint(common_name, "serverAuth", key, issuer);

	write_certs(folder, cert_name, &cert, 1);
	write_key(folder, key_name, key);
	cert_free(cert);
	key_free(key);
	free(key_name);
	free(cert_name);
	free(common_name);
}

/* Invented: locally administered, unicast. */
static struct mac
mac_of(size_t n)
{
	return (struct mac) { { 0x02, 0x1a, 0xb1, 0x00, (uint8_t)(n >> 8),
	    (uint8_t)n } };
}

static void
write_device(const char *folder, const struct mac *mac, EVP_PKEY *key,
    const struct authority *issuer)
{
	char st[MAC_TEXT_BYTES], l[16], name[160];
	const struct mint_name_part subject[] = {
		{ .type = CERT_STATE, .value = st },
		{ .type = CERT_LOCALITY, .value = l },
		{ .type = CERT_COMMON_NAME, .value = name },
	};
	char text[MAC_TEXT_BYTES], path[64];
	X509 *cert;

	mac_format_upper(mac, st);
	(void)snprintf(l, sizeof(l), "T%s", st + 4);
	(void)snprintf(name, sizeof(name), "SPA-504G, MAC: %s, Serial: %s", st,
	    l);
	mac_format(mac, text);
	(void)snprintf(path, sizeof(path), "devices/%s.crt", text);
	cert = mint_as(subject, LENGTH(subject), "clientAuth", key, issuer);
	write_certs(folder, path, &cert, 1);
	cert_free(cert);
}

static void
write_devices(const char *folder, size_t count, const char *port,
    const struct authority *issuer)
{
	EVP_PKEY *key = make_key(1024);
	char *path = in(folder, "devices.csv");
	struct error err;
	struct buf text;
	int rc;

	buf_init(&text, 16 * 1024 * 1024);
	rc = buf_append_text(&text, "mac,model,firmware,profile_rule\n");
	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct mac mac = mac_of(i);
		char ma[MAC_TEXT_BYTES];

		write_device(folder, &mac, key, issuer);
		mac_format(&mac, ma);
		rc = buf_printf(&text,
		    "%s," MODEL "," FIRMWARE ",https://old.%s:%s/$MA.cfg\n", ma,
		    LAB_DOMAIN, port);
	}
	write_key(folder, "devices/all.key", key);
	if (rc != 0 ||
	    file_create(path, 0644, buf_text(&text), text.len, &err) != 0)
		die(path, &err);
	buf_clear(&text);
	key_free(key);
	free(path);
}

/* Every device as it leaves the factory: with the old rule. */
static void
write_flash(const char *folder, size_t count, const char *port)
{
	char *path = in(folder, "flash.tsv");
	struct error err;
	struct buf text;
	int rc = 0;

	buf_init(&text, 64 * 1024 * 1024);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct mac mac = mac_of(i);
		char ma[MAC_TEXT_BYTES];

		mac_format(&mac, ma);
		rc = buf_printf(&text, "%s\thttps://old.%s:%s/$MA.cfg\t\n", ma,
		    LAB_DOMAIN, port);
	}
	if (rc != 0 ||
	    file_replace(path, 0644, buf_text(&text), text.len, &err) != 0)
		die(path, &err);
	buf_clear(&text);
	free(path);
}

static int
set_up(const char *folder, size_t count, const char *old_port)
{
	static const char *const folders[] = { "cas", "servers", "devices" };
	struct authority sb1 = make_ca("ciscosb-prov-1");
	struct authority sb2 = make_ca("ciscosb-prov-2");
	struct authority impostor = make_ca("ciscosb-prov-2");
	struct authority client = make_ca("ciscosb-client-1");
	struct error err;

	for (size_t i = 0; i < LENGTH(folders); i++) {
		char *path = in(folder, folders[i]);

		if (file_make_directory(path, 0755, &err) != 0)
			die(path, &err);
		free(path);
	}
	write_certs(folder, "cas/sb1.pem", &sb1.cert, 1);
	write_certs(folder, "cas/sb2.pem", &sb2.cert, 1);
	write_certs(folder, "client-anchors.pem", &client.cert, 1);
	write_server(folder, "old", "old", &sb1);
	write_server(folder, "new", "new", &sb2);
	write_server(folder, "broken", "new", &impostor);
	write_devices(folder, count, old_port, &client);
	write_flash(folder, count, old_port);
	free_ca(&sb1);
	free_ca(&sb2);
	free_ca(&impostor);
	free_ca(&client);
	return 0;
}

/* -------------------------------------------------------------------- run */

static void
load_cas(struct fleet *fleet, const char *folder)
{
	static const char *const names[] = { "cas/sb1.pem", "cas/sb2.pem" };
	struct error err;

	fleet->trusted = anchors_new();
	for (size_t i = 0; i < LENGTH(names); i++) {
		char *path = in(folder, names[i]);

		if (anchors_add_file(fleet->trusted, path, &err) != 0)
			die(path, &err);
		free(path);
	}
}

static void
equip(struct flash *flash, const struct fleet *fleet, const char *folder)
{
	struct sim_device_options options = {
		.model = registry_find_model(MODEL, NULL),
		.mac = flash->mac,
		.trusted = fleet->trusted,
	};
	char text[MAC_TEXT_BYTES], serial[16];
	struct firmware firmware;
	char *cert, *key;
	struct error err;

	mac_format_upper(&flash->mac, text);
	(void)snprintf(serial, sizeof(serial), "T%s", text + 4);
	mac_format(&flash->mac, text);
	cert = xasprintf("%s/devices/%s.crt", folder, text);
	key = in(folder, "devices/all.key");
	if (firmware_parse(&firmware, FIRMWARE, &err) != 0)
		die(FIRMWARE, &err);
	flash->identity = chain_load(cert, key, &err);
	if (flash->identity == NULL)
		die(cert, &err);
	options.firmware = &firmware;
	options.serial = serial;
	options.identity = flash->identity;
	flash->sim = sim_device_new(&options, &err);
	if (flash->sim == NULL)
		die(text, &err);
	free(cert);
	free(key);
}

static void
load_flash(struct fleet *fleet, const char *folder)
{
	char *path = in(folder, "flash.tsv"), *text, *rest, *line;
	struct error err;
	size_t len;

	if (file_read(path, 64 * 1024 * 1024, &text, &len, &err) != 0)
		die(path, &err);
	rest = text;
	fleet->devices = xcalloc(COUNT_MAX, sizeof(*fleet->devices));
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		struct flash *flash = &fleet->devices[fleet->count++];

		if (mac_parse(&flash->mac, strsep(&line, "\t"), &err) != 0)
			die(path, &err);
		flash->rule = xstrdup(strsep(&line, "\t"));
		flash->rule_b = xstrdup(line);
		equip(flash, fleet, folder);
	}
	free(text);
	free(path);
}

static void
save_flash(const struct fleet *fleet, const char *folder)
{
	char *path = in(folder, "flash.tsv");
	struct error err;
	struct buf text;
	int rc = 0;

	buf_init(&text, 64 * 1024 * 1024);
	for (size_t i = 0; rc == 0 && i < fleet->count; i++) {
		const struct flash *flash = &fleet->devices[i];
		char mac[MAC_TEXT_BYTES];

		mac_format(&flash->mac, mac);
		rc = buf_printf(&text, "%s\t%s\t%s\n", mac, flash->rule,
		    flash->rule_b);
	}
	if (rc != 0 ||
	    file_replace(path, 0644, buf_text(&text), text.len, &err) != 0)
		die(path, &err);
	buf_clear(&text);
	free(path);
}

static void
take(char **value, const char *given)
{
	if (given == NULL)
		return; /* not mentioned: it stays */
	free(*value);
	*value = xstrdup(given);
}

/* Fetch by a rule and apply what comes; was that good? */
static bool
follow(struct flash *flash, const char *rule)
{
	struct flat_profile *profile = NULL;
	struct sim_result result;
	struct error err;
	bool good;

	sim_resync(flash->sim, rule, &lab_network, &result);
	if (result.outcome == SIM_PROVISIONED)
		profile = flat_profile_read(result.body, result.body_len, &err);
	if (profile != NULL) {
		take(&flash->rule, flat_profile_value(profile, "Profile_Rule"));
		take(&flash->rule_b,
		    flat_profile_value(profile, "Profile_Rule_B"));
	}
	sim_result_clear(&result);
	good = profile != NULL;
	flat_profile_free(profile);
	return good;
}

static void
resync(void *arg, size_t index)
{
	struct fleet *fleet = arg;
	struct flash *flash = &fleet->devices[index];
	char *rule = xstrdup(flash->rule);
	char *rule_b = xstrdup(flash->rule_b);

	flash->failed = false;
	flash->provisioned = follow(flash, rule);
	if (!flash->provisioned) {
		flash->failed = true;
	} else {
		if (index % 2 == 0) {
			free(rule_b);
			rule_b = xstrdup(flash->rule_b);
		}
		if (*rule_b != '\0')
			flash->failed = !follow(flash, rule_b);
	}
	free(rule);
	free(rule_b);
}

static int
run(const char *folder, size_t rounds, size_t threads)
{
	struct fleet fleet = { .count = 0 };
	struct parallel parallel = { .work = resync, .arg = &fleet };
	char *stop = in(folder, "stop");
	size_t provisioned = 0, failed = 0;

	(void)signal(SIGPIPE, SIG_IGN);
	load_cas(&fleet, folder);
	load_flash(&fleet, folder);
	parallel.count = fleet.count;
	for (size_t i = 0; rounds > 0 ? i < rounds : access(stop, F_OK) != 0;
	     i++) {
		parallel_run(&parallel, threads);
		save_flash(&fleet, folder);
	}
	for (size_t i = 0; i < fleet.count; i++) {
		struct flash *flash = &fleet.devices[i];

		provisioned += flash->provisioned;
		failed += flash->failed;
		sim_device_free(flash->sim);
		chain_free(flash->identity);
		free(flash->rule);
		free(flash->rule_b);
	}
	(void)printf("{\"devices\": %zu, \"provisioned\": %zu, "
		     "\"failed\": %zu}\n",
	    fleet.count, provisioned, failed);
	free(fleet.devices);
	anchors_free(fleet.trusted);
	free(stop);
	return 0;
}

static size_t
number(const char *text, size_t max)
{
	struct error err;
	uint64_t value = 0;

	if (text_parse_number(text, 0, max, &value, &err) != 0)
		die(text, &err);
	return (size_t)value;
}

int
main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "setup") == 0)
		return set_up(argv[2], number(argv[3], COUNT_MAX), argv[4]);
	if ((argc == 4 || argc == 5) && strcmp(argv[1], "run") == 0)
		return run(argv[2], number(argv[3], 1000000),
		    argc == 5 ? number(argv[4], 64) : 2);
	(void)fprintf(stderr,
	    "usage: fleet setup FOLDER COUNT OLD-PORT\n"
	    "       fleet run FOLDER ROUNDS [THREADS]\n");
	return 2;
}
