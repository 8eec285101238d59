/*
 * What "sprov check" says: the server, the verdicts, what to do first.
 */
#include "cmd/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "cmd/ca_common.h"
#include "cmd/print.h"
#include "pki/cert.h"
#include "spa/registry.h"
#include "tls/conn.h"

/* ----------------------------------------------------------- the server */

static void
print_certificate(const struct check_view *view, time_t now)
{
	char host[CERT_VALUE_MAX + 1], until[CMD_DATE_BYTES];
	char state[CA_STATE_BYTES];
	struct identified known;
	size_t at = 0;

	if (view->count == 0) {
		(void)printf("  certificate none was shown\n");
		return;
	}
	if (!cert_common_host(view->certs[0], host))
		(void)snprintf(host, sizeof(host), "no name");
	cmd_date(cert_not_after(view->certs[0]), until);
	known = identify_chain(view->certs, view->count, &at);
	if (known.ca != NULL)
		ca_state(known.ca, now, state);
	(void)cmd_wrapf((size_t)printf("  certificate"), 14,
	    " %s, until %s, %s of %d bits, signed with %s; %zu shown", host,
	    until, cert_is_rsa(view->certs[0]) ? "RSA" : "not RSA:",
	    cert_key_bits(view->certs[0]),
	    cert_signature_digest(view->certs[0]), view->count);
	(void)putchar('\n');
	if (known.ca == NULL)
		(void)printf("  signed by   no CA that devices are known to "
			     "trust\n");
	else
		(void)printf("  signed by   %s (%s), recognised %s%s%s\n",
		    known.ca->id, known.ca->name,
		    identify_basis_name(known.basis),
		    *state != '\0' ? "; " : "", state);
}

static void
print_server(const struct check_report *report)
{
	const struct check_view *view = check_any_view(report->seen);
	char text[ADDR_TEXT_BYTES];

	(void)printf("%s\n\n  address    ", report->url);
	for (size_t i = 0; i < report->seen->address_count; i++) {
		addr_format(&report->seen->address[i], text);
		(void)printf(" %s", text);
	}
	(void)putchar('\n');
	if (view == NULL || view->reached == CHECK_NO_CONNECTION)
		return;
	if (view->tls_version != 0)
		(void)printf("  TLS         %s %s\n",
		    tls_version_name(view->tls_version), view->cipher);
	print_certificate(view, report->now);
	if (view->asks_certificate)
		(void)printf("  asks for    a client certificate, naming %zu "
			     "CAs\n",
		    view->ca_name_count);
	else if (view->count > 0)
		(void)printf("  asks for    no client certificate\n");
}

/* ---------------------------------------------------------- the verdicts */

static bool
is_same_finding(const struct check_finding *a, const struct check_finding *b)
{
	return a->cause == b->cause && a->weight == b->weight &&
	    strcmp(a->text, b->text) == 0 && strcmp(a->source, b->source) == 0;
}

static bool
is_same_verdict(const struct check_subject *a, const struct check_subject *b)
{
	if (a->verdict.answer != b->verdict.answer ||
	    a->verdict.count != b->verdict.count ||
	    a->addresses_differ != b->addresses_differ)
		return false;
	for (size_t i = 0; i < a->verdict.count; i++)
		if (!is_same_finding(&a->verdict.finding[i],
			&b->verdict.finding[i]))
			return false;
	return true;
}

static void
print_finding(const struct check_finding *finding, struct ca_sources *sources)
{
	static const char *const marks[] = {
		[CHECK_WORTH_KNOWING] = "note:",
		[CHECK_DOUBT] = "unsure:",
		[CHECK_STOPS] = "stops:",
	};
	size_t column = (size_t)printf("    %s", marks[finding->weight]);

	column = cmd_wrap(column, 6, finding->text);
	if (*finding->source != '\0')
		(void)cmd_wrapf(column, 6, "[%s]", finding->source);
	(void)putchar('\n');
	ca_sources_add(sources, finding->source);
}

/* Each model once, with its versions behind it: "SPA112 1.3.3 1.4.1;". */
static void
print_subjects(const struct check_report *report,
    const struct check_subject *like, bool *done)
{
	const struct model *last = NULL;
	size_t column = 0, devices = 0;

	for (size_t i = (size_t)(like - report->subjects);
	     i < report->subject_count; i++) {
		const struct check_subject *subject = &report->subjects[i];
		const char *firmware = subject->has_firmware ?
		    subject->firmware.text :
		    "";

		if (done[i] || !is_same_verdict(subject, like))
			continue;
		done[i] = true;
		devices += subject->count;
		if (subject->model != last)
			column = cmd_wrapf(column, last == NULL ? 2 : 4,
			    "%s%s%s%s", last != NULL ? "/ " : "",
			    subject->model->name, *firmware != '\0' ? " " : "",
			    firmware);
		else
			column = cmd_wrap(column, 4, firmware);
		last = subject->model;
	}
	if (report->counted)
		(void)cmd_wrapf(column, 4, "(%zu device%s)", devices,
		    devices == 1 ? "" : "s");
	(void)putchar('\n');
}

static void
print_verdicts(const struct check_report *report, enum check_answer answer,
    const char *title, struct ca_sources *sources)
{
	bool *done = xcalloc(report->subject_count + 1, sizeof(*done));
	bool titled = false;

	for (size_t i = 0; i < report->subject_count; i++) {
		const struct check_subject *subject = &report->subjects[i];

		if (done[i] || subject->verdict.answer != answer)
			continue;
		(void)printf("%s%s%s", titled ? "" : "\n", titled ? "" : title,
		    titled ? "" : "\n");
		titled = true;
		print_subjects(report, subject, done);
		if (subject->addresses_differ)
			(void)printf("    note: only at %s; its other "
				     "addresses do better\n",
			    subject->address);
		for (size_t j = 0; j < subject->verdict.count; j++)
			print_finding(&subject->verdict.finding[j], sources);
	}
	free(done);
}

/* ------------------------------------------------------- what to do first */

struct problem {
	const struct check_finding *finding;
	size_t devices;
};

static int
by_devices(const void *a, const void *b)
{
	const struct problem *one = a, *other = b;

	if (one->devices != other->devices)
		return one->devices < other->devices ? 1 : -1;
	return (int)other->finding->weight - (int)one->finding->weight;
}

static void
count_problem(struct problem **list, size_t *count,
    const struct check_finding *finding, size_t devices)
{
	for (size_t i = 0; i < *count; i++)
		if ((*list)[i].finding->cause == finding->cause &&
		    strcmp((*list)[i].finding->text, finding->text) == 0) {
			(*list)[i].devices += devices;
			return;
		}
	*list = xrealloc(*list, (*count + 1) * sizeof(**list));
	(*list)[(*count)++] = (struct problem) { finding, devices };
}

/* All findings with something to do, those first that concern most devices. */
static struct problem *
list_problems(const struct check_report *report, size_t *count)
{
	struct problem *list = NULL;

	*count = 0;
	for (size_t i = 0; i < report->subject_count; i++) {
		const struct check_subject *subject = &report->subjects[i];

		for (size_t j = 0; j < subject->verdict.count; j++)
			if (*subject->verdict.finding[j].fix != '\0')
				count_problem(&list, count,
				    &subject->verdict.finding[j],
				    subject->count);
	}
	if (*count > 0)
		qsort(list, *count, sizeof(*list), by_devices);
	return list;
}

static void
print_problems(const struct check_report *report)
{
	size_t count;
	struct problem *list = list_problems(report, &count);

	if (count > 0)
		(void)printf("\nWHAT TO DO, most %s first\n",
		    report->counted ? "devices" : "kinds of device");
	for (size_t i = 0; i < count; i++) {
		size_t column = (size_t)printf("  %5zu  ", list[i].devices);

		column = cmd_wrapf(column, 9, "%s.", list[i].finding->text);
		(void)cmd_wrapf(column, 9, "To do: %s.", list[i].finding->fix);
		(void)putchar('\n');
	}
	free(list);
}

void
check_print(const struct check_report *report)
{
	struct ca_sources sources = { NULL };

	print_server(report);
	print_verdicts(report, CHECK_WILL_NOT, "WILL NOT BE PROVISIONED",
	    &sources);
	print_verdicts(report, CHECK_CANNOT_KNOW, "CANNOT BE KNOWN", &sources);
	print_verdicts(report, CHECK_WILL, "WILL BE PROVISIONED", &sources);
	print_problems(report);
	ca_sources_print(&sources);
	ca_sources_clear(&sources);
}

/* ---------------------------------------------------------- for programs */

static json_t *
finding_json(const struct check_finding *finding)
{
	static const char *const weights[] = {
		[CHECK_WORTH_KNOWING] = "note",
		[CHECK_DOUBT] = "unsure",
		[CHECK_STOPS] = "stops",
	};

	return json_pack("{ss ss ss ss ss}", "cause",
	    check_cause_name(finding->cause), "weight",
	    weights[finding->weight], "text", finding->text, "fix",
	    finding->fix, "source", finding->source);
}

static json_t *
subject_json(const struct check_subject *subject)
{
	json_t *findings = json_array();

	for (size_t i = 0; i < subject->verdict.count; i++)
		(void)json_array_append_new(findings,
		    finding_json(&subject->verdict.finding[i]));
	return json_pack("{ss ss? sI ss sb sb ss so}", "model",
	    subject->model->name, "firmware",
	    subject->has_firmware ? subject->firmware.text : NULL, "devices",
	    (json_int_t)subject->count, "answer",
	    check_answer_name(subject->verdict.answer), "assumed",
	    subject->verdict.assumed, "addresses_differ",
	    subject->addresses_differ, "address", subject->address, "findings",
	    findings);
}

static json_t *
server_json(const struct check_report *report)
{
	const struct check_view *view = check_any_view(report->seen);
	json_t *addresses = json_array(), *server;
	char text[ADDR_TEXT_BYTES];
	struct identified known = { .ca = NULL };
	size_t at = 0;

	for (size_t i = 0; i < report->seen->address_count; i++) {
		addr_format(&report->seen->address[i], text);
		(void)json_array_append_new(addresses, json_string(text));
	}
	server = json_pack("{so}", "addresses", addresses);
	if (view == NULL || view->count == 0)
		return server;
	known = identify_chain(view->certs, view->count, &at);
	(void)json_object_update_new(server,
	    json_pack("{ss? ss so so si ss sb sI}", "ca",
		known.ca != NULL ? known.ca->id : NULL, "recognised",
		identify_basis_name(known.basis), "not_before",
		cmd_json_time(cert_not_before(view->certs[0])), "not_after",
		cmd_json_time(cert_not_after(view->certs[0])), "key_bits",
		cert_key_bits(view->certs[0]), "digest",
		cert_signature_digest(view->certs[0]), "asks_certificate",
		view->asks_certificate, "ca_names",
		(json_int_t)view->ca_name_count));
	return server;
}

int
check_print_json(const struct check_report *report)
{
	json_t *devices = json_array(), *problems = json_array();
	size_t count;
	struct problem *list = list_problems(report, &count);

	for (size_t i = 0; i < report->subject_count; i++)
		(void)json_array_append_new(devices,
		    subject_json(&report->subjects[i]));
	for (size_t i = 0; i < count; i++) {
		json_t *problem = finding_json(list[i].finding);

		(void)json_object_set_new(problem, "devices",
		    json_integer((json_int_t)list[i].devices));
		(void)json_array_append_new(problems, problem);
	}
	free(list);
	return ca_print_json(json_pack("{ss so sb so so}", "url", report->url,
		   "server", server_json(report), "inventory", report->counted,
		   "devices", devices, "problems", problems)) == CMD_DONE ?
	    0 :
	    -1;
}
