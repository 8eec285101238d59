#include "cmd/plan_dhcp.h"
#include "provision/plan_dhcp.h"
#include "spa/registry.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static const struct {
	const char *name, *head;
} servers[] = {
	[PLAN_DHCP_ISC] = { "isc", "# ISC dhcpd: dhcpd.conf\n\n" },
	[PLAN_DHCP_KEA] = { "kea", "\n// Kea: kea-dhcp4.conf\n\n" },
	[PLAN_DHCP_DNSMASQ] = { "dnsmasq", "\n# dnsmasq: dnsmasq.conf\n\n" },
};
#define SERVER_COUNT (sizeof(servers) / sizeof(*servers))

static size_t
find(const char *name)
{
	size_t i = 0;

	while (i < SERVER_COUNT && strcmp(name, servers[i].name) != 0)
		i++;
	return i;
}

bool
plan_dhcp_is_server(const char *name)
{
	return strcmp(name, "all") == 0 || find(name) < SERVER_COUNT;
}

static int
write_all(const struct plan_dhcp *dhcp, struct buf *out)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < SERVER_COUNT; i++) {
		rc = buf_append_text(out, servers[i].head);
		if (rc == 0)
			rc = plan_dhcp_write(dhcp, (enum plan_dhcp_server)i,
			    out);
	}
	return rc;
}

static json_t *
models_json(const struct plan_dhcp *dhcp, size_t class)
{
	json_t *list = json_array();

	for (size_t i = 0; i < dhcp->model_count; i++) {
		const struct plan_dhcp_model *one = &dhcp->models[i];
		json_t *names = json_array();

		for (size_t j = 0; j < one->name_count; j++)
			(void)json_array_append_new(names,
			    json_pack("{s:s, s:s}", "text", one->names[j].text,
				"source", one->names[j].source));
		if (one->class == class)
			(void)json_array_append_new(list,
			    json_pack("{s:s, s:O, s:b}", "model",
				one->model->name, "vendor_classes", names,
				"split", (int)one->is_split));
		json_decref(names);
	}
	return list;
}

static json_t *
class_json(const struct plan_dhcp *dhcp, size_t i)
{
	const struct plan_dhcp_class *one = &dhcp->classes[i];
	json_t *options = json_pack("{s:s}", "66", one->url);

	if (one->is_address)
		(void)json_object_set_new(options, "150",
		    json_string(one->url));
	if (one->is_url)
		(void)json_object_set_new(options, "160",
		    json_string(one->url));
	return json_pack("{s:s, s:o, s:o}", "name", one->name, "options",
	    options, "models", models_json(dhcp, i));
}

static int
write_json(const struct plan_dhcp *dhcp, struct buf *out)
{
	json_t *classes = json_array(), *object;
	char *text;
	int rc;

	for (size_t i = 0; i < dhcp->class_count; i++)
		(void)json_array_append_new(classes, class_json(dhcp, i));
	object = json_pack("{s:o, s:o}", "classes", classes, "without",
	    models_json(dhcp, PLAN_LEFT_OUT));
	text = json_dumps(object, JSON_INDENT(1));
	rc = buf_printf(out, "%s\n", text);
	free(text);
	json_decref(object);
	return rc;
}

int
plan_write_dhcp(const struct plan *plan, const char *server,
    const char *bootstrap, bool json, struct buf *out)
{
	struct plan_dhcp dhcp;
	int rc;

	plan_dhcp_make(&dhcp, plan, bootstrap);
	if (json)
		rc = write_json(&dhcp, out);
	else if (strcmp(server, "all") == 0)
		rc = write_all(&dhcp, out);
	else
		rc = plan_dhcp_write(&dhcp, (enum plan_dhcp_server)find(server),
		    out);
	plan_dhcp_clear(&dhcp);
	return rc;
}
