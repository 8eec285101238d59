#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "spa/flat_profile.h"
#include "spa/inspect.h"
#include "spa/registry.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static void
inspect(const char *body, const char *model, const char *firmware,
    bool names_only, struct findings *findings)
{
	char *text = xasprintf("<flat-profile>%s</flat-profile>", body);
	struct error err = { 0 };
	struct flat_profile *profile = flat_profile_read(text, strlen(text),
	    &err);
	struct inspect_options options = {
		.model = model != NULL ? registry_find_model(model, NULL) :
					 NULL,
		.firmware = firmware,
		.tls_max = 0x0303,
		.names_only = names_only,
	};

	if (profile == NULL)
		fail_msg("%s: %s", body, err.text);
	if (model != NULL)
		assert_non_null(options.model);
	*findings = (struct findings) { 0 };
	inspect_profile(profile, &options, findings);
	flat_profile_free(profile);
	free(text);
}

#define SPA "SPA504G"
#define MPP "CP-8841-3PCC"
#define ATA "ATA192-MPP"
#define RULE "<Profile_Rule>https://p.example.net/$MA.cfg</Profile_Rule>"

/* One finding each, or none where part is NULL. */
static void
test_findings(void **state)
{
	static const struct {
		const char *body, *model, *firmware;
		enum severity severity;
		const char *part;
	} cases[] = {
		{ RULE, SPA, NULL, 0, NULL },
		{ "", SPA, NULL, 0, NULL },
		/* Names. */
		{ "<profile_rule>https://a/</profile_rule>", SPA, NULL,
		    SEVERITY_UNKNOWN, "it is Profile_Rule" },
		{ "<Proxi_1_>a</Proxi_1_>", SPA, NULL, SEVERITY_UNKNOWN,
		    "did you mean Proxy_1_?" },
		{ "<Proxy_3_>a</Proxy_3_>", "SPA122", NULL, SEVERITY_UNKNOWN,
		    "1 to 2 for SPA1xx" },
		{ "<SPA525-wifi-on>No</SPA525-wifi-on>", SPA, NULL,
		    SEVERITY_UNKNOWN, "known for SPA525G only" },
		{ "<SPA525-wifi-on>No</SPA525-wifi-on>", NULL, NULL, 0, NULL },
		{ "<Qqqqqqqqqqqqqqqqqqqqq>No</Qqqqqqqqqqqqqqqqqqqqq>", SPA,
		    NULL, SEVERITY_UNKNOWN, "not in the table" },
		{ "<Current_IP>192.0.2.1</Current_IP>", SPA, NULL,
		    SEVERITY_NOTE, "never set" },
		{ "<router-configuration><SNMP><TRAP_Port>162</TRAP_Port>"
		  "</SNMP></router-configuration>",
		    "SPA122", NULL, 0, NULL },
		{ "<router-configuration><SNMP><TRAP_Port>162</TRAP_Port>"
		  "</SNMP></router-configuration>",
		    SPA, NULL, SEVERITY_UNKNOWN, "known for SPA1xx, ATA19x" },
		/* Firmware. */
		{ "<Proxy_Mode>Off</Proxy_Mode>", MPP, "11.3(1)",
		    SEVERITY_FIRMWARE, "only from firmware 11.3(7) on" },
		{ "<Proxy_Mode>Off</Proxy_Mode>", MPP, "11.3(7)", 0, NULL },
		{ "<Proxy_Mode>Off</Proxy_Mode>", MPP, "", 0, NULL },
		{ "<HTTPS_Name_Validate>Yes</HTTPS_Name_Validate>", ATA,
		    "11.1(0)MSR3", SEVERITY_FIRMWARE, "11.1(0)MSR4" },
		/* Values; those that matter more say so. */
		{ "<Max_Forward>300</Max_Forward>", SPA, NULL, SEVERITY_VALUE,
		    "1 to 255" },
		{ "<Provision_Enable>maybe</Provision_Enable>", SPA, NULL,
		    SEVERITY_RESYNC, "Yes or No" },
		{ "<Profile_Rule>(x</Profile_Rule>", SPA, NULL, SEVERITY_RESYNC,
		    "column 1" },
		{ "<Upgrade_Rule>(x</Upgrade_Rule>", SPA, NULL,
		    SEVERITY_UPGRADE, "column 1" },
		{ "<Connection_Type>LTE</Connection_Type>", SPA, NULL,
		    SEVERITY_ADMIN, "one of" },
		{ "<Proxy_1_ ua=\"none\">a</Proxy_1_>", SPA, NULL,
		    SEVERITY_VALUE, "na, ro and rw" },
		{ "<Proxy_1_>a<b/></Proxy_1_>", SPA, NULL, SEVERITY_VALUE,
		    "elements in the value" },
		{ "<Proxy_1_>a</Proxy_1_>\n<Proxy_1_>b</Proxy_1_>", SPA, NULL,
		    SEVERITY_NOTE, "line 2, which counts" },
		{ "<Proxy_1_/>", SPA, NULL, SEVERITY_NOTE, "clears it" },
		{ "<Proxy_1_/>", MPP, NULL, SEVERITY_NOTE, "one book" },
		{ "<Proxy_1_ ua=\"na\"/>", SPA, NULL, 0, NULL },
		{ "<Display_Name_1_>\xc3\xa4</Display_Name_1_>", "SPA942", NULL,
		    SEVERITY_VALUE, "ISO-8859-1 only" },
		{ "<Display_Name_1_>\xc3\xa4</Display_Name_1_>", SPA, NULL, 0,
		    NULL },
		/* A value that is still to come. */
		{ "<Max_Forward>" INSPECT_SAMPLE "</Max_Forward>", SPA, NULL, 0,
		    NULL },
		/* What cuts it off from its server. */
		{ "<Provision_Enable>No</Provision_Enable>", SPA, NULL,
		    SEVERITY_RESYNC, "no resync at all" },
		{ "<Resync_Periodic>0</Resync_Periodic>", SPA, NULL,
		    SEVERITY_RESYNC, "after a reset only" },
		{ "<Resync_Periodic>0</Resync_Periodic>"
		  "<Resync_At__HHmm_>0300</Resync_At__HHmm_>",
		    "SPA525G2", NULL, 0, NULL },
		{ "<Resync_Periodic></Resync_Periodic>", MPP, NULL,
		    SEVERITY_RESYNC, "after a reset only" },
		{ "<Resync_Periodic></Resync_Periodic>", SPA, NULL, 0, NULL },
		{ "<Resync_Periodic>0</Resync_Periodic>"
		  "<Resync_On_Reset>No</Resync_On_Reset>",
		    SPA, NULL, SEVERITY_RESYNC, "not ask by itself again" },
		{ "<Profile_Rule></Profile_Rule>", SPA, NULL, SEVERITY_RESYNC,
		    "no server to ask" },
		{ "<Profile_Rule></Profile_Rule><Profile_Rule_B>https://p/"
		  "</Profile_Rule_B>",
		    SPA, NULL, 0, NULL },
		{ "<Resync_Error_Retry_Delay>0</Resync_Error_Retry_Delay>", MPP,
		    NULL, SEVERITY_RESYNC, "never tries again" },
		{ "<Resync_Error_Retry_Delay>0</Resync_Error_Retry_Delay>", SPA,
		    NULL, SEVERITY_VALUE, "at once, without end" },
		{ "<Resync_Error_Retry_Delay>0</Resync_Error_Retry_Delay>",
		    NULL, NULL, SEVERITY_RESYNC, "others try without end" },
		{ "<Resync_Trigger_1>$PRVTMR ge 600</Resync_Trigger_1>", MPP,
		    NULL, SEVERITY_RESYNC, "while it is false" },
		{ "<Resync_Trigger_1>$PRVTMR ge 600</Resync_Trigger_1>", SPA,
		    NULL, 0, NULL },
		{ RULE "<Restricted_Access_Domains>example.org"
		       "</Restricted_Access_Domains>",
		    MPP, NULL, SEVERITY_RESYNC, "p.example.net, which" },
		{ RULE "<Restricted_Access_Domains>example.org, example.net"
		       "</Restricted_Access_Domains>",
		    MPP, NULL, 0, NULL },
		{ RULE "<Restricted_Access_Domains>ample.net"
		       "</Restricted_Access_Domains>",
		    MPP, NULL, SEVERITY_RESYNC, "p.example.net, which" },
		{ "<TLS_Min_Version>TLS 1.3</TLS_Min_Version>", ATA, NULL,
		    SEVERITY_RESYNC, "do not speak TLS 1.3" },
		{ "<TLS_Min_Version>TLS 1.2</TLS_Min_Version>", ATA, NULL, 0,
		    NULL },
		{ "<HTTPS_Name_Validate>No</HTTPS_Name_Validate>", ATA, NULL,
		    SEVERITY_NOTE, "any server" },
		/* What shows it to everybody. */
		{ "<Profile_Rule>http://p/</Profile_Rule>", SPA, NULL,
		    SEVERITY_EXPOSES, "http:// without --key" },
		{ "<Profile_Rule>[--key $SA]http://p/</Profile_Rule>", SPA,
		    NULL, 0, NULL },
		{ "<Profile_Rule_B>tftp://p/x</Profile_Rule_B>", SPA, NULL,
		    SEVERITY_EXPOSES, "tftp://" },
		{ "<Profile_Rule>/spa$PSN.cfg</Profile_Rule>", SPA, NULL,
		    SEVERITY_EXPOSES, "is TFTP" },
		{ "<Profile_Rule>$A</Profile_Rule>", SPA, NULL, 0, NULL },
		{ "<Admin_Passwd></Admin_Passwd>", SPA, NULL, SEVERITY_EXPOSES,
		    "everybody" },
		{ "<Admin_Passwd ua=\"na\"/>", SPA, NULL, 0, NULL },
		/* What shuts the administrator out. */
		{ "<Enable_Web_Admin_Access>No</Enable_Web_Admin_Access>", SPA,
		    NULL, SEVERITY_ADMIN, "only a resync opens" },
		{ "<Enable_Web_Server>No</Enable_Web_Server>", SPA, NULL,
		    SEVERITY_NOTE, "the only way in" },
		{ "<router-configuration><Web_Management>"
		  "<Web_Utility_Access_HTTP>0</Web_Utility_Access_HTTP>"
		  "<Web_Utility_Access_HTTPS>0</Web_Utility_Access_HTTPS>"
		  "</Web_Management></router-configuration>",
		    "SPA112", NULL, SEVERITY_ADMIN, "neither HTTP nor HTTPS" },
		{ "<router-configuration><Web_Management>"
		  "<Web_Utility_Access_HTTP>0</Web_Utility_Access_HTTP>"
		  "<Web_Utility_Access_HTTPS>1</Web_Utility_Access_HTTPS>"
		  "</Web_Management></router-configuration>",
		    "SPA112", NULL, 0, NULL },
		{ "<Upgrade_Enable>No</Upgrade_Enable>", SPA, NULL,
		    SEVERITY_UPGRADE, "no firmware any more" },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct findings findings;
		size_t wanted = cases[i].part != NULL;

		inspect(cases[i].body, cases[i].model, cases[i].firmware, false,
		    &findings);
		if (findings.count != wanted)
			fail_msg("%s: %zu findings, the last \"%s\"",
			    cases[i].body, findings.count,
			    findings.count > 0 ?
				findings.list[findings.kept - 1].text :
				"");
		if (wanted != 0 &&
		    (findings.list[0].severity != cases[i].severity ||
			strstr(findings.list[0].text, cases[i].part) == NULL))
			fail_msg("%s: %s: %s", cases[i].body,
			    severity_name(findings.list[0].severity),
			    findings.list[0].text);
		assert_int_equal(findings.problems,
		    wanted != 0 && cases[i].severity != SEVERITY_NOTE);
		findings_clear(&findings);
	}
}

/* A closed web server is a lock once nothing else comes in. */
static void
test_lock(void **state)
{
	struct findings findings;

	(void)state;
	inspect("<Enable_Web_Server>No</Enable_Web_Server>\n"
		"<Provision_Enable>No</Provision_Enable>",
	    SPA, NULL, false, &findings);
	assert_int_equal(findings.count, 2);
	assert_int_equal(findings.list[0].severity, SEVERITY_ADMIN);
	assert_string_equal(findings.list[0].name, "Enable_Web_Server");
	assert_int_equal(findings.list[0].line, 1);
	assert_int_equal(findings.list[1].severity, SEVERITY_RESYNC);
	assert_int_equal(findings.list[1].line, 2);
	assert_int_equal(findings.list[1].column, 1);
	findings_clear(&findings);
}

static void
test_names_only(void **state)
{
	struct findings findings;

	(void)state;
	inspect("<Profile_Rule></Profile_Rule><Max_Forward>x</Max_Forward>"
		"<Proxi_1_></Proxi_1_>",
	    SPA, NULL, true, &findings);
	assert_int_equal(findings.count, 1);
	assert_string_equal(findings.list[0].name, "Proxi_1_");
	findings_clear(&findings);
}

/* A password is never repeated, whatever is wrong with it. */
static void
test_secrets(void **state)
{
	struct findings findings;

	(void)state;
	inspect("<VPN_Password>0123456789abcdefghijklmnopqrstuvw"
		"</VPN_Password>",
	    MPP, NULL, false, &findings);
	assert_int_equal(findings.count, 1);
	assert_string_equal(findings.list[0].text,
	    "33 characters: at most 31 are taken");
	findings_clear(&findings);
}

/* A file that is something else altogether: bounded work and memory. */
static void
test_limit(void **state)
{
	enum { COUNT = 3000 };
	char *body = xcalloc(COUNT, 16);
	struct findings findings;

	(void)state;
	for (int i = 0; i < COUNT; i++)
		(void)strcat(body + i * 8, "<Zqxzq/>");
	inspect(body, SPA, NULL, false, &findings);
	assert_int_equal(findings.kept, FINDINGS_MAX);
	assert_true(findings.count >= COUNT);
	findings_clear(&findings);
	free(body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_findings),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_names_only),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
