#include "spa/inspect.h"
#include "base/mem.h"
#include "spa/firmware.h"
#include "spa/inspect_parts.h"
#include "spa/parameter.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The search for a near name reads the whole table: a file that is no profile
 * at all shall not keep us for minutes. */
#define SUGGESTIONS_MAX 100

static const char *const severity_names[] = {
	[SEVERITY_FORM] = "malformed",
	[SEVERITY_RESYNC] = "stops resync",
	[SEVERITY_ADMIN] = "locks the admin out",
	[SEVERITY_UPGRADE] = "stops upgrades",
	[SEVERITY_EXPOSES] = "exposes secrets",
	[SEVERITY_VALUE] = "bad value",
	[SEVERITY_UNKNOWN] = "unknown here",
	[SEVERITY_FIRMWARE] = "other firmware",
	[SEVERITY_NOTE] = "note",
};

const char *
severity_name(enum severity severity)
{
	return severity_names[severity];
}

void
findings_clear(struct findings *findings)
{
	for (size_t i = 0; i < findings->kept; i++) {
		free(findings->list[i].name);
		free(findings->list[i].text);
	}
	free(findings->list);
	*findings = (struct findings) { 0 };
}

static char *
full_name(const struct flat_parameter *parameter)
{
	if (*parameter->path == '\0')
		return xstrdup(parameter->name);
	return xasprintf("%s/%s", parameter->path, parameter->name);
}

void
inspect_add(struct inspection *inspection, enum severity severity,
    const struct flat_parameter *parameter, const char *name, const char *fmt,
    ...)
{
	struct findings *findings = inspection->findings;
	struct finding *finding;
	char text[512];
	va_list ap;

	findings->count++;
	findings->problems += severity != SEVERITY_NOTE;
	if (findings->kept == FINDINGS_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	findings->list = xrealloc(findings->list,
	    (findings->kept + 1) * sizeof(*findings->list));
	finding = &findings->list[findings->kept++];
	*finding = (struct finding) { .severity = severity,
		.name = parameter != NULL ? full_name(parameter) :
					    xstrdup(name),
		.line = parameter != NULL ? parameter->line : 0,
		.column = parameter != NULL ? parameter->column : 0,
		.text = xstrdup(text) };
}

/* "MPP, SPA525G": the families that have a name. */
static void
list_families(unsigned families, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (unsigned bit = 1; bit <= families; bit <<= 1)
		if ((families & bit) != 0 && len < size)
			len += (size_t)snprintf(text + len, size - len, "%s%s",
			    len > 0 ? ", " : "", parameter_family_name(bit));
}

static void
add_unknown(struct inspection *inspection,
    const struct flat_parameter *parameter, const struct parameter_match *match)
{
	char families[128];

	if (match->is_case)
		inspect_add(inspection, SEVERITY_UNKNOWN, parameter, NULL,
		    "case matters in names: it is %s", match->suggestion);
	else if (match->is_line)
		inspect_add(inspection, SEVERITY_UNKNOWN, parameter, NULL,
		    "no such number: there is 1 to %u for %s",
		    parameter_lines(inspection->families),
		    parameter_family_name(inspection->families));
	else if (match->elsewhere != 0) {
		list_families(match->elsewhere, families, sizeof(families));
		inspect_add(inspection, SEVERITY_UNKNOWN, parameter, NULL,
		    "known for %s only%s%s%s", families,
		    *match->suggestion != '\0' ? "; did you mean " : "",
		    match->suggestion, *match->suggestion != '\0' ? "?" : "");
	} else if (*match->suggestion != '\0')
		inspect_add(inspection, SEVERITY_UNKNOWN, parameter, NULL,
		    "did you mean %s?", match->suggestion);
	else
		inspect_add(inspection, SEVERITY_UNKNOWN, parameter, NULL,
		    "not in the table of parameters");
}

static enum severity
severity_of(enum parameter_effect effect)
{
	switch (effect) {
	case EFFECT_RESYNC:
		return SEVERITY_RESYNC;
	case EFFECT_ADMIN:
		return SEVERITY_ADMIN;
	case EFFECT_UPGRADE:
		return SEVERITY_UPGRADE;
	case EFFECT_NONE:
		break;
	}
	return SEVERITY_VALUE;
}

static void
check_firmware(struct inspection *inspection,
    const struct flat_parameter *parameter, const struct parameter *known)
{
	const char *text = inspection->options->firmware;
	struct firmware firmware, limit;
	struct error err;

	if (text == NULL || firmware_parse(&firmware, text, &err) != 0)
		return;
	if (known->firmware_min != NULL &&
	    firmware_parse(&limit, known->firmware_min, &err) == 0 &&
	    firmware_compare(&firmware, &limit) < 0)
		inspect_add(inspection, SEVERITY_FIRMWARE, parameter, NULL,
		    "only from firmware %s on, this is %s", known->firmware_min,
		    text);
	if (known->firmware_max != NULL &&
	    firmware_parse(&limit, known->firmware_max, &err) == 0 &&
	    firmware_compare(&firmware, &limit) > 0)
		inspect_add(inspection, SEVERITY_FIRMWARE, parameter, NULL,
		    "only up to firmware %s, this is %s", known->firmware_max,
		    text);
}

static void
check_value(struct inspection *inspection,
    const struct flat_parameter *parameter, const struct parameter *known)
{
	struct error err;

	if (known->type == PARAMETER_TYPE_INFO) {
		inspect_add(inspection, SEVERITY_NOTE, parameter, NULL,
		    "shown by the device, never set");
		return;
	}
	if (!parameter->has_value || inspection->options->names_only ||
	    strstr(parameter->value, INSPECT_SAMPLE) != NULL)
		return;
	if (parameter_check(known, inspection->families, parameter->value,
		&err) != 0)
		inspect_add(inspection, severity_of(known->effect), parameter,
		    NULL, "%s", err.text);
}

/* What has to do with the XML, whatever the name is. */
static void
check_form(struct inspection *inspection,
    const struct flat_parameter *parameter)
{
	const struct flat_parameter *last;

	if (parameter->access == FLAT_ACCESS_WRONG)
		inspect_add(inspection, SEVERITY_VALUE, parameter, NULL,
		    "ua is none of na, ro and rw");
	if (parameter->has_children)
		inspect_add(inspection, SEVERITY_VALUE, parameter, NULL,
		    "there are elements in the value");
	if (!parameter->counts && parameter->has_value) {
		last = flat_profile_find(inspection->profile, parameter->path,
		    parameter->name);
		inspect_add(inspection, SEVERITY_NOTE, parameter, NULL,
		    "set again in line %zu, which counts", last->line);
	}
	/* [LINKSYS-PROV] p. 30 against [MPP-AG] p. 100. */
	if (!parameter->has_value && parameter->access == FLAT_ACCESS_UNSET)
		inspect_add(inspection, SEVERITY_NOTE, parameter, NULL,
		    "<X/> leaves the value as it is%s; <X></X> clears it",
		    (inspection->families & PARAMETER_MPP) != 0 ?
			" (one book of multiplatform phones says: clears it)" :
			"");
}

static bool
is_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

/* [WAZO]: SPA9xx show ISO-8859-1, whatever the first line says. */
static void
check_encoding(struct inspection *inspection,
    const struct flat_parameter *parameter)
{
	const struct model *model = inspection->options->model;

	if (model != NULL && strcmp(model->family, "SPA9xx") == 0 &&
	    !inspection->options->is_latin1 && !is_ascii(parameter->value) &&
	    strstr(parameter->value, INSPECT_SAMPLE) == NULL)
		inspect_add(inspection, SEVERITY_VALUE, parameter, NULL,
		    "letters beyond ASCII in UTF-8: SPA9xx phones show "
		    "ISO-8859-1 only");
}

static void
inspect_parameter(struct inspection *inspection,
    const struct flat_parameter *parameter, unsigned *suggestions)
{
	struct parameter_match match;

	check_form(inspection, parameter);
	parameter_find(&match,
	    *suggestions < SUGGESTIONS_MAX ? inspection->families :
					     PARAMETER_ALL,
	    parameter->path, parameter->name);
	if (match.parameter == NULL) {
		add_unknown(inspection, parameter, &match);
		(*suggestions)++;
		return;
	}
	check_firmware(inspection, parameter, match.parameter);
	check_value(inspection, parameter, match.parameter);
	check_encoding(inspection, parameter);
}

static int
compare_findings(const void *a, const void *b)
{
	const struct finding *one = a, *two = b;

	if (one->line != two->line)
		return one->line < two->line ? -1 : 1;
	if (one->column != two->column)
		return one->column < two->column ? -1 : 1;
	return (one->severity > two->severity) -
	    (one->severity < two->severity);
}

void
inspect_profile(const struct flat_profile *profile,
    const struct inspect_options *options, struct findings *findings)
{
	struct inspection inspection = {
		.profile = profile, .options = options, .findings = findings
	};
	size_t before = findings->kept;
	unsigned suggestions = 0;

	inspection.families = options->model != NULL ?
	    parameter_family(options->model) :
	    PARAMETER_ALL;
	for (size_t i = 0; i < flat_profile_count(profile); i++)
		inspect_parameter(&inspection, flat_profile_at(profile, i),
		    &suggestions);
	if (!options->names_only)
		inspect_dangers(&inspection);
	if (findings->kept > before)
		qsort(findings->list + before, findings->kept - before,
		    sizeof(*findings->list), compare_findings);
}
