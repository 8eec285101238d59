/*
 * Which devices, where they are, and which login they want.
 */
#include "cmd/device_resync.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "base/mem.h"
#include "base/text.h"
#include "inventory/snapshot.h"

#define SIP_PORT 5060
#define WEB_PORT 80
#define NAME_BYTES 96

/* "192.0.2.1", "192.0.2.1:5060", "2001:db8::1", "[2001:db8::1]:5060" */
static int
read_host(const char *host, uint16_t port, struct addr *addr, struct error *err)
{
	char bare[ADDR_TEXT_BYTES];
	size_t len = strlen(host);

	if (addr_parse(addr, host, err) == 0) {
		if (port == 0)
			return 0;
		addr_format_host(addr, bare);
		return addr_parse_host(addr, bare, port, err);
	}
	*err = (struct error) { 0 };
	if (len > 2 && len < sizeof(bare) && host[0] == '[' &&
	    host[len - 1] == ']') {
		memcpy(bare, host + 1, len - 2);
		bare[len - 2] = '\0';
		host = bare;
	}
	return addr_parse_host(addr, host, port != 0 ? port : SIP_PORT, err);
}

int
resync_read_address(const char *text, uint16_t port, struct addr *addr,
    char user[129], struct error *err)
{
	char host[128], shown[64];
	const char *at;
	size_t len;

	text_escape(text, strlen(text), shown, sizeof(shown));
	if (strncasecmp(text, "sip:", 4) == 0)
		text += 4;
	at = strchr(text, '@');
	if (at != NULL) {
		len = (size_t)(at - text);
		if (user != NULL && len < 129) {
			memcpy(user, text, len);
			user[len] = '\0';
		}
		text = at + 1;
	}
	len = strcspn(text, ";?>");
	if (len < sizeof(host)) {
		memcpy(host, text, len);
		host[len] = '\0';
		if (read_host(host, port, addr, err) == 0)
			return 0;
	}
	return error_set(err, ERROR_INPUT,
	    "\"%s\" is no address: expected one such as 192.0.2.1, "
	    "192.0.2.1:5060 or sip:100@192.0.2.1:5060",
	    shown);
}

/* A variable of a line: "password", and of line 2 "password_2". */
static const char *
line_variable(const struct snapshot *snapshot, const struct device *device,
    const char *name, uint64_t line)
{
	char numbered[NAME_BYTES];

	(void)snprintf(numbered, sizeof(numbered), line == 1 ? "%s" : "%s_%u",
	    name, (unsigned)line);
	return snapshot_variable(snapshot, device, device->model, numbered);
}

static char *
copy_or_null(const char *text)
{
	return text != NULL && *text != '\0' ? xstrdup(text) : NULL;
}

static void
find_login(const struct resync_run *run, struct resync_target *target,
    const struct snapshot *snapshot, const struct device *device, uint64_t line)
{
	const char *login, *password;

	if (run->event != NULL) {
		login = line_variable(snapshot, device, "auth_id", line);
		if (login == NULL || *login == '\0')
			login = line_variable(snapshot, device, "user_id",
			    line);
		password = line_variable(snapshot, device, "password", line);
	} else {
		login = snapshot_variable(snapshot, device, device->model,
		    "admin_username");
		if (login == NULL)
			login = "admin"; /* [SPA-AG]: it has no other */
		password = snapshot_variable(snapshot, device, device->model,
		    "admin_password");
	}
	target->login = copy_or_null(login);
	target->password = copy_or_null(password);
}

static int
find_address(const struct resync_run *run, struct resync_target *target,
    const struct snapshot *snapshot, const struct device *device, uint64_t line,
    const char *given, struct error *err)
{
	static const char *const names[] = { "contact", "address" };
	uint16_t port = run->event == NULL ? WEB_PORT : 0;
	const char *user = line_variable(snapshot, device, "user_id", line);
	const char *text = given;
	char mac[MAC_TEXT_BYTES];

	(void)snprintf(target->user, sizeof(target->user), "%s",
	    user != NULL ? user : "");
	for (size_t i = 0; text == NULL && i < 2; i++)
		text = snapshot_variable(snapshot, device, device->model,
		    names[i]);
	if (text == NULL || *text == '\0') {
		target->lacks = "no contact or address";
		return 0;
	}
	mac_format(&target->mac, mac);
	/* An address that was given for the web may have its port. */
	if (run->event == NULL && strchr(text, '@') == NULL &&
	    strncasecmp(text, "sip:", 4) != 0 &&
	    addr_parse(&target->addr, text, err) == 0) {
		target->has_address = true;
		return 0;
	}
	*err = (struct error) { 0 };
	if (resync_read_address(text, port, &target->addr, target->user, err) !=
	    0)
		return error_prefix(err, "%s: ", mac);
	target->has_address = true;
	if (run->event != NULL && !agent_is_user(target->user))
		target->lacks = "no user_id that SIP can hold";
	return 0;
}

static int
add_target(struct resync_run *run, const struct snapshot *snapshot,
    const struct mac *mac, uint64_t line, const char *address,
    struct error *err)
{
	const struct device *device = snapshot_find(snapshot, mac);
	struct resync_target *target;
	char text[MAC_TEXT_BYTES];

	for (size_t i = 0; i < run->count && run->count < 1000; i++)
		if (mac_equal(&run->targets[i].mac, mac))
			return 0; /* named twice */
	if (device == NULL) {
		mac_format(mac, text);
		return error_set(err, ERROR_NOT_FOUND,
		    "%s: there is no such device", text);
	}
	if ((run->count & (run->count - 1)) == 0)
		run->targets = xrealloc(run->targets,
		    (run->count == 0 ? 1 : 2 * run->count) *
			sizeof(*run->targets));
	target = &run->targets[run->count++];
	*target = (struct resync_target) { .mac = *mac };
	find_login(run, target, snapshot, device, line);
	return find_address(run, target, snapshot, device, line, address, err);
}

struct search {
	struct resync_run *run;
	struct inventory *inventory;
	const struct snapshot *snapshot;
	const char *group;
	uint64_t line;
	struct error *err;
	char last[INVENTORY_NAME_MAX + 1]; /* group, and whether it is in it */
	bool last_is_in;
};

/* The group itself, or one below it. */
static bool
is_in_group(struct search *search, const char *name)
{
	char group[INVENTORY_NAME_MAX + 1];
	struct error ignored = { 0 };

	if (*name != '\0' && strcmp(name, search->last) == 0)
		return search->last_is_in;
	(void)snprintf(group, sizeof(group), "%s", name);
	(void)snprintf(search->last, sizeof(search->last), "%s", name);
	search->last_is_in = false;
	for (int i = 0; i <= INVENTORY_GROUP_DEPTH_MAX && *group != '\0'; i++) {
		struct scope scope;

		if (strcmp(group, search->group) == 0) {
			search->last_is_in = true;
			break;
		}
		if (inventory_get_scope(search->inventory, SCOPE_GROUP, group,
			&scope, &ignored) != 0)
			break;
		(void)snprintf(group, sizeof(group), "%s", scope.parent);
		scope_clear(&scope);
	}
	return search->last_is_in;
}

static int
visit(const struct device *device, void *arg)
{
	struct search *search = arg;

	if (device->state != DEVICE_ACTIVE ||
	    !is_in_group(search, device->group))
		return 0;
	return add_target(search->run, search->snapshot, &device->mac,
	    search->line, NULL, search->err);
}

int
resync_find_targets(struct resync_run *run, struct inventory *inventory,
    char *const *macs, size_t mac_count, const char *group, uint64_t line,
    const char *address, struct error *err)
{
	struct snapshot *snapshot = snapshot_load(inventory, err);
	struct search search = { .run = run,
		.inventory = inventory,
		.snapshot = snapshot,
		.group = group,
		.line = line,
		.err = err };
	int rc = snapshot != NULL ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < mac_count; i++) {
		struct mac mac;

		rc = mac_parse(&mac, macs[i], err);
		if (rc == 0)
			rc = add_target(run, snapshot, &mac, line, address,
			    err);
	}
	if (rc == 0 && group != NULL)
		rc = inventory_each_device(inventory, visit, &search, err);
	if (rc == 0 && run->count == 0)
		rc = error_set(err, ERROR_NOT_FOUND,
		    "%s: no active device is in that group", group);
	snapshot_release(snapshot);
	return rc;
}

static void
wipe(char *text)
{
	if (text != NULL)
		OPENSSL_cleanse(text, strlen(text));
	free(text);
}

void
resync_clear_targets(struct resync_run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		wipe(run->targets[i].login);
		wipe(run->targets[i].password);
	}
	free(run->targets);
	run->targets = NULL;
	run->count = 0;
}
