#include "spa/profile.h"
#include "spa/profile_xml.h"

static void XMLCALL
on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	(void)attributes;
	(void)profile_xml_start(arg, name);
}

static void XMLCALL
on_end(void *arg, const XML_Char *name)
{
	struct profile_xml *xml = arg;

	(void)name;
	xml->depth--;
}

int
profile_check(const char *text, size_t len, struct error *err)
{
	struct profile_xml xml;
	int rc;

	rc = profile_xml_open(&xml, text, len, err);
	if (rc == 0) {
		XML_SetElementHandler(xml.parser, on_start, on_end);
		rc = profile_xml_run(&xml, err);
	}
	profile_xml_close(&xml);
	return rc;
}
