#include "cmd/cert_common.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/device_common.h"
#include "pki/certdir.h"
#include "pki/request.h"
#include "server/config.h"
#include "spa/registry.h"

#define DEFAULT_DIRECTORY "/var/lib/sprov/certificates"
#define DAY_S (24L * 60 * 60)
#define GROUP_TEXT_MAX 130UL /* ", MODEL@FIRMWARE" */

void
cert_view_clear(struct cert_view *view)
{
	free(view->name);
	free(view->path);
	cert_free_all(view->certs, view->count);
	for (size_t i = 0; i < view->finding_count; i++)
		free(view->findings[i].text);
	*view = (struct cert_view) { 0 };
}

void
cert_views_free(struct cert_view *views, size_t count)
{
	for (size_t i = 0; i < count; i++)
		cert_view_clear(&views[i]);
	free(views);
}

void
cert_view_find(struct cert_view *view, enum cert_finding_kind kind,
    const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (view->finding_count == CERT_FINDINGS_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	view->findings[view->finding_count++] = (struct cert_finding) { kind,
		xstrdup(text) };
}

bool
cert_view_has(const struct cert_view *view, enum cert_finding_kind kind)
{
	for (size_t i = 0; i < view->finding_count; i++)
		if (view->findings[i].kind == kind)
			return true;
	return false;
}

bool
cert_view_needs_attention(const struct cert_view *view)
{
	for (size_t i = 0; i < view->finding_count; i++)
		if (view->findings[i].kind < CERT_FINDING_LAB)
			return true;
	return false;
}

/* ----------------------------------------------------------- reading it */

void
cert_view_take(struct cert_view *view, const char *name, const char *path,
    X509 **certs, size_t count)
{
	X509 *leaf = certs[0];
	char host[CERT_VALUE_MAX + 1];

	*view = (struct cert_view) {
		.name = xstrdup(name),
		.path = xstrdup(path),
		.certs = certs,
		.count = count,
		.issuer = identify_issuer(leaf, count > 1 ? certs[1] : NULL),
		.not_before = cert_not_before(leaf),
		.not_after = cert_not_after(leaf),
		.digest = cert_signature_digest(leaf),
		.bits = cert_key_bits(leaf),
	};
	if (!cert_common_host(leaf, host))
		return;
	view->has_san = cert_matches_host(leaf, host, true);
	/* Whoever made it may have written anything there. */
	text_escape(host, strlen(host), view->host, sizeof(view->host));
}

int
cert_view_load(struct cert_view *view, const char *name, const char *path,
    struct error *err)
{
	X509 **certs;
	size_t count;

	if (cert_read_file(path, &certs, &count, err) == 0) {
		cert_view_take(view, name, path, certs, count);
		return 0;
	}
	*view = (struct cert_view) {
		.name = xstrdup(name), .path = xstrdup(path), .digest = ""
	};
	return -1;
}

int
cert_load_directory(const char *directory, struct cert_view **views,
    size_t *count, struct error *err)
{
	struct error problem;
	char **names;

	if (certdir_names(directory, &names, count, err) != 0)
		return -1;
	*views = xcalloc(*count + 1, sizeof(**views));
	for (size_t i = 0; i < *count; i++) {
		char *path = certdir_certificate_path(directory, names[i], 0);

		if (cert_view_load(&(*views)[i], names[i], path, &problem) != 0)
			cert_view_find(&(*views)[i], CERT_FINDING_UNREADABLE,
			    "%s", problem.text);
		free(path);
	}
	certdir_names_free(names, *count);
	return 0;
}

/* --------------------------------------------------- weighing it */

static void
judge_dates(struct cert_view *view, const struct cert_fleet *fleet, time_t at)
{
	char until[CLOCK_TEXT_BYTES], from[CLOCK_TEXT_BYTES], lost[200] = "";

	clock_format(view->not_after, until);
	clock_format(view->not_before, from);
	if (fleet->known && view->alone > 0)
		(void)snprintf(lost, sizeof(lost),
		    "; %zu %s no other certificate that lasts longer, %zu of "
		    "them known to look at dates",
		    view->alone,
		    view->alone == 1 ? "device has" : "devices have",
		    view->alone_dated);
	if (at > view->not_after)
		cert_view_find(view, CERT_FINDING_EXPIRED,
		    "expired on %.10s, %ld days before%s", until,
		    (long)((at - view->not_after) / DAY_S), lost);
	else if (view->days < CERT_SOON_DAYS)
		cert_view_find(view, CERT_FINDING_SOON,
		    "ends in %ld days, on %.10s%s: ask for the next one now",
		    view->days, until, lost);
	if (at < view->not_before)
		cert_view_find(view, CERT_FINDING_NOT_YET,
		    "is not valid before %.10s", from);
}

static void
judge_name(struct cert_view *view)
{
	struct error err;

	if (*view->host == '\0')
		cert_view_find(view, CERT_FINDING_NAME,
		    "the subject has no common name: devices look for the "
		    "server's name there");
	/* Loopback's name is what tries on one machine have. */
	else if (strcmp(view->host, "localhost") != 0 &&
	    csr_check_host(view->host, &err) != 0)
		cert_view_find(view, CERT_FINDING_NAME,
		    "the common name is no host that devices can look up: %s",
		    err.text);
}

/* ", which N of M devices have a place for"; "" when nobody knows. */
static void
count_custom(const struct cert_fleet *fleet, char *text, size_t size)
{
	const struct ca *custom = registry_find_ca("custom-ca");
	size_t count = 0;

	*text = '\0';
	if (custom == NULL || !fleet->known)
		return;
	for (size_t i = 0; i < fleet->group_count; i++)
		if (cert_fleet_fit(fleet, &fleet->groups[i], custom, "", true,
			0) == CERT_FITS)
			count += fleet->groups[i].count;
	(void)snprintf(text, size,
	    ", which %zu of %zu devices have a place "
	    "for",
	    count, fleet->count);
}

static void
judge_ca(struct cert_view *view, const struct cert_fleet *fleet, time_t at)
{
	const struct ca *ca = view->issuer.ca;
	char *issuer, until[CLOCK_TEXT_BYTES], custom[120];

	if (ca == NULL) {
		count_custom(fleet, custom, sizeof(custom));
		issuer = cert_issuer_text(view->certs[0]);
		cert_view_find(view, CERT_FINDING_UNKNOWN_CA,
		    "signed by a CA that no device is known to trust "
		    "(%.200s); it works where it is installed as the custom "
		    "CA%s",
		    issuer, custom);
		free(issuer);
		return;
	}
	if (view->issuer.lab)
		cert_view_find(view, CERT_FINDING_LAB,
		    "signed by the lab's copy of %s: real devices refuse it",
		    ca->name);
	if (ca->not_after == 0 || ca->not_after > at)
		return;
	clock_format(ca->not_after, until);
	cert_view_find(view, CERT_FINDING_NOTE,
	    "%s itself expired on %.10s: devices that look at dates refuse "
	    "it",
	    ca->name, until);
}

/* ------------------------------------------------- against the fleet */

/* A certificate, who looks at it, and what else there is. */
struct weighing {
	struct cert_view *view;
	const struct cert_fleet *fleet;
	const struct cert_view *others;
	size_t other_count;
	time_t at;
};

static enum cert_fit
fit_of(const struct weighing *w, const struct cert_group *group)
{
	return cert_fleet_fit(w->fleet, group, w->view->issuer.ca,
	    w->view->digest, w->view->has_san, w->at);
}

/* Does something else that we hold serve the group at that moment? */
static bool
is_covered(const struct weighing *w, const struct cert_group *group,
    time_t moment)
{
	for (size_t i = 0; i < w->other_count; i++) {
		const struct cert_view *other = &w->others[i];

		if (other->certs != NULL &&
		    strcmp(other->path, w->view->path) != 0 &&
		    other->not_after > moment && other->not_before <= moment &&
		    cert_fleet_fit(w->fleet, group, other->issuer.ca,
			other->digest, other->has_san, moment) == CERT_FITS)
			return true;
	}
	return false;
}

/* Some of the devices with that fit that nothing else covers:
 * "SPA942, SPA504G@7.5.2b". */
static void
name_some(const struct weighing *w, enum cert_fit fit, char *text, size_t size)
{
	size_t used = 0, named = 0;

	text[0] = '\0';
	for (size_t i = 0; i < w->fleet->group_count; i++) {
		const struct cert_group *group = &w->fleet->groups[i];

		if (fit_of(w, group) != fit || is_covered(w, group, w->at))
			continue;
		if (++named > 4 || used + GROUP_TEXT_MAX > size) {
			(void)snprintf(text + used, size - used, ", ...");
			return;
		}
		used += (size_t)snprintf(text + used, size - used, "%s%s%s%s",
		    named > 1 ? ", " : "", group->model->name,
		    group->has_firmware ? "@" : "",
		    group->has_firmware ? group->firmware.text : "");
	}
}

static void
judge_fit(const struct weighing *w)
{
	struct cert_view *view = w->view;
	char some[400];

	if (view->too_old > 0) {
		name_some(w, CERT_DIGEST, some, sizeof(some));
		cert_view_find(view, CERT_FINDING_DIGEST,
		    "signed with %s, which %zu %s cannot verify (%s): have it "
		    "signed with SHA1",
		    view->digest, DEVICES(view->too_old), some);
	}
	if (view->want_san > 0) {
		name_some(w, CERT_NO_SAN, some, sizeof(some));
		cert_view_find(view, CERT_FINDING_SAN,
		    "has no subjectAltName, which is wanted by %zu %s (%s): "
		    "switch HTTPS_Name_Validate off there, or ask for one "
		    "with \"sprov csr --san\"",
		    DEVICES(view->want_san), some);
	}
}

static void
count_alone(const struct weighing *w, const struct cert_group *group)
{
	struct cert_view *view = w->view;

	if (is_covered(w, group,
		view->not_after > w->at ? view->not_after : w->at))
		return;
	view->alone += group->count;
	if (group->stack->check_time)
		view->alone_dated += group->count;
}

static void
count_group(const struct weighing *w, const struct cert_group *group)
{
	struct cert_view *view = w->view;

	switch (fit_of(w, group)) {
	case CERT_FITS:
		view->fits += group->count;
		count_alone(w, group);
		return;
	case CERT_NOT_TRUSTED:
		return;
	case CERT_TRUST_UNKNOWN:
		view->unknown += group->count;
		return;
	case CERT_DIGEST:
		/* One that another listener serves is not meant to come. */
		if (!is_covered(w, group, w->at))
			view->too_old += group->count;
		return;
	case CERT_NO_SAN:
		if (!is_covered(w, group, w->at))
			view->want_san += group->count;
		return;
	}
}

void
cert_view_weigh(struct cert_view *view, const struct cert_fleet *fleet,
    const struct cert_view *others, size_t other_count, time_t at)
{
	const struct weighing w = { view, fleet, others, other_count, at };

	if (view->certs == NULL)
		return;
	view->days = (long)((view->not_after - at) / DAY_S);
	for (size_t i = 0; i < fleet->group_count; i++)
		count_group(&w, &fleet->groups[i]);
	judge_dates(view, fleet, at);
	judge_name(view);
	judge_ca(view, fleet, at);
	judge_fit(&w);
}

/* ------------------------------------------------------------- where it is */

int
cert_load_config(const char *path, struct config **config)
{
	struct errors errors = { 0 };

	*config = NULL;
	if (path == NULL && access(CONFIG_DEFAULT_PATH, R_OK) != 0)
		return 0;
	*config = config_load(path != NULL ? path : CONFIG_DEFAULT_PATH,
	    &errors);
	if (*config == NULL)
		(void)cmd_fail_all(&errors);
	errors_clear(&errors);
	return *config != NULL ? 0 : -1;
}

char *
cert_find_directory(const char *given, const struct config *config)
{
	if (given != NULL)
		return xstrdup(given);
	if (config != NULL)
		return file_join(config->state_directory, "certificates");
	return xstrdup(DEFAULT_DIRECTORY);
}

int
cert_parse_date(const char *text, time_t *when, struct error *err)
{
	return text_parse_date(text, when, err);
}
