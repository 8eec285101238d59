/*
 * Settings that are allowed, and cut the device off: from its server, from its
 * administrator, from new firmware, or from its secrets being secret.
 */
#include "base/text.h"
#include "spa/inspect_parts.h"
#include "spa/parameter.h"

#include <string.h>
#include <strings.h>

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static const char *const rules[] = { "Profile_Rule", "Profile_Rule_B",
	"Profile_Rule_C", "Profile_Rule_D" };

static const struct flat_parameter *
find(const struct inspection *inspection, const char *name)
{
	return flat_profile_find(inspection->profile, "", name);
}

static const char *
value(const struct inspection *inspection, const char *name)
{
	return flat_profile_value(inspection->profile, name);
}

static bool
is_no(const char *text)
{
	return text != NULL && strcasecmp(text, "no") == 0;
}

static bool
is_only(const struct inspection *inspection, unsigned families)
{
	return (inspection->families & ~families) == 0;
}

/* With the resync stopped, what else closes the device closes it for good. */
static void
stop(struct inspection *inspection, const char *name, const char *why)
{
	inspection->stopped = true;
	inspect_add(inspection, SEVERITY_RESYNC, find(inspection, name), name,
	    "%s", why);
}

static void
check_switches(struct inspection *inspection)
{
	const char *periodic = value(inspection, "Resync_Periodic");
	const char *at = value(inspection, "Resync_At__HHmm_");
	bool never;

	/* [MPP-PROV], [ATA19X-PROV]: the command of the web page included. */
	if (is_no(value(inspection, "Provision_Enable")))
		stop(inspection, "Provision_Enable",
		    "no resync at all any more: only by hand on the device can "
		    "this be taken back");
	/* [LINKSYS-PROV] p. 64: 0; [MPP-PROV]: empty. */
	never = periodic != NULL &&
	    (strcmp(periodic, "0") == 0 ||
		(*periodic == '\0' && is_only(inspection, PARAMETER_MPP)));
	if (!never || (at != NULL && *at != '\0'))
		return;
	if (is_no(value(inspection, "Resync_On_Reset")))
		stop(inspection, "Resync_Periodic",
		    "neither periodic nor after a reset: it will not ask by "
		    "itself again");
	else
		inspect_add(inspection, SEVERITY_RESYNC,
		    find(inspection, "Resync_Periodic"), NULL,
		    "no periodic resync, and no Resync_At__HHmm_: it asks "
		    "after a reset only");
}

/* [ATA-AG], [ATA19X-PROV]: B to D are used when the first one is blank. */
static void
check_blank_rules(struct inspection *inspection)
{
	const char *first = value(inspection, rules[0]);

	if (first == NULL || *first != '\0')
		return;
	for (size_t i = 1; i < LENGTH(rules); i++) {
		const char *other = value(inspection, rules[i]);

		if (other != NULL && *other != '\0')
			return;
	}
	stop(inspection, rules[0],
	    "empty, and so are B, C and D as far as this profile says: it has "
	    "no server to ask");
}

/* Only what certainly is in clear: a rule that is a macro may be anything. */
static void
check_clear(struct inspection *inspection, const char *name)
{
	const char *rule = value(inspection, name);
	const char *scheme = NULL;

	if (rule == NULL || *rule == '\0' || strstr(rule, "--key") != NULL ||
	    strstr(rule, INSPECT_SAMPLE) != NULL)
		return;
	if (strstr(rule, "http://") != NULL)
		scheme = "http://";
	else if (strstr(rule, "tftp://") != NULL)
		scheme = "tftp://";
	else if (strstr(rule, "://") == NULL && *rule == '/')
		scheme = "no scheme, which is TFTP,";
	if (scheme != NULL)
		inspect_add(inspection, SEVERITY_EXPOSES,
		    find(inspection, name), NULL,
		    "%s without --key: whoever listens reads the passwords",
		    scheme);
}

/* The two books disagree: [LINKSYS-PROV] p. 64 and [ATA-AG] against
 * [ATA19X-PROV] and [MPP-PROV]. */
static void
check_retry(struct inspection *inspection)
{
	const char *name = "Resync_Error_Retry_Delay";
	const char *delay = value(inspection, name);

	if (delay == NULL || strcmp(delay, "0") != 0)
		return;
	if (is_only(inspection, PARAMETER_ATA19X | PARAMETER_MPP))
		stop(inspection, name,
		    "0: after one failure it never tries again");
	else if ((inspection->families & (PARAMETER_ATA19X | PARAMETER_MPP)) ==
	    0)
		inspect_add(inspection, SEVERITY_VALUE, find(inspection, name),
		    NULL,
		    "0: after a failure it tries again at once, without end");
	else
		stop(inspection, name,
		    "0: ATA19x and multiplatform phones never try again after "
		    "a failure, others try without end");
}

/* [MPP-PROV]: a trigger that is false blocks; elsewhere one that is true
 * starts. */
static void
check_triggers(struct inspection *inspection)
{
	static const char *const names[] = { "Resync_Trigger_1",
		"Resync_Trigger_2" };

	if (!is_only(inspection, PARAMETER_MPP))
		return;
	for (size_t i = 0; i < LENGTH(names); i++) {
		const char *trigger = value(inspection, names[i]);

		if (trigger != NULL && *trigger != '\0')
			inspect_add(inspection, SEVERITY_RESYNC,
			    find(inspection, names[i]), NULL,
			    "while it is false there is no resync, periodic or "
			    "after a reset");
	}
}

/* The host of the first URL in a rule; its length, or 0. */
static size_t
find_host(const char *rule, const char **host)
{
	const char *at = strstr(rule, "://");
	size_t len;

	if (at == NULL)
		return 0;
	*host = at + 3;
	len = strcspn(*host, "/: |?");
	return memchr(*host, '$', len) == NULL ? len : 0;
}

static bool
is_listed(const char *list, const char *host, size_t len)
{
	while (*list != '\0') {
		size_t n = strcspn(list, ", ;");

		if (n > 0 && n <= len &&
		    strncasecmp(host + len - n, list, n) == 0 &&
		    (n == len || host[len - n - 1] == '.'))
			return true;
		list += n + strspn(list + n, ", ;");
	}
	return false;
}

/* [MPP-SEC], [ATA19X-PROV]: others are not asked. */
static void
check_domains(struct inspection *inspection)
{
	const char *name = "Restricted_Access_Domains";
	const char *domains = value(inspection, name);
	const char *rule = value(inspection, rules[0]), *host;
	size_t len;

	if (domains == NULL || *domains == '\0' || rule == NULL ||
	    strstr(domains, INSPECT_SAMPLE) != NULL ||
	    strstr(rule, INSPECT_SAMPLE) != NULL)
		return;
	len = find_host(rule, &host);
	if (len > 0 && !is_listed(domains, host, len))
		inspect_add(inspection, SEVERITY_RESYNC, find(inspection, name),
		    NULL, "%.*s, which Profile_Rule names, is not among them",
		    (int)(len < 128 ? len : 128), host);
}

static void
check_tls(struct inspection *inspection)
{
	static const char *const names[] = { "TLS_Min_Version",
		"TLS_Client_Min_Version" };
	int most = inspection->options->tls_max;

	for (size_t i = 0; i < LENGTH(names); i++) {
		const char *version = value(inspection, names[i]);

		if (version == NULL || strcasecmp(version, "TLS 1.3") != 0)
			continue;
		if (most != 0 && most < 0x0304)
			stop(inspection, names[i],
			    "the server's listeners do not speak TLS 1.3");
		else
			inspect_add(inspection, SEVERITY_NOTE,
			    find(inspection, names[i]), NULL,
			    "all servers of the profile rules must speak TLS "
			    "1.3");
	}
	if (is_no(value(inspection, "HTTPS_Name_Validate")))
		inspect_add(inspection, SEVERITY_NOTE,
		    find(inspection, "HTTPS_Name_Validate"), NULL,
		    "any server with a certificate of a trusted CA will do");
}

static bool
is_off(const struct inspection *inspection, const char *name)
{
	const struct flat_parameter *found =
	    flat_profile_find(inspection->profile,
		FLAT_ROUTER "/Web_Management", name);

	return found != NULL && found->has_value &&
	    strcmp(found->value, "0") == 0;
}

static void
close_web(struct inspection *inspection, const struct flat_parameter *at,
    const char *what)
{
	inspect_add(inspection, SEVERITY_ADMIN, at, NULL, "%s: %s", what,
	    inspection->stopped ?
		"and as it does not resync, nothing opens them again" :
		"only a resync opens them again");
}

static void
check_web(struct inspection *inspection)
{
	const char *path = FLAT_ROUTER "/Web_Management";

	if (is_no(value(inspection, "Enable_Web_Admin_Access")))
		close_web(inspection,
		    find(inspection, "Enable_Web_Admin_Access"),
		    "no administrator's pages");
	if (is_off(inspection, "Admin_Access"))
		close_web(inspection,
		    flat_profile_find(inspection->profile, path,
			"Admin_Access"),
		    "no administrator's pages");
	if (is_off(inspection, "Web_Utility_Access_HTTP") &&
	    is_off(inspection, "Web_Utility_Access_HTTPS"))
		close_web(inspection,
		    flat_profile_find(inspection->profile, path,
			"Web_Utility_Access_HTTP"),
		    "neither HTTP nor HTTPS to its pages");
	if (!is_no(value(inspection, "Enable_Web_Server")))
		return;
	if (inspection->stopped)
		close_web(inspection, find(inspection, "Enable_Web_Server"),
		    "no web server");
	else
		inspect_add(inspection, SEVERITY_NOTE,
		    find(inspection, "Enable_Web_Server"), NULL,
		    "no web server: resync is the only way in");
}

static void
check_passwords(struct inspection *inspection)
{
	static const struct {
		const char *path, *name;
	} names[] = {
		{ "", "Admin_Passwd" },
		{ "", "Admin_Password" },
		{ FLAT_ROUTER, "Web_Login_Admin_Password" },
	};

	for (size_t i = 0; i < LENGTH(names); i++) {
		struct parameter_match match;
		const struct flat_parameter *found =
		    flat_profile_find(inspection->profile, names[i].path,
			names[i].name);

		if (found == NULL || !found->has_value || *found->value != '\0')
			continue;
		/* Of another family it does nothing here. */
		parameter_find(&match, inspection->families, names[i].path,
		    names[i].name);
		if (match.parameter != NULL)
			inspect_add(inspection, SEVERITY_EXPOSES, found, NULL,
			    "empty: everybody in the network is "
			    "administrator, and reads the passwords");
	}
}

void
inspect_dangers(struct inspection *inspection)
{
	check_switches(inspection);
	check_blank_rules(inspection);
	for (size_t i = 0; i < LENGTH(rules); i++)
		check_clear(inspection, rules[i]);
	check_retry(inspection);
	check_triggers(inspection);
	check_domains(inspection);
	check_tls(inspection);
	check_web(inspection);
	check_passwords(inspection);
	if (is_no(value(inspection, "Upgrade_Enable")))
		inspect_add(inspection, SEVERITY_UPGRADE,
		    find(inspection, "Upgrade_Enable"), NULL,
		    "no firmware any more, not even one that a new CA needs");
}
