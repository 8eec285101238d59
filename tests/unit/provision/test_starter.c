/*
 * The starter templates, for every model that is known: they are what a stranger
 * sends to the first device.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../lib/stock.h"
#include "base/mem.h"
#include "provision/render.h"
#include "provision/starter.h"
#include "provision/template.h"
#include "spa/flat_profile.h"
#include "spa/inspect.h"
#include "spa/profile.h"
#include "spa/registry.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

#define D(name, value) \
	{ \
		NULL, SCOPE_DEFAULT, "", name, value \
	}
/* All that any of them knows; the first seven make a device that works. */
static const struct stock_variable all[] = {
	D("user_id", "7001"),
	D("password", "a\"b<c>&'d"),
	D("proxy", "sip.example.net:5060"),
	D("display_name", "Ann <1>"),
	D("auth_id", "7001@example.net"),
	D("profile_rule", "https://prov.example.net/spa$MA.cfg"),
	D("admin_password", "let&me in"),
	D("profile_rule_b", "https://new.example.net/spa$MA.cfg"),
	D("syslog_server", "192.0.2.5"),
	D("outbound_proxy", "sbc.example.net"),
	D("ntp_server", "ntp.example.net"),
	D("time_zone", "GMT+01:00"),
};

static void
new_macs(struct stock_device *devices, char (*macs)[MAC_TEXT_BYTES])
{
	for (size_t i = 0; i < registry_model_count; i++) {
		(void)snprintf(macs[i], sizeof(macs[i]), "000e08bb%04x",
		    (unsigned)(i & 0xffff));
		devices[i] = (struct stock_device) { macs[i],
			registry_models[i].name, NULL, NULL, NULL,
			DEVICE_ACTIVE };
	}
}

static struct flat_profile *
render(const struct templates *templates, const struct snapshot *snapshot,
    const char *mac_text, const struct model *model)
{
	const struct mac mac = stock_mac(mac_text);
	struct flat_profile *profile = NULL;
	struct error err = { 0 };
	struct buf out;

	buf_init(&out, PROFILE_BYTES_MAX);
	if (render_profile(templates, snapshot, snapshot_find(snapshot, &mac),
		&out, &err) != 0 ||
	    (profile = flat_profile_read(buf_text(&out), out.len, &err)) ==
		NULL)
		fail_msg("%s: %s", model->name, err.text);
	buf_clear(&out);
	return profile;
}

static void
inspect(const struct flat_profile *profile, const struct model *model,
    const char *firmware)
{
	const struct inspect_options options = { .model = model,
		.firmware = firmware };
	struct findings findings = { 0 };

	inspect_profile(profile, &options, &findings);
	if (findings.count > 0)
		fail_msg("%s at %s: %s: %s: %s", model->name, firmware,
		    severity_name(findings.list[0].severity),
		    findings.list[0].name, findings.list[0].text);
	findings_clear(&findings);
}

/* At every release that is known of the family, and at none. */
static void
inspect_all(const struct flat_profile *profile, const struct model *model)
{
	inspect(profile, model, "");
	for (size_t i = 0; i < registry_release_count; i++)
		if (strcmp(registry_releases[i].family, model->family) == 0)
			inspect(profile, model, registry_releases[i].version);
}

static void
check_value(const struct flat_profile *profile, const struct model *model,
    const char *name, const char *wanted)
{
	const char *value = flat_profile_value(profile, name);

	if (value == NULL || strcmp(value, wanted) != 0)
		fail_msg("%s: %s is %s", model->name, name,
		    value != NULL ? value : "not set");
}

static void
check_line(const struct flat_profile *profile, const struct model *model)
{
	check_value(profile, model, "User_ID_1_", "7001");
	check_value(profile, model, "Password_1_", "a\"b<c>&'d");
	check_value(profile, model, "Proxy_1_", "sip.example.net:5060");
	check_value(profile, model, "Display_Name_1_", "Ann <1>");
	check_value(profile, model, "Auth_ID_1_", "7001@example.net");
	check_value(profile, model, "Register_1_", "Yes");
	check_value(profile, model, "Line_Enable_1_", "Yes");
	check_value(profile, model, "Profile_Rule",
	    "https://prov.example.net/spa$MA.cfg");
}

static const char *
admin_password(const struct flat_profile *profile)
{
	static const struct {
		const char *path, *name;
	} names[] = {
		{ "", "Admin_Passwd" },
		{ "", "Admin_Password" },
		{ FLAT_ROUTER, "Web_Login_Admin_Password" },
	};

	for (size_t i = 0; i < LENGTH(names); i++) {
		const struct flat_parameter *found = flat_profile_find(profile,
		    names[i].path, names[i].name);

		if (found != NULL)
			return found->value;
	}
	return "";
}

/* With so many of the variables: good for every model. */
static void
check_models(size_t variables)
{
	struct stock_device *devices = xcalloc(registry_model_count,
	    sizeof(*devices));
	char(*macs)[MAC_TEXT_BYTES] = xcalloc(registry_model_count,
	    sizeof(*macs));
	struct templates *templates = templates_new();
	struct snapshot *snapshot;
	struct error err = { 0 };

	new_macs(devices, macs);
	snapshot = stock_snapshot(devices, registry_model_count, all,
	    variables);
	stock_check(starters_add(templates, &err), &err);
	for (size_t i = 0; i < registry_model_count; i++) {
		const struct model *model = &registry_models[i];
		struct flat_profile *profile = render(templates, snapshot,
		    macs[i], model);

		inspect_all(profile, model);
		if (variables >= 7) {
			check_line(profile, model);
			assert_string_equal(admin_password(profile),
			    "let&me in");
		}
		flat_profile_free(profile);
	}
	snapshot_release(snapshot);
	templates_free(templates);
	free(devices);
	free(macs);
}

static void
test_every_model(void **state)
{
	(void)state;
	check_models(LENGTH(all));
	check_models(7);
	check_models(0);
}

/* Each family has its own; the operator's device.xml goes before all. */
static void
test_choice(void **state)
{
	static const struct {
		const char *model, *name;
	} cases[] = {
		{ "SPA2102", "spa-ata.xml" },
		{ "SPA504G", "spa-phone.xml" },
		{ "SPA525G", "spa525.xml" },
		{ "SPA112", "spa1xx.xml" },
		{ "ATA191", "ata19x.xml" },
		{ "CP-8851-3PCC", "mpp.xml" },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++)
		assert_string_equal(starter_for(registry_find_model(cases[i]
									.model,
						    NULL))
					->name,
		    cases[i].name);
	assert_string_equal(starter_for(NULL)->name, "generic.xml");
}

static void
test_operators_files(void **state)
{
	static const char own[] = "<flat-profile><GPP_A>own</GPP_A>"
				  "</flat-profile>";
	const struct stock_device device = { "000e08bb0001", "SPA504G", NULL,
		NULL, NULL, DEVICE_ACTIVE };
	struct snapshot *snapshot = stock_snapshot(&device, 1, all, 7);
	static const char *const names[] = { "spa-phone.xml",
		RENDER_DEFAULT_TEMPLATE };

	(void)state;
	for (size_t i = 0; i < LENGTH(names); i++) {
		struct templates *templates = templates_new();
		struct error err = { 0 };
		struct flat_profile *profile;

		stock_check(templates_add(templates, names[i], own, strlen(own),
				&err),
		    &err);
		stock_check(starters_add(templates, &err), &err);
		profile = render(templates, snapshot, device.mac,
		    registry_find_model("SPA504G", NULL));
		assert_string_equal(flat_profile_value(profile, "GPP_A"),
		    "own");
		flat_profile_free(profile);
		templates_free(templates);
	}
	snapshot_release(snapshot);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_model),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_operators_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
