#include "importer/wazo_config.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/text.h"
#include "importer/fleet.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define SHOWN_BYTES 72

/* Text, a number or yes/no as text; false: neither, or nothing. */
static bool
scalar(const json_t *json, char text[static INVENTORY_VALUE_MAX + 1])
{
	const char *string = json_string_value(json);

	if (string != NULL)
		(void)snprintf(text, INVENTORY_VALUE_MAX + 1, "%s", string);
	else if (json_is_integer(json))
		(void)snprintf(text, INVENTORY_VALUE_MAX + 1,
		    "%" JSON_INTEGER_FORMAT, json_integer_value(json));
	else if (json_is_boolean(json))
		(void)snprintf(text, INVENTORY_VALUE_MAX + 1, "%s",
		    json_is_true(json) ? "yes" : "no");
	else
		return false;
	return *text != '\0' &&
	    (string == NULL || strlen(string) <= INVENTORY_VALUE_MAX);
}

const char *
wazo_string(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL && *text != '\0' ? text : NULL;
}

/* "192.0.2.1" and 5062 are one thing in a profile: "192.0.2.1:5062". */
static void
set_server(struct fleet *fleet, struct variables *variables,
    const json_t *object, const char *ip, const char *port, const char *name,
    unsigned line, const char *place)
{
	char value[512];
	json_int_t number = json_integer_value(json_object_get(object, port));
	const char *host = wazo_string(object, ip);

	if (host == NULL)
		return;
	(void)snprintf(value, sizeof(value),
	    number > 0 ? "%s:%" JSON_INTEGER_FORMAT : "%s", host, number);
	fleet_set_line(fleet, variables, name, line, value, place);
}

static const struct server {
	const char *ip, *port, *name;
} servers[] = {
	{ "sip_proxy_ip", "sip_proxy_port", "proxy" },
	{ "sip_backup_proxy_ip", "sip_backup_proxy_port", "proxy_secondary" },
	{ "sip_registrar_ip", "sip_registrar_port", "registrar" },
	{ "sip_backup_registrar_ip", "sip_backup_registrar_port",
	    "registrar_secondary" },
	{ "sip_outbound_proxy_ip", "sip_outbound_proxy_port",
	    "outbound_proxy" },
	{ "dns_ip", "", "dns_server" },
	{ "ntp_ip", "", "ntp_server" },
	{ "syslog_ip", "syslog_port", "syslog_server" },
};

/* Of a line: the same names without "sip_". */
static const struct server line_servers[] = {
	{ "proxy_ip", "proxy_port", "proxy" },
	{ "backup_proxy_ip", "backup_proxy_port", "proxy_secondary" },
	{ "registrar_ip", "registrar_port", "registrar" },
	{ "backup_registrar_ip", "backup_registrar_port",
	    "registrar_secondary" },
	{ "outbound_proxy_ip", "outbound_proxy_port", "outbound_proxy" },
};

static const struct {
	const char *from, *to;
} line_names[] = {
	{ "username", "user_id" },
	{ "auth_username", "auth_id" },
	{ "password", "password" },
	{ "display_name", "display_name" },
	{ "number", "number" },
	{ "voicemail", "voicemail" },
	{ "dtmf_mode", "dtmf_mode" },
	{ "srtp_mode", "srtp_mode" },
};

static void
take_line(struct fleet *fleet, struct variables *variables, const json_t *line,
    unsigned number, const char *place)
{
	char value[INVENTORY_VALUE_MAX + 1];

	for (size_t i = 0; i < LENGTH(line_servers); i++)
		set_server(fleet, variables, line, line_servers[i].ip,
		    line_servers[i].port, line_servers[i].name, number, place);
	for (size_t i = 0; i < LENGTH(line_names); i++)
		if (scalar(json_object_get(line, line_names[i].from), value))
			fleet_set_line(fleet, variables, line_names[i].to,
			    number, value, place);
	OPENSSL_cleanse(value, sizeof(value));
}

static void
take_lines(struct fleet *fleet, struct variables *variables, json_t *lines,
    const char *place)
{
	const char *key;
	json_t *line;

	json_object_foreach(lines, key, line)
	{
		uint64_t number = 0;
		struct error err = { 0 };

		if (text_parse_number(key, 1, FLEET_LINES_MAX, &number, &err) !=
		    0)
			fleet_say(fleet, FLEET_ERROR,
			    "%s: raw_config.sip_lines: the number of a line: "
			    "%s",
			    place, err.text);
		else if (!json_is_object(line))
			fleet_say(fleet, FLEET_ERROR,
			    "%s: raw_config.sip_lines.%s: expected an object",
			    place, key);
		else
			take_line(fleet, variables, line, (unsigned)number,
			    place);
	}
}

/* Read with their partner, or of no use without the old server. */
static bool
is_read_elsewhere(const char *key)
{
	static const char *const keys[] = { "sip_lines", "ip", "http_port",
		"http_base_url", "tftp_port", "config_version", "protocol",
		"dns_enabled", "ntp_enabled", "syslog_enabled", "_comment" };

	for (size_t i = 0; i < LENGTH(keys); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	for (size_t i = 0; i < LENGTH(servers); i++)
		if (strcmp(key, servers[i].ip) == 0 ||
		    strcmp(key, servers[i].port) == 0)
			return true;
	return false;
}

void
wazo_take_raw_config(struct fleet *fleet, struct variables *variables,
    json_t *raw_config, const char *place)
{
	char value[INVENTORY_VALUE_MAX + 1];
	const char *key;
	json_t *json;

	for (size_t i = 0; i < LENGTH(servers); i++) {
		char enabled[32];

		(void)snprintf(enabled, sizeof(enabled), "%.*senabled",
		    (int)(strcspn(servers[i].ip, "_") + 1), servers[i].ip);
		/* [WAZO-PROVD]: what is not enabled is to be ignored. */
		if (i < 5 || json_is_true(json_object_get(raw_config, enabled)))
			set_server(fleet, variables, raw_config, servers[i].ip,
			    servers[i].port, servers[i].name, 1, place);
	}
	json_object_foreach(raw_config, key, json)
	{
		char shown[SHOWN_BYTES];

		text_escape(key, strlen(key), shown, sizeof(shown));
		if (is_read_elsewhere(key) || json_is_null(json))
			continue;
		if (scalar(json, value))
			fleet_set(fleet, variables, key, value, place);
		else if (!json_is_string(json) &&
		    (json_object_size(json) > 0 || json_array_size(json) > 0))
			fleet_say(fleet, FLEET_LEFT_OUT,
			    "%s: raw_config.%s is not taken: no variable can "
			    "hold it",
			    place, shown);
		else if (json_is_string(json) && json_string_length(json) > 0)
			fleet_say(fleet, FLEET_ERROR,
			    "%s: raw_config.%s is longer than %d bytes", place,
			    shown, INVENTORY_VALUE_MAX);
	}
	take_lines(fleet, variables, json_object_get(raw_config, "sip_lines"),
	    place);
	OPENSSL_cleanse(value, sizeof(value));
}
