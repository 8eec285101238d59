/*
 * nat -- a mixed fleet behind few addresses, in front of one port, for the test
 * of listeners with several certificates.
 *
 *     nat setup FOLDER COUNT
 *     nat run FOLDER PORT SOURCES [BODIES]
 *
 * setup makes a copy of every CA (lab/pki.h), the certificates of their servers,
 * COUNT devices of many models and firmware versions, and devices.csv.
 *
 * run lets each device resync until it has its profile, at most ATTEMPTS times,
 * in an order that mixes all of them; device n is behind the address
 * 127.0.1.(n mod SOURCES + 1).  At the end a line of JSON: how many were
 * provisioned, after how many refused certificates, and how many refusals there
 * were of each class of models.  With BODIES, a folder, BODIES/MAC is the profile
 * that the device took.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "lab/parallel.h"
#include "lab/pki.h"
#include "pki/anchors.h"
#include "pki/cert.h"
#include "pki/chain.h"
#include "sim/device.h"
#include "spa/firmware.h"
#include "spa/registry.h"
#include "spa/trust.h"

#define ATTEMPTS 4
#define COUNT_MAX 60000
#define THREADS 4
#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

/* What a fleet of mixed age is made of. */
static const char *const kinds[] = { "PAP2T", "SPA962@6.1.5(a)", "SPA942",
	"SPA504G@7.5.4", "SPA504G@7.5.6", "SPA525G2@7.5.4", "SPA525G2@7.6.2f",
	"SPA112@1.3.1(003)", "SPA112@1.3.3", "SPA122@1.4.1",
	"ATA191-MPP@11.2(4)", "CP-8841-3PCC@12.0(3)", "CP-8841-3PCC@12.0(7)SR2",
	"CP-7832-3PCC@12.0(7)SR3" };

struct unit {
	struct mac mac;
	const struct model *model;
	struct firmware firmware;
	bool has_firmware;
	char serial[16];
	size_t refused; /* certificates, before it was provisioned */
	bool provisioned;
};

struct fleet {
	const char *folder, *bodies;
	struct unit *units;
	size_t count, sources;
	const char *port;
	struct addr server;
};

static void
die(const char *what, const struct error *err)
{
	(void)fprintf(stderr, "nat: %s: %s\n", what, err->text);
	exit(1);
}

static size_t
number(const char *text, size_t max)
{
	struct error err;
	uint64_t value = 0;

	if (text_parse_number(text, 1, max, &value, &err) != 0)
		die(text, &err);
	return (size_t)value;
}

/* The kinds in an order that mixes them, the same one each time. */
static struct unit
unit_of(size_t n)
{
	struct unit unit = { .mac = { { 0x02, 0x1a, 0xb2, 0x00,
				 (uint8_t)(n >> 8), (uint8_t)n } } };
	struct error err;

	if (trust_parse_device(kinds[(n * 5 + n / 97) % LENGTH(kinds)],
		&unit.model, &unit.firmware, &unit.has_firmware, &err) != 0)
		die("kind", &err);
	(void)snprintf(unit.serial, sizeof(unit.serial), "T%08zu", n);
	return unit;
}

static char *
base_of(const char *folder, const struct unit *unit)
{
	char mac[MAC_TEXT_BYTES];

	mac_format(&unit->mac, mac);
	return xasprintf("%s/devices/%s", folder, mac);
}

static int
set_up(const char *folder, size_t count)
{
	struct error err;
	struct lab_pki *pki = lab_pki_new(time(NULL), NULL, NULL, &err);
	char *devices = xasprintf("%s/devices", folder);
	char *csv = xasprintf("%s/devices.csv", folder);
	struct buf text;

	if (pki == NULL || lab_pki_write_servers(pki, folder, &err) != 0 ||
	    file_make_directory(devices, 0755, &err) != 0)
		die(folder, &err);
	buf_init(&text, 64 * 1024 * 1024);
	if (buf_append_text(&text, "mac,model,firmware\n") != 0)
		return 1;
	for (size_t i = 0; i < count; i++) {
		struct unit unit = unit_of(i);
		const struct lab_identity identity = { .model = unit.model,
			.mac = unit.mac,
			.serial = unit.serial,
			.second_mac = unit.mac,
			.second_serial = unit.serial };
		char *base = base_of(folder, &unit), mac[MAC_TEXT_BYTES];

		mac_format(&unit.mac, mac);
		if (lab_pki_write_identity(pki, &identity, base, &err) != 0)
			die(base, &err);
		if (buf_printf(&text, "%s,%s,%s\n", mac, unit.model->name,
			unit.has_firmware ? unit.firmware.text : "") != 0)
			return 1;
		free(base);
	}
	if (file_create(csv, 0644, buf_text(&text), text.len, &err) != 0)
		die(csv, &err);
	buf_clear(&text);
	free(csv);
	free(devices);
	lab_pki_free(pki);
	return 0;
}

/* Every name leads to the one server. */
static size_t
resolve(void *arg, const char *host, struct addr *list, size_t max)
{
	const struct fleet *fleet = arg;

	(void)host;
	(void)max;
	list[0] = fleet->server;
	return 1;
}

/* The CAs that this unit trusts, of those that have a file. */
static struct anchors *
trusted_by(const struct fleet *fleet, const struct unit *unit)
{
	struct anchors *anchors = anchors_new();

	for (size_t i = 0; i < registry_ca_count; i++) {
		const struct ca *ca = &registry_cas[i];
		char *path;
		struct error err;

		if (!registry_is_server_ca(ca) ||
		    trust_resolve(unit->model,
			unit->has_firmware ? &unit->firmware : NULL, ca)
			    .verdict != VERDICT_TRUSTED)
			continue;
		path = xasprintf("%s/cas/%s.pem", fleet->folder, ca->id);
		if (anchors_add_file(anchors, path, &err) != 0)
			die(path, &err);
		free(path);
	}
	return anchors;
}

static void
keep(const struct fleet *fleet, const struct unit *unit,
    const struct sim_result *result)
{
	char mac[MAC_TEXT_BYTES], *path;
	struct error err;

	mac_format(&unit->mac, mac);
	path = xasprintf("%s/%s", fleet->bodies, mac);
	if (file_create(path, 0644, result->body, result->body_len, &err) != 0)
		die(path, &err);
	free(path);
}

static void
resync(struct fleet *fleet, struct unit *unit, const struct sim_device *sim,
    const struct sim_network *network)
{
	/* The name belongs to one of the certificates: old devices send none,
	 * and look the certificate's own name up. */
	char *rule =
	    xasprintf("https://ciscosb-prov-2.lab.example.net:%s/$MA.xml",
		fleet->port);

	for (size_t i = 0; i < ATTEMPTS && !unit->provisioned; i++) {
		struct sim_result result;

		sim_resync(sim, rule, network, &result);
		unit->provisioned = result.outcome == SIM_PROVISIONED;
		unit->refused += result.outcome == SIM_UNTRUSTED;
		if (!unit->provisioned && result.outcome != SIM_UNTRUSTED)
			(void)fprintf(stderr, "%s: %s\n", unit->model->name,
			    result.reason);
		if (unit->provisioned && fleet->bodies != NULL)
			keep(fleet, unit, &result);
		sim_result_clear(&result);
	}
	free(rule);
}

static void
work(void *arg, size_t index)
{
	struct fleet *fleet = arg;
	struct unit *unit = &fleet->units[index];
	char *base = base_of(fleet->folder, unit);
	char *crt = xasprintf("%s.crt", base), *key = xasprintf("%s.key", base);
	struct anchors *trusted = trusted_by(fleet, unit);
	struct sim_device_options options = { .model = unit->model,
		.firmware = unit->has_firmware ? &unit->firmware : NULL,
		.mac = unit->mac,
		.serial = unit->serial,
		.trusted = trusted };
	struct sim_network network = {
		.resolve = resolve, .arg = fleet, .timeout_ms = 20000
	};
	struct addr source;
	struct chain *identity;
	struct sim_device *sim;
	struct error err;
	char text[32];

	(void)snprintf(text, sizeof(text), "127.0.1.%zu",
	    index % fleet->sources + 1);
	identity = chain_load(crt, key, &err);
	options.identity = identity;
	if (identity == NULL || addr_parse_host(&source, text, 0, &err) != 0 ||
	    (sim = sim_device_new(&options, &err)) == NULL)
		die(base, &err);
	network.source = &source;
	resync(fleet, unit, sim, &network);
	sim_device_free(sim);
	chain_free(identity);
	anchors_free(trusted);
	free(key);
	free(crt);
	free(base);
}

static void
print(const struct fleet *fleet)
{
	size_t provisioned = 0, after[ATTEMPTS + 1] = { 0 }, refusals = 0;

	for (size_t i = 0; i < fleet->count; i++) {
		provisioned += fleet->units[i].provisioned;
		after[fleet->units[i].refused]++;
		refusals += fleet->units[i].refused;
	}
	(void)printf("{\"devices\": %zu, \"provisioned\": %zu, "
		     "\"refusals\": %zu, \"after\": [",
	    fleet->count, provisioned, refusals);
	for (size_t i = 0; i <= ATTEMPTS; i++)
		(void)printf("%s%zu", i > 0 ? ", " : "", after[i]);
	(void)printf("]}\n");
}

static int
run(const char *folder, const char *port, size_t sources, const char *bodies)
{
	struct fleet fleet = { .folder = folder,
		.bodies = bodies,
		.sources = sources,
		.port = port };
	struct parallel parallel = { .work = work, .arg = &fleet };
	char *csv = xasprintf("%s/devices.csv", folder), *text;
	struct error err;
	size_t len;

	(void)signal(SIGPIPE, SIG_IGN);
	if (addr_parse_host(&fleet.server, "127.0.0.1",
		(uint16_t)number(port, 65535), &err) != 0 ||
	    file_read(csv, 64 * 1024 * 1024, &text, &len, &err) != 0)
		die(csv, &err);
	for (size_t i = 0; i < len; i++)
		fleet.count += text[i] == '\n';
	fleet.count--; /* the heads */
	fleet.units = xcalloc(fleet.count, sizeof(*fleet.units));
	for (size_t i = 0; i < fleet.count; i++)
		fleet.units[i] = unit_of(i);
	parallel.count = fleet.count;
	parallel_run(&parallel, THREADS);
	print(&fleet);
	free(fleet.units);
	free(text);
	free(csv);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "setup") == 0)
		return set_up(argv[2], number(argv[3], COUNT_MAX));
	if ((argc == 5 || argc == 6) && strcmp(argv[1], "run") == 0)
		return run(argv[2], argv[3], number(argv[4], 250), argv[5]);
	(void)fprintf(stderr,
	    "usage: nat setup FOLDER COUNT\n"
	    "       nat run FOLDER PORT SOURCES [BODIES]\n");
	return 2;
}
