#include "lab/fleet.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "inventory/inventory.h"
#include "lab/pki.h"
#include "pki/anchors.h"
#include "pki/cert.h"
#include "pki/chain.h"
#include "sim/device.h"
#include "spa/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRMWARE_MAX 32

const char lab_template[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<!-- {{model}} {{firmware}} -->\n"
    "<flat-profile>\n"
    "  <Profile_Rule>{{profile_rule}}</Profile_Rule>\n"
    "  <GPP_A>$MA of $PN</GPP_A>\n"
    "  <Station_Name>{{station}} {{serial}}</Station_Name>\n"
    "  <User_ID_1_>{{mac}}</User_ID_1_>\n"
    "  <Password_1_>{{password}}</Password_1_>\n"
    "</flat-profile>\n";

const char lab_common_template[] = "<flat-profile>\n"
				   "  <GPP_B>{{product}}</GPP_B>\n"
				   "</flat-profile>\n";

const struct mac lab_retired_mac = { { 0x02, 0x1a, 0xb0, 0xff, 0x00, 0x01 } };

static struct trust
resolve(const struct lab_device *device, const struct ca *ca)
{
	return trust_resolve(device->model,
	    device->has_firmware ? &device->firmware : NULL, ca);
}

enum lab_expectation
lab_expect(const struct lab_device *device, const struct ca *ca, time_t now)
{
	const struct stack *stack = sim_device_stack(device->sim);

	const struct ca *above = ca->issuer_id != NULL ?
	    registry_find_ca(ca->issuer_id) :
	    NULL;

	switch (resolve(device, ca).verdict) {
	case VERDICT_UNKNOWN:
		/* The server sends the intermediate along: its root counts. */
		return above != NULL ? lab_expect(device, above, now) :
				       LAB_UNKNOWN;
	case VERDICT_NOT:
		return LAB_REFUSES;
	case VERDICT_TRUSTED:
		break;
	}
	if (stack->check_time && ca->not_after != 0 && ca->not_after < now)
		return LAB_EXPIRED;
	if (!stack->check_sha256 && lab_pki_server_is_sha2(ca))
		return LAB_DIGEST;
	if (stack->name_check == NAME_CHECK_SAN && !lab_pki_server_has_san(ca))
		return LAB_NAME;
	return LAB_ACCEPTS;
}

static void
lab_device_clear(struct lab_device *device)
{
	sim_device_free(device->sim);
	chain_free(device->identity);
	anchors_free(device->trusted);
	free(device->base);
	free(device->rule);
	free(device->profile);
}

void
lab_fleet_free(struct lab_fleet *fleet)
{
	if (fleet == NULL)
		return;
	for (size_t i = 0; i < fleet->count; i++)
		lab_device_clear(&fleet->devices[i]);
	free(fleet->devices);
	free(fleet);
}

static void
add_device(struct lab_fleet *fleet, const struct model *model,
    const struct firmware *firmware)
{
	struct lab_device *device;
	size_t n = fleet->count;

	fleet->devices = xrealloc(fleet->devices,
	    (n + 1) * sizeof(*fleet->devices));
	device = &fleet->devices[fleet->count++];
	*device = (struct lab_device) { .model = model };
	if (firmware != NULL) {
		device->has_firmware = true;
		device->firmware = *firmware;
	}
	(void)snprintf(device->label, sizeof(device->label), "%s%s%s",
	    model->name, firmware != NULL ? "@" : "",
	    firmware != NULL ? firmware->text : "");
	/* Invented: locally administered, unicast. */
	device->mac = (struct mac) { { 0x02, 0x1a, 0xb0, 0x00,
	    (uint8_t)(n >> 8), (uint8_t)n } };
	(void)snprintf(device->serial, sizeof(device->serial), "LAB%06zu",
	    n + 1);
}

static int
write_identity(const struct lab_device *device, const struct lab_pki *pki,
    struct error *err)
{
	const struct lab_identity identity = {
		.model = device->model,
		.mac = device->mac,
		.second_mac = device->mac,
		.serial = device->serial,
		.second_serial = device->serial,
	};

	return lab_pki_write_identity(pki, &identity, device->base, err);
}

static void
set_base(struct lab_device *device, const char *directory)
{
	char mac[MAC_TEXT_BYTES];

	mac_format(&device->mac, mac);
	device->base = xasprintf("%s/devices/%s", directory, mac);
}

/* From the files of the lab and the CAs, indexed as registry_cas, make the
 * simulated device. */
static int
equip(struct lab_device *device, X509 *const *cas, struct error *err)
{
	struct sim_device_options options = {
		.model = device->model,
		.firmware = device->has_firmware ? &device->firmware : NULL,
		.mac = device->mac,
		.serial = device->serial,
	};
	char *cert = xasprintf("%s.crt", device->base);
	char *key = xasprintf("%s.key", device->base);

	device->identity = chain_load(cert, key, err);
	free(cert);
	free(key);
	if (device->identity == NULL)
		return -1;
	device->trusted = anchors_new();
	for (size_t i = 0; i < registry_ca_count; i++)
		if (cas[i] != NULL &&
		    resolve(device, &registry_cas[i]).verdict ==
			VERDICT_TRUSTED)
			anchors_add(device->trusted, cas[i]);
	options.trusted = device->trusted;
	options.identity = device->identity;
	device->sim = sim_device_new(&options, err);
	return device->sim != NULL ? 0 : -1;
}

static int
equip_all(struct lab_fleet *fleet, X509 *const *cas, struct error *err)
{
	for (size_t i = 0; i < fleet->count; i++)
		if (equip(&fleet->devices[i], cas, err) != 0)
			return error_prefix(err,
			    "%s: ", fleet->devices[i].label);
	return 0;
}

struct lab_fleet *
lab_fleet_new(const struct lab_pki *pki, const char *directory,
    struct error *err)
{
	struct lab_fleet *fleet = xcalloc(1, sizeof(*fleet));
	X509 **cas;
	int rc = 0;

	for (size_t i = 0; i < registry_model_count; i++) {
		const struct model *model = &registry_models[i];
		struct firmware versions[FIRMWARE_MAX];
		size_t count = trust_distinct_firmware(model, versions,
		    FIRMWARE_MAX);

		for (size_t j = 0; j < count; j++)
			add_device(fleet, model, &versions[j]);
		if (count == 0)
			add_device(fleet, model, NULL);
	}
	cas = xcalloc(registry_ca_count, sizeof(*cas));
	for (size_t i = 0; i < registry_ca_count; i++)
		cas[i] = lab_pki_ca(pki, &registry_cas[i]);
	for (size_t i = 0; rc == 0 && i < fleet->count; i++) {
		set_base(&fleet->devices[i], directory);
		rc = write_identity(&fleet->devices[i], pki, err);
	}
	if (rc == 0)
		rc = equip_all(fleet, cas, err);
	free(cas);
	if (rc == 0)
		return fleet;
	lab_fleet_free(fleet);
	return NULL;
}

/* ---------------------------------------------------------- assignment */

/*
 * What the template must give, spelled out here by other means than the
 * template engine: otherwise the comparison would prove nothing.
 */
static char *
expected_profile(const struct lab_device *device)
{
	char mac[MAC_TEXT_BYTES];

	mac_format(&device->mac, mac);
	return xasprintf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			 "<!-- %s %s -->\n"
			 "<flat-profile>\n"
			 "  <Profile_Rule>%s</Profile_Rule>\n"
			 "  <GPP_A>$MA of $PN</GPP_A>\n"
			 "  <Station_Name>Desk &amp; &lt;%s&gt; "
			 "%s</Station_Name>\n"
			 "  <User_ID_1_>%s</User_ID_1_>\n"
			 "  <Password_1_>p&amp;&quot;%s&apos;</Password_1_>\n"
			 "</flat-profile>\n",
	    device->model->name,
	    device->has_firmware ? device->firmware.text : "", device->rule,
	    device->model->family, device->serial, mac, mac);
}

void
lab_fleet_assign(struct lab_fleet *fleet, const uint16_t *port, time_t now)
{
	for (size_t i = 0; i < fleet->count; i++) {
		struct lab_device *device = &fleet->devices[i];

		for (size_t j = 0; j < registry_ca_count; j++) {
			const struct ca *ca = &registry_cas[j];
			bool better = device->ca == NULL ||
			    (device->ca->signing != CA_SIGNING_YES &&
				ca->signing == CA_SIGNING_YES);

			if (better && registry_is_server_ca(ca) &&
			    lab_expect(device, ca, now) == LAB_ACCEPTS)
				device->ca = ca;
		}
		if (device->ca == NULL)
			continue;
		device->rule = xasprintf("https://%s." LAB_DOMAIN
					 ":%u/spa$MA.cfg",
		    device->ca->id, port[device->ca - registry_cas]);
		device->profile = expected_profile(device);
	}
}

/* ------------------------------------------------------------ inventory */

static int
put_family(struct inventory *inventory, const struct model *model,
    struct error *err)
{
	struct scope scope = { .kind = SCOPE_MODEL };
	char station[INVENTORY_NAME_MAX + 16];
	int rc;

	(void)snprintf(scope.name, sizeof(scope.name), "%s", model->name);
	(void)snprintf(station, sizeof(station), "Desk & <%s>", model->family);
	rc = variables_set(&scope.variables, "station", station, err);
	if (rc == 0)
		rc = inventory_put_scope(inventory, &scope, err);
	scope_clear(&scope);
	return rc;
}

static int
put_device(struct inventory *inventory, const struct lab_device *from,
    struct error *err)
{
	struct device device = { .mac = from->mac, .state = DEVICE_ACTIVE };
	char mac[MAC_TEXT_BYTES], password[MAC_TEXT_BYTES + 4];
	int rc;

	(void)snprintf(device.model, sizeof(device.model), "%s",
	    from->model->name);
	(void)snprintf(device.serial, sizeof(device.serial), "%s",
	    from->serial);
	if (from->has_firmware)
		(void)snprintf(device.firmware, sizeof(device.firmware), "%s",
		    from->firmware.text);
	mac_format(&from->mac, mac);
	(void)snprintf(password, sizeof(password), "p&\"%s'", mac);
	rc = variables_set(&device.variables, "password", password, err);
	if (rc == 0)
		rc = variables_set(&device.variables, "profile_rule",
		    from->rule != NULL ? from->rule : "", err);
	if (rc == 0)
		rc = inventory_add_device(inventory, &device, err);
	variables_clear(&device.variables);
	return rc;
}

static int
put_retired(struct inventory *inventory, struct error *err)
{
	const struct device device = {
		.mac = lab_retired_mac,
		.model = "SPA504G",
		.state = DEVICE_RETIRED,
	};

	return inventory_add_device(inventory, &device, err);
}

static int
write_table(const struct lab_fleet *fleet, const char *directory,
    struct error *err)
{
	char *path = xasprintf("%s/fleet.tsv", directory);
	char mac[MAC_TEXT_BYTES];
	struct buf text;
	int rc = 0;

	buf_init(&text, 1024 * 1024);
	rc = buf_printf(&text, "mac\tmodel\tfirmware\tserial\trule\n");
	for (size_t i = 0; rc == 0 && i < fleet->count; i++) {
		const struct lab_device *device = &fleet->devices[i];

		mac_format(&device->mac, mac);
		rc = buf_printf(&text, "%s\t%s\t%s\t%s\t%s\n", mac,
		    device->model->name,
		    device->has_firmware ? device->firmware.text : "",
		    device->serial, device->rule != NULL ? device->rule : "");
	}
	if (rc != 0)
		(void)error_set(err, ERROR_SYSTEM, "%s: too long", path);
	else
		rc = file_replace(path, 0644, text.data, text.len, err);
	buf_clear(&text);
	free(path);
	return rc;
}

int
lab_fleet_write(const struct lab_fleet *fleet, const char *directory,
    const char *uri, struct error *err)
{
	struct inventory *inventory = inventory_open(uri, false, err);
	int rc;

	if (inventory == NULL)
		return -1;
	rc = inventory_begin(inventory, err);
	for (size_t i = 0; rc == 0 && i < registry_model_count; i++)
		rc = put_family(inventory, &registry_models[i], err);
	for (size_t i = 0; rc == 0 && i < fleet->count; i++)
		rc = put_device(inventory, &fleet->devices[i], err);
	if (rc == 0)
		rc = put_retired(inventory, err);
	if (rc == 0)
		rc = inventory_commit(inventory, err);
	else
		inventory_rollback(inventory);
	inventory_close(inventory);
	return rc != 0 ? rc : write_table(fleet, directory, err);
}

/* ------------------------------------------------------- reading it back */

/* The next field of a row; *text moves behind it. */
static char *
next_field(char **text)
{
	char *field = *text;
	size_t len = strcspn(field, "\t");

	*text += len + (field[len] == '\t');
	field[len] = '\0';
	return field;
}

static int
read_row(struct lab_fleet *fleet, char *row, struct error *err)
{
	const char *mac_text = next_field(&row);
	const char *model_name = next_field(&row);
	const char *version = next_field(&row);
	const char *serial = next_field(&row);
	const char *rule = next_field(&row);
	const struct model *model = registry_find_model(model_name, NULL);
	struct firmware firmware;
	struct lab_device *device;
	struct mac mac;

	if (mac_parse(&mac, mac_text, err) != 0)
		return -1;
	if (model == NULL)
		return error_set(err, ERROR_INPUT, "unknown model \"%.64s\"",
		    model_name);
	if (*version != '\0' && firmware_parse(&firmware, version, err) != 0)
		return -1;
	add_device(fleet, model, *version != '\0' ? &firmware : NULL);
	device = &fleet->devices[fleet->count - 1];
	device->mac = mac;
	(void)snprintf(device->serial, sizeof(device->serial), "%s", serial);
	device->rule = *rule != '\0' ? xstrdup(rule) : NULL;
	return 0;
}

static int
read_rows(struct lab_fleet *fleet, const char *path, struct error *err)
{
	char *text = NULL, *row, *rest;
	size_t len, line = 0;
	int rc = file_read(path, 1024 * 1024, &text, &len, err);

	rest = text;
	while (rc == 0 && (row = strsep(&rest, "\n")) != NULL) {
		if (line++ == 0 || *row == '\0') /* the heads */
			continue;
		rc = read_row(fleet, row, err);
		if (rc != 0)
			(void)error_prefix(err, "%s:%zu: ", path, line);
	}
	free(text);
	return rc;
}

static int
read_cas(const char *directory, X509 **cas, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < registry_ca_count; i++) {
		char *path = xasprintf("%s/cas/%s.pem", directory,
		    registry_cas[i].id);
		X509 **certs = NULL;
		size_t count = 0;

		if (registry_is_server_ca(&registry_cas[i])) {
			rc = cert_read_file(path, &certs, &count, err);
			if (rc == 0 && count > 0) {
				cas[i] = certs[0];
				certs[0] = NULL;
			}
			cert_free_all(certs, count);
		}
		free(path);
	}
	return rc;
}

struct lab_fleet *
lab_fleet_read(const char *directory, struct error *err)
{
	struct lab_fleet *fleet = xcalloc(1, sizeof(*fleet));
	X509 **cas = xcalloc(registry_ca_count, sizeof(*cas));
	char *path = xasprintf("%s/fleet.tsv", directory);
	int rc = read_rows(fleet, path, err);

	for (size_t i = 0; rc == 0 && i < fleet->count; i++)
		set_base(&fleet->devices[i], directory);
	if (rc == 0)
		rc = read_cas(directory, cas, err);
	if (rc == 0)
		rc = equip_all(fleet, cas, err);
	for (size_t i = 0; i < registry_ca_count; i++)
		cert_free(cas[i]);
	free(cas);
	free(path);
	if (rc == 0)
		return fleet;
	lab_fleet_free(fleet);
	return NULL;
}
