#include "cmd/profile_check.h"

#include <stdio.h>

#include <jansson.h>

#include "spa/registry.h"

static void
print_finding(const struct checked *checked, const struct finding *finding)
{
	(void)printf("%s:", checked->input);
	if (finding->line != 0)
		(void)printf("%zu:%zu:", finding->line, finding->column);
	(void)printf(" %s: ", severity_name(finding->severity));
	if (*finding->name != '\0')
		(void)printf("%s: ", finding->name);
	(void)puts(finding->text);
}

void
profile_check_print(const struct checked *checked)
{
	const struct findings *findings = &checked->findings;
	size_t notes = findings->count - findings->problems;

	for (size_t i = 0; i < findings->kept; i++)
		print_finding(checked, &findings->list[i]);
	if (findings->count > findings->kept)
		(void)printf("%s: and %zu more\n", checked->input,
		    findings->count - findings->kept);
	(void)printf("%s: %s", checked->input, checked->kind);
	if (checked->model != NULL)
		(void)printf(" for %s", checked->model->name);
	if (*checked->firmware != '\0')
		(void)printf(" at %s", checked->firmware);
	if (findings->count == 0)
		(void)puts(": good");
	else
		(void)printf(": %zu problem%s, %zu note%s\n",
		    findings->problems, findings->problems == 1 ? "" : "s",
		    notes, notes == 1 ? "" : "s");
}

static json_t *
json_findings(const struct findings *findings)
{
	json_t *array = json_array();

	for (size_t i = 0; i < findings->kept; i++) {
		const struct finding *finding = &findings->list[i];
		bool placed = finding->line != 0;

		(void)json_array_append_new(array,
		    json_pack("{ss ss so so ss}", "severity",
			severity_name(finding->severity), "name", finding->name,
			"line",
			placed ? json_integer((json_int_t)finding->line) :
				 json_null(),
			"column",
			placed ? json_integer((json_int_t)finding->column) :
				 json_null(),
			"text", finding->text));
	}
	return array;
}

int
profile_check_print_json(const struct checked *list, size_t count,
    struct error *err)
{
	json_t *array = json_array();
	int rc = -1;

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(array,
		    json_pack("{ss ss so so sI sI so}", "input", list[i].input,
			"kind", list[i].kind, "model",
			list[i].model != NULL ?
			    json_string(list[i].model->name) :
			    json_null(),
			"firmware",
			*list[i].firmware != '\0' ?
			    json_string(list[i].firmware) :
			    json_null(),
			"problems", (json_int_t)list[i].findings.problems,
			"count", (json_int_t)list[i].findings.count, "findings",
			json_findings(&list[i].findings)));
	if (array != NULL)
		rc = json_dumpf(array, stdout, JSON_INDENT(2));
	json_decref(array);
	if (rc != 0)
		return error_set(err, ERROR_SYSTEM, "cannot write JSON");
	(void)fputc('\n', stdout);
	return 0;
}
