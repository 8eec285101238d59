#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "spa/parameter.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define A PARAMETER_ADAPTER
#define P PARAMETER_PHONE
#define G PARAMETER_SPA525
#define S PARAMETER_SPA1XX
#define T PARAMETER_ATA19X
#define M PARAMETER_MPP

static void
test_families(void **state)
{
	static const struct {
		const char *model;
		enum parameter_family family;
	} cases[] = {
		{ "PAP2T", A },
		{ "SPA2102", A },
		{ "SPA3102", A },
		{ "SPA8000", A },
		{ "WRP400", A },
		{ "SRP541", A },
		{ "SPA942", P },
		{ "SPA303", P },
		{ "SPA504G", P },
		{ "SPA525G2", G },
		{ "SPA122", S },
		{ "SPA232D", S },
		{ "ATA192-MPP", T },
		{ "CP-8841-3PCC", M },
		{ "DP-9861", M },
		{ "DBS-210-3PC", M },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++)
		if (parameter_family(registry_find_model(cases[i].model,
			NULL)) != cases[i].family)
			fail_msg("%s", cases[i].model);
	/* Every model is of a family whose registering line is known. */
	for (size_t i = 0; i < registry_model_count; i++) {
		const struct model *model = &registry_models[i];
		struct parameter_match match;

		parameter_find(&match, parameter_family(model), "",
		    "User_ID_1_");
		if (match.parameter == NULL)
			fail_msg("%s", model->name);
	}
}

static void
test_names(void **state)
{
	static const struct {
		const char *path, *name;
		unsigned families;
		const char *row;	/* NULL: unknown */
		const char *suggestion; /* else */
		bool is_case, is_line;
		unsigned elsewhere;
	} cases[] = {
		{ "", "Profile_Rule", A, "Profile_Rule", "", false, false, 0 },
		{ "", "Proxy_1_", P, "Proxy_[line]_", "", false, false, 0 },
		{ "", "Proxy_12_", P, "Proxy_[line]_", "", false, false, 0 },
		{ "", "Unit_2_Key_32", P, "Unit_[1-2]_Key_[1-32]", "", false,
		    false, 0 },
		{ "router-configuration/SNMP", "TRAP_Port", S,
		    "router-configuration/SNMP/TRAP_Port", "", false, false,
		    0 },
		{ "", "Proxy_3_", S, NULL, "Proxy_3_", false, true,
		    A | P | G | M },
		{ "", "Proxy_01_", P, NULL, "Proxy_01_", false, true, 0 },
		{ "", "Proxy_0_", P, NULL, "Proxy_0_", false, true, 0 },
		{ "", "profile_rule", P, NULL, "Profile_Rule", true, false, 0 },
		{ "", "user_id_2_", P, NULL, "User_ID_2_", true, false, 0 },
		{ "", "Proxi_2_", P, NULL, "Proxy_2_", false, false, 0 },
		{ "", "Admin_Password", P, NULL, "Admin_Passwd", false, false,
		    G | M },
		{ "", "SPA525-wifi-on", M, NULL, "", false, false, G },
		{ "", "Xyzzy_Plugh_Frobnicate_Qqq", P, NULL, "", false, false,
		    0 },
		{ "", "Proxy_[line]_", P, NULL, "", false, false, 0 },
		{ "", "TRAP_Port", M, NULL, NULL, false, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct parameter_match match;

		parameter_find(&match, cases[i].families, cases[i].path,
		    cases[i].name);
		if (cases[i].row != NULL) {
			assert_non_null(match.parameter);
			assert_string_equal(match.parameter->name,
			    cases[i].row);
			continue;
		}
		assert_null(match.parameter);
		if (cases[i].suggestion != NULL)
			assert_string_equal(match.suggestion,
			    cases[i].suggestion);
		assert_int_equal(match.is_case, cases[i].is_case);
		assert_int_equal(match.is_line, cases[i].is_line);
		assert_int_equal(match.elsewhere, cases[i].elsewhere);
	}
}

static void
test_values(void **state)
{
	static const struct {
		unsigned family;
		const char *name, *value;
		const char *part; /* of the error; NULL: it is a good one */
	} cases[] = {
		{ P, "Provision_Enable", "Yes", NULL },
		{ P, "Provision_Enable", "no", NULL },
		{ P, "Provision_Enable", "1", "expected Yes or No" },
		{ P, "Provision_Enable", "", "expected Yes or No" },
		{ P, "Max_Forward", "70", NULL },
		{ P, "Max_Forward", "0x46", NULL },
		{ P, "Max_Forward", "0", "expected 1 to 255" },
		{ P, "Max_Forward", "256", "expected 1 to 255" },
		{ P, "Max_Forward", "7 0", "a whole number" },
		{ P, "Max_Forward", "", NULL },
		{ P, "SIP_T1", ".5", NULL },
		{ P, "SIP_T1", "65", "expected 0 to 64" },
		{ P, "SIP_T1", ".", "a number such as" },
		{ P, "SIP_T1", "1.2.3", "a number such as" },
		{ P, "SIP_Port_1_", "5060", NULL },
		{ P, "SIP_Port_1_", "65536", "a port" },
		{ P, "SIP_Port_1_", "sip", "a port" },
		{ P, "SIP_TOS_DiffServ_Value_1_", "0x68", NULL },
		{ P, "SIP_TOS_DiffServ_Value_1_", "0xgg", "a whole number" },
		{ P, "SIP_Transport_1_", "tls", NULL },
		{ P, "SIP_Transport_1_", "AUTO", "one of UDP|TCP|TLS" },
		{ M, "SIP_Transport_1_", "Auto", NULL },
		{ P, "Profile_Rule", "https://a/$MA.cfg", NULL },
		{ P, "Profile_Rule", "($SWVER ge 1.0 /a", "column" },
		{ P, "Resync_Trigger_1", "$PRVTMR gt 600", NULL },
		{ P, "Resync_Trigger_1", "($PRVTMR gt 600)?", "column" },
		{ P, "Resync_Periodic", "3600+600", NULL },
		{ M, "Resync_Error_Retry_Delay", "1800+300,3600,7200+900",
		    NULL },
		{ A, "Resync_Periodic", "3600", NULL },
		{ A, "Resync_Periodic", "3600+600", "no manual of this" },
		{ P, "Resync_Periodic", "1h", "seconds" },
		{ P, "Resync_Periodic", "3600,", "seconds" },
		{ P, "Resync_Periodic", "3600+", "seconds" },
		{ P, "Resync_Periodic", "-1", "seconds" },
		{ T, "Resync_At__HHmm_", "0330", NULL },
		{ T, "Resync_At__HHmm_", "2400", "HHmm" },
		{ T, "Resync_At__HHmm_", "0360", "HHmm" },
		{ T, "Resync_At__HHmm_", "3:30", "HHmm" },
		{ P, "Static_IP", "192.0.2.7", NULL },
		{ P, "Static_IP", "192.0.2.256", "IPv4" },
		{ P, "Syslog_Server", "log.example.net:514", NULL },
		{ P, "Syslog_Server", "udp://log.example.net", "scheme" },
		{ P, "Proxy_1_", "sip example", "HOST" },
		{ P, "Dial_Tone", "350@-19,440@-19;10(*/0/1+2)", NULL },
		{ P, "Dial_Tone", "beep", "frequencies" },
		{ P, "DND_Act_Code", "*78", NULL },
		{ P, "DND_Act_Code", "*7812345", "at most 7" },
		{ P, "DND_Act_Code", "star", "a code to dial" },
		{ P, "Dial_Plan_1_", "(xx.|<9:>x.)", NULL },
		{ P, "Dial_Plan_1_", "(xx.", "do not match" },
		{ P, "Dial_Plan_1_", "xx.)(", "do not match" },
		{ P, "Time_Zone", "GMT+01:00", NULL },
		{ P, "Time_Zone", "CET", "GMT+HH:MM" },
		{ P, "User_ID_1_",
		    "0123456789012345678901234567890123456789012345678901234"
		    "56789012",
		    NULL },
		{ P, "User_ID_1_",
		    "0123456789012345678901234567890123456789012345678901234"
		    "567890123",
		    "64 characters: at most 63" },
		{ P, "BMP_Picture_Download_URL", "http://a b", "%20" },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct parameter_match match;
		struct error err = { 0 };
		int rc;

		parameter_find(&match, cases[i].family, "", cases[i].name);
		if (match.parameter == NULL)
			fail_msg("%s", cases[i].name);
		rc = parameter_check(match.parameter, cases[i].family,
		    cases[i].value, &err);
		if ((cases[i].part == NULL) != (rc == 0))
			fail_msg("%s \"%s\": %s", cases[i].name, cases[i].value,
			    err.text);
		if (rc != 0 && strstr(err.text, cases[i].part) == NULL)
			fail_msg("%s \"%s\": %s", cases[i].name, cases[i].value,
			    err.text);
	}
}

/* A default that is no value for its own parameter is a mistake in the table. */
static void
test_defaults(void **state)
{
	(void)state;
	for (size_t i = 0; i < parameter_count; i++) {
		const struct parameter *parameter = &parameters[i];
		struct error err = { 0 };

		if (*parameter->default_value != '\0' &&
		    parameter_check(parameter, parameter->families,
			parameter->default_value, &err) != 0)
			fail_msg("%s: %s", parameter->name, err.text);
	}
}

static void
test_secrets(void **state)
{
	(void)state;
	assert_true(parameter_is_secret("", "Password_7_"));
	assert_true(parameter_is_secret("", "Admin_Passwd"));
	assert_true(parameter_is_secret("", "GPP_SA"));
	assert_true(parameter_is_secret("router-configuration",
	    "Web_Login_Admin_Password"));
	assert_false(parameter_is_secret("", "Web_Login_Admin_Password"));
	assert_false(parameter_is_secret("", "User_ID_1_"));
	assert_false(parameter_is_secret("", "Password_0_"));
	assert_false(parameter_is_secret("", "Password_[n]_"));
	assert_false(parameter_is_secret("", ""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
