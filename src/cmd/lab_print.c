#include "cmd/lab_print.h"
#include "base/mem.h"
#include "lab/lab.h"
#include "lab/pki.h"
#include "tls/conn.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ----------------------------------------------------------- progress */

void
lab_print_progress(void *arg, const char *stage, size_t done, size_t total)
{
	(void)arg;
	if (!isatty(STDERR_FILENO)) {
		if (stage != NULL && total == 0)
			(void)fprintf(stderr, "lab: %s\n", stage);
		return;
	}
	if (stage == NULL)
		(void)fputs("\r\033[K", stderr);
	else if (total == 0)
		(void)fprintf(stderr, "\r\033[Klab: %s", stage);
	else if (done % 16 == 0 || done == total)
		(void)fprintf(stderr, "\r\033[Klab: %s: %zu of %zu", stage,
		    done, total);
}

/* ----------------------------------------------------------- the table */

#define LABEL_WIDTH 38	  /* with two columns for each of 20 CAs: 78 */
#define LINES_PER_HEAD 36 /* the heads come again, for short terminals */

/* Short enough that all CAs and a device fit into 80 columns. */
static char
mark(const struct lab_cell *cell)
{
	if (!cell->as_expected)
		return '!';
	switch (cell->expected) {
	case LAB_ACCEPTS:
		return 'Y';
	case LAB_REFUSES:
		return 'n';
	case LAB_UNKNOWN:
		return '?';
	case LAB_EXPIRED:
		return 'x';
	case LAB_DIGEST:
		return 'd';
	case LAB_NAME:
		return 's';
	}
	return '!';
}

static void
print_legend(const struct lab_report *report)
{
	char letter = 'a';

	for (size_t i = 0; i < registry_ca_count; i++)
		if (report->port[i] != 0)
			(void)printf("  %c  %-26s %s\n", letter++,
			    registry_cas[i].id, registry_cas[i].name);
	(void)printf(
	    "\n"
	    "  Y  accepted, and the claims say so\n"
	    "  n  refused, and a claim says so\n"
	    "  ?  no claim either way; simulated devices refuse then\n"
	    "  x  the CA is trusted, but expired, and this device looks\n"
	    "  d  the CA is trusted, but the device cannot verify SHA-256\n"
	    "  s  the CA is trusted, but the device wants a SAN\n"
	    "  !  not as the claims say\n");
}

static void
print_columns(const struct lab_report *report)
{
	char letter = 'a';

	(void)printf("\n%-*s", LABEL_WIDTH, "device");
	for (size_t i = 0; i < registry_ca_count; i++)
		if (report->port[i] != 0)
			(void)printf(" %c", letter++);
	(void)printf("\n");
}

static bool
same_row(const struct lab_report *report, size_t a, size_t b)
{
	const struct lab_device *one = &report->fleet->devices[a];
	const struct lab_device *other = &report->fleet->devices[b];

	if (strcmp(one->model->family, other->model->family) != 0 ||
	    one->has_firmware != other->has_firmware ||
	    (one->has_firmware &&
		firmware_compare(&one->firmware, &other->firmware) != 0))
		return false;
	for (size_t i = 0; i < registry_ca_count; i++)
		if (report->port[i] != 0 &&
		    mark(&report->cells[a * registry_ca_count + i]) !=
			mark(&report->cells[b * registry_ca_count + i]))
			return false;
	return true;
}

/* Models that answered alike share a row; their names take several lines
 * when need be.  Returns how many lines were printed. */
static size_t
print_row(const struct lab_report *report, size_t first, bool *printed)
{
	const struct lab_fleet *fleet = report->fleet;
	const struct lab_device *device = &fleet->devices[first];
	char label[256] = "", name[80];
	size_t lines = 1;

	for (size_t d = first; d < fleet->count; d++) {
		if (printed[d] || !same_row(report, first, d))
			continue;
		printed[d] = true;
		(void)snprintf(name, sizeof(name), "%s%s",
		    *label != '\0' ? " " : "", fleet->devices[d].model->name);
		if (strlen(label) + strlen(name) > LABEL_WIDTH) {
			(void)printf("%s\n", label);
			lines++;
			(void)snprintf(label, sizeof(label), " ");
		}
		(void)snprintf(label + strlen(label),
		    sizeof(label) - strlen(label), "%s", name);
	}
	(void)snprintf(name, sizeof(name), "%s%s",
	    device->has_firmware ? " @" : "",
	    device->has_firmware ? device->firmware.text : "");
	if (strlen(label) + strlen(name) > LABEL_WIDTH) {
		(void)printf("%s\n", label);
		lines++;
		(void)snprintf(label, sizeof(label), " ");
	}
	(void)snprintf(label + strlen(label), sizeof(label) - strlen(label),
	    "%s", name);
	(void)printf("%-*s", LABEL_WIDTH, label);
	for (size_t i = 0; i < registry_ca_count; i++)
		if (report->port[i] != 0)
			(void)printf(" %c",
			    mark(&report
				      ->cells[first * registry_ca_count + i]));
	(void)printf("\n");
	return lines;
}

static void
print_pairs(const struct lab_report *report)
{
	const struct lab_fleet *fleet = report->fleet;
	bool *printed = xcalloc(fleet->count, sizeof(*printed));
	size_t lines = LINES_PER_HEAD;

	(void)printf("Which device accepts which CA's listener, "
		     "by %zu handshakes:\n\n",
	    report->handshakes);
	print_legend(report);
	for (size_t d = 0; d < fleet->count; d++) {
		if (printed[d])
			continue;
		if (lines >= LINES_PER_HEAD) {
			print_columns(report);
			lines = 0;
		}
		lines += print_row(report, d, printed);
	}
	free(printed);
}

/* The alerts with which devices refused, for those who read server logs. */
static void
print_alerts(const struct lab_report *report)
{
	size_t counts[256] = { 0 };
	size_t cells = report->fleet->count * registry_ca_count;

	for (size_t i = 0; i < cells; i++) {
		int alert = report->cells[i].alert;

		if (report->port[i % registry_ca_count] != 0 && alert >= 0 &&
		    alert < 256)
			counts[alert]++;
	}
	(void)printf("\nRefusals by the alert that the device sent:\n\n");
	for (int alert = 1; alert < 256; alert++)
		if (counts[alert] > 0)
			(void)printf("  %-22s %zu\n", tls_alert_name(alert),
			    counts[alert]);
}

static void
print_unexpected(const struct lab_report *report)
{
	const struct lab_fleet *fleet = report->fleet;

	for (size_t d = 0; d < fleet->count; d++) {
		for (size_t i = 0; i < registry_ca_count; i++) {
			const struct lab_cell *cell =
			    &report->cells[d * registry_ca_count + i];

			if (report->port[i] != 0 && !cell->as_expected)
				(void)printf("NOT AS EXPECTED: %s before %s: "
					     "%s\n",
				    fleet->devices[d].label, registry_cas[i].id,
				    sim_outcome_name(cell->outcome));
		}
		if (fleet->devices[d].ca != NULL &&
		    !report->resyncs[d].same_bytes)
			(void)printf("NOT AS EXPECTED: resync of %s: %s\n",
			    fleet->devices[d].label, report->resyncs[d].reason);
	}
}

/* ------------------------------------------------------------- resyncs */

/* As a paragraph of names. */
static void
print_left_out(const struct lab_fleet *fleet)
{
	size_t column = 0;

	(void)printf("  no CA that is known to work:");
	for (size_t d = 0; d < fleet->count; d++) {
		size_t len = strlen(fleet->devices[d].label) + 1;

		if (fleet->devices[d].ca != NULL)
			continue;
		if (column == 0 || column + len > 76) {
			(void)printf("\n   ");
			column = 3;
		}
		(void)printf(" %s", fleet->devices[d].label);
		column += len;
	}
	(void)printf("\n");
}

static void
print_resyncs(const struct lab_report *report)
{
	const struct lab_fleet *fleet = report->fleet;

	(void)printf("\nWho is led where, and got its own profile, byte for "
		     "byte:\n\n");
	for (size_t i = 0; i < registry_ca_count; i++) {
		size_t led = 0, served = 0, by_version[5] = { 0 };

		for (size_t d = 0; d < fleet->count; d++) {
			unsigned version = report->resyncs[d].tls_version;

			if (fleet->devices[d].ca != &registry_cas[i])
				continue;
			led++;
			served += report->resyncs[d].same_bytes;
			if (version >= 0x0301 && version <= 0x0304)
				by_version[version - 0x0300]++;
		}
		if (led == 0)
			continue;
		(void)printf("  %-16s :%-5u %3zu of %3zu devices;",
		    registry_cas[i].id, report->port[i], served, led);
		for (unsigned v = 1; v < 5; v++)
			if (by_version[v] > 0)
				(void)printf(" %s %zu",
				    tls_version_name((uint16_t)(0x0300 + v)),
				    by_version[v]);
		(void)printf("\n");
	}
	print_left_out(fleet);
}

/* ------------------------------------------------------------ refusals */

static const char *
form_name(enum identity_form form)
{
	switch (form) {
	case IDENTITY_DOCUMENTED:
		return "documented";
	case IDENTITY_OBSERVED:
		return "observed";
	case IDENTITY_MIC:
		return "MIC";
	}
	return "?";
}

static void
print_refusals(const struct lab_report *report)
{
	(void)printf("\nWhat must fail, for each form of device "
		     "certificate:\n\n");
	for (size_t i = 0; i < report->refusal_count; i++) {
		const struct lab_refusal *refusal = &report->refusals[i];

		(void)printf("  %-10s %-36.36s %3d %-25s%s\n",
		    form_name(refusal->form), refusal->what, refusal->status,
		    *refusal->reason != '\0' ? refusal->reason :
					       "not a valid request",
		    refusal->as_expected ? "" : " NOT AS EXPECTED");
	}
}

/* ------------------------------------------------- with the server kept */

static const struct lab_device *
example_device(const struct lab_report *report, bool old)
{
	for (size_t i = 0; i < report->fleet->count; i++) {
		const struct lab_device *device = &report->fleet->devices[i];

		if (device->ca != NULL &&
		    strcmp(device->model->name,
			old ? "SPA962" : "CP-8841-3PCC") == 0)
			return device;
	}
	return NULL;
}

/* This program, so that the line works before it is installed. */
static const char *
own_path(char *path, size_t size)
{
	ssize_t len = readlink("/proc/self/exe", path, size - 1);

	if (len <= 0)
		return "sprov";
	path[len] = '\0';
	return path;
}

static void
print_try(const struct lab_report *report)
{
	const struct lab_device *device = example_device(report, false);
	const struct lab_device *old = example_device(report, true);
	const char *dir = report->directory;
	char mac[MAC_TEXT_BYTES], path[512];

	(void)printf("\nThe server goes on (process %ld); everything is in "
		     "%s.\n",
	    (long)report->server_pid, dir);
	(void)printf("\nLook at it in a browser; log in as \"" LAB_ACCOUNT
		     "\" with the one-time code\n%s:\n\n"
		     "  http://127.0.0.1:%u/\n",
	    report->admin_code, report->admin_port);
	if (device == NULL || old == NULL)
		return;
	mac_format(&device->mac, mac);
	(void)printf("\nBe a %s with curl:\n\n"
		     "  curl --cacert %s/cas/%s.pem \\\n"
		     "    --cert %s.crt --key %s.key \\\n"
		     "    --resolve %s." LAB_DOMAIN ":%u:127.0.0.1 \\\n"
		     "    https://%s." LAB_DOMAIN ":%u/spa%s.cfg\n",
	    device->label, dir, device->ca->id, device->base, device->base,
	    device->ca->id, report->port[device->ca - registry_cas],
	    device->ca->id, report->port[device->ca - registry_cas], mac);
	mac_format(&old->mac, mac);
	(void)printf("\nBe a %s, which speaks TLS 1.0 only:\n\n"
		     "  printf 'GET /spa%s.cfg HTTP/1.0\\r\\n\\r\\n' |\n"
		     "  openssl s_client -quiet -tls1 "
		     "-cipher AES128-SHA:@SECLEVEL=0 \\\n"
		     "    -cert %s.crt -key %s.key \\\n"
		     "    -connect 127.0.0.1:%u\n",
	    old->label, mac, old->base, old->base,
	    report->port[old->ca - registry_cas]);
	(void)printf("\nBe any of them, as it would be:\n\n"
		     "  %s simulate --lab %s --as '%s'\n",
	    own_path(path, sizeof(path)), dir, old->label);
	(void)printf("\nStop the server and remove all:\n\n"
		     "  kill %ld; tail --pid=%ld -f /dev/null; rm -r %s\n",
	    (long)report->server_pid, (long)report->server_pid, dir);
}

void
lab_print_text(const struct lab_report *report)
{
	print_pairs(report);
	print_alerts(report);
	print_resyncs(report);
	print_refusals(report);
	(void)printf("\n");
	print_unexpected(report);
	(void)
	    printf("%zu models, %zu devices (model and firmware); "
		   "%zu of %zu models with a\nknown CA are provisioned, "
		   "%zu of %zu such devices.\n"
		   "%zu of %zu handshakes and %zu of %zu refusals as expected; "
		   "%.1f s.\n",
		report->model_count, report->fleet->count,
		report->models_provisioned, report->models_with_ca,
		report->devices_provisioned, report->devices_with_ca,
		report->handshakes_as_expected, report->handshakes,
		report->refusals_as_expected, report->refusal_count,
		report->seconds);
	(void)printf("%s\n",
	    report->passed ? "All as expected." :
			     "SOMETHING WAS NOT AS EXPECTED.");
	if (!report->passed)
		(void)printf("The server's log and all certificates are in "
			     "%s.\n",
		    report->directory);
	if (report->server_pid > 0)
		print_try(report);
}
