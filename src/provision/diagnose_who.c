/*
 * Who was it?  By what it showed, by what it asked for, by where it came from,
 * by how it speaks; in that order.
 */
#include "provision/diagnose_parts.h"
#include "spa/registry.h"
#include "spa/useragent.h"

#include <stdio.h>
#include <string.h>

static void
copy_name(char to[static EVENT_NAME_MAX + 1], const char *from)
{
	(void)snprintf(to, EVENT_NAME_MAX + 1, "%.*s", EVENT_NAME_MAX, from);
}

/* What the inventory knows of the device goes before what it says itself. */
static void
take_mac(struct case_notes *notes, const struct mac *mac,
    enum confidence confidence, const char *why)
{
	const struct diagnose_world *world = notes->world;
	struct diagnose_who *who = &notes->out->who;
	struct diagnose_device device;

	who->confidence = confidence;
	who->why = why;
	who->has_mac = true;
	who->mac = *mac;
	if (world->find == NULL || !world->find(world->find_arg, mac, &device))
		return;
	who->in_inventory = true;
	who->model = registry_find_model(device.model, NULL);
	copy_name(who->firmware, device.firmware);
}

static void
take_product(struct case_notes *notes, const char *product)
{
	struct diagnose_who *who = &notes->out->who;

	if (who->model == NULL)
		who->model = registry_find_model(product, NULL);
}

static void
take_firmware(struct case_notes *notes, const char *firmware)
{
	if (*notes->out->who.firmware == '\0')
		copy_name(notes->out->who.firmware, firmware);
}

/* The devices of that address that speak as this one does. */
static size_t
count_alike(const struct case_notes *notes, const struct event_source **found)
{
	size_t count = 0;

	for (size_t i = 0; i < notes->hints->source_count; i++)
		if (notes->hints->sources[i].class == notes->event->class) {
			if (count == 0)
				*found = &notes->hints->sources[i];
			count++;
		}
	return count;
}

static bool
by_source(struct case_notes *notes)
{
	const struct event_source *found = NULL;
	size_t count = notes->event->class != 0 ? count_alike(notes, &found) :
						  0;

	if (count == 0)
		return false;
	if (count == 1 && notes->hints->source_count == 1)
		take_mac(notes, &found->mac, CONFIDENCE_MEDIUM,
		    "the only device that was seen at this address, with the "
		    "same ClientHello");
	else if (count == 1)
		take_mac(notes, &found->mac, CONFIDENCE_MEDIUM,
		    "the only device at this address with this ClientHello");
	else
		return false;
	take_product(notes, found->product);
	return true;
}

/* The one product that all of these have; NULL when they differ. */
static const struct model *
common_model(const struct event_class *classes, size_t count)
{
	const struct model *model = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct model *one =
		    registry_find_model(classes[i].product, NULL);

		if (one == NULL || (model != NULL && one != model))
			return NULL;
		model = one;
	}
	return model;
}

static void
by_class(struct case_notes *notes)
{
	const struct diagnose_hints *hints = notes->hints;
	struct diagnose_who *who = &notes->out->who;

	if (hints->class_count == 0)
		return;
	who->model = common_model(hints->classes, hints->class_count);
	if (who->model == NULL)
		return;
	who->confidence = CONFIDENCE_LOW;
	who->why = "all devices with this ClientHello were of this model";
	if (hints->class_count == 1)
		take_firmware(notes, hints->classes[0].firmware);
}

/* A device of the inventory that the path names, in whatever it is wrapped:
 * "/spa000e08aabbcc.cfg". */
static bool
by_path(struct case_notes *notes)
{
	const struct diagnose_world *world = notes->world;
	const char *path = notes->event->path;
	size_t len = strlen(path);
	struct diagnose_device device;
	struct mac mac;

	for (size_t i = 0; world->find != NULL && i < len; i++)
		for (size_t digits = 12; digits <= 17; digits += 5) {
			if (i + digits > len ||
			    !mac_read(&mac, path + i, digits) ||
			    !world->find(world->find_arg, &mac, &device))
				continue;
			take_mac(notes, &mac, CONFIDENCE_LOW,
			    "by the path that it asked for, which anybody can "
			    "write");
			return true;
		}
	return false;
}

void
diagnose_who(struct case_notes *notes)
{
	const struct event *event = notes->event;
	struct useragent agent;

	notes->out->who.confidence = CONFIDENCE_NONE;
	notes->out->who.why = "not known";
	if (event->has_mac) {
		bool proven = event->kind != EVENT_HANDSHAKE &&
		    *event->verify == '\0';

		take_mac(notes, &event->mac,
		    proven ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM,
		    proven ? "by its certificate" :
			     "by a certificate that is not believed");
		take_product(notes, event->product);
	} else if (by_path(notes)) {
		take_product(notes, event->product);
	} else if (useragent_parse(&agent, event->agent)) {
		if (agent.has_mac)
			take_mac(notes, &agent.mac, CONFIDENCE_LOW,
			    "by its User-Agent, which anybody can write");
		else {
			notes->out->who.confidence = CONFIDENCE_LOW;
			notes->out->who.why =
			    "by its User-Agent, which anybody can write";
		}
		take_product(notes, agent.product);
	} else if (!by_source(notes)) {
		by_class(notes);
	}
	take_firmware(notes, event->firmware);
}
